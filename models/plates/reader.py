"""Trains the plate reader and writes it as ONNX.

    python reader.py --wide --packs PACKS --out A.onnx
    python reader.py --packs PACKS --out ../plate-reader.onnx --teachers A.pt B.pt …

A rectified plate of 160 x 48 grey pixels to the scores of no character, 0-9 and A-Z in 40 columns, of a plate's upper line and of
its lower one, which stays empty on a plate of one line. Drawn plates say which column shows what;
real ones only what they say, so they are learned with CTC. Wide networks, too slow to be shipped, learn alone; each is wrong about
other plates, and the one that is shipped learns from the mean of what they say, too (Hinton, Vinyals and Dean, Distilling the knowledge in
a neural network, 2015).
"""

import functools
import json
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
import mixed
import training

SEED = 11
SIZE = (160, 48)  # of a rectified plate
INNER = (14, 7, 146, 41)  # where the plate itself lies in it
COLUMNS = 40  # of each line
ALPHABET = draw.FIGURES + draw.LETTERS
REAL, MIXED, EMPTY = 0.18, 0.2, 0.06  # shares of a batch: real plates, their glyphs put together anew, no plate
NEGATIVE = 0.4  # how many of them are shown with light and dark exchanged: every country has plates of either kind
CUT = 0.2  # how many of them come as pictures that somebody cut to the plate
OWN, TOLD = 0.3, 2.0  # beside teachers: what the columns' own classes weigh, and what the teachers say


def block(inputs, outputs, kernel=3, stride=1, padding=None):
    """Convolution, normalisation, ReLU."""
    padding = padding if padding is not None else (kernel // 2 if isinstance(kernel, int) else tuple(k // 2 for k in kernel))
    conv = nn.Conv2d(inputs, outputs, kernel, stride, padding, bias=False)
    return nn.Sequential(conv, nn.BatchNorm2d(outputs), nn.ReLU(inplace=True))


class Residual(nn.Module):
    """What two convolutions add to what comes in: nothing, to begin with."""

    def __init__(self, channels, kernel=3):
        super().__init__()
        self.first = block(channels, channels, kernel)
        self.second = block(channels, channels, kernel)[:2]
        nn.init.zeros_(self.second[1].weight)

    def forward(self, x):
        return F.relu(x + self.second(self.first(x)))


def narrow_layers():
    return [
        block(1, 16, 3, 2),
        block(16, 24),
        block(24, 40, 3, (2, 1)),
        block(40, 40),
        block(40, 64, 3, 2),
        block(64, 64),
        block(64, 64),
        Residual(64),
        Residual(64),
        nn.Dropout2d(0.05),
        block(64, 192, (6, 5), 1, (0, 2)),
        block(192, 128, (1, 5)),
        Residual(128, (1, 5)),
        nn.Dropout2d(0.1),
    ]


def wide_layers():
    return [
        block(1, 32, 5, 2),
        block(32, 96, 3, 2),
        Residual(96),
        block(96, 128, 3, (2, 1)),
        Residual(128),
        Residual(128),
        nn.Dropout2d(0.05),
        block(128, 192, (6, 5), 1, (0, 2)),
        Residual(192, (1, 5)),
        Residual(192, (1, 5)),
        nn.Dropout2d(0.1),
    ]


class Reader(nn.Module):
    """Plates of mean 0 and spread 1 to scores, n x 74 x 1 x 40: 37 classes of the upper line, then 37 of the lower one."""

    def __init__(self, wide=False):
        """One that is shipped (114 million multiplications a plate), or a `wide` one (300 million)."""
        super().__init__()
        layers = wide_layers() if wide else narrow_layers()
        self.body = nn.Sequential(*layers)
        self.out = nn.Conv2d(192 if wide else 128, 2 * (len(ALPHABET) + 1), 1)

    def forward(self, plates):
        return self.out(self.body(plates))


def joined(scores):
    """Scores with the columns of the lower line behind those of the upper one: n x 37 x 80."""
    upper, lower = scores.squeeze(2).chunk(2, 1)
    return torch.cat([upper, lower], 2)


def rectified(picture, corners):
    """The plate with these corners, laid where INNER says, and the way there from the picture."""
    return geometry.laid(picture, corners, INNER, SIZE)


def shaken(corners, random):
    """Corners as a detector may find them: turned, sheared, moved, too wide or too narrow."""
    across, down = corners[1] - corners[0], corners[3] - corners[0]
    middle = corners.mean(0)
    much = 2.0 if random.random() < 0.2 else 1.0
    w, h = random.normal(1.03, 0.06 * much), random.normal(1.05, 0.1 * much)
    turn, shear = random.normal(0, 0.05 * much), random.normal(0, 0.12 * much)
    unit = np.array([[-0.5, -0.5], [0.5, -0.5], [0.5, 0.5], [-0.5, 0.5]]) * [w, h]
    aspect = max(0.2, np.linalg.norm(down)) / max(0.2, np.linalg.norm(across))
    unit = unit + np.stack([unit[:, 1] * shear * aspect, unit[:, 0] * turn / max(aspect, 0.2)], 1)
    unit += random.normal(0, [0.025, 0.05]) * much + random.normal(0, [0.014, 0.03], (4, 2)) * much
    return (middle + unit[:, :1] * across + unit[:, 1:] * down).astype(np.float32)


def seen(picture, corners, random):
    """The plate as it comes to be read, and the way there from the picture: where a detector found its corners, or as a picture
    that was cut to its edges."""
    if random.random() >= CUT:
        return rectified(picture, shaken(corners, random))
    (left, top), (right, bottom) = corners.min(0), corners.max(0)
    beside, above = (right - left) * random.normal(0.01, 0.025, 2), (bottom - top) * random.normal(0.03, 0.06, 2)
    left, right = int(max(0, left - beside[0])), int(min(picture.shape[1], np.ceil(right + beside[1])))
    top, bottom = int(max(0, top - above[0])), int(min(picture.shape[0], np.ceil(bottom + above[1])))
    if right - left < 8 or bottom - top < 4:
        return rectified(picture, corners)
    whole = geometry.box_corners((0, 0, right - left, bottom - top))
    if random.random() < 0.5:  # read again, laid elsewhere
        whole = shaken(whole, random)
    plate, matrix = rectified(picture[top:bottom, left:right], whole)
    return plate, matrix @ np.array([[1, 0, -left], [0, 1, -top], [0, 0, 1]], float)


def crops(packs):
    """The transcribed plates as JPEGs, each with its label, which has the corners that quads.py found, or else the box's."""
    pictures, labels = data.load(packs / "crops.npz")
    for label, corners in zip(labels, json.loads((packs / "quads.json").read_text())):
        label["corners"] = np.array(corners if corners else geometry.box_corners(label["box"]), np.float32)
    return list(zip(pictures, labels))


class Plates:
    """Drawn plates, real plates, and pieces of photos that show none."""

    def __init__(self, packs):
        self.drawn, self.drawn_labels = data.load(packs / "drawn.npz")
        known = crops(packs)
        self.real = [(c, label) for c, label in known if not label["held"]]
        self.held = [(c, label) for c, label in known if label["held"]]
        self.mixed = mixed.Mixed(packs / "places.json", known)
        photos, boxes = data.load(packs / "photos.npz")
        self.photos = [(p, b["boxes"]) for p, b in zip(photos, boxes) if not b["held"]]
        weights = np.array([1.6 if label["lines"] == 2 else 1.0 for _, label in self.real])
        self.chances = np.cumsum(weights / weights.sum())

    def sample(self, random):
        """A plate, its text (None if the columns are known), how many lines, the columns' classes (-1: not known)."""
        kind = random.random()
        if kind < REAL:
            jpeg, label = self.real[min(int(np.searchsorted(self.chances, random.random())), len(self.real) - 1)]
            plate, _ = seen(data.decoded(jpeg), label["corners"], random)
            return self.shown(plate, random), label["text"], label["lines"], np.full((2, COLUMNS), -1, np.int64)
        if kind < REAL + EMPTY:
            return self.shown(self.nothing(random), random), None, 1, np.zeros((2, COLUMNS), np.int64)
        if kind < REAL + EMPTY + MIXED and self.mixed.plates:
            picture, label = self.mixed.plate(random)
        else:
            index = random.integers(len(self.drawn))
            picture, label = data.decoded(self.drawn[index]), self.drawn_labels[index]
        left, top, right, bottom = draw.PLATE
        plate, matrix = seen(picture, geometry.box_corners((left, top, right - left, bottom - top)), random)
        return self.shown(plate, random), None, label["lines"], columns(label, matrix, plate)

    def shown(self, plate, random):
        """The plate, or its negative, as a camera shows it."""
        return damaged(255 - plate if random.random() < NEGATIVE else plate, random)

    def inputs(self, random, batches):
        """Batches of plates as the network takes them."""
        pick = lambda: torch.from_numpy(np.stack([self.sample(random)[0] for _ in range(64)]))
        return [normalised(pick()) for _ in range(batches)]

    def nothing(self, random):
        """A piece of a photo beside its plates."""
        while True:
            jpeg, boxes = self.photos[random.integers(len(self.photos))]
            photo = data.decoded(jpeg)
            w = random.uniform(0.08, 0.5) * photo.shape[1]
            h = w / random.uniform(1.3, 5)
            x, y = random.uniform(0, photo.shape[1] - w), random.uniform(0, max(1, photo.shape[0] - h))
            if all(x + w * 0.8 < b[0] or x > b[0] + b[2] or y + h * 0.8 < b[1] or y > b[1] + b[3] for b in boxes):
                return seen(photo, geometry.box_corners((x, y, w, h)), random)[0]


def columns(label, matrix, plate):
    """The class that each column shows, from where the characters stand in the drawn picture."""
    classes = np.zeros((2, COLUMNS), np.int64)
    step = SIZE[0] / COLUMNS
    centres = np.arange(COLUMNS) * step + step / 2 - 0.5
    top, bottom = draw.PLATE[1], draw.PLATE[3]
    for character, line, x, width in label["places"]:
        y = (top + bottom) / 2 if label["lines"] == 1 else top + (bottom - top) * (0.28 + 0.44 * line)
        points = np.array([[[x - width / 2, y], [x + width / 2, y]]], np.float64)
        (a, _), (b, _) = cv2.perspectiveTransform(points, matrix)[0]
        middle, half = (a + b) / 2, max(0.51 * step, 0.28 * (b - a))
        if 0 <= middle < SIZE[0]:
            classes[line, np.abs(centres - middle) <= half] = ALPHABET.index(character) + 1
    return classes


def damaged(plate, random):
    """The plate as if seen from further away, and by another camera."""
    if random.random() < 0.5:
        coarse = random.uniform(0.35, 1.0)
        size = (max(36, int(SIZE[0] * coarse)), max(14, int(SIZE[1] * min(1.0, coarse * random.uniform(0.9, 1.6)))))
        plate = cv2.resize(plate, size, interpolation=cv2.INTER_AREA)
        plate = training.augmented(plate, random, 0.7)
        return cv2.resize(plate, SIZE, interpolation=random.choice([cv2.INTER_LINEAR, cv2.INTER_CUBIC]))
    return training.augmented(plate, random)


def normalised(plates):
    """As lib/detect/plates does it: mean 0, spread 1."""
    plates = plates.float()
    mean = plates.mean((1, 2), keepdim=True)
    return ((plates - mean) / (plates.std((1, 2), unbiased=False, keepdim=True) + 2.0))[:, None]


def told(teachers, plates):
    """The mean of the probabilities that teachers give."""
    return sum(joined(net(plates).float()).softmax(1) for net in teachers) / len(teachers)


def loss_of(net, batch, device, teachers=()):
    plates = torch.from_numpy(np.stack([b[0] for b in batch])).to(device)
    plates = normalised(plates).contiguous(memory_format=torch.channels_last)
    classes = torch.from_numpy(np.stack([b[3] for b in batch])).to(device)
    order = [i for i, b in enumerate(batch) if b[1] is not None]
    scores = joined(net(plates).float()).log_softmax(1)
    known = classes[:, 0, 0] >= 0
    loss = F.nll_loss(scores[known], classes[known].flatten(1)) if known.any() else 0.0
    if teachers:
        loss = OWN * loss - TOLD * (told(teachers, plates) * scores).sum(1).mean()
    for lines in (1, 2):
        chosen = [i for i in order if batch[i][2] == lines]
        if not chosen:
            continue
        read = scores[chosen] if lines == 2 else scores[chosen][:, :, :COLUMNS]
        texts = [[ALPHABET.index(c) + 1 for c in batch[i][1]] for i in chosen]
        lengths = torch.tensor([len(t) for t in texts])
        steps = torch.full((len(chosen),), read.shape[2])
        ctc = F.ctc_loss(read.permute(2, 0, 1), torch.tensor(sum(texts, [])), steps, lengths, reduction="none", zero_infinity=True)
        loss = loss + 0.12 * (ctc.to(device) / lengths.to(device)).sum() / len(batch) * 4
        if lines == 1:
            loss = loss - 0.3 * scores[chosen][:, 0, COLUMNS:].mean() * len(chosen) / len(batch)
    return loss


def decoded(scores):
    """The texts read: in each line repeats merged and empty columns dropped, the upper line first."""
    texts = []
    for row in scores.argmax(1).tolist():
        text = ""
        for line in (row[:COLUMNS], row[COLUMNS:]):
            text += "".join(ALPHABET[c - 1] for c, before in zip(line, [0] + line) if c and c != before)
        texts.append(text)
    return texts


def folded(text):
    """O, 0 and Q not told apart, nor I and 1."""
    return text.translate(str.maketrans("OQI", "001"))


def export(net, path):
    torch.onnx.export(
        net.cpu().eval(), torch.zeros(1, 1, SIZE[1], SIZE[0]), str(path), opset_version=12, dynamo=False,
        input_names=["plates"], output_names=["scores"], dynamic_axes={"plates": {0: "n"}, "scores": {0: "n"}},
    )
    onnx.checker.check_model(onnx.load(path))


def main():
    parser = training.arguments(__doc__, steps=5000, batch=64, rate=2e-3, seed=SEED)
    parser.add_argument("--wide", action="store_true", help="train a wide network, to teach another")
    parser.add_argument("--teachers", type=pathlib.Path, nargs="+", default=[], metavar="PT", help="checkpoints of wide networks to learn from")
    options = parser.parse_args()
    torch.manual_seed(options.seed)
    torch.set_num_threads(options.threads)
    plates = Plates(options.packs)
    held = [rectified(data.decoded(c), label["corners"])[0] for c, label in plates.held]
    truth = [label["text"] for _, label in plates.held]
    trainer = training.Trainer(Reader(options.wide), options, lambda: plates.inputs(np.random.default_rng(SEED), 16))

    def report():
        net = trainer.averaged(Reader(options.wide))
        with torch.no_grad():
            parts = torch.from_numpy(np.stack(held)).to(trainer.device).split(64)
            read = sum((decoded(joined(net(normalised(part))).cpu()) for part in parts), [])
        strictly = sum(a == b for a, b in zip(read, truth)) / max(1, len(truth))
        loosely = sum(folded(a) == folded(b) for a, b in zip(read, truth)) / max(1, len(truth))
        return f"held out: exact {strictly:.3f}, O0Q and I1 not told apart {loosely:.3f}"

    if not options.export_only:
        loss = functools.partial(loss_of, teachers=[training.teacher(Reader(wide=True), path, trainer.device) for path in options.teachers])
        trainer.run(training.batches(plates.sample, options, options.seed + trainer.step), loss, report)
    export(trainer.averaged(Reader(options.wide)), options.out)


if __name__ == "__main__":
    main()
