import cv2
import numpy as np
import pytest

from generator.letters import letter_strokes
from hcr_live.ink.normalise import network_input
from hcr_live.ink.render import render_strokes
from train.augment import camera


@pytest.fixture(scope="module")
def inks():
    return {letter: render_strokes(letter_strokes(letter), size=80) for letter in "AEKRTXi8"}


def test_photograph_is_seeded_and_leaves_the_ink_alone(inks):
    for ink in inks.values():
        before = ink.copy()
        one, other = (camera.photograph(ink, np.random.default_rng(3)) for _ in range(2))
        assert np.array_equal(one, other)
        assert np.array_equal(ink, before)
        assert one.dtype == np.uint8
        assert one.ndim == 2
    different = {camera.photograph(inks["A"], np.random.default_rng(k)).tobytes() for k in range(5)}
    assert len(different) > 1


def test_photographed_ink_is_still_the_letter(inks):
    rng = np.random.default_rng(0)
    likeness = []
    for ink in inks.values():
        clean = cv2.blur(network_input(ink), (5, 5)).ravel()
        for _ in range(6):
            seen = cv2.blur(network_input(camera.photograph(ink, rng)), (5, 5)).ravel()
            likeness.append(np.corrcoef(clean, seen)[0, 1])
    assert np.median(likeness) > 0.8
    assert np.mean(np.array(likeness) > 0.3) > 0.9


def test_photos_are_of_many_sizes_and_lights(inks):
    rng = np.random.default_rng(1)
    photos = [camera.take(inks["R"], rng) for _ in range(60)]
    heights = [cv2.boundingRect(photo.truth)[3] for photo in photos]
    assert min(heights) < 30
    assert max(heights) > 100
    assert all(photo.image.shape == photo.truth.shape for photo in photos)
    for photo in photos:
        around = cv2.dilate(photo.truth, np.ones((9, 9), np.uint8)) > photo.truth
        assert photo.image[photo.truth > 0].mean() < photo.image[around].mean()
    assert any(photo.sheet for photo in photos)
    assert not all(photo.sheet for photo in photos)


def test_milder_photos_are_read_more_often(inks):
    def share(severity):
        rng = np.random.default_rng(2)
        photos = [camera.take(ink, rng, severity) for ink in inks.values() for _ in range(4)]
        return np.mean([camera.read_paper(photo) is not None for photo in photos])

    assert share(0.1) > share(1.0)
    assert share(0.1) > 0.9


def test_a_photo_without_the_letter_is_not_read(inks):
    photo = camera.take(inks["K"], np.random.default_rng(4), 0.2)
    blank = camera.Photo(np.full_like(photo.image, 200), photo.truth, photo.sheet)
    half = photo.image.copy()
    half[: half.shape[0] // 2] = 220
    assert camera.read_paper(photo) is not None
    assert camera.read_paper(blank) is None
    assert camera.read_plainly(blank, np.random.default_rng(0)) is None
    assert camera.read_paper(camera.Photo(half, photo.truth, photo.sheet)) is None


@pytest.mark.parametrize("shape", [(1, 1), (3, 200), (5, 5)])
def test_ink_without_a_character_comes_back_as_it_is(shape):
    ink = np.zeros(shape, np.uint8)
    assert camera.photograph(ink, np.random.default_rng(0)) is ink
    assert camera.take(ink, np.random.default_rng(0)) is None


def test_odd_inks_are_photographed():
    rng = np.random.default_rng(5)
    dot = np.full((1, 1), 255, np.uint8)
    bar = np.full((4, 300), 255, np.uint8)
    soft = cv2.GaussianBlur(render_strokes(letter_strokes("T"), size=400), (0, 0), 4)
    for ink in (dot, bar, soft):
        for _ in range(5):
            assert camera.photograph(ink, rng).any()


def test_a_hairline_stays_whole_in_a_small_photo():
    hair = render_strokes(letter_strokes("N"), size=110, pen=0.018)
    rng = np.random.default_rng(6)
    for _ in range(30):
        truth = camera.take(hair, rng).truth
        sizes = cv2.connectedComponentsWithStats(truth)[2][1:, cv2.CC_STAT_AREA]
        assert sizes.max() > 0.95 * sizes.sum()
