"""A folder of images a class, as users have them and as the program saves characters."""

from __future__ import annotations

import csv
import logging
import re
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from tqdm import tqdm

from hcr_live.alphabet import CLASSES
from hcr_live.errors import HcrError
from hcr_live.paper.binarise import binarise, is_light_on_dark
from hcr_live.sources.images import IMAGE_SUFFIXES, load_image
from train.data.characters import (
    CharacterSet,
    Ink,
    labels_of,
    reading,
    usual_splits,
    writers_of,
)

LABELS_FILE = "labels.csv"

_LARGEST_SIDE = 512
_STYLES = (
    re.compile(r"(?P<label>[0-9A-Za-z])"),
    re.compile(r"(?:upper|capital)[ _-]?(?P<label>[A-Z])", re.IGNORECASE),
    re.compile(r"lower[ _-]?(?P<label>[a-z])", re.IGNORECASE),
    re.compile(r"digit[ _-]?(?P<label>[0-9])", re.IGNORECASE),
)
_CASES = {"upper": str.upper, "capit": str.upper, "lower": str.lower}

_log = logging.getLogger(__name__)


def label_of_folder(name: str) -> str | None:
    """Return the character that a folder's name stands for, None if for none.

    `A`, `a` and `7` stand for themselves; `upper_A`, `lower_a` and `digit_7` are for file
    systems that take A and a for one.
    """
    for style in _STYLES:
        if match := style.fullmatch(name):
            label = match["label"]
            return _CASES.get(name[:5].lower(), str)(label)
    return None


def is_class_folder(folder: Path) -> bool:
    """Return whether a folder has a `labels.csv` or folders that are named by characters."""
    return (folder / LABELS_FILE).is_file() or any(
        label_of_folder(entry.name) and entry.is_dir() for entry in folder.iterdir()
    )


def read_folder(folder: Path) -> CharacterSet:
    """Return the characters of a folder of images a class.

    `labels.csv`, where it is there, decides: only the files that it lists are read. Light ink on
    a plain dark ground stays as it is; anything else is taken for ink on paper and goes through
    the program's own threshold, its soft edges kept. Images without ink are left out and named.

    Raises:
        HcrError: If there are no images, one can't be read, or a row of `labels.csv` is wrong.
    """
    table = folder / LABELS_FILE
    rows = list(_listed(table) if table.is_file() else _found(folder))
    contents: list[Ink] = []
    kept: list[int] = []
    for number, (path, _, _) in enumerate(tqdm(rows, folder.name, unit="image", disable=None)):
        ink = _ink(path)
        if ink.any():
            contents.append(ink)
            kept.append(number)
    blank = [str(rows[number][0]) for number in sorted(set(range(len(rows))) - set(kept))]
    if not kept:
        raise HcrError(f"There are no images with ink in the class folders of {folder}.")
    if blank:
        _log.warning("Left out, no ink: %s", ", ".join(blank))
    labels = labels_of([rows[number][1] for number in kept])
    writers = writers_of([rows[number][2] for number in kept])
    return CharacterSet(folder.resolve().name, labels, contents, writers, usual_splits(writers))


def _found(folder: Path) -> Iterator[tuple[Path, str, str]]:
    for entry in sorted(folder.iterdir()):
        label = label_of_folder(entry.name)
        if label and entry.is_dir():
            for path in sorted(entry.iterdir()):
                if path.suffix.lower() in IMAGE_SUFFIXES and not path.name.startswith("."):
                    yield path, label, ""


def _listed(table: Path) -> Iterator[tuple[Path, str, str]]:
    with reading(table), table.open(newline="", encoding="utf-8-sig") as file:
        reader = csv.DictReader(file)
        if not {"file", "label"} <= set(reader.fieldnames or ()):
            raise ValueError("its first line does not name the columns file and label")
        for row in reader:
            where = f"line {reader.line_num}"
            label = row["label"] or ""
            if len(label) != 1 or label not in CLASSES:
                raise ValueError(f"{where}: the label {label!r} is none of 0-9 A-Z a-z")
            path = table.parent / (row["file"] or "")
            if not path.is_file():
                raise ValueError(f"{where}: there is no file {row['file']!r} beside it")
            yield path, label, row.get("writer") or ""


def _ink(path: Path) -> Ink:
    grey = cv2.cvtColor(load_image(path), cv2.COLOR_BGR2GRAY)
    scale = _LARGEST_SIDE / max(grey.shape)
    if scale < 1:
        grey = cv2.resize(grey, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    if is_light_on_dark(grey):
        return grey
    # The threshold tells where there is ink, also in uneven light; how dark it is says more.
    near = cv2.dilate(binarise(grey), np.ones((3, 3), np.uint8))
    return np.asarray(cv2.bitwise_and(cv2.bitwise_not(grey), near), np.uint8)
