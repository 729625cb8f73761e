import importlib.util
import shutil
from pathlib import Path

import pytest

from hcr_live.alphabet import CLASSES
from train.data import load_fonts, source_of

FONT = (
    Path(importlib.util.find_spec("matplotlib").origin).parent / "mpl-data/fonts/ttf/DejaVuSans.ttf"
)


@pytest.fixture
def small_capitals(tmp_path):
    """A font whose small letters are drawn as capitals."""
    from fontTools.ttLib import TTFont

    font = TTFont(FONT)
    for table in font["cmap"].tables:
        for letter in "abcdefghijklmnopqrstuvwxyz":
            if ord(letter) in table.cmap:
                table.cmap[ord(letter)] = table.cmap[ord(letter.upper())]
    path = tmp_path / "small-capitals.ttf"
    font.save(path)
    return path


def test_every_font_is_a_set_of_its_own(tmp_path):
    folder = tmp_path / "fonts"
    folder.mkdir()
    for name in ("one.ttf", "two.ttf"):
        shutil.copy(FONT, folder / name)
    (folder / "LICENSE.txt").write_text("OFL")
    one, two = load_fonts(folder)
    assert (one.name, two.name) == ("font:one", "font:two")
    assert one.labels.tolist() == list(range(len(CLASSES)))
    assert len(one.split("train")) == 62
    assert all(ink.any() and ink.dtype.name == "uint8" for ink in one.contents)
    assert source_of(one.name).licence.startswith("SIL Open Font License")


def test_small_letters_that_are_capitals_are_left_out(small_capitals):
    (one,) = load_fonts(small_capitals.parent)
    assert "".join(CLASSES[label] for label in one.labels) == CLASSES[:36]
