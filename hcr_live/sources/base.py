"""What every source of frames promises."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Protocol

from hcr_live.frame import Frame


class SourceState(enum.Enum):
    """RUNNING <-> STALLED (cameras and streams only), both -> ENDED; `close` ends any."""

    RUNNING = "running"
    STALLED = "stalled"
    ENDED = "ended"


@dataclass(frozen=True)
class SourceInfo:
    """What a source really gives, read back from it, never what was asked for.

    Attributes:
        name: For people and events: "camera 0", the file's path, "demo".
        width: Pixels of a frame; of the first one where they differ (a folder of images).
        height: Pixels of a frame.
        fps: Frames a second; 0.0 where there is no rate (images).
        live: True for a camera or stream: it does not wait, the newest frame counts.
    """

    name: str
    width: int
    height: int
    fps: float
    live: bool


class EndOfSource(Exception):
    """There are no more frames."""


class Source(Protocol):
    """A stream of frames; files hand over every frame once, live sources the newest."""

    @property
    def info(self) -> SourceInfo:
        """What the source really gives."""

    @property
    def state(self) -> SourceState:
        """Whether frames are coming."""

    @property
    def dropped(self) -> int:
        """Frames that a live source took and nobody read."""

    @property
    def notice(self) -> str:
        """One sentence for the user ("The camera stopped: trying to reopen it."), or ""."""

    def read(self, timeout: float = 0.1) -> Frame | None:
        """Return the next frame, or None where none came within `timeout` seconds.

        Raises:
            EndOfSource: After the last frame.
        """

    def close(self) -> None:
        """Release the device or file; may be called twice."""
