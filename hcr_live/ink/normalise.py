"""Ink to network input: the one function that paper, air, `classify` and training share."""

from __future__ import annotations

import math
from typing import TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from hcr_live.errors import HcrError
from hcr_live.frame import Box
from hcr_live.paper.close_up import gaps, largest_character

_Image = TypeVar("_Image", NDArray[np.uint8], NDArray[np.float32])

SIDE: int = 32
"""Pixels of a side of the network's input."""

# Everything below happens on a working copy whose ink is about this long, whatever came in:
# it bounds the time, and makes every length a fixed share of the glyph's size.
_WORK = 64
_WORK_MARGIN = 2
# Longest side of the centre line in the input, and the pen that is drawn along it. The rest is
# margin: room for the convolutions' borders.
_CENTRE_LINE = 22.0
_PEN = 3.0
# A pen wider than this share of the glyph is a blob, not a pen.
_WIDEST_PEN = 0.3
# A picture of whose pixels more than this share are neither black nor bright is a photo; ink that
# was drawn soft or enlarged has fewer.
_GREY_SHARE = 0.3
# So is one with grey this far from its ink, in lengths of the image, on this share of it.
_SOFT_EDGE = 0.06
_GREY_FAR = 0.03
_SMALLEST_PHOTO = 20
_SPECK_LENGTH = 0.2
_SPECK_AREA = 0.06
_SPECK_GAP = 0.12
_DOT_GAP = 0.6


def network_input(image: NDArray[np.uint8], *, is_drawn: bool = False) -> NDArray[np.float32]:
    """Return what the network sees of one character.

    Blurred, thresholded (Otsu, IEEE Trans. SMC 9, 1979; an inverted photo, grey all over, as
    paper is), freed of far specks, cropped to the ink, drawn with a pen of a fixed width relative
    to the glyph, aspect kept, and centred. Size, place and pen width of the ink therefore hardly
    matter, nor whether it is binary or soft.

    Args:
        image: uint8 (h, w), white ink on black, any size from 1x1; binary, soft or a photo's grey.
        is_drawn: Whether it is known that `is_photo` says no.

    Returns:
        float32 (SIDE, SIDE) in [0, 1], ink 1; all 0 where there is no ink.

    Raises:
        HcrError: If the image is not a uint8 array of two dimensions with at least one pixel.
    """
    if not isinstance(image, np.ndarray) or image.dtype != np.uint8 or image.ndim != 2:
        raise HcrError("Ink must be a uint8 array (height, width): white on black, one channel.")
    if image.size == 0:
        raise HcrError("Ink must have at least one pixel: this image is empty.")
    is_found = not is_drawn and is_photo(image)
    written = largest_character(image, light_on_dark=True) if is_found else None
    crop = _crop(image if written is None else written)
    if crop is None:
        return np.zeros((SIDE, SIDE), np.float32)
    ink = _working_ink(crop)
    box = _ink_box(ink)
    # Specks made the first crop far too large: look again, closer.
    if max(box[2], box[3]) < 0.6 * (max(ink.shape) - 2 * _WORK_MARGIN):
        closer = _same_box(box, ink, crop)
        ink = _working_ink(closer)
        box = _ink_box(ink)
    return _place(ink, box)


def is_photo(image: NDArray[np.uint8]) -> bool:
    """Return whether an image is no ink yet: grey where ink has black ground.

    The soft edges of ink are grey as well, but lie along it.

    Args:
        image: uint8 (h, w), light ink on a darker ground.
    """
    if min(image.shape) < _SMALLEST_PHOTO:
        return False
    ground, peak, *_ = cv2.minMaxLoc(image)
    if ground:
        image = image - np.uint8(ground)  # cv2.subtract takes 4x1 pixels for a scalar
        peak -= ground
    if max(image.shape) > 2 * _WORK:
        image = _shrink(image, max(image.shape) // _WORK)
    grey = cv2.inRange(image, 1 + peak // 25, 1 + peak // 2)
    share = cv2.countNonZero(grey) / image.size
    if not _GREY_FAR < share <= _GREY_SHARE:
        return share > _GREY_SHARE
    reach = 2 * max(1, round(_SOFT_EDGE * max(image.shape))) + 1
    ink = cv2.compare(image, peak / 2, cv2.CMP_GT)
    near = cv2.dilate(ink, np.ones((reach, reach), np.uint8))
    return cv2.countNonZero(cv2.subtract(grey, near)) > _GREY_FAR * image.size


def _crop(image: NDArray[np.uint8]) -> NDArray[np.uint8] | None:
    """Return the part that is brighter than a quarter of the peak, on black; None if blank."""
    ground, peak, *_ = cv2.minMaxLoc(image)
    if peak == 0:
        return None
    if 0 < ground < peak / 2:  # grey, not black: left in, it would be taken for ink
        image = image - np.uint8(ground)  # cv2.subtract takes 4x1 pixels for a scalar
        peak -= ground
    bright = cv2.threshold(image, peak / 4, 255, cv2.THRESH_BINARY)[1]
    x, y, w, h = cv2.boundingRect(bright)
    return image[y : y + h, x : x + w]


def _working_ink(crop: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return binary ink (0 or 255) of working size, a margin around it, specks dropped."""
    longest = max(crop.shape)
    if longest >= 2 * _WORK:
        crop = _shrink(crop, longest // _WORK)
        longest = max(crop.shape)
    scale = _WORK / longest
    # The resize then turns the steps of coarse bitmaps into slopes, at the border as well.
    crop = _bordered(crop, 1, 1, 1, 1)
    h, w = crop.shape
    size = (max(3, round(w * scale)), max(3, round(h * scale)))
    soft = cv2.resize(crop, size, interpolation=cv2.INTER_LINEAR)
    m = _WORK_MARGIN
    soft = _bordered(soft, m, m, m, m)
    soft = cv2.GaussianBlur(soft, (3, 3), 0)
    if scale > 1.5:
        reach = min(int(scale), 8) | 1
        soft = cv2.blur(cv2.blur(soft, (reach, reach)), (3, 3))
    peak = cv2.minMaxLoc(soft)[1]
    otsu = cv2.threshold(soft, 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)[0]
    ink = cv2.threshold(soft, min(max(otsu, 0.3 * peak), 0.5 * peak), 255, cv2.THRESH_BINARY)[1]
    return _without_specks(ink)


def _shrink(image: NDArray[np.uint8], factor: int) -> NDArray[np.uint8]:
    """Return the image a whole number of times smaller, hairlines kept."""
    if factor > 4:
        # Averaging would fade a hairline away: widen it to half a pixel of the result first.
        reach = factor // 2 | 1
        image = cv2.dilate(image, np.ones((reach, reach), np.uint8))
    h, w = image.shape
    below, right = -h % factor, -w % factor
    image = _bordered(image, 0, below, 0, right)
    size = (image.shape[1] // factor, image.shape[0] // factor)
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA)


def _without_specks(ink: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Drop what is tiny beside the main stroke and far from it, but not the dot of i and j."""
    if cv2.connectedComponents(ink, connectivity=8)[0] < 3:
        return ink
    _, labels, stats, _ = cv2.connectedComponentsWithStats(ink, connectivity=8)
    parts = stats[1:].tolist()
    areas = [part[4] for part in parts]
    main = areas.index(max(areas))
    total = sum(areas)
    if areas[main] < 0.5 * total:  # dotted or broken writing: nothing is clearly a speck
        return ink
    x, y, w, h, _ = parts[main]
    size = max(w, h)
    for index, (px, py, pw, ph, area) in enumerate(parts):
        gap_x, gap_y = gaps(Box(px, py, pw, ph), Box(x, y, w, h))
        is_small = max(pw, ph) < _SPECK_LENGTH * size and area < _SPECK_AREA * total
        is_far = max(gap_x, gap_y) > _SPECK_GAP * size
        is_dot = (
            py + ph <= y
            and gap_y < _DOT_GAP * h
            and gap_x < 0.25 * h
            and w < 0.8 * h
            and area >= 0.01 * total
        )
        if index != main and is_small and is_far and not is_dot:
            ink[labels == index + 1] = 0
    return ink


def _ink_box(ink: NDArray[np.uint8]) -> tuple[int, int, int, int]:
    x, y, w, h = cv2.boundingRect(ink)
    return x, y, w, h


def _same_box(
    box: tuple[int, int, int, int], ink: NDArray[np.uint8], crop: NDArray[np.uint8]
) -> NDArray[np.uint8]:
    """Return the pixels of `crop` that `box` of the working copy covers, a little more."""
    scale = max(crop.shape) / (max(ink.shape) - 2 * _WORK_MARGIN)
    x, y, w, h = box
    left = max(0, int((x - _WORK_MARGIN - 1) * scale))
    top = max(0, int((y - _WORK_MARGIN - 1) * scale))
    right = int(np.ceil((x - _WORK_MARGIN + w + 1) * scale))
    bottom = int(np.ceil((y - _WORK_MARGIN + h + 1) * scale))
    return crop[top:bottom, left:right]


def _place(ink: NDArray[np.uint8], box: tuple[int, int, int, int]) -> NDArray[np.float32]:
    """Redraw binary ink with the standard pen, scaled and centred in the input."""
    x, y, w, h = box
    longest = max(w, h)
    # Depth: how far an ink pixel is from the paper. Its mean is a quarter of a stroke's width.
    depth = cv2.distanceTransform(ink, cv2.DIST_L2, 3)
    mean = cv2.sumElems(depth)[0] / cv2.countNonZero(ink)
    pen = min(max(4 * mean - 1, 1.0), max(_WIDEST_PEN * longest, 1.0))
    # The centre line is fitted, not the outline: then the answer does not hang on the pen.
    scale = min(_CENTRE_LINE / max(longest - pen, 1.0), 2.0)
    change = (_PEN / scale - pen) / 2
    side, margin = math.ceil(SIDE / scale), 0
    if change < 0:
        thick = depth[y : y + h, x : x + w]
        # Where a stroke is thinner than the cut its ridge stays, so that nothing breaks.
        ridge = (thick >= cv2.dilate(thick, None)) & (thick >= 0.3 * pen)
        line = cv2.dilate(ridge.astype(np.float32), None)
        level = np.maximum(np.clip(thick + change, 0, 1), line)
    else:
        # Farther from the ink nothing is drawn.
        margin = min(math.ceil(change + 1), (side - longest) // 2)
        paper = cv2.bitwise_not(ink[y : y + h, x : x + w])
        paper = _bordered(paper, margin, margin, margin, margin, level=255)
        level = (change + 1) - cv2.distanceTransform(paper, cv2.DIST_L2, 3)
        cv2.threshold(level, 1, 1, cv2.THRESH_TRUNC, dst=level)
        cv2.threshold(level, 0, 0, cv2.THRESH_TOZERO, dst=level)
    left, top = (side - w) // 2 - margin, (side - h) // 2 - margin
    level = _bordered(level, top, side - level.shape[0] - top, left, side - level.shape[1] - left)
    return cv2.resize(level, (SIDE, SIDE), interpolation=cv2.INTER_AREA)


def _bordered(
    image: _Image, top: int, bottom: int, left: int, right: int, level: int = 0
) -> _Image:
    return cv2.copyMakeBorder(image, top, bottom, left, right, cv2.BORDER_CONSTANT, value=level)
