import numpy as np
import pytest

from generator.letters import letter_strokes
from hcr_live.ink.normalise import network_input
from hcr_live.ink.render import render_strokes
from train.augment import ink


@pytest.mark.parametrize("shape", [(16, 8), (28, 28), (64, 64), (1, 1)])
def test_images_of_any_size_are_varied(shape):
    image = np.full(shape, 255, np.uint8)
    rng = np.random.default_rng(2)
    for _ in range(20):
        assert ink.vary(image, rng).any()


def test_pens_are_fine_and_broad():
    rng = np.random.default_rng(3)
    written = [np.asarray(path, np.float32) for path in letter_strokes("L")]
    inks = [ink.draw(tuple(written), rng) for _ in range(40)]
    shares = [(image > 127).mean() for image in inks]
    assert max(shares) > 2 * min(shares)


@pytest.mark.parametrize("wear", [ink.degrade, ink.vary])
def test_wear_leaves_its_input_alone_and_the_character_readable(wear):
    image = render_strokes(letter_strokes("K"))
    before = image.copy()
    seen = network_input(image)
    rng = np.random.default_rng(4)
    alike = []
    for _ in range(60):
        worn = wear(image, rng)
        assert worn.dtype == np.uint8
        assert worn.ndim == 2
        alike.append(np.corrcoef(seen.ravel(), network_input(worn).ravel())[0, 1])
    np.testing.assert_array_equal(image, before)
    assert np.median(alike) > 0.5
    assert min(alike) < 0.95
