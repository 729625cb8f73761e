from __future__ import annotations

import cv2
import numpy as np
import pytest

from generator.letters import letter_strokes
from hcr_live.paper.binarise import binarise, ink_channel, is_light_on_dark
from hcr_live.paper.close_up import find_in_close_up


def paper(shape=(300, 420), light=225.0, noise=2.0, seed=0):
    rng = np.random.default_rng(seed)
    return light + noise * rng.standard_normal(shape)


def image(values):
    return np.clip(values, 0, 255).astype(np.uint8)


def letter_mask(width, shape=(300, 420)):
    mask = np.zeros(shape, np.uint8)
    for start, end in (((150, 230), (200, 80)), ((200, 80), (250, 230)), ((170, 170), (230, 170))):
        cv2.line(mask, start, end, 255, width)
    return mask


def agreement(found, wanted):
    """Intersection over union, a pixel of tolerance at the edge of a stroke."""
    near = cv2.dilate(wanted, np.ones((3, 3), np.uint8)) > 0
    core = cv2.erode(wanted, np.ones((3, 3), np.uint8)) > 0
    return (found[core] > 0).mean(), (found[~near] > 0).mean()


@pytest.mark.parametrize("width", [3, 8, 24], ids=["pencil", "pen", "marker"])
@pytest.mark.parametrize("darkness", [0.35, 0.85], ids=["pale", "dark"])
def test_strokes_are_whole_and_the_paper_is_clean(width, darkness):
    values = paper() * (1 - darkness * (letter_mask(width) > 0))
    inside, outside = agreement(binarise(image(values)), letter_mask(width))
    assert inside > 0.98
    assert outside < 0.002


def test_light_and_shadow_are_no_ink():
    gradient = np.linspace(1.0, 0.45, 420)[None, :]
    shadow = np.where(np.arange(420) > 260, 0.7, 1.0)[None, :]
    shadow = cv2.blur(np.repeat(shadow, 300, axis=0), (25, 25))
    values = paper() * gradient * shadow * (1 - 0.7 * (letter_mask(6) > 0))
    inside, outside = agreement(binarise(image(values)), letter_mask(6))
    assert inside > 0.98
    assert outside < 0.005


@pytest.mark.parametrize("noise", [0.0, 2.0, 6.0])
def test_an_empty_sheet_has_no_ink(noise):
    assert not binarise(image(paper(noise=noise))).any()


def test_ruled_lines_go_and_letters_stay_whole():
    mask = letter_mask(5)
    values = paper()
    for row in range(30, 300, 40):
        cv2.line(values, (0, row), (419, row + 4), 175.0, 2)
    values = values * (1 - 0.75 * (mask > 0))
    ink = binarise(image(values))
    inside, outside = agreement(ink, mask)
    assert inside > 0.97
    assert outside < 0.004
    # In one piece: nothing was cut where a line crosses.
    _, labels = cv2.connectedComponents(ink)
    sizes = np.bincount(labels.ravel())[1:]
    assert sizes.max() > 0.95 * sizes.sum()


def test_light_ink_on_a_dark_ground():
    values = 30 + 200 * (letter_mask(6) > 0)
    assert is_light_on_dark(image(values))
    assert not is_light_on_dark(image(255 - values))
    inside, outside = agreement(binarise(image(values), light_on_dark=True), letter_mask(6))
    assert inside > 0.98
    assert outside < 0.002


def test_colour_and_grey_are_read_alike():
    grey = image(paper() * (1 - 0.7 * (letter_mask(6) > 0)))
    assert np.array_equal(binarise(grey), binarise(cv2.cvtColor(grey, cv2.COLOR_GRAY2BGR)))


@pytest.mark.parametrize("shape", [(1, 1), (2, 50), (5, 5), (40, 3)])
def test_tiny_images_have_no_ink(shape):
    found = binarise(np.full(shape, 128, np.uint8))
    assert found.shape == shape
    assert not found.any()


def test_slanted_strokes_of_a_thin_pen_survive_squared_paper():
    values = paper()
    for at in range(30, 420, 45):
        cv2.line(values, (at, 0), (at + 4, 299), 190.0, 2)
    for at in range(20, 300, 45):
        cv2.line(values, (0, at), (419, at + 6), 190.0, 2)
    mask = np.zeros(values.shape, np.uint8)
    for start, end in (((120, 230), (160, 70)), ((160, 70), (210, 200)), ((210, 200), (270, 70))):
        cv2.line(mask, start, end, 255, 6)
    values[mask > 0] *= 0.3
    inside, outside = agreement(binarise(image(values)), mask)
    assert inside > 0.9
    assert outside < 0.002


WRITING = {
    "black on white": ((30, 30, 30), (246, 247, 248), False),
    "pencil on grey": ((75, 75, 75), (150, 152, 155), False),
    "white on grey": ((240, 240, 240), (120, 122, 125), True),
    "black on kraft": ((30, 30, 30), (110, 150, 180), False),
    "white on kraft": ((245, 245, 245), (110, 150, 180), True),
    "white on black": ((235, 235, 235), (35, 33, 30), True),
    "yellow on a green board": ((110, 220, 235), (60, 90, 45), True),
    "white on blue": ((240, 240, 240), (160, 80, 40), True),
    "black on red": ((20, 20, 20), (50, 45, 190), False),
    "red on pink": ((60, 50, 200), (205, 195, 240), False),
    "orange on yellow": ((70, 150, 245), (150, 226, 244), False),
}


def card(ink, paper, pen=6, seed=0):
    """A coloured card with writing, in light that falls off, and where the pen has been."""
    rng = np.random.default_rng(seed)
    mask = np.zeros((300, 420), np.uint8)
    for number, character in enumerate("KA4SO7"):
        for stroke in letter_strokes(character, rng):
            corner = (50 + number % 3 * 120, 40 + number // 3 * 120)
            path = np.rint((stroke * (80 / 1.0) + corner) * 16).astype(np.int32)
            cv2.polylines(mask, [path], False, 255, pen, cv2.LINE_AA, 4)
    share = mask[..., None] / 255
    values = np.array(paper) * (1 - share) + np.array(ink) * share
    values *= np.linspace(1, 0.7, 420)[None, :, None]
    return image(cv2.GaussianBlur(values, (0, 0), 0.7) + rng.normal(0, 2, values.shape)), mask


@pytest.mark.parametrize("kind", WRITING)
@pytest.mark.parametrize("pen", [3, 10], ids=["thin", "fat"])
def test_light_and_dark_writing_are_told_apart_on_any_paper(kind, pen):
    ink, paper_colour, light = WRITING[kind]
    photo, mask = card(ink, paper_colour, pen)
    grey = cv2.cvtColor(photo, cv2.COLOR_BGR2GRAY)
    assert is_light_on_dark(grey) == light
    inside, outside = agreement(binarise(photo, light_on_dark=light), mask)
    assert inside > 0.95
    assert outside < 0.005


def test_a_pen_as_light_as_its_paper_is_seen_by_its_colour():
    photo, mask = card((45, 40, 190), (60, 112, 48))
    grey = cv2.cvtColor(photo, cv2.COLOR_BGR2GRAY)
    assert agreement(binarise(grey), mask)[0] < 0.5
    inside, outside = agreement(binarise(ink_channel(photo)), mask)
    assert inside > 0.98
    assert outside < 0.005


@pytest.mark.parametrize("soft", [1, 5, 21, 61])
@pytest.mark.parametrize("depth", [0.3, 0.6])
def test_no_edge_of_a_shadow_is_ink(soft, depth):
    x, y = np.meshgrid(np.arange(420), np.arange(300))
    shadow = 1 - depth * (x + 0.6 * y > 300)
    values = paper() * cv2.blur(shadow, (soft, soft)) * (1 - 0.7 * (letter_mask(6) > 0))
    inside, outside = agreement(binarise(image(values)), letter_mask(6))
    assert inside > 0.97
    assert outside < 0.005


def crop(strength, line, shape=(64, 52)):
    """A crop of a neutral A that stands on a blue line as thick as the pen, BGR."""
    mask, ruled = np.zeros(shape, np.uint8), np.zeros(shape, np.uint8)
    for start, end in (((12, 50), (26, 10)), ((26, 10), (40, 50)), ((18, 36), (34, 36))):
        cv2.line(mask, start, end, 255, 4, cv2.LINE_AA)
    ruled[48:53] = 255
    values = np.array((205.0, 232.0, 232.0)) * (1 - strength * (mask[..., None] / 255))
    values *= 1 - np.array(line) * (ruled[..., None] / 255)
    x, y = np.meshgrid(np.linspace(-1, 1, shape[1]), np.linspace(-1, 1, shape[0]))
    values *= (1 - 0.25 * (x**2 + y**2))[..., None]  # darker corners are no ink
    values += np.random.default_rng(0).normal(0, 2, values.shape)
    return image(cv2.GaussianBlur(values, (0, 0), 0.8)), mask


@pytest.mark.parametrize("strength", [0.5, 0.8], ids=["pencil", "gel"])
@pytest.mark.parametrize("line", [(0, 0, 0), (0.12, 0.4, 0.55)], ids=["plain", "blue line"])
def test_one_character_of_a_crop_is_found_alone_and_whole(strength, line):
    photo, mask = crop(strength, line)
    characters, size = find_in_close_up(photo, light_on_dark=False)
    assert len(characters) == 1
    x, y, w, h = cv2.boundingRect(mask)
    scale = size[0] / mask.shape[1]
    box = np.array(characters[0].box) / scale
    assert box == pytest.approx([x, y, w, h], abs=4)
