"""What light and air do to a lot: shadows on its ground, hour and weather over the whole picture."""

import cv2
import numpy as np

from lot import clouds


def shadows(lot, cars, plants, sun, random):
    """The share of direct light that the ground does not get, and the same without the vehicles' own shadows."""
    dark = np.zeros((lot.size, lot.size), np.float32)

    def cover(points, soft, strength):
        place, mask = lot.mask(points, soft)
        dark[place] = np.maximum(dark[place], mask * strength)

    if random.random() < 0.45:  # trees that stand outside the picture
        leaves = clouds(random, dark.shape, lot.scale * random.uniform(0.3, 1.5)) + clouds(random, dark.shape, lot.scale * 6)
        dark = np.maximum(dark, np.clip(leaves * 2 - random.uniform(0.5, 2.5), 0, 1))
    if random.random() < 0.3:  # a house
        a, angle = random.uniform(-0.5, 0.5, 2) * lot.half, random.uniform(0, 6.3)
        y, x = np.mgrid[: lot.size, : lot.size] / lot.scale - lot.half
        edge = (x - a[0]) * np.cos(angle) + (y - a[1]) * np.sin(angle)
        dark = np.maximum(dark, np.clip(edge / random.uniform(0.05, 0.4), 0, 1))
    for _ in range(random.integers(0, 3)):  # posts
        a = random.uniform(-0.6, 0.6, 2) * lot.half
        b = a - sun[:2] / sun[2] * random.uniform(3, 8)
        line = np.zeros(dark.shape, np.uint8)
        cv2.line(line, *[tuple(map(int, lot.pixels([p])[0])) for p in (a, b)], 255, max(1, int(0.15 * lot.scale)), cv2.LINE_AA)
        dark = np.maximum(dark, line / 255.0)
    for at, height, radius, kind in plants:
        top = at - sun[:2] / sun[2] * height * (0.5 if kind == "shrub" else 0.8)
        ring = [(radius * np.cos(t), radius * np.sin(t)) for t in np.arange(0, 6.2, 0.5)]
        if kind == "tree":
            lot_mask = lot.mask([top + p for p in ring], 0.2)
            leaves = clouds(random, lot_mask[1].shape, lot.scale * 0.25)
            dark[lot_mask[0]] = np.maximum(dark[lot_mask[0]], lot_mask[1] * np.clip(1 + leaves, 0, 1))
            continue
        foot = [at + p for p in ring]
        cover(cv2.convexHull(np.array(foot + [top + p for p in ring], np.float32))[:, 0], 0.05, 1.0)
    others = dark.copy()
    for _, at, ahead, side, _, foot, height in cars:
        base = np.array([at + ahead * x + side * y for x, y in foot])
        cast = base - sun[:2] / sun[2] * height * 0.85
        hull = cv2.convexHull(np.vstack([base, cast]).astype(np.float32))[:, 0]
        cover(hull, 0.05, 1.0)
        cover(base, 0.15, 1.1)
    return np.clip(dark, 0, 1.1), others


def weather(image, random, lot, cam):
    """Light, air, lens and sensor."""
    out = image.astype(np.float32)
    shape = out.shape[:2]
    kind = random.choice(["day", "dusk", "lamps", "infrared", "rain", "haze"], p=[0.6, 0.1, 0.08, 0.06, 0.1, 0.06])
    grain = random.uniform(0, 3)
    if kind in ("dusk", "rain"):
        out *= random.uniform(0.4, 0.9)
        grain += random.uniform(0, 3)
    if kind in ("lamps", "infrared"):
        y, x = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
        glow = np.full(shape, random.uniform(0.15, 0.4), np.float32)
        for _ in range(random.integers(1, 5)):
            c = random.uniform(0, 1, 2) * shape
            glow += random.uniform(0.3, 0.9) * np.exp(-((y - c[0]) ** 2 + (x - c[1]) ** 2) / (random.uniform(0.15, 0.5) * cam.w) ** 2)
        out *= glow[..., None]
        grain += random.uniform(1, 6)
        if kind == "infrared":
            out[:] = out.mean(2, keepdims=True)
        else:
            out *= np.array([random.uniform(0.6, 1), 0.95, 1.1], np.float32)
    if kind == "rain":
        streaks = np.zeros(shape, np.uint8)
        for _ in range(random.integers(60, 600)):
            x, y, l = random.integers(cam.w), random.integers(cam.h), random.integers(6, 40)
            cv2.line(streaks, (int(x), int(y)), (int(x + l * 0.1), int(y + l)), int(random.integers(30, 110)), 1, cv2.LINE_AA)
        out += (150 - out) * (streaks[..., None] / 255.0)
    if kind in ("haze", "rain"):
        veil = random.uniform(0.05, 0.4)
        out = out * (1 - veil) + veil * random.uniform(120, 200)
    out *= random.uniform(0.75, 1.35)
    blur = random.choice([0, random.uniform(0.4, 1.6)])
    if blur:
        out = cv2.GaussianBlur(out, (0, 0), blur)
    out += random.standard_normal((*shape, 1)) * grain + random.standard_normal(out.shape) * grain * 0.4
    return np.clip(out, 0, 255).astype(np.uint8)
