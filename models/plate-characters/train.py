"""Trains the plate reader and writes it as ONNX.

    pip install -r requirements.txt
    python train.py --data DATA --out ../plate-characters.onnx

DATA holds openlpr/images and openlpr/plates.csv (file,plate_text,x,y,w,h,lines,legible). The strips are cut by the
reader's own code (cargo run --example plate_strips), so that the network learns on what it will see. Fonts: README.md.
"""

import argparse
import collections
import csv
import io
import json
import multiprocessing
import pathlib
import subprocess
import zlib

import numpy as np
import onnx
import torch
from torch import nn
from torch.nn import functional as F

import render
from render import ALPHABET, COLUMNS, HEIGHT, WIDTH

SEED = 7


class Reader(nn.Module):
    """A strip to the scores of 37 classes (0 = no character here) in each of 80 columns."""

    def __init__(self):
        super().__init__()

        def stage(inputs, outputs, kernel, stride, padding):
            return [
                nn.Conv2d(inputs, outputs, kernel, stride, padding, bias=False),
                nn.BatchNorm2d(outputs),
                nn.ReLU(inplace=True),
            ]

        self.layers = nn.Sequential(
            *stage(1, 16, 3, 2, 1),
            *stage(16, 32, 3, 1, 1),
            *stage(32, 48, 3, (2, 1), 1),
            *stage(48, 48, 3, 1, 1),
            *stage(48, 64, 3, (2, 1), 1),
            *stage(64, 96, (3, 5), 1, (0, 2)),
            nn.Dropout2d(0.1),
            *stage(96, 64, (1, 5), 1, (0, 2)),
            nn.Conv2d(64, len(ALPHABET) + 1, 1),
        )

    def forward(self, strips):
        return self.layers(strips).squeeze(2)


def cut_strips(images, cache):
    """The strips of a folder of pictures, and where each lies."""
    if not cache.with_suffix(".jsonl").exists():
        command = ["cargo", "run", "-q", "-p", "park-detect", "--example", "plate_strips", "--", images, cache]
        subprocess.run(command, check=True)
    strips = np.fromfile(cache.with_suffix(".bin"), np.uint8).reshape(-1, HEIGHT, WIDTH)
    places = [json.loads(line) for line in cache.with_suffix(".jsonl").read_text().splitlines()]
    return strips, places


def real(data, cache):
    """Strips on labelled plates with their text, strips elsewhere, and which of the former are held back."""
    strips, places = cut_strips(data / "openlpr" / "images", cache)
    labels = collections.defaultdict(list)
    for row in csv.DictReader(io.open(data / "openlpr" / "plates.csv")):
        labels[row["file"].split("/")[-1]].append(row)
    texts, on, elsewhere = [], [], []
    for index, place in enumerate(places):
        kind = [relation(place, row) for row in labels[place["file"]]]
        if all(k is None for k in kind):
            elsewhere.append(index)
        for k in kind:
            if k:
                on.append(index)
                texts.append(k)
    held = np.array([zlib.crc32(places[i]["file"].encode()) % 8 == 0 for i in on])
    clean = [i for i in elsewhere if zlib.crc32(places[i]["file"].encode()) % 8]
    return strips[on], texts, held, strips[clean]


def relation(place, row):
    """The text of a labelled plate that a strip lies on, None if it lies elsewhere, "" if it must not be used."""
    x, y, w, h = (float(row[k]) for k in "xywh")
    (lx, ly), (rx, ry) = place["left"], place["end"]
    cx, cy = (lx + rx) / 2, (ly + ry) / 2
    if not (x - w / 2 < cx < x + 1.5 * w and y - h / 2 < cy < y + 1.5 * h):
        return None
    whole = abs(rx - lx) > 0.45 * w and 0.3 * h < place["height"] < h and x < cx < x + w and y < cy < y + h
    step = place["right"][0]
    shown = [(edge - place["origin"][0]) / step for edge in (x, x + w)]
    certain = row["legible"] == "1" and row["lines"] == "1" and row["plate_text"]
    if whole and certain and shown[0] > -12 and shown[1] < WIDTH + 12:
        return row["plate_text"]
    return ""


def rendered(arguments):
    """A batch of rendered strips with their columns' classes, reproducible by its seed."""
    seed, count = arguments
    random = np.random.default_rng(seed)
    drawn = [render.sample(BANK, random) for _ in range(count)]
    return np.stack([d[0] for d in drawn]), np.stack([d[2] for d in drawn])


def normalised(strips):
    """As lib/detect/plates/strip.rs does it: mean 0, spread 1."""
    strips = strips.float()
    mean = strips.mean((1, 2), keepdim=True)
    return ((strips - mean) / (strips.std((1, 2), unbiased=False, keepdim=True) + 2.0))[:, None]


def shaken(strips, generator):
    """Real strips moved, turned, stretched and made noisier, so that few of them teach more."""
    n = len(strips)
    draw = lambda spread: torch.randn(n, generator=generator) * spread
    theta = torch.zeros(n, 2, 3)
    theta[:, 0, 0], theta[:, 1, 1] = 1 + draw(0.06), 1 + draw(0.06)
    theta[:, 0, 1], theta[:, 1, 0] = draw(0.015), draw(0.06)
    theta[:, 0, 2], theta[:, 1, 2] = draw(0.08), draw(0.05)
    grid = F.affine_grid(theta, (n, 1, HEIGHT, WIDTH), align_corners=False)
    moved = F.grid_sample(strips[:, None].float(), grid, padding_mode="border", align_corners=False)
    blurred = F.avg_pool2d(moved, 3, 1, 1, count_include_pad=False)
    share = torch.rand(n, 1, 1, 1, generator=generator) ** 2
    moved = moved * (1 - share) + blurred * share
    spread = moved.std((1, 2, 3), keepdim=True) * 0.15 * torch.rand(n, 1, 1, 1, generator=generator)
    return (moved + torch.randn(moved.shape, generator=generator) * spread)[:, 0]


def encoded(texts):
    """Texts as the class numbers and lengths that CTC takes."""
    classes = [[ALPHABET.index(c) + 1 for c in text] for text in texts]
    return torch.tensor(sum(classes, [])), torch.tensor([len(c) for c in classes])


def decoded(scores):
    """The text read along the columns: repeats merged, empty columns dropped."""
    best = scores.argmax(1).tolist()
    return ["".join(ALPHABET[c - 1] for c, p in zip(row, [0] + row) if c and c != p) for row in best]


def exact(reader, strips, texts):
    """Share of strips read exactly, O and 0, Q, and I and 1 not told apart."""
    fold = str.maketrans("OQI", "001")
    reader.eval()
    with torch.no_grad():
        read = decoded(reader(normalised(strips)))
    reader.train()
    return sum(a.translate(fold) == b.translate(fold) for a, b in zip(read, texts)) / max(1, len(texts))


def plain_background(reader, strips):
    """Strips elsewhere than on a label that do not show a plate that nobody labelled."""
    reader.eval()
    with torch.no_grad():
        read = sum((decoded(reader(normalised(part))) for part in strips.split(512)), [])
    reader.train()
    return strips[torch.tensor([len(text) < 4 for text in read])]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=pathlib.Path, required=True)
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument("--cache", type=pathlib.Path, default=pathlib.Path("openlpr-strips"))
    parser.add_argument("--rendered", type=int, default=48_000, help="strips to render")
    parser.add_argument("--steps", type=int, default=2600)
    parser.add_argument("--workers", type=int, default=2)
    arguments = parser.parse_args()
    torch.manual_seed(SEED)
    torch.set_num_threads(arguments.workers)
    generator = torch.Generator().manual_seed(SEED)

    strips, texts, held, elsewhere = real(arguments.data, arguments.cache)
    global BANK
    BANK = render.bank()
    with multiprocessing.get_context("fork").Pool(arguments.workers) as pool:
        parts = pool.map(rendered, [(SEED + i, 500) for i in range(arguments.rendered // 500)])
    drawn = torch.from_numpy(np.concatenate([p[0] for p in parts]))
    columns = torch.from_numpy(np.concatenate([p[1] for p in parts])).long()
    known, unknown = torch.from_numpy(strips[~held]), torch.from_numpy(strips[held])
    known_texts = [t for t, h in zip(texts, held) if not h]
    unknown_texts = [t for t, h in zip(texts, held) if h]
    elsewhere = torch.from_numpy(elsewhere)
    print(f"{len(drawn)} rendered, {len(known)} real ({len(unknown)} held back), {len(elsewhere)} without a plate", flush=True)

    reader = Reader()
    optimiser = torch.optim.AdamW(reader.parameters(), 3e-3, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 4e-3, arguments.steps, pct_start=0.15)
    pick = lambda n, count: torch.randint(n, (count,), generator=generator)
    for step in range(arguments.steps):
        if step == arguments.steps // 3:
            elsewhere = plain_background(reader, elsewhere)
        a, b, c = pick(len(drawn), 64), pick(len(known), 32), pick(len(elsewhere), 12)
        inputs = torch.cat([drawn[a].float(), shaken(known[b], generator), shaken(elsewhere[c], generator)])
        scores = reader(normalised(inputs)).log_softmax(1)
        classes, lengths = encoded([known_texts[i] for i in b.tolist()])
        read = scores[64:96].permute(2, 0, 1)
        loss = F.nll_loss(scores[:64], columns[a]) - 0.15 * scores[96:, 0].mean()
        loss = loss + 0.1 * F.ctc_loss(read, classes, torch.full((32,), COLUMNS), lengths, zero_infinity=True)
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(reader.parameters(), 5.0)
        optimiser.step()
        schedule.step()
        if step % 100 == 99:
            print(f"{step + 1} loss {loss.item():.3f} held back {exact(reader, unknown, unknown_texts):.3f}", flush=True)

    reader.eval()
    torch.onnx.export(
        reader, torch.zeros(1, 1, HEIGHT, WIDTH), str(arguments.out), opset_version=12, dynamo=False,
        input_names=["strips"], output_names=["scores"], dynamic_axes={"strips": {0: "n"}, "scores": {0: "n"}},
    )
    onnx.checker.check_model(onnx.load(arguments.out))


if __name__ == "__main__":
    main()
