"""Looks for hands on threads of their own, while the frame's paper is read."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from hcr_live.air.follow import Follower
from hcr_live.air.pose import palm_length
from hcr_live.frame import Frame

if TYPE_CHECKING:
    from hcr_live.air.hands import Hand, HandDetector

_ALONE = 12
"""Looks at a hand before the second detector, which is loaded at the first of them, has to help."""

_LOADING = 0.4
"""Seconds of frames until the second detector is asked, so that a camera does not wait for it."""

_ONE_HAND = 5.0
"""The detectors take turns only if no second hand was seen for so many seconds."""

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


@dataclass(frozen=True, eq=False)
class _Look:
    """A look under way: by which detector, and where another one looks elsewhere."""

    frame: Frame
    detector: int
    hands: Future[tuple[Hand, ...]]
    elsewhere: Future[tuple[Hand, ...]] | None


class HandWatcher:
    """`Hands` by detectors that are made, used and closed on a thread each.

    A detector needs about half a second to load; made here, it does so while the source
    opens. One follows the hand that writes; another one, loaded when it is first needed, looks
    elsewhere while that hand rests, so that nothing is missed of either. An answer is tied to the
    frame that was handed in, never to how long it took, so that a file gives the same result each
    time.

    Args:
        make_detector: Called on a detector's thread. Its HcrError reaches `wait_until_ready`.
    """

    def __init__(self, make_detector: Callable[[], HandDetector]) -> None:
        self.at_once = 1
        self._make_detector = make_detector
        self._workers = [_Worker(make_detector)]
        self._follower = Follower()
        self._first = 0  # the detector that follows the writer,
        self._second_since = -math.inf  # and since when there is another
        self._pending: deque[_Look] = deque()
        self._looks = 0
        self._seen = 0
        self._calm = 0
        self._last: NDArray[np.float32] | None = None
        self._time = -math.inf

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
        if frame.time < self._time:
            # The source starts again.
            self._follower, self._second_since = Follower(), -math.inf
        self._time = frame.time
        self._looks += 1
        elsewhere = None
        if self._follower.looks_elsewhere(frame.time):
            self._make_second(frame.time)
            if frame.time - self._second_since >= _LOADING:
                seen = self._follower.writer.hand
                elsewhere = self._workers[1 - self._first].detect(frame, hidden=seen)
                self._follower.looked = frame.time
        detector = self._looks % 2 if self._can_share(frame.time) else self._first
        hands = self._workers[detector].detect(frame, self._follower.hidden(frame.time))
        self._pending.append(_Look(frame, detector, hands, elsewhere))

    def found(self) -> tuple[Frame, tuple[Hand, ...]] | None:
        """Wait for the oldest look under way; see `Hands.found`."""
        if not self._pending:
            return None
        look = self._pending.popleft()
        hand = next(iter(look.hands.result()), None)
        elsewhere = next(iter(look.elsewhere.result()), None) if look.elsewhere else None
        follower, time = self._follower, look.frame.time
        if follower.step(hand, elsewhere, look.elsewhere is not None, time):
            self._make_second(time)
            self._first = 1 - look.detector
        hands = (follower.writer.hand,) if follower.writer.hand is not None else ()
        self._seen += bool(hands)
        if hands and self.at_once > 1:
            self._make_second(time)
        self._calm = self._calm + 1 if self._moved_little(hands) else 0
        return look.frame, hands

    def _make_second(self, time: float) -> None:
        if len(self._workers) < 2:
            self._workers.append(_Worker(self._make_detector))
            self._second_since = time

    def _can_share(self, time: float) -> bool:
        """Whether the detectors may take turns."""
        follower = self._follower
        alone = time - follower.other.seen > _ONE_HAND and not follower.is_free(time)
        calm = self._calm >= _CALM_LOOKS and self._seen > _ALONE
        return self.at_once > 1 and calm and alone

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

    def detect(self, frame: Frame, hidden: Hand | None) -> Future[tuple[Hand, ...]]:
        return self._thread.submit(
            lambda: self.detector.result().detect(frame.image, frame.time, hidden)
        )

    def close(self) -> None:
        self._thread.submit(lambda: self.detector.result().close())
        self._thread.shutdown(wait=True)
