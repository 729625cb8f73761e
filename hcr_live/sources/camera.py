"""Cameras by OpenCV: opening one on any platform, and listing them."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hcr_live.errors import HcrError
from hcr_live.quiet import silent_opencv_log
from hcr_live.sources.decoding import is_plausible_fps
from hcr_live.sources.newest import NewestFrameSource

CaptureFactory = Callable[[int, int], Any]
"""Takes a camera number and one of OpenCV's `CAP_` backends, returns a `cv2.VideoCapture`."""

_DEFAULT_SIZE = (1280, 720)
_DEFAULT_FPS = 30.0
_UNCOMPRESSED_PIXELS = 640 * 480
_FIRST_PICTURE_TRIES = 5
_FIRST_PICTURE_SECONDS = 5.0
_NUMBERS_TO_TRY = 10
_MISSES_UNTIL_LAST = 2
_LINUX_DEVICES = Path("/sys/class/video4linux")

# DirectShow opens at once, Media Foundation sees cameras that it does not, but takes seconds.
_BACKENDS = {
    "win32": ("DSHOW", "MSMF", "ANY"),
    "darwin": ("AVFOUNDATION", "ANY"),
    "linux": ("V4L2", "ANY"),
}

_WHAT_TO_CHECK = {
    "win32": (
        "that Settings > Privacy & security > Camera lets desktop apps use it, and that no"
        " other program (Teams, Zoom, a browser) holds it"
    ),
    "darwin": (
        "that System Settings > Privacy & Security > Camera lets your terminal use it (then"
        " start the terminal again), and that no other program holds it"
    ),
    "linux": (
        "that you are in the group 'video' (sudo usermod -aG video $USER, then log in again),"
        " and that no other program holds it"
    ),
}


@dataclass(frozen=True)
class CameraDescription:
    """A camera that opens, with the size and rate it really gives.

    Attributes:
        number: For `--source`.
        name: As the platform calls it; "camera 0" where it does not say.
        width: Pixels.
        height: Pixels.
        fps: Frames a second as the driver states it, 0.0 where it states nonsense.
        backend: OpenCV's backend that opened it, "V4L2".
    """

    number: int
    name: str
    width: int
    height: int
    fps: float
    backend: str

    def __str__(self) -> str:
        rate = f" at {self.fps:.0f} frames a second" if self.fps else ""
        return f"{self.number}: {self.name}, {self.width}x{self.height}{rate} ({self.backend})"


class CameraSource(NewestFrameSource):
    """A camera by its newest frames, reopened when it stalls or is unplugged."""

    def __init__(
        self,
        number: int,
        width: int | None = None,
        height: int | None = None,
        fps: float | None = None,
        *,
        factory: CaptureFactory | None = None,
        platform: str = sys.platform,
        **timing: Any,
    ) -> None:
        """Open the camera.

        Args:
            number: From 0.
            width: Wished pixels; 1280 where not given. What comes is in `info`.
            height: Wished pixels; 720 where not given.
            fps: Wished frames a second; 30 where not given.
            factory: Makes a `cv2.VideoCapture`; for tests.
            platform: As `sys.platform` names it.
            **timing: `clock`, `pause`, `open_seconds` of `NewestFrameSource`.

        Raises:
            HcrError: If no backend opens it; says what each answered and what to check.
        """
        super().__init__(
            f"camera {number}",
            lambda: open_capture(number, width, height, fps, factory=factory, platform=platform),
            # macOS asks the user for permission from the main thread only.
            open_on_caller=platform == "darwin",
            **timing,
        )


class CameraCapture:
    """An open `cv2.VideoCapture`."""

    def __init__(self, capture: Any, backend: str) -> None:
        self.backend = backend
        self._capture = capture

    @property
    def fps(self) -> float:
        """The rate that the driver states; may be nonsense."""
        import cv2

        return float(self._capture.get(cv2.CAP_PROP_FPS))

    def grab(self) -> bool:
        """Wait for the next frame; False where none came."""
        import cv2

        try:
            return bool(self._capture.grab())
        except cv2.error:
            return False

    def retrieve(self) -> NDArray[np.uint8] | None:
        """Return the grabbed frame, uint8 (height, width, 3) BGR; None where it is broken."""
        import cv2

        try:
            arrived, image = self._capture.retrieve()
        except cv2.error:
            return None
        if not arrived or image is None or image.size == 0 or image.dtype != np.uint8:
            return None
        if image.ndim == 2 or image.shape[2] == 1:  # infrared and industrial cameras
            return cv2.cvtColor(image, cv2.COLOR_GRAY2BGR)
        return np.ascontiguousarray(image[..., :3])

    def close(self) -> None:
        """Release the device."""
        self._capture.release()


def open_capture(
    number: int,
    width: int | None = None,
    height: int | None = None,
    fps: float | None = None,
    *,
    factory: CaptureFactory | None = None,
    platform: str = sys.platform,
) -> CameraCapture:
    """Open a camera by the first of the platform's backends that gives a picture.

    Raises:
        HcrError: If none does; says what each answered and what to check.
    """
    if number < 0:
        raise HcrError(f"There is no camera {number}: camera numbers start at 0.")
    # Without this Media Foundation takes 10 to 20 seconds to open some cameras.
    os.environ.setdefault("OPENCV_VIDEOIO_MSMF_ENABLE_HW_TRANSFORMS", "0")
    import cv2

    answers = []
    with silent_opencv_log():
        for backend in _BACKENDS.get(platform, ("ANY",)):
            try:
                capture = (factory or cv2.VideoCapture)(number, getattr(cv2, f"CAP_{backend}"))
            except cv2.error:
                answers.append(f"{backend}: not available")
                continue
            if not capture.isOpened():
                answers.append(f"{backend}: {_why_closed(number, backend)}")
                continue
            _configure(
                capture, width or _DEFAULT_SIZE[0], height or _DEFAULT_SIZE[1], fps, platform
            )
            opened = CameraCapture(capture, backend)
            if _gives_a_picture(opened):
                return opened
            opened.close()
            answers.append(f"{backend}: opened, but gave no picture")
    check = _WHAT_TO_CHECK.get(platform, "that no other program holds it")
    raise HcrError(
        f"Camera {number} does not open ({'; '.join(answers)}): check that the number is right"
        f" (python main.py cameras), {check}, or try --source demo."
    )


def list_cameras(
    *,
    factory: CaptureFactory | None = None,
    platform: str = sys.platform,
    devices: Path = _LINUX_DEVICES,
) -> list[CameraDescription]:
    """Open every camera in turn and say what it gives; empty where there is none.

    Args:
        factory: Makes a `cv2.VideoCapture`; for tests.
        platform: As `sys.platform` names it.
        devices: Where Linux lists its video devices.
    """
    names = _linux_names(devices) if platform == "linux" else {}
    numbers = sorted(names) if platform == "linux" else range(_NUMBERS_TO_TRY)
    found: list[CameraDescription] = []
    misses = 0
    for number in numbers:
        try:
            capture = open_capture(number, factory=factory, platform=platform)
        except HcrError:
            misses += 1
            if platform != "linux" and misses >= _MISSES_UNTIL_LAST:
                break
            continue
        misses = 0
        image = capture.retrieve()
        fps = capture.fps if is_plausible_fps(capture.fps) else 0.0
        capture.close()
        if image is not None:
            height, width = image.shape[:2]
            name = names.get(number) or f"camera {number}"
            found.append(CameraDescription(number, name, width, height, fps, capture.backend))
    return found


def no_camera_advice(platform: str = sys.platform) -> str:
    """Return what to tell somebody whose computer shows no camera."""
    check = _WHAT_TO_CHECK.get(platform, "that no other program holds it")
    return (
        f"No camera opens. Plug one in, or check {check}. A phone works too: --source with the"
        " http or rtsp address that its camera app shows. Without a camera: python main.py"
        " --source demo, or --source with a video file or an image."
    )


def _configure(capture: Any, width: int, height: int, fps: float | None, platform: str) -> None:
    import cv2

    # USB 2 carries uncompressed 720p at 10 frames a second only. The format comes first:
    # the sizes on offer depend on it. AVFoundation chooses by itself.
    if platform != "darwin" and width * height > _UNCOMPRESSED_PIXELS:
        capture.set(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*"MJPG"))
    capture.set(cv2.CAP_PROP_FRAME_WIDTH, width)
    capture.set(cv2.CAP_PROP_FRAME_HEIGHT, height)
    capture.set(cv2.CAP_PROP_FPS, fps or _DEFAULT_FPS)


def _gives_a_picture(capture: CameraCapture) -> bool:
    """Whether a frame comes; some cameras fail the first few while they warm up."""
    begin = time.monotonic()
    for _ in range(_FIRST_PICTURE_TRIES):
        if capture.grab() and capture.retrieve() is not None:
            return True
        if time.monotonic() - begin > _FIRST_PICTURE_SECONDS:
            break
    return False


def _why_closed(number: int, backend: str) -> str:
    if backend == "V4L2":
        device = Path(f"/dev/video{number}")
        if not device.exists():
            return f"there is no {device}"
        if not os.access(device, os.R_OK | os.W_OK):
            return f"no permission for {device}"
    return "did not open"


def _linux_names(devices: Path) -> dict[int, str]:
    """Return number -> name of the capture devices; a camera's further nodes carry metadata."""
    names = {}
    for folder in devices.glob("video*"):
        number = folder.name.removeprefix("video")
        try:
            if number.isdigit() and (folder / "index").read_text().strip() == "0":
                names[int(number)] = (folder / "name").read_text().strip()
        except OSError:
            continue
    return names
