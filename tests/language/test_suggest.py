import numpy as np
import pytest

from generator.letters import letter_strokes
from hcr_live import HcrError, Recognizer
from hcr_live.alphabet import get_alphabet
from hcr_live.ink.render import render_strokes
from hcr_live.language.dictionary import Dictionary, english, make_dictionary
from hcr_live.language.suggest import literal, suggestions
from train.augment.air import vary

CLEAR = 0.995


@pytest.fixture(scope="module")
def words() -> Dictionary:
    return english()


def read(*characters: str | dict[str, float], sure: float = CLEAR) -> np.ndarray:
    """Rows of a network: "a" is a clear one, {"c": 0.6, "e": 0.3} one between two letters."""
    rows = []
    for character in characters:
        given = {character: sure} if isinstance(character, str) else character
        row = np.full(26, (1 - sum(given.values())) / 26)
        for letter, probability in given.items():
            row[ord(letter) - ord("a")] += probability
        rows.append(row)
    return np.array(rows).reshape(-1, 26)


def texts(probabilities: np.ndarray, dictionary: Dictionary, most: int = 3) -> list[str]:
    return [word.text for word in suggestions(probabilities, dictionary, most)]


def test_a_word_that_is_read_right_comes_first(words):
    for word in ("hello", "world", "thy", "onto", "handwriting"):
        assert texts(read(*word), words)[0] == word


def test_letters_that_are_not_the_best_candidate_count(words):
    doubtful = read("h", {"c": 0.5, "f": 0.3, "e": 0.15}, "l", "l", {"d": 0.6, "o": 0.35})
    assert literal(doubtful).text == "hclld"
    assert texts(doubtful, words)[0] == "hello"


def test_the_frequent_word_wins_where_the_ink_does_not_say(words):
    assert texts(read("t", "h", {"e": 0.4, "y": 0.4}), words)[:2] == ["the", "thy"]


def test_a_frequent_word_does_not_beat_clear_ink(words):
    for rare in ("thy", "wan", "bur"):
        assert texts(read(*rare), words)[0] == rare


def test_a_letter_cut_in_two_is_found(words):
    cut = read("w", "o", {"i": 0.6, "r": 0.2}, {"c": 0.5, "v": 0.3}, "l", "d")
    assert texts(cut, words)[0] == "world"


def test_a_lost_letter_is_found(words):
    assert "hello" in texts(read(*"hllo"), words)
    assert texts(read(*"peple"), words)[0] == "people"


def test_a_begun_word_is_completed_below_the_whole_ones(words):
    found = texts(read(*"hell"), words)
    assert found[0] == "hell"
    assert len(found[-1]) > len("hell")
    assert found[-1].startswith("hell")
    assert texts(read(*"handwrit"), words)[0] == "handwriting"


def test_signs_that_nobody_writes_in_the_air_are_put_in(words):
    assert texts(read(*"dont"), words)[0] == "don't"


def test_a_name_stays_what_was_read(words):
    for name in ("svenja", "priya", "zoltan"):
        probabilities = read(*name)
        assert literal(probabilities).text == name
        assert name not in texts(probabilities, words)
        found = suggestions(probabilities, words)
        assert all(word.score < literal(probabilities).score for word in found)
    assert texts(read(*"zoltan"), make_dictionary("names", [("Zoltan", 1)])) == ["zoltan"]


def test_a_word_scores_above_the_letters_it_is_made_of(words):
    doubtful = read("h", {"c": 0.5, "e": 0.4}, "l", "l", "o")
    assert suggestions(doubtful, words)[0].score > literal(doubtful).score


def test_what_is_no_word_at_all_gets_no_suggestion(words):
    assert suggestions(read(*"qxzzqj"), words) == ()


def best_alignment(logarithms: np.ndarray, word: str) -> float:
    """The best sum over all ways to leave out what is too many: slow, and plainly right."""
    letters = [ord(letter) - ord("a") for letter in word]
    longer = max(len(letters), len(logarithms))
    ways = []
    for left_out in range(longer):
        rows, kept = list(logarithms), list(letters)
        if len(rows) > len(letters):
            del rows[left_out]
        elif len(rows) < len(letters):
            del kept[left_out]
        ways.append(sum(row[letter] for row, letter in zip(rows, kept, strict=True)))
    return max(ways)


@pytest.mark.parametrize("count", [3, 4, 5, 8])
def test_the_search_misses_nothing(count):
    rng = np.random.default_rng(count)
    lengths = [count - 1, count, count + 1] * 5
    alike = sorted({"".join(rng.choice(list("abc"), length)) for length in lengths})
    dictionary = make_dictionary("alike", [(word, 1) for word in alike])
    probabilities = rng.dirichlet(np.full(26, 0.3), count)
    probabilities[:, :3] += 0.5
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    logarithms = np.log(probabilities)
    found = suggestions(probabilities, dictionary, most=1)
    same = [word for word in alike if len(word) == len(found[0].text)]
    assert found[0].text == max(same, key=lambda word: best_alignment(logarithms, word))


def test_no_more_than_asked_no_word_twice(words):
    probabilities = read({"t": 0.5, "l": 0.4}, {"h": 0.4, "n": 0.4}, {"e": 0.4, "c": 0.3})
    for most in range(6):
        found = texts(probabilities, words, most)
        assert len(found) <= most
        assert len(set(found)) == len(found)
    assert texts(probabilities, words, 1) == texts(probabilities, words, 3)[:1]


def test_nothing_written_nothing_suggested(words):
    assert suggestions(np.zeros((0, 26)), words) == ()
    assert literal(np.zeros((0, 26))).text == ""
    assert suggestions(read(*"hello"), make_dictionary("empty", [])) == ()
    assert suggestions(read(*("abcdefgh" * 5)), words) == ()


@pytest.mark.parametrize("wrong", [np.zeros((3, 62)), np.zeros(26), np.full((2, 26), np.nan)])
def test_other_shapes_are_refused(words, wrong):
    with pytest.raises(HcrError, match=r"\(n, 26\)"):
        suggestions(wrong, words)


def test_words_drawn_in_the_air_are_mended(words):
    """The network's own answers to letters as a fingertip draws them, some of them wrong."""
    rng = np.random.default_rng(7)
    written = ("water", "family", "north", "between", "music", "value", "kitchen", "about", "river")
    inks = [
        render_strokes(vary(tuple(letter_strokes(letter, rng)), rng))
        for letter in "".join(written).upper()
    ]
    rows = get_alphabet("letters").project(Recognizer().classify(inks))
    ends = np.cumsum([len(word) for word in written])
    found = [texts(part, words) for part in np.split(rows, ends[:-1])]
    assert all(word in some for word, some in zip(written, found, strict=True))
    assert sum(word == some[0] for word, some in zip(written, found, strict=True)) >= 8
