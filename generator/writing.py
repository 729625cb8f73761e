"""Writes characters along the lines of a page: pen strokes, or the ink of real handwriting."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

CharacterStrokes: TypeAlias = Sequence[NDArray[np.float32]]
"""One character: strokes of shape (n, 2), x right, y down, any unit."""

_FINE = 2
"""The pen is drawn so many times larger, so that its width is not a whole number of pixels."""

_X_HEIGHT, _DESCENT = 0.42, 1.32
MARGIN = 0.08
"""What stays free on each side of a page, as a share of its size."""


@dataclass(frozen=True, eq=False)
class OnLine:
    """A character of any unit and where it stands between the lines.

    Attributes:
        content: Pen strokes, or ink as uint8 (h, w), white on black.
        top: Where its ink begins; 0 is the cap line, 1 the base line.
        bottom: Where its ink ends.
    """

    content: CharacterStrokes | NDArray[np.uint8]
    top: float = 0.0
    bottom: float = 1.0


Written: TypeAlias = "CharacterStrokes | OnLine | None"
"""Pen strokes (y = 0 is the cap line and 1 the base line where a style gives the size of the
writing), a character with its place, or None for a space."""


def on_line(label: str, content: CharacterStrokes | NDArray[np.uint8]) -> OnLine:
    """Return a character with the size and place that its label has between the lines."""
    if label in "acemnorsuvwxz":
        return OnLine(content, _X_HEIGHT)
    if label in "gpqy":
        return OnLine(content, _X_HEIGHT, _DESCENT)
    if label == "j":
        return OnLine(content, 0.12, _DESCENT)
    return OnLine(content, {"i": 0.12, "t": 0.15}.get(label, 0.0))


@dataclass(frozen=True)
class Ruling:
    """Where the lines of a page are, in its pixels.

    Attributes:
        capital: Height of a capital.
        pitch: From one base line to the next.
        first: The first base line.
        left: Where lines begin.
    """

    capital: float
    pitch: float
    first: float
    left: float


@dataclass(frozen=True, eq=False)
class Writing:
    """What a pen leaves on a page.

    Attributes:
        cover: uint8 (height, width), how much of each pixel is ink.
        hulls: Convex hull of each character's ink, float32 (n, 2), pixels of the page.
        numbers: Line of each character.
    """

    cover: NDArray[np.uint8]
    hulls: list[NDArray[np.float32]]
    numbers: list[int]


@dataclass(frozen=True, eq=False)
class Hand:
    """How somebody writes; lengths are shares of a capital's height.

    Attributes:
        pen: Width of the line.
        slope: How far the lines fall to the right, in degrees.
        curve: How far the middle of a line sags.
        spacing: Gap between two characters.
        uneven: Standard deviation of that gap.
        touching: Share of the characters that touch the one before, in [0, 1].
    """

    pen: float
    slope: float = 0.0
    curve: float = 0.0
    spacing: float = 0.3
    uneven: float = 0.05
    touching: float = 0.0


def rule(
    lines: Sequence[Sequence[Written]],
    share: float,
    spacing: float,
    size: tuple[int, int],
    margin: float = MARGIN,
) -> Ruling:
    """Lay out a page: as large as asked for, or as all lines fit into its middle.

    Args:
        lines: What is to be written.
        share: Height of a capital as a share of the page's.
        spacing: See `Hand`.
        size: Width and height of the page in pixels.
        margin: What stays free on each side, as a share of the size.
    """
    width, height = size
    widest = 0.4 + max((_length(line, spacing) for line in lines), default=1.0)
    free = 1 - 2 * margin
    count = max(1, len(lines))
    capital = min(height * share, width * free / max(widest, 1.0), height * free / (1.45 * count))
    pitch = float(np.clip(height * free / count, 1.45 * capital, 2.1 * capital))
    first = (height - pitch * (count - 1) + 0.8 * capital) / 2
    return Ruling(capital, pitch, first, margin * width)


def write(
    lines: Sequence[Sequence[Written]],
    ruling: Ruling,
    hand: Hand,
    size: tuple[int, int],
    rng: np.random.Generator,
) -> Writing:
    """Write lines onto a page, from the left margin on.

    Args:
        lines: Lines of characters; None is a space.
        ruling: See `rule`.
        hand: Who writes.
        size: Width and height of the page in pixels.
        rng: Source of every choice.
    """
    width, height = size
    cover = np.zeros((height * _FINE, width * _FINE), np.uint8)
    capital = ruling.capital * _FINE
    pen = max(1.4, hand.pen * capital * rng.uniform(0.85, 1.2))
    hulls: list[NDArray[np.float32]] = []
    numbers: list[int] = []
    for number, line in enumerate(lines):
        base = (ruling.first + number * ruling.pitch) * _FINE
        left = ruling.left * _FINE + capital * rng.uniform(-0.2, 0.4)
        end, before = left, None
        for character in line:
            if character is None:
                end, before = end + capital * rng.uniform(0.55, 0.85), None
                continue
            gap = capital * max(0.08, rng.normal(hand.spacing, hand.uneven))
            patch, top = _patch(character, capital, pen, rng)
            top += base + rng.normal(0, 0.02) * capital
            start = end + (gap if end > left else 0.0)
            if before is not None and rng.random() < hand.touching:
                start = _touch(before, (patch, top), pen, start)
            middle = (start + patch.shape[1] / 2) / (width * _FINE) - 0.5
            top += math.tan(math.radians(hand.slope)) * middle * width * _FINE
            lower = top - hand.curve * capital * 4 * (middle**2 - 0.25)
            x, y = round(start), round(lower)
            end, before = start + patch.shape[1], (patch, top, start)
            outline = _stamp(cover, patch, x, y)
            hulls.append((outline / _FINE).astype(np.float32))
            numbers.append(number)
    small = cv2.resize(cover, (width, height), interpolation=cv2.INTER_AREA)
    return Writing(small.astype(np.uint8, copy=False), hulls, numbers)


def _length(line: Sequence[Written], spacing: float) -> float:
    """Return about how long a line is, in heights of a capital."""
    total = 0.0
    for character in line:
        if character is None:
            total += 0.7
            continue
        _, extent, scale = _extent(character)
        total += float(extent[0]) * scale * 1.06 + spacing
    return total


def _extent(character: CharacterStrokes | OnLine) -> tuple[NDArray[np.float32], NDArray, float]:
    """Return the corner and size of a character in its unit, and its unit in capitals."""
    if not isinstance(character, OnLine):
        points = np.concatenate([np.asarray(s, np.float32)[:, :2] for s in character])
        return points.min(axis=0), np.ptp(points, axis=0), 1.0
    if isinstance(character.content, np.ndarray):
        extent = np.array(character.content.shape[::-1], np.float32)
        low = np.zeros(2, np.float32)
    else:
        low, extent, _ = _extent(character.content)
    tall = character.bottom - character.top
    # Where a character is wide and low, such as a dash, its width tells its size.
    return low, extent, tall / max(float(extent[1]), 0.6 * float(extent[0]), 1e-6)


def _patch(
    character: CharacterStrokes | OnLine, capital: float, pen: float, rng: np.random.Generator
) -> tuple[NDArray[np.uint8], float]:
    """Draw one character; also where its picture begins above the base line, in pixels."""
    low, extent, scale = _extent(character)
    scale *= capital * rng.uniform(0.93, 1.04)
    if isinstance(character, OnLine) and isinstance(character.content, np.ndarray):
        size = np.maximum(1, np.rint(extent * scale)).astype(int).tolist()
        method = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
        patch = cv2.resize(character.content, size, interpolation=method)
        return patch, (character.bottom - 1) * capital - size[1]
    strokes = character.content if isinstance(character, OnLine) else character
    rim = math.ceil(pen / 2) + 1
    size = np.ceil(extent * scale).astype(int) + 2 * rim + 1
    patch = np.zeros((int(size[1]), int(size[0])), np.uint8)
    for stroke in strokes:
        points = (np.asarray(stroke, np.float32)[:, :2] - low) * scale + rim
        fixed = np.round(points * 16).astype(np.int32)
        if len(fixed) == 1:
            fixed = np.repeat(fixed, 2, axis=0)
        cv2.polylines(patch, [fixed], False, 255, max(1, round(pen)), cv2.LINE_AA, 4)
    if isinstance(character, OnLine):
        return patch, (character.bottom - 1) * capital - float(extent[1]) * scale - rim
    return patch, (float(low[1]) - 1) * scale - rim


def _touch(
    before: tuple[NDArray[np.uint8], float, float],
    after: tuple[NDArray[np.uint8], float],
    pen: float,
    start: float,
) -> float:
    """Return where a character must begin for its ink to run into the one before."""
    top = round(min(before[1], after[1]))
    rows = round(max(before[1] + len(before[0]), after[1] + len(after[0]))) - top + 2
    right = np.full(rows, -np.inf)
    left = np.full(rows, np.inf)
    near = np.ones((2 * round(pen) + 1, 1), np.uint8)
    inked = cv2.dilate(before[0], near) > 127
    place = round(before[1]) - top
    last = inked.shape[1] - 1 - inked[:, ::-1].argmax(axis=1)
    right[place : place + len(inked)] = np.where(inked.any(axis=1), last, -np.inf)
    inked = after[0] > 127
    place = round(after[1]) - top
    left[place : place + len(inked)] = np.where(inked.any(axis=1), inked.argmax(axis=1), np.inf)
    free = float((left - right).min())
    # Where one has its ink above the other's, they must not slide into each other.
    least = before[2] + before[0].shape[1] - 1.6 * pen - 2
    return max(before[2] - free - 0.4 * pen, least) if np.isfinite(free) else start


def _stamp(
    cover: NDArray[np.uint8], patch: NDArray[np.uint8], x: int, y: int
) -> NDArray[np.float32]:
    """Lay a character's ink onto the page; return the convex hull of it, float32 (n, 2)."""
    height, width = cover.shape
    rows = slice(max(0, y), max(0, min(height, y + patch.shape[0])))
    columns = slice(max(0, x), max(0, min(width, x + patch.shape[1])))
    seen = patch[rows.start - y : rows.stop - y, columns.start - x : columns.stop - x]
    if seen.size:
        np.maximum(cover[rows, columns], seen, out=cover[rows, columns])
    points = cv2.findNonZero(cv2.compare(patch, 100, cv2.CMP_GT))
    if points is None:
        points = np.array([[[0, 0]], [[patch.shape[1], patch.shape[0]]]], np.int32)
    pixels = points.reshape(-1, 2) + np.array([x, y])
    corners = np.concatenate([pixels, pixels + 1]).astype(np.float32)
    return cv2.convexHull(corners).reshape(-1, 2)
