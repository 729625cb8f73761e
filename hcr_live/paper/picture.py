"""One picture, read as a whole: located, turned the right way up, cut into characters."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from hcr_live.alphabet import Alphabet
from hcr_live.frame import Box
from hcr_live.paper.context import in_context
from hcr_live.paper.orientation import Classify, quarter_turns
from hcr_live.paper.page import Page, locate, turned


def read_picture(
    image: NDArray[np.uint8],
    classify: Classify,
    alphabet: Alphabet,
    region: Box | None = None,
) -> tuple[Page, NDArray[np.float32]]:
    """Return what is written in a picture, and what the network says of each character.

    Args:
        image: uint8 (height, width, 3), BGR.
        classify: The network.
        alphabet: What can be written.
        region: Read only this part, as paper.

    Returns:
        The page and float32 (glyphs, 62), each character by itself; see `answers`.
    """
    page = locate(image, region)
    rows = classify([glyph.ink for glyph in page.glyphs])
    turns = quarter_turns(page, rows, classify, alphabet)
    if turns:
        page = turned(page, turns)
        rows = classify([glyph.ink for glyph in page.glyphs])
    return page, rows


def answers(
    probabilities: NDArray[np.float32],
    boxes: Sequence[Box],
    lines: Sequence[int],
    words: Sequence[int],
    alphabet: Alphabet,
) -> NDArray[np.float32]:
    """Return what the characters of a page are held to be, each beside the others.

    Args:
        probabilities: float32 (n, 62), what the network says of each by itself.
        boxes: On the straightened paper, in reading order.
        lines: Line number of each.
        words: Word number of each within its line.
        alphabet: What can be written.

    Returns:
        float32 (n, k) over the alphabet's labels, rows sum to 1.
    """
    return alphabet.project(in_context(probabilities, boxes, lines, words, alphabet))
