"""Video files in lock-step: every frame once, at the time that the file gives it."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

from hcr_live.errors import HcrError
from hcr_live.frame import Frame
from hcr_live.sources.base import EndOfSource, SourceInfo, SourceState
from hcr_live.sources.decoding import main_video_stream, nominal_fps, open_container, to_bgr

if TYPE_CHECKING:
    from av import Packet, VideoFrame
    from av.container import InputContainer

_DECODED_AHEAD = 2
_SHORTFALL_SECONDS = 0.1
_FALLBACK_STEP = 1 / 25
_SMALLEST_STEP = 0.001


class VideoSource:
    """A video file, decoded ahead on a thread into a queue of a few frames."""

    def __init__(
        self,
        path: str | Path,
        name: str | None = None,
        *,
        container: InputContainer | None = None,
    ) -> None:
        """Open the file and decode its first frame.

        Args:
            path: The file, or the address of one.
            name: For people and events; the path where not given.
            container: The file where it is open already.

        Raises:
            HcrError: If it is missing, no video, or has no frame that can be decoded.
        """
        self._name = name or str(path)
        if container is None:
            container = open_container(str(path), self._name)
        stream = main_video_stream(container)
        assert stream is not None
        stream.thread_type = "AUTO"
        self._decoder = _Decoder(container, self._name)
        self._state = SourceState.RUNNING
        self._notice = ""
        self._stop = threading.Event()
        self._queue: queue.Queue[Frame | _End] = queue.Queue(_DECODED_AHEAD)
        fps = nominal_fps(stream)
        self._frames = stream.frames or round((container.duration or 0) / 1e6 * fps)
        self._thread = threading.Thread(target=self._decode, name="video", daemon=True)
        self._thread.start()
        first = self._queue.get()
        if isinstance(first, _End):
            self._state = SourceState.ENDED
            if first.failure is not None:
                raise first.failure
            raise HcrError(
                f"{self._name} has no frame that can be decoded: it is damaged or empty."
            )
        self._first: Frame | None = first
        height, width = first.image.shape[:2]
        self._info = SourceInfo(self._name, width, height, fps, live=False)

    @property
    def begin(self) -> float:
        """Seconds, in the frames' time, at which the file begins: its first picture or sound."""
        return self._decoder.begin

    @property
    def zero(self) -> Fraction:
        """Seconds of the file's own clock at which the frames' time is 0."""
        return self._decoder.zero

    @property
    def info(self) -> SourceInfo:
        """Name, size as shown (after the file's own rotation) and the average rate."""
        return self._info

    @property
    def frames(self) -> int:
        """About how many frames there are by what the file says, 0 where it says nothing."""
        return self._frames

    @property
    def state(self) -> SourceState:
        """RUNNING until the last frame was handed over."""
        return self._state

    @property
    def dropped(self) -> int:
        """Always 0: every frame is handed over."""
        return 0

    @property
    def notice(self) -> str:
        """After the end: whether the file was cut off or damaged."""
        return self._notice

    def read(self, timeout: float = 0.1) -> Frame | None:
        """Return the next frame, or None where decoding it takes longer than `timeout`.

        Raises:
            EndOfSource: After the last frame.
        """
        if self._state is SourceState.ENDED:
            raise EndOfSource
        if self._first is not None:
            frame, self._first = self._first, None
            return frame
        try:
            item = self._queue.get(timeout=timeout)
        except queue.Empty:
            return None
        if isinstance(item, Frame):
            return item
        self._state = SourceState.ENDED
        self._notice = item.notice
        if item.failure is not None:
            raise item.failure
        raise EndOfSource

    def close(self) -> None:
        """Stop decoding and release the file."""
        self._state = SourceState.ENDED
        self._first = None
        self._stop.set()
        self._thread.join()

    def _decode(self) -> None:
        failure: BaseException | None = None
        try:
            for frame in self._decoder:
                if not self._put(frame):
                    return
        except BaseException as error:
            failure = error  # raised again where it can be handled: in `read`
        finally:
            self._decoder.close()
        self._put(_End(self._decoder.notice, failure))

    def _put(self, item: Frame | _End) -> bool:
        while not self._stop.is_set():
            try:
                self._queue.put(item, timeout=0.05)
            except queue.Full:
                continue
            return True
        return False


class _End:
    """What follows the last frame in the queue."""

    def __init__(self, notice: str, failure: BaseException | None) -> None:
        self.notice = notice
        self.failure = failure


class _Decoder:
    """Iterates over the frames of a container and keeps account of what is damaged."""

    def __init__(self, container: InputContainer, name: str) -> None:
        import av

        stream = main_video_stream(container)
        assert stream is not None
        self.notice = ""
        self._container = container
        self._stream = stream
        self._name = name
        # Formats with discontinuous timestamps (MPEG transport streams) start anywhere;
        # the others start the clip at 0 by definition.
        self._starts_anywhere = bool(
            container.format.flags & av.format.Flags.ts_discont.value  # type: ignore[operator]
        )
        start = container.start_time or 0
        self._origin = Fraction(start, av.time_base) if self._starts_anywhere else Fraction(0)
        self.zero = self._origin
        self.begin = 0.0 if self._starts_anywhere else max(0.0, start / av.time_base)
        rate = nominal_fps(stream)
        self._step = 1 / rate if rate else _FALLBACK_STEP
        self._last = -1.0
        self._shift = 0.0
        self._count = 0
        self._is_damaged = False
        self._is_cut = False

    def close(self) -> None:
        self._container.close()

    def __iter__(self) -> Iterator[Frame]:
        """Yield every frame that can be decoded."""
        import av

        container, stream = self._container, self._stream
        expected = (container.duration or 0) / av.time_base
        begin = (container.start_time or 0) / av.time_base
        end = begin
        packets = container.demux()
        held: Packet | None = None
        while True:
            try:
                packet = next(packets)
            except (StopIteration, IndexError):  # PyAV flushes streams, too, that began later on
                break
            except av.error.FFmpegError:
                self._is_cut = True
                yield from self._decode(None)
                break
            end = max(end, self._end_of(packet))
            if packet.stream is not stream:
                continue
            if held is not None and packet.size > 0:
                self._is_damaged = True
                yield from self._decode(held)
            # Half a packet is the mark of a cut; not decoded, as its error would take the
            # frames with it that still wait in the decoder.
            held = packet if packet.is_corrupt else None
            self._is_cut = held is not None or (self._is_cut and packet.size == 0)
            if held is None:
                yield from self._decode(packet)
        # The header states how long the clip is; what of it is missing was cut off.
        shortfall = expected - (end - begin)
        self._is_cut |= shortfall > max(_SHORTFALL_SECONDS, 1.5 * self._step)
        frames = "1 frame" if self._count == 1 else f"{self._count} frames"
        if self._is_cut:
            self.notice = f"{self._name} ends early: read as far as it goes, {frames}."
        elif self._is_damaged:
            self.notice = (
                f"{self._name} is damaged in places: what could be read was read, {frames}."
            )

    def _decode(self, packet: Packet | None) -> Iterator[Frame]:
        """Yield the frames that a packet completes; None: those that still wait."""
        import av

        try:
            decoded = self._stream.decode(packet)
        except av.error.FFmpegError:
            self._is_damaged = True
            return
        for frame in decoded:
            yield self._frame(frame)

    def _frame(self, decoded: VideoFrame) -> Frame:
        frame = Frame(to_bgr(decoded), self._count, self._time_of(decoded))
        self._count += 1
        return frame

    def _time_of(self, frame: VideoFrame) -> float:
        first = self._count == 0
        if frame.pts is None or frame.time_base is None:  # raw streams carry no clock
            time = 0.0 if first else self._last + self._step
        else:
            time = float(frame.pts * frame.time_base - self._origin) + self._shift
        if first:
            if time < 0:
                self.zero += Fraction(time)
                self._shift, time = -time, 0.0
        elif time <= self._last:
            if self._starts_anywhere:
                self._shift += self._last + self._step - time
                time = self._last + self._step
            else:
                time = self._last + _SMALLEST_STEP
        self._last = time
        return time

    def _end_of(self, packet: Packet) -> float:
        if packet.pts is None or packet.time_base is None or packet.size == 0:
            return 0.0
        duration = float((packet.duration or 0) * packet.time_base)
        if packet.stream is self._stream:
            duration = duration or self._step
        return float(packet.pts * packet.time_base) + duration
