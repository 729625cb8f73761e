from __future__ import annotations

import numpy as np
import pytest

from generator.letters import letter_strokes
from generator.sheet import SheetStyle, sheet_image
from hcr_live import Recognizer
from hcr_live.alphabet import CLASSES, get_alphabet
from hcr_live.classifier import Classifier
from hcr_live.frame import Box
from hcr_live.ink.render import render_strokes
from hcr_live.paper.context import in_context

CAPITAL = 60


@pytest.fixture(scope="module")
def network():
    return Classifier()


def written(text, rng, *, rise=0.0, wave=0.0, sizes=(1.0, 1.0, 1.0)):
    """Return strokes, boxes, lines and words of a text, each character as large as it is."""
    characters, boxes, lines, words = [], [], [], []
    for number, line in enumerate(text.split("\n")):
        size, x = CAPITAL * sizes[number], 100.0
        for word, part in enumerate(line.split(" ")):
            for character in part:
                strokes = letter_strokes(character, rng)
                points = np.concatenate(strokes)
                low, extent = points.min(axis=0), np.ptp(points, axis=0)
                y = 100 + 2 * CAPITAL * number + rise * x + wave * np.sin(x / 150)
                place = (x, y + low[1] * size, extent[0] * size + 3, extent[1] * size + 3)
                boxes.append(Box(*(round(v) for v in place)))
                characters.append(strokes)
                lines.append(number)
                words.append(word)
                x += extent[0] * size + 0.3 * size
            x += 0.6 * size
    return characters, boxes, lines, words


def read(network, text, alphabet="all", seed=1, **style):
    characters, boxes, lines, words = written(text, np.random.default_rng(seed), **style)
    rows = network.probabilities([render_strokes(strokes) for strokes in characters])
    alphabet = get_alphabet(alphabet)
    answers = alphabet.project(in_context(rows, boxes, lines, words, alphabet))
    letters = iter(alphabet.labels[best] for best in answers.argmax(axis=1))
    return "".join(c if c.isspace() else next(letters) for c in text)


def rows_of(*mixtures):
    rows = np.full((len(mixtures), len(CLASSES)), 1e-4, np.float32)
    for row, mixture in zip(rows, mixtures, strict=True):
        for name, probability in mixture.items():
            row[CLASSES.index(name)] = probability
    return rows / rows.sum(axis=1, keepdims=True)


@pytest.mark.parametrize(
    "text",
    [
        "Cows have vows",
        "box of wax\nSaxon voices",
        "ZOO VOX\nSIX COWS",
        "Oslo 2010\nroom 505",
        "WC\nSouth\nsix rooms",
        "Paul pops up\nPOPE PUPPY",
    ],
)
def test_case_and_kind_come_from_size_and_neighbours(network, text):
    assert read(network, text) == text


@pytest.mark.parametrize("style", [{"rise": 0.15}, {"rise": -0.15}, {"wave": 12.0}])
def test_lines_may_rise_fall_and_wave(network, style):
    assert read(network, "Paul copies pop up Vases", **style) == "Paul copies pop up Vases"


@pytest.mark.parametrize(
    "style",
    [SheetStyle(writing=0.09), SheetStyle(writing=0.09, slope=-5, curve=0.8, tilt=8)],
    ids=["straight", "bent"],
)
def test_a_sheet_is_read_with_its_cases_spaces_and_lines(style):
    rng = np.random.default_rng(2)
    text = "Six cows see\nParis in 2005\nWC ON DECK"
    drawn = [[None if c == " " else letter_strokes(c, rng) for c in s] for s in text.split("\n")]
    picture = sheet_image(drawn, seed=4, style=style).image
    assert Recognizer("all").read(picture).text == text


def test_each_line_has_its_own_size(network):
    text = "BOX\nsix cows ran so soon\nWe cook bread"
    assert read(network, text, sizes=(2.0, 1.0, 1.3)) == text


def test_a_code_stays_what_the_network_sees(network):
    assert read(network, "A7K3 H4N9 R2D6", "alnum") == "A7K3 H4N9 R2D6"


RING = {"0": 0.3, "O": 0.35, "o": 0.33}
STICK = {"I": 0.5, "l": 0.27, "1": 0.2}


def answer(rows, boxes, words, alphabet="alnum"):
    alphabet = get_alphabet(alphabet)
    answers = in_context(rows, boxes, [0] * len(boxes), words, alphabet)
    return "".join(alphabet.labels[best] for best in alphabet.project(answers).argmax(axis=1))


def code_with(doubtful, width, others="A7K3H4N9R2D6"):
    """Return what two equal doubtful characters within codes of sure ones are read as."""
    sure = [{name: 0.97} for name in others]
    rows = rows_of(*sure[:6], doubtful, *sure[6:], doubtful)
    boxes = [Box(60 * i, 40, 40, 60) for i in range(len(rows))]
    boxes[6], boxes[-1] = Box(360, 40, width, 60), Box(60 * len(rows), 40, width, 60)
    text = answer(rows, boxes, [i // 4 for i in range(len(rows))])
    return text[6] + text[-1]


def test_in_codes_a_narrow_ring_is_a_zero_and_a_wide_one_a_letter():
    assert code_with(RING, width=40) == "00"
    assert code_with(RING, width=62) == "OO"


def test_a_bare_stick_is_what_the_writer_draws_in_no_other_way():
    assert code_with(STICK, width=8, others="A7I3H4N9I2D6") == "11"
    assert code_with(STICK, width=8, others="A713H4N912D6") == "II"


@pytest.mark.parametrize(
    ("others", "expected"), [("2758493", "0"), ("KREHDNB", "O"), ("sehandr", "o")]
)
def test_the_page_s_other_words_tell_what_a_ring_alone_is(others, expected):
    rows = rows_of(*({name: 0.97} for name in others), RING)
    boxes = [Box(60 * i, 40, 50, 60) for i in range(8)]
    assert answer(rows, boxes, [0, 0, 0, 1, 1, 2, 2, 3], "all")[-1] == expected


def test_a_sure_answer_is_never_overturned():
    # A capital and a digit amid small letters, as small as they are.
    names = "seaRn3h"
    rows = rows_of(*({name: 0.98, "e": 0.01, "r": 0.01} for name in names))
    boxes = [Box(40 * i, 100 - h, 30, h) for i, h in enumerate([30, 30, 30, 30, 30, 30, 58])]
    answers = in_context(rows, boxes, [0] * 7, [0] * 7, get_alphabet("all"))
    assert "".join(CLASSES[best] for best in answers.argmax(axis=1)) == names


def test_characters_of_one_height_whatever_they_are_say_nothing_by_it():
    rows = rows_of(*({name: 0.97} for name in "senam"), {"o": 0.5, "O": 0.3, "0": 0.2})
    boxes = [Box(60 * i, 40, 50, 60) for i in range(6)]
    answers = in_context(rows, boxes, [0] * 6, [0] * 6, get_alphabet("all"))
    assert CLASSES[answers[-1].argmax()] == "o"


def test_nothing_is_read_that_the_alphabet_lacks():
    rows = rows_of({"0": 0.9, "O": 0.05}, {"1": 0.5, "I": 0.3, "l": 0.2}, {"K": 0.6, "k": 0.4})
    boxes = [Box(0, 0, 40, 60), Box(50, 0, 10, 60), Box(80, 0, 40, 60)]
    for name in ("letters", "upper", "digits"):
        alphabet = get_alphabet(name)
        answers = in_context(rows, boxes, [0, 0, 0], [0, 0, 0], alphabet)
        assert answers.sum(axis=1) == pytest.approx(1)
        assert not answers[:, ~alphabet.folding.any(axis=1)].any()


def test_a_character_alone_keeps_its_probabilities():
    rows = rows_of({"o": 0.5, "O": 0.3, "0": 0.2})
    alone = in_context(rows, [Box(5, 5, 40, 60)], [0], [0], get_alphabet("all"))
    assert alone == pytest.approx(rows, abs=1e-6)
    nothing = in_context(np.zeros((0, 62), np.float32), [], [], [], get_alphabet("all"))
    assert nothing.shape == (0, 62)
