"""Looks for hands on a thread of its own, while the frame's paper is read."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Protocol

from hcr_live.frame import Frame

if TYPE_CHECKING:
    from hcr_live.air.hands import Hand, HandDetector


class Hands(Protocol):
    """One look at a time: `look` starts it, `found` waits for it."""

    def wait_until_ready(self) -> None:
        """Wait until the detector is loaded."""

    def look(self, frame: Frame) -> None:
        """Start looking; the look before must have been collected."""

    def found(self) -> tuple[Frame, tuple[Hand, ...]] | None:
        """Return the frame looked at and its hands, None if no look is under way."""

    def close(self) -> None:
        """Release the detector; may be called twice."""


class HandWatcher:
    """`Hands` by a detector that is made, used and closed on one worker thread.

    The detector needs about half a second to load; made here, it does so while the source
    opens. An answer is tied to the frame that was handed in, never to how long it took, so
    that a file gives the same result each time.

    Args:
        make_detector: Called once, on the worker thread. Its HcrError reaches `wait_until_ready`.
    """

    def __init__(self, make_detector: Callable[[], HandDetector]) -> None:
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="hands")
        self._detector: Future[HandDetector] = self._worker.submit(make_detector)
        self._pending: tuple[Frame, Future[tuple[Hand, ...]]] | None = None
        self._closed = False

    def wait_until_ready(self) -> None:
        """Wait until the detector is loaded.

        Raises:
            HcrError: If it can't be.
        """
        self._detector.result()

    def look(self, frame: Frame) -> None:
        """Start looking; the look before must have been collected."""
        if self._pending is not None:
            raise RuntimeError("The look before was not collected.")
        self._pending = (frame, self._worker.submit(self._detect, frame))

    def found(self) -> tuple[Frame, tuple[Hand, ...]] | None:
        """Wait for the look under way; see `Hands.found`."""
        if self._pending is None:
            return None
        frame, future = self._pending
        self._pending = None
        return frame, future.result()

    def close(self) -> None:
        """Release the detector; may be called twice."""
        if not self._closed:
            self._closed = True
            self._pending = None
            self._worker.submit(lambda: self._detector.result().close())
            self._worker.shutdown(wait=True)

    def _detect(self, frame: Frame) -> tuple[Hand, ...]:
        return self._detector.result().detect(frame.image, frame.time)
