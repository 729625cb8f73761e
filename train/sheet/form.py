"""The printable form: where everything lies on a page, and what its marks say.

All lengths are millimetres from the upper left corner of the paper, x right, y down. Printed forms
lie in drawers: whoever changes a constant here can no longer extract them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hcr_live.alphabet import ALPHABETS, CLASSES, get_alphabet
from hcr_live.errors import HcrError

PAPERS = {"a4": (210.0, 297.0), "letter": (215.9, 279.4)}
"""Width and height."""

CELL = 13.0
BRACKET = 4.0
"""Length of the lines in each corner of a cell; between them writing may leave it."""
LINE = 0.25
TARGET_SIZE = 4.4
"""Of the letters of the printed target, left of the cell's upper left corner."""
MARK = 12.0
MARGIN = 10.0
"""From the marks to the edge of the paper: printers leave out less."""

_TARGET_GAP, _TARGET_WIDTH = 0.7, 3.2
_PITCH_X, _PITCH_Y = 19.0, 17.5
_COLUMNS = 10
_TOP = 27.0
_BOTTOM = 26.0
_PLACES = 6
_DIGIT_AT = (0, 1, 2, 2, 0, 1)
"""Each of the three digits of a page's number is printed twice, in different columns and rows."""
_BASE = 97
_RADIX_PAPER, _RADIX_ALPHABET, _RADIX_PAGE = 4, 8, 4
MOST_REPEATS = 8
MOST_WRITERS = 800


@dataclass(frozen=True)
class Page:
    """One page of the form.

    Attributes:
        alphabet: One of `ALPHABETS`.
        repeats: How often each character is asked for, 1 to `MOST_REPEATS`.
        paper: Name in `PAPERS`.
        writer: 1 to `MOST_WRITERS`.
        number: Of the page, from 1, of this writer.
    """

    alphabet: str = "all"
    repeats: int = 2
    paper: str = "a4"
    writer: int = 1
    number: int = 1

    @property
    def size(self) -> tuple[float, float]:
        """Width and height of the paper."""
        return PAPERS[self.paper]


@dataclass(frozen=True)
class Cell:
    """One character to write.

    Attributes:
        target: One of `CLASSES`.
        column: From 0.
        row: From 0.
        x: Of the left edge.
        y: Of the upper edge.
    """

    target: str
    column: int
    row: int
    x: float
    y: float


def pages_of(alphabet: str, repeats: int, paper: str, writer: int) -> list[Page]:
    """Return the pages that one person fills in.

    Raises:
        HcrError: If there are too many repeats or writers, or no such alphabet or paper.
    """
    if paper not in PAPERS:
        raise HcrError(f"Unknown paper '{paper}': choose one of {', '.join(PAPERS)}.")
    if not 1 <= repeats <= MOST_REPEATS:
        raise HcrError(f"--repeats must be from 1 to {MOST_REPEATS}, not {repeats}.")
    if not 1 <= writer <= MOST_WRITERS:
        raise HcrError(f"--writers must be from 1 to {MOST_WRITERS}, not {writer}.")
    count = len(_targets(alphabet)) * repeats
    capacity = _COLUMNS * _rows(paper)
    return [Page(alphabet, repeats, paper, writer, n + 1) for n in range(-(-count // capacity))]


def cells_of(page: Page) -> list[Cell]:
    """Return the cells of a page in reading order."""
    capacity = _COLUMNS * _rows(page.paper)
    first = (page.number - 1) * capacity
    targets = (_targets(page.alphabet) * page.repeats)[first : first + capacity]
    left = (page.size[0] + _TARGET_GAP + _TARGET_WIDTH - (_COLUMNS - 1) * _PITCH_X - CELL) / 2
    cells = []
    for index, target in enumerate(targets):
        row, column = divmod(index, _COLUMNS)
        cells.append(Cell(target, column, row, left + column * _PITCH_X, _TOP + row * _PITCH_Y))
    return cells


def zone_of(cell: Cell) -> tuple[float, float, float, float]:
    """Return x, y, width, height of the cell and half of the room around it."""
    gap_x, gap_y = _PITCH_X - CELL, _PITCH_Y - CELL
    return cell.x - gap_x / 2, cell.y - gap_y / 2, _PITCH_X, _PITCH_Y


def bracket_lines(cell: Cell) -> NDArray[np.float64]:
    """Return the lines in the corners of a cell, float64 (8, 2, 2): start and end, x and y."""
    lines = []
    for x, inward in ((cell.x, BRACKET), (cell.x + CELL, -BRACKET)):
        for y, down in ((cell.y, BRACKET), (cell.y + CELL, -BRACKET)):
            lines += [[(x, y), (x + inward, y)], [(x, y), (x, y + down)]]
    return np.array(lines)


def target_box(cell: Cell) -> tuple[float, float, float, float]:
    """Return x, y, width, height of the place of the printed target."""
    return cell.x - _TARGET_GAP - _TARGET_WIDTH, cell.y, _TARGET_WIDTH, 1.1 * TARGET_SIZE


def marks_of(page: Page) -> list[tuple[int, float, float]]:
    """Return (identity in the dictionary AprilTag 36h11, x, y of the upper left corner)."""
    digits = _digits(page)
    width, height = page.size
    xs = (MARGIN, (width - MARK) / 2, width - MARGIN - MARK)
    ys = (MARGIN, height - MARGIN - MARK)
    return [
        (place * _BASE + digits[_DIGIT_AT[place]], xs[place % 3], ys[place // 3])
        for place in range(_PLACES)
    ]


def page_of(identities: list[int]) -> Page | None:
    """Return the page whose marks these are, None if they do not say.

    Args:
        identities: Of the marks that are seen, in any order; a mark that contradicts the
            others is outvoted.
    """
    votes: Mapping[int, Counter[int]] = {digit: Counter() for digit in range(3)}
    for identity in identities:
        place, value = divmod(identity, _BASE)
        if place < _PLACES:
            votes[_DIGIT_AT[place]][value] += 1
    number = 0
    for digit in range(3):
        ranked = votes[digit].most_common(2)
        if not ranked or (len(ranked) == 2 and ranked[0][1] == ranked[1][1]):
            return None
        number = number * _BASE + ranked[0][0]
    number, paper = divmod(number, _RADIX_PAPER)
    number, alphabet = divmod(number, _RADIX_ALPHABET)
    number, repeats = divmod(number, MOST_REPEATS)
    writer, page = divmod(number, _RADIX_PAGE)
    if paper >= len(PAPERS) or alphabet >= len(ALPHABETS) or not 1 <= writer <= MOST_WRITERS:
        return None
    found = Page(ALPHABETS[alphabet], repeats + 1, list(PAPERS)[paper], writer, page + 1)
    return found if cells_of(found) else None


def _digits(page: Page) -> list[int]:
    number = page.writer * _RADIX_PAGE + page.number - 1
    number = number * MOST_REPEATS + page.repeats - 1
    number = number * _RADIX_ALPHABET + ALPHABETS.index(page.alphabet)
    number = number * _RADIX_PAPER + list(PAPERS).index(page.paper)
    return [number // _BASE**2, number // _BASE % _BASE, number % _BASE]


def _targets(alphabet: str) -> str:
    """Return the classes that an alphabet takes: both cases where it folds them."""
    kept = np.flatnonzero(get_alphabet(alphabet).folding.any(axis=1)).tolist()
    return "".join(CLASSES[column] for column in kept)


def _rows(paper: str) -> int:
    room = PAPERS[paper][1] - _TOP - _BOTTOM
    return int((room + _PITCH_Y - CELL) // _PITCH_Y)
