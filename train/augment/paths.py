"""What the variations of strokes share: paths measured, resampled, smoothed, sheared."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from train.data.characters import Strokes

Path = NDArray[np.float32]
"""One stroke, float32 (n, 2): x right, y down."""


def unit(strokes: Strokes) -> list[Path]:
    """Return the strokes moved and scaled so that the longest side runs from 0 to 1."""
    points = np.concatenate(strokes)
    low = points.min(axis=0)
    longest = max(float((points.max(axis=0) - low).max()), 1e-6)
    return [((path - low) / longest).astype(np.float32) for path in strokes]


def resampled(path: NDArray[np.floating], spacing: float = 0.025) -> Path:
    """Return the path with points at even distances along it; a dot stays one point."""
    steps = np.hypot(*np.diff(path, axis=0).T)
    along = np.concatenate([[0.0], np.cumsum(steps)])
    if along[-1] < spacing:
        return path[:1].astype(np.float32)
    at = np.linspace(0, along[-1], max(2, round(float(along[-1]) / spacing)))
    return np.column_stack([np.interp(at, along, path[:, k]) for k in range(2)]).astype(np.float32)


def smoothed(path: NDArray[np.floating], sigma: float) -> Path:
    """Return the path smoothed along its points, its ends held."""
    if len(path) < 3:
        return path.astype(np.float32)
    reach = int(3 * sigma) + 1
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    kernel /= kernel.sum()
    padded = np.pad(path, ((reach, reach), (0, 0)), mode="edge")
    columns = [np.convolve(padded[:, k], kernel, "valid") for k in range(2)]
    return np.column_stack(columns).astype(np.float32)


def shear(
    rng: np.random.Generator, slant: float, turn: float, aspect: float
) -> NDArray[np.float64]:
    """Return a random 2x2 matrix: stretch by up to exp(aspect), shear, turn (degrees, sigma)."""
    stretch = np.exp(rng.uniform(-aspect, aspect))
    angle = np.deg2rad(np.clip(rng.normal(0, turn), -2 * turn, 2 * turn))
    rotation = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    shear = np.array([[1.0, np.clip(rng.normal(0, slant / 2), -slant, slant)], [0.0, 1.0]])
    return rotation @ shear @ np.diag([stretch, 1.0])
