"""Finds the corners of the transcribed plates, of which only upright boxes are known, with a trained detector.

    python quads.py --packs PACKS --detector ../plate-detector.onnx

PACKS/quads.json gets four corners for each picture of crops.npz, or null where the detector sees none that fits the box. The reader
then learns on plates laid upright as park-detect lays them.
"""

import json

import cv2
import numpy as np

import data
import detector

SIZE = (256, 160)  # what the detector is shown: across and down
WIDTH = 120  # of the plate there


def close_up(picture, box):
    """The plate's surroundings as the detector takes them, and the factor and shift that lead there."""
    x, y, w, h = box
    factor = WIDTH / max(w, 1.5 * h, 4)
    shift = np.array(SIZE) / 2 - 0.5 - factor * np.array([x + w / 2, y + h / 2])
    if factor < 0.7:  # average first
        small = cv2.resize(picture, None, fx=factor * 1.3, fy=factor * 1.3, interpolation=cv2.INTER_AREA)
    else:
        small = picture
    across, down = small.shape[1] / picture.shape[1], small.shape[0] / picture.shape[0]
    matrix = np.array([[factor / across, 0, shift[0]], [0, factor / down, shift[1]]])
    return cv2.warpAffine(small, matrix, SIZE, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), factor, shift


def quad(net, picture, box):
    """The corners of the plate in this box, if the detector sees it."""
    shown, factor, shift = close_up(picture, box)
    net.setInput(shown[None, None].astype(np.float32) / 255.0)
    for _, corners in detector.quads(net.forward()[0], 0.3):
        corners = (corners - shift) / factor
        if detector.overlap(detector.bounds(corners), box) > 0.45:
            return corners.round(1).tolist()
    return None


def main():
    packs, net = data.packs_and_network(__doc__, "detector")
    crops, labels = data.load(packs / "crops.npz")
    quads = [quad(net, data.decoded(crop), label["box"]) for crop, label in zip(crops, labels)]
    (packs / "quads.json").write_text(json.dumps(quads))
    print(f"corners of {sum(q is not None for q in quads)} of {len(quads)} plates")


if __name__ == "__main__":
    main()
