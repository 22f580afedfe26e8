"""The photos that nothing is trained on.

    python held_out.py DATA/openlpr/plates.csv

prints what their plates say as `park-detect score --truth` takes it, a photo a line, those that cannot be read left out.
"""

import csv
import json
import random
import sys

SEED = 20


def held_out(names):
    """A tenth of the photos that show a plate, chosen by a fixed seed from all their names."""
    names = sorted(set(names))
    return set(random.Random(SEED).sample(names, len(names) // 10))


def shows_plate(row):
    return row["note"] != "no plate visible"


def main():
    with open(sys.argv[1], newline="") as file:
        rows = [row for row in csv.DictReader(file) if shows_plate(row)]
    plates = {}
    for row in rows:
        if row["legible"] == "1" and row["plate_text"]:
            box = [float(row[side]) for side in "xywh"]
            plates.setdefault(row["file"], []).append({"text": row["plate_text"], "box": box})
    for name in sorted(held_out(row["file"] for row in rows) & plates.keys()):
        print(json.dumps({"file": name.split("/")[-1], "plates": plates[name]}))


if __name__ == "__main__":
    main()
