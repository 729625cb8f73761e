"""Tells print, and words whose letters hang together, from characters written one by one.

From far away a printed word is one blob of ink, and so is a word in cursive. Where print is large
enough to fall into letters, the same letter always has the same shape and stands on the line to
the pixel. Neat writing may come near that, so that only a page full of it is said to be print.
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

import cv2
import numpy as np
from numpy.typing import NDArray

from hcr_live.frame import Box

_WORDS = ((8, 1.9), (40, 1.5))
"""Of so many blobs half are wider than this times their height only where they are words."""

_SIDEWAYS = (20, 0.45)
"""And narrower only where those lie on their side: few narrow ones may be I, l and 1."""

_LOW = 0.34
"""What is lower than this share of the writing, in a line of its own, is no part of it."""

_PAGE_FULL = 61
_SAME = 0.8
_REGULAR, _STRAIGHT = 1.8, 0.36
"""Least sum of three shares, and least of the last: letters that have a twin, neighbours on one
level, parallel edges. Handwriting hardly has twins: its sum was 1.4 at most, with copies of one
sample a letter 1.65, that of print from 1.9."""

_PARALLEL, _SPREAD, _OFF = (0.25, 0.3), 6.0, 15.0
"""Edges of print are parallel but for a quarter of a pixel at their ends and 0.3 degrees, those of
a hand within some 6 degrees; what is further off is a slanted stroke."""

_LEAST_UNLIKELY = -2.0
_SHORTEST_EDGE = 8
_MOST_EDGES = 60
_BOLD, _BOLDEST, _FOR_BOLD = 0.1, 0.26, 150.0
_LETTERING = 33.0
"""What a few characters' edges say for print, and up to 24 for strokes that are wider than a pen
is, against their height: that of 410 pages of handwriting (fat markers, a ruler, letters of one
size on one line among them) was 28.5 at most."""

_SIDE = 24
_ENOUGH, _SOME = 120, 24
"""Characters that are looked at: some thousand pairs tell as much as ten thousand."""


def is_joined(boxes: Sequence[Box]) -> bool:
    """Return whether what stands on a page are words, not characters.

    Args:
        boxes: Of its blobs of ink, on the straightened paper, before any is split.
    """
    if len(boxes) < _WORDS[0][0]:
        return False
    width, height = np.array(boxes, np.float64)[:, 2:].T
    shape = median((width / np.maximum(height, 1)).tolist())
    if len(boxes) >= _SIDEWAYS[0] and shape <= _SIDEWAYS[1]:
        return True
    return any(len(boxes) >= count and shape >= wide for count, wide in _WORDS)


def is_print(boxes: Sequence[Box], inks: Sequence[NDArray[np.uint8]], lines: Sequence[int]) -> bool:
    """Return whether a page is full of printed letters; False where they are few.

    Args:
        boxes: Of the characters on the straightened paper, in reading order.
        inks: uint8 (height, width) of each, 255 on 0.
        lines: Line number of each.
    """
    if len(boxes) < _PAGE_FULL:
        return False
    place = np.array(boxes, np.float64)
    bottom = place[:, 1] + place[:, 3]
    side_by_side = np.diff(np.asarray(lines)) == 0
    level = np.abs(np.diff(bottom))[side_by_side] <= 1
    if not level.size:
        return False
    some = inks[:: -(-len(inks) // _ENOUGH)]
    straight = _straightness(some)
    return straight >= _STRAIGHT and _twins(some) + float(level.mean()) + straight >= _REGULAR


def is_lettering(inks: Sequence[NDArray[np.uint8]]) -> bool:
    """Return whether a few characters are print, such as on a poster, a sign, a screen or keys.

    Upright and level edges of print are parallel, whatever the letters: how much likelier each
    edge's direction is in print than in handwriting adds up (log likelihood ratio of two Gaussian
    distributions). Bold strokes are evidence, too.

    Args:
        inks: uint8 (height, width) of each, 255 on 0.
    """
    inks = inks[:: -(-len(inks) // _SOME)] if len(inks) else inks
    angle, length, pen = _edges(inks)
    ratios = []
    for direction in (0, 90):
        off = (angle - direction + 90) % 180 - 90
        near = np.abs(off) < _OFF
        if np.count_nonzero(near) > 1:
            apart = off[near] - median(off[near].tolist())
            width = np.degrees(_PARALLEL[0] / length[near]) + _PARALLEL[1]
            ratio = np.log(_SPREAD / width) - (apart / width) ** 2 / 2 + (apart / _SPREAD) ** 2 / 2
            ratios.append(np.maximum(ratio, _LEAST_UNLIKELY))
    found = np.concatenate(ratios) if ratios else np.zeros(1)
    parallel = float(found.mean()) * min(len(found), _MOST_EDGES)
    return parallel + _FOR_BOLD * (min(max(pen, _BOLD), _BOLDEST) - _BOLD) > _LETTERING


def printed(
    boxes: Sequence[Box], inks: Sequence[NDArray[np.uint8]], lines: Sequence[int]
) -> NDArray[np.bool_]:
    """Return which characters of a page are no handwriting of separate characters.

    All, where the page holds words (`is_joined`) or is print (`is_print`); else those on lines
    much smaller than the writing, such as what is printed at the head and foot of a sheet.

    Args:
        boxes: On the straightened paper, in pixels of that, in reading order.
        inks: uint8 (height, width) of each, 255 on 0.
        lines: Line number of each.

    Returns:
        bool (n,).
    """
    if not len(boxes):
        return np.zeros(0, np.bool_)
    if is_joined(boxes) or is_print(boxes, inks, lines):
        return np.ones(len(boxes), np.bool_)
    width, height = np.array(boxes, np.float64)[:, 2:].T
    order = np.argsort(height)
    area = np.cumsum((width * height)[order])
    # The height of what covers most of the page: small print is many blobs, but little ink.
    usual = height[order][int(np.searchsorted(area, area[-1] / 2))]
    low = np.maximum(height, 0.5 * width) < _LOW * usual
    low |= (height < _LOW * usual) & (width > 1.5 * height)
    number = np.unique(np.asarray(lines), return_inverse=True)[1]
    share = np.bincount(number, low) / np.bincount(number)
    return np.asarray(share[number] > 0.5)


def _twins(inks: Sequence[NDArray[np.uint8]]) -> float:
    """Return the share of characters that another one equals in size and shape.

    Bars, such as I and l, are not asked: they are alike in any hand.
    """
    sizes = np.array([ink.shape for ink in inks], np.float64)
    solid = np.flatnonzero(sizes.min(axis=1) > 0.35 * sizes.max(axis=1)).tolist()
    if len(solid) < 2:
        return 0.0
    small = [cv2.resize(inks[i], (_SIDE, _SIDE), interpolation=cv2.INTER_AREA) for i in solid]
    flat = np.array(small, np.float32).reshape(len(solid), -1) / 255
    total = flat.sum(axis=1)
    # |a - b| summed for all pairs, a row at a time: min and max follow from it.
    off = np.array([np.abs(flat - row).sum(axis=1) for row in flat])
    both = total[:, None] + total[None]
    alike = (both - off) / np.maximum(both + off, 1e-6) > _SAME
    sizes = sizes[solid]
    near = np.abs(sizes[:, None] - sizes[None]).max(axis=2)
    alike &= near <= np.maximum(1.5, 0.05 * sizes[:, 0])[:, None]
    np.fill_diagonal(alike, False)
    return float(alike.any(axis=1).mean())


def _straightness(inks: Sequence[NDArray[np.uint8]]) -> float:
    """Return the share of long edges, nearly upright or level, that are parallel to the pixel."""
    sides = []
    for ink in inks:
        framed = cv2.copyMakeBorder(ink, 1, 1, 1, 1, cv2.BORDER_CONSTANT)
        outlines, _ = cv2.findContours(framed, cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
        for outline in outlines:
            corners = cv2.approxPolyDP(outline, 1.0, True).reshape(-1, 2).astype(np.float64)
            side = np.roll(corners, -1, axis=0) - corners
            sides.append(side[np.hypot(*side.T) >= max(6.0, 0.3 * ink.shape[0])])
    side = np.concatenate(sides) if sides else np.zeros((0, 2))
    length = np.hypot(*side.T)
    angle = np.degrees(np.arctan2(side[:, 1], side[:, 0]))
    parallel = []
    for direction in (0, 90):
        off = (angle - direction + 90) % 180 - 90
        some = np.abs(off) < 22
        if some.any():
            apart = np.abs(off[some] - np.median(off[some]))
            parallel.append(apart < np.degrees(0.8 / length[some]))
    return float(np.concatenate(parallel).mean()) if parallel else 0.0


def _edges(
    inks: Sequence[NDArray[np.uint8]],
) -> tuple[NDArray[np.float64], NDArray[np.float64], float]:
    """Return direction in degrees and length in pixels of straight edges, and how bold ink is.

    An edge's direction is that from the mean of its first third to the mean of its last: its
    corners alone are a pixel off.
    """
    outlines: list[NDArray[np.int32]] = []
    corners: list[NDArray[np.int32]] = []
    least, bold = [], []
    for ink in inks:
        size = max(ink.shape)
        framed = cv2.copyMakeBorder(ink, 1, 1, 1, 1, cv2.BORDER_CONSTANT)
        found, _ = cv2.findContours(framed, cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
        around = sum(len(outline) for outline in found)
        bold.append(2 * cv2.countNonZero(ink) / max(1, around) / size)
        for outline in found:
            few = cv2.approxPolyDP(outline, 1.0, True)
            if len(outline) >= 2 * _SHORTEST_EDGE and len(few) > 1:
                outlines.append(outline)
                corners.append(few)
                least.append(max(_SHORTEST_EDGE, 0.3 * size))
    pen = median(bold) if bold else 0.0
    if not outlines:
        return np.zeros(0), np.zeros(0), pen
    counts = np.array([len(few) for few in corners])
    totals = np.array([len(outline) for outline in outlines])
    # Each outline twice: its last edge goes round the point where it began.
    start = _corners(outlines, corners) + np.repeat(np.cumsum(totals) - totals, counts)
    last = np.cumsum(counts) - 1
    end = np.roll(start, -1)
    end[last] = start[last - counts + 1] + totals
    points = np.concatenate([part for one in outlines for part in (one, one)])[:, 0].astype(float)
    length = np.hypot(*(points[end] - points[start]).T)
    long = length >= np.repeat(least, counts)
    start, end, length = start[long], end[long], length[long]
    sums = np.concatenate([np.zeros((1, 2)), points.cumsum(axis=0)])
    rounded = np.rint(0.1 * (end - start + 1)).astype(int)
    start, end = start + rounded, end + 1 - rounded
    third = np.maximum(2, (end - start) // 3)
    early = sums[start + third] - sums[start]
    late = sums[end] - sums[end - third]
    across, down = (late - early).T
    return np.degrees(np.arctan2(down, across)), length, pen


def _corners(
    outlines: Sequence[NDArray[np.int32]], corners: Sequence[NDArray[np.int32]]
) -> NDArray[np.intp]:
    """Return which points of all outlines, one after the other, are their corners, in order."""
    keys, wanted = (
        np.repeat(np.arange(len(parts)), [len(part) for part in parts]) << 32
        | points[:, 0].astype(np.int64) << 16
        | points[:, 1]
        for parts, points in ((p, np.concatenate(p)[:, 0]) for p in (outlines, corners))
    )
    order = np.argsort(keys, kind="stable")
    return np.sort(order[np.searchsorted(keys[order], wanted)])
