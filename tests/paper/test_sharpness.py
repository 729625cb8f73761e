from __future__ import annotations

import cv2
import numpy as np
import pytest

from generator.sheet import SheetStyle, scene_image, sheet_image
from hcr_live.frame import Box
from hcr_live.paper.sharpness import edge_softness, is_blurred
from tests.paper.drawn import lines_of_strokes

STYLES = {
    "pencil": SheetStyle(pen="pencil", paper="grey", noise=5.0, blur=0.8),
    "marker": SheetStyle(pen="marker", noise=1.0, blur=0.8),
    "shadow": SheetStyle(shadow=0.45, ruling="squared", blur=0.8),
}


def sheet(text="KARL\nHOME", **style):
    return sheet_image(lines_of_strokes(text), seed=3, style=SheetStyle(**style))


def moved(image, length, degrees):
    """The picture as a hand leaves it that moves by so many pixels meanwhile."""
    kernel = np.zeros((2 * length + 1,) * 2, np.float32)
    ray = np.array([np.cos(np.deg2rad(degrees)), np.sin(np.deg2rad(degrees))]) * length / 2
    start, end = np.rint(length + np.stack([-ray, ray])).astype(int).tolist()
    cv2.line(kernel, start, end, 1.0)
    return cv2.filter2D(image, -1, kernel / kernel.sum())


def height(drawn):
    return float(np.median([box.h for box in drawn.boxes]))


@pytest.mark.parametrize("style", STYLES.values(), ids=STYLES)
def test_whatever_pen_and_light_sharp_is_sharp_and_blurred_is_not(style):
    drawn = sheet_image(lines_of_strokes("KARL\nHOME"), seed=3, style=style)
    assert not is_blurred(drawn.image, drawn.boxes)
    soft = cv2.GaussianBlur(drawn.image, (0, 0), 0.09 * height(drawn))
    assert is_blurred(soft, drawn.boxes)


@pytest.mark.parametrize("degrees", [0, 30, 45, 90, 135])
def test_motion_in_one_direction_is_blur(degrees):
    drawn = sheet()
    image = moved(drawn.image, round(0.35 * height(drawn)), degrees)
    assert is_blurred(image, drawn.boxes)


def test_softness_grows_with_the_blur_alone():
    one, many = sheet("K"), sheet("KARL\nHOME")
    for drawn in (one, many):
        sigmas = [0.03, 0.05, 0.07, 0.09]
        found = [
            edge_softness(cv2.GaussianBlur(drawn.image, (0, 0), s * height(drawn)), drawn.boxes)
            for s in sigmas
        ]
        assert found == sorted(found)
        assert found == pytest.approx(sigmas, abs=0.02)


def test_what_is_too_soft_for_small_writing_is_not_for_large_writing():
    small, large = sheet("ABCDEFGH\nIJKLMNOP\nQRSTUVWX\nABCDEFGH"), sheet("AB")
    sigma = 0.09 * height(small)
    assert is_blurred(cv2.GaussianBlur(small.image, (0, 0), sigma), small.boxes)
    assert not is_blurred(cv2.GaussianBlur(large.image, (0, 0), sigma), large.boxes)


def test_chalk_is_judged_as_ink_is():
    drawn = sheet()
    negative = 255 - drawn.image
    assert edge_softness(negative, drawn.boxes) == pytest.approx(
        edge_softness(drawn.image, drawn.boxes), abs=0.01
    )


def test_nothing_to_judge_by_is_not_blurred():
    image = scene_image("empty sheet", seed=2)
    assert edge_softness(image, []) is None
    assert not is_blurred(np.full((90, 90), 200, np.uint8), [Box(20, 20, 30, 40)])
    for box in (Box(0, 0, 1, 1), Box(-50, -50, 20, 20), Box(5000, 9, 20, 20), Box(0, 0, 9999, 9)):
        is_blurred(image, [box])
