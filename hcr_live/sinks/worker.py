"""What a sink of text or pictures is, and its thread, which never holds up the live loop."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable
from typing import Generic, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from hcr_live.accepted import Acceptance, Accepted
from hcr_live.errors import HcrError
from hcr_live.view import View

Item = TypeVar("Item")

_CLOSE_SECONDS = 3.0


class PictureSink(Protocol):
    """Where a run's pictures go."""

    @property
    def error(self) -> str:
        """One sentence where the device failed, which ended its use; else ""."""

    def picture(self, image: NDArray[np.uint8]) -> None:
        """Take a uint8 (height, width, 3) BGR picture; never blocks, never raises."""

    def close(self) -> None:
        """End; may be called twice."""


class TextSink(Protocol):
    """Where a run's text goes: a voice, a keyboard, the clipboard."""

    @property
    def error(self) -> str:
        """One sentence where the device failed, which ended its use; else ""."""

    @property
    def notice(self) -> str:
        """One sentence that the user has to know now, or ""."""

    def follow(self, view: View) -> None:
        """Take in the view after a frame or a key; never blocks, never raises."""

    def close(self, text: str | None = None) -> None:
        """Do what is left, for a few seconds at most, and end; may be called twice.

        Args:
            text: The whole text of the run, once its session has finished; None to add nothing.
        """


class Worker(Generic[Item]):
    """Hands items to a function, one after the other, on a thread of its own.

    Attributes:
        error: One sentence where the function failed; nothing is handed to it from then on.
    """

    def __init__(self, work: Callable[[Item], None], task: str, *, most_waiting: int = 1) -> None:
        """Start the thread.

        Args:
            work: Takes one item; if it raises, it is not called again.
            task: What it does, for the error: "Speaking".
            most_waiting: So many items wait at most: the oldest ones make place for new ones.
        """
        self.error = ""
        self._work, self._task = work, task
        self._waiting: deque[Item] = deque(maxlen=most_waiting)
        self._closed = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._run, name=task, daemon=True)
        self._thread.start()

    def put(self, item: Item) -> None:
        """Leave an item for the thread."""
        with self._changed:
            if not self._closed and not self.error:
                self._waiting.append(item)
                self._changed.notify()

    def close(self, seconds: float) -> bool:
        """Let the thread do what waits; return False if it is still at work after so long."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting or self._closed)
                if not self._waiting:
                    return
                item = self._waiting.popleft()
            try:
                self._work(item)
            except Exception as error:  # a device's library raises anything
                sentence = str(error) if isinstance(error, HcrError) else ""
                self.error = sentence or f"{self._task} failed and has ended: {error}."
                return


class AcceptedSink(Generic[Item]):
    """A `TextSink` that makes items of what is accepted and leaves them to a worker."""

    def __init__(self, worker: Worker[Item]) -> None:
        self._acceptance = Acceptance()
        self._worker = worker
        self._notice = ""

    @property
    def error(self) -> str:
        """One sentence where the device failed, which ended its use; else ""."""
        return self._worker.error

    @property
    def notice(self) -> str:
        """One sentence that the user has to know now, or ""."""
        return self._notice

    def follow(self, view: View) -> None:
        """Take in the view after a frame or a key; never blocks, never raises."""
        self._take(self._acceptance.follow(view))

    def close(self, text: str | None = None) -> None:
        """Do what is left, for a few seconds at most, and end; see `TextSink.close`."""
        if text is not None:
            self._take(self._acceptance.finish(text))
        self._worker.close(_CLOSE_SECONDS)

    def _take(self, accepted: Accepted | None) -> None:
        if accepted is not None:
            for item in self._items(accepted):
                self._worker.put(item)

    def _items(self, accepted: Accepted) -> Iterable[Item]:
        raise NotImplementedError
