import cv2
import numpy as np
import pytest

from generator.kinds import KINDS
from generator.letters import letter_strokes
from generator.sheet import SheetStyle, sheet_image
from generator.writing import on_line
from hcr_live.frame import Box
from hcr_live.paper.binarise import binarise
from hcr_live.paper.components import find_characters
from hcr_live.paper.layout import arrange, skew
from hcr_live.paper.page import locate
from hcr_live.paper.printed import is_joined, is_lettering, is_print, printed


def parts(picture, outline=None):
    """Return boxes on the straightened paper, inks and lines of all ink in reading order."""
    if outline is not None:
        size = np.linalg.norm(outline[[1, 3]] - outline[0], axis=1).astype(int) - 8
        corners = np.array([[0, 0], [size[0], 0], size, [0, size[1]]], np.float32)
        inner = outline + 4 * np.sign(outline.mean(axis=0) - outline)
        flat = cv2.getPerspectiveTransform(inner.astype(np.float32), corners)
        picture = cv2.warpPerspective(picture, flat, size.tolist())
    characters = find_characters(binarise(picture))
    boxes = [character.box for character in characters]
    order = arrange(boxes, skew(boxes))
    inks = [characters[index].ink for index, _, _ in order]
    return [boxes[index] for index, _, _ in order], inks, [line for _, line, _ in order]


def handwritten(text, seed, style, *, copies=False):
    """Draw a sheet; with copies, a letter is written once and the same wherever it comes again."""
    rng = np.random.default_rng(seed)
    once = {c: letter_strokes(c, rng) for c in sorted(set(text))if c.isalnum()}  # fmt: skip
    lines = [
        [None if c == " " else once[c] if copies else letter_strokes(c, rng) for c in line]
        for line in text.split("\n")
    ]
    return sheet_image(lines, seed=seed, style=style)


TEXT = "HELLO 42 WORLD\nABCDE FGHIJ 0123\nKLMNOPQR STUV\nWXYZ 456 789"
FULL = "\n".join(["SOME OF IT IS HERE", "ALL THE REST THERE", "NOTHING ELSE IS LEFT"] * 2)


@pytest.mark.parametrize("tilt", [4, 93, 184], ids=["upright", "sideways", "upside down"])
@pytest.mark.parametrize("seed", [0, 3])
def test_words_of_print_are_no_characters(tilt, seed):
    style = SheetStyle(printed="page", height=0.8, aspect=0.8, tilt=tilt)
    drawn = sheet_image([], seed=seed, style=style)
    boxes, inks, lines = parts(drawn.image, drawn.outline)
    assert len(boxes) > 60
    assert is_joined(boxes)
    assert printed(boxes, inks, lines).all()
    assert locate(drawn.image).glyphs == ()


@pytest.mark.parametrize("letter", ["LARGE PRINT IS READ", "large print is read"])
def test_a_page_of_large_print_is_print(letter):
    from generator import wear

    paper = np.full((900, 1200, 3), 245, np.uint8)
    for row in range(7):
        wear.type_text(paper, f"{letter} {letter}", (60, 130 + 110 * row), 44, (30, 30, 30))
    boxes, inks, lines = parts(paper)
    assert len(boxes) > 100
    assert not is_joined(boxes)
    assert is_print(boxes, inks, lines)


@pytest.mark.parametrize(
    ("text", "copies"),
    [(TEXT, False), (TEXT, True), (FULL, False)],
    ids=["some", "some, of copies", "a page full"],
)
@pytest.mark.parametrize("kind", ["plain", "felt"])
def test_neat_handwriting_is_never_print(kind, text, copies):
    drawn = handwritten(text, 5, KINDS[kind], copies=copies)
    boxes, inks, lines = parts(drawn.image, drawn.outline)
    assert len(boxes) > 0.9 * len(drawn.boxes)
    assert not printed(boxes, inks, lines).any()


@pytest.mark.parametrize("word", ["THE MENU", "Fresh bread", "HOTEL 42"])
@pytest.mark.parametrize(("size", "weight"), [(60, 800), (90, 600), (130, 800)])
def test_a_few_large_printed_letters_are_print(word, size, weight):
    from generator import wear

    paper = np.full((300, 1000, 3), 240, np.uint8)
    wear.type_text(paper, word, (60, 190), size, (40, 30, 30), weight=weight)
    inks = parts(paper)[1]
    assert len(inks) >= 6
    assert is_lettering(inks)


@pytest.mark.parametrize("kind", ["plain", "marker", "pencil", "whiteboard", "ruled"])
@pytest.mark.parametrize("text", [TEXT, "HI TIM", "ELF 114"], ids=["lines", "word", "straight"])
def test_upright_handwriting_is_no_lettering(kind, text):
    drawn = handwritten(text, 4, KINDS[kind], copies=True)
    assert not is_lettering(parts(drawn.image, drawn.outline)[1])


def test_block_capitals_drawn_with_a_ruler_are_no_lettering():
    rng = np.random.default_rng(6)
    straight = {
        "H": [[(0, 0), (0, 1)], [(0.8, 0), (0.8, 1)], [(0, 0.5), (0.8, 0.5)]],
        "E": [[(0.8, 0), (0, 0), (0, 1), (0.8, 1)], [(0, 0.5), (0.6, 0.5)]],
        "L": [[(0, 0), (0, 1), (0.7, 1)]],
        "T": [[(0, 0), (0.9, 0)], [(0.45, 0), (0.45, 1)]],
    }
    line = [
        on_line(c, [100 * np.array(way) + rng.normal(0, 3, (len(way), 2)) for way in straight[c]])
        for c in "HELTETHL"
    ]
    drawn = sheet_image([line], seed=6, style=SheetStyle(writing=0.12, pen="felt", spacing=0.5))
    inks = parts(drawn.image, drawn.outline)[1]
    assert len(inks) >= 8
    assert not is_lettering(inks)


def test_ones_and_ls_are_no_words_that_lie_on_their_side():
    drawn = handwritten("1111 IIl1\nIIII l1I1", 2, SheetStyle(writing=0.1))
    boxes = parts(drawn.image, drawn.outline)[0]
    assert len(boxes) > 12
    assert not is_joined(boxes)


def test_small_print_beside_handwriting_is_left_out():
    drawn = handwritten(TEXT, 3, KINDS["small print"])
    boxes, inks, lines = parts(drawn.image, drawn.outline)
    out = printed(boxes, inks, lines)
    height = np.array([box.h for box in boxes])
    assert len(drawn.boxes) - 2 <= np.count_nonzero(~out & (height > 30)) <= len(drawn.boxes)
    assert not out[height > 30].any()
    assert np.count_nonzero(out) >= 3


def test_small_letters_are_no_small_print():
    boxes = [Box(40 * k, 0, 28, 60) for k in range(8)] + [
        Box(40 * k, 120, 26, 25) for k in range(8)
    ]
    inks = [np.full((box.h, box.w), 255, np.uint8) for box in boxes]
    assert not printed(boxes, inks, [0] * 8 + [1] * 8).any()


def test_an_empty_page_has_no_print():
    assert printed([], [], []).shape == (0,)
    assert not is_joined([])
    assert not is_print([], [], [])
    assert not is_lettering([])
