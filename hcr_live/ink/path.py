"""Strokes to the path network's input: the one function that training and the program share."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hcr_live.ink.render import checked_strokes

POINTS = 96
CHANNELS = 6
_LIFTED = 0.5
"""What a length of the way through the air counts beside one of ink."""


def path_input(strokes: Sequence[ArrayLike]) -> NDArray[np.float32]:
    """Return the pen's path as the path network takes it: where it goes, and which way.

    The strokes are one line, the ways between them included, of points at even distances; so it
    does not matter how fast the pen was, or how often it was looked at. (Points, directions and
    pen state as a recogniser's input: Graves et al., A novel connectionist system, PAMI 2009.)

    Args:
        strokes: See `render_strokes`.

    Returns:
        float32 (POINTS, CHANNELS): x and y in [-1, 1], the longest side of the character being 2
        and its middle 0; cosine and sine of the direction; 1 where the pen is down, else 0; the
        line's length, in tenths of the longest side. Zeros where there is no line, as of a dot.

    Raises:
        HcrError: As `render_strokes`.
    """
    paths = checked_strokes(strokes)
    result = np.zeros((POINTS, CHANNELS), np.float32)
    if not paths:
        return result
    line = np.concatenate(paths)
    low, high = line.min(axis=0), line.max(axis=0)
    longest = float((high - low).max())
    line = (line - (low + high) / 2) * (2 / max(longest, 1e-150))
    # Of each point, whether the pen came to it on the surface.
    down = np.concatenate([np.arange(len(path)) > 0 for path in paths])
    steps = np.hypot(*np.diff(line, axis=0).T) * np.where(down[1:], 1.0, _LIFTED)
    along = np.concatenate([[0.0], np.cumsum(steps)])
    if not along[-1] > 0:
        return result
    at = np.linspace(0, along[-1], POINTS)
    places = np.column_stack([np.interp(at, along, line[:, k]) for k in range(2)])
    ways = np.gradient(places, axis=0)
    result[:, :2] = places
    result[:, 2:4] = ways / np.maximum(np.hypot(*ways.T), 1e-9)[:, None]
    result[:, 4] = down[np.searchsorted(along, at).clip(1)]
    result[:, 5] = along[-1] / 10
    return result
