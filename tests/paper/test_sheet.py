from __future__ import annotations

import cv2
import numpy as np
import pytest

from generator.sheet import SheetStyle, scene_image, sheet_image
from hcr_live.paper.sheet import find_sheet, find_sheets, find_weak_sheets, follow_sheet
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


def best_overlap(outlines, drawn):
    return max((overlap(outline, drawn.outline) for outline in outlines), default=0)


@pytest.mark.parametrize("tilt", [-44, -30, 30, 44])
def test_corners_keep_their_names_up_to_45_degrees(tilt):
    style = SheetStyle(tilt=tilt, height=0.5, background="room")
    drawn = sheet_image(lines_of_strokes("AB"), seed=4, style=style)
    outline = find_sheet(drawn.image)
    assert outline is not None
    assert np.hypot(*(outline - drawn.outline).T).max() < 0.08 * drawn.image.shape[0]


@pytest.mark.parametrize(
    "style",
    [
        SheetStyle(fold=0.8, tilt=6),
        SheetStyle(hard_shadow=0.55, tilt=-8),
        SheetStyle(fingers=4, thumb=True, background="room"),
    ],
    ids=["folded", "in a hard shadow", "held by many fingers"],
)
@pytest.mark.parametrize("seed", [3, 8])
def test_the_whole_sheet_is_found(style, seed):
    drawn = sheet_image(lines_of_strokes("AB\nCD"), seed=seed, style=style)
    outline = find_sheet(drawn.image)
    assert outline is not None
    assert overlap(outline, drawn.outline) > 0.9


@pytest.mark.parametrize(
    "style",
    [
        SheetStyle(paper="dark card", pen="white gel", tilt=12),
        SheetStyle(paper="navy", pen="chalk", background="dark desk", tilt=-9),
        SheetStyle(paper="blackboard", pen="chalk", background="wall"),
        SheetStyle(paper="tablet", pen="white gel", background="bookshelf", tilt=20),
        SheetStyle(height=0.16, aspect=5, tilt=15),
    ],
    ids=["dark card", "dark on dark", "blackboard", "tablet", "strip"],
)
def test_what_may_be_a_sheet_is_offered_with_doubts(style):
    drawn = sheet_image(lines_of_strokes("ABCD"), seed=4, style=style)
    assert best_overlap(find_sheets(drawn.image), drawn) < 0.5
    assert best_overlap(find_weak_sheets(drawn.image), drawn) > 0.9


def test_a_white_sheet_on_a_white_wall_shows_by_its_edge():
    rng = np.random.default_rng(5)
    image = np.full((720, 1280, 3), 242, np.uint8)
    corners = np.array([[420, 180], [900, 230], [870, 560], [390, 510]], np.int32)
    shadow = np.zeros(image.shape[:2], np.uint8)
    cv2.fillConvexPoly(shadow, corners + np.int32([1, 3]), 40)
    image -= cv2.blur(shadow, (21, 21))[..., None]
    cv2.fillConvexPoly(image, corners, (243, 243, 243))
    image = cv2.add(image, rng.normal(0, 2, image.shape).astype(np.int8), dtype=cv2.CV_8U)
    found = [overlap(outline, corners) for outline in find_weak_sheets(image)]
    assert max(found, default=0) > 0.9


def test_a_tiny_image_is_not_searched_for_weak_sheets():
    assert list(find_weak_sheets(np.full((56, 56, 3), 20, np.uint8))) == []
