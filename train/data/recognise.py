"""Finds out what a file or folder of handwriting is, and loads it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Set
from pathlib import Path

from hcr_live.errors import HcrError
from hcr_live.sources.images import IMAGE_SUFFIXES
from train.data.az import read_az
from train.data.characters import CharacterSet
from train.data.emnist import read_emnist, split_of
from train.data.folders import LABELS_FILE, is_class_folder, label_of_folder, read_folder
from train.data.fonts import FONT_SUFFIXES
from train.data.idx import part_of
from train.data.mnist import MNIST_PARTS, read_mnist
from train.data.npz import read_npz
from train.data.strokes import read_strokes

_log = logging.getLogger(__name__)

_READERS: dict[str, Callable[[Path], CharacterSet]] = {
    ".json": read_strokes,
    ".json.gz": read_strokes,
    ".npz": read_npz,
    ".csv": read_az,
}
_NO_DATA = frozenset({".md", ".txt", ".tsv", ".html", ".pdf", ".zip", ".part"}) | FONT_SUFFIXES
_DEEPEST = 3
_KNOWN_KINDS = (
    "pen strokes (.json, .json.gz), images (.npz), MNIST or EMNIST (idx, .gz, .mat, mnist.npz),"
    " the A-Z CSV, or folders of images named by character"
)


def load(path: Path) -> list[CharacterSet]:
    """Return every source of handwriting in a file or folder.

    Args:
        path: A file of any kind that `docs/data.md` lists, or a folder of such files and folders.

    Raises:
        HcrError: If nothing is there, it is of no known kind, or it can't be read.
    """
    if path.is_file():
        reader = _reader(path)
        if reader is None:
            raise HcrError(f"{path} is none of the known kinds: {_KNOWN_KINDS}.")
        return [reader(path)]
    if not path.is_dir():
        raise HcrError(f"There is no file or folder {path}: check the path.")
    unknown: list[str] = []
    sets: list[CharacterSet] = []
    for one in _of_folder(path, unknown, 0):
        for other in sets:
            _check_apart(one.name, other.name, path)
        sets.append(one)
    names = ", ".join(unknown)
    if not sets:
        found = f" Of no such kind: {names}." if unknown else ""
        raise HcrError(f"No training data in {path}: put {_KNOWN_KINDS} there.{found}")
    if unknown:
        _log.warning("Left out of %s, of no known kind: %s", path, names)
    return sets


def _check_apart(name: str, other: str, path: Path) -> None:
    if name == other:
        raise HcrError(f"{path} holds two sets called {name}: rename or remove one.")
    if name.startswith("emnist-") and other.startswith("emnist-"):
        raise HcrError(
            f"{path} holds {other} and {name}, which share images, so that test images would be"
            " trained on: keep one, or name a file of one."
        )


def _of_folder(folder: Path, unknown: list[str], depth: int) -> Iterator[CharacterSet]:
    try:
        entries = sorted(entry for entry in folder.iterdir() if not entry.name.startswith("."))
    except OSError as error:
        raise HcrError(f"Cannot read the folder {folder}: {error.strerror}.") from error
    names = {entry.name for entry in entries}
    of_classes = is_class_folder(folder)
    if of_classes:
        yield read_folder(folder)
    done: set[str | None] = set()
    for entry in entries:
        if entry.is_dir():
            if depth < _DEEPEST and not (of_classes and label_of_folder(entry.name)):
                yield from _of_folder(entry, unknown, depth + 1)
        elif _is_aside(entry, names):
            continue
        elif reader := _reader(entry):
            group = _group(entry)
            if group is None or group not in done:
                yield reader(entry)
            done.add(group)
        else:
            unknown.append(entry.name)


_DRAWN, _AS_STROKES = "images_omniglot_latin.npz", "strokes_omniglot_latin.json.gz"
"""The same characters, so the first is left out beside the second."""


def _is_aside(path: Path, names: Set[str]) -> bool:
    """Return whether a file is no data of its own, given the names beside it."""
    if path.name == _DRAWN:
        return _AS_STROKES in names
    return path.name == LABELS_FILE or path.suffix.lower() in _NO_DATA | IMAGE_SUFFIXES


def _group(path: Path) -> str | None:
    """Return what is the same for files that are read as one, None for a file on its own."""
    if part_of(path) in MNIST_PARTS:
        return "mnist"
    return split_of(path) if part_of(path) else None


def _reader(path: Path) -> Callable[[Path], CharacterSet] | None:
    if split_of(path):
        return read_emnist
    if part_of(path) in MNIST_PARTS:
        return lambda file: read_mnist(file.parent)
    if path.name == LABELS_FILE:
        return lambda file: read_folder(file.parent)
    for ending, reader in _READERS.items():
        if path.name.lower().endswith(ending):
            return reader
    return None
