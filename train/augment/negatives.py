"""Ink that is no character."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from train.augment.ink import degrade, draw
from train.augment.paths import Path, resampled, smoothed, unit
from train.data.characters import Ink, Strokes


def no_character(glyphs: Sequence[Ink], rng: np.random.Generator) -> Ink:
    """Return ink that nobody would read as one character.

    Args:
        glyphs: Ink of at least two characters, used for pieces of words.
        rng: The random generator.
    """
    kind = rng.choice(
        ["scribble", "zigzag", "word", "blob", "noise", "lines", "hand", "rings", "flat"],
        p=[0.2, 0.1, 0.22, 0.1, 0.08, 0.1, 0.08, 0.05, 0.07],
    )
    if kind == "word":
        return degrade(_word(glyphs, rng), rng)
    if kind == "noise":
        grain = rng.normal(0, 1, tuple(rng.integers(8, 40, 2)))
        grain = cv2.resize(grain, (64, 64), interpolation=cv2.INTER_CUBIC)
        return np.where(grain > rng.uniform(0.5, 1.8), 255, 0).astype(np.uint8)
    if kind in ("blob", "hand"):
        outline = _blob(rng) if kind == "blob" else _hand(rng)
        image = np.zeros((96, 96), np.uint8)
        points = np.rint(unit((outline,))[0] * 80 + 8).astype(np.int32)
        if kind == "blob" or rng.random() < 0.5:
            cv2.fillPoly(image, [points], 255)
        else:
            cv2.polylines(image, [points], True, 255, int(rng.integers(2, 7)), cv2.LINE_AA)
        return degrade(image, rng) if rng.random() < 0.5 else image
    if kind == "scribble":
        count = int(rng.integers(8, 22))
        strokes: Strokes = (smoothed(resampled(rng.random((count, 2)), 0.05), 2.0),)
    elif kind == "zigzag":
        count = int(rng.integers(8, 18))
        x = np.linspace(0, rng.uniform(0.4, 2.5), count) + rng.normal(0, 0.02, count)
        y = np.where(np.arange(count) % 2, 0, 1) * rng.uniform(0.5, 1, count)
        strokes = (smoothed(resampled(np.column_stack([x, y]), 0.05), rng.uniform(0.1, 2)),)
    elif kind == "lines":
        strokes = tuple(rng.random((2, 2)).astype(np.float32) for _ in range(rng.integers(4, 9)))
    elif kind == "rings":
        angle = np.linspace(0, rng.uniform(4.5, 12) * np.pi, 120)
        radius = np.linspace(1, rng.uniform(0.1, 0.9), 120) + rng.normal(0, 0.01, 120)
        drift = np.linspace(0, rng.uniform(0, 3), 120)
        ring = np.column_stack([radius * np.cos(angle) + drift, radius * np.sin(angle)])
        strokes = (ring.astype(np.float32),)
    else:  # a lying line or bow: a dash, an underline, a smile, an eyebrow
        x = np.linspace(-1, 1, 30)
        y = rng.uniform(-0.25, 0.25) * x**2 + rng.uniform(-0.2, 0.2) * x
        strokes = (np.column_stack([x, y + rng.normal(0, 0.01, 30)]).astype(np.float32),)
    drawn = draw(strokes, rng)
    return degrade(drawn, rng) if rng.random() < 0.35 else drawn


def _word(glyphs: Sequence[Ink], rng: np.random.Generator) -> Ink:
    """Return two to four characters side by side, touching or nearly so."""
    parts = []
    for _ in range(rng.integers(2, 5)):
        glyph = glyphs[int(rng.integers(len(glyphs)))]
        scale = rng.uniform(35, 60) / max(glyph.shape)
        size = (max(1, round(glyph.shape[1] * scale)), max(1, round(glyph.shape[0] * scale)))
        parts.append(cv2.resize(glyph, size, interpolation=cv2.INTER_AREA))
    height = max(part.shape[0] for part in parts)
    row = np.zeros((height, sum(part.shape[1] for part in parts) + 4), np.uint8)
    x = 0
    for part in parts:
        h, w = part.shape
        place = row[height - h :, x : x + w]
        np.maximum(place, part[:, : place.shape[1]], out=place)
        x += max(1, w - int(rng.integers(-2, 8)))
    return row


def _blob(rng: np.random.Generator) -> Path:
    angle = np.sort(rng.uniform(0, 2 * np.pi, int(rng.integers(5, 14))))
    radius = rng.uniform(0.4, 1, len(angle))
    points = np.column_stack([radius * np.cos(angle) * rng.uniform(0.4, 1), radius * np.sin(angle)])
    return points.astype(np.float32)


def _hand(rng: np.random.Generator) -> Path:
    """Return the outline of a palm with one to five fingers."""
    points = [np.array([-0.3, 0.9])]
    fingers = int(rng.integers(1, 6))
    for k in range(fingers):
        angle = np.deg2rad(-150 + 120 * (k + 0.5) / fingers + rng.normal(0, 6))
        length, width = rng.uniform(0.7, 1.3), rng.uniform(0.08, 0.13)
        ray, side = np.array([np.cos(angle), np.sin(angle)]), np.array([-np.sin(angle), 0.0])
        side = np.array([-ray[1], ray[0]]) * width
        points += [ray * 0.4 - side, ray * length - side, ray * (length + 0.1)]
        points += [ray * length + side, ray * 0.4 + side]
    points.append(np.array([0.3, 0.9]))
    return np.asarray(points, np.float32)
