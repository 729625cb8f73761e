"""A camera that tests plug in, feed and unplug; it stands for `cv2.VideoCapture`."""

from __future__ import annotations

import queue
import threading

import cv2
import numpy as np


class Clock:
    """A clock that only the test moves."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class FakeCamera:
    """The device behind every capture that `open` makes."""

    def __init__(
        self,
        size: tuple[int, int] = (640, 480),
        fps: float = 30.0,
        backends: tuple[int, ...] = (cv2.CAP_V4L2,),
        clock: Clock | None = None,
    ) -> None:
        self.size = size
        self.fps = fps
        self.backends = backends
        self.clock = clock or Clock()
        self.plugged = True
        self.settings: list[tuple[int, float]] = []
        self.opened_by: list[int] = []
        self.released = 0
        self.waits = threading.Event()
        self._frames: queue.Queue[tuple[float, np.ndarray | None]] = queue.Queue()
        self._warm_up = 0

    def open(self, number: int, backend: int) -> FakeCapture:
        self.opened_by.append(backend)
        return FakeCapture(self, number == 0 and self.plugged and backend in self.backends)

    def push(self, grey: int, after: float = 1 / 30, *, broken: bool = False) -> None:
        """Let the camera take a picture, so many seconds after the one before."""
        width, height = self.size
        image = None if broken else np.full((height, width, 3), grey, np.uint8)
        self._frames.put((after, image))

    def wait_until_idle(self) -> None:
        """Return when every picture was grabbed."""
        self._frames.join()


class FakeCapture:
    def __init__(self, camera: FakeCamera, is_open: bool) -> None:
        self._camera = camera
        self._is_open = is_open
        self._first = True
        self._image: np.ndarray | None = None
        self._holds = False

    def isOpened(self) -> bool:
        return self._is_open

    def set(self, what: int, value: float) -> bool:
        self._camera.settings.append((what, value))
        return True

    def get(self, what: int) -> float:
        return self._camera.fps if what == cv2.CAP_PROP_FPS else 0.0

    def grab(self) -> bool:
        self._done()
        if not self._camera.plugged:
            return False
        if self._first:  # the picture by which the backend is tried out
            self._first = False
            width, height = self._camera.size
            self._image = np.zeros((height, width, 3), np.uint8)
            return True
        try:
            after, self._image = self._camera._frames.get(timeout=0.005)
        except queue.Empty:
            return False
        self._holds = True
        self._camera.clock.now += after
        return True

    def retrieve(self) -> tuple[bool, np.ndarray | None]:
        return self._image is not None, self._image

    def release(self) -> None:
        self._done()
        self._camera.released += 1

    def _done(self) -> None:
        if self._holds:
            self._holds = False
            self._camera._frames.task_done()
