from __future__ import annotations

from itertools import product

import cv2
import numpy as np
import pytest

from generator.letters import letter_strokes
from hcr_live.alphabet import CLASSES
from hcr_live.classifier import Classifier
from hcr_live.frame import Box
from hcr_live.paper.components import find_characters
from hcr_live.paper.layout import arrange
from hcr_live.paper.page import Glyph, Page
from hcr_live.paper.segment import Segmenter, resegment
from tests.paper.drawn import overlap

OUTLINE = np.array([[0, 0], [600, 0], [600, 200], [0, 200]], np.float32)
APART = 14
TOUCHING = None


@pytest.fixture(scope="module")
def classifier():
    return Classifier()


class Counted:
    """A network that remembers how many inks it was shown."""

    def __init__(self, classifier):
        self._classifier = classifier
        self.shown = 0

    def __call__(self, inks):
        self.shown += len(inks)
        return self._classifier.probabilities(inks)


def drawn(strokes, left, top, pen):
    ink = np.zeros((200, 600), np.uint8)
    for stroke in strokes:
        points = np.round((stroke + np.array([left, top])) * 16).astype(np.int32)
        cv2.polylines(ink, [points], False, 255, pen, cv2.LINE_8, 4)
    return ink


def written(text, gaps, *, height=60, pen=4, seed=0, shift=(0, 0), tear=0.0):
    """Draw a line of our own characters.

    Args:
        text: The characters.
        gaps: How far each is from the one before, in pixels; TOUCHING: until they touch.
        height: Of a capital.
        pen: Width of the pen.
        seed: Of how they are drawn.
        shift: Of the line, in pixels.
        tear: How far the later strokes of a character are from its first.

    Returns:
        The ink, and the box of each character.
    """
    rng = np.random.default_rng(seed)
    line, boxes = np.zeros((200, 600), np.uint8), []
    for character, gap in zip(text, gaps, strict=True):
        strokes = [stroke * height for stroke in letter_strokes(character, rng)]
        strokes[1:] = [stroke + np.array([tear, 0]) for stroke in strokes[1:]]
        start = min(stroke[:, 0].min() for stroke in strokes)
        end = int(np.flatnonzero(line.any(axis=0)).max(initial=40 + shift[0]))
        left = end + (10 if gap is TOUCHING else gap) + pen / 2 - start
        ink = drawn(strokes, left, 60 + shift[1], pen)
        while gap is TOUCHING and not (ink & line).any():
            left -= 1
            ink = drawn(strokes, left, 60 + shift[1], pen)
        line |= ink
        boxes.append(Box(*cv2.boundingRect(ink)))
    return line, boxes


def located(ink, outline=OUTLINE):
    characters = find_characters(ink)
    boxes = [character.box for character in characters]
    return Page(
        outline,
        tuple(Glyph(boxes[i], characters[i].ink, x, y, boxes[i]) for i, x, y in arrange(boxes)),
    )


def text_of(rows):
    return "".join(CLASSES[best] for best in rows.argmax(axis=1))


def read(ink, classifier):
    page = located(ink)
    rows = classifier.probabilities([glyph.ink for glyph in page.glyphs])
    return page, resegment(page, rows, classifier.probabilities)


def test_most_characters_that_touch_are_parted(classifier):
    words = ["RAKE", "HELP", "ZEBR", "SUN5", "JUMP", "MORE"]
    before, after, drawn = [], [], []
    for number, (word, pen) in enumerate(product(words, (2, 5))):
        ink, boxes = written(word, [0, TOUCHING, APART, TOUCHING], pen=pen, seed=number % 2)
        page, parted = read(ink, classifier)
        assert len(page.glyphs) == 2
        drawn += boxes
        for glyphs, found in ((page.glyphs, before), (parted.page.glyphs, after)):
            found += [box for box in boxes if any(overlap(g.box, box) > 0.7 for g in glyphs)]
            middles = [glyph.box.x + glyph.box.w / 2 for glyph in glyphs]
            assert middles == sorted(middles)
    assert len(before) < 0.2 * len(drawn)
    assert len(after) > 0.7 * len(drawn)


def test_a_pair_that_touches_reads_as_its_characters(classifier):
    for word in ("RAKE", "HELP", "ZEBR"):
        ink, _ = written(word, [0, TOUCHING, APART, TOUCHING], pen=2)
        _, parted = read(ink, classifier)
        assert text_of(parted.rows).upper() == word


@pytest.mark.parametrize("text", ["MWNHU", "KXQ4G", "mwnhu", "TZ0AR", "E8B5S"])
def test_what_is_one_character_stays_one(text, classifier):
    ink, _ = written(text, [0] + [APART] * (len(text) - 1), seed=3)
    page, same = read(ink, classifier)
    assert len(page.glyphs) == len(text)
    assert same.page.glyphs == page.glyphs


@pytest.mark.parametrize("character", "KDR")
def test_a_broken_character_is_joined(character, classifier):
    ink, boxes = written("S" + character, [0, 30], tear=11)
    page, joined = read(ink, classifier)
    assert len(page.glyphs) == 3
    assert [glyph.box for glyph in joined.page.glyphs] == boxes
    assert text_of(joined.rows).upper() == "S" + character


def test_a_stroke_that_stands_apart_is_joined_though_it_looks_like_a_character(classifier):
    """The I and V of a torn N are sure, but nearer than characters of the line are."""
    gaps = [0, 18, 18, 18, 18]
    for text, tear in (("SEN25", 11), ("SEB25", 11), ("SEK25", 9), ("SED25", 11)):
        ink, boxes = written(text, gaps, seed=0 if text[2] in "KD" else 3, tear=tear)
        page, joined = read(ink, classifier)
        assert len(page.glyphs) == 6
        assert [glyph.box for glyph in joined.page.glyphs] == boxes
        assert text_of(joined.rows).upper() == text


@pytest.mark.parametrize("text", ["S13IV", "S1NI3", "SIMIC", "S1MEV"])
def test_what_only_stands_as_near_as_others_of_its_line_is_not_joined(text, classifier):
    ink, boxes = written(text, [0, 8, 9, 7, 8])
    _, same = read(ink, classifier)
    assert [glyph.box for glyph in same.page.glyphs] == boxes


def test_a_wide_m_or_w_is_not_cut(classifier):
    ink, boxes = written("SEA", [0, 18, 18])
    for character, wide in (("W", 90), ("M", 90), ("m", 110)):
        strokes = [
            stroke * (wide, 60) for stroke in letter_strokes(character, np.random.default_rng(3))
        ]
        left = boxes[-1].x + boxes[-1].w + 18 - min(stroke[:, 0].min() for stroke in strokes)
        page, whole = read(ink | drawn(strokes, left, 60, 4), classifier)
        assert page.glyphs[-1].box.w > 1.4 * 60
        assert whole.page.glyphs == page.glyphs


def view(segmenter, classifier, text, gaps, frames, start=0):
    """Show a page that wanders to a segmenter; return the texts."""
    texts = []
    for frame in range(start, start + frames):
        shift = (frame % 30, frame % 20)
        ink, _ = written(text, gaps, pen=2, shift=shift)
        page = located(ink, OUTLINE + np.array(shift, np.float32))
        found = segmenter.segment(page, frame / 30)
        rows = classifier.probabilities([glyph.ink for glyph in found.page.glyphs])
        segmenter.notice(found.page.glyphs, rows)
        texts.append(text_of(rows))
    return texts


def test_a_page_in_view_is_segmented_once_and_stays_so(classifier):
    shown = []

    def network(inks):
        shown.append(len(inks))
        return classifier.probabilities(inks)

    gaps = [0, TOUCHING, APART, TOUCHING, APART, APART]
    texts = view(Segmenter(network, budget=8), classifier, "RAKED5", gaps, 30)
    assert set(texts[10:]) == {"RAKED5"}
    assert max(shown) <= 8
    assert sum(shown) < 60


def test_other_characters_at_a_place_are_looked_at_anew(classifier):
    segmenter = Segmenter(classifier.probabilities)
    view(segmenter, classifier, "RAKE", [0, TOUCHING, APART, TOUCHING], 15)
    texts = view(segmenter, classifier, "HELP", [0, TOUCHING, APART, TOUCHING], 15, start=15)
    assert texts[-1].upper() == "HELP"


def joined_writing():
    """A word written without a lift: loops, arches and links, none of them a character."""
    along = np.linspace(0, 1, 400)
    x = 40 + 500 * along + 14 * np.sin(44 * along) * (1 + np.sin(5 * along))
    y = 100 + 26 * np.cos(67 * along) * (0.6 + 0.4 * np.sin(9 * along))
    ink = np.zeros((200, 600), np.uint8)
    cv2.polylines(ink, [np.stack([x, y], axis=1).astype(np.int32)], False, 255, 4)
    return ink


def test_joined_writing_is_no_character_and_said_to_be_joined(classifier):
    page, found = read(joined_writing(), classifier)
    assert len(page.glyphs) == 1
    assert found.page.glyphs == ()
    assert found.cursive == (page.glyphs[0].box,)


def test_a_short_word_that_cannot_be_parted_is_said_to_be_joined(classifier):
    for seed in (0, 3):
        ink, boxes = written("SEAhand", [0, 18, 18, 18, -8, -8, -8], seed=seed)
        page, found = read(ink, classifier)
        assert len(page.glyphs) == 4
        assert [glyph.box for glyph in found.page.glyphs] == boxes[:3]
        assert found.cursive == (page.glyphs[-1].box,)


def test_gaps_within_a_character_are_no_characters(classifier):
    """Three bars of a broken E, far apart: between the cuts there is nothing."""
    ink = np.zeros((60, 150), np.uint8)
    for left in (0, 60, 120):
        ink[10:50, left : left + 30] = 255
    page = Page(None, (Glyph(Box(5, 5, 150, 60), ink, flat=Box(5, 5, 150, 60)),))
    unlikely = np.full((1, 62), 1 / 62, np.float32)
    for glyph in resegment(page, unlikely, classifier.probabilities).page.glyphs:
        assert glyph.ink.any()


def test_nothing_written_and_nothing_known(classifier):
    nothing = Page(None)
    assert (
        resegment(nothing, np.zeros((0, 62), np.float32), classifier.probabilities).page == nothing
    )
    page = Page(None, (Glyph(Box(5, 5, 30, 40), np.full((40, 30), 255, np.uint8)),))
    unknown = np.full((1, 62), np.nan, np.float32)
    assert resegment(page, unknown, classifier.probabilities).page is page
    assert Segmenter(classifier.probabilities).segment(page, 0.0).page is page
