"""Live sources: a capture thread that always hands over the newest frame."""

from __future__ import annotations

import contextlib
import itertools
import statistics
import threading
import time
from collections.abc import Callable
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from hcr_live.errors import HcrError
from hcr_live.frame import Frame
from hcr_live.sources.base import EndOfSource, SourceInfo, SourceState
from hcr_live.sources.decoding import is_plausible_fps

_OPEN_SECONDS = 25.0
_STALL_SECONDS = 2.0
_LOST_SECONDS = 1.0
_RETRY_SECONDS = 0.02
_BACK_OFF_SECONDS = (0.5, 1.0, 2.0, 4.0, 5.0)
_INTERVALS_FOR_FPS = 10
_FPS_PATIENCE_SECONDS = 2.0
_SMALLEST_STEP = 0.001


class Capture(Protocol):
    """An open camera or stream, used by one thread at a time."""

    @property
    def fps(self) -> float:
        """The rate that the device states; may be nonsense."""

    def grab(self) -> bool:
        """Wait for the next frame; False where none came (unplugged, timed out)."""

    def retrieve(self) -> NDArray[np.uint8] | None:
        """Return the grabbed frame, uint8 (height, width, 3) BGR; None where it is broken."""

    def close(self) -> None:
        """Release the device."""


class NewestFrameSource:
    """Reads a capture on a thread, keeps the newest frame, reopens what stops.

    `Frame.time` is the clock when the frame was grabbed, counted from the first frame, and
    goes on over a stall. `Frame.index` counts the frames taken.
    """

    def __init__(
        self,
        name: str,
        open_capture: Callable[[], Capture],
        *,
        open_on_caller: bool = False,
        open_seconds: float = _OPEN_SECONDS,
        clock: Callable[[], float] = time.monotonic,
        pause: Callable[[float], object] | None = None,
    ) -> None:
        """Open the capture and wait for its first frame.

        Args:
            name: For people and events: "camera 0".
            open_capture: Opens the device or raises HcrError; called again after a stall.
            open_on_caller: Call it the first time on this thread, without a time limit.
            open_seconds: How long opening may take, the first frame included.
            clock: Seconds, never going back.
            pause: Waits so many seconds; until `close` where not given.

        Raises:
            HcrError: If it does not open, or gives no frame in time.
        """
        self._name = name
        self._open_capture = open_capture
        self._clock = clock
        self._stop = threading.Event()
        self._pause = pause or self._stop.wait
        self._changed = threading.Condition()
        self._newest: Frame | None = None
        self._size = (0, 0)
        self._fps = 0.0
        self._arrivals: list[float] = []
        self._taken = 0
        self._dropped = 0
        self._start = 0.0
        self._last_time = -1.0
        self._last_grab = clock()
        self._is_lost = False
        self._failure: BaseException | None = None
        capture = open_capture() if open_on_caller else None
        self._thread = threading.Thread(target=self._run, args=(capture,), name=name, daemon=True)
        self._thread.start()
        self._wait_for_first(open_seconds)

    @property
    def info(self) -> SourceInfo:
        """Size of the frames that really came, and the stated rate, or the measured one."""
        width, height = self._size
        return SourceInfo(self._name, width, height, self._fps, live=True)

    @property
    def state(self) -> SourceState:
        """STALLED while no frames come."""
        if self._stop.is_set():
            return SourceState.ENDED
        # A driver may block for ever in `grab`, so the clock decides as well.
        silence = self._clock() - self._last_grab
        stalled = self._is_lost or silence > _STALL_SECONDS
        return SourceState.STALLED if stalled else SourceState.RUNNING

    @property
    def dropped(self) -> int:
        """Frames that were replaced by a newer one before anybody read them."""
        return self._dropped

    @property
    def notice(self) -> str:
        """Says so while no frames come."""
        if self.state is SourceState.STALLED:
            return f"{_capital(self._name)} stopped giving pictures: trying to reopen it."
        return ""

    def read(self, timeout: float = 0.1) -> Frame | None:
        """Return the newest frame that was not read yet; wait up to `timeout` for one.

        Raises:
            EndOfSource: After `close`.
        """
        with self._changed:
            self._changed.wait_for(
                lambda: self._newest is not None or self._stop.is_set() or self._failure, timeout
            )
            if self._stop.is_set():
                raise EndOfSource
            frame, self._newest = self._newest, None
            if frame is None and self._failure is not None:
                raise self._failure
            return frame

    def close(self) -> None:
        """Stop the thread and release the device."""
        self._stop.set()
        with self._changed:
            self._changed.notify_all()
        # A driver that never answers must not keep the program from ending.
        self._thread.join(timeout=2.0)

    def _wait_for_first(self, seconds: float) -> None:
        def has_answer() -> bool:
            return self._taken > 0 or self._failure is not None

        with self._changed:
            self._changed.wait_for(has_answer, seconds)
            if self._taken and not self._fps:
                self._changed.wait_for(lambda: bool(self._fps), _FPS_PATIENCE_SECONDS)
        if self._failure is not None and not self._taken:
            self._stop.set()
            raise self._failure
        if not self._taken:
            self._stop.set()
            raise HcrError(
                f"{_capital(self._name)} gave no picture within {seconds:.0f} seconds: check"
                " that no other program uses it, plug it in again, or try --source demo."
            )

    def _run(self, capture: Capture | None) -> None:
        try:
            self._loop(capture)
        except BaseException as error:
            with self._changed:
                self._failure = error  # raised again where it can be handled: in `read`
                self._changed.notify_all()

    def _loop(self, capture: Capture | None) -> None:
        try:
            if capture is None:
                capture = self._open_capture()
            self._opened(capture)
            while not self._stop.is_set():
                if capture is None:
                    capture = self._reopen()
                elif not self._take(capture):
                    if self._clock() - self._last_grab > _LOST_SECONDS:
                        self._is_lost = True
                        capture.close()
                        capture = None
                    else:
                        self._pause(_RETRY_SECONDS)
        finally:
            if capture is not None:
                capture.close()

    def _opened(self, capture: Capture) -> None:
        self._arrivals = []
        self._last_grab = self._clock()
        fps = capture.fps
        if is_plausible_fps(fps):
            self._fps = fps

    def _reopen(self) -> Capture | None:
        for attempt in range(1_000_000):
            self._pause(_BACK_OFF_SECONDS[min(attempt, len(_BACK_OFF_SECONDS) - 1)])
            if self._stop.is_set():
                break
            with contextlib.suppress(HcrError):
                capture = self._open_capture()
                self._opened(capture)
                return capture
        return None

    def _take(self, capture: Capture) -> bool:
        """Wait for a frame and put it in place of the last; False where none came."""
        if not capture.grab():
            return False
        now = self._clock()
        image = capture.retrieve()
        if image is None:
            return False
        with self._changed:
            if self._taken == 0:
                self._start = now
            time_of_frame = max(now - self._start, self._last_time + _SMALLEST_STEP)
            if self._taken == 0:
                time_of_frame = 0.0
            if self._newest is not None:
                self._dropped += 1
            self._newest = Frame(image, self._taken, time_of_frame)
            self._taken += 1
            self._last_time = time_of_frame
            self._last_grab = now
            self._is_lost = False
            self._size = (image.shape[1], image.shape[0])
            if not self._fps:
                self._measure_fps(now)
            self._changed.notify_all()
        return True

    def _measure_fps(self, now: float) -> None:
        self._arrivals.append(now)
        # The first frame may have waited in the driver.
        times = self._arrivals[1:]
        if len(times) > _INTERVALS_FOR_FPS:
            intervals = [b - a for a, b in itertools.pairwise(times)]
            fps = 1 / max(statistics.median(intervals), 1e-6)
            if is_plausible_fps(fps):
                self._fps = fps
            self._arrivals = []


def _capital(name: str) -> str:
    """Return the name as a sentence begins; an address stays as it is."""
    return name if "://" in name else name[0].upper() + name[1:]
