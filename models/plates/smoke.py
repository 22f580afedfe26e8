"""Checks the training from data to ONNX on a handful of pictures drawn here: scripts/test-models runs it."""

import csv
import json
import os
import pathlib
import subprocess
import sys
import tempfile

import cv2
import numpy as np

import data
import draw

HERE = pathlib.Path(__file__).parent


def run(script, *arguments):
    """Runs a script of this folder as a user would; returns what it printed."""
    command = [sys.executable, str(HERE / script), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{script} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return done.stdout


def scenes(folder, count, random):
    """Writes photos with a plate each, in the form that data.py takes."""
    (folder / "images").mkdir(parents=True)
    (folder / "crops").mkdir()
    lines = []
    for index in range(count):
        photo = random.integers(0, 160, (240, 320, 3)).astype(np.uint8)
        x, y, w, h = int(random.integers(10, 200)), int(random.integers(30, 190)), 100, 28
        cv2.rectangle(photo, (x, y), (x + w, y + h), (235, 235, 235), -1)
        text = f"AB{random.integers(10, 99)}C"
        cv2.putText(photo, text, (x + 5, y + 22), cv2.FONT_HERSHEY_SIMPLEX, 0.7, (10, 10, 10), 2)
        crop = photo[max(0, y - 7) : y + h + 7, max(0, x - 25) : x + w + 25]
        cv2.imwrite(str(folder / f"images/{index}.jpg"), photo)
        cv2.imwrite(str(folder / f"crops/{index}.jpg"), crop)
        lines.append({
            "file": f"images/{index}.jpg", "plate_text": text, "x": x, "y": y, "w": w, "h": h, "crop": f"crops/{index}.jpg",
            "lines": 1, "region": "", "legible": 1, "note": "",
        })
    with open(folder / "plates.csv", "w", newline="") as file:
        writer = csv.DictWriter(file, lines[0])
        writer.writeheader()
        writer.writerows(lines)


def even_places(packs):
    """Writes PACKS/places.json as if the characters of each plate stood side by side: the reader trained here is too young to say."""
    left, _, right, _ = draw.PLATE
    places = []
    for label in data.load(packs / "crops.npz")[1]:
        ends = np.linspace(left, right, len(label["text"]) + 1).tolist()
        places.append([(c, 0, a, b) for c, a, b in zip(label["text"], ends, ends[1:])])
    (packs / "places.json").write_text(json.dumps(places))


def outputs(onnx, shape):
    """What OpenCV, which park-detect runs networks with, gives for an input of this shape."""
    net = cv2.dnn.readNetFromONNX(str(onnx))
    net.setInput(np.random.default_rng(2).random(shape, np.float32))
    return net.forward()


def train(folder, steps):
    """Runs the whole recipe for a few steps each; returns what it printed."""
    environment = {**os.environ, "PYTHON": sys.executable, "STEPS": str(steps), "PLATES": "50"}
    done = subprocess.run([HERE / "train", folder / "data", folder / "packs"], capture_output=True, text=True, env=environment)
    if done.returncode:
        sys.exit(f"train ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return done.stdout


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        packs = folder / "packs"
        scenes(folder / "data" / "openlpr", 20, np.random.default_rng(1))
        said = train(folder, 2)
        assert said.count("2 loss") == 6, said
        print("train: gives all networks")
        even_places(packs)
        for script, onnx, shape, wanted in (
            ("detector.py", packs / "plate-detector.onnx", (1, 1, 96, 160), (1, 9, 12, 20)),
            ("reader.py", packs / "plate-reader.onnx", (5, 1, 48, 160), (5, 74, 1, 40)),
        ):
            onnx.unlink()
            said = train(folder, 4)
            assert "4 loss" in said and said.count("loss") == 1, said
            given = outputs(onnx, shape)
            assert given.shape == wanted, f"{script}: {given.shape}, not {wanted}"
            begun = folder / "begun.onnx"
            run(script, "--packs", packs, "--out", begun, "--begin", onnx, "--steps", 0)
            assert np.allclose(outputs(begun, shape), given, atol=1e-3), f"{script}: begins with other weights than it was given"
            print(f"{script}: trains, goes on from its checkpoint, and gives a network of the right shape")


if __name__ == "__main__":
    main()
