"""One picture, read as a whole: located, turned the right way up, cut into characters."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

import cv2
import numpy as np
from numpy.typing import NDArray

from hcr_live.alphabet import CLASSES, Alphabet
from hcr_live.frame import Box
from hcr_live.paper.context import in_context
from hcr_live.paper.orientation import quarter_turns
from hcr_live.paper.page import Glyph, Page, locate, pen_width, turned
from hcr_live.paper.printed import is_lettering
from hcr_live.paper.segment import Segmentation, resegment
from hcr_live.reading import Classify, Prediction

_MOST_UNSURE = 0.5
"""More unsure characters than this share are no writing."""

_TWO_WIDE, _WIDE_WIDE = 1.6, 2.4
"""Ink this wide, in heights, may be two characters; what looks like an M or a W, this wide."""

_FEW, _LARGE, _STAINS = 2, 0.12, frozenset("IiJjLlCcOo01")
"""So few characters are no stains if one is another shape or larger than this share of the side."""

_MANY, _LEAST_MEAN = 8, 0.57
"""Of so many characters the geometric mean of the confidences is above this."""

_BEYOND_DOUBT = 0.95
"""Of fewer the mean is above the least confidence, or half of them are as sure as this: one that is
crossed out weighs much among few."""

_UNSEEN, _FAINT, _DOUBTED_MEAN, _STAIN = 0.03, 0.12, 0.9, 0.15
"""What stands out less clearly than this, what does and is not read as surely as that, and one or
two rings or lines are no writing (`Glyph.clarity`): the faintest of 107 short texts were 0.04, in
pencil, and 0.08."""

_CROP = 400
"""Pixels of the side of a picture, or of a sheet in it, up to which that is not asked."""

_FINEST = 0.025
"""Thinner than this share of its size is a hair, a crease or the outline of a thing."""


def read_picture(
    image: NDArray[np.uint8],
    classify: Classify,
    alphabet: Alphabet,
    region: Box | None = None,
) -> Segmentation:
    """Return what is written in a picture, and what the network says of each character.

    Args:
        image: uint8 (height, width, 3), BGR.
        classify: The network.
        alphabet: What can be written.
        region: Read only this part, as paper.

    Returns:
        The page, what the network says of each character by itself (see `answers`), and where
        joined writing is.
    """
    page = locate(image, region)
    rows = classify([glyph.ink for glyph in page.glyphs])
    turns = quarter_turns(page, rows, classify, alphabet)
    if turns:
        page = turned(page, turns)
        rows = classify([glyph.ink for glyph in page.glyphs])
    return Segmentation(page, rows) if is_lone(page, rows) else resegment(page, rows, classify)


def is_lone(page: Page, probabilities: NDArray[np.float32] | None = None) -> bool:
    """Return whether all that is on a page is one character, which nothing is cut off from.

    A doubtful letter among others may be two; what somebody shows alone is one, unless it is wide.

    Args:
        page: As it was located.
        probabilities: float32 (1, 62), what the network says of a lone one, if it was asked: an
            m or a W may be wider.
    """
    if len(page.glyphs) != 1:
        return False
    height, width = page.glyphs[0].ink.shape
    is_wide = probabilities is not None and CLASSES[int(probabilities[0].argmax())] in "MWmw"
    return width < (_WIDE_WIDE if is_wide else _TWO_WIDE) * height


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


def is_writing(
    read: Sequence[Prediction],
    heights: Sequence[float],
    side: float,
    min_confidence: float = 0.5,
    glyphs: Sequence[Glyph] = (),
) -> bool:
    """Return whether what was located on a page is handwriting as a whole.

    Things, screens and drawings give a sure letter here and there, handwriting hardly an unsure
    one; a lone small I, C or O may be a crease, the rim of a cup or a hole; what stands on no even
    ground is an edge; and large print is read as well as any writing, but its edges are parallel.

    Args:
        read: The best label of each character located on the page.
        heights: Of the characters, in pixels.
        side: Of what they are written on, in pixels.
        min_confidence: A character less sure than this is unsure, in [0, 1].
        glyphs: What was located, if how it looks is to be asked, too.
    """
    if not read:
        return False
    confidences = np.array([one.confidence for one in read])
    if np.mean(confidences < min_confidence) > _MOST_UNSURE:
        return False
    round_or_straight = len(read) <= _FEW and all(one.text in _STAINS for one in read)
    if round_or_straight and max(heights) < _LARGE * side:
        return False
    mean = float(np.exp(np.log(np.maximum(confidences, 1e-3)).mean()))
    if len(read) >= _MANY:
        doubtful = mean <= min(_LEAST_MEAN, min_confidence + 0.07)
    else:
        sure = np.mean(confidences >= _BEYOND_DOUBT) >= 0.5
        doubtful = len(read) > 1 and mean <= min_confidence and not sure
    if doubtful or not glyphs:
        return not doubtful
    # Who cuts a picture to a letter or two means them, however faint.
    clarity = median(glyph.clarity for glyph in glyphs) if side > _CROP else 1.0
    faint = clarity < _FAINT and mean < _DOUBTED_MEAN
    if clarity < _UNSEEN or faint or (round_or_straight and clarity < _STAIN):
        return False
    inks = [glyph.ink for glyph in glyphs]
    fine = len(inks) <= _FEW and all(pen_width(ink) < _FINEST * max(ink.shape) for ink in inks)
    return not fine and not is_lettering(inks)


def side_of(outline: NDArray[np.float32] | None, image: NDArray[np.uint8]) -> float:
    """Return how large the sheet with that outline is, or the picture where there is none."""
    if outline is None:
        return float(min(image.shape[:2]))
    return float(np.sqrt(cv2.contourArea(outline)))
