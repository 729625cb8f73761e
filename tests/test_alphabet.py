import numpy as np
import pytest

from hcr_live import HcrError
from hcr_live.alphabet import ALPHABETS, CLASSES, get_alphabet


@pytest.mark.parametrize(
    ("name", "count"),
    [("letters", 26), ("upper", 26), ("lower", 26), ("digits", 10), ("alnum", 36), ("all", 62)],
)
def test_probabilities_stay_probabilities(name, count):
    rows = np.random.default_rng(1).dirichlet(np.ones(62), 20).astype(np.float32)
    projected = get_alphabet(name).project(rows)
    assert projected.shape == (20, count)
    np.testing.assert_allclose(projected.sum(axis=1), 1, atol=1e-5)


def test_folding_adds_both_cases():
    row = np.zeros((1, 62), np.float32)
    row[0, [CLASSES.index("A"), CLASSES.index("a"), CLASSES.index("B")]] = 0.3, 0.3, 0.4
    for name in ("letters", "alnum"):
        alphabet = get_alphabet(name)
        prediction = alphabet.predict(alphabet.project(row)[0])
        assert prediction.text == "A"
        assert prediction.confidence == pytest.approx(0.6)
    assert get_alphabet("all").predict(get_alphabet("all").project(row)[0]).text == "B"


def test_a_mask_hides_the_other_classes():
    row = np.full((1, 62), 0.001, np.float32)
    row[0, CLASSES.index("O")], row[0, CLASSES.index("0")] = 0.8, 0.14
    digits = get_alphabet("digits")
    assert digits.predict(digits.project(row)[0]).text == "0"


def test_nothing_known_is_uniform():
    row = np.zeros((1, 62), np.float32)
    row[0, CLASSES.index("7")] = 1
    letters = get_alphabet("letters")
    np.testing.assert_allclose(letters.project(row), 1 / 26, atol=1e-6)


def test_candidates_are_the_best_three():
    prediction = get_alphabet("all").predict(np.linspace(0, 1, 62, dtype=np.float32))
    assert [text for text, _ in prediction.candidates] == ["z", "y", "x"]
    assert prediction.candidates[0] == (prediction.text, prediction.confidence)


def test_an_unknown_name_says_which_there_are():
    with pytest.raises(HcrError, match="letters, upper, lower"):
        get_alphabet("greek")
    assert set(ALPHABETS) == {"letters", "upper", "lower", "digits", "alnum", "all"}
