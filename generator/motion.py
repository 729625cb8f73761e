"""How a hand moves that writes: speed and poses over time."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Stroke = NDArray[np.float32]

RATE = 240
"""Steps a second in which the motion is planned; frames are sampled from it."""

FADE = 0.1
"""Seconds in which one pose turns into another."""


class Motion:
    """Where the pen's tip is and which pose the hand has, in steps of 1 / RATE seconds.

    Args:
        tip: (2,), where the hand is at first.
        pen: Pose while the pen is down.
        pen_up: Pose while it is up.
        pace: Factor on the duration of every movement.

    Attributes:
        tips: One (2,) a step, in pixels.
        poses: One a step.
    """

    def __init__(
        self, tip: NDArray[np.float64], *, pen: str = "point", pen_up: str = "open", pace: float = 1
    ) -> None:
        self.tip = tip
        self.pen = pen
        self.pen_up = pen_up
        self.pace = pace
        self.tips: list[NDArray[np.float64]] = []
        self.poses: list[str] = []

    @property
    def seconds(self) -> float:
        """How long the motion is."""
        return len(self.tips) / RATE

    def rest(self, seconds: float, pose: str | None = None) -> None:
        """Stay where the hand is."""
        count = round(seconds * RATE)
        self.tips += [self.tip] * count
        self.poses += [pose or self.pen_up] * count

    def travel(self, target: NDArray[np.floating], pose: str | None = None) -> None:
        """Go there with the pen up, smoothly (minimum jerk: Flash and Hogan, 1985)."""
        way = np.asarray(target, np.float64) - self.tip
        seconds = self.pace * (0.22 + 0.25 * float(np.hypot(*way)) / 300)
        t = np.linspace(0, 1, max(2, round(seconds * RATE)))[1:, None]
        eased = t**3 * (10 - 15 * t + 6 * t**2)
        self.tips += list(self.tip + way * eased)
        self.poses += [pose or self.pen_up] * len(t)
        self.tip = self.tips[-1]

    def write(self, stroke: Stroke, rng: np.random.Generator) -> None:
        """Put the pen down, trace the stroke, lift the pen.

        The speed falls with curvature by the two-thirds power law (Lacquaniti, Terzuolo,
        Viviani, 1983).
        """
        self.rest(FADE + rng.uniform(0.03, 0.12), self.pen)
        steps = np.hypot(*np.diff(stroke.astype(np.float64), axis=0).T)
        arc = np.concatenate([[0], np.cumsum(steps)])
        length = float(arc[-1])
        if length > 0:
            at = np.linspace(0, length, max(8, int(length / 2)))
            path = np.column_stack([np.interp(at, arc, stroke[:, k]) for k in (0, 1)])
            waited = np.concatenate([[0], np.cumsum(1 / _speed(path)[1:])])
            seconds = self.pace * (0.12 + 0.35 * length / 300)
            times = np.linspace(0, waited[-1], max(2, round(seconds * RATE)))
            self.tips += list(
                np.column_stack([np.interp(times, waited, path[:, k]) for k in (0, 1)])
            )
            self.poses += [self.pen] * len(times)
            self.tip = self.tips[-1]
        self.rest(rng.uniform(0.05, 0.12), self.pen)


def _speed(path: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the relative speed of a hand along evenly spaced points, in (0, 1]."""
    window = max(2, len(path) // 40)
    ahead = np.diff(np.pad(path, ((window, window), (0, 0)), mode="edge"), axis=0)
    smooth = np.ones(window) / window
    direction = np.column_stack([np.convolve(ahead[:, k], smooth, "same") for k in (0, 1)])
    angle = np.unwrap(np.arctan2(direction[:, 1], direction[:, 0]))
    bend = np.abs(angle[2 * window :] - angle[: -2 * window])[: len(path)]
    bend = np.pad(bend, (0, len(path) - len(bend)), mode="edge")
    place = np.arange(len(path)) / (len(path) - 1)
    ends = np.sqrt(np.clip(np.minimum(place, 1 - place) / 0.15, 0.03, 1))
    return np.clip(np.maximum(bend, 0.05) / 0.25, 1, None) ** (-1 / 3) * ends
