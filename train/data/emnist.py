"""EMNIST: the idx files of its gzip.zip, or the .mat files of its matlab.zip."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hcr_live.alphabet import CLASSES
from hcr_live.errors import HcrError
from train.data.characters import (
    UNKNOWN_WRITER,
    CharacterSet,
    official_splits,
    reading,
    usual_splits,
)
from train.data.idx import part_of, read_parts

_MERGED = CLASSES[:36] + "abdefghnqrt"
CHARACTERS: dict[str, str] = {
    "byclass": CLASSES,
    "bymerge": _MERGED,
    "balanced": _MERGED,
    "letters": CLASSES[10:36],
    "digits": CLASSES[:10],
    "mnist": CLASSES[:10],
}
"""What the labels of each split stand for, in order, as its mapping file says. In `bymerge` and
`balanced` c i j k l m o p s u v w x y z are merged into the capitals, in `letters` (whose labels
start at 1) all small letters are: such a character counts as its capital here."""

_NAME = re.compile(r"emnist-(?P<split>[a-z]+)(?:-(?:train|test))?")
_SIDE = 28
_AT_ONCE = 8192


def split_of(path: Path) -> str | None:
    """Return the split that a file is of, None if it is no file of EMNIST."""
    stem = path.name[:-4] if path.suffix == ".mat" else part_of(path)
    match = _NAME.fullmatch(stem or "")
    return match["split"] if match and match["split"] in CHARACTERS else None


def read_emnist(path: Path) -> CharacterSet:
    """Return the characters of a split, whichever of its files is named, upright.

    Its test file is the test split. Validation is the end of its train file, as many as its test
    file has (Cohen et al. 2017); a .mat file knows its writers, so there it is every fifth writer.

    Raises:
        HcrError: If a file is missing or can't be read.
    """
    split = split_of(path)
    if split is None:
        raise HcrError(f"{path} has no name of EMNIST: call it emnist-letters.mat or the like.")
    read = _read_mat if path.suffix == ".mat" else _read_idx
    images, numbers, writers, train = read(path, split)
    for at in range(0, len(images), _AT_ONCE):  # stored transposed
        images[at : at + _AT_ONCE] = images[at : at + _AT_ONCE].transpose(0, 2, 1).copy()
    with reading(path):
        labels = _labels(numbers, split)
    tests = len(labels) - train
    splits = official_splits(train, min(tests, train // 2), tests)
    if (writers != UNKNOWN_WRITER).any():
        splits[:train] = usual_splits(writers[:train])
    return CharacterSet(f"emnist-{split}", labels, images, writers, splits)


_KINDS = ("train", "test")
_Arrays = tuple[NDArray[np.uint8], NDArray[Any], NDArray[np.int32], int]
"""Images and labels as stored, writers, and how many of them are the train file's."""


def _read_idx(path: Path, split: str) -> _Arrays:
    images, labels = read_parts(path.parent, [f"emnist-{split}-{kind}" for kind in _KINDS])
    numbers = np.concatenate(labels)
    return images, numbers, np.full(len(numbers), UNKNOWN_WRITER, np.int32), len(labels[0])


def _read_mat(path: Path, split: str) -> _Arrays:
    from scipy.io import loadmat
    from scipy.io.matlab import MatReadError

    with reading(path):
        try:
            dataset = loadmat(path, struct_as_record=False)["dataset"][0, 0]
        except MatReadError as error:
            raise ValueError(str(error)) from error
        parts = [getattr(dataset, kind)[0, 0] for kind in _KINDS]
        counts = [len(part.images) for part in parts]
        images = np.empty((sum(counts), _SIDE, _SIDE), np.uint8)
        for part, rows in zip(parts, np.split(images, counts[:1]), strict=True):
            if len(part.labels) != len(part.images) or part.images.dtype != np.uint8:
                raise ValueError("its images and labels don't belong together")
            rows[:] = part.images.reshape(-1, _SIDE, _SIDE)
        numbers = np.concatenate([part.labels.ravel() for part in parts])
        writers = np.full(len(numbers), UNKNOWN_WRITER, np.int32)
        if all(hasattr(part, "writers") for part in parts):
            writers = np.concatenate([part.writers.ravel() for part in parts]).astype(np.int32)
    return images, numbers, writers, counts[0]


def _labels(numbers: NDArray[Any], split: str) -> NDArray[np.int16]:
    """Return the columns of `CLASSES` that the labels of a split stand for."""
    first = 1 if split == "letters" else 0
    characters = CHARACTERS[split]
    last = first + len(characters) - 1
    wrong = np.flatnonzero((numbers < first) | (numbers > last))
    if len(wrong):
        raise ValueError(
            f"label {wrong[0] + 1} is {numbers[wrong[0]]}, not {first} to {last} as in {split}"
        )
    columns = np.array([CLASSES.index(character) for character in characters], np.int16)
    return columns[numbers.astype(np.int64) - first]
