import string

import numpy as np
import pytest

from generator.letters import CHARACTERS, letter_strokes
from hcr_live.errors import HcrError


def test_every_letter_and_digit_can_be_written() -> None:
    assert sorted(CHARACTERS) == sorted(string.ascii_letters + string.digits)


@pytest.mark.parametrize("character", CHARACTERS)
def test_strokes_are_dense_and_fill_their_lines(character: str) -> None:
    for seed in (None, 0, 1, 2, 3, 4):
        strokes = letter_strokes(character, None if seed is None else np.random.default_rng(seed))
        points = np.concatenate(strokes)
        assert all(stroke.dtype == np.float32 and len(stroke) > 1 for stroke in strokes)
        assert max(np.hypot(*np.diff(stroke, axis=0).T).max() for stroke in strokes) < 0.1
        top, bottom = points[:, 1].min(), points[:, 1].max()
        if character.isupper() or character.isdigit():
            assert top == pytest.approx(0, abs=0.15)
            assert bottom == pytest.approx(1, abs=0.15)
        else:
            assert top > -0.15
            assert bottom < 1.55
        assert np.ptp(points[:, 0]) < 1.4


def test_a_seed_writes_the_same_and_another_one_differently() -> None:
    one, same, other = (letter_strokes("S", np.random.default_rng(seed))[0] for seed in (1, 1, 2))
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)


def test_a_hand_uses_every_form_of_a_letter() -> None:
    rng = np.random.default_rng(0)
    assert {len(letter_strokes("E", rng)) for _ in range(40)} == {2, 3, 4}


def test_an_unknown_character_is_named() -> None:
    with pytest.raises(HcrError, match="'!'"):
        letter_strokes("!")
