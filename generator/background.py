"""What stands behind the hand or the sheet: made-up rooms, light and dark."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray


def background(
    width: int, height: int, rng: np.random.Generator, light: bool | None = None
) -> NDArray[np.uint8]:
    """Paint a scene without hands, sheets or writing.

    Args:
        width: Pixels.
        height: Pixels.
        rng: Draws the kind of scene (gradient, room, blurred lights, mottled wall) and its colours.
        light: A bright or a dark scene; None draws that, too.

    Returns:
        uint8 (height, width, 3), BGR.
    """
    if light is None:
        light = bool(rng.integers(2))
    level = rng.uniform(150, 225) if light else rng.uniform(25, 90)
    kinds = (_gradient, _room, _lights, _mottled)
    scene = kinds[int(rng.integers(len(kinds)))](width, height, level, rng)
    return np.clip(scene, 0, 255).astype(np.uint8)


def _colour(level: float, rng: np.random.Generator, spread: float = 18) -> NDArray[np.float64]:
    return level + rng.normal(0, spread, 3)


def _enlarge(small: NDArray[np.float64], width: int, height: int) -> NDArray[np.float32]:
    return cv2.resize(small.astype(np.float32), (width, height), interpolation=cv2.INTER_CUBIC)


def _gradient(
    width: int, height: int, level: float, rng: np.random.Generator
) -> NDArray[np.float32]:
    corners = np.array([[_colour(level, rng, 30) for _ in range(2)] for _ in range(2)])
    small = cv2.resize(corners, (32, 18), interpolation=cv2.INTER_LINEAR)
    return _enlarge(small, width, height)


def _mottled(
    width: int, height: int, level: float, rng: np.random.Generator
) -> NDArray[np.float32]:
    grain = rng.normal(0, 14, (9, 16, 1)) + rng.normal(0, 6, (9, 16, 3))
    return _enlarge(_colour(level, rng) + grain, width, height)


def _room(width: int, height: int, level: float, rng: np.random.Generator) -> NDArray[np.float32]:
    """A wall, a table edge, and some soft boxes: shelves, a door, a screen."""
    scene = _gradient(width, height, level, rng)
    for _ in range(int(rng.integers(3, 8))):
        x, y = int(rng.integers(-50, width)), int(rng.integers(-50, height))
        corner = (x + int(rng.integers(60, width // 2)), y + int(rng.integers(40, height // 2)))
        cv2.rectangle(scene, (x, y), corner, _colour(level, rng, 35).tolist(), -1)
    edge = int(height * rng.uniform(0.7, 0.9))
    scene[edge:] = _colour(level * rng.uniform(0.6, 1), rng)
    return cv2.GaussianBlur(scene, (0, 0), height / 240)


def _lights(width: int, height: int, level: float, rng: np.random.Generator) -> NDArray[np.float32]:
    """Lights out of focus."""
    scene = _gradient(width, height, level * 0.8, rng)
    for _ in range(int(rng.integers(8, 25))):
        centre = (int(rng.integers(width)), int(rng.integers(height)))
        radius = int(height * rng.uniform(0.02, 0.1))
        disc = scene.copy()
        cv2.circle(disc, centre, radius, _colour(level + 50, rng, 40).tolist(), -1)
        scene = cv2.addWeighted(scene, 0.5, disc, 0.5, 0)
    return cv2.GaussianBlur(scene, (0, 0), height / 120)
