"""The animated picture of the last seconds: what is in it, and what goes wrong."""

import io

import numpy as np
import pytest
from PIL import Image

from hcr_live.sinks.excerpt import Excerpts


def picture(grey: int) -> np.ndarray:
    image = np.full((720, 1280, 3), grey, np.uint8)
    image[:, :640, 2] = 250 - grey  # red on the left
    return image


def shown(path) -> tuple[list[np.ndarray], list[float]]:
    with Image.open(io.BytesIO(path.read_bytes())) as animation:
        pictures, seconds = [], []
        for number in range(animation.n_frames):
            animation.seek(number)
            pictures.append(np.array(animation.convert("RGB")))
            seconds.append(animation.info["duration"] / 1000)
        assert animation.info["loop"] == 0
    return pictures, seconds


@pytest.mark.parametrize("ending", ["gif", "webp"])
def test_it_shows_the_last_seconds_at_their_pace(tmp_path, ending):
    path = tmp_path / f"out.{ending}"
    excerpts = Excerpts(2.0)
    for number in range(150):  # five seconds that grow lighter
        excerpts.picture(picture(number), number / 30)
    assert str(path) in excerpts.save(path)
    excerpts.close()
    assert "Saved" in excerpts.news()
    assert excerpts.news() == ""
    pictures, seconds = shown(path)
    assert sum(seconds) == pytest.approx(2.0, abs=0.15)
    assert 8 <= len(pictures) <= 26  # those that look alike may be one
    lightness = [p[135, -60:].mean() for p in pictures]
    assert lightness[0] == pytest.approx(90, abs=6)
    assert lightness[-1] == pytest.approx(149, abs=6)
    red, _, blue = pictures[0][100:150, 20:100].mean(axis=(0, 1))
    assert red - blue > 40
    height, width = pictures[0].shape[:2]
    assert width / height == pytest.approx(16 / 9, rel=0.02)


@pytest.mark.parametrize("fps", [3, 15, 60])
def test_its_pace_is_that_of_the_pictures_however_many_come(tmp_path, fps):
    excerpts = Excerpts(3.0)
    for number in range(4 * fps):
        excerpts.picture(picture(number % 200), number / fps)
    excerpts.save(tmp_path / "out.webp")
    excerpts.close()
    assert sum(shown(tmp_path / "out.webp")[1]) == pytest.approx(3.0, abs=0.4)


def test_what_is_kept_does_not_grow():
    excerpts = Excerpts(1.0)
    for number in range(3000):
        excerpts.picture(np.full((60, 80, 3), number % 256, np.uint8), number / 30)
    assert len(excerpts._kept) <= 14


def test_a_stall_is_cut_short(tmp_path):
    excerpts = Excerpts(30.0)
    for time in (0.0, 20.0, 20.1):
        excerpts.picture(picture(int(time)), time)
    excerpts.save(tmp_path / "out.gif")
    excerpts.close()
    assert sum(shown(tmp_path / "out.gif")[1]) < 3


def test_nothing_shown_is_said(tmp_path):
    excerpts = Excerpts(5.0)
    assert "nothing" in excerpts.save(tmp_path / "out.gif")
    excerpts.close()
    assert not list(tmp_path.iterdir())


def test_what_cannot_be_written_is_said_and_no_file_is_replaced(tmp_path):
    taken = tmp_path / "taken.gif"
    taken.write_text("mine")
    for path in (tmp_path / "nowhere" / "out.gif", taken):
        excerpts = Excerpts(5.0)
        excerpts.picture(picture(50), 0.0)
        excerpts.save(path)
        excerpts.close()
        assert str(path) in excerpts.error
        assert excerpts.news() == excerpts.error
    assert taken.read_text() == "mine"
