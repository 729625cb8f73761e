import cv2
import numpy as np
import pytest

from generator.letters import letter_strokes
from hcr_live.errors import HcrError
from hcr_live.ink.normalise import SIDE, network_input
from hcr_live.ink.render import render_strokes

CHARACTERS = "AEGIKMQRSWXgijlt017"


def difference(one, other):
    """Share of the ink that differs, after the smallest blur that forgives a pixel's edge."""
    a, b = (cv2.GaussianBlur(network_input(image), (3, 3), 0) for image in (one, other))
    return float(np.abs(a - b).sum() / max(a.sum(), b.sum()))


@pytest.fixture(params=CHARACTERS)
def strokes(request):
    return letter_strokes(request.param)


def ink_at(strokes, size, pen=0.07):
    return render_strokes(strokes, size=size, pen=pen)


def centre_of_box(level):
    ys, xs = np.nonzero(level > 0.5)
    return (xs.min() + xs.max()) / 2, (ys.min() + ys.max()) / 2


def test_shape_range_and_fill(strokes):
    level = network_input(ink_at(strokes, 100))
    assert level.shape == (SIDE, SIDE)
    assert level.dtype == np.float32
    assert level.min() == 0
    assert level.max() == pytest.approx(1, abs=0.02)
    ys, xs = np.nonzero(level > 0.5)
    longest = max(np.ptp(ys), np.ptp(xs)) + 1
    assert 0.7 * SIDE <= longest <= 0.9 * SIDE
    assert centre_of_box(level) == pytest.approx(((SIDE - 1) / 2,) * 2, abs=1)


@pytest.mark.parametrize("size", [40, 64, 250, 1500])
def test_size_does_not_matter(strokes, size):
    assert difference(ink_at(strokes, 100), ink_at(strokes, size)) < 0.2


def test_place_does_not_matter(strokes):
    ink = ink_at(strokes, 80)
    scene = np.zeros((300, 400), np.uint8)
    scene[190 : 190 + ink.shape[0], 20 : 20 + ink.shape[1]] = ink
    assert difference(ink, scene) < 0.02


@pytest.mark.parametrize("pen", [0.025, 0.12])
def test_pen_width_does_not_matter(strokes, pen):
    assert difference(ink_at(strokes, 120), ink_at(strokes, 120, pen)) < 0.28


def test_soft_and_binary_ink_are_alike(strokes):
    soft = cv2.GaussianBlur(ink_at(strokes, 80), (0, 0), 1.2)
    binary = np.where(ink_at(strokes, 80) > 127, 255, 0).astype(np.uint8)
    assert difference(soft, binary) < 0.25


def test_low_contrast_is_not_blank(strokes):
    ink = ink_at(strokes, 80)
    assert difference(ink, (ink // 6)) < 0.15


def test_grey_ground_is_removed(strokes):
    ink = ink_at(strokes, 80)
    grey = np.pad(np.maximum(ink, 90), 40, constant_values=90).astype(np.uint8)
    assert difference(ink, grey) < 0.25


@pytest.mark.parametrize("size", [60, 150, 1200])
def test_an_inverted_photo_in_uneven_light_is_read_as_its_ink(strokes, size):
    ink = np.pad(ink_at(strokes, size), size // 3)
    h, w = ink.shape
    light = np.linspace(90, 240, w)[None] * np.linspace(1.0, 0.7, h)[:, None]
    noise = np.random.default_rng(0).normal(0, 3, ink.shape)
    photo = (light * (1 - 0.6 * ink / 255) + noise).clip(0, 255).astype(np.uint8)
    photo[-2:, : w // 2] = 0  # an edge of the table
    assert difference(ink, 255 - photo) < 0.3


@pytest.mark.parametrize(
    ("light", "dark", "noise"),
    [
        ((80, 130), 0.5, 2),  # in the dark: all of the inverted photo is bright
        ((170, 420), 0.5, 4),  # most of the paper blown out to white
    ],
)
def test_a_photo_that_is_too_dark_or_too_bright_is_read_as_its_ink(strokes, light, dark, noise):
    ink = np.pad(ink_at(strokes, 70), 40)
    shade = np.linspace(*light, ink.shape[1])[None]
    grain = np.random.default_rng(1).normal(0, noise, ink.shape)
    photo = (shade * (1 - dark * ink / 255) + grain).clip(0, 255).astype(np.uint8)
    assert difference(ink, 255 - photo) < 0.3


def test_what_a_faint_pen_left_apart_is_one_character_in_a_photo():
    ink = np.zeros((120, 120), np.uint8)
    cv2.line(ink, (35, 25), (35, 95), 255, 5)
    cv2.line(ink, (75, 25), (75, 95), 255, 5)
    cv2.line(ink, (45, 60), (75, 60), 255, 5)
    ink[:, :3] = 255  # the edge of the table is no part of it
    photo = (190 - 0.5 * ink + np.random.default_rng(0).normal(0, 2, ink.shape)).astype(np.uint8)
    assert difference(ink[20:100, 30:80], 255 - photo) < 0.3


@pytest.mark.parametrize("shape", [(28, 28), (20, 16), (16, 8)])
def test_thin_strokes_of_coarse_bitmaps_stay_whole(shape):
    bitmap = np.zeros(shape, np.uint8)
    h, w = shape
    cv2.line(bitmap, (1, 1), (w - 2, h - 2), 255, 1)
    cv2.line(bitmap, (1, h - 2), (w - 2, 1), 255, 1)
    level = network_input(bitmap)
    parts = cv2.connectedComponents((level > 0.3).astype(np.uint8))[0] - 1
    assert parts == 1


def test_aspect_is_kept():
    upright = network_input(np.full((90, 6), 255, np.uint8))
    lying = network_input(np.full((6, 90), 255, np.uint8))
    ys, xs = np.nonzero(upright > 0.5)
    assert np.ptp(ys) + 1 >= 0.7 * SIDE
    assert 2 <= np.ptp(xs) + 1 <= 4
    np.testing.assert_allclose(upright, lying.T, atol=0.02)


def test_far_specks_do_not_shrink_the_letter(strokes):
    ink = ink_at(strokes, 80)
    dirty = np.pad(ink, 60)
    for y, x in ((5, 8), (10, dirty.shape[1] - 12), (dirty.shape[0] - 8, 20)):
        dirty[y : y + 3, x : x + 3] = 255
    assert difference(ink, dirty) < 0.22


@pytest.mark.parametrize("character", "ij")
def test_dots_of_i_and_j_stay(character):
    level = network_input(ink_at(letter_strokes(character), 90))
    assert cv2.connectedComponents((level > 0.5).astype(np.uint8))[0] - 1 == 2


@pytest.mark.parametrize("shape", [(1, 1), (7, 3), (200, 300)])
def test_blank_gives_zeros(shape):
    assert not network_input(np.zeros(shape, np.uint8)).any()


@pytest.mark.parametrize("shape", [(1, 1), (1, 300), (300, 1), (2, 2), (3000, 4000)])
def test_solid_ink_of_any_size(shape):
    level = network_input(np.full(shape, 255, np.uint8))
    assert level.max() == pytest.approx(1, abs=0.02)
    assert centre_of_box(level) == pytest.approx(((SIDE - 1) / 2,) * 2, abs=1)


@pytest.mark.parametrize("shape", [(1, 1), (1, 4), (4, 1), (2, 2), (3, 7)])
def test_a_few_grey_pixels_give_ink(shape):
    image = np.full(shape, 40, np.uint8)
    image[0, 0] = 200
    assert network_input(image).max() > 0.9


def test_the_image_is_left_alone(strokes):
    ink = np.pad(ink_at(strokes, 80), 30)
    ink[2:4, 2:4] = 255
    before = ink.copy()
    network_input(ink)
    np.testing.assert_array_equal(ink, before)


def test_views_are_taken():
    ink = ink_at(letter_strokes("R"), 80)
    np.testing.assert_array_equal(
        network_input(ink[:, ::-1]), network_input(np.ascontiguousarray(ink[:, ::-1]))
    )


@pytest.mark.parametrize(
    "image",
    [
        np.zeros((0, 5), np.uint8),
        np.zeros((5, 5, 3), np.uint8),
        np.zeros((5, 5), np.float32),
        np.zeros(5, np.uint8),
        [[0, 255]],
    ],
)
def test_other_arrays_are_refused(image):
    with pytest.raises(HcrError, match="Ink must"):
        network_input(image)
