"""Another hand on paper."""

from __future__ import annotations

from itertools import permutations

import cv2
import numpy as np

from train.augment.paths import (
    Path,
    drift,
    joined,
    led_in,
    length,
    resampled,
    shear,
    smoothed,
    unit,
)
from train.data.characters import Strokes

_MOST_STROKES = 4  # to match: 24 orders, each stroke either way round
_POINTS = 32
_SAME_FORM = 0.12  # mean distance of two versions, in lengths of the character


def vary(strokes: Strokes, rng: np.random.Generator) -> Strokes:
    """Return the same character as another hand might write it on paper.

    Strokes shift, turn and stretch on their own, start late or go on too far, are made round or
    angular, traced twice, or joined where the pen was not lifted high enough; dots become dashes
    and rings; the parts' proportions, slant and tremble change for all of them together.

    Args:
        strokes: The character, any unit.
        rng: The random generator.

    Returns:
        The strokes in the unit of the character's longest side, within about -0.5 to 1.5.
    """
    paths = unit(strokes)
    dots = _dots(paths)
    paths = [
        _dot(path, rng) if dot else nudged(resampled(path), rng)
        for path, dot in zip(paths, dots, strict=True)
    ]
    if rng.random() < 0.04 and not any(dots):
        paths = [joined(paths, rng, back=0.7)]
    ends = rng.random(2)
    if ends[0] < 0.15:
        paths[0] = led_in(paths[0], 0.2, rng)
    if ends[1] < 0.15:
        paths[-1] = led_in(paths[-1][::-1], 0.2, rng)[::-1]
    manner = rng.random()
    if manner < 0.2:
        paths = [smoothed(path, rng.uniform(0.5, 2.5)) for path in paths]
    elif manner < 0.3:
        paths = [_angular(path, rng.uniform(0.01, 0.035)) for path in paths]
    if rng.random() < 0.04:
        again = paths[int(rng.integers(len(paths)))]
        paths.append((again + drift(len(again), 0.02, 12, rng)).astype(np.float32))
    if rng.random() < 0.4:
        strength = min(abs(rng.normal(0, 0.018)), 0.035)
        paths = [path + smoothed(rng.normal(0, strength, path.shape), 1.5) for path in paths]
    return bent(paths, rng)


def mixed(one: Strokes, other: Strokes, rng: np.random.Generator) -> Strokes:
    """Return what lies between two people's versions of one character.

    Where both wrote it with the same strokes, whatever their order and direction, points move
    part of the way from one to the other, every stroke by a share of its own near a common one.
    Elsewhere the first takes on the width to height of the second.

    Args:
        one: A character, any unit.
        other: The same character by another writer, any unit.
        rng: The random generator.

    Returns:
        The strokes in the unit of the longest side of `one`, in its order and directions.
    """
    first, second = unit(one), unit(other)
    share = rng.uniform(0.2, 0.8)
    partners = _partners(first, second)
    if partners is not None:
        return tuple(
            (path + np.clip(share + rng.normal(0, 0.15), 0, 1) * (partner - path)).astype(
                np.float32
            )
            for path, partner in partners
        )
    extents = [np.ptp(np.concatenate(paths), axis=0) for paths in (first, second)]
    if min(extents[0].min(), extents[1].min()) < 0.2:  # a bar has no width to speak of
        return tuple(first)
    stretch = ((extents[1] / extents[0]) ** share).astype(np.float32)
    return tuple(path * stretch for path in first)


def reordered(strokes: Strokes, rng: np.random.Generator) -> Strokes:
    """Return the character as somebody may write it who begins elsewhere: looks stay the same.

    Few do: one in eight has another order of the strokes, one stroke in sixteen the other way.
    """
    order = rng.permutation(len(strokes)) if rng.random() < 1 / 8 else range(len(strokes))
    return tuple(strokes[k][::-1] if rng.random() < 1 / 16 else strokes[k] for k in order)


def _partners(first: list[Path], second: list[Path]) -> list[tuple[Path, Path]] | None:
    """Return each stroke with the one that it corresponds to, or None where forms differ."""
    if len(first) != len(second) or len(first) > _MOST_STROKES:
        return None
    ours, theirs = ([resampled(p, count=_POINTS) for p in paths] for paths in (first, second))
    centre = np.concatenate(ours).mean(axis=0) - np.concatenate(theirs).mean(axis=0)
    both_ways = [(path + centre, path[::-1] + centre) for path in theirs]
    away = np.array([[[_away(a, way) for way in ways] for ways in both_ways] for a in ours])
    nearest = away.min(axis=2)
    rows = range(len(ours))
    order = min(
        permutations(rows),
        key=lambda order: sum(nearest[i, j] for i, j in zip(rows, order, strict=True)),
    )
    if max(nearest[i, j] for i, j in zip(rows, order, strict=True)) > _SAME_FORM:
        return None
    return [
        (ours[i], both_ways[j][int(away[i, j].argmin())]) for i, j in zip(rows, order, strict=True)
    ]


def _away(one: Path, other: Path) -> float:
    return float(np.hypot(*(one - other).T).mean())


def nudged(path: Path, rng: np.random.Generator, strength: float = 1.0) -> Path:
    """Return one stroke a little displaced, turned, stretched, its ends cut or overshot.

    Args:
        path: Resampled.
        rng: The random generator.
        strength: 1 on paper.
    """
    middle = path.mean(axis=0)
    angle = np.deg2rad(rng.normal(0, 3 * strength))
    growth = np.exp(rng.normal(0, 0.05 * strength, 2))
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    moved = (path - middle) * growth @ turn.T + middle + rng.normal(0, 0.018 * strength, 2)
    if len(path) > 12 and rng.random() < 0.4:
        if rng.random() < 0.5:
            moved = moved[::-1]
        beyond = float(np.clip(rng.normal(0, 0.05), -0.1, 0.1)) * length(moved)
        step = moved[-1] - moved[-4]
        if beyond > 0:
            ray = step / max(float(np.hypot(*step)), 1e-6)
            moved = np.vstack([moved, moved[-1] + beyond * ray])
        else:
            moved = moved[: max(2, round(len(moved) * (1 + beyond / length(moved))))]
    return moved.astype(np.float32)


def bent(
    paths: list[Path], rng: np.random.Generator, slant: float = 0.35, turn: float = 7
) -> Strokes:
    """Return the paths in other proportions, sheared, turned and warped, all of them together.

    Args:
        paths: In a unit box.
        rng: The random generator.
        slant: The most that they lean, as a share of their height.
        turn: Sigma of the angle, degrees; twice that at most.
    """
    matrix = shear(rng, slant=slant, turn=turn, aspect=0.28)
    phase, strength = rng.uniform(0, 2 * np.pi, (2, 2)), rng.normal(0, 0.03, (2, 2))
    # Upper parts larger and lower ones smaller, or the other way: loops, bars, ascenders. The
    # slope of t + a sin(pi t) stays positive, so that nothing folds over.
    parts = np.clip(rng.normal(0, 0.06, 2), -0.13, 0.13)
    varied = []
    for path in paths:
        path = path + parts * np.sin(np.pi * np.clip(path, 0, 1))
        warp = sum(
            np.sin((k + 1.5) * np.pi * path[:, ::-1] / 1.5 + phase[k]) * strength[k] / (k + 1)
            for k in range(2)
        )
        varied.append(((path + warp) @ matrix.T).astype(np.float32))
    return tuple(varied)


def _dots(paths: list[Path]) -> list[bool]:
    """Return which strokes are the dot of an i or j: small, above all others."""
    dots = []
    for k, path in enumerate(paths):
        rest = [other[:, 1].min() for j, other in enumerate(paths) if j != k]
        small = np.ptp(path, axis=0).max() < 0.13
        dots.append(bool(rest and small and path[:, 1].max() < min(rest)))
    return dots


def _dot(path: Path, rng: np.random.Generator) -> Path:
    """Return the dot as it is, or as a dash, a tick or a small ring, a little elsewhere."""
    middle = path.mean(axis=0) + rng.normal(0, (0.05, 0.025), 2)
    form = rng.random()
    if form < 0.5:
        return (path - path.mean(axis=0) + middle).astype(np.float32)
    if form < 0.8:
        angle, extent = rng.uniform(-1.8, 0.5), rng.uniform(0.02, 0.09)
        ray = extent * np.array([np.cos(angle), np.sin(angle)])
        return np.array([middle - ray, middle + ray], np.float32)
    if form < 0.9:
        around = np.linspace(0, 2 * np.pi, 14)
        return (
            middle + rng.uniform(0.03, 0.065) * np.column_stack([np.cos(around), np.sin(around)])
        ).astype(np.float32)
    return middle[None].astype(np.float32)


def _angular(path: Path, tolerance: float) -> Path:
    """Return the path as straight pieces with corners (Douglas, Peucker, 1973)."""
    if len(path) < 3:
        return path
    corners = cv2.approxPolyDP(path[:, None].astype(np.float32), tolerance, False)[:, 0]
    return resampled(corners)
