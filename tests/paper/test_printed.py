import numpy as np
import pytest

from generator.kinds import KINDS
from generator.letters import letter_strokes
from generator.scenes import draw_scene
from generator.sheet import SheetStyle, sheet_image
from hcr_live.frame import Box
from hcr_live.paper.page import locate
from hcr_live.paper.printed import is_joined, is_print, printed
from tests.paper.drawn import overlap


def parts(page):
    """Return boxes on the paper, inks and lines of what was located."""
    glyphs = page.glyphs
    return [g.flat or g.box for g in glyphs], [g.ink for g in glyphs], [g.line for g in glyphs]


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


@pytest.mark.parametrize("kind", ["printed page", "printed page sideways", "screen"])
@pytest.mark.parametrize("seed", [0, 3])
def test_words_of_print_are_no_characters(kind, seed):
    page = locate(draw_scene(kind, seed=seed))
    assert not page.glyphs or is_joined(parts(page)[0])
    assert printed(*parts(page)).all()


@pytest.mark.parametrize("letter", ["LARGE PRINT IS READ", "large print is read"])
def test_a_page_of_large_print_is_print(letter):
    from generator import wear

    paper = np.full((900, 1200, 3), 245, np.uint8)
    for row in range(7):
        wear.type_text(paper, f"{letter} {letter}", (60, 130 + 110 * row), 44, (30, 30, 30))
    boxes, inks, lines = parts(locate(paper))
    assert len(boxes) > 100
    assert not is_joined(boxes)
    assert is_print(boxes, inks, lines)


@pytest.mark.parametrize("copies", [False, True], ids=["as one writes", "copies"])
@pytest.mark.parametrize("text", [TEXT, FULL], ids=["some", "a page full"])
@pytest.mark.parametrize("kind", ["plain", "felt"])
def test_neat_handwriting_is_never_print(kind, text, copies):
    drawn = handwritten(text, 5, KINDS[kind], copies=copies)
    page = locate(drawn.image)
    assert len(page.glyphs) > 0.9 * len(drawn.boxes)
    assert not printed(*parts(page)).any()


def test_ones_and_ls_are_no_words_that_lie_on_their_side():
    drawn = handwritten("1111 IIl1\nIIII l1I1", 2, SheetStyle(writing=0.1))
    boxes = parts(locate(drawn.image))[0]
    assert len(boxes) > 12
    assert not is_joined(boxes)


def test_small_print_beside_handwriting_is_left_out():
    drawn = handwritten(TEXT, 3, KINDS["small print"])
    page = locate(drawn.image)
    out = printed(*parts(page))
    by_hand = np.array(
        [max(overlap(glyph.box, box) for box in drawn.boxes) > 0.4 for glyph in page.glyphs]
    )
    assert by_hand.sum() > 0.9 * len(drawn.boxes)
    assert not (out & by_hand).any()
    assert (out & ~by_hand).any()


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
