"""Looks for hands on threads of their own, while the frame's paper is read."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from hcr_live.air.pose import palm_length
from hcr_live.frame import Frame

if TYPE_CHECKING:
    from hcr_live.air.hands import Hand, HandDetector

_ALONE = 12
"""Looks at a hand before the second detector, which is loaded at the first of them, has to help."""

_CALM_LOOKS = 3
_CALM_STEP = 0.2
"""A hand that moves by less than this share of its palm from frame to frame, for so many looks, is
found by a detector that sees every other frame as well; a quick one would be lost."""


class Hands(Protocol):
    """`look` starts a look, `found` waits for the oldest one.

    Attributes:
        at_once: How many looks are worth having under way.
    """

    at_once: int

    def wait_until_ready(self) -> None:
        """Wait until the detector is loaded."""

    def look(self, frame: Frame) -> None:
        """Start looking."""

    def found(self) -> tuple[Frame, tuple[Hand, ...]] | None:
        """Return the oldest frame looked at and its hands, None if no look is under way."""

    def close(self) -> None:
        """Release the detector; may be called twice."""


class HandWatcher:
    """`Hands` by detectors that are made, used and closed on a thread each.

    A detector needs about half a second to load; made here, it does so while the source
    opens. An answer is tied to the frame that was handed in, never to how long it took, so
    that a file gives the same result each time.

    Args:
        make_detector: Called on a detector's thread. Its HcrError reaches `wait_until_ready`.
    """

    def __init__(self, make_detector: Callable[[], HandDetector]) -> None:
        self.at_once = 1
        self._make_detector = make_detector
        self._workers = [_Worker(make_detector)]
        self._pending: deque[tuple[Frame, Future[tuple[Hand, ...]]]] = deque()
        self._looks = 0
        self._seen = 0
        self._calm = 0
        self._last: NDArray[np.float32] | None = None

    def wait_until_ready(self) -> None:
        """Wait until the detector is loaded.

        Raises:
            HcrError: If it can't be.
        """
        self._workers[0].detector.result()

    def take_turns(self) -> None:
        """Let a second detector follow a hand in every other frame, which is nearly twice as fast.

        For files of a usual frame rate, whose next frames are there already, and while the hand
        moves little from frame to frame.
        """
        self.at_once = 2

    def look(self, frame: Frame) -> None:
        """Start looking; at most `at_once` looks may be under way."""
        if len(self._pending) >= self.at_once:
            raise RuntimeError("The look before was not collected.")
        self._looks += 1
        share = self.at_once > 1 and self._calm >= _CALM_LOOKS and self._seen > _ALONE
        worker = self._workers[self._looks % 2 if share else 0]
        self._pending.append((frame, worker.detect(frame)))

    def found(self) -> tuple[Frame, tuple[Hand, ...]] | None:
        """Wait for the oldest look under way; see `Hands.found`."""
        if not self._pending:
            return None
        frame, future = self._pending.popleft()
        hands = future.result()
        self._seen += bool(hands)
        if hands and len(self._workers) < self.at_once:
            self._workers.append(_Worker(self._make_detector))
        self._calm = self._calm + 1 if self._moved_little(hands) else 0
        return frame, hands

    def _moved_little(self, hands: tuple[Hand, ...]) -> bool:
        before, self._last = self._last, hands[0].landmarks if hands else None
        if before is None or self._last is None:
            return False
        step = np.linalg.norm(self._last.mean(axis=0) - before.mean(axis=0))
        return bool(step <= _CALM_STEP * palm_length(self._last))

    def close(self) -> None:
        """Release the detectors; may be called twice."""
        self._pending.clear()
        for worker in self._workers:
            worker.close()
        self._workers = self._workers[:0]


class _Worker:
    """A detector and its thread."""

    def __init__(self, make_detector: Callable[[], HandDetector]) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="hands")
        self.detector: Future[HandDetector] = self._thread.submit(make_detector)

    def detect(self, frame: Frame) -> Future[tuple[Hand, ...]]:
        return self._thread.submit(lambda: self.detector.result().detect(frame.image, frame.time))

    def close(self) -> None:
        self._thread.submit(lambda: self.detector.result().close())
        self._thread.shutdown(wait=True)
