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
