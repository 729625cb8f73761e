"""The One Euro filter: steady when slow, prompt when fast."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray


class OneEuroFilter:
    """First-order low pass whose cut-off rises with speed (Casiez, Roussel, Vogel, CHI 2012).

    It works on true timestamps, so an irregular frame rate does no harm. Both coordinates share
    one cut-off, by the speed along the path: the paper's is for one coordinate.
    """

    def __init__(
        self, minimum_cutoff: float = 2.0, beta: float = 4.0, speed_cutoff: float = 6.0
    ) -> None:
        """Set the filter up.

        Args:
            minimum_cutoff: Hz, of a resting point: lower is steadier.
            beta: Hz for each unit a second: higher lags less in motion, at any speed less than
                1 / (2 pi beta) units.
            speed_cutoff: Hz, of the filter of the speed itself.
        """
        self._minimum_cutoff = minimum_cutoff
        self._beta = beta
        self._speed_cutoff = speed_cutoff
        self.reset()

    def reset(self) -> None:
        """Forget the past: the next point passes unchanged."""
        self._point: NDArray[np.float64] | None = None
        self._speed = np.zeros(2)
        self._time = -math.inf

    def step(self, point: NDArray[np.floating], time: float, unit: float) -> NDArray[np.float64]:
        """Filter the next point.

        Args:
            point: (2,), in pixels.
            time: Seconds; a point that is no later than the last one changes nothing.
            unit: Pixels in a unit of `beta`'s speed: the palm, so that a hand near the camera
                and one far away are treated alike.

        Returns:
            float64 (2,), in pixels.
        """
        raw = np.asarray(point, np.float64)
        if self._point is None:
            self._point, self._time = raw, time
            return raw
        elapsed = time - self._time
        if elapsed <= 0:
            return self._point
        speed = (raw - self._point) / (elapsed * unit)
        self._speed = self._speed + _smoothing(self._speed_cutoff, elapsed) * (speed - self._speed)
        cutoff = self._minimum_cutoff + self._beta * float(np.hypot(*self._speed))
        self._point = self._point + _smoothing(cutoff, elapsed) * (raw - self._point)
        self._time = time
        return self._point


def _smoothing(cutoff: float, elapsed: float) -> float:
    """Return the weight of the new value, in (0, 1)."""
    turn = 2 * math.pi * cutoff * elapsed
    return turn / (turn + 1)
