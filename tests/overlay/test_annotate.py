import numpy as np
import pytest

from hcr_live.frame import Box, Frame
from hcr_live.overlay import annotate, annotate_reading
from hcr_live.reading import Character, Prediction, Reading
from hcr_live.view import Mark, Status, View

A = Prediction("A", 0.93, (("A", 0.93), ("H", 0.04), ("R", 0.01)))


def frame(width=1280, height=720, grey=128) -> Frame:
    return Frame(np.full((height, width, 3), grey, np.uint8), 0, 0.0)


def view(at: Frame, **values) -> View:
    return View(at, mode="paper", automatic=True, alphabet="letters", **values)


def changed(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    return (before != after).any(axis=2)


def contrast(image: np.ndarray) -> int:
    return int(image.max()) - int(image.min())


@pytest.mark.parametrize("size", [(640, 480), (1280, 720), (1920, 1080), (720, 1280)])
@pytest.mark.parametrize("grey", [0, 128, 255])
def test_text_is_readable_on_any_scene_and_size(size, grey):
    width, height = size
    shown = annotate(view(frame(width, height, grey), text="HELLO", hint="Hold still."), Status())
    bottom = shown[-height // 8 :, : width // 2]
    assert shown.shape == (height, width, 3)
    assert contrast(bottom) > 120


def test_the_frame_itself_is_not_drawn_on():
    at = frame()
    annotate(view(at, marks=(Mark(Box(500, 300, 80, 100), A, True),)), Status())
    assert (at.image == 128).all()


@pytest.mark.parametrize("mirror", [False, True])
def test_a_box_is_drawn_where_its_character_is_seen(mirror):
    at = frame()
    at.image[300:400, 300:380] = 10  # the character, left of the middle
    mark = Mark(Box(300, 300, 80, 100), A, True)
    with_mark = annotate(view(at, marks=(mark,)), Status(mirror=mirror))
    without = annotate(view(at), Status(mirror=mirror))
    xs = np.nonzero(changed(with_mark, without)[340:360])[1]
    assert len(xs)
    dark_columns = np.nonzero((without[350] == 10).all(axis=1))[0]
    assert abs(xs.min() - dark_columns.min()) <= 6
    assert abs(np.median(dark_columns) - np.median([xs.min(), xs.max()])) <= 6


def test_overlay_text_is_never_mirrored():
    at = frame()
    plain = annotate(view(at, text="HELLO"), Status())
    mirrored = annotate(view(at, text="HELLO"), Status(mirror=True))
    np.testing.assert_array_equal(plain, mirrored)


def test_settled_and_unsettled_marks_differ():
    marks = [Mark(Box(500, 300, 80, 100), A, settled) for settled in (False, True)]
    first, second = (annotate(view(frame(), marks=(mark,)), Status()) for mark in marks)
    assert changed(first, second).any()


def test_the_pen_state_shows():
    tips = {
        pen: annotate(view(frame(), tip=(600.0, 300.0), pen=pen), Status())
        for pen in ("up", "down")
    }
    assert tuple(tips["up"][300, 600]) == (128, 128, 128)  # a hollow ring
    assert tuple(tips["down"][300, 600]) != (128, 128, 128)  # a filled dot


def test_recording_lamp_and_notice_and_help_show():
    base = annotate(view(frame()), Status())
    for status in (Status(recording=True), Status(notice="Stalled."), Status(help_shown=True)):
        assert changed(annotate(view(frame()), status), base).any()


def test_marks_at_the_edges_and_tiny_frames_are_drawn_without_failing():
    for box in (Box(0, 0, 5, 5), Box(1270, 700, 40, 40), Box(-10, -10, 30, 30)):
        annotate(view(frame(), marks=(Mark(box, A, True),)), Status(mirror=True))
    shown = annotate(view(frame(1, 1), text="A" * 500), Status(help_shown=True))
    assert shown.shape[0] >= 240
    assert shown.shape[1] >= 320


def test_a_reading_is_drawn_onto_a_still():
    image = np.full((400, 600, 3), 255, np.uint8)
    character = Character("A", 0.9, A.candidates, Box(200, 150, 60, 80))
    drawn = annotate_reading(image, Reading("A", ("A",), (character,)))
    assert drawn.shape == image.shape
    assert changed(drawn, image)[145:235, 195:265].any()
    assert (image == 255).all()


def test_suggestions_stand_above_the_text_as_far_as_there_is_room():
    at = frame(640, 480)
    without = annotate(view(at, text="HEL"), Status())
    for count in (1, 3):
        words = ("HELLO", "HELP", "EXTRAORDINARY")[:count]
        shown = annotate(view(at, text="HEL", suggestions=words), Status())
        ys, xs = np.nonzero(changed(without, shown))
        assert ys.min() > 480 / 2
        assert xs.max() < 640 - 1
    assert changed(annotate(view(at, text="HEL", suggestions=words[:1]), Status()), shown).any()


@pytest.mark.parametrize("tip", [(640.0, 360.0), (5.0, 5.0), (1275.0, 700.0)])
def test_the_countdown_fills_beside_the_hand_and_says_what_it_will_do(tip):
    def shown(hold, coming="clear"):
        return annotate(
            View(frame(), "air", True, "letters", tip=tip, pen="up", coming=coming, hold=hold),
            Status(),
        )

    early, late, none = shown(0.2), shown(0.8), shown(0.0, coming="")
    assert changed(early, none).sum() > 300
    grown = changed(early, late)
    assert 50 < grown.sum() < changed(early, none).sum()
    ys, xs = np.nonzero(grown)
    assert np.hypot(xs - tip[0], ys - tip[1]).max() < 60
