"""Draws licence plates of many countries, and packs a pool of them.

    python draw.py --packs PACKS --count 30000

What a country's plates say is in regions.txt. The pool (PACKS/drawn.npz) holds grey pictures of 300 x 80, in which the plate
fills the middle, PLATE, with car around it, and where each character stands. Pieces of photos from PACKS/photos.npz that show
no plate serve as the car.
"""

import argparse
import multiprocessing
import pathlib
import re
import subprocess

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

import data
import dies

SEED = 3
SIZE = (300, 80)  # of a drawn picture
PLATE = (50, 14, 250, 66)  # where the plate lies in it: left, top, right, bottom
WIDE = 320  # pixels across a plate while it is drawn
TALL = 96  # of the glyphs kept
FIGURES, LETTERS = "0123456789", "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
REGIONS = pathlib.Path(__file__).with_name("regions.txt")

# Families (of Debian's fonts-* packages) whose capitals and figures look like something stamped on a plate.
LIKELY = r"opendin|roadgeek|routed|bebas|NationalPark|Cond|Narrow|Yanone|Gillius|Switzera|Allerta|B612"
FAMILIES = LIKELY + (
    r"|DejaVuSans|LiberationSans|Roboto|OpenSans|Lato|Cantarell|Inter|Play|Dosis|Universalis|VeranaSans|ocr|FreeSans"
    r"|NimbusSans|texgyreheros|texgyreadventor|Jura|Karla|Manrope|Sora|JetBrainsMono|Hack|Inconsolata|Go-|Mononoki"
    r"|Anonymous|Cabin-|Quicksand|Comfortaa|Carlito|Andika|DroidSans|Oxygen|NotoSans-|NotoSansMono"
    r"|LiberationSerif|DejaVuSerif|FreeSerif|texgyretermes|C059|P052|Courier"
)
UNFIT = r"ital|obli|It\.|thin|hairline|extralight|ultralight|outline|fallback|math|icons|shade|sketch|NotoSansM?[a-z]*[A-Z]"

# Regions drawn more often than the others, how often, and how wide their plates are for their height.
OFTEN = {
    "us": 22, "id": 18, "in": 7, "pk": 6, "gb": 7, "de": 5, "my": 5, "br": 6, "ar": 12, "ae": 4, "sk": 3, "cz": 3, "au": 3,
    "ca": 4, "fr": 2, "nl": 2, "pl": 2, "kw": 2, "sa": 2, "jp": 2,
}
ASPECTS = {
    "us": 2.0, "ca": 2.0, "mx": 2.0, "id": 3.1, "br": 3.1, "ar": 3.0, "pk": 3.2, "au": 2.8, "jp": 2.0, "my": 3.6, "in": 4.2,
    "ae": 3.6, "kw": 2.2, "sa": 2.1, "qa": 2.4, "bh": 2.4, "co": 2.0, "cn": 3.1, "cu": 3.6, "kr": 3.4, "hk": 4.0, "ug": 3.6,
}
DARK = {"my": 0.9, "id": 0.7, "sg": 0.7, "hk": 0.1, "pk": 0.2, "in": 0.12, "ae": 0.1, "gb": 0.1, "br": 0.1, "us": 0.12, "ca": 0.08, "ar": 0.6}
AMERICAN = ("us", "ca", "mx")
DIES = 0.2  # how many plates bear characters of dies of their own, and not of a typeface
SLASHED = {"id": 0.5}  # how often a stroke tells O from 0, or 0 from O; elsewhere 0.05


def fonts():
    """Paths of the fonts to draw with; likely ones come several times."""
    listed = subprocess.run(["fc-list", "--format", "%{file}\n"], capture_output=True, text=True, check=True)
    chosen = []
    for path in sorted(set(listed.stdout.split())):
        name = path.rsplit("/", 1)[-1]
        if not re.search(r"\.(ttf|otf|t1)$", name) or not re.search(FAMILIES, path, re.I):
            continue
        if re.search(UNFIT, name.replace("NotoSans-", "").replace("NotoSansMono-", ""), re.I):
            continue
        chosen += [path] * (4 if re.search(LIKELY, path, re.I) else 1)
    return chosen


class Glyphs:
    """Characters of one font as grey pictures of one height."""

    def __init__(self, path):
        font = ImageFont.truetype(path, 100)
        top, bottom = (font.getbbox("H")[i] for i in (1, 3))
        self.font = font = ImageFont.truetype(path, 100 * TALL / (bottom - top))
        top = font.getbbox("H")[1]
        self.ink = {}
        for character in FIGURES + LETTERS:
            left, _, right, _ = font.getbbox(character)
            picture = Image.new("L", (max(1, right - left), TALL + 4), 0)
            ImageDraw.Draw(picture).text((-left, 2 - top), character, fill=255, font=font)
            self.ink[character] = np.asarray(picture)


def bank():
    """The glyphs of every usable font; likely fonts come several times."""
    loaded, result = {}, []
    for path in fonts():
        if path not in loaded:
            try:
                loaded[path] = Glyphs(path)
            except (OSError, ValueError, ZeroDivisionError):
                loaded[path] = None
        if loaded[path]:
            result.append(loaded[path])
    return result


def regions():
    """Every region's patterns."""
    lines = [line for line in REGIONS.read_text().splitlines() if line and not line.startswith("#")]
    return {line.split(":")[0]: line.split(":")[1].split() for line in lines}


def written(pattern, random):
    """A text that follows the pattern, separators and all."""
    text = ""
    for kind, low, high in re.findall(r"(\[\^[A-Z]+\]|[A9X_\-o|yzw])(?:\{(\d),?(\d)?\})?", pattern):
        count = random.integers(int(low), int(high or low) + 1) if low else 1
        pool = {"A": LETTERS, "9": FIGURES, "X": LETTERS + FIGURES}.get(kind, kind)
        if kind.startswith("["):
            pool = "".join(letter for letter in LETTERS if letter not in kind)
        for _ in range(count):
            again = text and text[-1] in pool and random.random() < 0.1  # twice the same runs into one in a narrow plate
            text += text[-1] if again else pool[random.integers(len(pool))]
    return text


def slashed(mask, random):
    """An O or 0 with a stroke through it, or only within it."""
    mask, (h, w) = mask.copy(), mask.shape
    reach, thick = random.uniform(0.2, 0.5), max(2, int(w * random.uniform(0.06, 0.16)))
    a, b = np.array([0.5 + reach, 0.5 - reach]) * w, np.array([0.5 - reach, 0.5 + reach]) * h
    cv2.line(mask, (int(a[0]), int(b[0])), (int(a[1]), int(b[1])), 255, thick, cv2.LINE_AA)
    return mask


def bolder(mask, more):
    """A character whose strokes are wider by `more` of its height, or narrower."""
    size = round(abs(more) * mask.shape[0])
    if not size:
        return mask
    spot = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size + 1, size + 1))
    return cv2.dilate(mask, spot) if more > 0 else cv2.erode(mask, spot)


def slanted(mask, slant):
    """A character leaning to the right (positive) or left, as wide as that makes it."""
    if abs(slant) < 0.02:
        return mask
    h, w = mask.shape
    more = int(abs(slant) * h) + 1
    shift = more / 2 + slant * h / 2
    return cv2.warpAffine(mask, np.float32([[1, -slant, shift], [0, 1, 0]]), (w + more, h))


class Plate:
    """A flat plate while it is drawn."""

    def __init__(self, aspect, ground, ink, glyphs, other, random):
        self.height = int(WIDE / aspect)
        self.canvas = np.full((self.height, WIDE), ground, np.float32)
        self.ground, self.ink, self.random = ground, ink, random
        self.glyphs, self.other = glyphs, other  # of the number, of words
        self.slashed = ""  # which characters have a stroke through them
        self.bold = 0.0  # how much wider strokes are than the font's, of a character's height
        self.field = None  # left, top, right, bottom of a dark panel in a bright plate
        self.characters = []  # (character, line, left, right, top, bottom)

    def stamp(self, mask, x, y, shade):
        """Lays a mask on at (x, y), as far as it is on the plate."""
        h, w = mask.shape
        x0, y0, x1, y1 = max(x, 0), max(y, 0), min(x + w, WIDE), min(y + h, self.height)
        if x1 > x0 and y1 > y0:
            part = mask[y0 - y : y1 - y, x0 - x : x1 - x].astype(np.float32) / 255.0
            area = self.canvas[y0:y1, x0:x1]
            area[:] = area * (1 - part) + shade * part

    def line(self, text, row, box, squeeze, wide=False):
        """Writes one line into a box, as large as it fits; `wide`: its groups stand far apart."""
        left, top, right, bottom = box
        height = bottom - top
        space = self.random.uniform(0.06, 0.28)
        gap = self.random.uniform(0.6, 1.8) if wide else self.random.uniform(0.15, 0.7)
        emblem = self.random.uniform(0.3, 0.95)
        widths = []
        for c in text:
            if c in self.glyphs.ink:
                widths.append(self.glyphs.ink[c].shape[1] / TALL * squeeze)
            else:
                widths.append({"_": gap, "-": 0.3, "o": 0.45, "e": emblem, "y": 0.55, "z": 0.9, "w": 1.2}[c])
        total = sum(widths) + space * (len(text) - 1)
        unit = min(height, (right - left) / max(total, 1e-3))
        tall = height if self.random.random() < 0.7 else max(unit * 1.0, height * 0.6)  # squeezed letters keep their height
        tall = min(height, max(tall, unit))
        if tall > unit * 1.9:
            tall = unit * 1.9
        slant = self.random.normal(0, 0.22) if self.random.random() < 0.15 else 0.0
        y = int(top + (height - tall) * self.random.uniform(0.3, 0.7))
        x = left + (right - left - unit * total) * (0.5 if self.random.random() < 0.8 else self.random.uniform(0, 1))
        for c, width in zip(text, widths):
            w = max(2, int(width * unit))
            if c in self.glyphs.ink:
                ink = slashed(self.glyphs.ink[c], self.random) if c in self.slashed else self.glyphs.ink[c]
                mask = slanted(bolder(cv2.resize(ink, (w, max(4, int(tall))), interpolation=cv2.INTER_AREA), self.bold), slant)
                self.stamp(mask, int(x - (mask.shape[1] - w) / 2), y, self.ink)
                self.characters.append((c, row, x, x + w, y, y + tall))
            elif c in "eyzw":
                self.aside(c, x, y, w, tall)
            elif c != "_":
                self.separator(c, x, y, w, tall)
            x += (width + space) * unit

    def separator(self, kind, x, y, width, tall):
        random, middle = self.random, int(x + width / 2)
        if kind == "-" and random.random() < 0.8:
            thick = max(1, int(tall * random.uniform(0.04, 0.09)))
            half, y = int(width * random.uniform(0.3, 0.5)), int(y + tall * random.uniform(0.42, 0.58))
            cv2.rectangle(self.canvas, (middle - half, y - thick), (middle + half, y + thick), self.ink, -1)
        elif kind == "-":
            cv2.circle(self.canvas, (middle, int(y + tall / 2)), int(tall * random.uniform(0.05, 0.1)), self.ink, -1)
        else:
            for part in [0.5] if random.random() < 0.4 else [0.28, 0.72]:
                radius = max(2, int(tall * random.uniform(0.12, 0.2)))
                at = (middle, int(y + tall * part))
                cv2.circle(self.canvas, at, radius, random.uniform(60, 200), -1)
                cv2.circle(self.canvas, at, max(1, radius // 2), random.uniform(40, 220), random.choice([-1, 1, 2]))

    def aside(self, kind, x, y, width, tall):
        """What stands in a line and is no part of the number: a small year, a foreign character, small words."""
        random = self.random
        if kind == "z":
            self.foreign(x, y, width, tall)
        elif kind == "e":
            self.emblem(x + width / 2, y + tall * random.uniform(0.4, 0.6), min(width * 0.55, tall * 0.6), tall)
        elif kind == "y":
            small = random.uniform(0.3, 0.5) * tall
            two = random.random() < 0.4
            low = 0.0 if two or random.random() < 0.6 else random.uniform(0.2, 0.6)
            pool = LETTERS if two and random.random() < 0.5 else FIGURES
            for index, c in enumerate(pool[i] for i in random.integers(0, len(pool), 2)):
                mask = cv2.resize(self.glyphs.ink[c], (max(2, int(width * 0.42)), max(3, int(small))), interpolation=cv2.INTER_AREA)
                at = (x + width * 0.28, y + index * tall * 0.52) if two else (x + index * width * 0.5, y + low * tall)
                self.stamp(mask, int(at[0]), int(at[1]), self.ink)
        else:
            rows = random.integers(1, 4)
            for row in range(rows):
                top = y + tall * row / rows
                if random.random() < 0.5:
                    self.small_print(top, top + tall / rows * 0.7, x, x + width)
                else:
                    for step in np.arange(0, 0.95, 0.3):
                        self.foreign(x + step * width, top, width * 0.3, tall / rows * 0.8)

    def emblem(self, x, y, radius, tall):
        """A fruit, a state's outline, a star, a flag: blots of any shade between two groups of characters."""
        random = self.random
        tall = radius * min(random.uniform(0.7, 2.2), tall / 2 / max(radius, 1))
        for _ in range(random.integers(1, 4)):
            shade = random.uniform(0, 255) if random.random() < 0.5 else self.ground + (self.ink - self.ground) * random.uniform(0.15, 1)
            corners = random.integers(3, 11)
            angles = np.sort(random.uniform(0, 2 * np.pi, corners))
            reach = random.uniform(0.35, 1.0, corners)
            points = np.stack([x + np.cos(angles) * reach * radius, y + np.sin(angles) * reach * tall], 1)
            if random.random() < 0.4:
                axes = (max(1, int(radius * random.uniform(0.3, 0.9))), max(1, int(tall * random.uniform(0.3, 0.9))))
                cv2.ellipse(self.canvas, (int(x), int(y)), axes, 0, 0, 360, shade, random.choice([-1, -1, 2]))
            else:
                cv2.fillPoly(self.canvas, [points.astype(np.int32)], shade)

    def stickers(self):
        """The month and the year of a registration, in corners."""
        random = self.random
        for left in (True, False):
            if random.random() < 0.3:
                continue
            w, h = int(WIDE * random.uniform(0.07, 0.13)), int(self.height * random.uniform(0.1, 0.2))
            x = int(WIDE * random.uniform(0.02, 0.12)) if left else WIDE - w - int(WIDE * random.uniform(0.02, 0.12))
            y = int(self.height * random.uniform(0.03, 0.08)) if random.random() < 0.75 else self.height - h - 4
            cv2.rectangle(self.canvas, (x, y), (x + w, y + h), random.uniform(30, 250), -1)
            word = f"{random.integers(0, 100):02}" if random.random() < 0.6 else "".join(LETTERS[i] for i in random.integers(0, 26, 3))
            mask = np.zeros((h, w), np.uint8)
            cv2.putText(mask, word, (2, h - 3), 0, h / 36, 255, 1)
            self.stamp(mask, x, y, random.uniform(0, 255))

    def foreign(self, x, y, width, tall):
        """A character of no Latin kind: a few strokes, straight or bent."""
        random = self.random
        mask = np.zeros((max(4, int(tall)), max(4, int(width))), np.uint8)
        size, thick = np.array(mask.shape[::-1]), max(1, int(tall * random.uniform(0.05, 0.13)))
        bent = random.random() < 0.5
        for _ in range(random.integers(2, 7)):
            a = random.uniform(0.05, 0.95, 2) * size
            if bent:
                axes = tuple(int(v) for v in np.maximum(1, random.uniform(0.08, 0.35, 2) * size))
                cv2.ellipse(mask, tuple(map(int, a)), axes, 0, random.uniform(0, 360), random.uniform(90, 360), 255, thick)
            else:
                b = a * (0, 1) + (random.uniform(0.05, 0.95) * size[0], 0) if random.random() < 0.5 else a * (1, 0) + (0, random.uniform(0.05, 0.95) * size[1])
                cv2.line(mask, tuple(map(int, a)), tuple(map(int, b)), 255, thick)
        self.stamp(mask, int(x), int(y), self.ink)

    def panel(self, rim):
        """Leaves the ground's shade only in the middle: above and below it, hardly beside it, is a bright rim."""
        high, side = int(self.height * self.random.uniform(0.1, 0.2)), int(WIDE * self.random.uniform(0.01, 0.07))
        inner = self.canvas[high : self.height - high, side : WIDE - side].copy()
        self.canvas[:] = rim
        self.canvas[high : self.height - high, side : WIDE - side] = inner
        self.field = (side, high, WIDE - side, self.height - high)

    def relief(self, marks):
        """Stamped characters catch the light on one side, and throw a shadow on the other."""
        random = self.random
        dx, dy = random.integers(-3, 4), random.integers(-3, 4)
        moved = cv2.warpAffine(marks, np.float32([[1, 0, dx], [0, 1, dy]]), marks.shape[::-1])
        self.canvas += (marks - moved) * random.uniform(-0.6, 0.6)

    def small_print(self, top, bottom, left=0, right=WIDE, dated=False):
        """A state, a slogan, a month and a year: print that is no part of the number."""
        random = self.random
        kind = random.random()
        if kind < 0.5 and not dated:
            words = "".join(LETTERS[i] for i in random.integers(0, 26, random.integers(3, 13)))
        elif kind < 0.75 or dated:
            words = f"{random.integers(1, 13):02}{random.choice([' ', '.', '-', ' · '])}{random.integers(10, 40)}"
        else:
            words = "".join(chr(97 + i) for i in random.integers(0, 26, random.integers(4, 16)))
        size = max(5.0, bottom - top)
        font = (self.glyphs if dated or random.random() < 0.5 else self.other).font.font_variant(size=size)
        l, t, r, b = font.getbbox(words)
        mask = Image.new("L", (max(1, r - l), max(1, b - t)), 0)
        ImageDraw.Draw(mask).text((-l, -t), words, fill=255, font=font)
        mask = np.asarray(mask)
        if mask.shape[1] > right - left:
            mask = cv2.resize(mask, (int(right - left), mask.shape[0]), interpolation=cv2.INTER_AREA)
        shade = self.ink if random.random() < 0.6 else random.uniform(min(self.ink, self.ground), max(self.ink, self.ground))
        x = int(left + (right - left - mask.shape[1]) * (0.5 if random.random() < 0.7 else random.random()))
        self.stamp(mask, x, int(top), shade)

    def band(self, share, on_right):
        """A country band with a few letters or an emblem."""
        random, w = self.random, int(WIDE * share)
        x = WIDE - w if on_right else 0
        cv2.rectangle(self.canvas, (x, 0), (x + w, self.height), random.uniform(20, 230), -1)
        shade = random.uniform(100, 255)
        cv2.circle(self.canvas, (x + w // 2, self.height // 3), w // 4, shade, random.choice([1, 2, 3]))
        if random.random() < 0.8:
            word = random.choice(["D", "F", "SK", "CZ", "GB", "IND", "PL", "I", "NL", "R", "BR"])
            mask = np.zeros((self.height, WIDE), np.uint8)
            cv2.putText(mask, word, (x + 2, int(self.height * 0.85)), 0, 0.25 + 0.01 * w, 255, 1)
            self.stamp(mask, 0, 0, shade)

    def wear(self):
        """Screws, dirt, scratches, glare, an edge."""
        random = self.random
        if random.random() < 0.6:
            inset, thick = random.integers(0, 8), random.integers(1, 6)
            cv2.rectangle(self.canvas, (inset, inset), (WIDE - inset, self.height - inset), self.ink, int(thick))
        for _ in range(random.integers(0, 5)):
            at = (int(random.uniform(0, WIDE)), int(random.choice([0.1, 0.5, 0.9]) * self.height))
            cv2.circle(self.canvas, at, int(random.uniform(2, 7)), random.uniform(0, 255), -1)
        if random.random() < 0.2:  # dirt: a low-pass field
            field = random.uniform(0, 1, (4, 8)).astype(np.float32)
            field = cv2.resize(field, (WIDE, self.height), interpolation=cv2.INTER_CUBIC).clip(0, 1) ** 2
            share = field * random.uniform(0.2, 0.7)
            self.canvas = self.canvas * (1 - share) + random.uniform(40, 160) * share
        if random.random() < 0.12:  # glare or the lamp of an infrared camera
            ys, xs = np.mgrid[0 : self.height, 0:WIDE].astype(np.float32)
            x, y, r = random.uniform(0, WIDE), random.uniform(0, self.height), random.uniform(0.1, 0.4) * WIDE
            self.canvas += random.uniform(40, 160) * np.exp(-((xs - x) ** 2 + (ys - y) ** 2) / (2 * r * r))
        if random.random() < 0.15:  # something hangs before it
            a, b = (random.uniform(0, WIDE, 2), random.uniform(0, self.height, 2))
            ends = [(int(a[0]), int(b[0])), (int(a[1]), int(b[1]))]
            cv2.line(self.canvas, *ends, random.uniform(0, 255), int(random.uniform(1, 4)))


def drawn(bank, known, random):
    """A flat plate of some region."""
    names = sorted(known)
    chances = np.array([OFTEN.get(n, 1) for n in names], float)
    region = names[random.choice(len(names), p=chances / chances.sum())]
    pattern = known[region][max(random.integers(len(known[region]) + 1) - 1, 0)]  # the first twice as often
    if random.random() < 0.12:  # somebody's own choice, or a country not listed
        pattern = random.choice(["X{3,8}", "A{2,4}_9{1,4}", "9{2,4}_A{2,3}", "X{2,3}-X{2,3}-X{2,3}", "A{3,7}", "9{4,7}", "X{2,4}|X{2,5}"])
    lines = written(pattern, random).split("|")
    if len(lines) == 1 and random.random() < 0.1 and "_" in lines[0].strip("_"):
        cut = lines[0].index("_")
        lines = [lines[0][:cut], lines[0][cut + 1 :]]
    aspect = ASPECTS.get(region, 4.6) * np.exp(random.normal(0, 0.12))
    if len(lines) == 2:
        aspect = random.uniform(1.2, 2.2) if region != "id" or random.random() < 0.5 else aspect
    dark = random.random() < DARK.get(region, 0.06)
    ground, ink = random.uniform(130, 255), random.uniform(0, 90)
    if dark:
        ground, ink = random.uniform(0, 80), random.uniform(140, 255)
    glyphs, other = (bank[random.integers(len(bank))] for _ in range(2))
    if random.random() < DIES:
        glyphs = dies.Dies(TALL, glyphs.font, random)
    plate = Plate(aspect, ground, ink, glyphs, other, random)
    if random.random() < (0.35 if region in AMERICAN else 0.08):  # a picture behind the number
        much, cells = random.uniform(10, 60), ((5, 9) if random.random() < 0.6 else (4, 1))
        field = random.uniform(-much, much, cells).astype(np.float32)
        plate.canvas += cv2.resize(field, (WIDE, plate.height), interpolation=cv2.INTER_CUBIC)
    if random.random() < 0.4:
        plate.bold = random.uniform(0.02, 0.1)
    if random.random() < SLASHED.get(region, 0.05):
        plate.slashed = "O" if region in SLASHED or random.random() < 0.3 else "0"
    panel = dark and random.random() < (0.9 if region == "ar" else 0.1)
    if panel:  # dark, in the middle of a bright plate
        plate.panel(random.uniform(150, 255))
    before = plate.canvas.copy()
    fill(plate, lines, region, random)
    if random.random() < 0.3:
        plate.relief(plate.canvas - before)
    if random.random() < 0.06:  # hardly any paint left: the relief tells
        share = random.uniform(0.1, 0.4)
        plate.canvas = before + (plate.canvas - before) * share
    plate.wear()
    return plate, lines


def fill(plate, lines, region, random):
    """Puts band, small print and the number where they go."""
    h = plate.height
    left, right = WIDE * random.uniform(0.01, 0.08), WIDE * (1 - random.uniform(0.01, 0.08))
    top, bottom = h * random.uniform(0.08, 0.2), h * (1 - random.uniform(0.08, 0.2))
    long = WIDE / h > 2.6
    if long and random.random() < (0.12 if region in ("id", "us", "my", "br") else 0.45):
        share = random.uniform(0.06, 0.12)
        plate.band(share, False)
        left += share * WIDE
        if random.random() < 0.2:
            plate.band(share, True)
            right -= share * WIDE
    chance = {"us": 0.85, "ca": 0.85, "id": 0.85, "br": 0.8, "ar": 0.7, "mx": 0.8, "ae": 0.5, "pk": 0.4, "au": 0.5}.get(region, 0.12)
    above, below = random.random() < chance, random.random() < chance
    if region == "id":
        above = random.random() < 0.05
    if region == "id" and random.random() < 0.6:  # the number reaches from edge to edge
        left, top, right = WIDE * random.uniform(0.01, 0.04), h * random.uniform(0.04, 0.14), WIDE * random.uniform(0.95, 1.0)
    part = random.uniform(0.2, 0.36) if region == "id" else random.uniform(0.13, 0.3 if region in AMERICAN else 0.24)
    if region in AMERICAN and random.random() < 0.5:
        plate.stickers()
    if plate.field and random.random() < 0.7:  # the number fills the panel, or reaches over its edges
        above = below = False
        left, top, right, bottom = np.array(plate.field) + random.uniform(-0.03, 0.06, 4) * (WIDE, h, -WIDE, -h)
    if above and len(lines) == 1:
        plate.small_print(h * 0.05, h * part, left, right)
        top = h * (part + random.uniform(0.03, 0.1))
    if below and len(lines) == 1:
        start = left + (right - left) * random.choice([0.0, 0.0, 0.5])
        plate.small_print(h * (1 - part), h * 0.95, start, right, region == "id" and random.random() < 0.9)
        bottom = h * (1 - part - random.uniform(0.03, 0.1))
    squeeze = random.uniform(0.7, 1.15)
    if len(lines) == 1:
        text = lines[0]
        if region in AMERICAN and random.random() < 0.4:
            text = re.sub("[_o-]", "e", text)
        plate.line(text, 0, (left, top, right, bottom), squeeze, random.random() < (0.7 if region == "id" else 0.08))
        return
    split = random.uniform(0.42, 0.55)
    middle, half = top + (bottom - top) * split, h * random.uniform(0.02, 0.05)
    plate.line(lines[0], 0, (left, top, right, middle - half), squeeze)
    plate.line(lines[1], 1, (left, middle + half, right, bottom), squeeze)


def surrounded(plate, photo, boxes, random):
    """The plate in SIZE, part of a photo around it, and the characters' places there: (character, line, x, width)."""
    left, top, right, bottom = PLATE
    wanted = (right - left, bottom - top)
    flat = cv2.resize(np.clip(plate.canvas, 0, 255).astype(np.uint8), wanted, interpolation=cv2.INTER_AREA)
    bend = random.normal(0, 0.08) if random.random() < 0.25 else 0.0  # on a bumper that is not flat
    canvas = np.full(SIZE[::-1], random.integers(0, 230), np.uint8)
    for _ in range(4):
        w = int(random.uniform(0.15, 0.6) * photo.shape[1])
        h = max(8, min(int(w / 3 * random.uniform(0.6, 1.6)), photo.shape[0]))
        x, y = random.integers(0, photo.shape[1] - w + 1), random.integers(0, photo.shape[0] - h + 1)
        if all(x + w < b[0] or x > b[0] + b[2] or y + h < b[1] or y > b[1] + b[3] for b in boxes):
            canvas = cv2.resize(photo[y : y + h, x : x + w], SIZE, interpolation=cv2.INTER_LINEAR)
            break
    if random.random() < 0.3:  # a frame around the plate, with a dealer's name
        grow = int(random.uniform(2, 9))
        cv2.rectangle(canvas, (left - grow, top - grow), (right + grow, bottom + grow), int(random.integers(0, 255)), -1)
        if grow > 5:
            words = "".join(LETTERS[i] for i in random.integers(0, 26, random.integers(6, 20)))
            cv2.putText(canvas, words, (left + 10, bottom + grow - 1), 0, 0.22, int(random.integers(0, 255)), 1)
    across = np.linspace(-1, 1, right - left, dtype=np.float32)
    rise = bend * (bottom - top) * (across**2 - 0.4)
    xs, ys = np.meshgrid(np.arange(right - left, dtype=np.float32), np.arange(SIZE[1], dtype=np.float32))
    ys = ys - top - rise
    bent = cv2.remap(flat, xs, ys, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    inside = (ys >= -0.5) & (ys < bottom - top - 0.5)
    canvas[:, left:right] = np.where(inside, bent, canvas[:, left:right])
    fx = wanted[0] / WIDE
    places = [(c, row, left + (a + b) / 2 * fx, (b - a) * fx) for c, row, a, b, _, _ in plate.characters]
    return canvas, places


def part(task):
    """Some plates, reproducible by the task's number."""
    seed, count = task
    random = np.random.default_rng([SEED, seed])
    result = []
    for _ in range(count):
        plate, lines = drawn(BANK, KNOWN, random)
        index = PHOTOS[random.integers(len(PHOTOS))]
        picture, places = surrounded(plate, data.decoded(PICTURES[index]), LABELS[index]["boxes"], random)
        text = "".join(c for c in "".join(lines) if c in FIGURES + LETTERS)
        result.append((picture, {"text": text, "lines": len(lines), "places": [(c, r, round(x, 1), round(w, 1)) for c, r, x, w in places]}))
    return result


def main():
    global BANK, KNOWN, PICTURES, LABELS, PHOTOS
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--packs", type=pathlib.Path, required=True)
    parser.add_argument("--count", type=int, default=30_000)
    parser.add_argument("--workers", type=int, default=1)
    arguments = parser.parse_args()
    PICTURES, LABELS = data.load(arguments.packs / "photos.npz")
    PHOTOS = [i for i, label in enumerate(LABELS) if not label["held"]]
    BANK, KNOWN = bank(), regions()
    packer = data.Packer(80)
    tasks = [(i, 50) for i in range(max(1, arguments.count // 50))]
    with multiprocessing.get_context("fork").Pool(arguments.workers) as pool:
        for batch in pool.imap(part, tasks):
            for picture, label in batch:
                packer.add(picture, label)
    packer.save(arguments.packs / "drawn.npz")


if __name__ == "__main__":
    main()
