import shutil
import subprocess
import sys

import numpy as np
import pytest

from generator.letters import letter_strokes
from hcr_live.alphabet import CLASSES, get_alphabet
from hcr_live.classifier import MODEL, Classifier, together
from hcr_live.errors import HcrError
from hcr_live.ink.render import render_strokes
from hcr_live.resources import model_path
from train.augment import air


@pytest.fixture(scope="module")
def classifier():
    return Classifier()


def read(classifier, inks, alphabet="letters"):
    asked = get_alphabet(alphabet)
    return [asked.predict(row) for row in asked.project(classifier.probabilities(inks))]


def test_our_own_capitals_are_read(classifier):
    rng = np.random.default_rng(3)
    letters = [chr(65 + i % 26) for i in range(26 * 4)]
    inks = [render_strokes(letter_strokes(letter, rng)) for letter in letters]
    answers = read(classifier, inks)
    sure = [
        answer.text == letter and answer.confidence >= 0.5
        for answer, letter in zip(answers, letters, strict=True)
    ]
    assert np.mean(sure) >= 0.93


def test_letters_of_the_air_are_read_better_by_the_way_of_the_pen_as_well(classifier):
    """The ways between the strokes are ink: an image alone does not tell them apart."""
    rng = np.random.default_rng(4)
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ" * 6
    lines = [air.vary(tuple(letter_strokes(one, rng)), rng) for one in letters]
    alphabet = get_alphabet("letters")

    def right(rows):
        answers = [alphabet.predict(row).text for row in alphabet.project(rows)]
        return np.mean([one == other for one, other in zip(answers, letters, strict=True)])

    by_ink = right(classifier.probabilities([render_strokes(line) for line in lines]))
    by_both = right(classifier.stroke_probabilities(lines))
    assert by_both >= 0.9
    assert by_both > by_ink


def test_strokes_give_probabilities_also_where_there_is_no_line(classifier):
    rows = classifier.stroke_probabilities([letter_strokes("A"), [[(2, 2)]], []])
    assert rows.shape == (3, len(CLASSES))
    assert rows.dtype == np.float32
    np.testing.assert_allclose(rows.sum(axis=1), 1, atol=1e-4)
    assert classifier.stroke_probabilities([]).shape == (0, len(CLASSES))
    alone = [classifier.stroke_probabilities([letter_strokes(one)])[0] for one in "AB"]
    many = classifier.stroke_probabilities([letter_strokes(one) for one in "AB"])
    np.testing.assert_allclose(many, alone, atol=1e-5)


def test_what_both_networks_say_counts_more_than_what_one_does():
    rows = np.full((2, len(CLASSES)), 0.1 / 60, np.float32)
    rows[0, [10, 11]] = 0.6, 0.3
    rows[1, [10, 12]] = 0.5, 0.4
    both = together(rows[:1], rows[1:])[0]
    assert both.argmax() == 10
    assert both[10] > 0.6
    assert both.sum() == pytest.approx(1, abs=1e-5)
    alike = rows / rows.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(together(rows, rows), alike, rtol=1e-4)


def test_a_network_of_paths_that_is_missing_is_said(tmp_path):
    classifier = Classifier(paths=tmp_path / "none.tflite")
    with pytest.raises(HcrError, match=r"none\.tflite"):
        classifier.stroke_probabilities([letter_strokes("A")])


def test_our_own_digits_are_read(classifier):
    digits = "0123456789"
    inks = [render_strokes(letter_strokes(digit)) for digit in digits]
    assert "".join(answer.text for answer in read(classifier, inks, "digits")) == digits


@pytest.mark.parametrize("letter", "ABEGHKMNRSTWZ")
def test_size_place_and_pen_do_not_change_the_answer(classifier, letter):
    strokes = letter_strokes(letter)
    inks = [render_strokes(strokes, size, pen) for size in (40, 400) for pen in (0.03, 0.12)]
    inks.append(np.pad(inks[0], ((90, 10), (5, 200))))
    inks.append(np.where(inks[1] > 127, 255, 0).astype(np.uint8))
    assert {answer.text for answer in read(classifier, inks)} == {letter}


def test_shape_sums_and_order(classifier):
    inks = [render_strokes(letter_strokes(letter)) for letter in "AKR"]
    together = classifier.probabilities(inks)
    assert together.shape == (3, len(CLASSES))
    assert together.dtype == np.float32
    np.testing.assert_allclose(together.sum(axis=1), 1, atol=1e-4)
    for ink, row in zip(inks, together, strict=True):
        np.testing.assert_allclose(classifier.probabilities([ink])[0], row, atol=1e-6)


def test_no_ink_at_all(classifier):
    assert classifier.probabilities([]).shape == (0, len(CLASSES))


def test_blank_ink_is_uniform(classifier):
    row = classifier.probabilities([np.zeros((40, 30), np.uint8)])[0]
    np.testing.assert_allclose(row, 1 / len(CLASSES))


@pytest.mark.parametrize("shape", [(1, 1), (1, 50), (2000, 3)])
def test_odd_sizes_are_answered(classifier, shape):
    row = classifier.probabilities([np.full(shape, 255, np.uint8)])[0]
    assert row.sum() == pytest.approx(1, abs=1e-4)


def test_what_is_no_character_is_unsure(classifier):
    rng = np.random.default_rng(5)
    scribbles = [render_strokes([rng.random((25, 2))]) for _ in range(20)]
    word = np.hstack([render_strokes(letter_strokes(letter)) for letter in "WORDS"])
    answers = read(classifier, [*scribbles, word])
    assert np.mean([answer.confidence < 0.5 for answer in answers]) >= 0.9


def test_wrong_ink_is_refused(classifier):
    with pytest.raises(HcrError, match="Ink must"):
        classifier.probabilities([np.zeros((5, 5), np.float32)])


def test_name_is_the_files(classifier):
    assert classifier.name == MODEL.removesuffix(".tflite")


def test_absent_model(tmp_path):
    with pytest.raises(HcrError, match=r"Cannot read .*none\.tflite"):
        Classifier(tmp_path / "none.tflite")
    with pytest.raises(HcrError, match="Cannot read"):
        Classifier(tmp_path)


@pytest.mark.parametrize("kept", [0, 3, 40, 5000, -1])
def test_damaged_model_without_card(tmp_path, kept):
    content = model_path(MODEL).read_bytes()
    damaged = tmp_path / "damaged.tflite"
    damaged.write_bytes(content[:kept] if kept >= 0 else b"\xa5" * len(content))
    with pytest.raises(HcrError, match="damaged"):
        Classifier(damaged)


def test_one_flipped_bit_is_found_by_the_card(tmp_path):
    path = model_path(MODEL)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    (tmp_path / MODEL).write_bytes(content)
    shutil.copy(path.with_suffix(".json"), tmp_path)
    with pytest.raises(HcrError, match="damaged"):
        Classifier(tmp_path / MODEL)


def test_damaged_card(tmp_path):
    shutil.copy(model_path(MODEL), tmp_path)
    (tmp_path / MODEL).with_suffix(".json").write_text("{")
    with pytest.raises(HcrError, match="card"):
        Classifier(tmp_path / MODEL)


def test_tensorflow_is_not_imported_and_the_terminal_stays_clean():
    code = (
        "import sys, numpy as np; from hcr_live.classifier import Classifier;"
        "Classifier().probabilities([np.full((9, 9), 255, np.uint8)]);"
        "assert 'tensorflow' not in sys.modules and 'keras' not in sys.modules"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
