from dataclasses import replace

import cv2
import numpy as np
import pytest

from generator.kinds import KINDS, ordinary_style
from generator.letters import letter_strokes
from generator.paper_clip import paper_clip_frames, paper_clip_pictures
from generator.scenes import SCENES, draw_scene
from generator.sheet import PAPERS, SheetStyle, background_image, sheet_image
from generator.writing import Hand, on_line, rule, write

TEXT = "AB C\nDE 12"
SMALL = (640, 360)


def lines_of(text=TEXT, seed=0):
    rng = np.random.default_rng(seed)
    return [
        [None if c == " " else letter_strokes(c, rng) for c in line] for line in text.split("\n")
    ]


def darkness(image, box):
    """Return how far the darkest or lightest spot of a box is from what is usual in it."""
    part = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)[box.y : box.y + box.h, box.x : box.x + box.w]
    usual = float(np.median(part))
    return max(usual - part.min(), part.max() - usual)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_shows_all_its_characters(kind):
    drawn = sheet_image(lines_of(), seed=3, size=SMALL, style=KINDS[kind])
    assert drawn.image.shape == (360, 640, 3)
    assert drawn.lines == (0, 0, 0, 1, 1, 1, 1)
    for box in drawn.boxes:
        assert 0 < box.x < box.x + box.w < 640
        assert 0 < box.y < box.y + box.h < 360
        assert darkness(drawn.image, box) > 15


def test_a_style_looks_the_same_each_time_and_each_detail_is_seen():
    plain = SheetStyle(writing=0.1)
    first, again = (
        sheet_image(lines_of(), seed=4, size=SMALL, style=plain).image for _ in range(2)
    )
    assert np.array_equal(first, again)
    for change in (
        {"fold": 0.6}, {"holes": True}, {"stain": True}, {"hair": True}, {"margin": True},
        {"printed": "headline"}, {"printed": "small"}, {"printed": "page"}, {"glare": 0.4},
        {"hard_shadow": 0.4}, {"fingers": 2}, {"shake": 5}, {"slope": 5}, {"curve": 0.5},
        {"touching": 1.0}, {"ruling": "dotted"},
    ):  # fmt: skip
        other = sheet_image(lines_of(), seed=4, size=SMALL, style=replace(plain, **change)).image
        assert np.count_nonzero(cv2.absdiff(first, other).max(axis=2) > 12) > 50, change


def test_boxes_follow_the_ink_over_a_crease():
    style = SheetStyle(writing=0.12, fold=1.0, noise=0, blur=0, shadow=0, pen="marker")
    drawn = sheet_image(lines_of("ABCDEFGH\nKLMNOPQR"), seed=1, style=style)
    grey = cv2.cvtColor(drawn.image, cv2.COLOR_BGR2GRAY)
    for x, y, w, h in drawn.boxes:
        ink = grey[y : y + h, x : x + w] < 110
        rows, columns = (np.flatnonzero(ink.any(axis=axis)) for axis in (1, 0))
        assert rows[0] <= 3
        assert rows[-1] >= h - 4
        assert columns[0] <= 3
        assert columns[-1] >= w - 4


def test_light_pens_write_light_on_dark():
    for paper, pen in (
        ("blackboard", "chalk"),
        ("dark card", "white gel"),
        ("tablet", "white gel"),
    ):
        style = SheetStyle(writing=0.15, paper=paper, pen=pen)
        drawn = sheet_image(lines_of("HE"), seed=2, style=style)
        grey = cv2.cvtColor(drawn.image, cv2.COLOR_BGR2GRAY)
        box = drawn.boxes[0]
        part = grey[box.y : box.y + box.h, box.x : box.x + box.w]
        assert max(PAPERS[paper]) < 60
        assert part.max() > np.median(part) + 60


def test_writing_stands_on_the_ruled_lines():
    lines = lines_of("HEL\nMNT")
    ruling = rule(lines, 0.1, 0.3, (800, 600))
    written = write(lines, ruling, Hand(0.05), (800, 600), np.random.default_rng(0))
    for hull, number in zip(written.hulls, written.numbers, strict=True):
        base = ruling.first + number * ruling.pitch
        assert hull[:, 1].max() == pytest.approx(base, abs=0.25 * ruling.capital)
        assert np.ptp(hull[:, 1]) == pytest.approx(ruling.capital, rel=0.3)


def test_many_lines_are_written_small_enough_to_fit():
    text = "\n".join(["ABCDEFGHIJKLMNOP"] * 9)
    drawn = sheet_image(lines_of(text), seed=1, style=SheetStyle(writing=0.3))
    low, high = drawn.outline.min(axis=0), drawn.outline.max(axis=0)
    for box in drawn.boxes:
        assert low[0] < box.x < box.x + box.w < high[0]
        assert low[1] < box.y < box.y + box.h < high[1]


def test_characters_touch_where_asked_to():
    lines = lines_of("HHHHHH")
    hand = Hand(0.06, touching=1.0)
    ruling = rule(lines, 0.2, 0.3, (900, 400))
    cover = write(lines, ruling, hand, (900, 400), np.random.default_rng(1)).cover
    apart = write(lines, ruling, Hand(0.06), (900, 400), np.random.default_rng(1)).cover
    assert cv2.connectedComponents((apart > 90).astype(np.uint8))[0] == 7
    assert cv2.connectedComponents((cover > 90).astype(np.uint8))[0] == 2


def test_real_ink_keeps_its_shape_and_gets_the_size_of_its_label():
    ink = np.zeros((40, 20), np.uint8)
    ink[:, :6] = ink[-6:] = 255  # an L
    lines = [[on_line("L", ink), None, on_line("x", ink), on_line("p", ink)]]
    drawn = sheet_image(lines, seed=1, style=SheetStyle(writing=0.2, noise=0, blur=0))
    capital, small, descender = drawn.boxes
    assert capital.w / capital.h == pytest.approx(0.5, abs=0.06)
    assert small.h / capital.h == pytest.approx(0.58, abs=0.1)
    assert descender.y + descender.h > capital.y + capital.h + 0.15 * capital.h


def test_a_centred_sheet_takes_strokes_alone():
    with pytest.raises(ValueError, match="writing"):
        sheet_image([[None]], seed=1, style=SheetStyle())


def test_ordinary_sheets_differ():
    rng = np.random.default_rng(0)
    styles = [ordinary_style(rng) for _ in range(40)]
    assert len({style.paper for style in styles}) > 4
    assert len({style.background for style in styles}) == 7
    for background in {style.background for style in styles}:
        assert background_image(background, (64, 48), rng).shape == (48, 64, 3)


@pytest.mark.parametrize("kind", SCENES)
def test_scenes_are_drawn_anew_for_every_seed(kind):
    one, same, other = (draw_scene(kind, seed=seed, size=(640, 360)) for seed in (1, 1, 2))
    assert one.shape == (360, 640, 3)
    assert np.array_equal(one, same)
    assert np.count_nonzero(cv2.absdiff(one, other).max(axis=2) > 20) > 1000


def test_frames_of_a_clip_are_its_pictures_and_boxes_move_with_the_sheet():
    arguments = {"seed": 5, "seconds": 0.1, "style": SheetStyle(writing=0.1), "motion": 0.05}
    pictures = list(paper_clip_pictures(lines_of(), **arguments))
    frames = list(paper_clip_frames(lines_of(), **arguments))
    assert [time for _, time in pictures] == pytest.approx([0, 1 / 30, 2 / 30])
    for (picture, _), (image, _) in zip(pictures, frames, strict=True):
        assert np.array_equal(picture.image, image)
    assert pictures[0][0].boxes != pictures[2][0].boxes
