"""The same character as drawn in the air with a fingertip.

What differs from paper, seen in recordings: no pen lift, or a forgotten one, so that the way to
the next stroke is ink, often back over the last one; no paper under the finger, so that parts
are misplaced, bowls miss their stem, rings stay open or overlap; a hand at arm's length, whose
tip is found in few frames a second, with errors that last for some of them.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hcr_live.air.one_euro import OneEuroFilter
from hcr_live.air.pen import glide
from train.augment.paths import (
    SPACING,
    Path,
    drift,
    joined,
    led_in,
    length,
    resampled,
    smoothed,
    unit,
)
from train.augment.strokes import bent, nudged
from train.data.characters import Strokes

_FALLS_SHORT = 0.13
"""By how much of its size a stroke after the first ends too early, on average."""


def vary(strokes: Strokes, rng: np.random.Generator) -> Strokes:
    """Return the character as the program's air pen, or a plain fingertip track, records it.

    Args:
        strokes: The character in the order it is written, any unit.
        rng: The random generator.

    Returns:
        One stroke, or some where the pen was lifted, in the unit of the character's longest side.
    """
    loose = rng.uniform(0.3, 1)  # one hand aims better than another
    paths = [nudged(resampled(path), rng, strength=1.8 * loose) for path in unit(strokes)]
    paths = [_misjudged(path, k > 0, 0.18 * loose, rng) for k, path in enumerate(paths)]
    paths = [_overshot(path, 0.12 * loose, rng) for path in paths]
    paths = [_closed_otherwise(path, rng) for path in paths]
    paths = _without_lifts(paths, rng)
    if rng.random() < 0.1:
        paths[0] = _retraced(paths[0], rng)
    ways = rng.random((len(paths), 2))
    for k, (way_in, way_out) in enumerate(ways):
        if way_in < 0.4:
            paths[k] = led_in(paths[k], 0.22, rng)
        if way_out < 0.4:
            paths[k] = led_in(paths[k][::-1], 0.22, rng)[::-1]
    if rng.random() < 0.3:
        paths = [smoothed(path, rng.uniform(0.5, 2.0)) for path in paths]
    camera = _Camera.random(rng)
    return tuple(camera.tracked(path, rng) for path in bent(paths, rng, slant=0.25, turn=8))


class _Camera:
    """How the tip is followed: the same for all strokes of a character."""

    def __init__(self, rate: float, pace: float, jitter: float, sway: float, palm: float) -> None:
        self.rate = rate  # frames a second
        self.pace = pace  # lengths of the character a second
        self.jitter = jitter  # sigma of the landmark's error in one frame, in lengths
        self.sway = sway  # and of its error over several frames
        self.palm = palm  # in lengths; 0 where nothing is filtered

    @classmethod
    def random(cls, rng: np.random.Generator) -> _Camera:
        return cls(
            rate=rng.uniform(14, 31),
            pace=float(np.exp(rng.uniform(np.log(1.0), np.log(5.0)))),
            jitter=float(np.exp(rng.uniform(np.log(0.004), np.log(0.02)))),
            sway=abs(rng.normal(0, 0.028)),
            palm=rng.uniform(0.3, 1.0) if rng.random() < 0.5 else 0.0,
        )

    def tracked(self, path: Path, rng: np.random.Generator) -> Path:
        """Return the path as frames of the camera show it, smoothed as the air pen does."""
        path = resampled(path)
        if len(path) < 4:
            return path
        times = self._times(path)
        count = max(6, round(times[-1] * self.rate))
        at = np.linspace(0, times[-1], count)
        seen = np.column_stack([np.interp(at, times, path[:, k]) for k in range(2)])
        seen += rng.normal(0, self.jitter, seen.shape) + drift(count, self.sway, 5, rng)
        for _ in range(rng.poisson(count / 28)):  # the landmark is beside the tip for a while
            width, centre = rng.uniform(0.7, 2.5), rng.uniform(0, count)
            bump = np.exp(-0.5 * ((np.arange(count) - centre) / width) ** 2)
            seen += bump[:, None] * rng.normal(0, 0.075, 2)
        if not self.palm:
            return seen.astype(np.float32)
        smooth = OneEuroFilter()
        points = [smooth.step(point, time, self.palm) for point, time in zip(seen, at, strict=True)]
        return glide(np.asarray(points, np.float32), 0.05 * self.palm)

    def _times(self, path: Path) -> NDArray[np.float64]:
        """Return when the tip is where: slow in bends and at both ends, fast between.

        Speed falls with curvature to the power of a third (Lacquaniti, Terzuolo, Viviani, 1983).
        """
        steps = np.diff(smoothed(path, 2.0), axis=0)
        heading = np.unwrap(np.arctan2(steps[:, 1], steps[:, 0]))
        bend = np.abs(np.gradient(heading)) if len(heading) > 1 else np.zeros(1)
        speed = 1 / np.cbrt(0.02 + bend)
        ramp = np.minimum(np.arange(len(speed)), np.arange(len(speed))[::-1])
        speed *= np.clip((ramp + 1) / 6, 0.25, 1)
        lasting = np.concatenate([[0.0], np.cumsum(1 / speed)])
        return lasting * (length(path) / self.pace / lasting[-1])


def _misjudged(path: Path, later: bool, sigma: float, rng: np.random.Generator) -> Path:
    """Return a stroke that starts where it should and ends too early or too late.

    Nothing shows where the strokes before are, and later ones rather fall short: the bowl of a D
    ends above the foot of its stem.
    """
    growth = np.exp(rng.normal(-_FALLS_SHORT if later else 0, sigma, 2))
    return (path[0] + (path - path[0]) * growth).astype(np.float32)


def _overshot(path: Path, sigma: float, rng: np.random.Generator) -> Path:
    """Return a straight stroke longer at either end: the stem of a D beyond its bowl."""
    straight = float(np.hypot(*(path[-1] - path[0]))) > 0.9 * length(path)
    if len(path) < 8 or not straight or rng.random() < 0.4:
        return path
    before, after = np.abs(rng.normal(0, sigma, 2))[:, None] * (path[-1] - path[0])
    return np.concatenate([path[:1] - before, path, path[-1:] + after]).astype(np.float32)


def _closed_otherwise(path: Path, rng: np.random.Generator) -> Path:
    """Return a ring that stays open or overlaps; any other path as it is."""
    gap = float(np.hypot(*(path[0] - path[-1])))
    if len(path) < 30 or gap > 0.2 * length(path) or rng.random() < 0.4:
        return path
    if rng.random() < 0.5:
        part = max(2, round(len(path) * rng.uniform(0.0, 0.12)))
        return path[part:] if rng.random() < 0.5 else path[:-part]
    part = max(2, round(len(path) * rng.uniform(0.0, 0.2)))
    middle = path.mean(axis=0)
    inward = np.linspace(0, rng.normal(0.1, 0.3), part)[:, None]
    shift = np.linspace(1, 0, part)[:, None] * (path[-1] - path[0])
    over = path[:part] + shift + inward * (middle - path[:part])
    return np.concatenate([path, over]).astype(np.float32)


def _without_lifts(paths: list[Path], rng: np.random.Generator) -> list[Path]:
    """Return most characters as one line, the others with one forgotten lift or as they are.

    People avoid ways that would make another letter of it, an R of a K: half of them know an
    order of the strokes whose ways lie on ink, and most lift the finger where there is none.
    """
    manner = rng.random()
    if len(paths) == 1 or manner > 0.8:
        return paths
    back = rng.choice([0.0, 0.6, 1.0], p=[0.1, 0.3, 0.6])
    loop = abs(rng.normal(0, 0.06))
    if manner > 0.72 and len(paths) > 2:
        k = int(rng.integers(len(paths) - 1))
        return [*paths[:k], joined(paths[k : k + 2], rng, back, loop), *paths[k + 2 :]]
    orders = [paths]
    if rng.random() < 0.5:
        orders += [
            [_either_way(paths[k], rng) for k in rng.permutation(len(paths))] for _ in "12345"
        ]
    ink = np.concatenate(paths)[::3]
    lines = [joined(order, rng, back, loop) for order in orders]
    beside = [_beside(line, ink) for line in lines]
    best = int(np.argmin(beside))
    return paths if beside[best] > 0.35 and rng.random() < 0.7 else [lines[best]]


def _either_way(path: Path, rng: np.random.Generator) -> Path:
    return path[::-1] if rng.random() < 0.5 else path


def _beside(line: Path, ink: Path) -> float:
    """Return how much of a line, in lengths of the character, is not on the ink."""
    points = line[::3]
    away = np.hypot(*(points[:, None] - ink[None]).transpose(2, 0, 1)).min(axis=1)
    return 3 * SPACING * float((away > 0.09).sum())


def _retraced(path: Path, rng: np.random.Generator) -> Path:
    """Return the path begun within it: back to its start, then all of it over the same ink."""
    k = round(len(path) * rng.uniform(0.1, 0.3))
    back = path[k:0:-1] + np.linspace(1, 0, k)[:, None] * rng.normal(0, 0.04, 2)
    return np.concatenate([back, path]).astype(np.float32)
