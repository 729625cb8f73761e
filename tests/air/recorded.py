"""Hands that MediaPipe saw in the emoji pictures: wrist at (0, 0), palm of length 1."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hcr_live.air.hands import Hand

# fmt: off
_RECORDED = {
    "point": ((0.00, 0.00), (-0.37, -0.18), (-0.58, -0.48), (-0.76, -0.72), (-0.90, -0.82), (-0.46, -0.85), (-0.47, -1.29), (-0.46, -1.43), (-0.45, -1.46), (-0.20, -0.89), (-0.20, -1.18), (-0.21, -1.06), (-0.22, -0.91), (0.06, -0.86), (0.06, -1.13), (0.04, -1.01), (0.03, -0.87), (0.31, -0.80), (0.32, -1.06), (0.28, -0.97), (0.26, -0.84)),  # noqa: E501
    "open": ((0.00, 0.00), (-0.34, -0.13), (-0.56, -0.37), (-0.74, -0.54), (-0.91, -0.69), (-0.41, -0.69), (-0.52, -1.02), (-0.57, -1.19), (-0.58, -1.20), (-0.15, -0.74), (-0.20, -1.17), (-0.22, -1.34), (-0.23, -1.34), (0.12, -0.72), (0.14, -1.13), (0.15, -1.21), (0.14, -1.14), (0.36, -0.65), (0.45, -0.98), (0.44, -1.03), (0.41, -0.94)),  # noqa: E501
    "fist": ((0.00, 0.00), (0.25, 0.06), (0.43, 0.21), (0.51, 0.39), (0.49, 0.52), (0.45, -0.15), (0.46, 0.43), (0.37, 0.44), (0.33, 0.29), (0.18, -0.15), (0.23, 0.48), (0.17, 0.44), (0.15, 0.28), (-0.08, -0.08), (-0.02, 0.43), (-0.04, 0.40), (-0.03, 0.26), (-0.31, 0.01), (-0.28, 0.34), (-0.25, 0.32), (-0.24, 0.23)),  # noqa: E501
    "pinch": ((0.00, 0.00), (-0.37, -0.08), (-0.64, -0.29), (-0.79, -0.47), (-0.84, -0.56), (-0.46, -0.73), (-0.57, -1.03), (-0.70, -1.06), (-0.82, -0.97), (-0.20, -0.76), (-0.27, -1.00), (-0.25, -0.75), (-0.24, -0.58), (0.05, -0.74), (0.02, -0.97), (0.02, -0.72), (0.03, -0.57), (0.31, -0.68), (0.32, -0.91), (0.28, -0.71), (0.25, -0.57)),  # noqa: E501
    "victory": ((0.00, 0.00), (0.34, -0.02), (0.48, -0.20), (0.36, -0.34), (0.13, -0.40), (0.40, -0.61), (0.39, -0.86), (0.38, -0.99), (0.37, -1.05), (0.11, -0.61), (0.05, -0.95), (0.01, -1.04), (-0.01, -1.15), (-0.14, -0.57), (-0.18, -0.71), (-0.14, -0.48), (-0.09, -0.41), (-0.36, -0.52), (-0.41, -0.61), (-0.35, -0.46), (-0.30, -0.40)),  # noqa: E501
    "thumb": ((0.00, 0.00), (0.05, -0.39), (0.25, -0.60), (0.38, -0.78), (0.38, -1.01), (0.74, -0.52), (0.85, -0.53), (0.59, -0.47), (0.52, -0.47), (0.75, -0.24), (0.91, -0.29), (0.54, -0.23), (0.55, -0.25), (0.74, 0.02), (0.89, -0.00), (0.56, -0.01), (0.57, -0.03), (0.74, 0.24), (0.81, 0.23), (0.59, 0.20), (0.57, 0.18)),  # noqa: E501
}
# fmt: on


def landmarks(
    pose: str, palm: float = 100, turn: float = 0, mirrored: bool = False
) -> NDArray[np.float32]:
    """Return a pose, float32 (21, 2), turned clockwise by degrees, its wrist at (0, 0)."""
    points = np.array(_RECORDED[pose], np.float32) * palm
    if mirrored:
        points[:, 0] *= -1
    sine, cosine = np.sin(np.deg2rad(turn)), np.cos(np.deg2rad(turn))
    return (points @ np.array([[cosine, sine], [-sine, cosine]])).astype(np.float32)


def tightened(points: NDArray[np.float32], part: float) -> NDArray[np.float32]:
    """Return a hand whose thumb and index tips are nearer by a part of their distance."""
    points = points.copy()
    middle = (points[4] + points[8]) / 2
    points[[4, 8]] += np.float32(part) * (middle - points[[4, 8]])
    return points


def hand(pose: str, tip: tuple[float, float], palm: float = 100) -> Hand:
    """Return a hand in that pose; it stands as if, pointing, its fingertip were at `tip`."""
    offset = np.array(tip, np.float32) - landmarks("point", palm)[8]
    return Hand(landmarks(pose, palm) + offset, "Right", 0.99)
