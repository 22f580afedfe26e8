"""What stands in slots: vehicles, and what else is left there; faces in metres."""

import numpy as np

PAINTS = [(235, 236, 238)] * 5 + [(160, 163, 165)] * 3 + [(24, 24, 26)] * 5 + [(74, 76, 80)] * 3 + [
    (96, 44, 24), (140, 80, 30), (28, 24, 130), (40, 36, 190), (60, 84, 40), (150, 178, 196), (60, 96, 150), (30, 150, 210),
]


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


def seams(random, ends, half, height, load, count):
    """Planks, panels or folds of a cover on a flat top, as a group each."""
    groups, along = [], random.random() < 0.5
    for u in random.uniform(0.03, 0.97, count):
        if along:
            y = (2 * u - 1) * half
            line = [(ends[0], y), (ends[1], y), (ends[1], y + 0.06), (ends[0], y + 0.06)]
        else:
            x = ends[0] + u * (ends[1] - ends[0])
            line = [(x, -half), (x + 0.06, -half), (x + 0.06, half), (x, half)]
        groups.append([([(x, y, height) for x, y in line], np.clip(load * random.choice([0.55, 0.8, 1.3]), 0, 255))])
    return groups


def no_car(random):
    """What else stands in slots: a trailer, a skip, shopping trolleys, motorcycles; as `vehicle` has it."""
    kind = random.choice(["trailer", "skip", "trolleys", "motorcycles"], p=[0.5, 0.1, 0.22, 0.18])
    shade = random.choice([random.uniform(12, 50), random.uniform(50, 240)])
    load = np.clip(shade * np.array([random.uniform(0.8, 1.2), 1, random.uniform(0.8, 1.2)]), 0, 250)
    groups = []
    if kind in ("trailer", "skip"):
        length, half = random.uniform(3.2, 7.0), random.uniform(0.85, 1.2)
        n, t = length / 2, -length / 2
        height = random.uniform(0.8, 1.5) if random.random() < 0.6 else random.uniform(1.8, 2.8)
        groups.append(solid(t, n, half, 0.3, height, (t, n), (load, load * 0.9, load * 0.9, load * 0.8)))
        if kind == "skip":
            inside = [(t + 0.12, -half + 0.12), (n - 0.12, -half + 0.12), (n - 0.12, half - 0.12), (t + 0.12, half - 0.12)]
            groups.append([([(x, y, height) for x, y in inside], load * random.uniform(0.3, 0.7))])
        groups += seams(random, (t, n), half, height, load, random.integers(0, 14))
        for _ in range(random.integers(0, 12)):  # hooks, dirt, what lies on it
            x, y, size = random.uniform(t, n - 0.2), random.uniform(-half, half - 0.2), random.uniform(0.05, 0.25)
            spot = [(x, y), (x + size, y), (x + size, y + size), (x, y + size)]
            groups.append([([(x, y, height) for x, y in spot], np.full(3, random.uniform(20, 230)))])
    elif kind == "trolleys":
        count, half = random.integers(2, 9), random.uniform(0.25, 0.35)
        n, t = count * 0.2, -count * 0.2
        for x in np.arange(t, n - 0.2, 0.4):
            metal = np.full(3, random.uniform(90, 200))
            y = random.normal(0, 0.08)
            box = [(x, y - half), (x + 0.3, y - half), (x + 0.3, y + half), (x, y + half)]
            groups.append([([(x, y, 0.4) for x, y in box], metal * 0.4), ([(x, y, 1.0) for x, y in box[:2] + [(x + 0.3, y - half + 0.1), (x, y - half + 0.1)]], metal)])
            groups.append([([(x, -half, 1.0), (x + 0.08, -half, 1.0), (x + 0.08, half, 1.0), (x, half, 1.0)], metal)])
    else:
        n, t, count = 1.05, -1.05, random.integers(1, 4)
        half = 0.4 * count
        for y in np.linspace(-half + 0.4, half - 0.4, count):
            paint, black = np.array(PAINTS[random.integers(len(PAINTS))], float), np.full(3, random.uniform(15, 45))
            strip = lambda a, b, w, z, c: groups.append([([(a, y - w, z), (b, y - w, z), (b, y + w, z), (a, y + w, z)], c)])
            strip(t, n, 0.07, 0.5, black)
            strip(-0.5, 0.45, 0.17, 0.8, paint)
            strip(-0.8, -0.1, 0.14, 0.85, black)
            strip(0.45, 0.55, 0.38, 1.0, black)
    return groups, [(t, -half), (n, -half), (n, half), (t, half)], max(p[2] for g in groups for f, _ in g for p in f)


def vehicle(random):
    """Faces in painting order, as groups, metres, x ahead; its outline on the ground; its height."""
    if random.random() < 0.2:
        return no_car(random)
    kind = random.choice(["car", "estate", "van", "pickup", "lorry"], p=[0.45, 0.2, 0.14, 0.1, 0.11])
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
        groups += seams(random, (t, n - 1.75), half, height, load, random.integers(0, 7))
    z, lamp = belt * 0.75, random.uniform(120, 255)
    for y in (-1, 1):
        span = (y * (half - 0.4), y * (half - 0.08))
        ends = [(n - 0.02, n - 0.28, (lamp, lamp, lamp)), (t + 0.02, t + 0.14, (30, 30, random.uniform(90, 200)))]
        for near, deep, colour in ends:
            groups[0].append(([(near, span[0], z), (near, span[1], z), (deep, span[1], belt + 0.01), (deep, span[0], belt + 0.01)], np.array(colour)))
    return groups, [(t, -half), (n, -half), (n, half), (t, half)], max(p[2] for g in groups for f, _ in g for p in f)
