"""The lines of ruled, squared and dotted paper: found, and divided out like a shadow."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from hcr_live.paper.blobs import find_blobs

_STRIPS = 16
"""A line is looked for in so many strips, so that it may be slanted or bent."""

_BEND = 3
"""Pixels that a line may deviate from strip to strip from the slope that most lines have."""

_STEEPEST = 0.045
"""Pixels that a line rises per pixel of its length, at most."""

_REACH = 4
"""Pixels to either side of a line's middle that its print and its blur may reach."""

_EVERY = 8
"""Pixels along a line in which its row is told."""

_DOTS_APART = 7
"""Pixels between the dots of a dotted line, at most."""

_PALER = 0.75
"""Of the darkness of ink: what is paler runs as print does."""


@dataclass(frozen=True, eq=False)
class Ruling:
    """Lines that run across a picture in about one direction.

    Attributes:
        rows: intp (lines, length / 8), the row of each line's middle in every eighth column; of
            the transposed picture where the lines are upright.
        shades: uint8 (lines, 2 * reach + 1), how dark each line is in the rows around that.
        thickness: Of a line, in pixels.
        upright: Whether the lines run from top to bottom.
    """

    rows: NDArray[np.intp]
    shades: NDArray[np.uint8]
    thickness: float
    upright: bool


def find_rulings(
    faint: NDArray[np.uint8], darkness: NDArray[np.uint8], widest: int
) -> list[Ruling]:
    """Find thin, nearly straight, nearly parallel lines across a whole picture.

    The picture is cut into strips across the lines; in each, rows that are mostly covered by
    thin ink are linked to the covered rows of the next strip. What lies under thick ink speaks
    neither for nor against: a line runs on under a marker or a thumb.

    Args:
        faint: uint8 (height, width), 255 where something is darker than paper, else 0.
        darkness: uint8 of the same shape, how much darker.
        widest: Pixels across that still are a line.

    Returns:
        At most one entry for the level lines and one for the upright ones.
    """
    found = []
    for upright in (False, True):
        picture = cv2.transpose(faint) if upright else faint
        rows, length = picture.shape
        if rows < 40:
            continue
        strip = -(-length // _STRIPS)
        thick = cv2.morphologyEx(picture, cv2.MORPH_OPEN, np.ones((widest | 1, 1), np.uint8))
        thin = cv2.subtract(picture, thick)
        hidden = _means(thick, strip)
        known = cv2.compare(hidden, 170, cv2.CMP_LT)
        room = cv2.addWeighted(hidden, -0.65, known, 0.65, 0)
        # Only where no solid line is seen are dots joined: writing would join as well.
        for reach in (1,) if upright else (1, _DOTS_APART):
            # A slanted line wanders over a few rows within one strip.
            covering = _means(cv2.dilate(thin, np.ones((3, reach), np.uint8)), strip)
            covered = cv2.bitwise_and(cv2.compare(covering, room, cv2.CMP_GT), known)
            straight = 0.4 if reach == 1 else 0.7
            paths = _paths(covered > 0, known > 0, int(_STEEPEST * length) + 1, straight)
            if len(paths):
                level = cv2.transpose(darkness) if upright else darkness
                found.append(_ruling(paths, level, thin, strip, upright))
                break
    return found


def shade_of(ruling: Ruling, shape: tuple[int, ...]) -> NDArray[np.uint8]:
    """Return what lines take of the light in a picture of a shape, uint8, 0 away from them."""
    height, length = shape[::-1] if ruling.upright else shape
    narrow = np.zeros((height + 2 * _REACH, ruling.rows.shape[1]), np.uint8)
    columns = np.arange(narrow.shape[1])
    for offset in range(2 * _REACH + 1):
        narrow[ruling.rows + offset, columns] = ruling.shades[:, offset, None]
    size = (narrow.shape[1] * _EVERY, height)
    shade = cv2.resize(narrow[_REACH:-_REACH], size, interpolation=cv2.INTER_NEAREST)
    shade = np.ascontiguousarray(shade[:, :length])
    return cv2.transpose(shade) if ruling.upright else shade


def printed(rulings: list[Ruling], ink: float | None) -> list[Ruling]:
    """Return the lines that are print rather than strokes that run from end to end.

    In a picture that fits one line of text the stem of a K does so: it is as dark as the rest
    of the ink. Many lines, evenly spaced, are print even then.

    Args:
        rulings: The lines.
        ink: Darkness of the ink besides them, None where there is none.
    """
    kept = []
    for ruling in rulings:
        print_ = ruling.shades.max(axis=1) < _PALER * (ink or 0.0)
        if _are_even(ruling.rows[:, ruling.rows.shape[1] // 2]):
            print_[:] = True
        if print_.any():
            rows, shades = ruling.rows[print_], ruling.shades[print_]
            kept.append(Ruling(rows, shades, ruling.thickness, ruling.upright))
    return kept


def divided_out(darkness: NDArray[np.uint8], shade: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the darkness as it were without the lines: ink on a line keeps its own.

    What a line takes of the light, and what ink on it takes, multiply.
    """
    return cv2.divide(cv2.subtract(darkness, shade), cv2.bitwise_not(shade), scale=255)


def crossing(mask: NDArray[np.uint8], ruling: Ruling) -> NDArray[np.uint8]:
    """Return what of a mask runs across the lines for longer than they are thick."""
    run = max(3, round(1.6 * ruling.thickness) + 2)
    kernel = np.ones((1, run) if ruling.upright else (run, 1), np.uint8)
    return cv2.morphologyEx(mask, cv2.MORPH_OPEN, kernel)


def without_crumbs(
    mask: NDArray[np.uint8], bands: NDArray[np.uint8], thickness: float
) -> NDArray[np.uint8]:
    """Return a mask without the blobs that hardly leave the lines: what is left of them."""
    _, labels, stats, _ = find_blobs(mask)
    # The crossings of a grid are darker than its lines and may be all that is left of it.
    small = stats[:, 2:4].max(axis=1) < 0.05 * min(mask.shape)
    # A large letter may lie along the lines, but is not thin.
    thin = stats[:, 2:4].min(axis=1) <= 2.5 * thickness + 1
    thin[0] = False
    mask = mask.copy()
    for number in np.flatnonzero(thin).tolist():
        x, y, w, h, area = stats[number].tolist()
        own = labels[y : y + h, x : x + w] == number
        on_lines = np.count_nonzero(own & (bands[y : y + h, x : x + w] > 0))
        if on_lines > 0.7 * area or (small[number] and on_lines):
            mask[y : y + h, x : x + w][own] = 0
    return mask


def _means(picture: NDArray[np.uint8], strip: int) -> NDArray[np.uint8]:
    """Return the mean of each row in every strip, uint8 (rows, strips)."""
    rows, length = picture.shape
    picture = cv2.copyMakeBorder(picture, 0, 0, 0, -length % strip, cv2.BORDER_REPLICATE)
    parts = picture.reshape(-1, strip)
    return cv2.reduce(parts, 1, cv2.REDUCE_AVG, dtype=cv2.CV_8U).reshape(rows, -1)


def _paths(
    covered: NDArray[np.bool_], known: NDArray[np.bool_], most: int, straight: float
) -> NDArray[np.float32]:
    """Return the row of each line in the middle of every strip, float32 (lines, strips).

    Args:
        covered: (rows, strips), where thin ink covers a row of a strip.
        known: The same shape, where there is no thick ink.
        most: Rows that a line rises, at most.
        straight: Share of the strips in which one line at least runs straight.
    """
    rows, strips = covered.shape
    nothing = np.zeros((0, strips), np.float32)
    if np.count_nonzero(covered.any(axis=0)) < 0.45 * strips:
        return nothing
    each = np.arange(strips)
    shift = _common_slope(covered, most, straight)
    if shift is None:
        return nothing
    # From strip to strip along that slope, by dynamic programming: the best path to each row,
    # in whole numbers whose last three bits say from where it came.
    value = (160 * covered + 64 * ~known).astype(np.int32)
    value = cv2.copyMakeBorder(value, most, most, 0, 0, cv2.BORDER_CONSTANT)
    value = np.ascontiguousarray(value[most + np.arange(rows)[:, None] + shift, each].T)
    score, best = value[0], np.zeros((strips, rows), np.int32)
    padded = np.full(rows + 2 * _BEND, -999, np.int32)
    reachable = sliding_window_view(padded, rows)
    bends = np.arange(2 * _BEND + 1, dtype=np.int32)[:, None]
    code = bends - (np.abs(bends - _BEND) << 3)
    for number in range(1, strips):
        padded[_BEND:-_BEND] = score
        (reachable + code).max(axis=0, out=best[number])
        score = value[number] + (best[number] & ~7)
    around = cv2.dilate(score.astype(np.float32)[:, None], np.ones((7, 1), np.uint8))[:, 0]
    peak = np.concatenate([[False], (score >= around) & (score > 64 * strips), [False]])
    edges = np.flatnonzero(peak[1:] != peak[:-1])
    row = (edges[::2] + edges[1::2] - 1) // 2
    path = np.zeros((len(row), strips), np.intp)
    for number in range(strips - 1, -1, -1):
        path[:, number] = row + shift[number]
        row = row + (best[number, row] & 7) - _BEND
    inside = (path >= 0) & (path < rows)
    path = np.clip(path, 0, rows - 1)
    hits = (covered[path, each] & inside).sum(axis=1)
    seen = (known[path, each] & inside).sum(axis=1)
    sure = (seen >= 0.6 * strips) & (hits >= 0.8 * seen)
    if sure.sum() > 1:
        sure = (seen >= 0.4 * strips) & (hits >= 0.55 * seen)
    # What lies along the border is the edge of the sheet.
    middle = path.mean(axis=1)
    path = path[sure & (middle >= _REACH) & (middle < rows - _REACH)]
    if not len(path):
        return nothing
    # The middle of what is covered there: a line is several rows thick.
    offsets = np.arange(-4, 5)
    near = covered[np.clip(path[:, :, None] + offsets, 0, rows - 1), each[:, None]]
    middle = (near * offsets).sum(axis=2) / np.maximum(near.sum(axis=2), 1)
    path = path + middle
    # Not so where a bar of a letter lies along it: the neighbouring strips know better.
    wide = cv2.copyMakeBorder(path, 0, 0, 2, 2, cv2.BORDER_REPLICATE)
    around = sliding_window_view(wide, 5, axis=1)
    path = np.sort(around, axis=2)[:, :, 2]
    path = path[np.argsort(path.mean(axis=1))]
    again = np.diff(path.mean(axis=1), prepend=-np.inf) < 2 * _BEND
    return path[~again].astype(np.float32)


def _common_slope(
    covered: NDArray[np.bool_], most: int, straight: float
) -> NDArray[np.intp] | None:
    """Return by how many rows the lines are off in every strip, intp (strips,), if there are any.

    The slope under which strips agree best, as most rows are covered by all or by none of them.
    """
    rows, strips = covered.shape
    rises = np.arange(-most, most + 1, max(2, most // 8))
    place = np.arange(strips) / (strips - 1) - 0.5
    shifts = np.rint(rises[:, None] * place).astype(np.intp)
    votes = cv2.dilate(covered.astype(np.uint8), np.ones((3, 1), np.uint8))
    votes = cv2.copyMakeBorder(cv2.transpose(votes), 0, 0, most, most, cv2.BORDER_CONSTANT)
    windows = sliding_window_view(votes, rows, axis=1)
    total = windows[np.arange(strips), most + shifts].sum(axis=1, dtype=np.uint8)
    agreed = np.where(total >= straight * strips, total, 0).astype(np.float32)
    return shifts[int(np.argmax((agreed**2).sum(axis=1)))] if agreed.any() else None


def _ruling(
    paths: NDArray[np.float32],
    level: NDArray[np.uint8],
    thin: NDArray[np.uint8],
    strip: int,
    upright: bool,
) -> Ruling:
    """Return the lines along some paths, as dark as each is along most of its way."""
    height, length = level.shape
    columns = np.minimum(np.arange(0, length, _EVERY) + _EVERY // 2, length - 1)
    rows = cv2.resize(paths, (paths.shape[1] * strip, len(paths)))[:, columns]
    rows = np.clip(np.rint(rows), 0, height - 1).astype(np.intp)
    near = rows[:, None] + np.arange(-_REACH, _REACH + 1)[:, None]
    near = np.clip(near, 0, height - 1)
    seen = np.sort(level[near, columns], axis=2)
    shades = np.maximum(seen[:, :, round(0.4 * (seen.shape[2] - 1))], 1)
    thickness = np.count_nonzero(thin[near, columns]) / rows.size
    # A row to either side: the course is known to a pixel or so.
    return Ruling(rows, cv2.dilate(shades, np.ones((1, 3), np.uint8)), thickness, upright)


def _are_even(rows: NDArray[np.intp]) -> bool:
    """Return whether lines are many and evenly spaced; one may be missing here and there."""
    gaps = np.diff(np.sort(rows)).astype(np.float64)
    if len(gaps) < 3:
        return False
    pitches = gaps / max(1.0, float(np.median(gaps)))
    return bool((np.abs(pitches - np.rint(pitches)) < 0.15).mean() >= 0.7)
