from functools import partial

import cv2
import numpy as np
import pytest

from generator.letters import letter_strokes
from hcr_live.ink.normalise import network_input
from hcr_live.ink.render import render_strokes
from train.augment import negatives


@pytest.fixture(scope="module")
def glyphs():
    return [render_strokes(letter_strokes(label)) for label in "AKTXIl"]


@pytest.mark.parametrize("kind", negatives.KINDS)
def test_every_kind_is_ink_that_varies_with_the_seed_alone(kind, glyphs):
    before = [glyph.copy() for glyph in glyphs]
    make = partial(negatives.ink_of_kind, kind)
    inks = [make(glyphs, np.random.default_rng(seed)) for seed in range(25)]
    again = [make(glyphs, np.random.default_rng(seed)) for seed in range(25)]
    assert all(ink.dtype == np.uint8 and ink.ndim == 2 for ink in inks)
    assert np.mean([network_input(ink).any() for ink in inks]) > 0.9
    assert len({ink.tobytes() for ink in inks}) > 20
    assert all(np.array_equal(one, other) for one, other in zip(inks, again, strict=True))
    assert all(np.array_equal(one, other) for one, other in zip(glyphs, before, strict=True))


def test_all_kinds_are_drawn(glyphs):
    rng = np.random.default_rng(3)
    inks = [negatives.no_character(glyphs, rng) for _ in range(200)]
    assert np.mean([ink.any() for ink in inks]) > 0.97


def test_an_upright_bar_is_never_among_them(glyphs):
    """It is a fair I, l or 1."""
    rng = np.random.default_rng(4)
    for _ in range(300):
        seen = network_input(negatives.no_character(glyphs, rng)) > 0.5
        x, y, w, h = cv2.boundingRect(seen.astype(np.uint8))
        filled = seen[y : y + h, x : x + w].mean() if w else 0
        assert not (h > 4 * w and filled > 0.8)
