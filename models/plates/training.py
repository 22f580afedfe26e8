"""What the training of both networks shares: damage, schedule, average of the weights, checkpoints."""

import argparse
import pathlib
import time

import cv2
import numpy as np
import torch

import folded


def arguments(description, steps, batch, rate, seed):
    """The flags of a training command."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--packs", type=pathlib.Path, required=True, help="what data.py wrote")
    parser.add_argument("--out", type=pathlib.Path, required=True, help="the ONNX file to write")
    parser.add_argument("--checkpoint", type=pathlib.Path, help="written every few minutes; default: OUT.pt")
    parser.add_argument("--resume", action="store_true", help="go on from the checkpoint")
    parser.add_argument("--begin", type=pathlib.Path, metavar="ONNX", help="begin with the weights of this network")
    parser.add_argument("--steps", type=int, default=steps)
    parser.add_argument("--batch", type=int, default=batch)
    parser.add_argument("--rate", type=float, default=rate, help="learning rate")
    parser.add_argument("--seed", type=int, default=seed, help="of which pictures are shown")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--workers", type=int, default=0, help="processes that prepare samples; 0: none but this one")
    parser.add_argument("--export-only", action="store_true", help="only write the checkpoint's network to OUT")
    return parser


def augmented(picture, random, strength=1.0):
    """A grey picture as another camera would see it: light, haze, shadow, motion, defocus, few pixels, noise, JPEG."""
    height, width = picture.shape
    picture = picture.astype(np.float32)
    chance = lambda p: random.random() < p * strength
    if chance(0.08):  # too long exposed, or an infrared lamp's light thrown back: what is bright grows, and washes out
        spread = cv2.GaussianBlur(picture, (0, 0), random.uniform(0.5, 1.8))
        picture = np.minimum((np.maximum(picture, spread) - random.uniform(0, 60)) * random.uniform(1.3, 3.5), 255)
    if chance(0.3):
        picture = 255.0 * (np.maximum(picture, 0) / 255.0) ** np.exp(random.normal(0, 0.4))
    if chance(0.25):  # light that changes across the picture
        ramp = np.linspace(*random.uniform(0.5, 1.3, 2), width, dtype=np.float32)
        picture *= ramp
    if chance(0.15):  # the edge of a shadow
        a, b = random.uniform(-0.3, 1.3, 2) * width
        corners = np.array([[a, 0], [b, height], [width * 2, height], [width * 2, 0]], np.int32)
        shade = np.zeros((height, width), np.float32)
        cv2.fillPoly(shade, [corners], 1.0)
        picture *= 1 - cv2.GaussianBlur(shade, (0, 0), 1.5) * random.uniform(0.3, 0.65)
    if chance(0.15):  # motion
        length = int(random.integers(2, max(4, min(9, width // 24))))
        kernel = np.zeros((length, length), np.float32)
        kernel[length // 2] = 1.0 / length
        turn = cv2.getRotationMatrix2D((length / 2 - 0.5, length / 2 - 0.5), random.uniform(0, 180), 1)
        kernel = cv2.warpAffine(kernel, turn, (length, length))
        picture = cv2.filter2D(picture, -1, kernel / max(kernel.sum(), 1e-3), borderType=cv2.BORDER_REPLICATE)
    if chance(0.35):
        picture = cv2.GaussianBlur(picture, (0, 0), 0.3 + abs(random.normal(0, 0.7)))
    contrast = random.uniform(0.35, 1.25) if chance(0.6) else 1.0
    middle = picture.mean()
    picture = (picture - middle) * contrast + middle + random.normal(0, 22 * min(1.0, strength))
    if chance(0.4):
        picture += random.normal(0, abs(random.normal(0, 7)) * contrast + 0.5, picture.shape).astype(np.float32)
    if chance(0.06):
        picture = 255 - picture
    picture = np.clip(picture, 0, 255).astype(np.uint8)
    if chance(0.25):
        _, packed = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, int(random.uniform(25, 90))])
        picture = cv2.imdecode(packed, cv2.IMREAD_GRAYSCALE)
    return picture


def device():
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def coarsely(device):
    """Where the processor multiplies 16-bit numbers faster (AMX makes a step three times as fast), what runs inside is worked out in them."""
    fast = device.type == "cuda" or torch.cpu.get_capabilities().get("amx_bf16", False)
    return torch.autocast(device.type, torch.bfloat16, enabled=fast)


def teacher(net, path, device):
    """`net` as it was trained before, from its checkpoint, for another to learn from."""
    net.load_state_dict(torch.load(path, map_location="cpu")["average"])
    return net.to(device).to(memory_format=torch.channels_last).eval().requires_grad_(False)


class Samples(torch.utils.data.IterableDataset):
    """Batches without end; `make(random)` gives one sample, whose numbers follow from the seed alone."""

    def __init__(self, make, batch, seed):
        self.make, self.batch, self.seed = make, batch, seed

    def __iter__(self):
        worker = torch.utils.data.get_worker_info()
        random = np.random.default_rng([self.seed, worker.id if worker else 0])
        cv2.setNumThreads(0)
        while True:
            yield [self.make(random) for _ in range(self.batch)]


def batches(make, options, seed):
    """An iterator over lists of samples, prepared by `options.workers` processes."""
    loader = torch.utils.data.DataLoader(
        Samples(make, options.batch, seed), batch_size=None, num_workers=options.workers,
        prefetch_factor=4 if options.workers else None, collate_fn=lambda batch: batch,
    )
    return iter(loader)


class Trainer:
    """The loop: rises, stays, and over the last quarter of the steps falls to nothing; keeps averaged weights."""

    def __init__(self, net, options, inputs):
        """`inputs()` gives batches as the network takes them."""
        self.options, self.device = options, device()
        if options.begin and not options.resume:
            folded.load(net, options.begin, inputs())
        self.net = net.to(self.device).to(memory_format=torch.channels_last)
        decay = [p for p in net.parameters() if p.ndim > 1]
        rest = [p for p in net.parameters() if p.ndim <= 1]
        groups = [{"params": decay, "weight_decay": 0.02}, {"params": rest, "weight_decay": 0.0}]
        self.optimiser = torch.optim.AdamW(groups, options.rate)
        self.average = {k: v.detach().clone() for k, v in net.state_dict().items()}
        self.step = 0
        self.path = options.checkpoint or options.out.with_suffix(".pt")
        if options.resume or options.export_only:
            state = torch.load(self.path, map_location=self.device)
            self.net.load_state_dict(state["net"])
            self.average, self.step = state["average"], state["step"]
            self.optimiser.load_state_dict(state["optimiser"])

    def rate(self):
        steps = self.options.steps
        rise, fall = min(1.0, (self.step + 1) / 300), (steps - self.step) / (0.25 * steps)
        return self.options.rate * min(rise, max(fall, 0.0), 1.0)

    def save(self):
        state = {"net": self.net.state_dict(), "average": self.average, "step": self.step}
        whole = self.path.with_suffix(".tmp")
        torch.save({**state, "optimiser": self.optimiser.state_dict()}, whole)
        whole.rename(self.path)

    def averaged(self, net):
        """`net` with the averaged weights, ready to be used."""
        net.load_state_dict(self.average)
        return net.to(self.device).eval()

    def run(self, samples, loss_of, report, every=500):
        """Steps until `options.steps`; `loss_of(net, batch, device)` gives the loss, `report()` a line to print."""
        saved = told = time.monotonic()
        sums, count = 0.0, 0
        self.net.train()
        while self.step < self.options.steps:
            for group in self.optimiser.param_groups:
                group["lr"] = self.rate()
            batch = next(samples)
            with coarsely(self.device):
                loss = loss_of(self.net, batch, self.device)
            self.optimiser.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(self.net.parameters(), 5.0)
            self.optimiser.step()
            self.step += 1
            keep = min(0.998, self.step / (self.step + 20))
            with torch.no_grad():
                for name, value in self.net.state_dict().items():
                    if value.is_floating_point():
                        self.average[name].lerp_(value, 1 - keep)
                    else:
                        self.average[name].copy_(value)
            sums, count = sums + loss.item(), count + 1
            if self.step % every == 0 or self.step == self.options.steps:
                pace = (time.monotonic() - told) / count
                print(f"{self.step} loss {sums / count:.4f} {pace:.3f} s a step {report()}", flush=True)
                sums, count, told = 0.0, 0, time.monotonic()
            if time.monotonic() - saved > 120:
                self.save()
                saved = time.monotonic()
        self.save()
