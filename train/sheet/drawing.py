"""Draws the pages of the form as lines and letters, for a PDF or for a picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

from train.sheet.form import (
    LINE,
    MARK,
    TARGET_SIZE,
    Page,
    bracket_lines,
    cells_of,
    marks_of,
    pages_of,
    target_box,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_INCH = 25.4
_POINT = 72 / _INCH  # points of a millimetre
_FONT = "DejaVu Sans Mono"  # comes with matplotlib; 0 and O, 1 and l and I differ in it


def mark_dictionary() -> cv2.aruco.Dictionary:
    """Return the marks: AprilTag 36h11 (Olson, AprilTag, ICRA 2011), eleven bits apart."""
    return cv2.aruco.getPredefinedDictionary(cv2.aruco.DICT_APRILTAG_36h11)


def draw_page(page: Page) -> Figure:
    """Return a figure of the paper's size; `savefig` makes a PDF page or a picture of it."""
    from matplotlib.collections import LineCollection, PatchCollection
    from matplotlib.figure import Figure
    from matplotlib.patches import Rectangle

    width, height = page.size
    figure = Figure((width / _INCH, height / _INCH))
    axes = figure.add_axes((0, 0, 1, 1), xlim=(0, width), ylim=(height, 0))
    axes.axis("off")
    squares = []
    for identity, x, y in marks_of(page):
        black = mark_squares(identity)
        side = MARK / len(black)
        # A hair wider than they are, so that no white shows between two of them.
        squares += [
            Rectangle((x + column * side - 0.01, y + row * side - 0.01), side + 0.02, side + 0.02)
            for row, column in np.argwhere(black).tolist()
        ]
    axes.add_collection(PatchCollection(squares, facecolor="black", edgecolor="none"))
    cells = cells_of(page)
    lines = np.concatenate([bracket_lines(cell) for cell in cells])
    axes.add_collection(
        LineCollection(list(lines), colors="black", linewidths=LINE * _POINT, capstyle="projecting")
    )
    for cell in cells:
        x, y, width_of, _ = target_box(cell)
        base = y + 0.8 * TARGET_SIZE
        axes.text(
            x + width_of, base, cell.target, family=_FONT, size=TARGET_SIZE * _POINT, ha="right"
        )
    total = len(pages_of(page.alphabet, page.repeats, page.paper, page.writer))
    top, bottom = 16.0, height - 16.0
    quarter = width / 4 + 2
    for x, y, text in (
        (quarter, top, "Write each character into its box,\nwith a dark pen."),
        (width - quarter, top, f"Writer {page.writer}\nPage {page.number} of {total}"),
        (quarter, bottom, "Empty or scribbled-over boxes\ndo not count. Keep off the marks."),
        (width - quarter, bottom, "Photograph the whole page,\nall six marks in view."),
    ):
        axes.text(x, y, text, family="DejaVu Sans", size=9, ha="center", va="center")
    return figure


def mark_squares(identity: int) -> NDArray[np.bool_]:
    """Return which squares of a mark are black, bool (8, 8)."""
    side = mark_dictionary().markerSize + 2
    return cv2.aruco.generateImageMarker(mark_dictionary(), identity, side) == 0
