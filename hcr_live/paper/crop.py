"""The ink of the one character that a picture shows."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from hcr_live.ink.normalise import is_photo, network_input
from hcr_live.paper.binarise import LEAST_CONTRAST, is_light_on_dark
from hcr_live.paper.close_up import largest_character
from hcr_live.paper.page import locate

_LONGEST_CROP = 400
"""Pixels of a side; in a larger picture a sheet, and all that is around it, is expected."""


def character_ink(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the ink of a picture that is said to show one character: a scan, a drawing, a photo.

    Args:
        image: uint8 (height, width, 3), BGR, or (height, width) grey, any size from 1x1; dark on
            light or light on dark.

    Returns:
        uint8 (h, w), light ink on a darker ground, as `network_input` takes it; black where nothing
        is written.
    """
    return _ink(image)[0]


def character_input(image: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return what the network sees of such a picture: `network_input` of its ink, sooner."""
    ink, is_drawn = _ink(image)
    return network_input(ink, is_drawn=is_drawn)


def _ink(image: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], bool]:
    """Return the ink, and whether it is known to be no photo."""
    if max(image.shape[:2]) > _LONGEST_CROP:
        glyphs = locate(_colour(image)).glyphs
        if glyphs:
            return max(glyphs, key=lambda glyph: glyph.box.w * glyph.box.h).ink, False
        scale = _LONGEST_CROP / max(image.shape[:2])
        size = [max(1, round(side * scale)) for side in image.shape[1::-1]]
        image = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    grey = image if image.ndim == 2 else cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
    darkest, lightest, *_ = cv2.minMaxLoc(grey)
    if lightest - darkest < LEAST_CONTRAST:
        return np.zeros_like(grey), True
    inverted = cv2.bitwise_not(grey)
    if not is_photo(grey) and not is_photo(inverted):
        # All of it is ink or ground, and ground is most of it.
        bright = cv2.countNonZero(cv2.compare(grey, (darkest + lightest) / 2, cv2.CMP_GT))
        return grey if 2 * bright < grey.size else inverted, True
    written = largest_character(_colour(image), light_on_dark=is_light_on_dark(grey))
    return np.zeros_like(grey) if written is None else written, False


def _colour(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return image if image.ndim == 3 else cv2.cvtColor(image, cv2.COLOR_GRAY2BGR)
