"""Measure the exported network as the program runs it: through `Classifier`."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hcr_live.alphabet import CLASSES, get_alphabet
from hcr_live.classifier import Classifier
from train.augment.negatives import no_character
from train.data import CharacterSet, load, load_strokes
from train.dataset import ink_of
from train.fit import accuracy

Figures = dict[str, dict[str, float]]
"""By source: samples, accuracies of the alphabets that its samples are asked in."""

NO_CHARACTER = "no character"
_MOST = 4000  # samples of a source: enough for half a point, quick


def evaluate(data: Path, model: Path | None = None, also: Sequence[Path] = ()) -> Figures:
    """Return accuracies by source on writers and files that are not trained on.

    Args:
        data: Folder of training data; only its validation samples are read by the network.
        model: A .tflite file; default: the shipped one.
        also: Further files of pen strokes (.json.gz), all of them unseen.

    Returns:
        A row a source: `samples`, `accuracy_62`, `accuracy_26`, `accuracy_10`, `capitals_26`
        (folded, capitals only) and `sure_26` (share of letters read right with a confidence
        of 0.5 or more). The row `NO_CHARACTER` has the share that stays below 0.5.

    Raises:
        HcrError: If data or model can't be read.
    """
    classifier = Classifier(model)
    sets = [one.split("validation") for one in load(data)]
    sets = [one for one in [*sets, *map(load_strokes, also)] if len(one)]
    figures: Figures = {}
    rng = np.random.default_rng(0)
    for one in sets:
        if len(one) > _MOST:
            one = one.chosen(rng.choice(len(one), _MOST, replace=False))
        figures[one.name] = _row(classifier, one)
    if sets:
        figures[NO_CHARACTER] = _no_character(classifier, sets, rng)
    return figures


def _row(classifier: Classifier, characters: CharacterSet) -> dict[str, float]:
    probabilities = classifier.probabilities([ink_of(one) for one in characters.contents])
    labels = characters.labels
    row = {"samples": float(len(labels))} | accuracy(probabilities, labels)
    capital = np.array([CLASSES[label].isupper() for label in labels])
    if capital.any():
        row["capitals_26"] = accuracy(probabilities[capital], labels[capital])["accuracy_26"]
    letters = get_alphabet("letters")
    asked = letters.folding[labels].sum(axis=1) > 0
    if asked.any():
        projected = letters.project(probabilities[asked])
        right = projected.argmax(axis=1) == letters.folding[labels[asked]].argmax(axis=1)
        row["sure_26"] = float((right & (projected.max(axis=1) >= 0.5)).mean())
    return row


def _no_character(
    classifier: Classifier, sets: list[CharacterSet], rng: np.random.Generator
) -> dict[str, float]:
    def glyphs() -> list[NDArray[np.uint8]]:
        return [ink_of(contents[i]) for i in rng.integers(len(contents), size=4)]

    contents = [content for one in sets for content in one.contents]

    inks = [no_character(glyphs(), rng) for _ in range(500)]
    projected = get_alphabet("letters").project(classifier.probabilities(inks))
    return {"samples": 500.0, "below_half": float((projected.max(axis=1) < 0.5).mean())}


def table(figures: Figures) -> str:
    """Return the figures as a Markdown table."""
    columns = list(dict.fromkeys(key for row in figures.values() for key in row))
    lines = ["| source | " + " | ".join(columns) + " |", "|---" * (len(columns) + 1) + "|"]
    for source, row in figures.items():
        cells = [_cell(key, row[key]) if key in row else "" for key in columns]
        lines.append(f"| {source} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _cell(key: str, value: float) -> str:
    # Cut, not rounded: a figure on the card is never better than the measured one.
    return f"{value:.0f}" if key == "samples" else f"{int(value * 1000) / 10:.1f} %"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `evaluate`."""
    parser.add_argument("--data", type=Path, required=True, help="folder of training data")
    parser.add_argument("--also", type=Path, nargs="*", default=[], help="unseen stroke files")
    parser.add_argument("--model", type=Path, help="a .tflite file; default: the shipped one")


def run(options: argparse.Namespace) -> None:
    """Evaluate as the options say and print the table."""
    print(table(evaluate(options.data, options.model, options.also)))
