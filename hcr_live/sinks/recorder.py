"""Recording as H.264 in MP4, encoded on its own thread.

While it grows, the file is a fragmented MP4 (ISO/IEC 14496-12, movie fragments): it plays as
far as it was written even if the process is killed. Closing it adds the index of an ordinary
MP4 (FFmpeg's `hybrid_fragmented`), so that players can seek in it and messengers take it.
"""

from __future__ import annotations

import io
import math
import os
import queue
import threading
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from hcr_live.errors import HcrError

if TYPE_CHECKING:
    from av.container import OutputContainer
    from av.video.stream import VideoStream

    from hcr_live.sinks.tracks import Track

_TICKS_A_SECOND = 90_000
_FRAGMENT_MICROSECONDS = 500_000
_APART_MICROSECONDS = 1_000_000
"""So long what there is waits for a track that has nothing: sound may begin late."""

_FRAMES_WAITING, _BYTES_WAITING = 24, 64 << 20
_NOMINAL_FPS = 30
_KEY_FRAME_EVERY = 60
_SMALLEST_SIDE = 16
_LARGEST_SIDE, _LARGEST_AREA = 4096, 4096 * 2304  # H.264 level 5.2, what browsers decode
_IO_BYTES = 1 << 16

# On 2 shared cores and 720p with text: ultrafast 5 ms of CPU a frame, superfast 7 to 10,
# veryfast 12 to 15, at the same quality (CRF) and files 7 to 25 % smaller. `zerolatency` hands
# each frame to the file at once, so that a killed process loses little, and keeps B-frames out.
_ENCODER_OPTIONS = {"preset": "ultrafast", "tune": "zerolatency", "crf": "23"}
# A second thread halves the time of a frame, at half again the CPU: a file has other use for it.
_THREADS_LIVE, _THREADS_FILE = 2, 1

_Queued = tuple[NDArray[np.uint8], float]


def check_recording_path(path: str | Path, *, overwrite: bool = False) -> None:
    """Find out before the run whether a recording can be written.

    Raises:
        HcrError: If the ending is not .mp4, the folder is missing or cannot be written, or the
            file exists and `overwrite` is not set.
    """
    path = Path(path)
    if path.suffix.lower() != ".mp4":
        raise HcrError(f"Cannot record to {path}: the name has to end in .mp4.")
    folder = path.parent
    try:
        is_folder, has_folder, exists = path.is_dir(), folder.is_dir(), path.exists()
    except OSError as error:
        raise HcrError(
            f"Cannot record to {path}: {error.strerror}; choose another place."
        ) from error
    if is_folder:
        raise HcrError(f"Cannot record to {path}: it is a folder; add a file name.")
    if not has_folder:
        raise HcrError(f"Cannot record to {path}: there is no folder {folder}; make it first.")
    if exists and not overwrite:
        raise HcrError(
            f"{path} exists already: choose another name, or add --overwrite to replace it."
        )
    if not os.access(path if exists else folder, os.W_OK):
        raise HcrError(f"Cannot record to {path}: no permission to write; choose another place.")


class Recorder:
    """Writes pictures with their times to an MP4 file; `write` never raises.

    Attributes:
        path: The file.
        dropped: Pictures that were left out because the encoder was behind (`wait=False`).
        error: One sentence where writing failed; the file up to there still plays.
    """

    def __init__(
        self,
        path: str | Path,
        width: int,
        height: int,
        *,
        overwrite: bool = False,
        wait: bool = False,
        begin: float | None = None,
        tracks: Sequence[Track] = (),
        title: str = "",
    ) -> None:
        """Open the file and start the encoder.

        Args:
            path: Where to; has to end in .mp4.
            width: Pixels of the pictures; odd sizes are filled up to even ones.
            height: Pixels of the pictures.
            overwrite: Replace an existing file.
            wait: Let `write` wait for the encoder (files: nothing is left out) instead of
                dropping pictures (live).
            begin: Time at which the recording begins; None: at the first picture.
            tracks: Sound, closed with the recording.
            title: What players call it, or "".

        Raises:
            HcrError: If the file cannot be written, see `check_recording_path`.
        """
        check_recording_path(path, overwrite=overwrite)
        self.path = Path(path)
        self.dropped = 0
        self.error = ""
        self._wait = wait
        self._size = _video_size(width, height)
        self._closed = False
        self._written = 0
        self._is_last_taken = False
        self._begin = begin
        self._tracks = list(tracks)
        self._end = 0.0
        self._output = _Output(_create(self.path, overwrite))
        try:
            self._container, self._stream = _start_encoder(
                self._output,
                *self._size,
                title,
                delayed=bool(tracks),
                threads=_THREADS_FILE if wait else _THREADS_LIVE,
            )
            for track in tracks:
                track.open(self._container)
        except BaseException:
            self._output.close()
            self.path.unlink(missing_ok=True)
            raise
        bytes_of_frame = self._size[0] * self._size[1] * 3 // 2
        room = min(_FRAMES_WAITING, max(2, _BYTES_WAITING // bytes_of_frame))
        self._queue: queue.Queue[_Queued | None] = queue.Queue(room)
        self._thread = threading.Thread(target=self._run, name="recorder", daemon=True)
        self._thread.start()

    def __enter__(self) -> Recorder:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def write(self, image: NDArray[np.uint8], time: float) -> None:
        """Take one picture; it may be changed afterwards.

        Args:
            image: uint8 (height, width, 3), BGR. Another size than that of the recording is
                scaled to fit, on black.
            time: Seconds of any start; the recording begins at the first one, or as said. Times
                that do not increase are moved on by the smallest step.
        """
        if self._closed or self.error:
            return
        if not self._wait and self._queue.full():
            self.dropped += 1
            return
        # Converting here halves what waits in the queue, and replaces the copy.
        self._queue.put((_to_yuv(image, *self._size), time))

    def close(self, *, whole: bool = False) -> None:
        """Encode what waits, finish the file; may be called twice.

        Args:
            whole: Tracks go on to their own end, else no further than the pictures.
        """
        if not self._closed:
            self._closed = True
            self._end = math.inf if whole else 0.0
            self._queue.put(None)
        self._thread.join()

    def _run(self) -> None:
        try:
            self._encode()
        except Exception as error:
            self._fail(error)
        try:
            self._container.close()
        except Exception as error:
            self._fail(error)
        if self._output.error is not None:
            self._fail(self._output.error)
        try:
            self._output.close()
            if self._written == 0 and not self.error:
                self.path.unlink(missing_ok=True)  # nothing was shown: no file without pictures
        except OSError as error:
            self._fail(error)
        for track in self._tracks:
            track.close()
        while not self._is_last_taken:  # `write` or `close` may be waiting for room
            self._take()

    def _encode(self) -> None:
        import av

        begin = self._begin
        last = -1
        while True:
            item = self._take()
            if item is None:
                break
            planes, time = item
            if begin is None:
                begin = time
            frame = av.VideoFrame.from_ndarray(planes, format="yuv420p")
            last = max(round((time - begin) * _TICKS_A_SECOND), last + 1)
            frame.pts = last
            frame.time_base = Fraction(1, _TICKS_A_SECOND)
            self._container.mux(self._stream.encode(frame))
            self._written += 1
            self._add_tracks(last / _TICKS_A_SECOND)
            if self._output.error is not None:
                return
        self._container.mux(self._stream.encode(None))
        if self._written:
            self._add_tracks(max(self._end, (last + 1) / _TICKS_A_SECOND))

    def _add_tracks(self, until: float) -> None:
        """Write what tracks hold up to a time; one that fails takes no picture with it."""
        import av

        for track in list(self._tracks):
            try:
                for packet in track.packets(until):
                    self._container.mux_one(packet)
            except (av.error.FFmpegError, ValueError) as error:
                track.fail(error)
                track.close()
                self._tracks.remove(track)

    def _take(self) -> _Queued | None:
        item = self._queue.get()
        self._is_last_taken = item is None
        return item

    def _fail(self, error: Exception) -> None:
        reason = getattr(error, "strerror", None) or error
        rest = "; what was written so far plays" if self._written else ""
        self.error = self.error or f"The recording {self.path} stopped: {reason}{rest}."


class _Output(io.RawIOBase):
    """The file as FFmpeg writes to it: it only grows, until it is complete.

    Finishing turns the head of a fragmented file into one that needs the index at the end, and
    some versions of FFmpeg do that first. So what goes over earlier bytes waits until the index
    is there, and after an error never happens: the file stays a fragmented one, which plays.
    """

    def __init__(self, file: io.FileIO) -> None:
        self.error: OSError | None = None
        self._file = file
        self._position = 0
        self._length = 0
        self._changes: list[tuple[int, bytes]] = []

    def writable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        start = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._length}[whence]
        self._position = start + offset
        return self._position

    def write(self, data: Any) -> int:
        content = bytes(data)
        if self._position < self._length:
            self._changes.append((self._position, content))
        else:
            self._append(content)
        self._position += len(content)
        self._length = max(self._length, self._position)
        return len(content)

    def close(self) -> None:
        if self.closed:
            return
        super().close()
        try:
            if self.error is not None:
                self._file.truncate(_end_of_last_fragment(self._file))
            else:
                for position, content in self._changes:
                    self._file.seek(position)
                    self._file.write(content)
        finally:
            self._file.close()

    def _append(self, content: bytes) -> None:
        rest = memoryview(content)
        try:
            while rest and self.error is None:
                rest = rest[self._file.write(rest) or 0 :]
        except OSError as error:
            self.error = error


def _end_of_last_fragment(file: io.FileIO) -> int:
    """Return where the last complete fragment of an MP4 file ends: half of one is damage."""
    length = file.seek(0, os.SEEK_END)
    position = end = 0
    while position + 8 <= length:
        file.seek(position)
        head = file.read(16)
        size, kind = int.from_bytes(head[:4], "big"), head[4:8]
        if size == 1:  # the real size follows in 64 bits
            size = int.from_bytes(head[8:16], "big")
        position += size
        if size < 8 or position > length:
            break
        if kind != b"moof":  # the head of a fragment is of no use without its pictures
            end = position
    return end


def _create(path: Path, overwrite: bool) -> io.FileIO:
    try:
        # "x": a file that appeared since the check is not overwritten either.
        return open(path, "w+b" if overwrite else "x+b", buffering=0)
    except FileExistsError as error:
        raise HcrError(
            f"{path} exists already: choose another name, or add --overwrite to replace it."
        ) from error
    except OSError as error:
        raise HcrError(
            f"Cannot record to {path}: {error.strerror}; choose another place."
        ) from error


def _start_encoder(
    output: _Output, width: int, height: int, title: str, *, delayed: bool, threads: int
) -> tuple[OutputContainer, VideoStream]:
    import av

    container = av.open(
        output,
        "w",
        format="mp4",
        buffer_size=_IO_BYTES,
        container_options={
            # The head waits for the first packets where it has to say when sound begins.
            "movflags": "+hybrid_fragmented+default_base_moof" + "+delay_moov" * delayed,
            "frag_duration": str(_FRAGMENT_MICROSECONDS),
            "flush_packets": "1",
            "max_interleave_delta": str(_APART_MICROSECONDS),
        },
    )
    try:
        stream = container.add_stream("libx264", rate=_NOMINAL_FPS, options=_ENCODER_OPTIONS)
    except av.error.FFmpegError as error:
        raise HcrError(
            "This build of PyAV has no H.264 encoder: install the one of PyPI (pip install av)."
        ) from error
    if title:
        container.metadata["title"] = title
    stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
    stream.thread_count = threads
    context = stream.codec_context
    context.time_base = Fraction(1, _TICKS_A_SECOND)
    context.gop_size = _KEY_FRAME_EVERY
    # OpenCV converts by BT.601; players take BT.709 for large pictures unless told.
    context.colorspace = context.color_primaries = context.color_trc = 6  # SMPTE 170M
    context.color_range = 1  # 16 to 235
    return container, stream


def _video_size(width: int, height: int) -> tuple[int, int]:
    """Return the even size of the video for pictures of that size."""
    scale = min(1.0, _LARGEST_SIDE / max(width, height), (_LARGEST_AREA / (width * height)) ** 0.5)
    return _even(width * scale), _even(height * scale)


def _even(side: float) -> int:
    return max(_SMALLEST_SIDE, min(_LARGEST_SIDE, (int(side) + 1) // 2 * 2))


def _to_yuv(image: NDArray[np.uint8], width: int, height: int) -> NDArray[np.uint8]:
    """Return the picture fitted into the size, uint8 (height * 3 / 2, width), I420."""
    import cv2

    rows, columns = image.shape[:2]
    scale = min(width / columns, height / rows)
    is_near = 0 <= width - columns <= 1 and 0 <= height - rows <= 1
    if not is_near and scale != 1:
        rows, columns = (
            min(height, max(1, round(rows * scale))),
            min(width, max(1, round(columns * scale))),
        )
        image = cv2.resize(image, (columns, rows), interpolation=cv2.INTER_AREA)
    down, right = height - rows, width - columns
    if down or right:
        border = cv2.BORDER_REPLICATE if is_near else cv2.BORDER_CONSTANT
        top, left = down // 2, right // 2
        image = cv2.copyMakeBorder(image, top, down - top, left, right - left, border)
    return cv2.cvtColor(image, cv2.COLOR_BGR2YUV_I420)
