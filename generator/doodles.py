"""Drawings that are no letters: arrows, faces, houses, scribbles, as strokes of a pen."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Stroke = NDArray[np.float64]


def _line(*points: tuple[float, float]) -> Stroke:
    """Join points by straight lines, densely enough to be bent."""
    given = np.array(points, float)
    pieces = [np.linspace(a, b, 12, endpoint=False) for a, b in pairwise(given)]
    return np.concatenate([*pieces, given[-1:]])


def _arc(x: float, y: float, rx: float, ry: float, begin: float = 0, end: float = 360) -> Stroke:
    angle = np.radians(np.linspace(begin, end, max(8, int(abs(end - begin) / 8))))
    return np.stack([x + rx * np.cos(angle), y + ry * np.sin(angle)], axis=1)


def _arrow(rng: np.random.Generator) -> list[Stroke]:
    length = rng.uniform(1.2, 2.2)
    return [_line((0, 0.5), (length, 0.5)), _line((length - 0.3, 0.2), (length, 0.5),
                                                  (length - 0.3, 0.8))]  # fmt: skip


def _face(rng: np.random.Generator) -> list[Stroke]:
    mouth = _arc(0.5, 0.55, 0.25, 0.2, 20, 160)
    eyes = [_arc(x, 0.35, 0.05, 0.05) for x in (0.32, 0.68)]
    return [_arc(0.5, 0.5, 0.5, 0.5), *eyes, mouth]


def _house(rng: np.random.Generator) -> list[Stroke]:
    walls = _line((0, 1), (0, 0.45), (0.5, 0), (1, 0.45), (1, 1), (0, 1))
    door = _line((0.4, 1), (0.4, 0.65), (0.6, 0.65), (0.6, 1))
    return [walls, _line((0, 0.45), (1, 0.45)), door]


def _star(rng: np.random.Generator) -> list[Stroke]:
    around = np.arange(6) * 4 * math.pi / 5
    corners = zip(
        (0.5 + np.sin(around) / 2).tolist(), (0.5 - np.cos(around) / 2).tolist(), strict=True
    )
    return [_line(*corners)]


def _spiral(rng: np.random.Generator) -> list[Stroke]:
    angle = np.linspace(0, rng.uniform(5, 9) * math.pi, 160)
    radius = 0.5 * angle / angle[-1]
    return [np.stack([0.5 + radius * np.cos(angle), 0.5 + radius * np.sin(angle)], axis=1)]


def _scribble(rng: np.random.Generator) -> list[Stroke]:
    """A word crossed out until nobody can read it."""
    count = int(rng.integers(10, 22))
    x = np.linspace(0, rng.uniform(0.8, 2), count) + rng.normal(0, 0.08, count)
    y = np.where(np.arange(count) % 2, 0.1, 0.9) + rng.normal(0, 0.12, count)
    return [_line(*zip(x.tolist(), y.tolist(), strict=True))]


def _tangle(rng: np.random.Generator) -> list[Stroke]:
    steps = rng.normal(0, 1, (160, 2)).cumsum(axis=0)
    kernel = np.ones(12) / 12
    smooth = np.stack([np.convolve(axis, kernel, "valid") for axis in steps.T], axis=1)
    smooth -= smooth.min(axis=0)
    return [smooth / smooth.max()]


def _flower(rng: np.random.Generator) -> list[Stroke]:
    leaves = [_arc(0.5 + 0.24 * math.cos(k), 0.3 + 0.24 * math.sin(k), 0.13, 0.13)
              for k in np.arange(5) * 2 * math.pi / 5]  # fmt: skip
    return [_arc(0.5, 0.3, 0.12, 0.12), *leaves, _line((0.5, 0.55), (0.5, 1.1))]


def _waves(rng: np.random.Generator) -> list[Stroke]:
    x = np.linspace(0, 2.5, 90)
    return [np.stack([x, 0.5 + 0.12 * np.sin(x * rng.uniform(9, 14)) + 0.25 * k], axis=1)
            for k in (-1, 0, 1)]  # fmt: skip


def _grid(rng: np.random.Generator) -> list[Stroke]:
    """Noughts and crosses before the game."""
    return [line for k in (0.33, 0.67) for line in (_line((k, 0), (k, 1)), _line((0, k), (1, k)))]


def _person(rng: np.random.Generator) -> list[Stroke]:
    body = _line((0.5, 0.3), (0.5, 0.7))
    arms = _line((0.2, 0.35), (0.5, 0.45), (0.8, 0.35))
    return [_arc(0.5, 0.16, 0.14, 0.15), body, arms, _line((0.25, 1), (0.5, 0.7), (0.75, 1))]


DOODLES: dict[str, Callable[[np.random.Generator], list[Stroke]]] = {
    "arrow": _arrow,
    "face": _face,
    "house": _house,
    "star": _star,
    "spiral": _spiral,
    "scribble": _scribble,
    "tangle": _tangle,
    "flower": _flower,
    "waves": _waves,
    "grid": _grid,
    "person": _person,
}
"""Name to what draws it."""


def doodle_strokes(name: str, rng: np.random.Generator) -> list[NDArray[np.float32]]:
    """Return the strokes of a drawing, (n, 2) each: x right, y down, 0 to 1 high, roughly.

    Args:
        name: Key of `DOODLES`.
        rng: Source of every choice: no two are alike.
    """
    angle = rng.normal(0, 0.08)
    turn = np.array([[math.cos(angle), math.sin(angle)], [-math.sin(angle), math.cos(angle)]])
    bent = []
    for stroke in DOODLES[name](rng):
        knots = rng.normal(0, 0.018, (5, 2))
        at = np.linspace(0, 4, len(stroke))
        wobble = np.stack([np.interp(at, np.arange(5), knots[:, k]) for k in (0, 1)], axis=1)
        bent.append(((stroke + wobble) @ turn).astype(np.float32))
    return bent
