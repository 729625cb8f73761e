import numpy as np
import pytest

from generator.letters import letter_strokes
from train.augment import air, ink, strokes
from train.augment.paths import unit


def _written(label):
    return tuple(np.asarray(path, np.float32) * 300 + 40 for path in letter_strokes(label))


@pytest.mark.parametrize("hand", [strokes, air])
def test_variations_differ_and_leave_their_input_alone(hand):
    written = _written("A")
    before = [path.copy() for path in written]
    rng = np.random.default_rng(1)
    drawn = [ink.draw(hand.vary(written, rng), rng) for _ in range(30)]
    assert len({image.tobytes() for image in drawn}) == 30
    assert all(image.dtype == np.uint8 and image.any() for image in drawn)
    for path, old in zip(written, before, strict=True):
        np.testing.assert_array_equal(path, old)


@pytest.mark.parametrize("hand", [strokes, air])
@pytest.mark.parametrize(
    "written",
    [
        pytest.param(((5, 5),), id="a dot"),
        pytest.param(((5, 5), (5, 5), (5, 5)), id="a pen at rest"),
        pytest.param(((0, 0), (0, 90)), id="two points"),
        pytest.param(((3, 0), (3, 40), (3, 41), (9, 90)), id="few points"),
    ],
)
def test_little_ink_stays_ink(hand, written):
    content = (np.array(written, np.float32), np.array([[1, 1]], np.float32))
    rng = np.random.default_rng(2)
    for _ in range(40):
        paths = hand.vary(content, rng)
        assert paths
        assert all(p.dtype == np.float32 and p.ndim == 2 and p.shape[1] == 2 for p in paths)
        assert all(len(p) and np.isfinite(p).all() for p in paths)


def test_the_same_seed_gives_the_same_hand():
    for hand in (strokes, air):
        one, other = (hand.vary(_written("K"), np.random.default_rng(7)) for _ in range(2))
        for path, again in zip(one, other, strict=True):
            np.testing.assert_array_equal(path, again)


def test_the_size_of_the_source_does_not_matter():
    large = tuple(path * 10 for path in _written("B"))
    one, other = (strokes.vary(w, np.random.default_rng(3)) for w in (_written("B"), large))
    for path, again in zip(one, other, strict=True):
        np.testing.assert_allclose(path, again, atol=0.02)


def test_the_dot_of_an_i_stays_a_small_mark_above_the_stem():
    rng = np.random.default_rng(4)
    for _ in range(50):
        paths = strokes.vary(_written("i"), rng)
        stem, dot = sorted(paths, key=lambda path: -np.ptp(path[:, 1]))[:2]
        assert np.ptp(dot, axis=0).max() < 0.35
        assert dot[:, 1].mean() < stem[:, 1].mean()


def test_a_mixture_lies_between_two_versions_whatever_their_stroke_order():
    narrow = _written("T")
    wide = tuple((path * (1.5, 1))[::-1].astype(np.float32) for path in reversed(narrow))
    rng = np.random.default_rng(5)
    widths = [_width(strokes.mixed(narrow, wide, rng)) for _ in range(20)]
    low, high = _width(narrow), _width(wide)
    assert all(low - 0.02 <= width <= high + 0.02 for width in widths)
    assert max(widths) - min(widths) > 0.1 * (high - low)


def test_forms_with_other_strokes_are_not_mixed_point_by_point():
    serif = _written("I")
    plain = (np.array([[0, 0], [0, 1]], np.float32),)
    mixed = strokes.mixed(serif, plain, np.random.default_rng(6))
    assert len(mixed) == len(serif)
    for path, old in zip(mixed, unit(serif), strict=True):
        np.testing.assert_array_equal(path, old)


def _width(paths):
    return float(np.ptp(np.concatenate(unit(paths)), axis=0)[0])
