"""Run the student project's whole recipe on an A-Z CSV and print its figures beside theirs.

Their network and settings: 75, 50 and 25 filters, dense 512, dropout 0.2 and 0.3, Adam, batches of
128, 5 epochs, rotation by 10 degrees, zoom and shifts by a tenth, 80/20 and again 80/20.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from hcr_live.alphabet import get_alphabet
from hcr_live.errors import HcrError
from train.data import SPLITS, CharacterSet, load
from train.dataset import Arrays
from train.fit import WEIGHTS_FILE, Material, fit, predictions
from train.plan import RECIPES, Plan

SIDE = 28
LETTERS = get_alphabet("letters")
THEIRS = {"test accuracy": 0.9737, "test loss": 0.1047, "weighted F1": 0.97}

_ASKED = 10_000  # of the shipped network: enough for a tenth of a point, half a minute


def student_split(sets: Sequence[CharacterSet]) -> dict[str, Arrays]:
    """Return the letters of 28x28 pixels by split, labels as columns of the 26 folded letters.

    The A-Z CSV comes split as they did it, at random, whoever wrote them: 80 % and 20 % for the
    test, the 80 % again 80 % and 20 % (`train.data.az`). Keys are `train.data.SPLITS`.

    Raises:
        HcrError: If a split has no such letters.
    """
    return {name: _letters([one.split(name) for one in sets], name) for name in SPLITS}


def _letters(sets: Sequence[CharacterSet], split: str) -> Arrays:
    inputs, labels = [], []
    for one in sets:
        if isinstance(one.contents, np.ndarray) and one.contents.shape[1:] == (SIDE, SIDE):
            folding = LETTERS.folding[one.labels]
            rows = np.flatnonzero(folding.any(axis=1))
            # A set of letters alone is not copied: the CSV's is 290 MB.
            inputs.append(one.contents if len(rows) == len(one) else one.contents[rows])
            labels.append(folding[rows].argmax(axis=1).astype(np.int16))
    if not sum(map(len, inputs)):
        raise HcrError(
            f"The student project's network takes letters of {SIDE}x{SIDE} pixels, as the A-Z CSV"
            f" has them: here are none to use for {split}."
        )
    return Arrays(inputs[0] if len(inputs) == 1 else np.concatenate(inputs), np.concatenate(labels))


def moved(images: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Return uint8 (n, side, side) turned by up to 10 degrees, zoomed and shifted by up to 0.1."""
    count, side, _ = images.shape
    angle = np.deg2rad(rng.uniform(-10, 10, count))
    zoom = rng.uniform(0.9, 1.1, (count, 2))
    shift = rng.uniform(-0.1, 0.1, (count, 2)) * side
    middle = (side - 1) / 2
    result = np.empty_like(images)
    for row, image in enumerate(images):
        cos, sin = np.cos(angle[row]), np.sin(angle[row])
        matrix = np.array([[cos, -sin], [sin, cos]]) * zoom[row]
        offset = middle - matrix.sum(axis=1) * middle + shift[row]
        result[row] = cv2.warpAffine(
            image, np.column_stack([matrix, offset]), (side, side), borderMode=cv2.BORDER_REPLICATE
        )
    return result


def student_material(sets: Sequence[CharacterSet], seed: int) -> Material:
    """Return what `fit --network seed` fits to and is judged by.

    Raises:
        HcrError: If there are no letters of 28x28 pixels.
    """
    split = student_split(sets)
    train = split["train"]
    counts = np.bincount(train.labels, minlength=len(LETTERS.labels)).tolist()
    summary = {
        "sources": {one.name: {"characters": len(one)} for one in sets},
        "samples": dict(zip(LETTERS.labels, counts, strict=True)),
    }

    def rounds(number: int) -> Arrays:
        return Arrays(moved(train.inputs, np.random.default_rng([seed, 1, number])), train.labels)

    return Material(len(train.labels), rounds, split["validation"], summary)


def reproduce(data: Path, out: Path, epochs: int = RECIPES["seed"]["epochs"], seed: int = 1) -> str:
    """Train as the student project did and return a Markdown table and what differs.

    Args:
        data: The A-Z CSV, or other letters of 28x28 pixels.
        out: Folder of the run.
        epochs: Theirs are 5.
        seed: Of weights, order and augmentation.

    Raises:
        HcrError: If the data can't be read, or the folder holds another run.
    """
    sets = load(data)
    split = student_split(sets)
    recipe = RECIPES["seed"] | {"epochs": epochs, "seed": seed}
    fit(Plan(data, out, network="seed", **recipe))
    import keras

    network = keras.models.load_model(out / WEIGHTS_FILE, compile=False)
    test = split["test"]
    ours = _figures(predictions(network, test.inputs), test.labels)
    asked = replace(test, inputs=test.inputs[:_ASKED], labels=test.labels[:_ASKED])
    shipped = _figures(_shipped(asked.inputs), asked.labels)
    lines = [
        "| | theirs | this run | the shipped network |",
        "|---|---|---|---|",
        *(
            f"| {name} | {theirs} | {ours[name]:.4f} | {shipped[name]:.4f} |"
            for name, theirs in THEIRS.items()
        ),
    ]
    seen = {image.tobytes() for image in split["train"].inputs}
    copies = np.mean([image.tobytes() in seen for image in test.inputs])
    sizes = ", ".join(f"{len(part.labels):,} {name}" for name, part in split.items())
    notes = [
        f"Characters: {sizes}; parameters: {network.count_params():,}; epochs: {epochs}.",
        "The test part is a random fifth, as theirs: the same people wrote training and test, and"
        f" {copies:.2%} of the test images are copies of training images. It says little"
        " about other people's writing; `evaluate` measures that.",
        "All rows are used as they are, in their imbalance; the weights are the last epoch's.",
        "Turns, zoom and shifts are drawn by OpenCV, a new set for each epoch, in bytes: the"
        " images are never all held as floats.",
        "The shipped network was not fitted to this file"
        f" (first {len(asked.labels):,} test characters, 26 letters, case folded).",
    ]
    return "\n".join(lines) + "\n\n" + "\n".join(f"- {note}" for note in notes)


def _figures(probabilities: NDArray[np.float32], labels: NDArray[np.int16]) -> dict[str, float]:
    from sklearn.metrics import f1_score

    answers = probabilities.argmax(axis=1)
    right = probabilities[np.arange(len(labels)), labels]
    return {
        "test accuracy": float((answers == labels).mean()),
        "test loss": float(-np.log(np.maximum(right, 1e-7)).mean()),
        "weighted F1": float(f1_score(labels, answers, average="weighted", zero_division=0)),
    }


def _shipped(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    from tqdm import tqdm

    from hcr_live.classifier import Classifier

    classifier = Classifier()
    rows = [
        classifier.probabilities(list(images[at : at + 500]))
        for at in tqdm(range(0, len(images), 500), "shipped network")
    ]
    return LETTERS.project(np.concatenate(rows))


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `reproduce`."""
    parser.add_argument("data", type=Path, help="the A-Z CSV, or other letters of 28x28 pixels")
    parser.add_argument("--out", type=Path, default=Path("runs/reproduce"), help="the run's folder")
    parser.add_argument(
        "--epochs", type=int, default=RECIPES["seed"]["epochs"], help="theirs are 5"
    )
    parser.add_argument("--seed", type=int, default=1, help="of weights, order and augmentation")


def run(options: argparse.Namespace) -> None:
    """Reproduce as the options say and print the table."""
    text = reproduce(options.data, options.out, options.epochs, options.seed)
    (options.out / "reproduce.md").write_text(text + "\n", encoding="utf-8")
    print(text)
