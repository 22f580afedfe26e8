"""Renders parking lots that never were: any camera, light and weather, with the outline and state of every slot.

    python render.py OUT --count 600

writes pictures and slots.csv (file,slot_id,polygon,occupied; empty where it cannot be told) into OUT, and shares.csv
(file,slot_id,share: how much of the slot's ground vehicles cover, 0 to 1), since some pull in or out.
"""

import argparse
import multiprocessing
import pathlib

import cv2
import numpy as np

from light import shadows, weather
from lot import Lot, clouds, fill
from vehicles import vehicle

SEED = 11
OCCUPIED = 0.18  # a slot of whose ground so much is covered is as good as occupied


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


def picture(seed):
    """A picture (BGR) and its slots as (polygon, 1, 0 or None, share of its ground that is covered)."""
    random = np.random.default_rng(seed)
    lot = Lot(random)
    cam = Camera(random, lot.extent)
    lot.surface()
    overcast = random.random() < 0.4
    sun = np.append(random.normal(0, 1, 2), random.uniform(0.5, 2.2))
    sun /= np.linalg.norm(sun)
    direct = random.uniform(0.0, 0.15) if overcast else random.uniform(0.35, 0.85)
    share = random.choice([random.uniform(0, 1), 0.5, 0.95, 0.05])
    bustle = random.choice([0.03, 0.4])  # of the vehicles so many are pulling in or out
    cars = []
    for index, s in enumerate(lot.slots):
        if random.random() >= share:
            continue
        groups, foot, height = vehicle(random)
        ahead = (s[3] - s[0]) / np.linalg.norm(s[3] - s[0]) * random.choice([-1, 1])
        moving = random.random() < bustle
        turn = np.radians(random.normal(0, 14 if moving else 2))
        ahead = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]]) @ ahead
        side = np.array([-ahead[1], ahead[0]])
        at = s.mean(0) + ahead * random.normal(0, 0.2) + side * random.normal(0, 0.12)
        at = at + ahead * random.uniform(1.0, 5.2) * moving
        cars.append((index, at, ahead, side, groups, foot, height))
    plants = lot.plants()
    shade, ambient = shadows(lot, cars, plants, sun, random)
    texture = lot.texture * (1 - direct * shade[..., None]).astype(np.float32)
    to_ground = np.array([[1 / lot.scale, 0, -lot.half], [0, 1 / lot.scale, -lot.half], [0, 0, 1]])
    image = cv2.warpPerspective(texture, cam.ground() @ to_ground, (cam.w, cam.h), flags=cv2.INTER_AREA, borderMode=cv2.BORDER_REFLECT)
    image = np.clip(image, 0, 255).astype(np.uint8)
    owner = np.full((cam.h, cam.w), -1, np.int16)
    sheen = 1 + 0.05 * clouds(random, owner.shape, 25) + 0.04 * clouds(random, owner.shape, 5)
    far = lambda at: -np.linalg.norm(np.append(at, 0) - cam.at)
    for car in sorted(cars + plants, key=lambda c: far(c[0] if isinstance(c[-1], str) else c[1])):
        if isinstance(car[-1], str):
            grow(image, owner, cam, car, direct, random)
            continue
        index, at, ahead, side, groups, _, _ = car
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
    feet = [np.array([at + ahead * x + side * y for x, y in foot]) for _, at, ahead, side, _, foot, _ in cars]
    labelled = []
    for index, ground in enumerate(lot.slots):
        polygon = outline(cam, lot, ground, random)
        if (polygon < 2).any() or (polygon[:, 0] > cam.w - 2).any() or (polygon[:, 1] > cam.h - 2).any():
            continue
        mask = np.zeros(owner.shape, np.uint8)
        cv2.fillPoly(mask, [np.int32(polygon)], 1)
        if mask.sum() < 220:
            continue
        # A motorcycle takes its slot although most of the ground is left.
        share = sum(max(overlap(ground, foot), 0.4 * overlap(foot, ground)) for foot in feet)
        standing = [car[0] for car, foot in zip(cars, feet) if overlap(ground, foot) > 0.03]
        seen = owner[mask > 0]
        own, other = np.isin(seen, standing).mean(), ((seen != -1) & ~np.isin(seen, standing)).mean()
        occupied = share >= OCCUPIED
        told = own > 0.3 * min(1, share / 0.5) if occupied else other < 0.3
        labelled.append((polygon, int(occupied) if told else None, share))
    image[owner >= 0] = np.clip(image[owner >= 0] * sheen[owner >= 0][:, None], 0, 255)
    return weather(image, random, lot, cam), labelled


def grow(image, owner, cam, plant, direct, random):
    """Draws a shrub, post or tree."""
    at, height, radius, kind = plant
    foot, head = cam.project(np.array([np.append(at, 0), np.append(at, height)]))
    across = cam.project(np.array([np.append(at - (radius, 0), 0), np.append(at + (radius, 0), 0)]))
    pixels = max(1.0, np.linalg.norm(across[1] - across[0]) / 2)
    whole = lambda p: tuple(int(v) for v in np.clip(p, -4000, 4000))
    if kind != "shrub":
        shade = random.uniform(30, 170) if kind == "post" else random.uniform(30, 70)
        thick = max(1, int(2 * pixels if kind == "post" else pixels * 0.15))
        for picture, colour in ((image, [shade] * 3), (owner, -2)):
            cv2.line(picture, whole(foot), whole(head), colour, thick)
    if kind == "post":
        return
    green = np.array([random.uniform(20, 60), random.uniform(50, 110), random.uniform(35, 100)])
    low, high = (foot, head) if kind == "shrub" else (foot + (head - foot) * 0.5, head)
    for step in np.sort(random.uniform(0, 1, int(min(500, 30 + pixels * 5)))):
        centre = low + (high - low) * step + random.normal(0, 0.45, 2) * pixels * np.sin(np.pi * min(0.9, step + 0.25))
        leaf = max(1, int(pixels * random.uniform(0.06, 0.22)))
        lit = (0.35 + 0.9 * step * random.uniform(0.4, 1.2)) * (1 - direct * 0.3)
        cv2.circle(image, whole(centre), leaf, np.clip(green * lit, 0, 255).tolist(), -1)
        cv2.circle(owner, whole(centre), leaf, -2, -1)


def overlap(slot, foot):
    """How much of a slot a vehicle's footprint covers."""
    area, _ = cv2.intersectConvexConvex(slot.astype(np.float32), foot.astype(np.float32))
    return area / cv2.contourArea(slot.astype(np.float32))


def outline(cam, lot, s, random):
    """The slot as somebody would draw it: by hand, and by a few pixels or decimetres off."""
    loose = 1 + random.uniform(-0.08, 0.05)
    s = s.mean(0) + (s - s.mean(0)) * loose + random.normal(0, 0.06, 2)
    return cam.project(np.column_stack([s, np.zeros(4)])) + random.normal(0, 0.8, (4, 2))


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
    with open(arguments.out / "slots.csv", "w", newline="") as slots, open(arguments.out / "shares.csv", "w") as shares:
        slots.write("file,slot_id,polygon,occupied\n")
        shares.write("file,slot_id,share\n")
        for name, outlines in drawn:
            for index, (polygon, state, share) in enumerate(outlines):
                corners = " ".join(f"{x:.1f},{y:.1f}" for x, y in polygon)
                slots.write(f'{name},{index},"{corners}",{"" if state is None else state}\n')
                shares.write(f"{name},{index},{share:.3f}\n")


if __name__ == "__main__":
    main()
