"""The Kaggle A-Z CSV: a label (0 is A) and 28 x 28 pixels a line."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from hcr_live.alphabet import CLASSES
from train.data.characters import SPLITS, UNKNOWN_WRITER, CharacterSet, reading

_SIDE = 28
_COLUMNS = 1 + _SIDE * _SIDE
_LINES_AT_ONCE = 4096


def read_az(path: Path) -> CharacterSet:
    """Return the letters of the CSV, in one block of a byte a pixel.

    The file has no splits and no writers: a fixed random fifth is the test, a fifth of the rest
    validation, as the student project split it.

    Raises:
        HcrError: If it can't be read; it names the line that is cut off, has another number of
            columns, or a label or pixel out of range.
    """
    with reading(path):
        if "mnist" in path.name.lower():
            raise ValueError("MNIST and EMNIST are read from idx, .mat or .npz files, not CSV")
        labels, images = _read(path)
        if not len(labels):
            raise ValueError("it has no rows")
    rng = np.random.default_rng(0)
    splits = np.zeros(len(labels), np.uint8)
    order = rng.permutation(len(labels))
    tests = len(labels) // 5
    splits[order[:tests]] = SPLITS.index("test")
    splits[order[tests : tests + (len(labels) - tests) // 5]] = SPLITS.index("validation")
    writers = np.full(len(labels), UNKNOWN_WRITER, np.int32)
    return CharacterSet("az", labels + np.int16(CLASSES.index("A")), images, writers, splits)


def _read(path: Path) -> tuple[NDArray[np.int16], NDArray[np.uint8]]:
    most = _line_count(path)
    labels = np.empty(most, np.int16)
    images = np.empty((most, _SIDE, _SIDE), np.uint8)
    row = 0
    with (
        path.open(encoding="utf-8-sig", errors="replace") as file,
        tqdm(total=most, desc=path.name, unit="row", disable=None) as bar,
    ):
        number = 1
        while lines := list(islice(file, _LINES_AT_ONCE)):
            if number == 1 and _is_header(lines[0]):
                lines[0] = "\n"
            values = _values(lines, number)
            end = row + len(values)
            labels[row:end] = values[:, 0]
            images[row:end] = values[:, 1:].reshape(-1, _SIDE, _SIDE)
            row = end
            number += len(lines)
            bar.update(len(lines))
    return labels[:row], images[:row]


def _line_count(path: Path) -> int:
    """Return the number of lines, or one more."""
    with path.open("rb") as file:
        return 1 + sum(piece.count(b"\n") for piece in iter(lambda: file.read(1 << 20), b""))


def _is_header(line: str) -> bool:
    """Return whether the columns are named: label, pixel0 ..., or 0, 0.1 as pandas writes them."""
    fields = line.split(",")
    return len(fields) == _COLUMNS and not fields[1].strip().isdecimal()


def _values(lines: list[str], first: int) -> NDArray[np.uint8]:
    """Return the rows of the lines that are not empty, uint8 (n, 785).

    Raises:
        ValueError: If one is wrong; it says which.
    """
    lines = [line if line.strip() else "" for line in lines]
    if not any(lines):
        return np.zeros((0, _COLUMNS), np.uint8)
    try:
        values = np.loadtxt(lines, np.uint8, delimiter=",", ndmin=2, comments=None)
    except ValueError:
        values = np.zeros((0, 0), np.uint8)
    if values.shape[1] != _COLUMNS or (values[:, 0] > 25).any():
        for number, line in enumerate(lines, first):
            _check(line, number)
    return values


def _check(line: str, number: int) -> None:
    """Say what is wrong with a line, if anything is."""
    fields = line.split(",")
    if line and len(fields) != _COLUMNS:
        raise ValueError(
            f"line {number} has {len(fields)} values where a label and 784 pixels should be"
        )
    for place, field in enumerate(fields if line else ()):
        most = 255 if place else 25
        if not field.strip().isdecimal() or int(field) > most:
            what = "pixel" if place else "label"
            raise ValueError(f"line {number}: the {what} {field.strip()!r} is not 0 to {most}")
