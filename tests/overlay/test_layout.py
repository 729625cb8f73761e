import cv2
import numpy as np
import pytest

from generator.letters import letter_strokes
from hcr_live.frame import Frame
from hcr_live.ink.normalise import network_input
from hcr_live.ink.render import render_strokes
from hcr_live.options import LAYOUTS
from hcr_live.overlay import annotate, compose
from hcr_live.overlay.layout import composed_size, with_countdown
from hcr_live.reading import Prediction
from hcr_live.view import Status, View

R = Prediction("R", 0.7, (("R", 0.7), ("A", 0.2), ("K", 0.05)))
SEEN = network_input(render_strokes(letter_strokes("R", np.random.default_rng(0))))


def view(width=1280, height=720, **values) -> View:
    frame = Frame(np.full((height, width, 3), 128, np.uint8), 0, 0.0)
    return View(frame, mode="paper", automatic=True, alphabet="letters", **values)


def changed(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    return (before != after).any(axis=2)


@pytest.mark.parametrize("size", [(1280, 720), (640, 480), (720, 1280), (333, 251), (40, 30)])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout_has_the_size_it_promises_whatever_is_read(size, layout):
    promised = composed_size(*size, layout)
    for values in ({}, {"latest": R}, {"latest": R, "seen": SEEN}):
        image = compose(view(*size, **values), Status(), layout, "A title " * 20)
        assert image.shape[1::-1] == promised


def test_without_a_title_the_overlay_is_what_annotate_draws():
    at = view(latest=R, seen=SEEN)
    np.testing.assert_array_equal(compose(at, Status()), annotate(at, Status()))


@pytest.mark.parametrize("mirror", [False, True])
def test_beside_the_camera_stands_the_glyph_as_the_network_saw_it(mirror):
    at = view(latest=R, seen=SEEN)
    image = compose(at, Status(mirror=mirror), "side-by-side")
    without = annotate(view(), Status(mirror=mirror))
    np.testing.assert_array_equal(image[:, :1280], without)
    panel = cv2.cvtColor(image[:, 1280:], cv2.COLOR_BGR2GRAY)
    glyph = cv2.resize(SEEN, (320, 320), interpolation=cv2.INTER_NEAREST)
    found = cv2.matchTemplate(panel, (glyph * 255).astype(np.uint8), cv2.TM_CCOEFF_NORMED)
    assert found.max() > 0.95  # the line around it costs some


def test_in_the_corner_only_the_corner_changes():
    with_inset = compose(view(latest=R, seen=SEEN), Status(), "picture-in-picture")
    ys, xs = np.nonzero(changed(with_inset, annotate(view(), Status())))
    assert xs.min() > 1280 * 0.8
    assert ys.max() < 720 * 0.55


@pytest.mark.parametrize("layout", ["side-by-side", "picture-in-picture"])
def test_a_more_likely_label_has_a_longer_bar(layout):
    def green(confidence):
        latest = Prediction("R", confidence, (("R", confidence), ("A", 0.1)))
        image = compose(view(latest=latest, seen=SEEN), Status(), layout).astype(int)
        return ((image[..., 1] - image[..., 0] > 60) & (image[..., 1] - image[..., 2] > 60)).sum()

    assert 0 < green(0.3) < green(0.6) < green(0.9)


def test_all_labels_have_a_bar_where_they_are_known():
    every = {"R": 0.5, "A": 0.2, "K": 0.1, "B": 0.1, "P": 0.1}
    full = Prediction("R", 0.5, (("R", 0.5), ("A", 0.2), ("K", 0.1)), probabilities=every)
    three = Prediction("R", 0.5, full.candidates)
    images = [compose(view(latest=p, seen=SEEN), Status(), "side-by-side") for p in (three, full)]
    ys = np.nonzero(changed(*images))[0]
    assert len(ys)
    assert ys.min() > 720 / 2


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_title_stands_at_the_top_and_is_cut_to_leave_the_corners(layout):
    at = view(latest=R, seen=SEEN)
    plain = compose(at, Status(), layout)
    for title in ("My letters", "A very long title " * 10):
        ys, xs = np.nonzero(changed(plain, compose(at, Status(), layout, title)))
        assert ys.max() < 720 * 0.15
        assert xs.min() > 1280 * 0.15
        assert xs.max() < 1280 * 0.85


def test_the_countdown_is_on_a_copy():
    picture = np.full((480, 640, 3), 90, np.uint8)
    three, two = with_countdown(picture, 3), with_countdown(picture, 2)
    assert (picture == 90).all()
    assert changed(three, picture)[240, 320 - 60 : 320 + 60].any()
    assert changed(three, two).any()


def test_what_acts_on_other_programs_is_named_in_the_top_line():
    plain = annotate(view(), Status())
    shown = changed(plain, annotate(view(), Status(sending=("TYPING", "CLIPBOARD"))))
    assert shown[:44].sum() > 500
    assert not shown[44:].any()
