"""Finds out what a file or folder of handwriting is, and loads it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from pathlib import Path

from hcr_live.errors import HcrError
from train.data.characters import CharacterSet
from train.data.fonts import FONT_SUFFIXES
from train.data.idx import part_of
from train.data.mnist import MNIST_PARTS, read_mnist
from train.data.npz import read_npz
from train.data.strokes import read_strokes

_log = logging.getLogger(__name__)

READERS: dict[str, Callable[[Path], CharacterSet]] = {
    ".json": read_strokes,
    ".json.gz": read_strokes,
    ".npz": read_npz,
}
"""The end of a file's name, and what reads it."""

_NO_DATA = frozenset({".md", ".txt", ".html", ".pdf", ".zip", ".part"}) | FONT_SUFFIXES
_DEEPEST = 3
_KNOWN_KINDS = "pen strokes (.json, .json.gz), images (.npz), MNIST (idx files or mnist.npz)"


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
            raise HcrError(f"{path} is none of {_KNOWN_KINDS}: see docs/data.md.")
        return [reader(path)]
    if not path.is_dir():
        raise HcrError(f"There is no file or folder {path}: check the path.")
    unknown: list[Path] = []
    sets = list(_of_folder(path, unknown, 0))
    names = ", ".join(str(one.relative_to(path)) for one in unknown)
    if not sets:
        found = f" {names} is of no such kind." if unknown else ""
        raise HcrError(f"No training data in {path}: put {_KNOWN_KINDS} there.{found}")
    if unknown:
        _log.warning("Left out of %s, of no known kind: %s", path, names)
    return sets


def _of_folder(folder: Path, unknown: list[Path], depth: int) -> Iterator[CharacterSet]:
    entries = sorted(entry for entry in folder.iterdir() if not entry.name.startswith("."))
    done: set[Callable[[Path], CharacterSet]] = set()
    for entry in entries:
        if entry.is_dir():
            if depth < _DEEPEST:
                yield from _of_folder(entry, unknown, depth + 1)
        elif part_of(entry) in MNIST_PARTS:
            if read_mnist not in done:
                done.add(read_mnist)
                yield read_mnist(folder)
        elif entry.name == "images_omniglot_latin.npz" and (
            (folder / "strokes_omniglot_latin.json.gz").is_file()
        ):
            continue  # the same characters, drawn
        elif reader := _reader(entry):
            yield reader(entry)
        elif entry.suffix.lower() not in _NO_DATA:
            unknown.append(entry)


def _reader(path: Path) -> Callable[[Path], CharacterSet] | None:
    if part_of(path) in MNIST_PARTS:
        return lambda file: read_mnist(file.parent)
    for ending, reader in READERS.items():
        if path.name.lower().endswith(ending):
            return reader
    return None
