"""Puts characters into lines and words."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cmp_to_key
from itertools import pairwise
from statistics import median
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from hcr_live.frame import Box

_Floats: TypeAlias = NDArray[np.float64]

_STEEPEST = 45
_NEAR = 4.0
"""Characters this many of their sizes apart tell which way a line goes, the nearer the more."""

_NARROW = 0.4
"""How far the middles of neighbours on a line are off it, in sizes."""

_LEAST_SHARED = 0.45
"""Neighbours on a line share this much of the lower one's height."""

_WORD_APART = 2.5
_FAR_OFF = 0.7
"""Pieces of a line lead to each other; they miss by less than this, in sizes."""

_ON_LINE = 4
"""So many characters at the end of a piece tell where it leads."""

_CORRIDOR = 3.0
"""Columns are parted by a gap this many sizes wide, through all lines."""


_CELLS = (8, 16)
"""Rows and columns of a character's ink that tell how it slants."""

_ENOUGH = 12
"""So many characters tell how all do."""

_UPRIGHT, _STEEPEST_LEAN = 0.1, 0.7
_UPRIGHT_BELOW = 12
"""On lines steeper than this many degrees, ink that was not turned is too far from upright."""

_BETWEEN = np.array([0.0, 0.12, 0.25, 0.4, 0.6, 0.85, 1.15, 1.5])
_BETWEEN_USUAL = np.array([0.12, 0.2, 0.24, 0.18, 0.11, 0.07, 0.05, 0.03])
_MORE = np.array([0.4, 0.6, 0.85, 1.2, 1.7, 2.5, 4.0])
_MORE_USUAL = np.array([0.15, 0.25, 0.25, 0.15, 0.1, 0.06, 0.04])
"""The gap between two letters in heights of the line, how much wider one between words is, and how
usual that is."""

_LETTERS, _WORDS = (
    k.reshape(-1, 1) for k in np.broadcast_arrays(_BETWEEN, _BETWEEN + _MORE[:, None])
)
_USUAL = np.log(_MORE_USUAL[:, None] * _BETWEEN_USUAL).reshape(-1, 1)
_LETTERS_SD, _WORDS_SD = 0.09 + 0.15 * _LETTERS, 0.12 + 0.2 * _WORDS
_WORDS_END = 0.18
"""Share of the gaps that part words."""


def skew(boxes: Sequence[Box]) -> float:
    """Return by how much lines of writing fall to the right, in degrees, from -45 to 45.

    The direction in which most near neighbours lie (L. O'Gorman, The document spectrum for page
    layout analysis, IEEE PAMI 15, 1993), fitted to all that are on one line then. 0.0 for fewer
    than three boxes.
    """
    if len(boxes) < 3:
        return 0.0
    place = _corners(boxes)
    middle = place[:, :2] + place[:, 2:] / 2
    size = median(place[:, 2:].max(axis=1).tolist())
    x, y = middle.T / size
    across, down = x - x[:, None], y - y[:, None]
    distance = np.hypot(across, down)
    # Of each pair the one way that goes to the right, or straight down.
    one_way = (distance < _NEAR) & ((across > 0) | ((across == 0) & (down > 0)))
    apart, distance = np.stack([across[one_way], down[one_way]], 1), distance[one_way]
    angle = np.degrees(np.arctan2(apart[:, 1], apart[:, 0]))
    votes = np.bincount(np.rint(angle).astype(int) + 90, np.exp(-distance), 181)
    degrees = np.arange(-90, 91)
    votes = np.convolve(votes, np.exp(-0.5 * (degrees[60:121] / 6) ** 2), "same")
    votes *= np.exp(-0.5 * (degrees / 45) ** 2) * (np.abs(degrees) <= _STEEPEST)
    found = float(degrees[votes.argmax()])
    for _ in range(2):
        along, off = _turned(apart, found).T
        near = np.abs(off) < _NARROW
        lean = (along[near] @ off[near]) / (along[near] @ along[near] + 1e-9)
        found += float(np.degrees(np.arctan(lean)))
    return float(np.clip(found, -_STEEPEST, _STEEPEST))


def straightened(
    boxes: Sequence[Box], inks: Sequence[NDArray[np.uint8]], slope: float
) -> tuple[list[Box], list[NDArray[np.uint8]]]:
    """Return characters as they are once lines that fall to the right are level.

    Args:
        boxes: Their boxes.
        inks: uint8 (height, width) of each box, 255 on 0.
        slope: How much the lines fall to the right, in degrees.

    Returns:
        The boxes on the level page, in pixels as large, and the ink in each, tight.
    """
    corners = _corners(boxes)
    middles = _turned(corners[:, :2] + corners[:, 2:] / 2, slope)
    places, level = [], []
    for (x, y), ink in zip(middles, inks, strict=True):
        h, w = ink.shape
        side = int(np.ceil(np.hypot(h, w))) + 2
        matrix = cv2.getRotationMatrix2D((w / 2, h / 2), slope, 1.0)
        matrix[:, 2] += ((side - w) / 2, (side - h) / 2)
        turned = cv2.warpAffine(ink, matrix, (side, side), flags=cv2.INTER_LINEAR)
        turned = cv2.threshold(turned, 127, 255, cv2.THRESH_BINARY)[1]
        left, top, w, h = cv2.boundingRect(turned)
        if w and h:
            ink = turned[top : top + h, left : left + w]
        else:  # thinner than a pixel
            h, w = ink.shape
            left, top = (side - w) // 2, (side - h) // 2
        level.append(ink)
        places.append(Box(round(x - side / 2) + left, round(y - side / 2) + top, w, h))
    return places, level


def arrange(
    boxes: Sequence[Box], slope: float = 0.0, inks: Sequence[NDArray[np.uint8]] | None = None
) -> list[tuple[int, int, int]]:
    """Order boxes as they are read.

    Args:
        boxes: Boxes of characters in one flat coordinate system.
        slope: How much the lines fall to the right, in degrees.
        inks: uint8 (height, width), the ink in each box: of slanted letters the boxes overlap
            where words are parted.

    Returns:
        (index of the box, line number, word number within the line) in reading order. Lines may
        bend and differ in size; columns are read one after the other where a wide gap parts two
        lines or more. A word ends where a gap is wide against the other gaps of the same line and
        against the characters' height.
    """
    if not boxes:
        return []
    place = _corners(boxes)
    if slope:
        middle = _turned(place[:, :2] + place[:, 2:] / 2, slope)
        extent = _upright(place[:, 2:], slope)
        place = np.concatenate([middle - extent / 2, extent], axis=1)
    place[:, 1] -= _bend(place)
    lines = _in_order(_lines(place), place)
    left, right = place[:, 0], place[:, 0] + place[:, 2]
    if inks is not None and abs(slope) < _UPRIGHT_BELOW:
        left, right = _unslanted(place, inks)
    ordered = []
    for number, (line, gaps) in enumerate(
        zip(lines, _word_gaps(lines, left, right, place[:, 3]), strict=True)
    ):
        words = np.cumsum([0, *gaps]).tolist()
        ordered += [(i, number, word) for i, word in zip(line, words, strict=True)]
    return ordered


def _unslanted(place: _Floats, inks: Sequence[NDArray[np.uint8]]) -> tuple[_Floats, _Floats]:
    """Return the left and right ends that characters have once they stand upright.

    How the middle of most characters' ink moves from row to row is the slant of the hand.
    """
    tall = np.flatnonzero(place[:, 3] > 0.7 * place[:, 2])
    some = tall[:: 1 + len(tall) // _ENOUGH]
    if not len(some):
        return place[:, 0], place[:, 0] + place[:, 2]
    start, end, down, has = _ends_of_rows(place[some], [inks[i] for i in some])
    off = np.where(has, down - down.mean(axis=1, keepdims=True), 0)
    middle = (start + end) / 2
    leans = (off * middle).sum(axis=1) / np.maximum((off**2).sum(axis=1), 1e-9)
    lean = median(leans.tolist())
    if abs(lean) < _UPRIGHT:
        return place[:, 0], place[:, 0] + place[:, 2]
    lean = min(max(lean, -_STEEPEST_LEAN), _STEEPEST_LEAN)
    start, end, down, has = _ends_of_rows(place, inks)
    left = np.where(has, start - lean * down, np.inf).min(axis=1)
    return left, np.where(has, end - lean * down, -np.inf).max(axis=1)


def _ends_of_rows(
    place: _Floats, inks: Sequence[NDArray[np.uint8]]
) -> tuple[_Floats, _Floats, _Floats, NDArray[np.bool_]]:
    """Return x of the first and last ink, y, and whether there is any.

    Arrays (n, rows) for a few rows of each character.
    """
    rows, columns = _CELLS
    cells = [cv2.resize(ink, (columns, rows), interpolation=cv2.INTER_AREA) for ink in inks]
    inked = np.array(cells) > 0
    has: NDArray[np.bool_] = inked.max(axis=2)
    x, y, w, h = (part[:, None] for part in place.T)
    start = x + w * inked.argmax(axis=2) / columns
    end = x + w * (1 - inked[..., ::-1].argmax(axis=2) / columns)
    return start, end, y + h * (np.arange(rows) + 0.5) / rows, has


def _bend(place: _Floats) -> _Floats:
    """Return by how much each box is too low because all lines of the page bend alike.

    Neighbours' slopes are fitted by a parabola over the width of the page; none of a few.
    """
    x, level, h = place[:, 0] + place[:, 2] / 2, place[:, 1] + 0.75 * place[:, 3], place[:, 3]
    size = median(h.tolist())
    left, right = np.nonzero((x - x[:, None] > 0) & (x - x[:, None] < _WORD_APART * size))
    run, fall = (x[right] - x[left]) / size, (level[right] - level[left]) / size
    half = max(float(np.ptp(x)) / 2 / size, 1.0)
    place_on = (x - x.min()) / size / half - 1
    terms = ((place_on[left] + place_on[right]) / 2)[:, None] ** np.arange(3)
    curve = np.zeros(3)
    for off in (0.7, 0.4):
        near = np.abs(fall - run * (terms @ curve)) < off * np.minimum(run, 1)
        known = terms[near] * run[near, None]
        curve = np.linalg.solve(known.T @ known + np.eye(3), known.T @ fall[near])
    return size * half * (place_on[:, None] ** np.arange(1, 4) @ (curve / np.arange(1, 4)))


def _lines(place: _Floats) -> list[list[int]]:
    """Return the boxes of each line from left to right: neighbours linked, then pieces joined."""
    x, y, w, h = place.T
    right, bottom, middle = x + w, y + h, x + w / 2
    size = np.maximum(h[:, None], h)
    gap = (x - right[:, None]) / size
    shared = np.minimum(bottom[:, None], bottom) - np.maximum(y[:, None], y)
    shared /= np.minimum(h[:, None], h)
    ahead = middle - middle[:, None]
    follows = (ahead > 0) & (gap < _WORD_APART) & (shared > _LEAST_SHARED)
    pieces = _chains(np.where(follows, ahead + 0.5 * size * (1 - shared), np.inf))
    lines = [[i for piece in chain for i in pieces[piece]] for chain in _leads_to(pieces, place)]
    return _with_strays(lines, place)


def _chains(cost: _Floats) -> list[list[int]]:
    """Return everything in chains: the cheapest links first, one to each side.

    Args:
        cost: float64 (n, n), of the link from a row to a column, inf where there is none.
    """
    order = np.argsort(cost, axis=None)[: np.count_nonzero(np.isfinite(cost))]
    after: dict[int, int] = {}
    linked: set[int] = set()
    for i, j in zip(*(k.tolist() for k in np.unravel_index(order, cost.shape)), strict=True):
        if i not in after and j not in linked:
            after[i] = j
            linked.add(j)
    chains = [[i] for i in range(len(cost)) if i not in linked]
    for chain in chains:
        while chain[-1] in after:
            chain.append(after[chain[-1]])
    return chains


def _leads_to(pieces: list[list[int]], place: _Floats) -> list[list[int]]:
    """Return chains of pieces of lines: where one leads on along its slope, the next begins."""
    first, last = np.array([(piece[0], piece[-1]) for piece in pieces]).T
    gap = place[first, 0] - (place[last, 0] + place[last, 2])[:, None]
    if (gap < -place[:, 3].max()).all():
        return [[number] for number in range(len(pieces))]
    x, h = place[:, 0] + place[:, 2] / 2, place[:, 3]
    level = place[:, 1] + 0.75 * h  # of a small letter, a tall one, one that goes below: much alike
    ends = np.array([_end(x[p], level[p], h[p]) for p in (q[-_ON_LINE:] for q in pieces)])
    starts = np.array([_end(x[p], level[p], h[p]) for p in (q[:_ON_LINE] for q in pieces)])
    at, height, tall, spread, fall = ends.T[..., None]
    at_next, height_next, tall_next, spread_next, fall_next = starts.T
    size = np.maximum(tall, tall_next)
    slope = (fall + fall_next) / (spread + spread_next + (1.5 * size) ** 2)
    miss = np.abs(height_next - height - slope * (at_next - at)) / size
    gap = gap / size
    step = np.abs(level[first] - level[last][:, None]) / size
    miss = np.where(gap < _WORD_APART, np.minimum(miss, step), miss)
    leads = (x[first] > x[last][:, None]) & (gap > -0.5) & (miss < (_FAR_OFF - 0.1 * gap).clip(0.3))
    return _chains(np.where(leads, gap.clip(0) + 4 * miss, np.inf))


def _end(x: _Floats, level: _Floats, h: _Floats) -> tuple[float, ...]:
    """Return mean x, level and height, and the sums of squares and products for a slope."""
    off = x - x.mean()
    return x.mean(), level.mean(), h.mean(), off @ off, off @ level


def _with_strays(lines: list[list[int]], place: _Floats) -> list[list[int]]:
    """Return lines that took in single boxes: commas and dots, and what is amid a line."""
    strays = [k for k, line in enumerate(lines) if len(line) == 1]
    if len(lines) < 2 or not strays:
        return lines
    x, y, w, h = place.T
    line_of = np.empty(len(place), int)
    for k, line in enumerate(lines):
        line_of[line] = k
    for k in strays:
        if len(lines[k]) > 1:  # another one has joined it
            continue
        i = lines[k][0]
        down = np.maximum(y - y[i] - h[i], y[i] - y - h)
        across = np.maximum(x - x[i] - w[i], x[i] - x - w).clip(0)
        reach = np.where(h > 2 * h[i], 0.3 * h, -_LEAST_SHARED * np.minimum(h, h[i]))
        beside = (down < reach) & (across < h) & (line_of != k)
        if beside.any():
            other = int(np.where(beside, down.clip(0) + across, np.inf).argmin())
            line_of[i] = line_of[other]
            lines[line_of[other]].append(i)
            lines[line_of[other]].sort(key=lambda j: x[j] + w[j] / 2)
            lines[k] = []
    return [line for line in lines if line]


def _in_order(lines: list[list[int]], place: _Floats) -> list[list[int]]:
    """Return lines top to bottom, those of the left column first."""
    if len(lines) < 2:
        return lines
    x, level = place[:, 0] + place[:, 2] / 2, place[:, 1] + 0.75 * place[:, 3]

    def below(line: list[int], other: list[int]) -> int:
        if level[line].max() < level[other].min():
            return -1
        # Where lines bend, only what stands above each other can be compared.
        at = (max(x[line[0]], x[other[0]]) + min(x[line[-1]], x[other[-1]])) / 2
        here, there = (np.interp(at, x[one], level[one]) for one in (line, other))
        return int(np.sign(here - there))

    lines = sorted(lines, key=cmp_to_key(below))
    cut = _corridor(lines, place)
    if cut is None:
        return lines
    sides = (
        [[i for i in line if (x[i] < cut) == left] for line in lines] for left in (True, False)
    )
    return [part for side in sides for part in _in_order([p for p in side if p], place)]


def _corridor(lines: list[list[int]], place: _Floats) -> float | None:
    """Return the x of a gap that parts two columns, or None.

    It goes through all lines, is far wider than any gap within them, and two lines or more with
    words, not single characters, are on each side: else they are rows.
    """
    inside = place[[i for line in lines for i in line]]
    inside = inside[np.argsort(inside[:, 0])]
    end = np.maximum.accumulate(inside[:, 0] + inside[:, 2])
    gaps = inside[1:, 0] - end[:-1]
    widest = float(gaps.max())
    if widest < _CORRIDOR * median(inside[:, 3].tolist()):
        return None
    cut = float(end[gaps.argmax()]) + widest / 2
    x, right = place[:, 0], place[:, 0] + place[:, 2]
    steps = [(n, i, j) for n, line in enumerate(lines) for i, j in pairwise(line)]
    steps = [(n, i, j) for n, i, j in steps if not x[i] < cut < x[j]]
    both = [len({n for n, i, _ in steps if (x[i] < cut) == left}) for left in (True, False)]
    narrow = all(2 * (x[j] - right[i]) < widest for _, i, j in steps)
    return cut if narrow and min(both) > 1 else None


def _word_gaps(
    lines: list[list[int]], left: _Floats, right: _Floats, h: _Floats
) -> list[list[bool]]:
    """Return for each line which of its gaps part words.

    The gaps between letters, and the wider ones, are each of about one width on a line. All pairs
    of widths are tried and count by how likely they make the gaps of that line.
    """
    gaps = []
    for line in lines:
        height = np.sort(h[line])[len(line) // 2 :].mean()
        gaps.append((left[line[1:]] - np.maximum.accumulate(right[line[:-1]])) / height)
    counts = [len(part) for part in gaps]
    gap = np.concatenate(gaps).clip(-0.3, 5)
    line_of = np.repeat(np.arange(len(lines)), counts)
    letters = (1 - _WORDS_END) * _normal(gap, _LETTERS, _LETTERS_SD)
    words = _WORDS_END * _normal(gap, _WORDS, _WORDS_SD)
    both = letters + words + 1e-9
    fit = np.log(both) @ (line_of[:, None] == np.arange(len(lines))) + _USUAL
    likely = np.exp(fit - fit.max(axis=0))
    likely /= likely.sum(axis=0)
    parts = (likely[:, line_of] * (words / both)).sum(axis=0) > 0.5
    return [part.tolist() for part in np.split(parts, np.cumsum(counts)[:-1])]


def _normal(value: _Floats, mean: _Floats, deviation: _Floats) -> _Floats:
    return np.exp(-0.5 * ((value - mean) / deviation) ** 2) / deviation


def _turned(points: _Floats, degrees: float) -> _Floats:
    """Return points, float64 (n, 2), turned so that what falls by so much becomes level."""
    sine, cosine = np.sin(np.radians(degrees)), np.cos(np.radians(degrees))
    return points @ np.array([[cosine, -sine], [sine, cosine]])


def _upright(extent: _Floats, degrees: float) -> _Floats:
    """Return about how wide and high, float64 (n, 2), the turned contents of boxes are."""
    sine, cosine = abs(np.sin(np.radians(degrees))), np.cos(np.radians(degrees))
    both = extent.sum(axis=1) * 2 / (1 + cosine + sine)  # between a rectangle's and a circle's
    # Towards 45 degrees the box is a square, whatever is in it.
    more = (extent[:, 1] - extent[:, 0]) * (cosine - sine) / ((cosine - sine) ** 2 + 0.1)
    more = more.clip(-0.8 * both, 0.8 * both)
    return np.stack([both - more, both + more], axis=1) / 2


def _corners(boxes: Sequence[Box]) -> _Floats:
    """Return x, y, w, h of every box, float64 (n, 4)."""
    return np.array(boxes, np.float64).reshape(-1, 4)
