"""Plate-like lines of text, rendered as the strips that the reader sees.

A strip is 24 x 160 grey pixels with dark characters about 18 high, as lib/detect/plates/strip.rs cuts it.
"""

import re
import subprocess

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

HEIGHT, WIDTH, TEXT = 24, 160, 18
COLUMNS = WIDTH // 2
ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
FINE = 2  # rendered at this many times the size of a strip

# Families (of Debian's fonts-* packages) whose capitals and figures look like something stamped on a plate.
LIKELY = r"opendin|roadgeek|routed|bebas|NationalPark|Cond|Narrow|Yanone|Gillius|Switzera|Allerta|B612"
FAMILIES = LIKELY + (
    r"|DejaVuSans|LiberationSans|Roboto|OpenSans|Lato|Cantarell|Inter|Play|Dosis|Universalis|VeranaSans|ocr|FreeSans"
    r"|NimbusSans|texgyreheros|texgyreadventor|Jura|Karla|Manrope|Sora|JetBrainsMono|Hack|Inconsolata|Go-|Mononoki"
    r"|Anonymous|Cabin-|Quicksand|Comfortaa|Carlito|Andika|DroidSans|Oxygen|NotoSans-|NotoSansMono"
)
UNFIT = r"ital|obli|It\.|thin|hairline|extralight|ultralight|outline|fallback|math|icons|shade|sketch|NotoSansM?[a-z]*[A-Z]"


def fonts():
    """Paths of the fonts to render with; likely ones come several times."""
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
    """Characters of one font as grey pictures of one height, and how far each moves the pen."""

    def __init__(self, path):
        font = ImageFont.truetype(path, 100)
        top, bottom = (font.getbbox("H")[i] for i in (1, 3))
        self.height = TEXT * FINE
        font = ImageFont.truetype(path, 100 * self.height / (bottom - top))
        top = font.getbbox("H")[1]
        self.ink = {}
        for character in ALPHABET + "-.":
            left, _, right, _ = font.getbbox(character)
            picture = Image.new("L", (max(1, right - left), self.height + 2 * FINE), 0)
            ImageDraw.Draw(picture).text((-left, FINE - top), character, fill=255, font=font)
            self.ink[character] = np.asarray(picture)


def text(random):
    """Groups of a plate: letters and figures in an order seen somewhere, or any."""
    groups = []
    if random.random() < 0.75:
        for _ in range(random.choice([2, 2, 2, 3])):
            kind = random.choice(["A", "A", "9", "9", "*"])
            pool = {"A": ALPHABET[10:], "9": ALPHABET[:10], "*": ALPHABET}[kind]
            groups.append("".join(random.choice(list(pool), random.integers(1, 5))))
    else:
        groups = ["".join(random.choice(list(ALPHABET), random.integers(4, 9)))]
    joined = 0
    kept = []
    for group in groups:
        group = group[: max(0, 9 - joined)]
        joined += len(group)
        if group:
            kept.append(group)
    return kept


def between(canvas, x, random, paint):
    """Draws what stands between groups at x (a gap, a dash, a dot, a seal); returns the width it takes."""
    h = TEXT * FINE
    kind = random.choice(["gap", "gap", "dash", "dot", "seal", "seals"])
    if kind == "gap":
        return int(h * random.uniform(0.15, 0.8))
    width = int(h * random.uniform(0.35, 0.6))
    middle, centre = canvas.shape[0] // 2, int(x + width / 2)
    if kind == "dash":
        half, thick = int(width * 0.3), int(h * random.uniform(0.04, 0.09))
        cv2.rectangle(canvas, (centre - half, middle - thick), (centre + half, middle + thick), paint, -1)
    elif kind == "dot":
        cv2.circle(canvas, (centre, middle), int(h * random.uniform(0.06, 0.1)), paint, -1)
    else:
        for y in [0] if kind == "seal" else [-h * 0.25, h * 0.25]:
            radius = int(h * random.uniform(0.12, 0.22))
            shade = float(random.uniform(min(paint, 120), 200))
            cv2.circle(canvas, (centre, int(middle + y)), radius, shade, -1)
            if random.random() < 0.5:
                cv2.circle(canvas, (centre, int(middle + y)), radius // 2, float(random.uniform(40, 220)), -1)
    return width


def plate(glyphs, random):
    """A flat line of text: its picture, its characters, and each one's left and right edge."""
    h = TEXT * FINE
    rows, columns = 36 * FINE, 400 * FINE
    ground, ink = random.uniform(140, 255), random.uniform(0, 90)
    canvas = np.full((rows, columns), ground, np.uint8)
    aspect = random.uniform(0.75, 1.2)
    spacing = h * random.uniform(0.06, 0.3)
    base = rows // 2 - h // 2 - FINE
    x = start = 140 * FINE
    characters, edges = "", []
    for index, group in enumerate(text(random)):
        if index:
            x += between(canvas, x, random, ink) + spacing * 0.5
        for character in group:
            mask = glyphs.ink[character]
            width = max(2, int(mask.shape[1] * aspect))
            mask = cv2.resize(mask, (width, mask.shape[0]), interpolation=cv2.INTER_AREA) / 255.0
            left = int(x)
            if left + width > columns - 100 * FINE:
                break
            area = canvas[base : base + mask.shape[0], left : left + width]
            area[:] = area * (1 - mask) + ink * mask
            characters += character
            edges.append((left, left + width))
            x = left + width + spacing
    surround(canvas, start, x - spacing, random, ink)
    weight = random.choice([-1, 0, 0, 0, 1])
    if weight:
        kernel = np.ones((FINE, FINE), np.uint8)
        canvas = cv2.erode(canvas, kernel) if weight > 0 else cv2.dilate(canvas, kernel)
    return canvas, characters, edges


def surround(canvas, left, right, random, ink):
    """What lies around the text on real cars: the plate's edge, a country band, other print, bumper and grille."""
    h = TEXT * FINE
    rows, columns = canvas.shape
    middle = rows // 2
    near = lambda low, high: int(h * random.uniform(low, high))
    x0, x1 = int(left) - near(0.12, 1.0), int(right) + near(0.12, 1.0)
    y0, y1 = middle - h // 2 - near(0.1, 0.6), middle + h // 2 + near(0.08, 0.5)
    if random.random() < 0.3:  # a band with a letter or an emblem
        band = near(0.35, 0.6)
        cv2.rectangle(canvas, (x0 - band, y0), (x0, y1), float(random.uniform(20, 200)), -1)
        shade = float(random.uniform(100, 255))
        cv2.circle(canvas, (x0 - band // 2, middle - h // 5), near(0.08, 0.16), shade, near(0.02, 0.05))
        cv2.putText(canvas, random.choice(["D", "F", "SK", "CZ", "GB"]), (x0 - band + 3, y1 - h // 6), 0, 0.5, shade, 2)
        x0 -= band
    for y in (y0 - h // 6, y1 + h // 4):  # a state, a town, a slogan
        if random.random() < 0.4:
            words = "".join(random.choice(list(ALPHABET[10:]), random.integers(4, 14)))
            cv2.putText(canvas, words, (int(left) + near(0, 1), y), 0, random.uniform(0.3, 0.7), ink, 2)
            y0, y1 = min(y0, y - h // 4), max(y1, y + h // 8)
    outside = random.random()
    if outside < 0.85:
        car = np.full_like(canvas, random.uniform(0, 230))
        for _ in range(random.integers(0, 8)):
            a = (int(random.uniform(0, columns)), int(random.uniform(0, rows)))
            b = (int(random.uniform(0, columns)), int(random.uniform(0, rows)))
            cv2.line(car, a, b, float(random.uniform(0, 255)), near(0.05, 0.8))
        car = cv2.GaussianBlur(car, (0, 0), random.uniform(1, 8))
        car[max(0, y0) : y1, max(0, x0) : x1] = canvas[max(0, y0) : y1, max(0, x0) : x1]
        canvas[:] = car
    if random.random() < 0.5:
        cv2.rectangle(canvas, (x0, y0), (x1, y1), float(random.uniform(0, 255)), near(0.03, 0.12))
    if random.random() < 0.25:  # a screw or dirt
        spot = (int(random.uniform(left, right)), int(random.uniform(y0, y1)))
        cv2.circle(canvas, spot, near(0.04, 0.1), float(random.uniform(0, 255)), -1)


def sample(bank, random):
    """One strip, its text, and for each of its columns of two pixels the class shown there (0 = none)."""
    canvas, characters, edges = plate(bank[random.integers(len(bank))], random)
    length = (edges[-1][1] - edges[0][0]) / FINE
    scale = random.uniform(0.88, 1.12)
    squeeze = min(scale * random.uniform(0.9, 1.1), (WIDTH - 6) / length)
    slack = max(0.0, (WIDTH - 4 - length * squeeze) / 2)
    shift = np.clip(random.normal(0, 0.45), -1, 1) * slack
    angle, shear = random.normal(0, 0.022), random.normal(0, 0.15)
    centre_x = (edges[0][0] + edges[-1][1]) / 2
    ax, ay = squeeze / FINE, scale / FINE
    to_strip = np.array([[ax, -shear * ay, 0], [angle * ax, ay, 0]])
    to_strip[0, 2] = WIDTH / 2 + shift - to_strip[0, 0] * centre_x - to_strip[0, 1] * canvas.shape[0] / 2
    to_strip[1, 2] = HEIGHT / 2 + random.normal(0, 0.8) - to_strip[1, 0] * centre_x - to_strip[1, 1] * canvas.shape[0] / 2
    strip = damaged(canvas, to_strip, random)
    labels = np.zeros(COLUMNS, np.uint8)
    for character, (left, right) in zip(characters, edges):
        middle = ax * (left + right) / 2 + to_strip[0, 2] + to_strip[0, 1] * canvas.shape[0] / 2
        half = max(1.1, 0.28 * ax * (right - left))
        columns = np.arange(COLUMNS) * 2 + 0.5
        labels[np.abs(columns - middle) <= half] = ALPHABET.index(character) + 1
    return strip, characters, labels


def damaged(canvas, to_strip, random):
    """The strip as a camera would see it: uneven light, few pixels, blur, noise, compression."""
    fine = np.vstack([to_strip[:2] * 2, [0, 0, 1]])[:2]
    picture = cv2.warpAffine(canvas, fine, (WIDTH * 2, HEIGHT * 2), flags=cv2.INTER_AREA, borderMode=cv2.BORDER_REPLICATE)
    picture = picture.astype(np.float32)
    if random.random() < 0.35:
        ramp = np.linspace(*random.uniform(0.4, 1.3, 2), WIDTH * 2, dtype=np.float32)
        picture = picture * ramp
    if random.random() < 0.15:
        edge = int(random.uniform(0, WIDTH * 2))
        picture[:, edge:] *= random.uniform(0.4, 0.8)
    if random.random() < 0.25:
        length = random.integers(3, 10)
        kernel = np.zeros((length, length), np.float32)
        kernel[length // 2] = 1.0 / length
        if random.random() < 0.3:
            kernel = kernel.T.copy()
        picture = cv2.filter2D(picture, -1, kernel)
    picture = cv2.GaussianBlur(picture, (0, 0), abs(random.normal(0, 1.4)) + 0.3)
    coarse = random.uniform(0.5, 1.0) ** 1.5 if random.random() < 0.7 else 1.0
    size = (max(40, int(WIDTH * coarse)), max(9, int(HEIGHT * coarse)))
    picture = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    contrast = random.uniform(0.12, 1.0)
    picture = (picture - 128) * contrast + 128 + random.uniform(-100, 100) * (1 - contrast)
    picture = picture + random.normal(0, abs(random.normal(0, 5)) * contrast + 0.5, picture.shape)
    picture = np.clip(picture, 0, 255).astype(np.uint8)
    if random.random() < 0.4:
        _, packed = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, int(random.uniform(35, 95))])
        picture = cv2.imdecode(packed, cv2.IMREAD_GRAYSCALE)
    return cv2.resize(picture, (WIDTH, HEIGHT), interpolation=cv2.INTER_LINEAR)


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
