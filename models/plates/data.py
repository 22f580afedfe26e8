"""Packs the photos that may be trained on into two small files, and reads them again.

    python data.py --data DATA --out PACKS

DATA holds openlpr/{images,crops,plates.csv} and, if there is one, ro/{images,plates.csv}. PACKS gets photos.npz (grey
JPEGs, what the detector learns on) and crops.npz (one for each plate that was transcribed, what the reader learns on):
about 50 MB together, so that training can move to a machine that holds nothing else.
"""

import argparse
import csv
import json
import pathlib

import cv2
import numpy as np

from held_out import held_out, shows_plate

LONGEST = {"openlpr": 432, "ro": 800}  # longest side of a photo in the pack
CROP = (192, 144)  # most pixels of a crop, across and down
MARGIN = 0.25  # of the box's sides, around it in a crop


def rows(data, name):
    """The lines of a set's plates.csv."""
    with open(data / name / "plates.csv", newline="") as file:
        return list(csv.DictReader(file))


def shrunk(picture, width, height):
    """The picture made to fit, never enlarged, and by how much it shrank."""
    factor = min(1.0, width / picture.shape[1], height / picture.shape[0])
    if factor < 1.0:
        picture = cv2.resize(picture, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
    return picture, factor


class Packer:
    """Collects JPEGs with a label each."""

    def __init__(self, quality):
        self.quality, self.parts, self.labels = quality, [], []

    def add(self, picture, label):
        _, packed = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, self.quality])
        self.parts.append(packed.ravel())
        self.labels.append(label)

    def save(self, path):
        sizes = np.array([len(p) for p in self.parts])
        labels = np.frombuffer(json.dumps(self.labels).encode(), np.uint8)
        np.savez(path, pictures=np.concatenate(self.parts), ends=np.cumsum(sizes), labels=labels)
        print(f"{path}: {len(self.parts)} pictures, {path.stat().st_size / 1e6:.1f} MB")


def load(path):
    """The pictures of a pack as JPEG bytes, and their labels."""
    pack = np.load(path)
    pictures = np.split(pack["pictures"], pack["ends"][:-1])
    return pictures, json.loads(pack["labels"].tobytes())


def decoded(jpeg):
    return cv2.imdecode(jpeg, cv2.IMREAD_GRAYSCALE)


def packs_and_network(description, kind):
    """What a command is given that runs a trained network over PACKS: the folder and the network."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--packs", type=pathlib.Path, required=True)
    parser.add_argument(f"--{kind}", type=pathlib.Path, required=True, dest="network")
    arguments = parser.parse_args()
    return arguments.packs, cv2.dnn.readNetFromONNX(str(arguments.network))


def pack_photos(data, path):
    packer = Packer(62)
    for name, longest in LONGEST.items():
        if not (data / name).exists():
            continue
        boxes = {}
        for row in filter(shows_plate, rows(data, name)):
            boxes.setdefault(row["file"], []).append([float(row[k]) for k in "xywh"])
        held = held_out(boxes) if name == "openlpr" else set()
        for file in sorted(boxes):
            picture = cv2.imread(str(data / name / file), cv2.IMREAD_GRAYSCALE)
            picture, factor = shrunk(picture, longest, longest)
            scaled = [[v * factor for v in box] for box in boxes[file]]
            packer.add(picture, {"file": f"{name}/{file}", "held": file in held, "boxes": scaled})
    packer.save(path)


def pack_crops(data, path):
    packer = Packer(85)
    all_rows = rows(data, "openlpr")
    held = held_out(row["file"] for row in all_rows if shows_plate(row))
    for row in all_rows:
        if row["legible"] != "1" or not row["plate_text"]:
            continue
        height, width = cv2.imread(str(data / "openlpr" / row["file"]), cv2.IMREAD_GRAYSCALE).shape
        picture = cv2.imread(str(data / "openlpr" / row["crop"]), cv2.IMREAD_GRAYSCALE)
        picture, _ = shrunk(picture, *CROP)
        x, y, w, h = (float(row[k]) for k in "xywh")
        left, top = max(0.0, x - MARGIN * w), max(0.0, y - MARGIN * h)
        right, bottom = min(width, x + (1 + MARGIN) * w), min(height, y + (1 + MARGIN) * h)
        fx, fy = picture.shape[1] / (right - left), picture.shape[0] / (bottom - top)
        label = {"box": [(x - left) * fx, (y - top) * fy, w * fx, h * fy], "file": row["file"], "text": row["plate_text"], "lines": int(row["lines"]), "region": row["region"]}
        packer.add(picture, {**label, "held": row["file"] in held})
    packer.save(path)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=pathlib.Path, required=True)
    parser.add_argument("--out", type=pathlib.Path, required=True)
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    pack_photos(arguments.data, arguments.out / "photos.npz")
    pack_crops(arguments.data, arguments.out / "crops.npz")


if __name__ == "__main__":
    main()
