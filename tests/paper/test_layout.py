from __future__ import annotations

import numpy as np
import pytest

from hcr_live.frame import Box
from hcr_live.paper.layout import arrange, skew


def row(y, xs, w=30, h=40):
    return [Box(x, y, w, h) for x in xs]


def test_lines_come_top_to_bottom_and_characters_left_to_right():
    boxes = [*row(100, [200, 0, 100]), *row(10, [100, 0])]
    assert [index for index, _, _ in arrange(boxes)] == [4, 3, 1, 2, 0]
    assert [line for _, line, _ in arrange(boxes)] == [0, 0, 1, 1, 1]


def test_a_wide_gap_parts_words():
    boxes = row(0, [0, 40, 80, 160, 200])
    assert [word for _, _, word in arrange(boxes)] == [0, 0, 0, 1, 1]


def test_evenly_spread_characters_are_one_word():
    assert {word for _, _, word in arrange(row(0, [0, 80, 160, 240]))} == {0}


@pytest.mark.parametrize("degrees", [-18, -6, 9, 18])
def test_slanting_lines_stay_lines(degrees):
    rise = np.tan(np.radians(degrees))
    boxes = [Box(x, round(y + rise * x), 30, 40) for y in (400, 480) for x in range(0, 500, 50)]
    slope = skew(boxes)
    assert slope == pytest.approx(degrees, abs=1.5)
    order = arrange(boxes, slope)
    assert [index for index, _, _ in order] == list(range(20))
    assert [line for _, line, _ in order] == [0] * 10 + [1] * 10


def test_small_letters_and_descenders_stay_on_their_line():
    boxes = [Box(0, 0, 30, 40), Box(40, 18, 20, 22), Box(70, 18, 20, 34), Box(100, 0, 20, 40)]
    assert {line for _, line, _ in arrange(boxes)} == {0}


def test_nothing_is_nothing():
    assert arrange([]) == []
    assert skew([]) == 0.0
