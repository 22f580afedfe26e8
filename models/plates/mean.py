"""Puts the mean of several trainings of the plate reader into one network.

    python mean.py --packs PACKS --out ../plate-reader.onnx A.pt B.pt …

Trainings that began with the same weights and went on with other pictures are wrong about other plates, and the mean of their weights is
wrong about fewer than each (Wortsman and others, Model soups, 2022). A.pt, B.pt, … are their checkpoints.
"""

import argparse
import pathlib

import numpy as np
import torch

import folded
import reader

NEGATIVE = 0.2  # of the plates that normalisation is measured on; the trainings saw 0.4 and none


def mean(states):
    """The mean of weights that have the same names."""
    of = lambda values: torch.stack(values).double().mean(0).to(values[0].dtype) if values[0].is_floating_point() else values[0]
    return {name: of([state[name] for state in states]) for name in states[0]}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--packs", type=pathlib.Path, required=True, help="what data.py wrote")
    parser.add_argument("--out", type=pathlib.Path, required=True, help="the ONNX file to write")
    parser.add_argument("checkpoints", type=pathlib.Path, nargs="+")
    options = parser.parse_args()
    net = reader.Reader()
    net.load_state_dict(mean([torch.load(path, map_location="cpu")["average"] for path in options.checkpoints]))
    plates, random = reader.Plates(options.packs, NEGATIVE), np.random.default_rng(reader.SEED)
    folded.measure(net, plates.inputs(random, 24))
    reader.export(net, options.out)


if __name__ == "__main__":
    main()
