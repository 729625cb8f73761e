"""A network asked about every character of a split, and the figures of its answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from hcr_live.alphabet import CLASSES, get_alphabet
from hcr_live.errors import HcrError
from train.augment.negatives import no_character, no_path
from train.data import UNKNOWN_WRITER, CharacterSet, Split, load
from train.dataset import Form, ink_of, of_form
from train.evaluate.forms import Network, both, open_network
from train.evaluate.measures import (
    ALPHABETS,
    Answers,
    Row,
    accuracy_of_most_confident,
    ask,
    calibration_error,
    class_report,
    confused_pairs,
    confusion,
    rejection,
    source_row,
    usual_answers,
)
from train.evaluate.photos import photo_rows

_CHUNK = 500
_NEGATIVES = 1000
_PAIRS = 20


@dataclass(frozen=True, eq=False)
class Measured:
    """One source's characters and what the network said: float32 (n, 62)."""

    characters: CharacterSet
    probabilities: NDArray[np.float32]

    @property
    def answers(self) -> Answers:
        """In letters, in digits where there are no letters."""
        return usual_answers(self.probabilities, self.characters.labels)


@dataclass(frozen=True, eq=False)
class Evaluation:
    """All that a report is made of.

    Attributes:
        model: The network's name.
        split: The split that was measured; files given with `--also` count whole.
        sources: By name, none of them empty.
        negatives: float32 (m, 62): what the network said of ink that is no character.
        photos: The figures of simulated photos of the data's strokes, by their light.
    """

    model: str
    split: Split
    sources: dict[str, Measured]
    negatives: NDArray[np.float32]
    photos: dict[str, Row]

    def ask(self, alphabet: str) -> Answers:
        """Return the answers to the characters of all sources together."""
        every = self.sources.values()
        return ask(
            np.concatenate([one.probabilities for one in every]),
            np.concatenate([one.characters.labels for one in every]),
            alphabet,
        )

    @property
    def character_confidences(self) -> NDArray[np.float32]:
        """Of the usual answers to all characters, (n,)."""
        return np.concatenate([one.answers.confidences for one in self.sources.values()])

    @property
    def negative_confidences(self) -> NDArray[np.float32]:
        """Of the answers to ink that is no character, in letters, or digits if all are, (m,)."""
        asked = {one.answers.alphabet.name for one in self.sources.values()}
        name = "letters" if "letters" in asked else "digits"
        return get_alphabet(name).project(self.negatives).max(axis=1)


def evaluate(
    data: Path | None,
    model: Path | None = None,
    also: Sequence[Path] = (),
    split: Split = "validation",
    *,
    paths: Path | None = None,
    together: bool = False,
) -> Evaluation:
    """Ask a network about characters that it was not trained on.

    Args:
        data: Folder or file of training data; only its `split` is asked about. None for `also`
            alone.
        model: A .tflite, .keras or .onnx file; None for the shipped network.
        also: Further files or folders, every character of which is unseen.
        split: "validation", or "test" for the last figure.
        paths: With `together`, the .tflite file of the network of paths, None for the shipped one.
        together: Ask both networks about pen strokes, as the program does.

    Raises:
        HcrError: If data or model can't be read, or nothing is in the split.
    """
    network = both(model, paths) if together else open_network(model)
    written = of_form([] if data is None else unseen(data, split), network.form)
    others = [one for path in also for one in load(path) if len(one)]
    sets = written + of_form(others, network.form)
    if not sets:
        kind = "Nothing" if network.form == "ink" else "No character of pen strokes"
        raise HcrError(f"{kind} in {data} is in the {split} split: choose another with --split.")
    return ask_network(network, sets, split, photo_rows(network, written))


def unseen(data: Path, split: Split) -> list[CharacterSet]:
    """Load a split of a folder or file; none of the sets is empty."""
    return [part for one in load(data) if len(part := one.split(split))]


def ask_network(
    network: Network,
    sets: Sequence[CharacterSet],
    split: Split,
    photos: dict[str, Row] | None = None,
) -> Evaluation:
    """Ask a network about every character, and about as much made-up ink that is none.

    Args:
        network: Any form of it.
        sets: None of them empty.
        split: For the report.
        photos: For the report.
    """
    measured: dict[str, Measured] = {}
    with tqdm(total=sum(map(len, sets)), desc="reading", unit="character", leave=False) as bar:
        for number, one in enumerate(sets, 1):
            name = one.name if one.name not in measured else f"{one.name} ({number})"
            parts = []
            for start in range(0, len(one), _CHUNK):
                contents = one.contents[start : start + _CHUNK]
                parts.append(network.read(list(contents)))
                bar.update(len(contents))
            measured[name] = Measured(one, np.concatenate(parts))
    negatives = network.read(_negatives(sets, network.form))
    return Evaluation(network.name, split, measured, negatives, photos or {})


def _negatives(sets: Sequence[CharacterSet], form: Form) -> list[Any]:
    """Return seeded ink that is no character; pieces of words are made of the sets' characters."""
    rng = np.random.default_rng(0)

    def some(count: int) -> list[Any]:
        chosen = [sets[int(rng.integers(len(sets)))] for _ in range(count)]
        return [one.contents[int(rng.integers(len(one)))] for one in chosen]

    if form == "path":
        return [no_path(some(3), rng) for _ in range(_NEGATIVES)]
    return [no_character([ink_of(one) for one in some(4)], rng) for _ in range(_NEGATIVES)]


def figures(evaluation: Evaluation) -> dict[str, Any]:
    """Return every figure of an evaluation, ready for JSON.

    Returns:
        `model`, `split`; `sources`, a `source_row` each; `writers`, the same by source and writer;
        `photos`, a `source_row` for each light;
        `alphabets`, by size: `samples`, `accuracy`, `calibration_error`, `accuracy_90`, `macro_f1`
        of all sources together; `unknown`, as `rejection` returns it; `classes`, the `class_report`
        of the letters (`26`) and of all classes (`62`); `confused`, the most frequent mistakes of
        the same two.
    """
    sources = evaluation.sources
    alphabets: dict[str, Row] = {}
    classes: dict[str, dict[str, Row]] = {}
    confused: dict[str, list[tuple[str, str, int]]] = {}
    for size, name in ALPHABETS.items():
        answers = evaluation.ask(name)
        if not len(answers.rows):
            continue
        report = class_report(answers)
        alphabets[size] = {
            "samples": len(answers.rows),
            "accuracy": float(answers.right.mean()),
            "calibration_error": calibration_error(answers.confidences, answers.right),
            "accuracy_90": accuracy_of_most_confident(answers.confidences, answers.right),
            "macro_f1": report["macro average"]["f1"],
        }
        if name in ("all", "letters"):
            classes[size] = report
            pairs = confused_pairs(confusion(answers), answers.alphabet.labels)
            confused[size] = pairs[:_PAIRS]
    return {
        "model": evaluation.model,
        "split": evaluation.split,
        "classes_of_the_network": CLASSES,
        "sources": {
            name: source_row(one.probabilities, one.characters.labels)
            for name, one in sources.items()
        },
        "writers": {name: rows for name, one in sources.items() if (rows := _writers(one))},
        "photos": evaluation.photos,
        "alphabets": alphabets,
        "unknown": rejection(evaluation.character_confidences, evaluation.negative_confidences),
        "classes": classes,
        "confused": confused,
    }


def _writers(measured: Measured) -> dict[str, Row]:
    """Return a row a writer, nothing where a source does not know two of them."""
    writers = measured.characters.writers
    known = np.unique(writers[writers != UNKNOWN_WRITER])
    if len(known) < 2:
        return {}
    of = measured.probabilities, measured.characters.labels
    rows = {str(writer): source_row(*(one[writers == writer] for one in of)) for writer in known}
    # One writer's few characters say nothing about calibration.
    left_out = ("calibration_error", "accuracy_90")
    return {
        writer: {name: value for name, value in row.items() if name not in left_out}
        for writer, row in rows.items()
    }
