from __future__ import annotations

import cv2
import numpy as np
import pytest

from hcr_live.paper.binarise import binarise, is_light_on_dark


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
