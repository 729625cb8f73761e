"""The one value that every loader returns and every command of training takes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

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
