"""Hand detectors are dear to make: some are kept for who comes next."""

from __future__ import annotations

import contextlib
import ctypes
import threading
from collections.abc import Callable

import numpy as np

from hcr_live.air.hands import HandDetector

_KEPT = 4
"""Idle detectors; each takes some 65 MB."""

_BEFORE = -1.0
"""Seconds: a time before that of any frame, by which a detector forgets what it saw."""


class Detectors:
    """Lends detectors to one connection after the other; any thread may ask."""

    def __init__(self) -> None:
        self._idle: list[_Lent] = []
        self._lock = threading.Lock()
        self._closed = False

    def lend(self) -> HandDetector:
        """Return a detector that has seen nothing yet; its `close` gives it back.

        Raises:
            HcrError: As `HandDetector`.
        """
        with self._lock:
            if self._idle:
                return self._idle.pop()
        return _Lent(self._take_back)

    def _take_back(self, detector: _Lent) -> None:
        with self._lock:
            if not self._closed and len(self._idle) < _KEPT:
                self._idle.append(detector)
                return
        detector.release()

    def close(self) -> None:
        """Release all; those that are out are released when they come back."""
        with self._lock:
            self._closed, idle, self._idle = True, self._idle, []
        for detector in idle:
            detector.release()


class _Lent(HandDetector):
    """A detector that goes back where it came from when it is closed."""

    def __init__(self, give_back: Callable[[_Lent], None]) -> None:
        super().__init__()
        self._give_back = give_back

    def close(self) -> None:
        # Nothing of one client's picture may have a part in another's.
        self.detect(np.zeros((90, 160, 3), np.uint8), _BEFORE)
        self._give_back(self)

    def release(self) -> None:
        super().close()
        with contextlib.suppress(OSError, AttributeError, TypeError):
            # glibc keeps what was freed by one thread or another: a gigabyte after some clients.
            ctypes.CDLL(None).malloc_trim(0)
