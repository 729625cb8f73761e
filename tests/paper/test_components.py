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


def test_no_ink_and_all_ink_have_no_characters():
    assert find_characters(np.zeros((50, 50), np.uint8)) == []
    assert find_characters(np.full((50, 50), 255, np.uint8)) == []
