from __future__ import annotations

import numpy as np
import pytest

from generator.letters import letter_strokes
from hcr_live.alphabet import get_alphabet
from hcr_live.classifier import Classifier
from hcr_live.frame import Box
from hcr_live.ink.render import render_strokes
from hcr_live.paper.orientation import quarter_turns
from hcr_live.paper.page import Glyph, Page, turned

SLANTED = np.array([[300, 100], [600, 320], [400, 600], [100, 380]], np.float32)


@pytest.fixture(scope="module")
def classify():
    return Classifier().probabilities


def page(text: str, seed: int, outline: np.ndarray | None = None) -> Page:
    rng = np.random.default_rng(seed)
    inks = [render_strokes(letter_strokes(c, rng), size=60) for c in text if not c.isspace()]
    glyphs = [Glyph(Box(80 * n, 100, *ink.shape[::-1]), ink) for n, ink in enumerate(inks)]
    return Page(outline, tuple(glyphs))


def better(found: Page, classify, alphabet: str) -> int:
    rows = classify([glyph.ink for glyph in found.glyphs])
    return quarter_turns(found, rows, classify, get_alphabet(alphabet))


@pytest.mark.parametrize("text", ["QUICK BROWN FOX", "the quick brown fox", "PAGE 27 OF 130"])
@pytest.mark.parametrize("turn", [0, 1, 2, 3])
def test_a_slanted_page_is_turned_to_where_it_reads(classify, text, turn):
    seen = turned(page(text, turn, SLANTED), -turn)
    assert better(seen, classify, "all") == turn


@pytest.mark.parametrize("text", ["HOUSE", "WOW", "NOON", "69", "pod", "A"])
def test_a_few_characters_are_left_as_they_are(classify, text):
    assert [better(page(text, seed), classify, "alnum") for seed in range(5)] == [0] * 5


def test_the_alphabet_helps(classify):
    assert better(turned(page("MAKE HAY", seed=3), 2), classify, "upper") == 2


def test_an_empty_page_has_no_way_up(classify):
    assert better(Page(None), classify, "letters") == 0
