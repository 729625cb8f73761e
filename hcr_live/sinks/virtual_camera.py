"""The annotated picture as a camera that calls and streaming programs can choose."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


class VirtualCamera:
    """Sends pictures to a virtual camera, on a thread of its own; a `PictureSink`.

    Attributes:
        device: The name under which other programs find it.
    """

    error = ""
    device = ""

    def picture(self, image: NDArray[np.uint8]) -> None:
        """Take a uint8 (height, width, 3) BGR picture; another size is fitted in, with a border."""

    def close(self) -> None:
        """End; may be called twice."""


def make_virtual_camera(width: int, height: int, fps: float) -> VirtualCamera:
    """Open the virtual camera, whose size is fixed from now on.

    Args:
        width: Pixels of the pictures.
        height: Pixels of the pictures.
        fps: About how many come a second.

    Raises:
        HcrError: If the library or the system's virtual camera is missing.
    """
    return VirtualCamera()
