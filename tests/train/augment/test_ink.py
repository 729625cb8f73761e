import numpy as np
import pytest

from train.augment import ink


@pytest.mark.parametrize("shape", [(16, 8), (28, 28), (64, 64), (1, 1)])
def test_images_of_any_size_are_varied(shape):
    image = np.full(shape, 255, np.uint8)
    rng = np.random.default_rng(2)
    for _ in range(20):
        assert ink.vary(image, rng).any()
