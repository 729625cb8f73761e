"""Whose characters the benchmarks show: our own, pen strokes of others, or crops of real ink."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from generator.letters import letter_strokes
from generator.writing import CharacterStrokes, OnLine, on_line
from hcr_live.alphabet import CLASSES
from hcr_live.errors import HcrError

Draw: TypeAlias = Callable[[str, np.random.Generator], "CharacterStrokes | OnLine"]
"""Returns a character that somebody wrote."""

CROPS = "validate/paper_crops.zip"
_WHITE, _BLACK = 250, 8


@dataclass(frozen=True, eq=False)
class Crop:
    """A photo of one character on its own paper.

    Attributes:
        label: The character.
        image: uint8 (height, width, 3), BGR.
    """

    label: str
    image: NDArray[np.uint8]


@cache
def load_crops(folder: Path) -> tuple[Crop, ...]:
    """Return the crops of a data folder, but those that its list marks as wrong or copied.

    Raises:
        HcrError: If they can't be read.
    """
    path = folder / CROPS
    crops = []
    try:
        with zipfile.ZipFile(path) as archive:
            for line in archive.read("list.tsv").decode().splitlines()[1:]:
                name, label, _, note = (*line.split("\t"), "")[:4]
                picture = np.frombuffer(archive.read(name), np.uint8)
                image = cv2.imdecode(picture, cv2.IMREAD_COLOR)
                if image is not None and not note:
                    crops.append(Crop(label, np.asarray(image, np.uint8)))
    except (OSError, KeyError, ValueError, zipfile.BadZipFile) as error:
        raise HcrError(f"No crops in {path} ({error}): give the folder that has {CROPS}.") from None
    return tuple(crops)


def lifted(image: NDArray[np.uint8]) -> NDArray[np.uint8] | None:
    """Return the ink of a crop without its paper, uint8 (h, w), or None where it can't be told.

    The lightest of a pixel's three colours is asked: a blue rule is as light as paper in blue.
    """
    lightest = image.max(axis=2)
    paper_at = cv2.boundingRect(cv2.compare(lightest, _WHITE, cv2.CMP_LT))
    x, y, w, h = paper_at
    part = lightest[y : y + h, x : x + w].astype(np.float32)
    # Black blocks hide what was beside the character, and sometimes a part of it.
    if min(w, h) < 6 or np.count_nonzero(part < _BLACK) > 12:
        return None
    paper, ink = np.percentile(part, (75, 1))
    if paper - ink < 50:  # blue ink, or hardly any
        return None
    share = np.clip((paper - part) / (paper - ink) * 1.5 - 0.35, 0, 1)
    cover = (share * 255).astype(np.uint8)
    _, labels, stats, _ = cv2.connectedComponentsWithStats(cv2.compare(cover, 90, cv2.CMP_GT))
    kept = np.zeros(len(stats), np.uint8)
    for number, (left, top, wide, tall, area) in enumerate(stats.tolist()):
        cut = left == 0 or top == 0 or left + wide == w or top + tall == h
        large = area > 0.3 * stats[1:, 4].max()
        kept[number] = number > 0 and area >= 6 and (large if cut else True)
    near = cv2.dilate(kept[labels], np.ones((3, 3), np.uint8))
    cover *= near
    x, y, w, h = cv2.boundingRect(cv2.compare(cover, 90, cv2.CMP_GT))
    return cover[y : y + h, x : x + w] if w and h else None


class Handwriting:
    """Characters to put on sheets; each sheet is written by one person where that is known.

    Args:
        strokes: A file of pen strokes (docs/data.md).
        data: A folder with crops of real handwriting.
        labels: What is wanted.

    Without either our own strokes are taken.

    Raises:
        HcrError: If the file or folder can't be read, or has none of the labels.
    """

    def __init__(self, strokes: Path | None, data: Path | None, labels: str) -> None:
        self.labels = labels
        self._of: dict[int, dict[str, list[OnLine]]] = {}
        if strokes is not None:
            self._take_strokes(strokes)
        elif data is not None:
            self._take_crops(data)
        else:
            return
        self.labels = "".join(
            label for label in labels if any(label in found for found in self._of.values())
        )
        if not self.labels:
            raise HcrError(f"{strokes or data} has none of the characters {labels}.")

    def _take_strokes(self, path: Path) -> None:
        from train.data.strokes import load_strokes

        characters = load_strokes(path)
        writers = characters.writers.tolist()
        for number, strokes, writer in zip(
            characters.labels, characters.contents, writers, strict=True
        ):
            label = CLASSES[int(number)]
            self._add(writer, on_line(label, strokes), label)

    def _take_crops(self, folder: Path) -> None:
        for crop in load_crops(folder):
            ink = lifted(crop.image)
            if ink is not None:
                self._add(0, on_line(crop.label, ink), crop.label)

    def _add(self, writer: int, character: OnLine, label: str) -> None:
        if label in self.labels:
            self._of.setdefault(writer, {}).setdefault(label, []).append(character)

    def somebody(self, rng: np.random.Generator) -> Draw:
        """Return how one person writes; what is not known of them is by others."""
        if not self._of:
            return letter_strokes
        writer = int(rng.choice(sorted(self._of)))

        def draw(label: str, rng: np.random.Generator) -> OnLine:
            mine = self._of[writer].get(label)
            if not mine:
                mine = [one for found in self._of.values() for one in found.get(label, [])]
            return mine[int(rng.integers(len(mine)))]

        return draw

    def text(self, rng: np.random.Generator, count: int) -> list[str]:
        """Return lines of random words of two to six characters, `count` characters in all."""
        lines: list[str] = [""]
        longest = max(6, round((2.2 * count) ** 0.5) + 2)
        left = count
        while left > 0:
            length = min(left, int(rng.integers(2, 7)))
            word = "".join(rng.choice(list(self.labels), length))
            if len(lines[-1]) + 1 + length > longest and lines[-1]:
                lines.append(word)
            else:
                lines[-1] = f"{lines[-1]} {word}".strip()
            left -= length
        return lines


def written(
    text: Sequence[str], draw: Draw, rng: np.random.Generator
) -> list[list[CharacterStrokes | OnLine | None]]:
    """Return lines of text as characters that `SheetScene` takes."""
    return [[None if c == " " else draw(c, rng) for c in line] for line in text]
