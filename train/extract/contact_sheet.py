"""One picture of all that was cut out, so that a wrong label is seen at a glance."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

import cv2
import numpy as np
from numpy.typing import NDArray

from hcr_live.overlay.canvas import Canvas, Colour
from train.data.characters import Ink
from train.extract.cutout import Sheet

_CELL_WIDTH, _CELL_HEIGHT = 84, 92
_INK = 60
_ACROSS = 20
_HEADLINE = 30
_ALIKE = str.maketrans("01l", "OII")
_DARK: Colour = (60, 60, 60)
_BLUE: Colour = (170, 90, 20)
_RED: Colour = (40, 40, 210)


def contact_sheet(sheets: Sequence[Sheet], guesses: Sequence[Sequence[str]]) -> NDArray[np.uint8]:
    """Draw every cut-out with its label, a row for each line of a sheet.

    A label is red where the network reads something else, which stands beside it.

    Args:
        sheets: What was extracted; a label "" is drawn as a question mark.
        guesses: The network's reading of each cut-out of each sheet.

    Returns:
        uint8 (h, w, 3) BGR.
    """
    bands: list[NDArray[np.uint8]] = []
    for sheet, read in zip(sheets, guesses, strict=True):
        whose = "" if sheet.writer is None else f", writer {sheet.writer}"
        page = "" if sheet.page is None else f", page {sheet.page} of the form"
        bands.append(_headline(f"{sheet.name}{whose}{page}: {len(sheet.cut_outs)} characters"))
        pairs = list(zip(sheet.cut_outs, read, strict=True))
        for _, line in groupby(pairs, key=lambda pair: pair[0].line):
            cells = [_cell(one.ink, one.label, guess) for one, guess in line]
            for first in range(0, len(cells), _ACROSS):
                row = np.full((_CELL_HEIGHT, _ACROSS * _CELL_WIDTH, 3), 235, np.uint8)
                shown = np.hstack(cells[first : first + _ACROSS])
                row[:, : shown.shape[1]] = shown
                bands.append(row)
    whole = np.vstack(bands)
    used = np.flatnonzero((whole[_HEADLINE:] != 235).any(axis=(0, 2)))
    return whole[:, : max(8 * _CELL_WIDTH, int(used.max(initial=0)) + 4)]


def agree(label: str, guess: str) -> bool:
    """Return whether two characters look alike: case, 0 and O, 1 and I and l aside."""
    return label.translate(_ALIKE).upper() == guess.translate(_ALIKE).upper()


def enlarged(ink: Ink, side: int) -> NDArray[np.uint8]:
    """Return ink dark on white in the middle of a square, uint8 (side, side, 3) BGR."""
    scale = side / max(ink.shape)
    size = (max(1, round(ink.shape[1] * scale)), max(1, round(ink.shape[0] * scale)))
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    square = np.zeros((side, side), np.uint8)
    left, top = (side - size[0]) // 2, (side - size[1]) // 2
    square[top : top + size[1], left : left + size[0]] = cv2.resize(ink, size, interpolation=method)
    return cv2.cvtColor(cv2.bitwise_not(square), cv2.COLOR_GRAY2BGR)


def _headline(text: str) -> NDArray[np.uint8]:
    band = np.full((_HEADLINE, _ACROSS * _CELL_WIDTH, 3), 235, np.uint8)
    Canvas(band, 1.0).text(text, 6, 21, 16, _DARK, "bold")
    return band


def _cell(ink: Ink, label: str, guess: str) -> NDArray[np.uint8]:
    cell = np.full((_CELL_HEIGHT, _CELL_WIDTH, 3), 255, np.uint8)
    top, left = _CELL_HEIGHT - _INK - 5, (_CELL_WIDTH - _INK) // 2
    cell[top : top + _INK, left : left + _INK] = enlarged(ink, _INK)
    canvas = Canvas(cell, 1.0)
    fits = agree(label, guess)
    end = canvas.text(label or "?", 6, 20, 19, _BLUE if fits else _RED, "bold")
    if not fits and label:
        canvas.text(f"not {guess}?", end + 5, 19, 12, _RED)
    cv2.rectangle(cell, (0, 0), (_CELL_WIDTH - 1, _CELL_HEIGHT - 1), (215, 215, 215))
    return cell
