from __future__ import annotations

import cv2
import numpy as np
import pytest

from generator.sheet import SheetStyle, scene_image, sheet_image
from hcr_live.frame import Box
from hcr_live.paper.page import PageFinder, guide_box, locate, turned
from tests.paper.drawn import assert_located, lines_of_strokes, overlap


@pytest.mark.parametrize(
    "style",
    [
        SheetStyle(),
        SheetStyle(tilt=16, perspective=0.05, background="bookshelf"),
        SheetStyle(tilt=-16, shadow=0.4, pen="pencil"),
        SheetStyle(pen="marker", paper="cream", thumb=True),
        SheetStyle(ruling="ruled", tilt=7, ink=(120, 50, 25)),
        SheetStyle(ruling="squared", tilt=-6, pen="marker"),
    ],
    ids=["plain", "perspective", "pencil in shadow", "marker and thumb", "ruled", "squared"],
)
def test_the_characters_of_a_sheet_are_located(style):
    drawn = sheet_image(lines_of_strokes("HEL\nKOS"), seed=11, style=style)
    page = locate(drawn.image)
    assert page.outline is not None
    assert_located(page, drawn)
    for glyph in page.glyphs:
        assert glyph.ink.dtype == np.uint8
        assert set(np.unique(glyph.ink)) <= {0, 255}
        assert glyph.ink[0].any()
        assert glyph.ink[:, 0].any()


def test_one_large_letter_on_a_card():
    style = SheetStyle(height=0.6, aspect=1.0, pen="marker", tilt=10)
    drawn = sheet_image(lines_of_strokes("E"), seed=5, style=style)
    assert_located(locate(drawn.image), drawn)


def test_the_ink_is_straightened():
    def ink(tilt):
        style = SheetStyle(tilt=tilt, pen="marker", noise=0, blur=0)
        glyphs = locate(sheet_image(lines_of_strokes("L"), seed=3, style=style).image).glyphs
        return cv2.resize(glyphs[0].ink, (32, 32), interpolation=cv2.INTER_AREA) > 127

    level, tilted = ink(0), ink(18)
    assert (level & tilted).sum() / (level | tilted).sum() > 0.75


@pytest.mark.parametrize("kind", ["desk", "bookshelf", "room"])
@pytest.mark.parametrize("seed", [1, 2])
def test_scenes_without_writing_have_no_characters(kind, seed):
    assert locate(scene_image(kind, seed=seed)).glyphs == ()


@pytest.mark.parametrize("ruling", ["plain", "ruled", "squared"])
def test_an_empty_sheet_has_no_characters(ruling):
    drawn = sheet_image([], seed=6, style=SheetStyle(ruling=ruling, tilt=5, thumb=True))
    page = locate(drawn.image)
    assert page.outline is not None
    assert page.glyphs == ()


@pytest.mark.parametrize("value", [0, 128, 255])
@pytest.mark.parametrize("shape", [(1, 1), (2, 300), (30, 30), (720, 1280)])
def test_plain_images_have_no_characters(value, shape):
    assert locate(np.full((*shape, 3), value, np.uint8)).glyphs == ()


def test_noise_has_no_characters():
    noise = np.random.default_rng(0).integers(0, 256, (480, 640, 3), np.uint8)
    assert locate(noise).glyphs == ()


def scan(dark=False, shape=(600, 800)):
    page = np.full((*shape, 3), 250, np.uint8)
    for k, strokes in enumerate(lines_of_strokes("TAX")[0]):
        for stroke in strokes:
            points = (stroke[:, :2] * 120 + (120 + 200 * k, 200)).astype(np.int32)
            cv2.polylines(page, [points], False, (20, 20, 20), 6)
    return 255 - page if dark else page


@pytest.mark.parametrize("dark", [False, True], ids=["scan", "light on dark"])
def test_writing_that_fills_the_frame_is_read_without_a_sheet(dark):
    page = locate(scan(dark))
    assert page.outline is None
    assert page.guide is None
    assert [g.box.x // 200 for g in page.glyphs] == [0, 1, 2]


def test_a_huge_image_gives_boxes_in_its_own_pixels():
    page = locate(cv2.resize(scan(), None, fx=6, fy=6, interpolation=cv2.INTER_LINEAR))
    assert [g.box.x // 1200 for g in page.glyphs] == [0, 1, 2]


def test_a_region_is_read_alone():
    page = locate(scan(), region=Box(290, 100, 220, 300))
    assert len(page.glyphs) == 1
    assert 290 <= page.glyphs[0].box.x < 510


@pytest.mark.parametrize("dark", [False, True], ids=["photo", "digital"])
@pytest.mark.parametrize("side", [28, 56])
def test_the_crop_of_one_letter(dark, side):
    whole = scan(dark)[160:360, 300:500]
    crop = cv2.resize(whole, (side, side), interpolation=cv2.INTER_AREA)
    page = locate(crop)
    assert len(page.glyphs) == 1
    rows = np.flatnonzero((np.abs(whole.astype(int) - whole[0, 0]).max(axis=2) > 99).any(axis=1))
    tall = (rows[-1] - rows[0] + 1) * side / 200
    assert page.glyphs[0].box.h == pytest.approx(tall, abs=0.06 * side)


def test_without_a_sheet_the_guide_box_is_offered():
    page = locate(scene_image("bookshelf", seed=1))
    assert page.outline is None
    assert page.guide == guide_box(1280, 720)


def test_the_finder_holds_the_outline_through_a_few_bad_frames():
    drawn = sheet_image(lines_of_strokes("AB"), seed=4, style=SheetStyle())
    finder = PageFinder()
    assert finder.locate(drawn.image).outline is not None
    bad = cv2.GaussianBlur(scene_image("bookshelf", seed=1), (0, 0), 2)
    assert finder.locate(bad).outline is not None
    for _ in range(20):
        page = finder.locate(bad)
    assert page.outline is None


def upside_down(text="HELF\nKOS", quarters=2):
    drawn = sheet_image(lines_of_strokes(text), seed=11, style=SheetStyle(tilt=7))
    return drawn, np.ascontiguousarray(np.rot90(drawn.image, quarters))


def order(page):
    return [(glyph.line, glyph.word) for glyph in page.glyphs]


@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_a_turned_page_reads_as_the_picture_does_turned(quarters):
    drawn, image = upside_down(quarters=quarters)
    straight, page = locate(drawn.image), turned(locate(image), -quarters)
    assert order(page) == order(straight)
    for glyph, other in zip(page.glyphs, straight.glyphs, strict=True):
        assert glyph.ink.shape == pytest.approx(other.ink.shape, abs=3)
    again = locate(image, quarter_turns=-quarters)
    assert order(again) == order(straight)
    for glyph, other in zip(again.glyphs, page.glyphs, strict=True):
        assert overlap(glyph.box, other.box) > 0.7
    assert np.abs(again.outline - page.outline).max() < 5


def test_the_finder_keeps_a_turn_while_it_follows():
    drawn, image = upside_down()
    finder = PageFinder()
    first = finder.locate(image)
    finder.turn(2)
    expected = order(locate(drawn.image))
    assert order(turned(first, 2)) == expected
    for _ in range(30):  # through a new search as well
        assert order(finder.locate(image)) == expected
    assert order(finder.glance(image)) == expected


def test_the_finder_reads_bare_writing_turned():
    image = np.ascontiguousarray(np.rot90(scan(), 2))
    finder = PageFinder()
    places = [g.box.x for g in finder.locate(image).glyphs]
    finder.turn(2)
    for _ in range(10):
        assert [g.box.x for g in finder.locate(image).glyphs] == pytest.approx(places[::-1], abs=3)


KINDS = {
    "dark card": SheetStyle(paper="dark card", pen="white gel", tilt=12),
    "blackboard": SheetStyle(paper="blackboard", pen="chalk", background="wall"),
    "tablet on a shelf": SheetStyle(paper="tablet", pen="white gel", background="bookshelf"),
    "dark on dark": SheetStyle(paper="navy", pen="white gel", background="dark desk", tilt=-9),
    "white on white": SheetStyle(background="table", shadow=0.1, tilt=5),
    "board fills": SheetStyle(paper="green board", pen="chalk", height=1.25, aspect=1.8),
    "ruled fills": SheetStyle(height=1.25, aspect=1.8, ruling="ruled"),
    "folded": SheetStyle(fold=0.7, tilt=5),
    "tilted 44": SheetStyle(tilt=44, height=0.6, background="room"),
    "tilted -44": SheetStyle(tilt=-44, height=0.6),
    "fingers": SheetStyle(fingers=3, background="room"),
    "coloured": SheetStyle(paper="green", background="wall", tilt=-20),
    "strip": SheetStyle(height=0.2, aspect=5, tilt=15),
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_sheet_is_read(kind):
    text = "HELK" if kind == "strip" else "HELKO\nSTUVE"
    drawn = sheet_image(lines_of_strokes(text), seed=21, style=KINDS[kind])
    page = locate(drawn.image)
    hits = [max(overlap(glyph.box, box) for glyph in page.glyphs) > 0.6 for box in drawn.boxes]
    assert sum(hits) >= len(drawn.boxes) - 1
    assert len(page.glyphs) <= len(drawn.boxes) + 1


@pytest.mark.parametrize("kind", ["dark card", "folded"])
def test_the_finder_finds_and_keeps_it(kind):
    drawn = sheet_image(lines_of_strokes("HELKO"), seed=21, style=KINDS[kind])
    finder = PageFinder()
    pages = [finder.locate(drawn.image) for _ in range(32)][6:]
    assert all(page.outline is not None for page in pages)
    assert all(len(page.glyphs) == 5 for page in pages)


def test_a_line_on_a_plain_part_of_a_busy_picture_is_read():
    image = scene_image("desk", seed=3)
    for x in (440, 640, 840):  # torn paper, without a straight edge
        cv2.circle(image, (x, 360 + x // 8 % 50), 220, (214, 220, 222), -1)
    for k, strokes in enumerate(lines_of_strokes("HELKO")[0]):
        for stroke in strokes:
            points = (stroke[:, :2] * 90 + (350 + 130 * k, 320)).astype(np.int32)
            cv2.polylines(image, [points], False, (40, 40, 40), 6, cv2.LINE_AA)
    page = locate(cv2.GaussianBlur(image, (0, 0), 0.8))
    assert page.outline is None
    assert [(g.box.x - 310) // 130 for g in page.glyphs] == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("kind", ["face", "hand"])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_people_have_no_characters(kind, seed):
    assert locate(scene_image(kind, seed=seed)).glyphs == ()
