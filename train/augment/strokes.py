"""Another hand on paper."""

from __future__ import annotations

import numpy as np

from train.augment.paths import Path, resampled, shear, smoothed, unit
from train.data.characters import Strokes


def vary(strokes: Strokes, rng: np.random.Generator) -> Strokes:
    """Return the same character as another hand might write it, in a unit box.

    Strokes shift, turn and stretch on their own, then together; the result is sheared, warped
    smoothly and made to tremble.
    """
    paths = [nudged(resampled(path), rng) for path in unit(strokes)]
    if rng.random() < 0.12:
        paths[0] = hooked(paths[0], rng)
    if rng.random() < 0.12:
        paths[-1] = hooked(paths[-1][::-1], rng)[::-1]
    if rng.random() < 0.2:
        paths = [smoothed(path, rng.uniform(0.5, 2.5)) for path in paths]
    return bent(paths, rng)


def bent(paths: list[Path], rng: np.random.Generator) -> Strokes:
    """Return the paths sheared, warped smoothly and made to tremble, all of them together."""
    matrix = shear(rng, slant=0.35, turn=9, aspect=0.28)
    phase, strength = rng.uniform(0, 2 * np.pi, (2, 2)), rng.normal(0, 0.03, (2, 2))
    tremble = abs(rng.normal(0, 0.012)) if rng.random() < 0.5 else 0.0
    varied = []
    for path in paths:
        warp = sum(
            np.sin((k + 1.5) * np.pi * path[:, ::-1] / 1.5 + phase[k]) * strength[k] / (k + 1)
            for k in range(2)
        )
        moved = (path + warp) @ matrix.T
        if tremble:
            moved = moved + smoothed(rng.normal(0, 2.5 * tremble, moved.shape), 1.5)
        varied.append(moved.astype(np.float32))
    return tuple(varied)


def nudged(path: Path, rng: np.random.Generator) -> Path:
    """Return one stroke a little displaced, turned, stretched, its ends cut or overshot."""
    middle = path.mean(axis=0)
    angle, (grow_x, grow_y) = np.deg2rad(rng.normal(0, 3)), rng.normal(1, 0.05, 2)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    moved = (path - middle) * (grow_x, grow_y) @ turn.T + middle + rng.normal(0, 0.018, 2)
    cut = int(rng.integers(0, max(1, len(path) // 16) + 1))
    if len(path) > 12 and rng.random() < 0.3:
        moved = moved[cut:] if rng.random() < 0.5 else moved[: len(moved) - cut]
    return moved.astype(np.float32)


def hooked(path: Path, rng: np.random.Generator) -> Path:
    """Return the path with a short way in before its first point."""
    angle, length = rng.uniform(0, 2 * np.pi), abs(rng.normal(0, 0.13))
    count = max(2, round(length / 0.025))
    t = np.linspace(1, 0, count, endpoint=False)[:, None]
    bend = rng.normal(0, 0.5) * t
    ray = np.column_stack([np.cos(angle + bend), np.sin(angle + bend)])
    return np.concatenate([path[0] + t * length * ray, path]).astype(np.float32)
