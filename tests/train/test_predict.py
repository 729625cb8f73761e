import cv2
import numpy as np
import pytest

from generator.letters import letter_strokes
from hcr_live.errors import HcrError
from hcr_live.ink.render import render_strokes
from train.__main__ import main
from train.predict import picture, predict


def written(letter, height, width, at, size):
    ink = render_strokes(letter_strokes(letter), size=size)
    image = np.zeros((height, width), np.uint8)
    image[at[0] : at[0] + ink.shape[0], at[1] : at[1] + ink.shape[1]] = ink
    return image


@pytest.fixture
def scan(tmp_path):
    path = tmp_path / "scan.png"
    cv2.imwrite(str(path), 255 - written("K", 700, 500, (200, 150), 200))
    return path


@pytest.fixture(autouse=True)
def _no_display(monkeypatch):
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.setattr("sys.platform", "linux")


def test_a_scan(scan):
    image, character, count = predict(scan)
    assert image.shape == (700, 500, 3)
    assert (character.text, count) == ("K", 1)
    assert 130 < character.box.x < 170


def test_a_small_crop_white_on_black(tmp_path):
    path = tmp_path / "crop.png"
    cv2.imwrite(str(path), written("Z", 28, 28, (3, 3), 16))
    image, character, _ = predict(path)
    assert character.text == "Z"
    shown = picture(image, character)
    assert max(shown.shape[:2]) > 400
    assert (shown[-40:] > 200).any()  # the answer is written below


def test_the_largest_of_several(tmp_path):
    both = 255 - np.hstack(
        [written("A", 500, 300, (100, 60), 150), written("X", 500, 400, (100, 60), 250)]
    )
    path = tmp_path / "two.png"
    cv2.imwrite(str(path), both)
    _, character, count = predict(path)
    assert (character.text, count) == ("X", 2)


def test_the_command_says_and_saves(scan, tmp_path, capsys):
    out = tmp_path / "answer.png"
    assert main(["predict", str(scan), "--out", str(out)]) == 0
    said = capsys.readouterr().out
    assert "Prediction: K" in said
    assert "Best three: K" in said
    assert cv2.imread(str(out)).shape[0] > 700


@pytest.mark.parametrize("out", ["answer.nonsense", "no/folder/answer.png"])
def test_places_that_cannot_be_written(scan, tmp_path, out, capsys):
    assert main(["predict", str(scan), "--out", str(tmp_path / out)]) == 2
    assert "Cannot write" in capsys.readouterr().err


def test_pictures_without_a_character(tmp_path, capsys):
    blank = tmp_path / "blank.png"
    cv2.imwrite(str(blank), np.full((200, 200), 255, np.uint8))
    with pytest.raises(HcrError, match=r"no character in .*blank\.png"):
        predict(blank)
    text = tmp_path / "text.png"
    text.write_text("no picture")
    assert main(["predict", str(text)]) == 2
    assert main(["predict", str(tmp_path / "none.png")]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 2
    assert "cannot be read as an image" in lines[0]
    assert "There is no file" in lines[1]
