"""The folder that `train fit --data` reads: a picture a character, and `labels.csv`."""

from __future__ import annotations

import contextlib
import csv
import os
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from hcr_live.errors import HcrError
from train.data.characters import Ink
from train.data.folders import LABELS_FILE
from train.extract.contact_sheet import contact_sheet
from train.extract.cutout import Sheet

CONTACT_SHEET = "contact-sheet"

_ROOM = 1.6
"""Side of a picture, in longest sides of its ink: so that even a blot is light on dark."""


class Entry(NamedTuple):
    """A row of `labels.csv`: a character, who wrote it, and where it comes from.

    `writer` is a number or a name; `page` the number of the form's page, "" for a plain sheet;
    `source` the picture's name.
    """

    file: str
    label: str
    writer: str
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
                    return [Entry._make(row) for row in rows]
        elif not any(not name.startswith(CONTACT_SHEET) for name in names):
            return []
    except OSError as error:
        raise HcrError(f"Cannot write {folder}: {error.strerror}; give another --out.") from error
    except (TypeError, ValueError, csv.Error):
        pass
    raise HcrError(f"{folder} holds something else already: give --out a new or empty folder.")


def check_writer(writer: str | None) -> None:
    """Make sure that a writer can stand in a file's name.

    Raises:
        HcrError: If not.
    """
    if writer is None or re.fullmatch(r"[^\W_][\w-]{0,39}", writer):
        return
    raise HcrError(
        f"--writer must be a number or a short name of letters, digits, - and _, not '{writer}'."
    )


def with_writers(
    sheets: Sequence[Sheet], known: Sequence[Entry], writer: str | None
) -> list[Sheet]:
    """Return the sheets with the writer that is told, printed, or new.

    Args:
        sheets: Of one call.
        known: What `open_folder` returned.
        writer: Number or name of the person who wrote all of them; None if nobody said.

    Raises:
        HcrError: If a page of the form comes twice.
    """
    if writer is not None:
        sheets = [replace(sheet, writer=writer) for sheet in sheets]
    taken = [sheet.writer or "" for sheet in sheets] + [entry.writer for entry in known]
    new = max([0, *(int(one) for one in taken if one.isdecimal())])
    numbered: list[Sheet] = []
    seen = {
        (entry.writer, entry.page): f"{entry.source}, in the folder already,"
        for entry in known
        if entry.page
    }
    for sheet in sheets:
        if sheet.writer is None:
            new += 1
            sheet = replace(sheet, writer=str(new))
        if sheet.page is not None and sheet.writer is not None:
            key = (sheet.writer, str(sheet.page))
            if key in seen:
                raise HcrError(
                    f"{sheet.name} and {seen[key]} are both page {sheet.page} of writer"
                    f" {sheet.writer}: leave one out, or give another person's its own --writer."
                )
            seen[key] = sheet.name
        numbered.append(sheet)
    return numbered


def add_sheets(
    folder: Path,
    known: Sequence[Entry],
    sheets: Sequence[Sheet],
    guesses: Sequence[Sequence[str]],
) -> list[Entry]:
    """Write the characters of labelled sheets and their contact sheet; see `add_characters`.

    Args:
        folder: What `open_folder` let pass.
        known: What `open_folder` returned.
        sheets: Labelled, with writers.
        guesses: The network's reading of each cut-out of each sheet.
    """
    entries = [
        Entry("", one.label, sheet.writer or "", str(sheet.page or ""), sheet.name)
        for sheet in sheets
        for one in sheet.cut_outs
    ]
    inks = [one.ink for sheet in sheets for one in sheet.cut_outs]
    overview = contact_sheet_path(folder)
    try:
        save_png(overview, contact_sheet(sheets, guesses))
        return add_characters(folder, known, inks, entries)
    except BaseException:
        with contextlib.suppress(OSError):
            overview.unlink()
        raise


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
        HcrError: If something can't be written; then none of it is there.
    """
    rows: list[Entry] = []
    table = folder / LABELS_FILE
    unfinished = table.with_suffix(".part")
    number = len(known)
    try:
        for ink, entry in zip(inks, entries, strict=True):
            label, whose = entry.label, entry.writer
            kind = "digit" if label.isdigit() else "upper" if label.isupper() else "lower"
            whose = f"writer{whose}" if whose.isdecimal() else whose
            file, taken = "", True
            while taken:  # the user may have deleted rows
                number += 1
                file = f"{kind}_{label}/{whose}-{number:05d}.png"
                taken = (folder / file).exists()
            rows.append(entry._replace(file=file))
            save_png(folder / file, _in_the_middle(ink))
        with unfinished.open("w", newline="", encoding="utf-8") as to:
            csv.writer(to).writerows([Entry._fields, *known, *rows])
        unfinished.replace(table)
    except BaseException as error:  # Ctrl-C too
        for path in (unfinished, *(folder / row.file for row in rows)):
            with contextlib.suppress(OSError):
                path.unlink()
        if isinstance(error, OSError):
            raise HcrError(
                f"Cannot write {table}: {error.strerror}; give another --out."
            ) from error
        raise
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
