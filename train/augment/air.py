"""The same character as drawn in the air with a fingertip."""

from __future__ import annotations

import numpy as np

from train.augment.paths import Path, resampled, smoothed, unit
from train.augment.strokes import bent, hooked, nudged
from train.data.characters import Strokes


def vary(strokes: Strokes, rng: np.random.Generator) -> Strokes:
    """Return the character as drawn in the air, in a unit box: one line, as people lift no pen.

    Pen lifts are drawn as ink, with hooks at both ends and corners rounded.
    """
    paths = [nudged(resampled(path), rng) for path in unit(strokes)]
    path = _joined(_reordered(paths, rng), rng)
    if rng.random() < 0.25:
        path = _retraced(path, rng)
    if rng.random() < 0.6:
        path = hooked(path, rng)
    if rng.random() < 0.6:
        path = hooked(path[::-1], rng)[::-1]
    if rng.random() < 0.6:
        path = smoothed(path, rng.uniform(0.5, 2.5))
    return bent([path], rng)


def _reordered(paths: list[Path], rng: np.random.Generator) -> list[Path]:
    """Return the strokes in the order and direction of another habit, some of the time."""
    if len(paths) > 1 and rng.random() < 0.2:
        paths = [paths[i] for i in rng.permutation(len(paths))]
    return [path[::-1] if rng.random() < 0.12 else path for path in paths]


def _joined(paths: list[Path], rng: np.random.Generator) -> Path:
    """Return the strokes as one line, each way to the next one a slight bow."""
    pieces = [paths[0]]
    for path in paths[1:]:
        start, end = pieces[-1][-1], path[0]
        way = end - start
        t = np.linspace(0, 1, max(3, round(float(np.hypot(*way)) / 0.025)))[1:-1, None]
        bow = rng.normal(0, 0.1) * np.array([-way[1], way[0]])
        pieces += [(start + t * way + 4 * t * (1 - t) * bow).astype(np.float32), path]
    return np.concatenate(pieces)


def _retraced(path: Path, rng: np.random.Generator) -> Path:
    """Return the path begun within it: back to its start, then all of it over the same ink."""
    k = round(len(path) * rng.uniform(0.1, 0.4))
    back = path[k:0:-1] + np.linspace(1, 0, k)[:, None] * rng.normal(0, 0.04, 2)
    return np.concatenate([back, path]).astype(np.float32)
