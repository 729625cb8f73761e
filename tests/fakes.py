"""Stand-ins for the edges: a network, a source, a window, a clock."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hcr_live.air.hands import Hand
from hcr_live.alphabet import CLASSES
from hcr_live.frame import Box, Frame
from hcr_live.ink.render import render_strokes
from hcr_live.sources.base import EndOfSource, SourceInfo, SourceState


class FakeClassifier:
    """Sees the same letter in all ink; `label` may change while it runs."""

    name = "fake"

    def __init__(self, label: str = "A", confidence: float = 0.95) -> None:
        self.label = label
        self.confidence = confidence

    def probabilities(self, inks: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
        rest = (1 - self.confidence) / (len(CLASSES) - 1)
        rows = np.full((len(inks), len(CLASSES)), rest, np.float32)
        rows[:, CLASSES.index(self.label)] = self.confidence
        return rows

    def stroke_probabilities(
        self, characters: Sequence[Sequence[ArrayLike]]
    ) -> NDArray[np.float32]:
        return self.probabilities([render_strokes(strokes) for strokes in characters])


class FakeHands:
    """Finds in each frame what a script says: a function of the frame, no hand by default."""

    def __init__(
        self, script: Callable[[Frame], tuple[Hand, ...]] = lambda _: (), at_once: int = 1
    ) -> None:
        self.at_once = at_once
        self._script = script
        self._frames: list[Frame] = []

    def wait_until_ready(self) -> None:
        pass

    def look(self, frame: Frame) -> None:
        assert len(self._frames) < self.at_once, "the look before was not collected"
        self._frames.append(frame)

    def found(self) -> tuple[Frame, tuple[Hand, ...]] | None:
        if not self._frames:
            return None
        frame = self._frames.pop(0)
        return frame, self._script(frame)

    def close(self) -> None:
        self._frames.clear()


class FakeSource:
    """Hands over what a script says: frames, None for a wait, or an exception to raise."""

    def __init__(self, script: Iterable[Frame | BaseException | None], live: bool = False) -> None:
        self._script = iter(script)
        self.info = SourceInfo("fake", 1280, 720, 30.0, live)
        self.state = SourceState.RUNNING
        self.dropped = 0
        self.notice = ""

    def read(self, timeout: float = 0.1) -> Frame | None:
        for item in self._script:
            if isinstance(item, BaseException):
                raise item
            self.notice = "" if item is not None else "The camera stopped: trying to reopen it."
            return item
        raise EndOfSource

    def close(self) -> None:
        self.state = SourceState.ENDED


class FakeWindow:
    """Keeps what was shown; presses `keys[n]`, drags `drags[n]`, once picture n was shown."""

    def __init__(
        self, keys: dict[int, str] | None = None, drags: dict[int, Box] | None = None
    ) -> None:
        self.pictures: list[NDArray[np.uint8]] = []
        self._keys = dict(keys or {})
        self._drags = dict(drags or {})

    def show(self, image: NDArray[np.uint8]) -> None:
        self.pictures.append(image)

    def poll(self, seconds: float = 0.0) -> str | None:
        return self._keys.pop(len(self.pictures) - 1, None)

    def dragged(self) -> Box | None:
        return self._drags.pop(len(self.pictures) - 1, None)

    def close(self) -> None:
        pass


def ticking(step: float = 0.01) -> Callable[[], float]:
    """A clock that goes on by `step` seconds each time somebody looks at it."""
    now = 0.0

    def clock() -> float:
        nonlocal now
        now += step
        return now

    return clock


def frames(
    images: Iterable[NDArray[np.uint8]], fps: float = 30.0, start: float = 0.0
) -> list[Frame]:
    """Number and time images as a source would."""
    first = round(start * fps)
    return [Frame(image, first + n, start + n / fps) for n, image in enumerate(images)]
