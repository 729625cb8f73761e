import numpy as np

from generator.letters import letter_strokes
from hcr_live.ink.render import render_strokes
from train.augment import negatives


def test_every_kind_of_no_character_is_ink():
    rng = np.random.default_rng(3)
    glyphs = [render_strokes(letter_strokes(label)) for label in "AKTX"]
    inks = [negatives.no_character(glyphs, rng) for _ in range(200)]
    assert np.mean([ink.any() for ink in inks]) > 0.97
    assert all(ink.dtype == np.uint8 and ink.ndim == 2 for ink in inks)
