"""The blobs of a mask."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray


def find_blobs(
    mask: NDArray[np.uint8],
) -> tuple[int, NDArray[Any], NDArray[np.int32], NDArray[np.float64]]:
    """Return what `cv2.connectedComponentsWithStats` does, labels as small as they can be.

    Args:
        mask: uint8 (height, width), 0 is ground.

    Returns:
        How many with the ground, which is 0; labels uint16 (height, width), int32 where there are
        too many; int32 (n, 5) left, top, width, height, area; float64 (n, 2) centres.
    """
    try:
        return cv2.connectedComponentsWithStats(mask, ltype=cv2.CV_16U)
    except cv2.error:  # grain, a fine check: more than 65,535
        return cv2.connectedComponentsWithStats(mask)
