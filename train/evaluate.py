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
from train.data import Sample, load, load_strokes
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
    samples = [sample for sample in load(data) if sample.validation]
    for path in also:
        samples += load_strokes(path)
    figures: Figures = {}
    rng = np.random.default_rng(0)
    for source in dict.fromkeys(sample.source for sample in samples):
        chosen = [sample for sample in samples if sample.source == source]
        if len(chosen) > _MOST:
            chosen = [chosen[i] for i in rng.choice(len(chosen), _MOST, replace=False)]
        figures[source] = _row(classifier, chosen)
    if samples:
        figures[NO_CHARACTER] = _no_character(classifier, samples, rng)
    return figures


def _row(classifier: Classifier, samples: list[Sample]) -> dict[str, float]:
    probabilities = classifier.probabilities([ink_of(sample) for sample in samples])
    labels = np.array([sample.label for sample in samples], np.int16)
    row = {"samples": float(len(samples))} | accuracy(probabilities, labels)
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
    classifier: Classifier, samples: list[Sample], rng: np.random.Generator
) -> dict[str, float]:
    def glyphs() -> list[NDArray[np.uint8]]:
        return [ink_of(samples[i]) for i in rng.integers(len(samples), size=4)]

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
