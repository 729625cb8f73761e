"""Characters for the tests of paper."""

from __future__ import annotations

import numpy as np

from generator.letters import letter_strokes
from generator.sheet import SheetImage


def lines_of_strokes(text: str, seed: int = 0):
    """Return our own strokes of each character; lines are parted by newlines."""
    rng = np.random.default_rng(seed)
    return [[letter_strokes(c, rng) for c in line] for line in text.split("\n")]


def overlap(a, b) -> float:
    """Return intersection over union of two boxes."""
    w = min(a.x + a.w, b.x + b.w) - max(a.x, b.x)
    h = min(a.y + a.h, b.y + b.h) - max(a.y, b.y)
    common = max(0, w) * max(0, h)
    return common / (a.w * a.h + b.w * b.h - common)


def assert_located(page, drawn: SheetImage) -> None:
    """Every character is found once, where it is, in reading order and on its line."""
    assert len(page.glyphs) == len(drawn.boxes)
    for glyph, box, line in zip(page.glyphs, drawn.boxes, drawn.lines, strict=True):
        assert overlap(glyph.box, box) > 0.6
        assert glyph.line == line
