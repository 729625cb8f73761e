import subprocess
import sys

import numpy as np
import pytest

from hcr_live import HcrError
from hcr_live.language import dictionary as module
from hcr_live.language.dictionary import Dictionary, make_dictionary, open_dictionary


def texts(dictionary: Dictionary) -> set[str]:
    return {text for words in dictionary.of_length.values() for text in words.texts}


def spelt(dictionary: Dictionary, text: str) -> str:
    for words in dictionary.of_length.values():
        if text in words.texts:
            column = words.letters[:, words.texts.index(text)]
            return "".join(chr(ord("a") + letter) for letter in column)
    return ""


@pytest.fixture(scope="module")
def english() -> Dictionary:
    dictionary = open_dictionary("en")
    assert dictionary is not None
    return dictionary


def test_english_has_everyday_words(english):
    assert {"a", "i", "hello", "world", "handwriting", "don't"} <= texts(english)
    assert spelt(english, "hello") == "hello"
    assert spelt(english, "don't") == "dont"


def test_letters_and_frequencies_are_what_they_say(english):
    for length, words in english.of_length.items():
        assert words.letters.shape == (length, len(words.texts))
        assert words.letters.dtype == np.int8
        assert words.letters.min() >= 0
        assert words.letters.max() < 26
        assert (np.diff(words.log_frequencies) <= 0).all()
    shares = [np.exp(words.log_frequencies.astype(float)) for words in english.of_length.values()]
    assert np.concatenate(shares).sum() == pytest.approx(1, abs=1e-3)
    assert english.of_length[3].texts[0] == "the"


def test_only_the_data_of_the_package_is_read():
    code = (
        "import sys; from hcr_live.language.dictionary import open_dictionary\n"
        "open_dictionary('en'); sys.exit('symspellpy' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_missing_package_is_said(monkeypatch):
    monkeypatch.setattr(module, "find_spec", lambda name: None)
    with pytest.raises(HcrError, match="pip install symspellpy"):
        open_dictionary("en")


def test_off_is_no_dictionary():
    assert open_dictionary("off") is None


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("Anouk\nbjorn\n", {"anouk": 0.5, "bjorn": 0.5}),
        ("anouk 3\nbjorn\t1\n", {"anouk": 0.75, "bjorn": 0.25}),
        ("anouk,3\r\nbjorn, 1\r\n", {"anouk": 0.75, "bjorn": 0.25}),
        ("\ufeffanouk 3e-6\n\n  bjorn 1e-6", {"anouk": 0.75, "bjorn": 0.25}),
        ("Anouk 1\nanouk 2\nbjorn", {"anouk": 0.75, "bjorn": 0.25}),
        ("word,count\nanouk,2\n# a note\nnew york\nr2d2\nздесь\nodd -1\nlost nan", {"anouk": 1}),
    ],
)
def test_a_file_of_words(tmp_path, content, expected):
    path = tmp_path / "names.txt"
    path.write_text(content, encoding="utf-8")
    dictionary = open_dictionary(str(path))
    assert dictionary is not None
    shares = {
        text: float(np.exp(share))
        for words in dictionary.of_length.values()
        for text, share in zip(words.texts, words.log_frequencies, strict=True)
    }
    assert shares == pytest.approx(expected)
    assert len(dictionary) == len(expected)
    assert dictionary.name == "names.txt"


@pytest.mark.parametrize(
    ("text", "letters"),
    [("Müller", "muller"), ("Straße", "strasse"), ("vis-à-vis", "visavis"), ("O’Neill", "oneill")],
)
def test_accents_and_signs_are_shown_but_not_written(text, letters):
    assert spelt(make_dictionary("names", [(text, 1)]), text.lower()) == letters


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "holds no words"),
        (b"12 34\n5\n", "holds no words"),
        (b"\x89PNG\r\n\x1a\n\x00\x00", "UTF-8"),
        ("anouk\n".encode("utf-16"), "UTF-8"),
        (b"\x00\x00\x00\x20ftypisom\x00\x00\x02\x00", "no text"),
    ],
)
def test_what_is_no_dictionary_is_said(tmp_path, content, message):
    path = tmp_path / "words.txt"
    path.write_bytes(content)
    with pytest.raises(HcrError, match=message) as error:
        open_dictionary(str(path))
    assert str(path) in str(error.value)


def test_a_missing_file_is_said(tmp_path):
    with pytest.raises(HcrError, match="no dictionary 'fr': choose en, off"):
        open_dictionary("fr")
    with pytest.raises(HcrError, match="can't be read"):
        open_dictionary(str(tmp_path))
