"""A thread that does what must not hold up the live loop."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from hcr_live.view import View


class TextSink(Protocol):
    """Where a run's text goes: a voice, a keyboard, the clipboard.

    Attributes:
        error: One sentence where the device failed, which ended its use; else "".
        notice: One sentence that the user has to know now, or "".
    """

    error: str

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


class PictureSink(Protocol):
    """Where a run's pictures go.

    Attributes:
        error: One sentence where the device failed, which ended its use; else "".
    """

    error: str

    def picture(self, image: NDArray[np.uint8]) -> None:
        """Take a uint8 (height, width, 3) BGR picture; never blocks, never raises."""

    def close(self) -> None:
        """End; may be called twice."""
