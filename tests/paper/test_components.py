from __future__ import annotations

import cv2
import numpy as np
import pytest

from hcr_live.paper.components import find_characters


def drawn(*lines, width=5, shape=(200, 400)):
    ink = np.zeros(shape, np.uint8)
    for start, end in lines:
        cv2.line(ink, start, end, 255, width)
    return ink


E_APART = [
    ((100, 60), (100, 140)),
    ((110, 60), (150, 60)),
    ((110, 100), (145, 100)),
    ((110, 140), (150, 140)),
]
A_STROKE = [((220, 60), (220, 140))]


@pytest.mark.parametrize(
    ("parts", "count"),
    [
        ([((100, 85), (100, 140)), ((100, 62), (101, 64)), *A_STROKE], 2),
        ([*E_APART, *A_STROKE], 2),
        ([((100, 60), (100, 95)), ((101, 103), (101, 140)), *A_STROKE], 2),
        (
            [((80, 60), (80, 140)), ((88, 100), (117, 100)), ((125, 60), (125, 140)), *A_STROKE],
            2,
        ),
        ([((100, 60), (100, 140)), ((130, 60), (130, 140))], 2),
    ],
    ids=["dot of i", "bars of E", "broken stroke", "bar of H", "two strokes are two"],
)
def test_pieces_are_grouped(parts, count):
    assert len(find_characters(drawn(*parts))) == count


def test_the_ink_of_a_character_is_tight_and_its_own():
    ink = drawn(*E_APART, *A_STROKE)
    letter = min(find_characters(ink), key=lambda c: c.box.x)
    x, y, w, h = letter.box
    assert letter.ink.shape == (h, w)
    assert letter.ink[0].any()
    assert letter.ink[-1].any()
    assert letter.ink[:, 0].any()
    assert letter.ink[:, -1].any()
    assert np.array_equal(letter.ink, ink[y : y + h, x : x + w])


def test_fingers_edges_specks_and_blots_are_no_characters():
    ink = drawn(*A_STROKE)
    cv2.circle(ink, (60, 199), 40, 255, -1)
    cv2.line(ink, (399, 0), (392, 199), 255, 3)
    cv2.circle(ink, (330, 100), 35, 255, -1)
    ink[20:22, 300:302] = 255
    found = find_characters(ink)
    assert [c.box.x for c in found] == [217]


def test_a_tight_crop_keeps_the_letter_that_touches_its_border():
    ink = drawn(((2, 0), (50, 99)), ((97, 0), (50, 99)), shape=(100, 100))
    assert len(find_characters(ink, framed=False)) == 1


def test_ink_on_another_thing_is_left_out():
    ink = drawn(*A_STROKE, ((100, 60), (100, 140)))
    ground = np.full(ink.shape, 255, np.uint8)
    ground[ink > 0] = 127
    ground[:, 160:] = 0
    found = find_characters(ink, ground=ground)
    assert [c.box.x for c in found] == [97]


def test_ground_between_fingers_is_no_ink():
    ink = drawn(*A_STROKE, ((100, 60), (100, 140)))
    ground = np.full(ink.shape, 255, np.uint8)
    ground[:, 160:][ink[:, 160:] > 0] = 127
    found = find_characters(ink, ground=ground)
    assert [c.box.x for c in found] == [217]


@pytest.mark.parametrize("width", [2, 5, 9])
def test_small_letters_of_any_pen_are_found_beside_large_ones(width):
    ring = np.zeros((200, 400), np.uint8)
    for left in (150, 200, 250):
        cv2.circle(ring, (left, 120), 14, 255, width)
    found = find_characters(drawn(((60, 60), (60, 134)), width=width) | ring)
    assert sorted(c.box.x + c.box.w // 2 for c in found) == [60, 150, 200, 250]


def test_a_headline_and_small_print_are_both_found():
    ink = drawn(*(((x, 20), (x + 30, 110)) for x in (40, 120, 200)), width=8, shape=(200, 400))
    small = [((x, 150), (x + 5, 166)) for x in range(40, 200, 20)]
    assert len(find_characters(ink | drawn(*small, width=2))) == 3 + len(small)


def test_specks_beside_large_letters_are_no_small_print():
    ink = drawn(*(((x, 20), (x + 30, 110)) for x in (40, 120, 200)), width=8, shape=(200, 400))
    specks = [((x, y), (x + 5, y + 8)) for x, y in ((60, 150), (330, 60), (250, 180))]
    assert len(find_characters(ink | drawn(*specks, width=3))) == 3


def test_a_hair_is_no_character():
    letters = drawn(*(((x, 80), (x + 15, 120)) for x in (60, 120, 180, 240)), width=5)
    along = np.linspace(0, 1, 200)
    hair = np.stack([320 - 60 * np.sin(5 * along), 15 + 170 * along], axis=1)
    ink = letters.copy()
    cv2.polylines(ink, [np.round(hair).astype(np.int32)], False, 255, 1)
    assert len(find_characters(letters)) == len(find_characters(ink)) == 4


def test_characters_that_stand_close_are_not_joined():
    assert len(find_characters(drawn(((100, 60), (100, 140)), ((112, 60), (130, 140))))) == 2


def test_no_ink_and_all_ink_have_no_characters():
    assert find_characters(np.zeros((50, 50), np.uint8)) == []
    assert find_characters(np.full((50, 50), 255, np.uint8)) == []
