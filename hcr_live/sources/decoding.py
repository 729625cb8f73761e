"""What video files and streams share: opening by PyAV, and a decoded frame as BGR."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit

import numpy as np
from numpy.typing import NDArray

from hcr_live.errors import HcrError

if TYPE_CHECKING:
    from av import VideoFrame
    from av.container import InputContainer
    from av.video.stream import VideoStream

_OPEN_SECONDS = 10.0
_READ_SECONDS = 5.0
_MAX_DECODER_THREADS = 4
_ONE_THREAD_PIXELS = 1920 * 1080
"""Pictures up to this size are decoded by one thread, fast enough: each holds some of them."""

_MAX_FPS = 240.0
_NO_VIDEO = frozenset({"tty"})  # FFmpeg would paint a .txt file as terminal art


def without_password(address: str) -> str:
    """Return a network address without the user and password in it."""
    parts = urlsplit(address)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


def open_container(location: str, name: str) -> InputContainer:
    """Open a video file or address that has a video stream.

    Args:
        location: Path or address.
        name: How to call it in an error.

    Raises:
        HcrError: If it cannot be opened or has no video.
    """
    import av

    is_address = "://" in location
    options = {}
    if location.startswith("rtsp"):
        options["rtsp_transport"] = "tcp"  # UDP loses packets, and many routers block it
    try:
        container = av.open(
            location,
            options=options,
            metadata_errors="replace",
            timeout=(_OPEN_SECONDS, _READ_SECONDS) if is_address else None,
        )
    except av.error.FFmpegError as error:
        raise HcrError(
            _address_answer(name, error) if is_address else _file_answer(name, error)
        ) from error
    stream = main_video_stream(container)
    if stream is None or container.format.name in _NO_VIDEO:
        container.close()
        raise HcrError(f"{name} has no picture in it: choose a video or an image.")
    large = stream.width * stream.height > _ONE_THREAD_PIXELS
    stream.thread_count = _MAX_DECODER_THREADS if large else 1
    return container


def main_video_stream(container: InputContainer) -> VideoStream | None:
    """Return the first video stream that is not the cover picture of an audio file."""
    import av

    for stream in container.streams.video:
        if not stream.disposition & av.stream.Disposition.attached_pic:
            return stream
    return None


def nominal_fps(stream: VideoStream) -> float:
    """Return the rate that the file or stream states, 0.0 where it states none or nonsense."""
    for rate in (stream.average_rate, stream.guessed_rate, stream.base_rate):
        if rate and is_plausible_fps(float(rate)):
            return float(rate)
    return 0.0


def is_plausible_fps(fps: float) -> bool:
    """Whether a rate can be true; drivers also answer 0, -1, nan or 180,000."""
    return math.isfinite(fps) and 1.0 <= fps <= _MAX_FPS


def to_bgr(frame: VideoFrame) -> NDArray[np.uint8]:
    """Return a decoded frame as uint8 (height, width, 3) BGR, turned as the file says."""
    import cv2

    image = frame.to_ndarray(format="bgr24")
    quarter_turns = round(frame.rotation / 90) % 4  # counter-clockwise
    turn = (
        None,
        cv2.ROTATE_90_COUNTERCLOCKWISE,
        cv2.ROTATE_180,
        cv2.ROTATE_90_CLOCKWISE,
    )[quarter_turns]
    image = np.ascontiguousarray(image, np.uint8)
    return image if turn is None else cv2.rotate(image, turn)


def _file_answer(name: str, error: Exception) -> str:
    import av

    if isinstance(error, av.error.InvalidDataError):
        return (
            f"{name} cannot be read as a video: it is damaged, cut off before its index"
            " was written, or another kind of file."
        )
    return f"Cannot read {name}: {getattr(error, 'strerror', error)}."


def _address_answer(name: str, error: Exception) -> str:
    import av

    if isinstance(error, (av.error.ExitError, av.error.TimeoutError)):
        what = f"no answer within {_OPEN_SECONDS:.0f} seconds"
    elif isinstance(error, (av.error.HTTPUnauthorizedError, av.error.HTTPForbiddenError)):
        what = "it asks for a user and password (write them as scheme://user:password@host)"
    elif isinstance(error, av.error.InvalidDataError):
        what = "what it sends is not a video"
    else:
        what = str(getattr(error, "strerror", None) or error)
    return (
        f"Cannot open {name}: {what}; check the address and that the camera or server is on"
        " and in the same network."
    )
