"""Weights in their two forms: beside normalisation, as they are trained, and with normalisation folded in, as ONNX files hold them."""

import onnx
import torch
from onnx import numpy_helper
from torch import nn


def pairs(net):
    """The convolutions that a normalisation follows, each with it, in order."""
    blocks = [m for m in net.modules() if isinstance(m, nn.Sequential) and len(m) > 1]
    return [(b[0], b[1]) for b in blocks if isinstance(b[0], nn.Conv2d) and isinstance(b[1], nn.BatchNorm2d)]


def load(net, path, inputs):
    """Gives `net` the weights of an ONNX file that was made of its like. Where normalisation was folded in it is put back so that it
    changes nothing: it takes off what `inputs` (batches) show there, and gives it back."""
    graph = onnx.load(path).graph
    values = {i.name: torch.from_numpy(numpy_helper.to_array(i).copy()) for i in graph.initializer}
    convolutions = [node.input for node in graph.node if node.op_type == "Conv"]
    own = dict(net.named_parameters())
    plain = [names for names in convolutions if names[1] in own]
    folded = [names for names in convolutions if names[1] not in own]
    layers = pairs(net)
    if len(layers) != len(folded):
        raise ValueError(f"{path}: {len(folded)} convolutions, not {len(layers)}")
    with torch.no_grad():
        for _, weights, bias in plain:
            own[weights].copy_(values[weights])
            own[bias].copy_(values[bias])
        for (convolution, norm), (_, weights, bias) in zip(layers, folded):
            convolution.weight.copy_(values[weights])
            norm.weight.fill_((1 + norm.eps) ** 0.5)
            norm.bias.copy_(values[bias])
            norm.running_mean.zero_()
            norm.running_var.fill_(1)
        seen = {convolution: [] for convolution, _ in layers}
        hooks = [c.register_forward_hook(lambda m, _, out: seen[m].append(torch.var_mean(out, (0, 2, 3)))) for c in seen]
        net.eval()
        for batch in inputs:
            net(batch)
        for hook in hooks:
            hook.remove()
        for convolution, norm in layers:
            spread, mean = (torch.stack(parts).mean(0) for parts in zip(*seen[convolution]))
            norm.running_mean.copy_(mean)
            norm.running_var.copy_(spread.clamp(min=1e-6))
            norm.weight.copy_((norm.running_var + norm.eps).sqrt())
            norm.bias.add_(mean)
