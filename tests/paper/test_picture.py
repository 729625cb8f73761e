import cv2
import numpy as np
import pytest

from generator import wear
from generator.letters import letter_strokes
from generator.sheet import SheetStyle, sheet_image
from hcr_live import Recognizer


@pytest.fixture(scope="module")
def read():
    return Recognizer("letters").read


def grainy(image):
    noise = np.random.default_rng(1).normal(0, 3, image.shape)
    return np.clip(cv2.GaussianBlur(image, (0, 0), 0.8) + noise, 0, 255).astype(np.uint8)


def poster():
    image = np.full((720, 1280, 3), (40, 60, 80), np.uint8)
    cv2.rectangle(image, (200, 60), (1080, 660), (235, 205, 150), -1)
    wear.type_text(image, "HOTEL THE MILL", (260, 280), 100, (90, 30, 120), weight=800)
    wear.type_text(image, "WHITE HALL", (260, 470), 100, (90, 30, 120), weight=800)
    return image


def window():
    image = np.full((720, 1280, 3), (130, 150, 155), np.uint8)
    cv2.rectangle(image, (480, 120), (880, 480), (250, 245, 240), -1)
    cv2.rectangle(image, (480, 120), (880, 480), (60, 80, 110), 14)
    cv2.line(image, (680, 120), (680, 480), (60, 80, 110), 10)
    return image


def ring():
    image = np.full((720, 1280, 3), (70, 90, 110), np.uint8)
    cv2.rectangle(image, (250, 60), (1030, 660), (225, 235, 240), -1)
    cv2.ellipse(image, (560, 380), (90, 86), 0, 30, 330, (195, 212, 221), 8, cv2.LINE_AA)
    return image


def hair():
    image = np.full((720, 1280, 3), (70, 90, 110), np.uint8)
    cv2.rectangle(image, (150, 40), (1130, 680), (225, 235, 240), -1)
    cv2.ellipse(image, (640, 360), (140, 240), 10, 60, 300, (90, 100, 105), 2, cv2.LINE_AA)
    return image


@pytest.mark.parametrize("scene", [poster, window, ring, hair])
def test_a_thing_that_nobody_wrote_is_not_read(read, scene):
    assert read(grainy(scene())).text == ""


@pytest.mark.parametrize("letter", "CIOJHM")
@pytest.mark.parametrize("pen", ["pencil", "ballpoint", "marker"])
def test_one_letter_on_a_card_is_read(read, letter, pen):
    rng = np.random.default_rng(ord(letter))
    style = SheetStyle(writing=0.4, pen=pen, height=0.6, aspect=1.2, shadow=0.3, tilt=6)
    card = sheet_image([[letter_strokes(letter, rng)]], seed=ord(letter), style=style)
    assert len(read(card.image).characters) == 1


def test_words_with_a_drawing_beside_them_are_read(read):
    rng = np.random.default_rng(4)
    lines = [[letter_strokes(c, rng) for c in "HAND"]]
    sheet = sheet_image(lines, seed=4, style=SheetStyle(writing=0.16, pen="felt"))
    x, y, w, h = sheet.boxes[-1]
    spiral = np.linspace(0, 16, 120)[:, None]
    way = np.hstack([np.cos(spiral), np.sin(spiral)]) * spiral * h / 32 + (x - w, y + 2.2 * h)
    cv2.polylines(sheet.image, [way.astype(np.int32)], False, (40, 40, 40), 6, cv2.LINE_AA)
    assert read(sheet.image).text.replace(" ", "").startswith("HAND")


@pytest.mark.parametrize("pen", ["pencil", "marker"])
def test_squared_letters_in_cells_are_read(read, pen):
    rng = np.random.default_rng(8)
    lines = [[letter_strokes(c, rng) for c in "FILTH"], [letter_strokes(c, rng) for c in "METAL"]]
    style = SheetStyle(writing=0.12, pen=pen, ruling="squared", uneven=0.0, spacing=0.4)
    sheet = sheet_image(lines, seed=8, style=style)
    assert len(read(sheet.image).characters) >= 9
