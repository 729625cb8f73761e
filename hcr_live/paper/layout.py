"""Puts characters into lines and words."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from hcr_live.frame import Box

_STEEPEST = np.tan(np.radians(25))


def skew(boxes: Sequence[Box]) -> float:
    """Return by how much lines of writing fall to the right, in degrees, at most 25.

    The median of the slopes from each box to its right neighbour; 0.0 for fewer than two pairs.
    """
    if len(boxes) < 3:
        return 0.0
    x, bottom, centre, height = _edges(boxes)
    reach = float(np.median(height)) * 3
    dx = x - x[:, None]
    level = (bottom + centre) / 2
    dy = level - level[:, None]
    near = (dx > 0.2 * height[:, None]) & (dx < reach) & (np.abs(dy) < 0.5 * dx)
    neighbour = np.where(near, dx + 2 * np.abs(dy), np.inf).argmin(axis=1)
    rows = np.flatnonzero(near.any(axis=1))
    if len(rows) < 2:
        return 0.0
    slopes = dy[rows, neighbour[rows]] / dx[rows, neighbour[rows]]
    return float(np.degrees(np.arctan(np.median(slopes.clip(-_STEEPEST, _STEEPEST)))))


def arrange(boxes: Sequence[Box], slope: float = 0.0) -> list[tuple[int, int, int]]:
    """Order boxes as they are read.

    Args:
        boxes: Boxes of characters in one flat coordinate system.
        slope: How much the lines fall to the right, in degrees.

    Returns:
        (index of the box, line number, word number within the line) in reading order.
        A word ends where a gap is wide against the other gaps of the same line and against
        the characters' height.
    """
    if not boxes:
        return []
    x, _, centre, height = _edges(boxes)
    level = centre - np.tan(np.radians(slope)) * x
    lines: list[list[int]] = []
    for index in np.argsort(level):
        i = int(index)
        best, best_distance = None, 0.0
        for number, line in enumerate(lines):
            # Neighbours on the line count more than its far end, which may have drifted.
            nearest = min(line, key=lambda j: abs(x[j] - x[i]))
            distance = abs(level[i] - level[nearest])
            reach = 0.55 * max(height[i], height[nearest])
            if distance < reach and (best is None or distance < best_distance):
                best, best_distance = number, distance
        if best is None:
            lines.append([i])
        else:
            lines[best].append(i)
    lines.sort(key=lambda line: float(np.median(level[line])))
    ordered = []
    for number, line in enumerate(lines):
        line.sort(key=lambda j: x[j])
        word = 0
        for position, i in enumerate(line):
            if position and _is_word_gap(boxes, line, position):
                word += 1
            ordered.append((i, number, word))
    return ordered


def _is_word_gap(boxes: Sequence[Box], line: list[int], position: int) -> bool:
    gaps = [boxes[b].x - boxes[a].x - boxes[a].w for a, b in pairwise(line)]
    gap = gaps[position - 1]
    height = statistics.median(boxes[i].h for i in line)
    if len(gaps) == 1:
        return gap > 1.3 * height
    others = [g for k, g in enumerate(gaps) if k != position - 1]
    # The lower quartile is a gap between letters even where half of the gaps part words.
    usual = max(0.0, _lower_quartile(others))
    return gap > max(0.55 * height, 1.9 * usual + 0.15 * height)


def _lower_quartile(values: list[int]) -> float:
    """Return the value that a quarter of them lie below; NumPy's is slow for a few numbers."""
    ordered = sorted(values)
    below, part = divmod((len(ordered) - 1) * 0.25, 1)
    above = min(int(below) + 1, len(ordered) - 1)
    return ordered[int(below)] * (1 - part) + ordered[above] * part


def _edges(
    boxes: Sequence[Box],
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return centre x, bottom, centre y and height of every box."""
    b = np.array(boxes, np.float64).reshape(-1, 4)
    return b[:, 0] + b[:, 2] / 2, b[:, 1] + b[:, 3], b[:, 1] + b[:, 3] / 2, b[:, 3]
