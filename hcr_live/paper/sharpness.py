"""How sharp the writing in a picture is: whether it can be read at all."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from hcr_live.frame import Box

BLURRED = 0.057
"""Edges softer than this share of a character's height: beyond it more than a fifth is misread."""

_WORKING_HEIGHT = 32
"""Pixels of height that a character is measured at, at most: noise is averaged away."""

_OWN_BLUR = 0.95
"""Pixels by which the measurement itself softens an edge."""

_MOST_BOXES = 4
_LEAST_CONTRAST = 8
_DARKEST_PAPER = 20
_INK_PAPER_INK = np.array([0.01, 0.5, 0.99])
_SOBEL_GAIN = np.array([8, 8, 8 * np.sqrt(2), 8 * np.sqrt(2)])


def edge_softness(image: NDArray[np.uint8], boxes: Sequence[Box]) -> float | None:
    """Return how soft the edges of the writing are, in the direction where they are softest.

    The width of an edge follows from its height and its steepest slope (Marziliano, Dufaux,
    Winkler, Ebrahimi, A No-Reference Perceptual Blur Metric, 2002), so contrast, noise and the
    amount of writing hardly matter. A hand that moves softens the edges across its way only:
    four directions are looked at, each where it is sharpest, as no letter has edges in all.

    Args:
        image: uint8 (height, width, 3) BGR or (height, width) grey.
        boxes: Where single characters are in its pixels; up to four of them are looked at.

    Returns:
        Standard deviation of the blur as a share of the characters' median height, about 0 to
        0.3, or None where no box shows any contrast.
    """
    chosen = boxes[:: -(-len(boxes) // _MOST_BOXES) or 1]
    found = [one for one in (_edges(image, box) for box in chosen) if one is not None]
    if not found:
        return None
    contrast, height, slopes = (np.array(part) for part in zip(*found, strict=True))
    # Of the page: a thin stem that moved aside fades to a pale bar with edges as steep as its.
    # The steepest slope of a step that a Gaussian softens: 0.4 of its height in one sigma.
    sigma = 0.4 * contrast.max() / np.maximum(slopes, 1e-4)
    softness = np.sqrt(np.maximum(sigma**2 - _OWN_BLUR**2, 0)) / height[:, None]
    # Per direction the sharpest third: an I has no level edges but its ends.
    sharpest = np.sort(softness, axis=0)[: -(-len(found) // 3)]
    return float(sharpest.mean(axis=0).max())


def is_blurred(image: NDArray[np.uint8], boxes: Sequence[Box]) -> bool:
    """Return whether writing is too blurred for its size to be read reliably.

    Args:
        image: uint8 (height, width, 3) BGR or (height, width) grey.
        boxes: Where single characters are in its pixels, or were a moment ago.

    Returns:
        Whether `edge_softness` is above `BLURRED`; False where there is nothing to judge by.
    """
    softness = edge_softness(image, boxes)
    return softness is not None and softness > BLURRED


def _edges(image: NDArray[np.uint8], box: Box) -> tuple[float, float, NDArray[np.float64]] | None:
    """Return contrast and height of a character, and its steepest slopes in four directions.

    Contrast and slopes (per pixel of the height) are shares of the paper's lightness.
    """
    x, y, w, h = box
    size = max(h, 0.8 * w)
    margin = round(0.2 * size) + 1
    cut = image[max(0, y - margin) : y + h + margin, max(0, x - margin) : x + w + margin]
    if min(cut.shape[:2]) < 5:
        return None
    grey = cv2.cvtColor(cut, cv2.COLOR_BGR2GRAY) if cut.ndim == 3 else cut
    scale = min(1.0, _WORKING_HEIGHT / size)
    if scale < 1:
        grey = cv2.resize(grey, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    level = cv2.GaussianBlur(grey, (3, 3), 0)
    # Ink is the few pixels that differ most from the many of the paper, to either side.
    total = np.cumsum(cv2.calcHist([level], [0], None, [256], [0, 256]))
    dark, paper, light = np.searchsorted(total, total[-1] * _INK_PAPER_INK).tolist()
    contrast = max(paper - dark, light - paper)
    if contrast < _LEAST_CONTRAST:
        return None
    across, down = (cv2.Sobel(level, cv2.CV_16S, *axes) for axes in ((1, 0), (0, 1)))
    slopes = np.stack([across, down, across + down, across - down]).reshape(4, -1)
    steep = max(4, slopes.shape[1] // 50)
    steepest = np.partition(np.abs(slopes), -steep, axis=1)[:, -steep:].mean(axis=1)
    paper = max(paper, _DARKEST_PAPER)
    return contrast / paper, size * scale, steepest / _SOBEL_GAIN / paper
