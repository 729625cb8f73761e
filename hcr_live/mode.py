"""Paper or air: which of the two is read, decided calmly."""

from __future__ import annotations

from dataclasses import dataclass, replace

from hcr_live.view import Mode

TO_AIR_SECONDS = 0.2
"""A hand must write for this long: shorter than a stroke, longer than a passing pose."""

TO_PAPER_SECONDS = 2.0
"""No hand may have written for this long: longer than the pause between two letters."""


@dataclass(frozen=True)
class AutoMode:
    """The state of the decision; `step` returns the next one.

    Attributes:
        mode: What is read now.
        writing_since: When a hand in the writing pose was first seen without a break, or None.
        written_at: When one was last seen.
    """

    mode: Mode = "paper"
    writing_since: float | None = None
    written_at: float = float("-inf")

    def step(self, writing: bool, time: float) -> AutoMode:
        """Take in one look at the hands.

        Args:
            writing: A hand is in the writing pose (one that merely holds a sheet is not).
            time: Seconds of the frame looked at, not decreasing.
        """
        if not writing:
            quiet = time - self.written_at >= TO_PAPER_SECONDS
            return replace(self, mode="paper" if quiet else self.mode, writing_since=None)
        since = time if self.writing_since is None else self.writing_since
        mode: Mode = "air" if time - since >= TO_AIR_SECONDS else self.mode
        return AutoMode(mode, since, time)
