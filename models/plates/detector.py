"""Trains the plate detector and writes it as ONNX.

    python detector.py --wide --packs PACKS --out WIDE.onnx
    python detector.py --packs PACKS --out ../plate-detector.onnx --teacher WIDE.pt

One class, no anchors, four corners as key points: for every cell of 8 x 8 pixels the score of a plate's middle lying
there, and where the plate's corners are. A real plate's corners are not known, only the upright box around them, and that
much is asked of it; in half of the photos drawn plates take the place of the real ones, in any perspective, and teach corners.
A wide network learns alone; the one that is shipped learns from what that one says, too (Hinton, Vinyals and Dean, Distilling the
knowledge in a neural network, 2015).
"""

import functools
import pathlib

import cv2
import numpy as np
import onnx
import torch
from torch import nn
from torch.nn import functional as F

import data
import draw
import geometry
import training

SEED = 5
SIZE = (384, 320)  # of a training picture, across and down
STRIDE = 8
SPREAD = 4.0  # corners are given in this many cells
LOOSE = 0.12  # by so much of its size a labelled box may be too large, on each side
OWN, TOLD = 0.6, 3.0  # beside a teacher: what the labels weigh, and what the teacher says


def block(inputs, outputs, stride=1, kernel=3):
    """Convolution, normalisation, ReLU."""
    conv = nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False)
    return nn.Sequential(conv, nn.BatchNorm2d(outputs), nn.ReLU(inplace=True))


class Detector(nn.Module):
    """Grey pictures (any multiple of 32 across and down, 0 to 1) to nine maps at an eighth of the size."""

    def __init__(self, wide=False):
        """One that is shipped, or a `wide` one, which takes a third longer."""
        super().__init__()
        deep = 96 if wide else 128
        again = lambda channels, times: [block(channels, channels) for _ in range(times)]
        self.stem = nn.Sequential(block(1, 16, 2), block(16, 24, 2), *again(24, 1 if wide else 0))
        self.eighth = nn.Sequential(block(24, 48, 2), *again(48, 2 if wide else 1))
        self.sixteenth = nn.Sequential(block(48, 64, 2), *again(64, 2 if wide else 3))
        self.thirty_second = nn.Sequential(block(64, deep, 2), *again(deep, 2))
        self.down = block(deep, 64, 1, 1)
        self.mix = block(64, 64)
        self.down_again = block(64, 48, 1, 1)
        self.mix_again = nn.Sequential(*again(48, 2 if wide else 1))
        self.out = nn.Conv2d(48, 9, 1)
        with torch.no_grad():
            self.out.bias.zero_()
            self.out.bias[0] = -4.5

    def forward(self, pictures):
        eighth = self.eighth(self.stem(pictures))
        sixteenth = self.sixteenth(eighth)
        deepest = self.thirty_second(sixteenth)
        merged = self.mix(sixteenth + F.interpolate(self.down(deepest), scale_factor=2.0))
        merged = self.mix_again(eighth + F.interpolate(self.down_again(merged), scale_factor=2.0))
        return self.out(merged)


def warp(random, shape, corners, width, turned):
    """A view that puts a plate of these corners somewhere in the picture, so many pixels wide; upright if not `turned`."""
    middle = corners.mean(0)
    scale = width / max(np.linalg.norm(corners[1] - corners[0]), 1.0)
    angle, shear = np.radians(random.normal(0, 5)) * turned, random.normal(0, 0.08) * turned
    stretch = np.exp(random.normal(0, 0.12))
    linear = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    linear = scale * linear @ np.array([[1, shear], [0, 1]]) @ np.diag([1.0, stretch])
    half = width / 2 + 4
    place = lambda size: random.uniform(min(half, size / 2), max(size - half, size / 2))
    target = np.array([place(SIZE[0]), random.uniform(0.08, 0.92) * SIZE[1]])
    if random.random() < 0.5:  # keep the photo's place where it fills the picture anyway
        whole = np.array([shape[1] / 2, shape[0] / 2])
        target = np.array(SIZE) / 2 + linear @ (middle - whole) + random.normal(0, 12, 2)
        target = np.clip(target, [min(half, SIZE[0] / 2), 12], [max(SIZE[0] - half, SIZE[0] / 2), SIZE[1] - 12])
    matrix = np.eye(3)
    matrix[:2, :2], matrix[:2, 2] = linear, target - linear @ middle
    tilt = np.eye(3)
    tilt[2, :2] = random.normal(0, 0.12, 2) / SIZE * turned
    centre = np.array([[1, 0, -target[0]], [0, 1, -target[1]], [0, 0, 1.0]])
    return np.linalg.inv(centre) @ tilt @ centre @ matrix


def tilted(corners, random):
    """Corners of a plate that hangs where this box is, and hides it: turned, sheared, in perspective."""
    across, down = corners[1] - corners[0], corners[3] - corners[0]
    aspect = np.linalg.norm(across) / max(np.linalg.norm(down), 1.0)
    turn, shear = np.tan(np.radians(random.normal(0, 5))), random.normal(0, 0.15)
    unit = np.array([[-0.5, -0.5], [0.5, -0.5], [0.5, 0.5], [-0.5, 0.5]]) * random.uniform([1.0, 1.0], [1.15, 1.35])
    unit = unit + np.stack([unit[:, 1] * shear / aspect, unit[:, 0] * turn * aspect], 1)
    unit[[1, 2], 1] *= np.exp(random.normal(0, 0.08))  # one end is nearer
    return (corners.mean(0) + unit[:, :1] * across + unit[:, 1:] * down).astype(np.float32)


class Scenes:
    """Photos with their plates' corners, seen anew each time."""

    def __init__(self, pictures, labels, drawn):
        self.pictures, self.labels = pictures, labels
        self.drawn, self.drawn_labels = drawn

    def view(self, random, canvas, plates, width):
        """Draws a photo over the canvas, which may hide plates there; plates are corners, whether all of it shows, and whether
        the corners are exact or but those of the box around it."""
        index = random.integers(len(self.pictures))
        photo = data.decoded(self.pictures[index])
        boxes = [geometry.box_corners(b) for b in self.labels[index]["boxes"]]
        replaced = random.random() < 0.55
        matrix = warp(random, photo.shape, boxes[random.integers(len(boxes))], width, replaced)
        moved = lambda b: cv2.perspectiveTransform(b[None].astype(np.float64), matrix)[0]
        found = [(moved(tilted(b, random) if replaced else b), True, replaced) for b in boxes]
        shrunk, to_view = photo, matrix
        if np.linalg.det(matrix[:2, :2]) < 0.36:  # shrunk a lot: average first, or strokes alias away
            factor = max(0.25, float(np.sqrt(np.linalg.det(matrix[:2, :2]))) * 1.4)
            shrunk = cv2.resize(photo, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
            to_view = matrix @ np.diag([photo.shape[1] / shrunk.shape[1], photo.shape[0] / shrunk.shape[0], 1.0])
        seen = cv2.warpPerspective(shrunk, to_view, SIZE, flags=cv2.INTER_LINEAR)
        if replaced:
            for corners, _, _ in found:
                seen = self.pasted(seen, corners, random)
        area = cv2.warpPerspective(np.full(photo.shape, 255, np.uint8), matrix, SIZE, flags=cv2.INTER_NEAREST)
        canvas = np.where(area > 0, seen, canvas)
        return canvas, [(corners, whole and not covered(area, corners), exact) for corners, whole, exact in plates] + found

    def pasted(self, picture, corners, random):
        """The picture with a drawn plate at these corners, in the light that falls there."""
        across = max(np.linalg.norm(corners[1] - corners[0]), 4.0)
        aspect = across / max(np.linalg.norm(corners[3] - corners[0]), 1.0)
        index = random.integers(len(self.drawn))
        while aspect > 3 and self.drawn_labels[index]["lines"] == 2:
            index = random.integers(len(self.drawn))
        left, top, right, bottom = draw.PLATE
        frame = int(random.choice([0, 0, random.integers(2, 9)]))
        plate = data.decoded(self.drawn[index])[top - frame : bottom + frame, left - frame : right + frame]
        factor = min(1.0, 1.4 * across / (right - left))
        if factor < 0.8:  # average first
            plate = cv2.resize(plate, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
        low, high = corners.min(0), corners.max(0)
        x0, y0 = np.clip(low, 0, None).astype(int)
        behind = picture[y0 : int(max(high[1], 0)) + 1, x0 : int(max(high[0], 0)) + 1]
        light = (float(behind.mean()) + 40) / 150 if behind.size else 1.0
        plate = np.clip(plate * np.clip(light * random.uniform(0.8, 1.3), 0.25, 1.3), 0, 255).astype(np.uint8)
        h, w = plate.shape
        fx, fy = frame * w / (right - left + 2 * frame), frame * h / (bottom - top + 2 * frame)
        inner = np.array([[fx, fy], [w - fx, fy], [w - fx, h - fy], [fx, h - fy]], np.float32) - 0.5
        matrix = cv2.getPerspectiveTransform(inner, corners.astype(np.float32))
        drawn = cv2.warpPerspective(plate, matrix, SIZE, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        share = cv2.warpPerspective(np.full(plate.shape, 255, np.uint8), matrix, SIZE).astype(np.float32) / 255.0
        return (picture * (1 - share) + drawn * share).astype(np.uint8)

    def sample(self, random):
        """A picture and its plates."""
        ground = np.full(SIZE[::-1], random.integers(0, 256), np.uint8)
        plates = []
        width = np.exp(random.uniform(np.log(16), np.log(240)))
        if width < 75 and random.random() < 0.8:  # a small photo leaves room: another one behind it
            ground, plates = self.view(random, ground, plates, np.exp(random.uniform(np.log(60), np.log(150))))
        picture, plates = self.view(random, ground, plates, width)
        if random.random() < 0.3:
            written(picture, plates, random)
        return training.augmented(picture, random), plates


def written(picture, plates, random):
    """Writes words beside the plates, as on shops and vehicles: they are no plates."""
    for _ in range(random.integers(1, 4)):
        letters = "ABCDEFGHIKLMNOPRSTUVW" if random.random() < 0.5 else "abcdefghiklmnoprstuvw"
        words = "".join(letters[i] for i in random.integers(0, len(letters), random.integers(3, 14)))
        size = random.uniform(0.3, 1.3)
        (w, h), _ = cv2.getTextSize(words, int(random.integers(0, 5)), size, 2)
        x, y = int(random.uniform(-0.2, 0.9) * SIZE[0]), int(random.uniform(0.05, 1) * SIZE[1])
        box = bounds(np.array([[x, y - h], [x + w, y]], float))
        if all(overlap(box, bounds(corners)) == 0 for corners, _, _ in plates):
            cv2.putText(picture, words, (x, y), int(random.integers(0, 5)), size, int(random.integers(0, 256)), int(random.integers(1, 4)), cv2.LINE_AA)


def covered(area, corners):
    """Whether another photo lies on the plate, or on part of it."""
    shape = np.zeros(area.shape, np.uint8)
    cv2.fillConvexPoly(shape, corners.astype(np.int32), 255)
    return cv2.countNonZero(cv2.bitwise_and(shape, area)) > 0.1 * max(1, cv2.countNonZero(shape))


def targets(plates):
    """The map of middles, the corners seen from each cell, how much each cell's corners count, and where only their box does."""
    rows, columns = SIZE[1] // STRIDE, SIZE[0] // STRIDE
    heat = np.zeros((rows, columns), np.float32)
    corners = np.zeros((8, rows, columns), np.float32)
    weights = np.zeros((8, rows, columns), np.float32)
    boxed = np.zeros((1, rows, columns), np.float32)
    ys, xs = np.mgrid[0:rows, 0:columns].astype(np.float32)
    for plate, whole, exact in sorted(plates, key=lambda p: -cv2.contourArea(p[0].astype(np.float32))):
        inside = ((plate > -2) & (plate < np.array(SIZE) + 2)).all(1)
        middle = plate.mean(0) / STRIDE - 0.5
        across, down = np.ptp(plate[:, 0]) / STRIDE, np.ptp(plate[:, 1]) / STRIDE
        cell = np.round(middle).astype(int)
        if not (0 <= cell[0] < columns and 0 <= cell[1] < rows):
            continue
        spread = np.maximum(np.array([across, down]) * 0.14, 0.45)
        hill = np.exp(-((xs - middle[0]) ** 2 / spread[0] ** 2 + (ys - middle[1]) ** 2 / spread[1] ** 2) / 2)
        if not whole or inside.sum() < 4 or across * STRIDE < 13:  # hidden, cut off or too small: neither a plate nor none
            heat = np.where((hill > 0.1) & (heat <= 0), -1.0, heat).astype(np.float32)
            continue
        hill[cell[1], cell[0]] = 1.0
        near = hill > 0.35
        heat = np.where(hill > 0.02, np.maximum(heat, hill), heat)
        seen = (plate / STRIDE - 0.5).reshape(8)
        places = np.stack([xs, ys] * 4)
        corners = np.where(near, (seen[:, None, None] - places) / SPREAD, corners).astype(np.float32)
        weight = np.array([1 / across, 1 / down] * 4)[:, None, None] * SPREAD
        weights = np.where(near, weight * hill, weights).astype(np.float32)
        boxed = np.where(near, float(not exact), boxed).astype(np.float32)
    return heat, corners, weights, boxed


def loss_of(net, batch, device, teacher=None):
    pictures = torch.from_numpy(np.stack([b[0] for b in batch]))[:, None].to(device).float() / 255.0
    pictures = pictures.contiguous(memory_format=torch.channels_last)
    heat, corners, weights, boxed = (torch.from_numpy(np.stack(m)).to(device) for m in zip(*(b[1] for b in batch)))
    out = net(pictures).float()
    score, seen = out[:, 0], out[:, 1:]
    shown, counts = (heat == 1).float(), (heat >= 0).float()
    p = score.sigmoid()
    found = F.softplus(-score) * (1 - p) ** 2 * shown
    wrong = F.softplus(score) * p**2 * (1 - heat.clamp(min=0)) ** 4 * (1 - shown) * counts
    plates = shown.sum().clamp(min=1)
    place = (away(seen, corners) * weights * (1 - boxed)).sum()
    place = place + 2 * (outside(sides(seen), sides(corners)) * weights[:, :4] * boxed).sum()
    cells = weights.count_nonzero().clamp(min=1)
    loss = (found.sum() + wrong.sum()) / plates + 2.0 * place / cells
    if teacher is None:
        return loss
    said = teacher(pictures).float()
    told = said[:, 0].sigmoid()
    unlike = F.binary_cross_entropy_with_logits(score, told, reduction="none") * (told - p).abs().detach()
    # Of real plates the teacher knows the corners, where a label has but the box.
    elsewhere = away(seen, said[:, 1:]) * weights * (told > 0.1)[:, None]
    return OWN * loss + TOLD * (unlike.sum() / plates + elsewhere.sum() / cells)


def away(seen, corners):
    """How far corners are from where they should be, each coordinate."""
    return F.smooth_l1_loss(seen, corners, beta=0.02, reduction="none")


def sides(corners):
    """Left, upper, right and lower side of the box around corners: n x 8 x h x w to n x 4 x h x w."""
    x, y = corners[:, 0::2], corners[:, 1::2]
    return torch.stack([x.amin(1), y.amin(1), x.amax(1), y.amax(1)], 1)


def outside(seen, labelled):
    """How far each side lies beyond the labelled one, or deeper inside than labels are loose."""
    inward = (seen - labelled) * torch.tensor([1.0, 1.0, -1.0, -1.0], device=seen.device)[:, None, None]
    size = (labelled[:, 2:] - labelled[:, :2]).repeat(1, 2, 1, 1)
    return F.relu(-inward) + F.relu(inward - LOOSE * size)


def quads(out, least, stride=STRIDE):
    """Plates in one picture's maps: (score, corners), best first, no two on one place."""
    score = 1 / (1 + np.exp(-out[0]))
    peak = (score >= cv2.dilate(score, np.ones((3, 3)))) & (score > least)
    found = []
    for y, x in np.argwhere(peak):
        corners = (out[1:, y, x].reshape(4, 2) * SPREAD + [x, y] + 0.5) * stride
        found.append((float(score[y, x]), corners))
    found.sort(key=lambda f: -f[0])
    kept = []
    for one in found:
        if all(overlap(bounds(one[1]), bounds(k[1])) < 0.3 for k in kept):
            kept.append(one)
    return kept


def bounds(corners):
    low, high = corners.min(0), corners.max(0)
    return [low[0], low[1], high[0] - low[0], high[1] - low[1]]


def overlap(a, b):
    """Intersection over union of two boxes x, y, w, h."""
    w = min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0])
    h = min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1])
    shared = max(w, 0) * max(h, 0)
    return shared / max(a[2] * a[3] + b[2] * b[3] - shared, 1e-9)


def fitted(picture, longest=480):
    """The picture as the detector takes it: longest side so long, each a multiple of 32; and the factors."""
    scale = longest / max(picture.shape)
    size = [max(32, int(round(side * scale / 32)) * 32) for side in picture.shape]
    factors = [size[1] / picture.shape[1], size[0] / picture.shape[0]]
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    return cv2.resize(picture, (size[1], size[0]), interpolation=how), factors


def scored(net, device, pictures, labels):
    """Shares of labelled plates found at 0.3 and overlap 0.5 and 0.7, and findings elsewhere a picture."""
    half = tight = elsewhere = plates = 0
    for jpeg, label in zip(pictures, labels):
        picture, (fx, fy) = fitted(data.decoded(jpeg))
        with torch.no_grad():
            out = net(torch.from_numpy(picture)[None, None].to(device).float() / 255.0)[0].cpu().numpy()
        seen = [bounds(corners) for _, corners in quads(out, 0.3)]
        boxes = [[b[0] * fx, b[1] * fy, b[2] * fx, b[3] * fy] for b in label["boxes"]]
        best = [max((overlap(b, s) for s in seen), default=0) for b in boxes]
        half, tight, plates = half + sum(o >= 0.5 for o in best), tight + sum(o >= 0.7 for o in best), plates + len(best)
        elsewhere += sum(max((overlap(b, s) for b in boxes), default=0) < 0.3 for s in seen)
    return half / max(plates, 1), tight / max(plates, 1), elsewhere / max(len(labels), 1)


def export(net, path):
    """Writes the network; pictures of any size in multiples of 32."""
    axes = {"pictures": {0: "n", 2: "height", 3: "width"}, "maps": {0: "n", 2: "rows", 3: "columns"}}
    torch.onnx.export(
        net.cpu().eval(), torch.zeros(1, 1, SIZE[1], SIZE[0]), str(path), opset_version=12, dynamo=False,
        input_names=["pictures"], output_names=["maps"], dynamic_axes=axes,
    )
    onnx.checker.check_model(onnx.load(path))


def main():
    parser = training.arguments(__doc__, steps=6000, batch=12, rate=2e-3, seed=SEED)
    parser.add_argument("--wide", action="store_true", help="train a wide network, to teach another")
    parser.add_argument("--teacher", type=pathlib.Path, metavar="PT", help="the checkpoint of a wide network to learn from")
    options = parser.parse_args()
    torch.manual_seed(options.seed)
    torch.set_num_threads(options.threads)
    pictures, labels = data.load(options.packs / "photos.npz")
    known = [i for i, label in enumerate(labels) if not label["held"]]
    held = [i for i, label in enumerate(labels) if label["held"]][:120]
    scenes = Scenes([pictures[i] for i in known], [labels[i] for i in known], data.load(options.packs / "drawn.npz"))

    def inputs():
        random = np.random.default_rng(SEED)
        return [torch.from_numpy(np.stack([scenes.sample(random)[0] for _ in range(12)]))[:, None].float() / 255 for _ in range(8)]

    trainer = training.Trainer(Detector(options.wide), options, inputs)

    def make(random):
        picture, plates = scenes.sample(random)
        return picture, targets(plates)

    def report():
        net = trainer.averaged(Detector(options.wide))
        half, tight, elsewhere = scored(net, trainer.device, [pictures[i] for i in held], [labels[i] for i in held])
        return f"held out: found {half:.3f}, closely {tight:.3f}, elsewhere {elsewhere:.3f} a picture"

    if not options.export_only:
        teacher = training.teacher(Detector(wide=True), options.teacher, trainer.device) if options.teacher else None
        loss = functools.partial(loss_of, teacher=teacher)
        trainer.run(training.batches(make, options, options.seed + trainer.step), loss, report)
    export(trainer.averaged(Detector(options.wide)), options.out)


if __name__ == "__main__":
    main()
