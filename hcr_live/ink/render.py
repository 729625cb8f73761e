"""Strokes to ink: how a pen's path becomes the image that `normalise` takes."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from hcr_live.errors import HcrError

_LARGEST_COORDINATE = 1e150
_SMALLEST_EXTENT = 1e-150  # less is one point: the scale would overflow
_SHIFT = 4  # fractional bits that OpenCV's drawing takes


def render_strokes(
    strokes: Sequence[ArrayLike], size: int = 96, pen: float = 0.07
) -> NDArray[np.uint8]:
    """Draw strokes with a round pen.

    Args:
        strokes: The strokes in writing order, each (n, 2) or more columns of which the first two
            count: x right, y down, any unit, finite. One point is a dot.
        size: Pixels of the longest side of the path; the image is a margin larger.
        pen: Width of the pen as a share of `size`.

    Returns:
        uint8 (h, w), white anti-aliased ink on black, the path's aspect kept, a margin of a pen's
        width around it. One black pixel where there are no points.

    Raises:
        HcrError: If a stroke has another shape or a number that is not finite.
    """
    paths = checked_strokes(strokes)
    if not paths:
        return np.zeros((1, 1), np.uint8)
    points = np.concatenate(paths)
    low = points.min(axis=0)
    extent = points.max(axis=0) - low
    longest = float(extent.max())
    scale = (size - 1) / longest if longest > _SMALLEST_EXTENT else 0.0
    thickness = max(1, round(pen * size))
    margin = thickness + 1
    width, height = (int(np.ceil(side * scale)) + 1 + 2 * margin for side in extent)
    image = np.zeros((height, width), np.uint8)
    for path in paths:
        fixed = np.rint(((path - low) * scale + margin) * (1 << _SHIFT)).astype(np.int32)
        if len(fixed) == 1:
            fixed = np.repeat(fixed, 2, axis=0)
        cv2.polylines(image, [fixed], False, 255, thickness, cv2.LINE_AA, _SHIFT)
    return image


def checked_strokes(strokes: Sequence[ArrayLike]) -> list[NDArray[np.float64]]:
    """Return the strokes that have points, float64 (n, 2) each.

    Raises:
        HcrError: If a stroke has another shape or a number that is not finite.
    """
    try:
        paths = [_checked(stroke, number) for number, stroke in enumerate(strokes, 1)]
    except TypeError as error:
        raise HcrError("Strokes must be a list of (n, 2) arrays.") from error
    return [path for path in paths if len(path)]


def _checked(stroke: ArrayLike, number: int) -> NDArray[np.float64]:
    """Return a stroke's x and y, float64 (n, 2)."""
    try:
        path = np.asarray(stroke, np.float64)
    except (TypeError, ValueError) as error:
        raise HcrError(f"Stroke {number} is not an array of numbers, points as rows.") from error
    if path.size == 0:
        return np.empty((0, 2))
    if path.ndim != 2 or path.shape[1] < 2:
        raise HcrError(
            f"Stroke {number} has the shape {path.shape}: it must be (n, 2), rows of x and y."
        )
    path = path[:, :2]
    if not (np.abs(path) < _LARGEST_COORDINATE).all():
        raise HcrError(f"Stroke {number} holds a number that is not finite: drop such points.")
    return path
