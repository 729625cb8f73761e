"""Network streams (rtsp, http) as a capture for `NewestFrameSource`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from hcr_live.sources.base import Source
from hcr_live.sources.decoding import (
    main_video_stream,
    nominal_fps,
    open_container,
    to_bgr,
    without_password,
)
from hcr_live.sources.newest import NewestFrameSource
from hcr_live.sources.video import VideoSource

if TYPE_CHECKING:
    from av import VideoFrame
    from av.container import InputContainer


_RATELESS = frozenset({"mpjpeg"})  # pictures without times, for which FFmpeg assumes 25 a second


def open_address(address: str) -> Source:
    """Open a network address: a stream by its newest frames, a finished file in lock-step.

    Raises:
        HcrError: If it cannot be reached, or sends no video.
    """
    name = without_password(address)
    container = open_container(address, name)
    is_picture = container.format.name.endswith("_pipe")
    is_finished_file = address.startswith("http") and (bool(container.duration) or is_picture)
    if is_finished_file:
        return VideoSource(address, name, container=container)
    waiting: list[InputContainer] = [container]  # many cameras take one client at a time

    def open_capture() -> StreamCapture:
        opened = waiting.pop() if waiting else open_container(address, name)
        return StreamCapture(opened)

    return NewestFrameSource(name, open_capture)


class StreamCapture:
    """An open network stream."""

    def __init__(self, container: InputContainer) -> None:
        stream = main_video_stream(container)
        assert stream is not None
        stream.thread_type = "SLICE"  # frame threads would hold back a frame each
        self._container = container
        self._frames: Iterator[VideoFrame] = container.decode(stream)
        self._frame: VideoFrame | None = None
        is_rateless = container.format.name in _RATELESS
        self._fps = 0.0 if is_rateless else nominal_fps(stream)

    @property
    def fps(self) -> float:
        """The rate that the stream states, 0.0 where it states none."""
        return self._fps

    def grab(self) -> bool:
        """Wait for the next frame; False after the end or where none came in time."""
        import av

        try:
            self._frame = next(self._frames, None)
        except av.error.FFmpegError:
            self._frame = None
        return self._frame is not None

    def retrieve(self) -> NDArray[np.uint8] | None:
        """Return the grabbed frame, uint8 (height, width, 3) BGR."""
        return None if self._frame is None else to_bgr(self._frame)

    def close(self) -> None:
        """Hang up."""
        self._container.close()
