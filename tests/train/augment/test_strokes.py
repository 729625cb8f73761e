import numpy as np
import pytest

from generator.letters import letter_strokes
from train.augment import air, ink, strokes


@pytest.mark.parametrize("hand", [strokes, air])
def test_variations_differ_and_leave_their_input_alone(hand):
    written = tuple(np.asarray(path, np.float32) for path in letter_strokes("A"))
    before = [path.copy() for path in written]
    rng = np.random.default_rng(1)
    drawn = [ink.draw(hand.vary(written, rng), rng) for _ in range(30)]
    assert len({image.tobytes() for image in drawn}) == 30
    assert all(image.dtype == np.uint8 and image.any() for image in drawn)
    for path, old in zip(written, before, strict=True):
        np.testing.assert_array_equal(path, old)
