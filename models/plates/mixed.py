"""Real plates whose glyphs are put together anew."""

import collections
import json
import typing

import cv2
import numpy as np

import data
import draw
import geometry


class Flat(typing.NamedTuple):
    """A real plate laid as drawn ones are."""

    picture: np.ndarray
    characters: list  # each with its line and its left and right end in the picture
    lines: int
    low: float  # level of what is dark on it
    high: float  # and of what is bright
    dark: bool  # its ground


class Mixed:
    """Real plates with other characters in the places of theirs, cut from real plates too: texts that were never seen in glyphs
    that were. Nothing can be learned by heart from them."""

    def __init__(self, path, crops):
        self.plates = []
        left, top, right, bottom = draw.PLATE
        for (jpeg, label), characters in zip(crops, json.loads(path.read_text()) if path.exists() else []):
            if label["held"] or not characters:
                continue
            picture = geometry.laid(data.decoded(jpeg), label["corners"], draw.PLATE, draw.SIZE)[0]
            inside = picture[top:bottom, left:right]
            levels = np.percentile(inside, [8, 92]).astype(float)
            self.plates.append(Flat(picture, characters, label["lines"], *levels, is_dark(inside)))
        self.alike = collections.defaultdict(list)
        for plate in self.plates:
            self.alike[plate.dark, plate.lines].append(plate)

    def plate(self, random):
        """A picture, and its label as drawn pictures have them."""
        plate = self.plates[random.integers(len(self.plates))]
        alike = self.alike[plate.dark, plate.lines]
        other = alike[random.integers(len(alike))]
        share = random.choice([0.0, 0.3, 0.6])  # from the other plate
        picture, written = plate.picture.copy(), []
        for character, line, left, right in plate.characters:
            source = other if random.random() < share else plate
            taken, its_line, a, b = source.characters[random.integers(len(source.characters))]
            if 0.6 < (b - a) / (right - left) < 1.6 and random.random() < 0.85:
                strip = stretched(source.picture, a, b, left, right).astype(np.float32)
                strip = strip[rows(source, its_line)]
                strip = (strip - source.low) * (plate.high - plate.low) / max(source.high - source.low, 8.0) + plate.low
                blend(picture[rows(plate, line)], strip, left)
                character = taken
            written.append((character, line, (left + right) / 2, (right - left) * 0.85))
        return picture, {"text": "".join(w[0] for w in written), "lines": plate.lines, "places": written}


def rows(plate, line):
    """Where a line of a plate stands in its picture: from the plate's upper to its lower edge, or half of that."""
    _, top, _, bottom = draw.PLATE
    middle = (top + bottom) // 2
    return slice(top, bottom) if plate.lines == 1 else (slice(top, middle), slice(middle, bottom))[line]


def is_dark(plate):
    """Whether a plate's ground is darker than what stands on it, which covers less of it."""
    return bool(np.median(plate) < (np.percentile(plate, 5) + np.percentile(plate, 95)) / 2)


def stretched(picture, a, b, left, right):
    """The columns from a to b, as wide as those from left to right."""
    width, height = max(2, round(right - left)), picture.shape[0]
    matrix = np.array([[(b - a) / width, 0, a], [0, 1, 0]], np.float64)
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return cv2.warpAffine(picture, matrix, (width, height), flags=flags, borderMode=cv2.BORDER_REPLICATE)


def blend(area, strip, left):
    """Lays columns over those of an area, without an edge of their own."""
    start, width = round(left), strip.shape[1]
    share = np.minimum(1.0, np.minimum(np.arange(width) + 1, np.arange(width, 0, -1)) / 3.0)
    from_, to = max(0, -start), min(width, area.shape[1] - start)
    if to > from_:
        part = area[:, start + from_ : start + to]
        part[:] = np.clip(part * (1 - share[from_:to]) + strip[:, from_:to] * share[from_:to], 0, 255)
