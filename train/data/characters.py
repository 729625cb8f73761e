"""The one value that every loader returns and every command of training takes."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hcr_live.alphabet import CLASSES
from hcr_live.errors import HcrError

Split = Literal["train", "validation", "test"]

SPLITS: tuple[Split, ...] = ("train", "validation", "test")
"""Fitted to; looked at to choose epochs and settings; touched once, for the last figure."""

Strokes = tuple[NDArray[np.float32], ...]
"""Strokes in writing order, each float32 (n, 2): x right, y down, any unit."""

Ink = NDArray[np.uint8]
"""uint8 (h, w), white ink on black."""

UNKNOWN_WRITER = -1


@dataclass(frozen=True, eq=False)
class CharacterSet:
    """The characters of one source.

    Attributes:
        name: Of the source: a key of `train.data.sources.SOURCES`, a file's or a font's name.
        labels: int16 (n,): columns of `hcr_live.alphabet.CLASSES`.
        contents: n characters: uint8 (n, h, w) where all are of one size (large sets, one block of
            memory), else a sequence of `Ink` or of `Strokes`.
        writers: int32 (n,), `UNKNOWN_WRITER` where the source does not say.
        splits: uint8 (n,): positions in `SPLITS`.
    """

    name: str
    labels: NDArray[np.int16]
    contents: Sequence[Strokes | Ink] | NDArray[np.uint8]
    writers: NDArray[np.int32]
    splits: NDArray[np.uint8]

    def __post_init__(self) -> None:
        lengths = {len(part) for part in (self.labels, self.contents, self.writers, self.splits)}
        if len(lengths) != 1:
            raise ValueError(f"{self.name}: labels, contents, writers, splits differ in length")

    def __len__(self) -> int:
        return len(self.labels)

    def chosen(self, rows: NDArray[Any]) -> CharacterSet:
        """Return the rows of an index or boolean array, in that order."""
        rows = np.flatnonzero(rows) if rows.dtype == bool else rows
        contents = self.contents
        return replace(
            self,
            labels=self.labels[rows],
            contents=contents[rows]
            if isinstance(contents, np.ndarray)
            else [contents[row] for row in rows.tolist()],
            writers=self.writers[rows],
            splits=self.splits[rows],
        )

    def split(self, name: Split) -> CharacterSet:
        """Return the characters of one split."""
        return self.chosen(self.splits == SPLITS.index(name))


def labels_of(characters: Sequence[str]) -> NDArray[np.int16]:
    """Return the columns of `CLASSES`, int16 (n,).

    Raises:
        ValueError: If one is none of 0-9 A-Z a-z.
    """
    columns = {character: column for column, character in enumerate(CLASSES)}
    for number, character in enumerate(characters, 1):
        if not isinstance(character, str) or character not in columns:
            raise ValueError(f"label {number}, {character!r}, is none of 0-9 A-Z a-z")
    return np.array([columns[character] for character in characters], np.int16)


def writers_of(names: Sequence[Any]) -> NDArray[np.int32]:
    """Return a number for each writer, int32 (n,).

    Whole numbers stay what they are (-1 is unknown), other names are numbered in alphabetical
    order; None and "" are `UNKNOWN_WRITER`.
    """
    texts = ["" if name is None else str(name).strip() for name in names]
    known = sorted(set(texts) - {""})
    if all(text.removeprefix("-").isdecimal() and -2 < int(text) < 2**31 for text in known):
        number = {text: int(text) for text in known}
    else:
        number = {text: place for place, text in enumerate(known)}
    return np.array([number.get(text, UNKNOWN_WRITER) for text in texts], np.int32)


def validation_where(held_out: ArrayLike) -> NDArray[np.uint8]:
    """Return `splits`: validation where the boolean array is true, else train."""
    return np.asarray(held_out, bool).astype(np.uint8) * np.uint8(SPLITS.index("validation"))


def usual_splits(writers: NDArray[np.int32]) -> NDArray[np.uint8]:
    """Return `splits` of a source that comes without: every fifth writer is validation.

    Where fewer than five writers are known it is every tenth character, which says little about
    other people's writing.
    """
    known = np.unique(writers[writers != UNKNOWN_WRITER])
    if len(known) >= 5:
        return validation_where(np.isin(writers, known[4::5]))
    return validation_where(np.arange(len(writers)) % 10 == 9)


def official_splits(train: int, validation: int, test: int) -> NDArray[np.uint8]:
    """Return `splits` of a train file, whose last characters are validation, and a test file."""
    return np.repeat(np.arange(len(SPLITS), dtype=np.uint8), [train - validation, validation, test])


_UNREADABLE = (
    *(OSError, EOFError, ValueError, KeyError, TypeError, IndexError),
    *(zlib.error, zipfile.BadZipFile),
)


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Turn what goes wrong inside the `with` into an `HcrError` that names the file."""
    try:
        yield
    except _UNREADABLE as error:
        reason = getattr(error, "strerror", None) or str(error) or "it is damaged"
        if isinstance(error, EOFError):
            reason = "it is cut off"
        raise HcrError(
            f"Cannot read {path}: {reason.rstrip('.')}; mend the file or get it again."
        ) from error
