"""What the variations of strokes share: paths measured, resampled, smoothed, sheared."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from train.data.characters import Strokes

Path = NDArray[np.float32]
"""One stroke, float32 (n, 2): x right, y down."""

SPACING = 0.025
"""Between the points of a resampled path, in lengths of the character."""


def unit(strokes: Strokes) -> list[Path]:
    """Return the strokes moved and scaled so that the longest side runs from 0 to 1."""
    points = np.concatenate(strokes)
    low = points.min(axis=0)
    longest = max(float((points.max(axis=0) - low).max()), 1e-6)
    return [((path - low) / longest).astype(np.float32) for path in strokes]


def length(path: NDArray[np.floating]) -> float:
    """Return how long the path is, in its own unit."""
    return float(np.hypot(*np.diff(path, axis=0).T).sum())


def resampled(path: NDArray[np.floating], spacing: float = SPACING, count: int = 0) -> Path:
    """Return the path with points at even distances along it.

    Args:
        path: (n, 2).
        spacing: Between points; a path that is shorter becomes one point.
        count: Where given, this many points instead, at least 2.
    """
    steps = np.hypot(*np.diff(path, axis=0).T)
    along = np.concatenate([[0.0], np.cumsum(steps)])
    if along[-1] < spacing and not count:
        return path[:1].astype(np.float32)
    at = np.linspace(0, along[-1], count or max(2, round(float(along[-1]) / spacing)))
    return np.column_stack([np.interp(at, along, path[:, k]) for k in range(2)]).astype(np.float32)


def smoothed(path: NDArray[np.floating], sigma: float) -> Path:
    """Return the path smoothed along its points by a Gauss kernel, its ends held."""
    if len(path) < 3:
        return path.astype(np.float32)
    reach = int(3 * sigma) + 1
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    kernel /= kernel.sum()
    padded = np.pad(path, ((reach, reach), (0, 0)), mode="edge")
    columns = [np.convolve(padded[:, k], kernel, "valid") for k in range(2)]
    return np.column_stack(columns).astype(np.float32)


def drift(count: int, sigma: float, reach: float, rng: np.random.Generator) -> NDArray[np.float64]:
    """Return a smooth random displacement along a path, (count, 2).

    Args:
        count: Of points.
        sigma: Standard deviation of a coordinate, in the path's unit.
        reach: Points over which neighbours move together.
        rng: The random generator.
    """
    knots = max(2, round(count / reach) + 1)
    at, places = np.linspace(0, knots - 1, count), np.arange(knots)
    values = rng.normal(0, sigma, (knots, 2))
    return np.column_stack([np.interp(at, places, values[:, k]) for k in range(2)])


def shear(
    rng: np.random.Generator, slant: float, turn: float, aspect: float
) -> NDArray[np.float64]:
    """Return a random 2x2 matrix: stretch by up to exp(aspect), shear, turn (degrees, sigma)."""
    stretch = np.exp(rng.uniform(-aspect, aspect))
    angle = np.deg2rad(np.clip(rng.normal(0, turn), -2 * turn, 2 * turn))
    rotation = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    leaning = np.array([[1.0, np.clip(rng.normal(0, slant / 2), -slant, slant)], [0.0, 1.0]])
    return rotation @ leaning @ np.diag([stretch, 1.0])


def joined(
    paths: list[Path], rng: np.random.Generator, back: float = 0.0, loop: float = 0.0
) -> Path:
    """Return the strokes as one line: the pen's way to the next stroke is ink as well.

    Args:
        paths: The strokes in order.
        rng: The random generator.
        back: How often the pen goes back over its own line to where it is near the next stroke,
            as people do who know that the way shows; else it goes straight.
        loop: Sigma of how far the way back is beside the line, in lengths of the character.
    """
    line = paths[0]
    for path in paths[1:]:
        if rng.random() < back:
            # A little longer way round is worth less than a long way back.
            longer = SPACING * np.arange(len(line))[::-1]
            away = np.hypot(*(line - path[0]).T)
            nearest = int((away + 0.1 * longer).argmin())
            if away[nearest] < away[-1] / 2:
                way_back = line[-2 : nearest - len(line) - 1 : -1]
                # Not quite on the ink: the two ways part in a loop.
                apart = np.sin(np.linspace(0, np.pi, len(way_back)))[:, None]
                line = np.concatenate([line, way_back + apart * rng.normal(0, loop, 2)])
        start, end = line[-1], path[0]
        way = end - start
        t = np.linspace(0, 1, max(3, round(float(np.hypot(*way)) / SPACING)))[1:-1, None]
        bow = rng.normal(0, 0.1) * np.array([-way[1], way[0]])
        line = np.concatenate([line, start + t * way + 4 * t * (1 - t) * bow, path])
    return line.astype(np.float32)


def led_in(path: Path, longest: float, rng: np.random.Generator) -> Path:
    """Return the path with a short bent way in before its first point.

    Half of them come from where the path is heading, so that it starts too early; the others
    from anywhere.
    """
    angle = rng.uniform(0, 2 * np.pi)
    if len(path) > 4 and rng.random() < 0.5:
        behind = path[0] - path[4]
        angle = np.arctan2(behind[1], behind[0]) + rng.normal(0, 0.4)
    extent = min(abs(rng.normal(0, longest / 2)), longest)
    t = np.linspace(1, 0, max(2, round(extent / SPACING)), endpoint=False)[:, None]
    bend = angle + rng.normal(0, 0.5) * t
    ray = np.column_stack([np.cos(bend), np.sin(bend)])
    return np.concatenate([path[0] + t * extent * ray, path]).astype(np.float32)
