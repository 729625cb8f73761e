"""The library, as a program uses it."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from generator.letters import letter_strokes
from generator.sheet import SheetStyle, sheet_image
from hcr_live import HcrError, Prediction, Reading, Recognizer
from hcr_live.alphabet import CLASSES
from hcr_live.frame import Box
from hcr_live.ink.render import render_strokes

STYLE = SheetStyle(background="wood", height=0.8)


@pytest.fixture(scope="module")
def recognizer() -> Recognizer:
    return Recognizer()


@pytest.fixture(scope="module")
def sheet() -> NDArray[np.uint8]:
    rng = np.random.default_rng(7)
    lines = [[letter_strokes(c, rng) for c in word] for word in ("HAND", "MARK")]
    return sheet_image(lines, seed=7, style=STYLE).image


def as_grey(image):
    return image.mean(axis=2).astype(np.uint8)


def test_only_a_region_is_read(recognizer, sheet):
    whole = recognizer.read(sheet)
    assert whole.lines == ("HAND", "MARK")
    boxes = np.array([character.box for character in whole.characters[4:]])
    x, y = boxes[:, :2].min(axis=0) - 10
    right, bottom = (boxes[:, :2] + boxes[:, 2:]).max(axis=0)
    region = Box(int(x), int(y), int(right - x) + 10, int(bottom - y) + 10)
    assert recognizer.read(sheet, region).text == "MARK"
    with pytest.raises(HcrError, match="outside of the picture"):
        recognizer.read(sheet, Box(sheet.shape[1] - 4, 0, 400, 400))


@pytest.mark.parametrize(
    "kind",
    [
        lambda image: image,
        as_grey,
        lambda image: as_grey(image).astype(np.uint16) * 257,
        lambda image: np.dstack([image, np.full(image.shape[:2], 255, np.uint8)]),
        lambda image: np.ascontiguousarray(image[::-1])[::-1],
    ],
    ids=["BGR", "grey", "16 bits", "BGRA", "strided"],
)
def test_a_sheet_of_any_kind_of_picture_is_read(recognizer, sheet, kind):
    reading = recognizer.read(kind(sheet))
    assert reading.text == "HAND\nMARK"
    assert reading.lines == ("HAND", "MARK")
    assert [c.text for c in reading.characters] == list("HANDMARK")
    height, width = sheet.shape[:2]
    for character in reading.characters:
        x, y, w, h = character.box
        assert 0 <= x < x + w <= width
        assert 0 <= y < y + h <= height
        assert character.candidates[0] == (character.text, character.confidence)
        assert 0.5 <= character.confidence <= 1


@pytest.mark.parametrize("shape", [(1, 1, 3), (1, 1), (2, 300, 3), (500, 400, 3), (30, 30, 4)])
@pytest.mark.parametrize("value", [0, 255])
def test_an_empty_picture_has_no_text(recognizer, shape, value):
    assert recognizer.read(np.full(shape, value, np.uint8)) == Reading("", (), ())


@pytest.mark.parametrize(
    "image", [None, "sheet.png", np.zeros((0, 5, 3), np.uint8), np.zeros(5), np.zeros((2, 2, 7))]
)
def test_what_is_no_picture_is_refused(recognizer, image):
    with pytest.raises(HcrError):
        recognizer.read(image)


@pytest.mark.parametrize("character", "ADEGKMRSWXZ")
@pytest.mark.parametrize("unit", [0.01, 1.0, 4000.0])
def test_strokes_of_any_unit_are_read(recognizer, character, unit):
    strokes = [stroke * unit + 17 for stroke in letter_strokes(character)]
    prediction = recognizer.read_strokes(strokes)
    assert prediction.text == character
    assert len(prediction.candidates) == 3


def test_no_strokes_have_no_text(recognizer):
    assert recognizer.read_strokes([]) == Prediction("", 0.0)
    assert recognizer.read_strokes([np.empty((0, 2))]) == Prediction("", 0.0)


@pytest.mark.parametrize(
    "strokes",
    [
        None,
        [None],
        [[1, 2, 3]],
        [[[0, 0], [np.nan, 1]]],
        [[[0, 0], [np.inf, 1]]],
        [[[-1.7e308, 0], [1.7e308, 1]]],
        ["AB"],
    ],
)
def test_what_are_no_strokes_is_refused(recognizer, strokes):
    with pytest.raises(HcrError):
        recognizer.read_strokes(strokes)


def test_a_dot_and_a_tiny_stroke_are_strokes(recognizer):
    assert recognizer.read_strokes([[(3, 3)]]).text
    assert recognizer.read_strokes([[(0, 5e-324), (5e-324, 0)]]).text


def test_classify_gives_every_class_for_any_size(recognizer):
    inks = [render_strokes(letter_strokes("E"), size) for size in (20, 90, 700)]
    rows = recognizer.classify(inks)
    assert rows.shape == (3, 62)
    assert rows.dtype == np.float32
    np.testing.assert_allclose(rows.sum(axis=1), 1, atol=1e-4)
    assert [CLASSES[i] for i in rows.argmax(axis=1)] == ["E"] * 3
    assert recognizer.classify([]).shape == (0, 62)
    np.testing.assert_allclose(recognizer.classify([np.zeros((5, 5), np.uint8)]), 1 / 62)


@pytest.mark.parametrize("inks", [None, [np.zeros((3, 3))], [np.zeros((3, 3, 3), np.uint8)], [3]])
def test_what_is_no_ink_is_refused(recognizer, inks):
    with pytest.raises(HcrError):
        recognizer.classify(inks)


@pytest.mark.parametrize(
    ("alphabet", "character"), [("digits", "7"), ("upper", "K"), ("lower", "g"), ("all", "R")]
)
def test_an_alphabet_limits_the_answer(alphabet, character):
    prediction = Recognizer(alphabet).read_strokes(letter_strokes(character))
    assert prediction.text == character


@pytest.mark.parametrize("confidence", [-0.1, 1.5, float("nan")])
def test_a_confidence_is_a_probability(confidence):
    with pytest.raises(HcrError, match="min_confidence"):
        Recognizer(min_confidence=confidence)


def test_an_unknown_alphabet_or_model_is_refused(tmp_path):
    with pytest.raises(HcrError, match="greek"):
        Recognizer("greek")
    with pytest.raises(HcrError, match=r"none\.tflite"):
        Recognizer(model=tmp_path / "none.tflite")


@pytest.mark.parametrize("pitch", [1, 2])
def test_a_fine_check_is_no_writing(recognizer, pitch):
    y, x = np.mgrid[:800, :1200] // pitch
    assert recognizer.read(((x + y) % 2 * 255).astype(np.uint8)).text == ""
