"""Trains the plate detector and writes it as ONNX.

    python detector.py --packs PACKS --out ../plate-detector.onnx

One class, no anchors, four corners as key points: for every cell of 8 x 8 pixels the score of a plate's middle lying
there, and where the plate's corners are. Boxes of real photos, turned, sheared and put in perspective, give corners too.
"""

import cv2
import numpy as np
import onnx
import torch
from torch import nn
from torch.nn import functional as F

import data
import training

SEED = 5
SIZE = (384, 320)  # of a training picture, across and down
STRIDE = 8
SPREAD = 4.0  # corners are given in this many cells


def block(inputs, outputs, stride=1, kernel=3):
    """Convolution, normalisation, ReLU."""
    conv = nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False)
    return nn.Sequential(conv, nn.BatchNorm2d(outputs), nn.ReLU(inplace=True))


class Detector(nn.Module):
    """Grey pictures (any multiple of 32 across and down, 0 to 1) to nine maps at an eighth of the size."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Sequential(block(1, 16, 2), block(16, 24, 2), block(24, 24))
        self.eighth = nn.Sequential(block(24, 48, 2), block(48, 48), block(48, 48))
        self.sixteenth = nn.Sequential(block(48, 64, 2), block(64, 64), block(64, 64))
        self.thirty_second = nn.Sequential(block(64, 96, 2), block(96, 96), block(96, 96))
        self.down = block(96, 64, 1, 1)
        self.mix = block(64, 64)
        self.down_again = block(64, 48, 1, 1)
        self.mix_again = nn.Sequential(block(48, 48), block(48, 48))
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


def box_corners(box):
    x, y, w, h = box
    return np.array([[x, y], [x + w, y], [x + w, y + h], [x, y + h]], np.float32)


def warp(random, shape, corners, width):
    """A view that puts a plate of these corners somewhere in the picture, so many pixels wide."""
    middle = corners.mean(0)
    scale = width / max(np.linalg.norm(corners[1] - corners[0]), 1.0)
    angle, shear = np.radians(random.normal(0, 5)), random.normal(0, 0.08)
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
    tilt[2, :2] = random.normal(0, 0.12, 2) / SIZE
    centre = np.array([[1, 0, -target[0]], [0, 1, -target[1]], [0, 0, 1.0]])
    return np.linalg.inv(centre) @ tilt @ centre @ matrix


class Scenes:
    """Photos with their plates' corners, seen anew each time."""

    def __init__(self, pictures, labels):
        self.pictures, self.labels = pictures, labels

    def view(self, random, canvas, plates, width):
        """Draws a photo over the canvas, which may hide plates there; plates are corners and whether all of it shows."""
        index = random.integers(len(self.pictures))
        photo = data.decoded(self.pictures[index])
        boxes = [box_corners(b) for b in self.labels[index]["boxes"]]
        chosen = boxes[random.integers(len(boxes))]
        matrix = warp(random, photo.shape, chosen, width)
        if np.linalg.det(matrix[:2, :2]) < 0.36:  # shrunk a lot: average first, or strokes alias away
            factor = max(0.25, float(np.sqrt(np.linalg.det(matrix[:2, :2]))) * 1.4)
            height_width = photo.shape
            photo = cv2.resize(photo, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
            matrix = matrix @ np.diag([height_width[1] / photo.shape[1], height_width[0] / photo.shape[0], 1.0])
            boxes = [b * [photo.shape[1] / height_width[1], photo.shape[0] / height_width[0]] for b in boxes]
        drawn = cv2.warpPerspective(photo, matrix, SIZE, flags=cv2.INTER_LINEAR)
        area = cv2.warpPerspective(np.full(photo.shape, 255, np.uint8), matrix, SIZE, flags=cv2.INTER_NEAREST)
        canvas = np.where(area > 0, drawn, canvas)
        kept = [(corners, whole and not covered(area, corners)) for corners, whole in plates]
        moved = [(cv2.perspectiveTransform(b[None].astype(np.float64), matrix)[0], True) for b in boxes]
        return canvas, kept + moved

    def sample(self, random):
        """A picture and its plates."""
        ground = np.full(SIZE[::-1], random.integers(0, 256), np.uint8)
        plates = []
        width = np.exp(random.uniform(np.log(16), np.log(190)))
        if width < 75 and random.random() < 0.8:  # a small photo leaves room: another one behind it
            ground, plates = self.view(random, ground, plates, np.exp(random.uniform(np.log(60), np.log(150))))
        picture, plates = self.view(random, ground, plates, width)
        return training.augmented(picture, random), plates


def covered(area, corners):
    """Whether another photo lies on the plate, or on part of it."""
    shape = np.zeros(area.shape, np.uint8)
    cv2.fillConvexPoly(shape, corners.astype(np.int32), 255)
    return cv2.countNonZero(cv2.bitwise_and(shape, area)) > 0.1 * max(1, cv2.countNonZero(shape))


def targets(plates):
    """The map of middles, the corners seen from each cell, and how much each cell's corners count."""
    rows, columns = SIZE[1] // STRIDE, SIZE[0] // STRIDE
    heat = np.zeros((rows, columns), np.float32)
    corners = np.zeros((8, rows, columns), np.float32)
    weights = np.zeros((8, rows, columns), np.float32)
    ys, xs = np.mgrid[0:rows, 0:columns].astype(np.float32)
    for plate, whole in sorted(plates, key=lambda p: -cv2.contourArea(p[0].astype(np.float32))):
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
    return heat, corners, weights


def loss_of(net, batch, device):
    pictures = torch.from_numpy(np.stack([b[0] for b in batch]))[:, None].to(device).float() / 255.0
    heat, corners, weights = (torch.from_numpy(np.stack(m)).to(device) for m in zip(*(b[1] for b in batch)))
    out = net(pictures.contiguous(memory_format=torch.channels_last))
    score = out[:, 0].float()
    shown, counts = (heat == 1).float(), (heat >= 0).float()
    p = score.sigmoid()
    found = F.softplus(-score) * (1 - p) ** 2 * shown
    wrong = F.softplus(score) * p**2 * (1 - heat.clamp(min=0)) ** 4 * (1 - shown) * counts
    plates = shown.sum().clamp(min=1)
    place = (F.smooth_l1_loss(out[:, 1:].float(), corners, beta=0.02, reduction="none") * weights).sum()
    return (found.sum() + wrong.sum()) / plates + 2.0 * place / weights.count_nonzero().clamp(min=1) * 1.0


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
    parser = training.arguments(__doc__, steps=6000, batch=12, rate=2e-3)
    options = parser.parse_args()
    torch.manual_seed(SEED)
    torch.set_num_threads(options.threads)
    pictures, labels = data.load(options.packs / "photos.npz")
    known = [i for i, label in enumerate(labels) if not label["held"]]
    held = [i for i, label in enumerate(labels) if label["held"]][:120]
    scenes = Scenes([pictures[i] for i in known], [labels[i] for i in known])
    trainer = training.Trainer(Detector(), options)

    def make(random):
        picture, plates = scenes.sample(random)
        return picture, targets(plates)

    def report():
        net = trainer.averaged(Detector())
        half, tight, elsewhere = scored(net, trainer.device, [pictures[i] for i in held], [labels[i] for i in held])
        return f"held out: found {half:.3f}, closely {tight:.3f}, elsewhere {elsewhere:.3f} a picture"

    if not options.export_only:
        trainer.run(training.batches(make, options, SEED + trainer.step), loss_of, report)
    export(trainer.averaged(Detector()), options.out)


if __name__ == "__main__":
    main()
