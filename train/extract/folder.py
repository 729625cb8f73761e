"""The folder that `train fit --data` reads: a picture a character, and `labels.csv`."""

from __future__ import annotations

import csv
import os
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from hcr_live.errors import HcrError
from train.data.characters import Ink
from train.data.folders import LABELS_FILE

CONTACT_SHEET = "contact-sheet"

_ROOM = 1.6
"""Side of a picture, in longest sides of its ink: so that even a blot is light on dark."""


class Entry(NamedTuple):
    """A row of `labels.csv`: a character, who wrote it, and where it comes from.

    `page` is the number of the form's page, "" for a plain sheet; `source` the picture's name.
    """

    file: str
    label: str
    writer: int
    page: str
    source: str


def open_folder(folder: Path) -> list[Entry]:
    """Return what an earlier call wrote there; the folder is made if it is not there.

    Raises:
        HcrError: If it can't be written, or holds anything that this command did not write.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        names = {path.name for path in folder.iterdir() if not path.name.startswith(".")}
        if not os.access(folder, os.W_OK):
            raise PermissionError(13, "Permission denied")
        if LABELS_FILE in names:
            with (folder / LABELS_FILE).open(newline="", encoding="utf-8-sig") as file:
                first, *rows = csv.reader(file)
                if tuple(first) == Entry._fields:
                    return [Entry(f, one, int(w), page, name) for f, one, w, page, name in rows]
        elif not any(not name.startswith(CONTACT_SHEET) for name in names):
            return []
    except OSError as error:
        raise HcrError(f"Cannot write {folder}: {error.strerror}; give another --out.") from error
    except (ValueError, csv.Error):
        pass
    raise HcrError(f"{folder} holds something else already: give --out a new or empty folder.")


def add_characters(
    folder: Path,
    known: Sequence[Entry],
    inks: Sequence[Ink],
    entries: Sequence[Entry],
) -> list[Entry]:
    """Write characters beside those that are there, the list last: it names only whole files.

    Args:
        folder: What `open_folder` let pass.
        known: What `open_folder` returned.
        inks: uint8 (h, w), white on black.
        entries: One for each, `file` is ignored.

    Returns:
        The new rows.

    Raises:
        HcrError: If something can't be written.
    """
    rows: list[Entry] = []
    number = len(known)
    for ink, entry in zip(inks, entries, strict=True):
        kind = "digit" if entry.label.isdigit() else "upper" if entry.label.isupper() else "lower"
        file, taken = "", True
        while taken:  # the user may have deleted rows
            number += 1
            file = f"{kind}_{entry.label}/writer{entry.writer}-{number:05d}.png"
            taken = (folder / file).exists()
        save_png(folder / file, _in_the_middle(ink))
        rows.append(entry._replace(file=file))
    table = folder / LABELS_FILE
    unfinished = table.with_suffix(".part")
    try:
        with unfinished.open("w", newline="", encoding="utf-8") as to:
            csv.writer(to).writerows([Entry._fields, *known, *rows])
        unfinished.replace(table)
    except OSError as error:
        raise HcrError(f"Cannot write {table}: {error.strerror}; give another --out.") from error
    return rows


def contact_sheet_path(folder: Path) -> Path:
    """Return the first name of a contact sheet that does not belong to characters already."""
    count = 1
    path = folder / f"{CONTACT_SHEET}.png"
    while path.exists() and (folder / LABELS_FILE).exists():
        count += 1
        path = folder / f"{CONTACT_SHEET}-{count}.png"
    return path


def save_png(path: Path, image: NDArray[np.uint8]) -> None:
    """Write a picture and the folder it lies in.

    Raises:
        HcrError: If that can't be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(cv2.imencode(".png", image)[1].tobytes())
    except OSError as error:
        raise HcrError(f"Cannot write {path}: {error.strerror}; give another --out.") from error


def _in_the_middle(ink: Ink) -> Ink:
    side = round(_ROOM * max(ink.shape)) + 2
    square = np.zeros((side, side), np.uint8)
    top, left = ((side - length) // 2 for length in ink.shape)
    square[top : top + ink.shape[0], left : left + ink.shape[1]] = ink
    return square
