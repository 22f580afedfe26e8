"""The ground of a lot, its slots and what grows beside them."""

import cv2
import numpy as np

PIXELS = 18  # of the ground's texture, a metre


def fill(image, points, colour):
    """A polygon with smooth edges."""
    cv2.fillPoly(image, [np.round(np.asarray(points) * 16).astype(np.int32)], colour, cv2.LINE_AA, 4)


def clouds(random, shape, cell):
    """Smooth noise of mean 0 and spread about 1, its grains `cell` pixels wide."""
    small = random.standard_normal((max(2, int(shape[0] / cell)), max(2, int(shape[1] / cell)))).astype(np.float32)
    return cv2.resize(small, shape[::-1], interpolation=cv2.INTER_CUBIC)


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
        for _ in range(r.integers(0, 9)):  # islands and kerbs, which reach into some slots
            s = self.slots[r.integers(len(self.slots))]
            end = r.choice([0, 2])
            into = (s[3] - s[0]) * (1 if end == 0 else -1)
            deep, beyond = r.uniform(-0.1, 0.45), r.uniform(0.3, 1.5)
            a, b = s[end], s[end + 1]
            span = (b - a) * r.choice([0, r.uniform(1, 5)])
            self.paint([a - span + into * deep, b + span + into * deep, b + span - into * beyond, a - span - into * beyond], np.clip(kerb, 0, 250))
            for _ in range(r.integers(0, 4)):
                c = a + (b - a) * r.uniform(0, 1) + into * min(deep, r.uniform(-0.4, 0.3))
                tint = (40, 70, 60) if r.random() < 0.5 else (60, 60, 60)
                cv2.circle(self.texture, tuple(map(int, self.pixels([c])[0])), int(r.uniform(0.15, 0.6) * self.scale), tint, -1, cv2.LINE_AA)
        if r.random() < 0.2:
            self.rims(np.clip(kerb, 0, 250), base)

    def rims(self, kerb, base):
        """A low kerb around the end of each slot and along one side, in its own thin shadow."""
        r = self.random
        wide, long, beside, skip = r.uniform(0.1, 0.3), r.uniform(0.1, 1), r.random() < 0.6, r.uniform(0, 0.5)
        for s in self.slots:
            if r.random() < skip:
                continue
            shift = (s[3] - s[0]) / np.linalg.norm(s[3] - s[0]) * wide
            runs = [(s[2], s[3], -shift)]
            if beside:
                runs.append((s[3], s[3] + (s[0] - s[3]) * long, np.zeros(2)))
            for a, b, off in runs:
                self.strip(a + off * 0.8, b + off * 0.8, wide * 0.6, base * r.uniform(0.25, 0.6))
                self.strip(a, b, wide, kerb * r.uniform(0.85, 1.1))

    def plants(self):
        """Shrubs, posts and trees: where they stand, how high they reach, how wide they are, and what they are."""
        r, standing = self.random, []
        if r.random() < 0.4:  # shrubs at the corners of slots, all alike
            often, size = r.uniform(0.1, 0.6), r.uniform(0.35, 0.8)
            for s in self.slots:
                if r.random() < often:
                    at = s[r.choice([2, 3])] + r.normal(0, 0.25, 2)
                    standing.append((at, size * r.uniform(1, 2.2), size * r.uniform(0.7, 1.2), "shrub"))
        for _ in range(r.choice([0, r.integers(1, 5)])):
            standing.append((self.slots[r.integers(len(self.slots))][r.integers(4)], r.uniform(4, 9), r.uniform(0.06, 0.12), "post"))
        for _ in range(r.choice([0, r.integers(1, 4)])):
            standing.append((r.uniform(-0.6, 0.6, 2) * self.half, r.uniform(3, 8), r.uniform(1, 2.6), "tree"))
        return standing

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
