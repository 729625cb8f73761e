"""Pen strokes: .json or .json.gz, a list of {"label", "writer", "strokes"}."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import numpy as np

from train.data.characters import (
    SPLITS,
    CharacterSet,
    Strokes,
    labels_of,
    reading,
    usual_splits,
    validation_where,
    writers_of,
)

# The last volunteer that is trained on, and characters with stray dots or ticks as big as parts
# of the letter, or illegible: no good as patterns.
_KNOWN = {
    "chars74k": (
        44,
        frozenset(
            {"E/6", "K/4", "K/45", "L/48", "M/48", "Y/36", "h/47"}
            | {"o/3", "o/8", "q/14", "s/16", "r/46", "s/33", "j/48"}
        ),
    ),
    "omniglot_latin": (16, frozenset({"l/15", "i/15"})),
    "uci_trajectories": (0, frozenset[str]()),
}


def load_strokes(path: Path) -> CharacterSet:
    """Return the characters of any file of pen strokes, all of them as validation.

    Raises:
        HcrError: If it can't be read.
    """
    characters = _read(path, path.name.partition(".")[0], frozenset())
    splits = np.full(len(characters), SPLITS.index("validation"), np.uint8)
    return CharacterSet(
        characters.name, characters.labels, characters.contents, characters.writers, splits
    )


def read_strokes(path: Path) -> CharacterSet:
    """Return the characters of a file of pen strokes with the splits of its source.

    Raises:
        HcrError: If it can't be read; it says which entry is wrong.
    """
    name = path.name.partition(".")[0].removeprefix("strokes_")
    if name not in _KNOWN:
        return _read(path, name, frozenset())
    last_training_writer, defects = _KNOWN[name]
    characters = _read(path, name, defects)
    splits = validation_where(characters.writers > last_training_writer)
    return CharacterSet(name, characters.labels, characters.contents, characters.writers, splits)


def _read(path: Path, name: str, defects: frozenset[str]) -> CharacterSet:
    with reading(path):
        content = path.read_bytes()
        if content[:2] == b"\x1f\x8b":
            content = gzip.decompress(content)
        entries = json.loads(content)
        if not isinstance(entries, list) or not entries:
            raise ValueError("it is no list of characters with label, writer and strokes")
        kept = [
            (number, entry)
            for number, entry in enumerate(entries, 1)
            if f"{_part(entry, 'label', number)}/{entry.get('writer')}" not in defects
        ]
        labels = labels_of([entry["label"] for _, entry in kept])
        writers = writers_of([entry.get("writer") for _, entry in kept])
        contents = [_strokes(_part(entry, "strokes", number), number) for number, entry in kept]
    return CharacterSet(name, labels, contents, writers, usual_splits(writers))


def _part(entry: Any, name: str, number: int) -> Any:
    if not isinstance(entry, dict) or name not in entry:
        raise ValueError(f"character {number} has no {name}")
    return entry[name]


def _strokes(lists: Any, number: int) -> Strokes:
    """Return the strokes that have points, time dropped."""
    try:
        strokes = tuple(
            np.array([point[:2] for point in stroke], np.float32).reshape(-1, 2)
            for stroke in lists
            if stroke
        )
    except (TypeError, ValueError) as error:
        raise ValueError(f"the strokes of character {number} are no lists of [x, y]") from error
    if not strokes or not all(np.isfinite(stroke).all() for stroke in strokes):
        raise ValueError(f"character {number} has no points, or one that is not finite")
    return strokes
