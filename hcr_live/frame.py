"""The timestamped frame: what every source yields and everything downstream consumes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Box(NamedTuple):
    """Axis-aligned bounding box in whole pixels of the unmirrored source frame."""

    x: int
    y: int
    w: int
    h: int


@dataclass(frozen=True, eq=False)
class Frame:
    """One picture of a source and when it was taken.

    Attributes:
        image: uint8 array (height, width, 3), BGR, never mirrored. Do not write into it.
        index: Running number within the source, from 0; gaps mean dropped frames.
        time: Seconds, strictly increasing within a source: of the clip (file) or since
            the start (camera).
        still: True for a photo: no later frame will show the same scene again.
    """

    image: NDArray[np.uint8]
    index: int
    time: float
    still: bool = False
