import numpy as np
import pytest

from hcr_live.errors import HcrError
from hcr_live.language.suggester import Suggester


def rows(word, sure=0.7):
    letters = np.full((len(word), 26), (1 - sure) / 25, np.float32)
    for row, letter in zip(letters, word, strict=True):
        row[ord(letter) - 97] = sure
    return letters


def test_english_is_loaded_when_it_is_needed():
    suggester = Suggester("en")
    assert "hello" in suggester(rows("hellq"))
    assert len(suggester(rows("hel"))) <= 3


def test_off_and_a_file(tmp_path):
    assert Suggester("off")(rows("hello")) == ()
    path = tmp_path / "words.txt"
    path.write_text("zork\nplugh\n")
    assert Suggester(str(path))(rows("zorc"))[0] == "zork"
    with pytest.raises(HcrError, match=r"no\.txt"):
        Suggester(str(tmp_path / "no.txt"))
