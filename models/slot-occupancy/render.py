"""Renders parking lots that never were: any camera, light and weather, with the outline and state of every slot.

    python render.py OUT --count 600

writes pictures and slots.csv (file,slot_id,polygon,occupied; empty where it cannot be told) into OUT.
"""

import argparse
import csv
import multiprocessing
import pathlib

import cv2
import numpy as np

SEED = 11
PIXELS = 18  # of the ground's texture, a metre
PAINTS = [(235, 236, 238)] * 5 + [(160, 163, 165)] * 3 + [(24, 24, 26)] * 5 + [(74, 76, 80)] * 3 + [
    (96, 44, 24), (140, 80, 30), (28, 24, 130), (40, 36, 190), (60, 84, 40), (150, 178, 196), (60, 96, 150), (30, 150, 210),
]


class Camera:
    """A pinhole over the lot: metres on the ground to pixels."""

    def __init__(self, random, extent):
        self.w, self.h = [(640, 480), (800, 600), (960, 540), (1280, 720)][random.integers(4)]
        tilt = np.radians(random.choice([random.uniform(0, 12), random.uniform(10, 40), random.uniform(35, 66)]))
        yaw = random.uniform(0, 2 * np.pi)
        focal = self.w * random.uniform(0.8, 2.0)
        far = extent * focal / self.w * random.uniform(0.85, 1.3)
        c, s = np.cos(yaw), np.sin(yaw)
        turn = np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]])
        look = np.array([[1, 0, 0], [0, -np.cos(tilt), -np.sin(tilt)], [0, np.sin(tilt), -np.cos(tilt)]])
        self.rotation = look @ turn
        self.at = turn.T @ np.array([0, -far * np.sin(tilt), far * np.cos(tilt)])
        self.inner = np.array([[focal, 0, self.w / 2], [0, focal, self.h / 2], [0, 0, 1]])

    def project(self, points):
        seen = (np.asarray(points, float) - self.at) @ self.rotation.T
        seen[:, 2] = np.maximum(seen[:, 2], 0.3)
        out = seen @ self.inner.T
        return out[:, :2] / out[:, 2:]

    def ground(self):
        """From metres on the ground to pixels, as a homography."""
        rt = np.column_stack([self.rotation[:, 0], self.rotation[:, 1], -self.rotation @ self.at])
        return self.inner @ rt


def fill(image, points, colour):
    """A polygon with smooth edges."""
    cv2.fillPoly(image, [np.round(np.asarray(points) * 16).astype(np.int32)], colour, cv2.LINE_AA, 4)


def clouds(random, shape, cell):
    """Smooth noise of mean 0 and spread about 1, its grains `cell` pixels wide."""
    small = random.standard_normal((max(2, int(shape[0] / cell)), max(2, int(shape[1] / cell)))).astype(np.float32)
    return cv2.resize(small, shape[::-1], interpolation=cv2.INTER_CUBIC)


# A vehicle's solid: outline at its foot and at its top (x along, half width), heights; then the colours of top, front, back, sides.
def solid(x0, x1, half, z0, z1, top, colours, shrink=0.0):
    foot = [(x0, -half), (x1, -half), (x1, half), (x0, half)]
    head = [(top[0], -half + shrink), (top[1], -half + shrink), (top[1], half - shrink), (top[0], half - shrink)]
    low = [(x, y, z0) for x, y in foot]
    high = [(x, y, z1) for x, y in head]
    roof, front, back, side = colours
    faces = [([high[0], high[1], high[2], high[3]], roof), ([low[1], low[2], high[2], high[1]], front)]
    faces += [([low[3], low[0], high[0], high[3]], back), ([low[0], low[1], high[1], high[0]], side)]
    return faces + [([low[2], low[3], high[3], high[2]], side)]


def vehicle(random):
    """Faces in painting order, as groups; metres, x ahead."""
    kind = random.choice(["car", "estate", "van", "pickup", "lorry"], p=[0.48, 0.22, 0.13, 0.1, 0.07])
    paint = np.clip(np.array(PAINTS[random.integers(len(PAINTS))], float) * random.uniform(0.85, 1.1), 0, 255)
    glass = np.array([1.1, 1.0, 0.92]) * random.uniform(18, 95)
    dark = np.full(3, random.uniform(12, 40))
    length, half = random.uniform(3.7, 5.1), random.uniform(0.82, 0.98)
    n, t = length / 2, -length / 2
    belt = random.uniform(0.85, 1.05)
    groups = [solid(t, n, half, 0.25, belt, (t + 0.12, n - 0.2), (paint, paint * 0.9, paint * 0.9, paint), 0.06)]
    if kind in ("car", "estate"):
        wind, rear = n - random.uniform(1.0, 1.45), t + (random.uniform(0.1, 0.3) if kind == "estate" else random.uniform(0.5, 1.0))
        roof = (rear + random.uniform(0.25, 0.7), wind - random.uniform(0.5, 0.8))
        height = belt + random.uniform(0.42, 0.7)
        groups.append(solid(rear, wind, half - 0.08, belt, height, roof, (paint, glass, glass, glass), 0.14))
        if random.random() < 0.3 and roof[1] - roof[0] > 0.25:
            a, b = sorted(random.uniform(roof[0] + 0.15, roof[1] - 0.1, 2))
            groups.append([([(a, -0.4, height), (b, -0.4, height), (b, 0.4, height), (a, 0.4, height)], glass * 0.6)])
        if random.random() < 0.2:
            groups.append([([(roof[0], y, height), (roof[1], y, height), (roof[1], y + 0.05, height), (roof[0], y + 0.05, height)], dark) for y in (-0.6, 0.55)])
    elif kind == "van":
        length = random.uniform(4.7, 6.2)
        t = n - length
        height = random.uniform(1.8, 2.6)
        wind = n - random.uniform(0.5, 1.1)
        groups = [solid(t, n, half, 0.25, belt + 0.1, (t, n - 0.15), (paint, paint, paint, paint), 0.03)]
        groups.append(solid(t + 0.03, wind, half, belt, height, (t + 0.06, wind - 0.6), (paint, glass, paint, paint), 0.07))
    elif kind == "pickup":
        length = random.uniform(5.0, 5.9)
        t = n - length
        groups = [solid(t, n, half, 0.25, belt, (t + 0.05, n - 0.2), (paint, paint, paint, paint), 0.04)]
        bed = paint * 0.8 if random.random() < 0.25 else dark * random.uniform(0.7, 3)
        end = n - random.uniform(3.0, 3.4)
        groups.append([([(t + 0.15, -half + 0.16, belt), (end, -half + 0.16, belt), (end, half - 0.16, belt), (t + 0.15, half - 0.16, belt)], bed)])
        groups.append(solid(end + 0.05, n - 1.25, half - 0.06, belt, belt + 0.6, (end + 0.3, n - 1.95), (paint, glass, glass, glass), 0.14))
    else:
        length, half = random.uniform(5.0, 7.5), random.uniform(0.95, 1.15)
        t = n - length
        load = [paint, np.full(3, random.uniform(20, 235)), dark, np.array([60, 95, 130.0]) * random.uniform(0.5, 1.2)][random.integers(4)]
        height = random.choice([random.uniform(1.0, 1.4), random.uniform(2.0, 3.2)])
        groups = [solid(n - 1.7, n, half - 0.05, 0.3, 1.9, (n - 1.6, n - 0.5), (paint, glass, paint, paint), 0.05)]
        groups.append(solid(t, n - 1.75, half, 0.5, height, (t, n - 1.75), (load, load, load, load)))
    z, lamp = belt * 0.75, random.uniform(120, 255)
    for y in (-1, 1):
        span = (y * (half - 0.4), y * (half - 0.08))
        ends = [(n - 0.02, n - 0.28, (lamp, lamp, lamp)), (t + 0.02, t + 0.14, (30, 30, random.uniform(90, 200)))]
        for near, deep, colour in ends:
            groups[0].append(([(near, span[0], z), (near, span[1], z), (deep, span[1], belt + 0.01), (deep, span[0], belt + 0.01)], np.array(colour)))
    return groups, [(t, -half), (n, -half), (n, half), (t, half)], max(p[2] for g in groups for f, _ in g for p in f)


class Lot:
    """Ground, slots and what stands in them."""

    def __init__(self, random):
        self.random = random
        self.slot = (random.uniform(4.4, 5.8), random.uniform(2.2, 3.0))
        self.count, self.rows = int(random.integers(4, 11)), int(random.integers(1, 5))
        self.skew = np.tan(np.radians(random.choice([0, 0, 0, random.uniform(15, 45), -random.uniform(15, 45)])))
        aisle, depth = random.uniform(5, 8), self.slot[0]
        tops, y = [], 0.0
        for row in range(self.rows):
            tops.append(y)
            y += depth + (random.uniform(0, 1.2) if row % 2 == 0 else aisle)
        self.extent = max(self.count * self.slot[1], y) + 4
        middle = (self.count * self.slot[1] / 2, y / 2)
        self.slots = []
        for row, top in enumerate(tops):
            for i in range(self.count):
                x0, x1 = i * self.slot[1] - middle[0], (i + 1) * self.slot[1] - middle[0]
                y0, y1 = top - middle[1], top + depth - middle[1]
                lean = self.skew * depth * (1 if row % 2 else -1)
                self.slots.append(np.array([(x0, y0), (x1, y0), (x1 + lean, y1), (x0 + lean, y1)]))
        side = self.extent * 1.6
        self.half = side / 2
        self.size = int(min(side * PIXELS, 1100))
        self.scale = self.size / side

    def pixels(self, points):
        return (np.asarray(points, float)[:, :2] + self.half) * self.scale

    def mask(self, points, soft=0.0):
        """Where in the texture a polygon lies (rows and columns), and how much of each pixel there it covers."""
        at, rim = self.pixels(points), 3 + int(3 * soft * self.scale)
        low, high = np.clip([at.min(0) - rim, at.max(0) + rim], 0, self.size - 1).astype(int)
        out = np.zeros((high[1] - low[1] + 1, high[0] - low[0] + 1), np.uint8)
        fill(out, at - low, 255)
        out = cv2.GaussianBlur(out, (0, 0), soft * self.scale) if soft else out
        return np.s_[low[1] : high[1] + 1, low[0] : high[0] + 1], out.astype(np.float32) / 255

    def paint(self, points, colour, wear=0.0):
        """Paints a polygon on the ground, worn away in places."""
        place, mask = self.mask(points)
        if wear:
            mask = mask * np.clip(1 - wear * (0.6 + 0.8 * self.worn[place]), 0, 1)
        self.texture[place] += (np.asarray(colour, np.float32) - self.texture[place]) * mask[..., None]

    def strip(self, a, b, width, colour, wear=0.0):
        a, b = np.asarray(a, float), np.asarray(b, float)
        along = (b - a) / max(np.hypot(*(b - a)), 1e-6)
        side = np.array([-along[1], along[0]]) * width / 2
        self.paint([a - side, b - side, b + side, a + side], colour, wear)

    def surface(self):
        """The bare ground with all that lies or is painted on it."""
        r, shape = self.random, (self.size, self.size)
        base = np.array([1.0, 1.0, 1.0]) * r.choice([r.uniform(45, 110), r.uniform(90, 190)]) * (1 + r.normal(0, 0.035, 3))
        self.worn = clouds(r, shape, 5)
        tone = 1 + r.uniform(0.02, 0.09) * clouds(r, shape, self.size / 9) + r.uniform(0.01, 0.06) * clouds(r, shape, 12)
        tone += r.uniform(0.01, 0.08) * r.standard_normal(shape).astype(np.float32)
        self.texture = (base[None, None] * tone[..., None]).astype(np.float32)
        spot = lambda: r.uniform(-self.half, self.half, 2) * 0.7
        for _ in range(r.integers(0, 8)):  # mended patches
            c, (a, b) = spot(), r.uniform(0.5, 6, 2)
            self.paint([c, c + (a, 0), c + (a, b), c + (0, b)], base * r.uniform(0.7, 1.25))
        for _ in range(r.integers(0, 9)):  # cracks
            walk = np.cumsum(np.vstack([spot(), r.normal(0, 0.5, (14, 2)) + r.normal(0, 0.5, 2)]), 0)
            cv2.polylines(self.texture, [np.int32(self.pixels(walk))], False, (base * 0.5).tolist(), int(r.integers(1, 3)), cv2.LINE_AA)
        line = np.array([[235, 235, 235], [225, 235, 240], [60, 190, 220], [200, 130, 40]][r.choice(4, p=[0.5, 0.25, 0.15, 0.1])]) * r.uniform(0.7, 1)
        wear, thick = r.choice([0, r.uniform(0.1, 0.9)]), r.uniform(0.06, 0.18)
        style = r.choice(["sides", "all", "none", "marks"], p=[0.55, 0.25, 0.08, 0.12])
        for s in self.slots:
            self.dress(s, base, line, wear)
            ends = [(s[0], s[3]), (s[1], s[2])] + ([(s[2], s[3])] if style == "all" else [])
            for a, b in ends if style != "none" else []:
                self.strip(a, a + (b - a) * (0.3 if style == "marks" else 1), thick, line, wear)
        kerb = base * r.uniform(1.15, 2.0) * np.array([r.uniform(0.8, 1), 1, r.uniform(1, 1.15)])
        for _ in range(r.integers(0, 5)):  # islands and kerbs, which reach into some slots
            s = self.slots[r.integers(len(self.slots))]
            end = r.choice([0, 2])
            into = (s[3] - s[0]) * (1 if end == 0 else -1)
            deep, beyond = r.uniform(-0.1, 0.38), r.uniform(0.3, 1.5)
            a, b = s[end], s[end + 1]
            span = (b - a) * r.choice([0, r.uniform(1, 5)])
            self.paint([a - span + into * deep, b + span + into * deep, b + span - into * beyond, a - span - into * beyond], np.clip(kerb, 0, 250))
            for _ in range(r.integers(0, 4)):
                c = a + (b - a) * r.uniform(0, 1) + into * min(deep, r.uniform(-0.4, 0.3))
                tint = (40, 70, 60) if r.random() < 0.5 else (60, 60, 60)
                cv2.circle(self.texture, tuple(map(int, self.pixels([c])[0])), int(r.uniform(0.15, 0.6) * self.scale), tint, -1, cv2.LINE_AA)

    def dress(self, s, base, line, wear):
        """Stains, paint and covers in one slot."""
        r, inside = self.random, lambda u, v: s[0] + (s[1] - s[0]) * u + (s[3] - s[0]) * v
        if r.random() < 0.45:
            blot = np.array([inside(0.5, r.uniform(0.3, 0.7)) + r.normal(0, 0.45, 2) * (0.6, 1.2) for _ in range(7)])
            hull = cv2.convexHull(blot.astype(np.float32))[:, 0]
            place, soft = self.mask(hull, r.uniform(0.08, 0.35))
            self.texture[place] *= 1 + soft[..., None] * np.float32(r.uniform(-0.55, -0.1) if r.random() < 0.8 else r.uniform(0.05, 0.3))
        what = r.random()
        if what < 0.06:  # a coloured or hatched place
            self.paint(s, np.array([[150, 90, 40], [60, 120, 60], [50, 60, 160], line][r.integers(4)]) * r.uniform(0.6, 1), 0.5)
        elif what < 0.1:
            for u in np.arange(0.05, 1, 0.25):
                self.strip(inside(0, u), inside(1, min(1, u + 0.2)), 0.12, line, wear)
        elif what < 0.2:  # a letter, arrow or sign
            for _ in range(r.integers(2, 6)):
                a = inside(*r.uniform(0.3, 0.7, 2))
                self.strip(a, a + r.normal(0, 0.55, 2), 0.12, line, wear)
        elif what < 0.25:
            centre = tuple(map(int, self.pixels([inside(*r.uniform(0.25, 0.75, 2))])[0]))
            cv2.circle(self.texture, centre, int(0.32 * self.scale), (base * r.uniform(0.4, 0.8)).tolist(), -1, cv2.LINE_AA)
        if r.random() < 0.1:  # a stop for wheels
            self.strip(inside(0.15, 0.88), inside(0.85, 0.88), 0.18, base * r.uniform(0.7, 1.9))


def picture(seed):
    """A picture (BGR) and its slots as (polygon, 1, 0 or None)."""
    random = np.random.default_rng(seed)
    lot = Lot(random)
    cam = Camera(random, lot.extent)
    lot.surface()
    overcast = random.random() < 0.4
    sun = np.append(random.normal(0, 1, 2), random.uniform(0.5, 2.2))
    sun /= np.linalg.norm(sun)
    direct = random.uniform(0.0, 0.15) if overcast else random.uniform(0.35, 0.75)
    share = random.choice([random.uniform(0, 1), 0.5, 0.95, 0.05])
    cars = []
    for index, s in enumerate(lot.slots):
        if random.random() >= share:
            continue
        groups, foot, height = vehicle(random)
        ahead = (s[3] - s[0]) / np.linalg.norm(s[3] - s[0]) * random.choice([-1, 1])
        turn = np.radians(random.normal(0, 2))
        ahead = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]]) @ ahead
        side = np.array([-ahead[1], ahead[0]])
        at = s.mean(0) + ahead * random.normal(0, 0.2) + side * random.normal(0, 0.12)
        cars.append((index, at, ahead, side, groups, foot, height))
    shade, ambient = shadows(lot, cars, sun, random)
    texture = lot.texture * (1 - direct * shade[..., None]).astype(np.float32)
    to_ground = np.array([[1 / lot.scale, 0, -lot.half], [0, 1 / lot.scale, -lot.half], [0, 0, 1]])
    image = cv2.warpPerspective(texture, cam.ground() @ to_ground, (cam.w, cam.h), flags=cv2.INTER_AREA, borderMode=cv2.BORDER_REFLECT)
    image = np.clip(image, 0, 255).astype(np.uint8)
    owner = np.full((cam.h, cam.w), -1, np.int16)
    sheen = 1 + 0.05 * clouds(random, owner.shape, 25) + 0.04 * clouds(random, owner.shape, 5)
    for index, at, ahead, side, groups, _, _ in sorted(cars, key=lambda c: -np.linalg.norm(np.append(c[1], 0) - cam.at)):
        place = lambda p: np.append(at + ahead * p[0] + side * p[1], p[2])
        x, y = np.int32(lot.pixels([at - sun[:2] * 2.2]))[0].clip(0, lot.size - 1)
        sunny = direct * (1 - min(1.0, ambient[y, x]))
        lit = lambda n: 1 - direct + sunny * max(0.0, float(n @ sun)) * 1.3
        for group in sorted(groups, key=lambda g: min(p[2] for f, _ in g for p in f)):
            for face, colour in group:
                points = np.array([place(p) for p in face])
                normal = np.cross(points[1] - points[0], points[2] - points[0])
                normal /= max(np.linalg.norm(normal), 1e-9)
                towards = cam.at - points.mean(0)
                if len(group) >= 5 and normal @ (points.mean(0) - np.append(at, 0.6)) < 0:
                    normal = -normal
                if normal @ towards < 0:
                    if len(group) >= 5:
                        continue
                    normal = -normal
                shine = 22 * max(0.0, normal[2]) * (1 - direct * 0.5)
                corners = cam.project(points)
                fill(image, corners, np.clip(np.asarray(colour) * lit(normal) + shine, 0, 255).tolist())
                cv2.fillPoly(owner, [np.int32(corners)], index)
    slots = [(outline(cam, lot, s, random), 0) for s in lot.slots]
    taken = {c[0] for c in cars}
    labelled = []
    for index, (polygon, _) in enumerate(slots):
        if (polygon < 2).any() or (polygon[:, 0] > cam.w - 2).any() or (polygon[:, 1] > cam.h - 2).any():
            continue
        mask = np.zeros(owner.shape, np.uint8)
        cv2.fillPoly(mask, [np.int32(polygon)], 1)
        area = mask.sum()
        if area < 220:
            continue
        seen = owner[mask > 0]
        own, other = (seen == index).mean(), ((seen >= 0) & (seen != index)).mean()
        state = (1 if own > 0.3 else None) if index in taken else (0 if other < 0.3 else None)
        labelled.append((polygon, state))
    image[owner >= 0] = np.clip(image[owner >= 0] * sheen[owner >= 0][:, None], 0, 255)
    return weather(image, random, lot, cam), labelled


def outline(cam, lot, s, random):
    """The slot as somebody would draw it: by hand, and by a few pixels or decimetres off."""
    loose = 1 + random.uniform(-0.08, 0.05)
    s = s.mean(0) + (s - s.mean(0)) * loose + random.normal(0, 0.06, 2)
    return cam.project(np.column_stack([s, np.zeros(4)])) + random.normal(0, 0.8, (4, 2))


def shadows(lot, cars, sun, random):
    """The share of direct light that the ground does not get, and the same without the vehicles' own shadows."""
    dark = np.zeros((lot.size, lot.size), np.float32)

    def cover(points, soft, strength):
        place, mask = lot.mask(points, soft)
        dark[place] = np.maximum(dark[place], mask * strength)

    if random.random() < 0.35:  # trees
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


def save(job):
    out, seed = job
    cv2.setNumThreads(1)
    image, slots = picture(SEED * 1_000_003 + seed)
    name = f"lot{seed:05}.jpg"
    quality = int(np.random.default_rng(seed).integers(55, 96))
    cv2.imwrite(str(out / name), image, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return name, slots


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("--count", type=int, default=600)
    parser.add_argument("--workers", type=int, default=1)
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    with multiprocessing.get_context("fork").Pool(arguments.workers) as pool:
        drawn = pool.map(save, [(arguments.out, seed) for seed in range(arguments.count)], chunksize=4)
    with open(arguments.out / "slots.csv", "w", newline="") as file:
        file.write("file,slot_id,polygon,occupied\n")
        for name, slots in drawn:
            for index, (polygon, state) in enumerate(slots):
                corners = " ".join(f"{x:.1f},{y:.1f}" for x, y in polygon)
                file.write(f'{name},{index},"{corners}",{"" if state is None else state}\n')


if __name__ == "__main__":
    main()
