"""Finds where the characters of the transcribed plates stand, so that their glyphs can be put together anew.

    python places.py --packs PACKS --reader ../plate-reader.onnx

For each crop that a first reader, trained without this, aligns well with what is known to be written there: each character
with its line and its left and right end, in pixels of a drawn picture (draw.SIZE) into which the plate is laid. PACKS/places.json
holds them in the crops' order, null for the others.
"""

import json

import numpy as np
import torch

import data
import draw
import reader

LEAST = -0.5  # mean logarithm of the likelihood of a column, along the best path


def aligned(scores, text):
    """The best path of a text through one line's scores (classes x columns, logarithms; Viterbi on the CTC lattice): for each
    character its first column and the one behind its last; and the mean score."""
    states = [0]
    for character in text:
        states += [reader.ALPHABET.index(character) + 1, 0]
    skips = np.array([i >= 2 and s != 0 and s != states[i - 2] for i, s in enumerate(states)])
    best = np.full(len(states), -np.inf)
    best[:2] = scores[states[:2], 0]
    back = []
    for column in range(1, scores.shape[1]):
        before = np.stack([best, np.roll(best, 1), np.where(skips, np.roll(best, 2), -np.inf)])
        before[1, 0] = -np.inf
        chosen = before.argmax(0)
        back.append(chosen)
        best = before[chosen, np.arange(len(states))] + scores[states, column]
    state = len(states) - 1 if best[-1] > best[-2] else len(states) - 2
    likelihood, path = best[state] / scores.shape[1], [state]
    for chosen in reversed(back):
        state -= chosen[state]
        path.append(state)
    path = np.array(path[::-1])
    spans = [np.nonzero(path == 2 * i + 1)[0] for i in range(len(text))]
    return [(int(s[0]), int(s[-1]) + 1) for s in spans], float(likelihood)


def ends(spans):
    """Where each character's strip begins and ends, in columns: half way to its neighbours, and as far at the outer ends."""
    middles = [(a + b) / 2 for a, b in spans]
    steps = np.diff(middles)
    between = [(a + b) / 2 for a, b in zip(middles, middles[1:])]
    narrow = float(np.median(steps)) / 2  # of a wide gap, a character needs only the part beside it
    lefts = [max(m - narrow * 1.15, b) for m, b in zip(middles[1:], between)]
    rights = [min(m + narrow * 1.15, b) for m, b in zip(middles, between)]
    return list(zip([middles[0] - narrow] + lefts, rights + [middles[-1] + narrow]))


def found(scores, text):
    """Each character of a text, its line, and the ends of its strip in columns; None where the text does not fit."""
    spans, likelihood = aligned(scores, text)
    if likelihood < LEAST:
        return None
    lines = [first // reader.COLUMNS for first, _ in spans]
    strips = []
    for line in (0, 1):
        here = [(a - line * reader.COLUMNS, b - line * reader.COLUMNS) for (a, b), l in zip(spans, lines) if l == line]
        if len(here) == 1:
            return None
        strips += ends(here) if here else []
    return list(zip(text, lines, strips))


def main():
    packs, net = data.packs_and_network(__doc__, "reader")
    left, _, right, _ = draw.PLATE
    inner_left, _, inner_right, _ = reader.INNER
    across = (right - left) / (inner_right - inner_left) * reader.SIZE[0] / reader.COLUMNS
    start = left - inner_left * (right - left) / (inner_right - inner_left)
    places = []
    for jpeg, label in reader.crops(packs):
        plate, _ = reader.rectified(data.decoded(jpeg), label["corners"])
        net.setInput(reader.normalised(torch.from_numpy(plate)[None]).numpy())
        scores = reader.joined(torch.from_numpy(net.forward())).log_softmax(1)[0].numpy()
        characters = found(scores[:, : reader.COLUMNS * label["lines"]], label["text"]) if len(label["text"]) > 2 else None
        strips = [(c, line, *(round(start + end * across, 1) for end in span)) for c, line, span in characters or []]
        places.append(strips or None)
    (packs / "places.json").write_text(json.dumps(places))
    print(f"characters of {sum(p is not None for p in places)} of {len(places)} plates")


if __name__ == "__main__":
    main()
