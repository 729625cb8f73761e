"""The characters of a small picture: a crop of one letter, or of a few."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from hcr_live.paper.binarise import binarise, ink_channel
from hcr_live.paper.components import InkCharacter, find_characters

_SHORTEST, _LONGEST = 112, 800


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
