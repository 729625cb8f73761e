import numpy as np
import pytest

from generator.letters import letter_strokes
from hcr_live.errors import HcrError
from hcr_live.ink.path import CHANNELS, POINTS, path_input
from train.augment.paths import resampled

X, Y, COSINE, SINE, DOWN, LENGTH = range(CHANNELS)


@pytest.mark.parametrize("letter", "AEOS")
def test_size_place_and_speed_do_not_change_it(letter):
    strokes = letter_strokes(letter)
    seen = path_input(strokes)
    assert seen.shape == (POINTS, CHANNELS)
    assert seen.dtype == np.float32
    assert np.abs(seen[:, [X, Y]]).max() == pytest.approx(1, abs=1e-3)
    np.testing.assert_allclose(path_input([40 * s + (7, -300) for s in strokes]), seen, atol=1e-4)
    # Three times the frames a second: the same way, but for corners that fall between points.
    finer = path_input([resampled(s, count=3 * len(s)) for s in strokes])
    assert np.quantile(np.abs(finer[:, [X, Y]] - seen[:, [X, Y]]), 0.95) < 0.03


def test_it_tells_the_direction_and_where_the_pen_was_lifted():
    bar = np.array([[0.0, 0.0], [1.0, 0.0]])
    right, left = path_input([bar]), path_input([bar[::-1]])
    np.testing.assert_allclose(right[:, [COSINE, SINE]], [[1, 0]] * POINTS, atol=1e-6)
    np.testing.assert_allclose(left[:, COSINE], -1, atol=1e-6)
    assert right[:, DOWN].all()
    below = np.add(bar, (0, 1))
    two = path_input([bar, below])
    lifted = two[:, DOWN] == 0
    assert lifted.any()
    assert (two[lifted, COSINE] < 0).all()  # back to the left through the air
    assert (two[lifted, SINE] > 0).all()
    one = path_input([np.concatenate([bar, below])])
    assert one[:, DOWN].all()
    assert one[0, LENGTH] > two[0, LENGTH] > right[0, LENGTH]


@pytest.mark.parametrize("strokes", [[], [[(3, 4)]], [np.zeros((5, 2))], [np.zeros((0, 2))]])
def test_where_there_is_no_line_it_is_zeros(strokes):
    seen = path_input(strokes)
    assert seen.shape == (POINTS, CHANNELS)
    assert not seen.any()


def test_it_refuses_what_is_no_path():
    with pytest.raises(HcrError, match="Stroke 2"):
        path_input([[(0, 0), (1, 1)], [(0, np.nan)]])
