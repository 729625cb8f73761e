"""The annotated picture as a camera that calls and streaming programs can choose."""

from __future__ import annotations

import sys
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from hcr_live.errors import HcrError
from hcr_live.sinks.worker import Worker

_CLOSE_SECONDS = 2.0
_MISSING = 'The virtual camera needs another package: pip install "pyvirtualcam>=0.13,<1".'
_IN_OBS = (
    "install OBS Studio (https://obsproject.com), open it once, press Start Virtual Camera and "
    "then Stop Virtual Camera, and leave OBS"
)
_DEVICES = {"win32": _IN_OBS, "darwin": f"{_IN_OBS}; macOS asks once to allow its extension"}
_DEVICE_ELSEWHERE = (
    "install v4l2loopback, as with: sudo apt install v4l2loopback-dkms; then load it: "
    'sudo modprobe v4l2loopback exclusive_caps=1 card_label="hcr_live"'
)


class CameraDevice(Protocol):
    """A virtual camera of one size."""

    @property
    def device(self) -> str:
        """The name under which other programs find it."""

    def send(self, image: NDArray[np.uint8]) -> None:
        """Show a BGR picture of its size."""

    def close(self) -> None:
        """Give it back."""


class VirtualCamera:
    """Sends pictures to a virtual camera, on a thread of its own; a `PictureSink`.

    A picture that comes before the last one was sent takes its place.

    Args:
        camera: The device.
        width: Pixels of its pictures.
        height: Pixels of its pictures.
    """

    def __init__(self, camera: CameraDevice, width: int, height: int) -> None:
        self._camera = camera
        self._size = width, height
        self._worker = Worker(self._send, "The virtual camera")
        self._closed = False
        self.device = camera.device

    @property
    def error(self) -> str:
        """One sentence where the device failed, which ended its use; else ""."""
        return self._worker.error

    def picture(self, image: NDArray[np.uint8]) -> None:
        """Take a uint8 (height, width, 3) BGR picture that nobody changes any more.

        Another size than the camera's is fitted into it.
        """
        self._worker.put(image)

    def close(self) -> None:
        """Send the last picture and end; may be called twice."""
        if self._worker.close(_CLOSE_SECONDS) and not self._closed:
            self._closed = True
            self._camera.close()

    def _send(self, image: NDArray[np.uint8]) -> None:
        self._camera.send(fit(image, *self._size))


def fit(image: NDArray[np.uint8], width: int, height: int) -> NDArray[np.uint8]:
    """Return the picture scaled to fit into the size, in the middle of black.

    Args:
        image: uint8 (rows, columns, 3).
        width: Pixels.
        height: Pixels.

    Returns:
        uint8 (height, width, 3), the picture itself where it has that size.
    """
    import cv2

    rows, columns = image.shape[:2]
    if (columns, rows) == (width, height):
        return image
    scale = min(width / columns, height / rows)
    columns, rows = max(1, round(columns * scale)), max(1, round(rows * scale))
    way = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    fitted = np.zeros((height, width, 3), np.uint8)
    top, left = (height - rows) // 2, (width - columns) // 2
    fitted[top : top + rows, left : left + columns] = cv2.resize(
        image, (columns, rows), interpolation=way
    )
    return fitted


def make_virtual_camera(width: int, height: int, fps: float) -> VirtualCamera:
    """Open the virtual camera, whose size is fixed from now on.

    Args:
        width: Pixels of the pictures; an odd one is made even.
        height: Pixels of the pictures; an odd one is made even.
        fps: About how many come a second.

    Raises:
        HcrError: If the library or the system's virtual camera is missing.
    """
    try:
        import pyvirtualcam
    except ImportError as error:
        raise HcrError(_MISSING) from error
    width, height = width + width % 2, height + height % 2  # the system's format halves colours
    try:
        camera = pyvirtualcam.Camera(width, height, fps, fmt=pyvirtualcam.PixelFormat.BGR)
    except RuntimeError as error:
        todo = _DEVICES.get(sys.platform, _DEVICE_ELSEWHERE)
        raise HcrError(f"This system has no virtual camera that is free: {todo}.") from error
    return VirtualCamera(camera, width, height)
