"""What `collect` shows: the frame with what is found on it, then what was cut out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from hcr_live.overlay.canvas import AMBER, CYAN, GREEN, GREY, Canvas, text_width
from hcr_live.paper.sheet import Quad
from train.extract.contact_sheet import agree, contact_sheet
from train.extract.cutout import Sheet

WIDTH, HEIGHT = 1280, 720
_BAR, _BARS_BELOW = 44, 68
"""Pixels above and below the frame: text on it would hide part of a sheet."""
_MARGIN = 14


@dataclass(frozen=True, eq=False)
class Finding:
    """What is known of the present frame.

    Attributes:
        sheet: What the last look found, if there was one.
        guesses: What the network reads in each of its cut-outs.
        expected: How many characters the labels have, 0 if there are none.
        hint: What to do next.
        notice: A sentence that matters more, or "".
        steadiness: How much of the time is over until the picture is taken, from 0 to 1.
        total: How many characters are kept.
        move: float64 (3, 3), from where the sheet was at that look to where it is; None if it has
            not moved, as far as is known.
    """

    sheet: Sheet | None
    guesses: Sequence[str]
    expected: int
    hint: str
    notice: str
    steadiness: float
    total: int
    move: NDArray[np.float64] | None


def draw_finding(image: NDArray[np.uint8], finding: Finding, mirror: bool) -> NDArray[np.uint8]:
    """Return a frame with the outline and the characters that were found on it.

    Args:
        image: uint8 (h, w, 3) BGR.
        finding: What is known of it.
        mirror: Show it as in a mirror.

    Returns:
        uint8 (720, 1280, 3) BGR.
    """
    scale = min(WIDTH / image.shape[1], (HEIGHT - _BAR - _BARS_BELOW) / image.shape[0])
    size = (round(image.shape[1] * scale), round(image.shape[0] * scale))
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    shown = cv2.resize(image, size, interpolation=method)
    picture = np.full((HEIGHT, WIDTH, 3), 32, np.uint8)
    left = (WIDTH - size[0]) // 2
    inside = picture[_BAR : _BAR + size[1], left : left + size[0]]
    inside[:] = shown[:, ::-1] if mirror else shown
    canvas = Canvas(picture, 1.0)

    def placed(quad: Quad) -> NDArray[np.float32]:
        points = quad.reshape(1, -1, 2).astype(np.float64)
        if finding.move is not None:
            points = cv2.perspectiveTransform(points, finding.move)
        points = points[0] * scale
        if mirror:
            points[:, 0] = size[0] - 1 - points[:, 0]
        return (points + np.array((left, _BAR))).astype(np.float32)

    sheet = finding.sheet
    if sheet is not None:
        if sheet.outline is not None:
            canvas.polyline(placed(sheet.outline), CYAN, 2, closed=True)
        for one, guess in zip(sheet.cut_outs, finding.guesses, strict=True):
            if one.place is not None:
                label = one.label or guess
                _draw_character(canvas, placed(one.place), label, agree(label, guess))
    _draw_bars(canvas, finding)
    return picture


def _draw_character(canvas: Canvas, quad: NDArray[np.float32], label: str, sure: bool) -> None:
    colour = GREEN if sure else AMBER
    fixed = np.rint(quad * 8).astype(np.int32)
    cv2.polylines(canvas.image, [fixed], True, colour, 1, cv2.LINE_AA, 3)
    left, top = quad.min(axis=0).astype(int).tolist()
    size = int(np.clip(0.45 * np.ptp(quad[:, 1]), 11, 20))
    width = text_width(label, size, "bold")
    canvas.panel(left - 1, top - size, width + 3, size, 0.6)
    canvas.text(label, left, top - 2, size, colour, "bold")


def _draw_bars(canvas: Canvas, finding: Finding) -> None:
    sheet, width = finding.sheet, canvas.width
    found = len(sheet.cut_outs) if sheet is not None else 0
    of = finding.expected
    if sheet is not None and sheet.page is not None:
        of = found + sheet.empty + sheet.hidden + sheet.crossed_out
    complete = found > 0 and of in (0, found)
    said = f"found {found}" + (f" of {of}" if of else "")
    end = canvas.text(said, _MARGIN, 31, 26, GREEN if complete else AMBER, "bold")
    if sheet is not None and sheet.page is not None:
        canvas.text(f"page {sheet.page} of writer {sheet.writer}", end + 18, 30, 18, GREY)
    said = f"{finding.total} collected"
    canvas.text(said, width - _MARGIN - text_width(said, 18), 30, 18)
    top = canvas.height - _BARS_BELOW
    said, colour = finding.notice or finding.hint, AMBER if finding.notice else GREEN
    _fitted(canvas, said, top + 32, 20, colour)
    _fitted(canvas, "Space: take it now     q: done", top + 58, 16, GREY)
    if finding.steadiness:
        canvas.bar(0, top, width - 1, 4, finding.steadiness, GREEN)


def _fitted(canvas: Canvas, text: str, y: int, size: int, colour: tuple[int, int, int]) -> None:
    """Write a line, smaller if it is too long."""
    room = canvas.width - 2 * _MARGIN
    while size > 9 and text_width(text, size) > room:
        size -= 1
    canvas.text(text, _MARGIN, y, size, colour)


def draw_review(sheet: Sheet, guesses: Sequence[str], refused: str) -> NDArray[np.uint8]:
    """Return what was cut out and the question whether to keep it, uint8 (720, 1280, 3) BGR.

    Args:
        sheet: What was cut out.
        guesses: What the network reads in each.
        refused: Why it can't be kept, "" if it can.
    """
    image = np.full((HEIGHT, WIDTH, 3), 32, np.uint8)
    room = (WIDTH - 2 * _MARGIN, HEIGHT - _BAR - 78)
    # A row for each line of the sheet, or rows as wide as they can be: what is larger.
    joined = replace(sheet, cut_outs=tuple(replace(one, line=0) for one in sheet.cut_outs))
    overviews = [contact_sheet([one], [guesses]) for one in (sheet, joined)]
    scales = [min(room[0] / one.shape[1], room[1] / one.shape[0], 1.5) for one in overviews]
    best = int(np.argmax(scales))
    method = cv2.INTER_AREA if scales[best] < 1 else cv2.INTER_LINEAR
    shown = cv2.resize(
        overviews[best], None, fx=scales[best], fy=scales[best], interpolation=method
    )
    image[_BAR : _BAR + shown.shape[0], _MARGIN : _MARGIN + shown.shape[1]] = shown
    canvas = Canvas(image, 1.0)
    question = f"Keep these {len(sheet.cut_outs)} characters?"
    canvas.text(refused or question, _MARGIN, 31, 24, AMBER if refused else GREEN, "bold")
    keys = "Enter: keep them.   r: take it again.   q: stop without them."
    if refused:
        keys = "Enter or r: take it again.   q: stop."
    elif not all(map(agree, [one.label for one in sheet.cut_outs], guesses)):
        wrong = "Red: the network reads something else; is the label right?"
        canvas.text(wrong, _MARGIN, HEIGHT - 42, 16, GREY)
    canvas.text(keys, _MARGIN, HEIGHT - 16, 20)
    return image
