"""Pens, and the cheap wear of ink: images varied without the camera model."""

from __future__ import annotations

import cv2
import numpy as np

from hcr_live.ink.render import render_strokes
from train.augment.paths import shear
from train.data.characters import Ink, Strokes


def draw(strokes: Strokes, rng: np.random.Generator) -> Ink:
    """Return the strokes drawn with a random pen."""
    pen = float(np.exp(rng.uniform(np.log(0.025), np.log(0.15))))
    return render_strokes(strokes, size=int(rng.integers(40, 110)), pen=pen)


def vary(image: Ink, rng: np.random.Generator) -> Ink:
    """Return the ink sheared, turned, stretched and warped."""
    h, w = image.shape
    scale = rng.uniform(56, 90) / max(h, w)
    margin = 16
    matrix = shear(rng, slant=0.25, turn=8, aspect=0.2) * scale
    corners = np.array([[-w, -h], [w, -h], [w, h], [-w, h]]) / 2 @ matrix.T
    extent = np.ceil(np.ptp(corners, axis=0)).astype(int) + 2 * margin
    offset = extent / 2 - matrix @ (np.array([w, h]) / 2 - 0.5)
    moved = cv2.warpAffine(
        image, np.column_stack([matrix, offset]), (int(extent[0]), int(extent[1]))
    )
    if rng.random() < 0.6:
        moved = _warped(moved, rng)
    return moved


def degrade(ink: Ink, rng: np.random.Generator) -> Ink:
    """Return the ink as a camera and a threshold may leave it.

    Uneven edges, strokes too fat or too thin, gaps, specks, a piece of a ruled line.
    """
    margin = max(4, max(ink.shape) // 10)
    ink = np.pad(ink, margin)
    size = max(ink.shape)
    if rng.random() < 0.2:
        ink = _with_gaps(ink, rng)
    if rng.random() < 0.6:
        soft = cv2.GaussianBlur(ink, (0, 0), rng.uniform(0.004, 0.013) * size).astype(np.float32)
        grain = rng.normal(0, 1, (ink.shape[0] // 2 + 1, ink.shape[1] // 2 + 1))
        grain = cv2.resize(grain, ink.shape[::-1], interpolation=cv2.INTER_CUBIC)
        soft += grain * rng.uniform(0, 28)
        level = rng.uniform(0.25, 0.5) * float(soft.max())
        worn = np.where(soft > level, 255, 0).astype(np.uint8)
        ink = worn if worn.any() else ink
    if rng.random() < 0.25:
        ink = ink.copy()
        for _ in range(rng.integers(1, 4)):
            at = (int(rng.integers(ink.shape[1])), int(rng.integers(ink.shape[0])))
            cv2.circle(ink, at, int(rng.integers(1, max(2, size // 40) + 1)), 255, -1)
    if rng.random() < 0.2:
        ink = _with_ruled_line(ink, rng)
    if rng.random() < 0.25:
        ink = cv2.GaussianBlur(ink, (0, 0), rng.uniform(0.5, 0.02 * size + 0.6))
    return ink


def _warped(image: Ink, rng: np.random.Generator) -> Ink:
    """Return the image warped smoothly (Simard et al., ICDAR 2003)."""
    h, w = image.shape
    reach = 0.035 * max(h, w)
    field = rng.normal(0, reach, (2, 4, 4)).astype(np.float32)
    dx, dy = (cv2.resize(part, (w, h), interpolation=cv2.INTER_CUBIC) for part in field)
    x, y = np.meshgrid(np.arange(w, dtype=np.float32), np.arange(h, dtype=np.float32))
    return cv2.remap(image, x + dx, y + dy, cv2.INTER_LINEAR)


def _with_gaps(ink: Ink, rng: np.random.Generator) -> Ink:
    """Return the ink with thin cuts through the strokes, as a faint pen leaves them."""
    ink = ink.copy()
    size = max(ink.shape)
    ys, xs = np.nonzero(ink)
    for _ in range(rng.integers(1, 4)):
        k = int(rng.integers(len(xs))) if len(xs) else 0
        if len(xs):
            ray = rng.normal(0, 0.12 * size, 2)
            start = (int(xs[k] - ray[0]), int(ys[k] - ray[1]))
            end = (int(xs[k] + ray[0]), int(ys[k] + ray[1]))
            cv2.line(ink, start, end, 0, max(1, round(rng.uniform(0.01, 0.03) * size)))
    return ink


def _with_ruled_line(ink: Ink, rng: np.random.Generator) -> Ink:
    """Return the ink with what is left of a line of the paper, mostly where writing stands."""
    ink = ink.copy()
    h, w = ink.shape
    y = h * (rng.uniform(0.72, 0.96) if rng.random() < 0.75 else rng.uniform(0.04, 0.5))
    if rng.random() < 0.5:
        start, end = rng.uniform(-0.1, 0.2) * w, rng.uniform(0.8, 1.1) * w
    else:
        start, end = np.sort(rng.uniform(-0.1, 1.1, 2)) * w
    tilt = rng.normal(0, 0.02) * w
    thickness = max(1, round(rng.uniform(0.008, 0.03) * max(h, w)))
    cv2.line(ink, (int(start), int(y)), (int(end), int(y + tilt)), 255, thickness)
    return ink
