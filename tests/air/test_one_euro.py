from __future__ import annotations

import math

import numpy as np
import pytest

from hcr_live.air.one_euro import OneEuroFilter


def test_the_first_point_passes_and_a_reset_makes_a_first_point() -> None:
    smooth = OneEuroFilter()
    assert smooth.step(np.array([3.0, 4.0]), 0.0, 100) == pytest.approx([3, 4])
    smooth.reset()
    assert smooth.step(np.array([900.0, 7.0]), 0.01, 100) == pytest.approx([900, 7])


def test_without_speed_term_it_is_the_low_pass_of_the_paper() -> None:
    smooth = OneEuroFilter(minimum_cutoff=1.0, beta=0.0)
    smooth.step(np.zeros(2), 0.0, 1)
    # alpha = 1 / (1 + tau / Te) with tau = 1 / (2 pi cutoff), Te = 0.1 s.
    alpha = 1 / (1 + (1 / (2 * np.pi)) / 0.1)
    assert smooth.step(np.array([1.0, 2.0]), 0.1, 1) == pytest.approx([alpha, 2 * alpha])


class Reference:
    """The published algorithm for one coordinate (Casiez, Roussel, Vogel, CHI 2012, figure 1)."""

    def __init__(self, minimum_cutoff: float, beta: float, speed_cutoff: float) -> None:
        self.minimum_cutoff, self.beta, self.speed_cutoff = minimum_cutoff, beta, speed_cutoff
        self.value: float | None = None
        self.slope = 0.0

    def step(self, value: float, rate: float) -> float:
        if self.value is None:
            self.value = value
            return value
        slope = (value - self.value) * rate
        self.slope = self.low_pass(slope, self.slope, self.speed_cutoff, rate)
        cutoff = self.minimum_cutoff + self.beta * abs(self.slope)
        self.value = self.low_pass(value, self.value, cutoff, rate)
        return self.value

    def low_pass(self, value: float, before: float, cutoff: float, rate: float) -> float:
        alpha = 1 / (1 + (1 / (2 * math.pi * cutoff)) / (1 / rate))
        return alpha * value + (1 - alpha) * before


@pytest.mark.parametrize("parameters", [(1.0, 0.0, 1.0), (1.0, 0.7, 1.0), (2.0, 4.0, 6.0)])
def test_it_is_the_published_filter(parameters: tuple[float, float, float]) -> None:
    rng = np.random.default_rng(3)
    times = np.cumsum(rng.uniform(1 / 60, 1 / 15, 200))
    values = np.sin(3 * times) + rng.normal(0, 0.02, 200)
    smooth, reference = OneEuroFilter(*parameters), Reference(*parameters)
    for i, (time, value) in enumerate(zip(times, values, strict=True)):
        rate = 1 / (time - times[i - 1]) if i else 0.0
        expected = reference.step(value, rate)
        # Along a line through the plane its speed is that of the one coordinate.
        point = smooth.step(np.array([0.6, 0.8]) * value, time, 1)
        assert point == pytest.approx(np.array([0.6, 0.8]) * expected)


def test_a_hand_twice_as_far_away_is_treated_alike() -> None:
    rng = np.random.default_rng(4)
    raw = np.cumsum(rng.normal(0, 10, (60, 2)), axis=0)
    near, far = OneEuroFilter(), OneEuroFilter()
    for i, point in enumerate(raw):
        assert near.step(point, i / 30, 100) == pytest.approx(2 * far.step(point / 2, i / 30, 50))


@pytest.mark.parametrize("fps", [15, 30, 60])
@pytest.mark.parametrize("palms", [0.5, 2.0, 5.0, 15.0])
def test_the_trail_is_no_more_than_a_frame_behind_the_finger(palms: float, fps: int) -> None:
    smooth = OneEuroFilter()
    palm = 100.0
    for i in range(2 * fps):
        raw = np.array([palms * palm * i / fps, 0.0])
        out = smooth.step(raw, i / fps, palm)
    behind = (raw[0] - out[0]) / palm
    # Of a slow finger at a high rate, three hundredths of a palm: what nobody sees.
    assert behind < max(palms / fps, 0.03)


def test_it_calms_a_resting_point() -> None:
    rng = np.random.default_rng(0)
    smooth = OneEuroFilter()
    raw = rng.normal(0, 1, (300, 2))
    out = np.array([smooth.step(point, i / 30, 100) for i, point in enumerate(raw)])
    assert out[30:].std() < 0.65 * raw[30:].std()


@pytest.mark.parametrize("fps", [15, 30, 60])
def test_it_hardly_lags_a_fast_point(fps: int) -> None:
    smooth = OneEuroFilter()
    palm, speed = 100.0, 500.0
    for i in range(fps):
        raw = np.array([speed * i / fps, 0.0])
        out = smooth.step(raw, i / fps, palm)
    assert raw[0] - out[0] < 0.1 * palm


def test_a_point_of_the_past_changes_nothing() -> None:
    smooth = OneEuroFilter()
    smooth.step(np.zeros(2), 1.0, 100)
    assert smooth.step(np.array([50.0, 50.0]), 1.0, 100) == pytest.approx([0, 0])
