"""One picture of one character: whatever it is drawn with, its ink is told from its ground."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from generator.letters import letter_strokes
from generator.sheet import SheetStyle, sheet_image
from hcr_live import Recognizer
from hcr_live.ink.render import render_strokes
from hcr_live.paper.crop import character_ink
from train.augment.camera import take

LETTERS = "ABEFGHKLMNPRSTWXYZ"


@pytest.fixture(scope="module")
def recognizer() -> Recognizer:
    return Recognizer("upper")


def drawn(letter: str, seed: int = 3):
    return render_strokes(letter_strokes(letter, np.random.default_rng(seed)), size=90)


@pytest.mark.parametrize("paper", ["black on white", "white on black", "28x28", "blue on yellow"])
def test_a_drawing_is_read(recognizer, paper):
    for letter in LETTERS:
        ink = cv2.copyMakeBorder(drawn(letter), 12, 12, 12, 12, cv2.BORDER_CONSTANT, value=0)
        picture = cv2.cvtColor(255 - ink, cv2.COLOR_GRAY2BGR)
        if paper == "white on black":
            picture = 255 - picture
        elif paper == "28x28":
            picture = cv2.resize(picture, (28, 28), interpolation=cv2.INTER_AREA)
        elif paper == "blue on yellow":
            share = (ink / 255.0)[..., None]
            picture = np.rint(share * (150, 60, 30) + (1 - share) * (120, 230, 240))
            picture = picture.astype(np.uint8)
        answer = recognizer.read_character(picture)
        assert answer.text == letter
        assert answer.confidence > 0.5


def test_a_photo_is_read_and_every_label_has_its_probability(recognizer):
    rng = np.random.default_rng(8)
    right = 0
    for letter in LETTERS:
        photo = take(drawn(letter), rng, 0.6)
        answer = recognizer.read_character(cv2.cvtColor(photo.image, cv2.COLOR_GRAY2BGR))
        assert list(answer.probabilities) == list("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
        assert sum(answer.probabilities.values()) == pytest.approx(1, abs=1e-5)
        assert answer.probabilities[answer.text] == max(answer.probabilities.values())
        right += answer.text == letter
    assert right >= len(LETTERS) - 1


def test_in_a_picture_of_a_sheet_its_letter_counts(recognizer):
    strokes = letter_strokes("K", np.random.default_rng(2))
    picture = sheet_image([[strokes]], seed=4, style=SheetStyle(background="wood", height=0.7))
    assert recognizer.read_character(picture.image).text == "K"


@pytest.mark.parametrize("level", [0, 90, 255])
@pytest.mark.parametrize("size", [(1, 1), (28, 28), (90, 700)])
def test_nothing_written_has_no_ink_and_no_answer(recognizer, level, size):
    picture = np.full((*size, 3), level, np.uint8)
    assert not character_ink(picture).any()
    answer = recognizer.read_character(picture)
    assert (answer.text, answer.confidence, dict(answer.probabilities)) == ("", 0.0, {})
