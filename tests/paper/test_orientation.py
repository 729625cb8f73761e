from __future__ import annotations

import numpy as np
import pytest

from generator.letters import letter_strokes
from hcr_live.alphabet import get_alphabet
from hcr_live.classifier import Classifier
from hcr_live.ink.render import render_strokes
from hcr_live.paper.orientation import quarter_turns


@pytest.fixture(scope="module")
def classify():
    return Classifier().probabilities


def inks(text: str, seed: int) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    return [render_strokes(letter_strokes(c, rng), size=60) for c in text if not c.isspace()]


@pytest.mark.parametrize("text", ["QUICK BROWN FOX", "the quick brown fox", "PAGE 27 OF 130"])
@pytest.mark.parametrize("turn", [0, 1, 2, 3])
def test_a_page_is_turned_to_where_it_reads(classify, text, turn):
    seen = [np.ascontiguousarray(np.rot90(ink, -turn)) for ink in inks(text, seed=turn)]
    assert quarter_turns(seen, classify, get_alphabet("all"), sideways=True) == turn


@pytest.mark.parametrize("text", ["HOUSE", "WOW", "NOON", "69", "pod", "A"])
def test_a_few_characters_are_left_as_they_are(classify, text):
    for seed in range(5):
        assert quarter_turns(inks(text, seed), classify, get_alphabet("alnum")) == 0


def test_the_alphabet_helps(classify):
    upside_down = [np.ascontiguousarray(np.rot90(ink, 2)) for ink in inks("MAKE HAY", seed=3)]
    assert quarter_turns(upside_down, classify, get_alphabet("upper")) == 2


def test_an_empty_page_has_no_way_up(classify):
    assert quarter_turns([], classify, get_alphabet("letters")) == 0
