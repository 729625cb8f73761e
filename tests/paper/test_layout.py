from __future__ import annotations

import cv2
import numpy as np
import pytest

from generator.letters import letter_strokes
from hcr_live.frame import Box
from hcr_live.paper.layout import arrange, skew, straightened


def row(y, xs, w=30, h=40):
    return [Box(x, y, w, h) for x in xs]


def written(text, *, pitch=1.7, degrees=0.0, sizes=None, bend=None, slant=0.0, gap=0.2, seed=0):
    """Return boxes and inks of our own characters, shuffled, and the place of each in the text.

    Capitals are 40 pixels high; `bend` is how far a line falls, in pixels, after so many.
    """
    rng = np.random.default_rng(seed)
    turn = np.radians(degrees)
    to_page = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    boxes, inks, y = [], [], 0.0
    for number, line in enumerate(text.split("\n")):
        size, x = 40 * (sizes[number] if sizes else 1.0), 0.0
        y += pitch * size
        for character in line:
            if character == " ":
                x += 0.6 * size
                continue
            strokes = letter_strokes(character, rng)
            start, end = np.concatenate(strokes)[:, 0].min(), np.concatenate(strokes)[:, 0].max()
            at = (x, y + rng.normal(0, 0.02) * size + (bend(x) if bend else 0.0))
            shape = np.array([[1, 0], [-slant, 1]])
            paths = [((s - (start, 1)) @ shape * size + at) @ to_page for s in strokes]
            low = np.floor(np.concatenate(paths).min(axis=0)) - 3
            side = np.ceil(np.concatenate(paths).max(axis=0) - low).astype(int) + 3
            ink = np.zeros(side[::-1], np.uint8)
            for path in paths:
                cv2.polylines(ink, [np.rint(path - low).astype(np.int32)], False, 255, 3)
            left, top, w, h = cv2.boundingRect(ink)
            boxes.append(Box(int(low[0]) + left, int(low[1]) + top, w, h))
            inks.append(ink[top : top + h, left : left + w])
            x += (end - start + gap) * size
    order = rng.permutation(len(boxes)).tolist()
    return [boxes[i] for i in order], [inks[i] for i in order], order


def read(text, **style):
    """Return the text as its boxes are arranged."""
    boxes, inks, order = written(text, **style)
    slope = skew(boxes)
    if abs(slope) > 4:
        boxes, inks = straightened(boxes, inks, slope)
        slope = 0.0
    characters = [c for c in text if not c.isspace()]
    read, before = "", (0, 0)
    for index, line, word in arrange(boxes, slope, inks):
        read += "\n" if line != before[0] else " " if word != before[1] else ""
        read += characters[order[index]]
        before = (line, word)
    return read


TEXT = "The quick brown fox\njumps 13 times over\nmy lazy dog and\nrolls"


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


@pytest.mark.parametrize("degrees", [-44, -30, 0, 25, 38, 45])
def test_paper_may_be_turned_by_up_to_45_degrees(degrees):
    boxes, *_ = written(TEXT, degrees=degrees)
    assert skew(boxes) == pytest.approx(degrees, abs=3)
    assert read(TEXT, degrees=degrees) == TEXT


def test_boxes_alone_tell_order_and_lines_of_turned_paper():
    boxes, _, order = written(TEXT, degrees=40)
    arranged = arrange(boxes, skew(boxes))
    assert [order[index] for index, _, _ in arranged] == list(range(len(boxes)))
    lines = "".join(str(n) * len(line.replace(" ", "")) for n, line in enumerate(TEXT.split("\n")))
    assert "".join(str(line) for _, line, _ in arranged) == lines


@pytest.mark.parametrize(
    "bend",
    [
        lambda x: 60 * ((x - 400) / 400) ** 2,
        lambda x: -60 * ((x - 400) / 400) ** 2,
        lambda x: 15 * np.sin(x / 80),
        lambda x: -0.2 * x + 25 * np.sin(x / 150),
    ],
    ids=["bulges", "sags", "waves", "climbs in waves"],
)
def test_lines_may_bend(bend):
    assert read(TEXT, bend=bend) == TEXT


def test_lines_nearly_touch():
    text = "happy people jog by\nthe high hills daily\ngrab all light bulbs"
    assert read(text, pitch=1.35) == text


def test_lines_differ_in_size():
    text = "BIG SALE\nall of it must go today\nHURRY"
    assert read(text, sizes=(2.2, 1.0, 1.5)) == text


def test_twelve_lines_and_one():
    text = "\n".join(f"line {word} of 12" for word in "abcdefghijkl")
    assert read(text) == text
    assert read("Hi") == "Hi"


@pytest.mark.parametrize("gap", [0.1, 0.25, 0.5])
def test_spaces_come_from_the_gaps_of_the_line(gap):
    text = "ALL OF US\nTAKE 2 OR 3\nA DAY"
    assert read(text, gap=gap) == text


@pytest.mark.parametrize("slant", [-0.25, 0.4])
def test_slanted_writing_keeps_its_spaces(slant):
    text = "THE HUNT IN THE MINE\nis on at last"
    assert read(text, slant=slant) == text


def test_each_line_has_its_own_gaps():
    boxes = [*row(0, [0, 80, 160, 240]), *row(100, [0, 36, 72, 134, 170])]
    words = [(line, word) for _, line, word in arrange(boxes)]
    assert words == [(0, 0)] * 4 + [(1, 0)] * 3 + [(1, 1)] * 2


def test_a_comma_and_a_dot_belong_to_the_line_they_are_on():
    line, below = row(0, [0, 40, 80, 120]), row(70, [0, 40, 80])
    comma, dot = Box(71, 34, 6, 12), Box(118, -8, 5, 5)
    boxes = [*line, *below, comma, dot]
    order = arrange(boxes)
    assert [index for index, number, _ in order if number == 0] == [0, 1, 7, 2, 8, 3]
    assert len({number for _, number, _ in order}) == 2


def test_columns_are_read_one_after_the_other_and_rows_across():
    columns = [Box(x + c * 500, y, 30, 40) for c in (0, 1) for y in (0, 80) for x in (0, 40, 80)]
    assert [index for index, _, _ in arrange(columns)] == list(range(12))
    assert [line for _, line, _ in arrange(columns)] == [0] * 3 + [1] * 3 + [2] * 3 + [3] * 3
    spread = [Box(x, y, 30, 40) for y in (0, 80, 160) for x in (0, 160, 320)]
    assert [index for index, _, _ in arrange(spread)] == list(range(9))
    beside = [*row(0, [0, 40, 80]), *row(6, [300, 340, 380])]
    assert [(line, word) for _, line, word in arrange(beside)] == [(0, 0)] * 3 + [(0, 1)] * 3


@pytest.mark.parametrize("degrees", [20, -40])
def test_straightened_characters_are_those_of_the_level_page(degrees):
    upright, *_ = written(TEXT)
    boxes, inks, _ = written(TEXT, degrees=degrees)
    boxes, inks = straightened(boxes, inks, degrees)
    shift = np.array(boxes[0][:2]) - upright[0][:2]
    for box, ink, expected in zip(boxes, inks, upright, strict=True):
        assert ink.shape == (box.h, box.w)
        assert np.array(box[:2]) - shift == pytest.approx(np.array(expected[:2]), abs=5)
        assert box[2:] == pytest.approx(expected[2:], abs=4)


def test_every_box_is_arranged_once_wherever_it_is():
    rng = np.random.default_rng(0)
    for count in [2] * 20 + [7] * 20 + [60] * 5:
        corners, sides = rng.integers(0, 200, (count, 2)), rng.integers(1, 90, (count, 2))
        boxes = [Box(*row) for row in np.concatenate([corners, sides], axis=1).tolist()]
        arranged = arrange(boxes, skew(boxes))
        assert sorted(index for index, _, _ in arranged) == list(range(count))
        numbers = [line for _, line, _ in arranged]
        assert numbers == sorted(numbers)


def test_nothing_is_nothing():
    assert arrange([]) == []
    assert skew([]) == 0.0
