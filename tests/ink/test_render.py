import numpy as np
import pytest

from hcr_live.errors import HcrError
from hcr_live.ink.render import render_strokes

CROSS = [np.array([[0, 0], [4, 2]], float), np.array([[0, 2], [4, 0]], float)]


def test_ink_follows_the_path():
    ink = render_strokes([np.array([[0.0, 0.0], [0.0, 1.0], [0.5, 1.0]])], size=100, pen=0.1)
    assert ink.dtype == np.uint8
    h, w = ink.shape
    assert ink[h // 2, 12] == 255  # down the left side
    assert ink[h - 12, w // 2] == 255  # along the bottom
    assert ink[h // 2, w // 2] == 0
    assert not ink[0].any()
    assert not ink[:, -1].any()


@pytest.mark.parametrize(("unit", "shift"), [(1e-3, 0.0), (1.0, -50.0), (1e4, 1e6)])
def test_unit_and_place_do_not_matter(unit, shift):
    moved = [stroke * unit + shift for stroke in CROSS]
    difference = render_strokes(CROSS).astype(int) - render_strokes(moved)
    assert np.abs(difference).mean() < 1


def test_aspect_and_pen_are_relative_to_the_size():
    ink = render_strokes(CROSS, size=200, pen=0.1)
    margin = 2 * (20 + 1)
    assert (ink.shape[1] - margin) == pytest.approx(200, abs=2)
    assert (ink.shape[0] - margin) == pytest.approx(100, abs=2)
    thin = render_strokes(CROSS, size=200, pen=0.05)
    assert np.count_nonzero(ink) == pytest.approx(2 * np.count_nonzero(thin), rel=0.15)


def test_one_point_is_a_dot():
    ink = render_strokes([[[3, 3]]], size=100, pen=0.1)
    assert np.count_nonzero(ink > 127) == pytest.approx(np.pi * 25, rel=0.4)
    two = render_strokes([[[0, 10], [0, 40]], [[0, 0]]], size=100, pen=0.08)
    rows = (two > 127).any(axis=1)
    assert np.count_nonzero(np.diff(rows.astype(int)) == 1) == 2


def test_a_time_column_is_ignored():
    timed = [np.column_stack([stroke, [0.0, 1.0]]) for stroke in CROSS]
    np.testing.assert_array_equal(render_strokes(timed), render_strokes(CROSS))


@pytest.mark.parametrize("strokes", [[], [np.empty((0, 2))], [[]]])
def test_nothing_written_is_blank(strokes):
    ink = render_strokes(strokes)
    assert ink.shape == (1, 1)
    assert not ink.any()


@pytest.mark.parametrize(
    ("strokes", "why"),
    [
        ([[1, 2, 3]], "shape"),
        ([np.zeros((3, 1))], "shape"),
        ([np.zeros((2, 2, 2))], "shape"),
        ([[[0, 0], [np.nan, 1]]], "finite"),
        ([[[0, 0], [np.inf, 1]]], "finite"),
        ([[[0, 0], [1]]], "array of numbers"),
        (["ab"], "array of numbers"),
    ],
)
def test_bad_strokes_name_the_stroke(strokes, why):
    with pytest.raises(HcrError, match=f"Stroke 2 .*{why}"):
        render_strokes([CROSS[0], *strokes])
