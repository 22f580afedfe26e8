"""Characters as dies stamp them: strokes of one width along skeletons of our own, in proportions that are chosen anew for each plate.

Typefaces are made for paper. The dies of plates differ from them, and from country to country, in just what tells characters of few
pixels apart: how long the flag of a 1 is, whether the sides of an M or a W stand upright and how far its middle reaches, where a 4 is
open, how round a 0 is. `Dies` are a set that no country need have, so that a reader learns what makes a character one.
"""

import cv2
import numpy as np

FINE = 8  # bits of a pixel's fractions


def bent(x, y, wide, high, start, end, round_):
    """Part of a superellipse (2: an ellipse, more: nearly a rectangle) around (x, y); degrees, 0 to the right, 90 down."""
    angles = np.radians(np.linspace(start, end, max(3, int(abs(end - start) / 6))))
    cos, sin = np.cos(angles), np.sin(angles)
    power = 2 / round_
    points = np.stack([x + wide * np.sign(cos) * np.abs(cos) ** power, y + high * np.sign(sin) * np.abs(sin) ** power], 1)
    return [tuple(point) for point in points]


class Dies:
    """One set: `ink`, each character as a grey picture of one height; `font` for the words beside a number."""

    def __init__(self, tall, font, random):
        self.tall, self.font, self.random = tall, font, random
        self.wide = random.uniform(0.4, 0.66)
        self.stroke = min(random.uniform(0.09, 0.19), 0.34 * self.wide)
        self.round = random.uniform(2, 2.6) if random.random() < 0.4 else random.uniform(2.6, 6)
        self.corner = random.uniform(0.2, 0.36)  # the height of a character's round ends
        self.waist = random.uniform(0.44, 0.52)
        self.flat = random.random() < 0.5  # strokes end straight
        skeletons = self.skeletons()
        self.ink = {character: self.drawn(*skeletons[character]) for character in skeletons}

    def drawn(self, wide, paths):
        """Strokes along paths, whose points lie between (0, 0), top left, and (1, 1)."""
        tall, stroke = self.tall, self.stroke * self.tall
        across, down = max(0.0, wide * tall - stroke), tall - stroke
        mask = np.zeros((tall + 4, int(np.ceil(across + stroke)) + 1), np.uint8)
        for path in paths:
            points = np.array(path) * [across, down] + stroke / 2 + [0.5, 2]
            if self.flat:
                points = self.lengthened(points, stroke * 0.3)
            fine = np.round(points * (1 << FINE)).astype(np.int32)
            cv2.polylines(mask, [fine], False, 255, max(1, round(stroke)), cv2.LINE_AA, FINE)
        if self.flat:  # what round ends reach beyond the edges is cut off
            mask[:2] = mask[-2:] = 0
        return mask

    def lengthened(self, points, much):
        """A path whose ends at an edge reach beyond it, where they are cut straight."""
        points = points.copy()
        for end, before in ((0, 1), (-1, -2)):
            way = points[end] - points[before]
            length = np.hypot(*way)
            if length > 0 and abs(way[1]) > 0.7 * length:
                points[end] += way / length * much
        return points

    def ring(self, top, bottom, narrow=0.0):
        """All around, from `top` to `bottom`."""
        middle, high = (top + bottom) / 2, (bottom - top) / 2
        corner = min(self.corner, high)
        left, right = narrow, 1 - narrow
        wide = (right - left) / 2
        upper = bent(0.5, top + corner, wide, corner, 180, 360, self.round)
        lower = bent(0.5, bottom - corner, wide, corner, 0, 180, self.round)
        return [*upper, (right, middle), *lower, (left, middle), upper[0]]

    def bowl(self, top, bottom, right=1.0):
        """From the stem around to the right and back."""
        high = (bottom - top) / 2
        corner, wide = min(self.corner, high), right * self.random.uniform(0.35, 0.6)
        upper = bent(right - wide, top + corner, wide, corner, 270, 360, self.round)
        lower = bent(right - wide, bottom - corner, wide, corner, 0, 90, self.round)
        return [(0, top), *upper, *lower, (0, bottom)]

    def skeletons(self):
        """Every character's width and paths, in shapes drawn by lot."""
        random, corner, waist = self.random, self.corner, self.waist
        chance, within = lambda share: random.random() < share, random.uniform
        arc = lambda x, y, wide, high, start, end: bent(x, y, wide, high, start, end, self.round)
        top, bottom = lambda start, end: arc(0.5, corner, 0.5, corner, start, end), lambda start, end: arc(0.5, 1 - corner, 0.5, corner, start, end)
        open_ = within(5, 40)  # how far from level the ends of C, G, S, 2, 3, 5 stop
        stem = [(0, 0), (0, 1)]
        shapes = {}

        shapes["0"] = [self.ring(0, 1)]
        flag, base = within(0.12, 0.4), chance(0.25)
        shapes["1"] = [[(0, flag * within(0.4, 1.1)), (0.5 if base else 1, 0), (0.5 if base else 1, 1)]] + [[(0, 1), (1, 1)]] * base
        bend = within(0, 40)
        shapes["2"] = [[*top(180 + open_ * 0.4, 360 + bend), (0, 1), (1, 1)]]
        lower = arc(0.5, (1 + waist) / 2, 0.5, (1 - waist) / 2, 270, 540 - open_)
        if chance(0.25):
            shapes["3"] = [[(0, 0), (1, 0), (within(0.3, 0.6), waist), *lower]]
        else:
            shapes["3"] = [[*arc(0.5, waist / 2, within(0.44, 0.5), waist / 2, 180 + open_, 450), *([(0.3, waist)] if chance(0.5) else [])], [(0.35, waist), *lower]]
        bar, post = within(0.6, 0.78), within(0.65, 0.85)
        if chance(0.35):
            shapes["4"] = [[(within(0.15, 0.45), 0), (0, bar), (1, bar)], [(post, within(0.3, 0.5)), (post, 1)]]
        else:
            shapes["4"] = [[(post, 1), (post, 0), (0, bar), (1, bar)]]
        lean, neck = within(0, 0.12), within(0.38, 0.5)
        shapes["5"] = [[(within(0.85, 1), 0), (lean, 0), (0, neck + 0.05), *arc(0.5, (1 + neck) / 2, 0.5, (1 - neck) / 2, 200 + within(0, 40), 540 - open_)]]
        ring_top = within(0.36, 0.46)
        if chance(0.35):
            tail = [(within(0.45, 0.85), 0), (0.04, (ring_top + 1) / 2 - within(0.02, 0.12))]
        else:
            tail = [*top(360 - open_, 180), (0, 1 - corner)]
        shapes["6"] = [self.ring(ring_top, 1), tail]
        shapes["9"] = [[(1 - x, 1 - y) for x, y in path] for path in shapes["6"]]
        foot, knee = within(0.1, 0.5), within(0.2, 0.5)
        shapes["7"] = [[(0, 0), (1, 0), *([(1 - (1 - foot) * 0.35, knee)] if chance(0.3) else []), (foot, 1)]]
        if chance(0.12):
            shapes["7"].append([(within(0.1, 0.3), 0.5), (within(0.75, 0.95), 0.5)])
        if chance(0.12):
            shapes["7"][0].insert(0, (0, within(0.1, 0.2)))
        shapes["8"] = [self.ring(0, waist, within(0, 0.08)), self.ring(waist, 1)]

        tip, level = within(0, 0.15), within(0.58, 0.78)
        if chance(0.12):
            shapes["A"] = [[(0, 1), *top(180, 360), (1, 1)], [(0, level), (1, level)]]
        else:
            beside = (0.5 - tip) * (1 - level)
            shapes["A"] = [[(0, 1), (0.5 - tip, 0), (0.5 + tip, 0), (1, 1)], [(beside, level), (1 - beside, level)]]
        shapes["B"] = [stem, self.bowl(0, waist, within(0.88, 1)), self.bowl(waist, 1)]
        shapes["C"] = [[*top(360 - open_, 180), *bottom(180, open_)]]
        shapes["D"] = [stem, self.bowl(0, 1)]
        middle, short = waist + within(-0.02, 0.06), within(0.7, 1)
        shapes["E"] = [[(1, 0), (0, 0), (0, 1), (1, 1)], [(0, middle), (short, middle)]]
        shapes["F"] = [[(1, 0), (0, 0), (0, 1)], [(0, middle), (short, middle)]]
        ledge = within(0.5, 0.62)
        shapes["G"] = [[*top(360 - open_, 180), *bottom(180, 0), (1, ledge), (within(0.4, 0.7), ledge)]]
        if chance(0.25):
            shapes["G"].append([(1, ledge), (1, 1)])
        shapes["H"] = [stem, [(1, 0), (1, 1)], [(0, middle), (1, middle)]]
        serif = chance(0.2)
        shapes["I"] = [[(0.5, 0), (0.5, 1)]] + [[(0, 0), (1, 0)], [(0, 1), (1, 1)]] * serif
        shapes["J"] = [[*([(within(0.3, 0.6), 0)] if chance(0.2) else []), (1, 0), *bottom(0, 180 - open_ * 0.4)]]
        if chance(0.5):
            shapes["K"] = [stem, [(1, 0), (0, within(0.45, 0.65))], [(within(0.2, 0.4), within(0.36, 0.48)), (1, 1)]]
        else:
            shapes["K"] = [stem, [(1, 0), (within(0, 0.15), waist), (1, 1)]]
        shapes["L"] = [[(0, 0), (0, 1), (1, 1)]]
        lean, deep = (0.0 if chance(0.7) else within(0, 0.15)), within(0.35, 1)
        shapes["M"] = [[(0, 1), (lean, 0), (0.5, deep), (1 - lean, 0), (1, 1)]]
        shapes["N"] = [[(0, 1), (0, 0), (1, 1), (1, 0)]]
        shapes["O"] = [self.ring(0, 1)]
        under = within(0.48, 0.62)
        shapes["P"] = [stem, self.bowl(0, under)]
        start = within(0.5, 0.75)
        shapes["Q"] = [self.ring(0, 1), [(start, start + within(0, 0.15)), (within(0.9, 1.1), 1)]]
        under = within(0.46, 0.58)
        shapes["R"] = [stem, self.bowl(0, under), [(within(0.3, 0.6), under), (1, 1)]]
        if chance(0.2):
            shapes["R"][2] = [(0.5, under), (1, under + 0.18), (1, 1)]
        shapes["S"] = [[*arc(0.5, waist / 2, 0.5, waist / 2, 360 - open_, 90), *arc(0.5, (1 + waist) / 2, 0.5, (1 - waist) / 2, 270, 540 - open_)]]
        shapes["T"] = [[(0, 0), (1, 0)], [(0.5, 0), (0.5, 1)]]
        shapes["U"] = [[(0, 0), *bottom(180, 0), (1, 0)]]
        tip = within(0, 0.1)
        shapes["V"] = [[(0, 0), (0.5 - tip, 1), (0.5 + tip, 1), (1, 0)]]
        lean, high = (within(0, 0.1) if chance(0.5) else within(0.1, 0.28)), within(0, 0.65)
        shapes["W"] = [[(0, 0), (lean, 1), (0.5, high), (1 - lean, 1), (1, 0)]]
        shapes["X"] = [[(0, 0), (1, 1)], [(1, 0), (0, 1)]]
        fork = within(0.4, 0.62)
        shapes["Y"] = [[(0, 0), (0.5, fork), (1, 0)], [(0.5, fork), (0.5, 1)]]
        shapes["Z"] = [[(0, 0), (1, 0), (0, 1), (1, 1)]]

        factors = {
            "1": within(0.8, 1.1) if base else within(0.45, 0.75), "I": within(0.5, 0.8) if serif else 0.0, "M": within(1.0, 1.5), "W": within(1.0, 1.6),
            "J": within(0.7, 1), "L": within(0.8, 1), "E": within(0.8, 1), "F": within(0.8, 1),
            "O": 1.0 if chance(0.5) else within(0.95, 1.3), "A": within(1, 1.2), "V": within(1, 1.2),
        }
        return {character: (max(self.stroke, self.wide * factors.get(character, 1.0)), paths) for character, paths in shapes.items()}
