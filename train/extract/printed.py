"""Takes the printed form apart: marks, straightening, cells, the writing in each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from hcr_live.errors import HcrError
from hcr_live.paper.binarise import binarise
from hcr_live.paper.sheet import Quad
from train.data.characters import Ink
from train.extract.cutout import CutOut, Sheet
from train.sheet.drawing import mark_dictionary
from train.sheet.form import (
    BRACKET,
    CELL,
    LINE,
    MARK,
    Cell,
    Page,
    bracket_lines,
    cells_of,
    marks_of,
    page_of,
    target_box,
    zone_of,
)

_SEARCH_SIDES = (1600, 3200)
"""Pixels of the longer side of the picture in which marks are looked for."""

_FINEST, _COARSEST = 8.0, 5.0
"""Pixels of a millimetre of the straightened page."""

_BEND = 3.5
"""A bent page is misplaced by so many millimetres between its marks, at most."""
_MOST_LOST = 0.3
"""This share of the cells may be hidden, or misplaced by more."""
_HIDDEN = 0.5
"""A cell whose brackets are this much fainter than the others' is hidden by something."""
_LINE_HIDDEN = 0.68
"""So is one with any line of a bracket no darker than this share of the usual one: half covered."""
_WITHIN = 1.2
"""Millimetres across which such a line is looked for."""
_REST = 0.2
"""And by so many once each cell was looked for."""

_LONGEST = 40.0
"""Millimetres: longer ink than two touching characters is no writing."""

_WIDEST = 5.5
"""Millimetres: no stroke and no printed target is as wide."""

_BESIDE = 4.0
"""Millimetres around the cells that writing may reach to."""

_SPECK = 0.6
_LEAST_WRITING = 1.8
"""Millimetres: smaller ink is no writing; a cell with nothing larger is empty."""

Corners = NDArray[np.float64]
"""float64 (4, 2): of a mark, in pixels, from its own upper left one clockwise."""

_Mark = tuple[int, Corners]
"""Identity and corners."""


@dataclass(frozen=True, eq=False)
class Form:
    """Where a page of the printed form lies in a picture.

    Attributes:
        page: Which page it is.
        placed: float64 (3, 3), homography from millimetres of the page to pixels.
    """

    page: Page
    placed: NDArray[np.float64]

    @property
    def outline(self) -> Quad:
        """Corners of the paper in pixels."""
        return self._corners(0, 0, *self.page.size)

    def place(self, cell: Cell) -> Quad:
        """Return the corners of a cell in pixels."""
        return self._corners(cell.x, cell.y, CELL, CELL)

    def _corners(self, x: float, y: float, w: float, h: float) -> Quad:
        flat = np.array([[(x, y), (x + w, y), (x + w, y + h), (x, y + h)]])
        return cv2.perspectiveTransform(flat, self.placed)[0].astype(np.float32)


def read_form(image: NDArray[np.uint8], name: str) -> Sheet | None:
    """Cut out what is written on a page of the printed form.

    Args:
        image: uint8 (h, w, 3) BGR: a photo or scan, any way up.
        name: Of the picture, for messages.

    Returns:
        The sheet, each cut-out with its target as label; None where no mark is seen at all.

    Raises:
        HcrError: If there are marks, but too few to tell page or place, or of several pages, or
            the page is so bent that its cells are not where they should be.
    """
    grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
    form = find_form(grey, name)
    return None if form is None else cut_out(grey, form, name)


def find_form(
    grey: NDArray[np.uint8], name: str, sides: Sequence[int] = _SEARCH_SIDES
) -> Form | None:
    """Find a page of the printed form by its marks.

    Args:
        grey: uint8 (h, w).
        name: Of the picture, for messages.
        sides: Pixels of the longer side that the picture is looked at with, one after the other
            until all marks are seen.

    Returns:
        Where it is; None where no mark is seen at all.

    Raises:
        HcrError: If there are marks, but too few to tell page or place, or of several pages.
    """
    marks = _find_marks(grey, sides)
    if not marks:
        return None
    if len(marks) > 6:
        raise HcrError(f"Several pages of the form are seen in {name}: take them one by one.")
    page = page_of([identity for identity, _ in marks])
    seen = [] if page is None else _known(page, marks)
    if page is None or len(seen) < 3 or len({y for (_, y), _ in seen}) < 2:
        raise HcrError(
            f"Only {len(marks)} of the six marks of the form are seen well enough in {name}:"
            " take the whole page, flat and sharp."
        )
    placed = _place(seen)
    if placed is None:
        raise _bent(name)
    return Form(page, placed)


def cut_out(grey: NDArray[np.uint8], form: Form, name: str) -> Sheet:
    """Cut out what is written on a page that was found.

    Args:
        grey: uint8 (h, w).
        form: What `find_form` returned for it.
        name: Of the picture, for messages.

    Returns:
        The sheet, each cut-out with its target as label.

    Raises:
        HcrError: If the page is so bent that its cells are not where they should be.
    """
    page, cells = form.page, cells_of(form.page)
    places = {cell: form.place(cell) for cell in cells}
    size = grey.shape[::-1]
    inside = [cell for cell, at in places.items() if (at >= 0).all() and (at < size).all()]
    inks = _inks(grey, form.placed, page, inside) if inside else {}
    if inks is None:
        raise _bent(name)
    return Sheet(
        name,
        tuple(
            CutOut(ink, cell.row, cell.target, places[cell])
            for cell, ink in inks.items()
            if ink is not None
        ),
        str(page.writer),
        page.number,
        empty=sum(ink is None for ink in inks.values()),
        hidden=len(cells) - len(inks),
        outline=form.outline,
    )


def _bent(name: str) -> HcrError:
    return HcrError(f"The page in {name} is bent or covered too much: lay it flat on a table.")


def _find_marks(grey: NDArray[np.uint8], sides: Sequence[int]) -> list[_Mark]:
    """Return the marks in a picture, uint8 (h, w)."""
    parameters = cv2.aruco.DetectorParameters()
    parameters.cornerRefinementMethod = cv2.aruco.CORNER_REFINE_SUBPIX
    detector = cv2.aruco.ArucoDetector(mark_dictionary(), parameters)
    best: list[_Mark] = []
    for side in sides:
        scale = side / max(grey.shape)
        method = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
        corners, identities, _ = detector.detectMarkers(
            cv2.resize(grey, None, fx=scale, fy=scale, interpolation=method)
        )
        numbers = [] if identities is None else np.ravel(identities).tolist()
        found = [
            (number, (quad.reshape(4, 2).astype(np.float64) + 0.5) / scale - 0.5)
            for number, quad in zip(numbers, corners, strict=True)
        ]
        best = max(best, found, key=len)
        if len(best) >= 6:
            break
    return best


def _known(page: Page, marks: Sequence[_Mark]) -> list[tuple[tuple[float, float], Corners]]:
    """Return place on the page, in millimetres, and corners of the marks that are the page's."""
    where = {identity: (x, y) for identity, x, y in marks_of(page)}
    return [(where[identity], quad) for identity, quad in marks if identity in where]


def _place(seen: Sequence[tuple[tuple[float, float], Corners]]) -> NDArray[np.float64] | None:
    """Return the homography from millimetres of the page to pixels, None where none fits."""
    corners = np.array([(0, 0), (MARK, 0), (MARK, MARK), (0, MARK)])
    paper = np.concatenate([corners + at for at, _ in seen])
    pixels = np.concatenate([quad for _, quad in seen])
    sides = [np.linalg.norm(quad - np.roll(quad, 1, axis=0), axis=1).mean() for _, quad in seen]
    millimetre = float(np.mean(sides)) / MARK
    placed, kept = cv2.findHomography(paper, pixels, cv2.RANSAC, 2 * millimetre)
    return placed if placed is not None and kept.mean() > 0.8 else None


def _inks(
    grey: NDArray[np.uint8], placed: NDArray[np.float64], page: Page, cells: Sequence[Cell]
) -> dict[Cell, Ink | None] | None:
    """Return what is written in each cell that is seen, None where nothing is; None if few are."""
    surface, scale, sharp, corner = _straightened(grey, placed, cells)
    shifts, seen = _shifts(surface, scale, corner, cells)
    if seen.mean() < 1 - _MOST_LOST:
        return None
    dark = _darkness(surface, scale, cells, shifts - corner)
    seen &= dark.min(axis=1) > _LINE_HIDDEN * np.median(dark)
    print_ = _Print.draw(surface.shape, scale, corner, page, cells, shifts, _REST + 0.7 / sharp)
    flat = _in_even_light(surface, print_.all, scale)
    bare = flat.copy()
    bare[print_.all > 0] = np.median(flat[::4, ::4])
    # The print is darker than a pencil: left in, it would raise the threshold above the writing.
    ink = cv2.bitwise_and(binarise(bare, ruled=False), cv2.bitwise_not(print_.all))
    ink = _without_halos(ink, print_.all, scale)
    ink |= _crossing(flat, ink, print_, round(1.5 * (LINE + 2 / sharp) * scale))
    inks = _by_cell(ink, scale, cells, shifts - corner)
    return {cell: ink for cell, ink, shown in zip(cells, inks, seen, strict=True) if shown}


@dataclass(frozen=True, eq=False)
class _Print:
    """Where the page is printed: masks, uint8 of the straightened page, 255 there.

    Attributes:
        all: All of it.
        level: The lines of the brackets that run from left to right.
        upright: Those that run from top to bottom.
    """

    all: NDArray[np.uint8]
    level: NDArray[np.uint8]
    upright: NDArray[np.uint8]

    @staticmethod
    def draw(
        shape: tuple[int, ...],
        scale: float,
        corner: NDArray[np.float64],
        page: Page,
        cells: Sequence[Cell],
        shifts: NDArray[np.float64],
        slack: float,
    ) -> _Print:
        """Draw the masks, everything wider by `slack` millimetres on each side."""
        level, upright = np.zeros(shape, np.uint8), np.zeros(shape, np.uint8)
        for cell, shift in zip(cells, shifts, strict=True):
            lines = bracket_lines(cell) + (shift - corner)
            for mask, part in ((level, lines[::2]), (upright, lines[1::2])):
                for start, end in part:
                    low = np.minimum(start, end) - LINE / 2
                    _fill(mask, low, np.maximum(start, end) + LINE / 2, slack, scale)
        whole = cv2.bitwise_or(level, upright)
        for cell, shift in zip(cells, shifts, strict=True):
            x, y, w, h = target_box(cell)
            at = np.array((x, y)) + shift - corner
            _fill(whole, at, at + np.array((w, h)), slack, scale)
        for _, x, y in marks_of(page):
            at = np.array((x, y)) - corner
            _fill(whole, at, at + MARK, slack + 0.5, scale)
        return _Print(whole, level, upright)


def _fill(
    mask: NDArray[np.uint8],
    low: NDArray[np.float64],
    high: NDArray[np.float64],
    slack: float,
    scale: float,
) -> None:
    """Fill a rectangle, in millimetres, that lies in the mask or beside it."""
    left, top = np.rint((low - slack) * scale).astype(int).tolist()
    right, bottom = np.rint((high + slack) * scale).astype(int).tolist()
    mask[max(0, top) : max(0, bottom), max(0, left) : max(0, right)] = 255


def _crossing(
    surface: NDArray[np.uint8], ink: NDArray[np.uint8], print_: _Print, run: int
) -> NDArray[np.uint8]:
    """Return the strokes that cross a bracket or end on it: runs longer than it is thick.

    Args:
        surface: The page.
        ink: The writing beside the print.
        print_: Where the print is.
        run: Pixels; no line of the print is as thick.
    """
    dark = cv2.bitwise_or(binarise(surface, ruled=False), ink)
    crossing = np.zeros_like(ink)
    wider = np.ones((5, 5), np.uint8)
    for band, other, shape in (
        (print_.level, print_.upright, (run, 1)),
        (print_.upright, print_.level, (1, run)),
    ):
        strokes = cv2.morphologyEx(dark, cv2.MORPH_OPEN, np.ones(shape, np.uint8))
        crossing |= strokes & cv2.subtract(band, cv2.dilate(other, wider))
    # In a corner, where lines run both ways, what lies on both sides is joined.
    corners = cv2.dilate(print_.level, wider) & cv2.dilate(print_.upright, wider)
    square = np.ones((2 * run + 1, 2 * run + 1), np.uint8)
    crossing |= cv2.morphologyEx(ink | crossing, cv2.MORPH_CLOSE, square) & corners
    # What does not reach the writing is print after all.
    count, labels = cv2.connectedComponents(cv2.bitwise_or(ink, crossing))
    written = np.zeros(count, bool)
    written[np.unique(labels[ink > 0])] = True
    return np.where(written[labels], crossing, 0).astype(np.uint8)


def _straightened(
    grey: NDArray[np.uint8], placed: NDArray[np.float64], cells: Sequence[Cell]
) -> tuple[NDArray[np.uint8], float, float, NDArray[np.float64]]:
    """Return the cells flat and upright.

    Returns:
        The page's part with the cells, uint8; its pixels of a millimetre; those of the picture;
        the millimetres of its upper left corner.
    """
    spots = np.array([(cell.x, cell.y) for cell in cells])
    corner = spots.min(axis=0) - (_BESIDE + 5, _BESIDE)  # with the targets, wherever they bend
    extent = spots.max(axis=0) + CELL + _BESIDE - corner
    rim = np.array([(0, 0), (1, 0), (1, 1), (0, 1)]) * extent + corner
    seen = cv2.perspectiveTransform(rim[None], placed)[0]
    sharp = float(np.sqrt(cv2.contourArea(seen.astype(np.float32)) / np.prod(extent)))
    scale = float(np.clip(sharp, _COARSEST, _FINEST))
    if scale < 0.6 * sharp:
        # Warping looks at 2 x 2 pixels only: shrink before, or thin strokes are lost.
        shrink = scale * 1.2 / sharp
        grey = cv2.resize(grey, None, fx=shrink, fy=shrink, interpolation=cv2.INTER_AREA)
        half = np.array([[1, 0, 0.5], [0, 1, 0.5], [0, 0, 1]])
        smaller = np.linalg.inv(half) @ np.diag([shrink, shrink, 1]) @ half
        placed = smaller @ placed
    to_page = np.array([[1 / scale, 0, corner[0]], [0, 1 / scale, corner[1]], [0, 0, 1]])
    width, height = np.rint(extent * scale).astype(int).tolist()
    surface = cv2.warpPerspective(
        grey,
        placed @ to_page,
        (width, height),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return surface, scale, sharp, corner


def _shifts(
    surface: NDArray[np.uint8],
    scale: float,
    corner: NDArray[np.float64],
    cells: Sequence[Cell],
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Find each cell's brackets around the place where they should be: paper is not flat.

    Returns:
        By how much each cell is misplaced, float64 (n, 2) millimetres; and which cells were found,
        bool (n,): not those below a thumb, nor where other lines were taken for the brackets.
    """
    paper = cv2.morphologyEx(
        surface, cv2.MORPH_CLOSE, np.ones((round(1.5 * scale) | 1,) * 2, np.uint8)
    )
    # However black the writing, it counts no more than the print.
    lines = cv2.bitwise_not(cv2.divide(surface, cv2.max(paper, 20), scale=255))
    lines = np.minimum(lines, 80).astype(np.float32)
    side = round((CELL + 2) * scale)
    kernel = np.zeros((side, side), np.uint8)
    flanks = np.zeros_like(kernel)
    first = cells[0]
    at = bracket_lines(first) - (first.x - 1, first.y - 1)
    _draw_brackets(kernel, at, scale, LINE)
    _draw_brackets(flanks, at, scale, LINE + 1.2)
    flanks[cv2.dilate(kernel, np.ones((3, 3), np.uint8)) > 0] = 0
    template = kernel / max(1, cv2.countNonZero(kernel)) - flanks / cv2.countNonZero(flanks)
    template = template.astype(np.float32)
    reach = round(_BEND * scale)
    lines = cv2.copyMakeBorder(lines, reach, reach, reach, reach, cv2.BORDER_CONSTANT, value=0)
    found, strength = np.zeros((len(cells), 2)), np.zeros(len(cells))
    for number, cell in enumerate(cells):
        x, y = np.rint((np.array((cell.x, cell.y)) - 1 - corner) * scale).astype(int).tolist()
        window = lines[y : y + side + 2 * reach, x : x + side + 2 * reach]
        score = cv2.matchTemplate(window, template, cv2.TM_CCORR)
        found[number] = _peak(score) - reach
        strength[number] = score.max()
    found /= scale
    seen = (strength > _HIDDEN * np.median(strength)) & (np.abs(found).max(axis=1) < _BEND)
    return found, seen & ~_off_the_others(found, np.array([(cell.x, cell.y) for cell in cells]))


def _darkness(
    surface: NDArray[np.uint8], scale: float, cells: Sequence[Cell], shifts: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return how dark each line of each cell's brackets is, float64 (n, 8)."""
    flat = cv2.divide(surface, cv2.max(_paper(surface, scale), 20), scale=255)
    # Within a cell, too, the paper may be bent: a line may be that far from where it should be.
    reach = round(_WITHIN * scale) | 1
    thick = cv2.dilate(cv2.bitwise_not(flat), np.ones((reach, reach), np.uint8))
    dark = cv2.integral(np.minimum(thick, 80))
    lines = np.stack([bracket_lines(cell) for cell in cells]) + shifts[:, None, None]
    low = np.rint((lines.min(axis=2) - LINE / 2) * scale).astype(int)
    high = np.rint((lines.max(axis=2) + LINE / 2) * scale).astype(int)
    limit = np.array(flat.shape[::-1])
    low = low.clip(0, limit - 1)
    high = np.maximum(high.clip(0, limit), low + 1)
    (left, top), (right, bottom) = np.moveaxis(low, -1, 0), np.moveaxis(high, -1, 0)
    sums = dark[bottom, right] - dark[top, right] - dark[bottom, left] + dark[top, left]
    return np.asarray(sums / (high - low).prod(axis=-1), np.float64)


def _peak(score: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return x and y of the highest value, by a parabola through its neighbours."""
    x, y = cv2.minMaxLoc(score)[3]
    peak = np.array((x, y), np.float64)
    for axis, line, at in ((0, score[y], x), (1, score[:, x], y)):
        if 0 < at < len(line) - 1:
            before, top, after = line[at - 1 : at + 2].tolist()
            peak[axis] += 0.5 * (before - after) / min(before + after - 2 * top, -1e-9)
    return peak


def _off_the_others(shifts: NDArray[np.float64], at: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return which shifts are far from a cubic surface through the others, bool (n,)."""
    x, y = ((at - at.mean(axis=0)) / 100).T
    powers = [x**i * y**j for i in range(4) for j in range(4 - i)]
    terms = np.stack(powers if len(at) > 40 else [np.ones_like(x)], axis=1)
    fitted = np.tile(np.median(shifts, axis=0), (len(shifts), 1))
    for near in (1.5, 1.0, 0.7):
        kept = np.linalg.norm(shifts - fitted, axis=1) < near
        if kept.sum() > 2 * terms.shape[1]:
            fitted = terms @ np.linalg.lstsq(terms[kept], shifts[kept], rcond=None)[0]
    return np.linalg.norm(shifts - fitted, axis=1) > 0.5


def _draw_brackets(
    image: NDArray[np.uint8], lines: NDArray[np.float64], scale: float, width: float
) -> None:
    """Draw lines, float64 (n, 2, 2) in millimetres of the image, so many millimetres wide."""
    low = lines.min(axis=1) - width / 2
    high = lines.max(axis=1) + width / 2
    for (left, top), (right, bottom) in zip(low * scale, high * scale, strict=True):
        start = (round(left - 0.5), round(top - 0.5))
        end = (max(start[0], round(right - 0.5)), max(start[1], round(bottom - 0.5)))
        cv2.rectangle(image, start, end, 255, cv2.FILLED)


def _in_even_light(
    surface: NDArray[np.uint8], printed: NDArray[np.uint8], scale: float
) -> NDArray[np.uint8]:
    """Return the surface without shadows, also those with a sharper edge than `binarise` takes.

    It must reckon with writing of any size; in a cell no stroke is wider than a few millimetres.
    """
    bare = surface.copy()
    bare[printed > 0] = 0
    return cv2.divide(surface, cv2.max(_paper(bare, scale), 20), scale=230)


def _paper(surface: NDArray[np.uint8], scale: float) -> NDArray[np.uint8]:
    """Return the surface without anything dark that is less wide than `_WIDEST`.

    In all its detail: a closing leaves the edge of a shadow where it is, and as sharp.
    """
    reach = round(_WIDEST * scale) | 1
    level = cv2.medianBlur(surface, 3)
    closed = cv2.morphologyEx(level, cv2.MORPH_CLOSE, np.ones((reach, reach), np.uint8))
    return np.asarray(closed, np.uint8)


def _without_halos(
    ink: NDArray[np.uint8], printed: NDArray[np.uint8], scale: float
) -> NDArray[np.uint8]:
    """Return the ink without specks, and without what a blurred bracket leaves beside its mask."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(ink)
    size = stats[:, 2:4].max(axis=1) / scale
    near = cv2.dilate(printed, np.ones((round(scale) | 1,) * 2, np.uint8))
    beside = np.bincount(labels[near > 0], minlength=count) / np.maximum(stats[:, 4], 1)
    kept = (size >= _SPECK) & ((beside < 0.6) | (size > BRACKET + 1.5))
    kept[0] = False
    return np.where(kept[labels], 255, 0).astype(np.uint8)


def _by_cell(
    ink: NDArray[np.uint8], scale: float, cells: Sequence[Cell], shifts: NDArray[np.float64]
) -> list[Ink | None]:
    """Return each cell's writing: whole strokes, also where they leave the cell."""
    zones = np.full(ink.shape, len(cells), np.int32)
    for number, (cell, shift) in enumerate(zip(cells, shifts, strict=True)):
        x, y, w, h = zone_of(cell)
        left, top = np.rint((np.array((x, y)) + shift) * scale).astype(int)
        right, bottom = np.rint((np.array((x + w, y + h)) + shift) * scale).astype(int)
        zones[max(0, top) : max(0, bottom), max(0, left) : max(0, right)] = number
    count, labels, stats, _ = cv2.connectedComponentsWithStats(ink)
    dropped = stats[:, 2:4].max(axis=1) > _LONGEST * scale  # a finger, a row crossed out
    dropped[0] = True
    rows, columns = np.nonzero(~dropped[labels])
    part, zone = labels[rows, columns], zones[rows, columns]
    shares = np.zeros((count, len(cells) + 1), np.int64)
    np.add.at(shares, (part, zone), 1)
    main = shares.argmax(axis=1)
    whole = shares.max(axis=1) >= 0.75 * shares.sum(axis=1)
    owner = np.where(whole[part], main[part], zone)
    inks: list[Ink | None] = []
    for number in range(len(cells)):
        own = np.flatnonzero(owner == number)
        inks.append(_crop(rows[own], columns[own], _LEAST_WRITING * scale))
    return inks


def _crop(rows: NDArray[np.intp], columns: NDArray[np.intp], least: float) -> Ink | None:
    """Return the ink of some pixels, None where no part of it is as long as `least`."""
    if not len(rows):
        return None
    top, left = int(rows.min()), int(columns.min())
    ink = np.zeros((int(rows.max()) - top + 1, int(columns.max()) - left + 1), np.uint8)
    ink[rows - top, columns - left] = 255
    stats = cv2.connectedComponentsWithStats(ink)[2]
    return ink if stats[1:, 2:4].max() >= least else None
