from __future__ import annotations

import cv2
import numpy as np
import pytest

from generator.sheet import SheetStyle, scene_image, sheet_image
from hcr_live.paper.sheet import find_sheet, find_sheets, follow_sheet
from tests.paper.drawn import lines_of_strokes


def overlap(a, b):
    common, _ = cv2.intersectConvexConvex(a.astype(np.float32), b.astype(np.float32))
    return common / (cv2.contourArea(a) + cv2.contourArea(b) - common)


@pytest.mark.parametrize(
    "style",
    [
        SheetStyle(),
        SheetStyle(tilt=18, perspective=0.06, background="bookshelf"),
        SheetStyle(paper="yellow", tilt=-12, shadow=0.4, background="gradient"),
        SheetStyle(height=0.4, aspect=1.0, pen="marker", thumb=True),
        SheetStyle(ruling="squared", paper="pink", background="bookshelf", thumb=True),
    ],
    ids=["straight", "tilted", "shadowed", "small", "thumb"],
)
def test_the_outline_of_a_sheet_is_found(style):
    drawn = sheet_image(lines_of_strokes("AB"), seed=4, style=style)
    outline = find_sheet(drawn.image)
    assert outline is not None
    assert overlap(outline, drawn.outline) > 0.9
    # Top left comes first: the writer's, not any corner.
    assert np.hypot(*(outline - drawn.outline).T).max() < 0.08 * drawn.image.shape[0]


def test_a_sheet_that_leaves_the_frame_keeps_its_turn():
    style = SheetStyle(height=0.9, centre=(0.5, 0.75), tilt=8)
    drawn = sheet_image(lines_of_strokes("AB"), seed=4, style=style)
    outline = find_sheet(drawn.image)
    assert outline is not None
    top = outline[1] - outline[0]
    assert np.degrees(np.arctan2(top[1], top[0])) == pytest.approx(8, abs=3)


@pytest.mark.parametrize("kind", ["desk", "bookshelf"])
def test_a_desk_and_books_are_no_sheet(kind):
    assert find_sheet(scene_image(kind, seed=2)) is None


def test_a_letter_with_a_large_inside_is_no_sheet():
    image = np.full((480, 640, 3), 235, np.uint8)
    cv2.rectangle(image, (180, 120), (460, 360), (40, 40, 40), 12)
    assert find_sheet(image) is None


def test_a_tiny_image_is_not_searched():
    assert find_sheet(np.full((56, 56, 3), 200, np.uint8)) is None


def test_a_sheet_in_front_of_a_window_keeps_its_own_outline():
    image = np.full((720, 1280, 3), 90, np.uint8)
    cv2.rectangle(image, (250, 60), (560, 340), (250, 248, 240), -1)
    corners = np.array([[420, 200], [980, 240], [950, 600], [390, 560]], np.float32)
    cv2.fillConvexPoly(image, corners.astype(np.int32), (225, 232, 236))
    outline = find_sheet(cv2.GaussianBlur(image, (0, 0), 1))
    assert outline is not None
    assert np.abs(outline - corners).max() < 12


def test_every_sheet_in_view_is_offered():
    image = np.full((720, 1280, 3), 90, np.uint8)
    for x in (150, 750):
        cv2.rectangle(image, (x, 150), (x + 350, 550), (240, 240, 240), -1)
    centres = sorted(float(outline[:, 0].mean()) for outline in find_sheets(image))
    assert centres == pytest.approx([325, 925], abs=5)


def test_a_moved_sheet_is_followed_and_a_missing_one_is_not():
    drawn = sheet_image(lines_of_strokes("AB"), seed=4, style=SheetStyle(tilt=5))
    outline = find_sheet(drawn.image)
    assert outline is not None
    moved = cv2.warpAffine(drawn.image, np.float32([[1, 0, 9], [0, 1, -6]]), (1280, 720))
    followed = follow_sheet(moved, outline)
    assert followed is not None
    assert np.abs(followed - outline - (9, -6)).max() < 4
    assert follow_sheet(scene_image("bookshelf", seed=2), outline) is None
