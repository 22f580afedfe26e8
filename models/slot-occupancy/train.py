"""Trains the slot classifier and writes it as ONNX.

    pip install -r requirements.txt
    python train.py --data DATA --out ../slot-occupancy.onnx

DATA holds pklot/ (slots.csv beside its pictures). The lots are rendered by render.py; slots are cut out by the
detector's own code (cargo run --example slots), so that the network learns on what it will see. --hold DAY leaves
out that day of PKLot (its folder) and says how many of its slots are told right; --without-pklot leaves out all.
"""

import argparse
import csv
import pathlib
import subprocess
import sys

import numpy as np
import onnx
import torch
from torch import nn
from torch.nn import functional as F
from torch.optim import swa_utils

from render import OCCUPIED

SEED = 5
WIDTH, HEIGHT = 64, 32
DARK = 6.0  # added to every level, so that noise in the dark says little
BATCH = 160


class Judge(nn.Module):
    """Patches, as logarithms over the bare ground, to the logarithm of the odds that a vehicle stands there."""

    def __init__(self):
        super().__init__()

        def stage(inputs, outputs, stride):
            convolution = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
            return [convolution, nn.BatchNorm2d(outputs), nn.ReLU(inplace=True)]

        self.layers = nn.Sequential(
            *stage(3, 16, 2),
            *stage(16, 24, 2),
            *stage(24, 32, 1),
            *stage(32, 48, 2),
            nn.Dropout2d(0.2),
            nn.Conv2d(48, 24, (HEIGHT // 8, WIDTH // 8)),
            nn.ReLU(inplace=True),
            nn.Dropout(0.4),
            nn.Conv2d(24, 1, 1),
        )

    def forward(self, patches):
        return self.layers(patches).flatten(1)


def compared(pixels, ground):
    """As lib/detect/slots/classifier.rs does it: n x 3 x 32 x 64 levels over n x 3 of the ground."""
    return torch.log((pixels + DARK) / (ground[:, :, None, None] + DARK)).clamp(-2.5, 2.5)


def doubt(share, occupied):
    """How occupied a slot is of which vehicles cover this share: one that pulls out is so less and less."""
    return occupied if share is None else min(1.0, max(0.0, (share - 0.01) / (2 * (OCCUPIED - 0.01))))


class Slots:
    """Patches with their ground, state and origin."""

    def __init__(self, stem, folders):
        if not stem.with_suffix(".csv").exists():
            stem.parent.mkdir(parents=True, exist_ok=True)
            command = ["cargo", "run", "-q", "-p", "park-detect", "--example", "slots", "--", "patches", stem, *folders]
            subprocess.run([str(word) for word in command], check=True)
        rows = list(csv.DictReader(open(stem.with_suffix(".csv"))))
        pixels = np.fromfile(stem.with_suffix(".bin"), np.uint8).reshape(-1, HEIGHT, WIDTH, 3)
        self.pixels = torch.from_numpy(pixels).permute(0, 3, 1, 2).contiguous()
        self.ground = torch.tensor([[float(row[c]) for c in ("blue", "green", "red")] for row in rows])
        shares = {}
        for listed in (pathlib.Path(folder) / "shares.csv" for folder in folders):
            if listed.exists():
                shares |= {(row["file"], row["slot_id"]): float(row["share"]) for row in csv.DictReader(open(listed))}
        told = [doubt(shares.get((row["file"], row["slot_id"])), float(row["occupied"])) for row in rows]
        self.occupied = torch.tensor(told)
        self.names = [f"{row['file']} {row['slot_id']}" for row in rows]

    def only(self, keep):
        part = object.__new__(Slots)
        part.pixels, part.ground, part.occupied = self.pixels[keep], self.ground[keep], self.occupied[keep]
        part.names = [name for name, kept in zip(self.names, keep.tolist()) if kept]
        return part

    def draw(self, count, generator):
        """`count` slots, as many of them occupied as free."""
        full, bare = (self.occupied > 0.5).nonzero()[:, 0], (self.occupied < 0.5).nonzero()[:, 0]
        pick = lambda part: part[torch.randint(len(part), (count // 2,), generator=generator)]
        at = torch.cat([pick(full), pick(bare)])
        return self.pixels[at].float(), self.ground[at], self.occupied[at]


def shaken(pixels, ground, generator):
    """The same slots otherwise seen: turned about, drawn otherwise, in other light, air, focus and noise."""
    n = len(pixels)
    uniform = lambda low, high, *shape: low + (high - low) * torch.rand(n, *shape, generator=generator)
    chance = lambda p: (torch.rand(n, 1, 1, 1, generator=generator) < p).float()
    theta = torch.zeros(n, 2, 3)
    turn = uniform(-0.09, 0.09)
    mirror = lambda: 1 - 2 * (torch.rand(n, generator=generator) < 0.5).float()
    theta[:, 0, 0], theta[:, 1, 1] = uniform(0.9, 1.12) * mirror(), uniform(0.88, 1.12) * mirror()
    theta[:, 0, 1], theta[:, 1, 0] = -turn * HEIGHT / WIDTH, turn * WIDTH / HEIGHT
    theta[:, 0, 2], theta[:, 1, 2] = uniform(-0.12, 0.12), uniform(-0.15, 0.15)
    grid = F.affine_grid(theta, pixels.shape, align_corners=False)
    pixels = F.grid_sample(pixels, grid, padding_mode="border", align_corners=False)
    # A shadow's edge across the slot, or a slot wholly in the shade.
    y, x = torch.meshgrid(torch.linspace(-1, 1, HEIGHT), torch.linspace(-2, 2, WIDTH), indexing="ij")
    angle, far, soft = uniform(0, 6.3, 1, 1, 1), uniform(-1.5, 1.5, 1, 1, 1), uniform(0.03, 0.4, 1, 1, 1)
    edge = torch.sigmoid((x * torch.cos(angle) + y * torch.sin(angle) - far) / soft)
    pixels = pixels * (1 - chance(0.25) * uniform(0.2, 0.65, 1, 1, 1) * edge)
    # A blurred picture.
    blurred = F.avg_pool2d(F.pad(pixels, (1, 1, 1, 1), mode="replicate"), 3, 1)
    share = uniform(-0.3, 1.3, 1, 1, 1).clamp(0, 1)
    pixels = pixels * (1 - share) + blurred * share
    # Gain, white balance, curve, haze; the ground with them.
    def light(levels, gain, curve, haze):
        levels = 255 * (levels.clamp(0) / 255) ** curve * gain
        return levels * (1 - haze) + 150 * haze
    gain, curve, haze = uniform(0.3, 1.7, 1) * uniform(0.93, 1.07, 3), uniform(0.75, 1.35, 1), (uniform(-0.4, 0.35, 1)).clamp(0)
    wide = lambda value: value[:, :, None, None]
    pixels = light(pixels, wide(gain), wide(curve), wide(haze))
    noise = torch.randn(pixels.shape, generator=generator) * 0.5 + torch.randn(n, 1, HEIGHT, WIDTH, generator=generator)
    pixels = pixels + noise * uniform(-3, 9, 1, 1, 1).clamp(0)
    # Rain: thin bright streaks across or along the slot.
    drops = (torch.rand(n, 1, HEIGHT, WIDTH, generator=generator) < 0.02).float()
    across = F.max_pool2d(drops, (7, 1), 1, (3, 0))
    streaks = torch.where(chance(0.5) > 0, across, F.max_pool2d(drops, (1, 7), 1, (0, 3)))
    pixels = pixels + chance(0.15) * streaks * uniform(10, 70, 1, 1, 1)
    ground = light(ground, gain, curve, haze) * uniform(0.9, 1.11, 3)
    wrong = (torch.rand(n, 1, generator=generator) < 0.15).float()
    ground = ground * (1 - wrong + wrong * torch.exp(uniform(-0.7, 0.7, 1)))
    grey = chance(0.15)
    pixels = pixels * (1 - grey) + grey * pixels.mean(1, keepdim=True)
    ground = ground * (1 - grey[:, :, 0, 0]) + grey[:, :, 0, 0] * ground.mean(1, keepdim=True)
    return compared(pixels.clamp(0, 255), ground.clamp(0, 255))


def confusion(judge, slots):
    """How many free slots were told free and occupied, how many occupied free and occupied; and which were wrong."""
    judge.eval()
    with torch.no_grad():
        parts = zip(slots.pixels.split(1000), slots.ground.split(1000))
        said = torch.cat([judge(compared(p.float(), g))[:, 0] for p, g in parts]) > 0
    judge.train()
    truth = slots.occupied > 0.5
    table = [int(((truth == t) & (said == s)).sum()) for t in (False, True) for s in (False, True)]
    return table, [slots.names[i] for i in (said != truth).nonzero()[:, 0].tolist()]


def told(name, judge, slots):
    (tn, fp, fn, tp), wrong = confusion(judge, slots)
    right = (tn + tp) / max(1, tn + fp + fn + tp)
    return f"{name}: {100 * right:.2f} % right; free {tn} right {fp} wrong, occupied {tp} right {fn} wrong", wrong


def train(sources, watched, steps, generator):
    judge = Judge()
    # The mean of the last steps' weights errs less than the last step's.
    mean = swa_utils.AveragedModel(judge, multi_avg_fn=swa_utils.get_ema_multi_avg_fn(0.998), use_buffers=True)
    optimiser = torch.optim.AdamW(judge.parameters(), 3e-3, weight_decay=0.1)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 5e-3, steps, pct_start=0.15)
    for step in range(steps):
        drawn = [slots.draw(int(BATCH * share), generator) for slots, share in sources]
        pixels, ground, occupied = (torch.cat(parts) for parts in zip(*drawn))
        odds = judge(shaken(pixels, ground, generator))[:, 0]
        loss = F.binary_cross_entropy_with_logits(odds, occupied * 0.98 + 0.01)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
        mean.update_parameters(judge)
        if step % 500 == 499:
            seen = "; ".join(told(name, mean.module, slots)[0] for name, slots in watched)
            print(f"{step + 1} loss {loss.item():.3f} {seen}", flush=True)
    return mean.module.eval()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=pathlib.Path, required=True)
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument("--cache", type=pathlib.Path, default=pathlib.Path("cache"))
    parser.add_argument("--rendered", type=int, default=3600, help="lots to render")
    parser.add_argument("--steps", type=int, default=3500)
    parser.add_argument("--hold", help="the day of PKLot to leave out and to judge by")
    parser.add_argument("--without-pklot", action="store_true")
    arguments = parser.parse_args()
    torch.manual_seed(SEED)
    torch.set_num_threads(1)
    generator = torch.Generator().manual_seed(SEED)

    lots = arguments.cache / "lots"
    if not (lots / "slots.csv").exists():
        here = pathlib.Path(__file__).parent
        subprocess.run([sys.executable, here / "render.py", lots, "--count", str(arguments.rendered)], check=True)
    rendered = Slots(arguments.cache / "rendered", [lots])
    pklot = Slots(arguments.cache / "pklot", [arguments.data / "pklot"])
    ninth = torch.tensor([int(name[3:8]) % 9 == 8 for name in rendered.names])
    watched = [("rendered, held back", rendered.only(ninth))]
    sources = [(rendered.only(~ninth), 0.7)]
    held = torch.tensor([bool(arguments.hold) and name.startswith(arguments.hold) for name in pklot.names])
    if held.any():
        watched.append((arguments.hold, pklot.only(held)))
    if arguments.without_pklot:
        watched.append(("pklot", pklot))
        sources = [(sources[0][0], 1.0)]
    else:
        sources.append((pklot.only(~held), 0.3))
    print(f"{len(rendered.names)} rendered slots, {len(pklot.names)} of PKLot ({int(held.sum())} held back)", flush=True)

    judge = train(sources, watched, arguments.steps, generator)
    for name, slots in watched:
        line, wrong = told(name, judge, slots)
        print(line, *wrong[:20], sep="\n  ")
    torch.onnx.export(
        judge, torch.zeros(1, 3, HEIGHT, WIDTH), str(arguments.out), opset_version=12, dynamo=False,
        input_names=["patches"], output_names=["odds"], dynamic_axes={"patches": {0: "n"}, "odds": {0: "n"}},
    )
    onnx.checker.check_model(onnx.load(arguments.out))


if __name__ == "__main__":
    main()
