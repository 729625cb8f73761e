"""The characters of a small picture: a crop of one letter, or of a few."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from hcr_live.frame import Box
from hcr_live.paper.binarise import binarise, ink_channel
from hcr_live.paper.components import InkCharacter, find_characters

_SHORTEST, _LONGEST = 112, 800
# What of a photo belongs to its one character: parts of this share of the largest, this near it.
_PART = 0.35
_PART_GAP = 0.4


def find_in_close_up(
    image: NDArray[np.uint8], *, light_on_dark: bool
) -> tuple[list[InkCharacter], tuple[int, int]]:
    """Return the characters, at another size if need be, and that size.

    Args:
        image: uint8 (height, width, 3) BGR or (height, width) grey. In colour, coloured lines
            are told from a black pen or a pencil.
        light_on_dark: Whether the ink is lighter than its ground.

    Returns:
        The characters in no order, and (width, height) of the picture that their boxes are in.
    """
    grey = image
    if image.ndim == 3 and light_on_dark:
        grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
    elif image.ndim == 3:
        grey = ink_channel(image, one_pen=True)
    scale = min(4.0, max(1.0, _SHORTEST / min(grey.shape)), _LONGEST / max(grey.shape))
    if scale != 1:
        # Thin strokes of one or two pixels keep their shape when thresholded enlarged.
        method = cv2.INTER_CUBIC if scale > 1 else cv2.INTER_AREA
        grey = cv2.resize(grey, None, fx=scale, fy=scale, interpolation=method)
    ink = binarise(grey, light_on_dark=light_on_dark)
    return find_characters(ink, framed=False), (grey.shape[1], grey.shape[0])


def largest_character(image: NDArray[np.uint8], *, light_on_dark: bool) -> NDArray[np.uint8] | None:
    """Return the ink of the largest character of a photo, uint8 (h, w); None without any.

    It is said to be one character: what lies beside the largest part, and is no speck, is a part
    of it that a faint pen or a lifted one left apart.

    Args:
        image: As `find_in_close_up` takes it.
        light_on_dark: Whether the ink is lighter than its ground.
    """
    parts, (width, height) = find_in_close_up(image, light_on_dark=light_on_dark)
    if not parts:
        return None
    main = max(parts, key=lambda part: part.ink.size)
    size = max(main.box.w, main.box.h)
    rim = round(0.03 * min(height, width))  # where a crop is darkest: its edge or a vignette
    whole = np.zeros((height, width), np.uint8)
    for part in parts:
        x, y, w, h = part.box
        gap_x, gap_y = gaps(part.box, main.box)
        beside = max(w, h) > _PART * size and max(gap_x, gap_y) < _PART_GAP * size
        inside = x > rim and y > rim and x + w < width - rim and y + h < height - rim
        if part is main or (beside and inside):
            place = whole[y : y + h, x : x + w]
            np.maximum(place, part.ink, out=place)
    return whole


def gaps(a: Box, b: Box) -> tuple[int, int]:
    """Return how far two boxes are apart, across and down."""
    return max(a.x - b.x - b.w, b.x - a.x - a.w, 0), max(a.y - b.y - b.h, b.y - a.y - a.h, 0)
