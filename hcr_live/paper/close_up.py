"""The characters of a small picture: a crop of one letter, or of a few."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from hcr_live.paper.binarise import binarise
from hcr_live.paper.components import InkCharacter, find_characters

_SHORTEST, _LONGEST = 112, 800


def find_in_close_up(
    grey: NDArray[np.uint8], *, light_on_dark: bool
) -> tuple[list[InkCharacter], tuple[int, int]]:
    """Return the characters, at another size if need be, and that size.

    Args:
        grey: uint8 (height, width).
        light_on_dark: Whether the ink is lighter than its ground.

    Returns:
        The characters in no order, and (width, height) of the picture that their boxes are in.
    """
    scale = min(4.0, max(1.0, _SHORTEST / min(grey.shape)), _LONGEST / max(grey.shape))
    if scale != 1:
        # Thin strokes of one or two pixels keep their shape when thresholded enlarged.
        method = cv2.INTER_CUBIC if scale > 1 else cv2.INTER_AREA
        grey = cv2.resize(grey, None, fx=scale, fy=scale, interpolation=method)
    ink = binarise(grey, light_on_dark=light_on_dark)
    return find_characters(ink, framed=False), (grey.shape[1], grey.shape[0])
