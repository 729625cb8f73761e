"""Accepted text as key presses to the focused window."""

from __future__ import annotations

from hcr_live.view import View


class Typist:
    """Types accepted text, on a thread of its own; a `TextSink`."""

    error = ""
    notice = ""

    def follow(self, view: View) -> None:
        """Take in the view after a frame or a key."""

    def close(self, text: str | None = None) -> None:
        """Type what is left, for a few seconds at most, and end."""


def make_typist() -> Typist:
    """Get hold of the keyboard.

    Raises:
        HcrError: If the library or a display is missing.
    """
    return Typist()
