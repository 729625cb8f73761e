"""Accepted words, spoken by the system's voice."""

from __future__ import annotations

from hcr_live.view import View


class Speaker:
    """Says each accepted word, on a thread of its own; a `TextSink`."""

    error = ""
    notice = ""

    def follow(self, view: View) -> None:
        """Take in the view after a frame or a key."""

    def close(self, text: str | None = None) -> None:
        """Say what is left, for a few seconds at most, and end."""


def make_speaker() -> Speaker:
    """Start the system's voice.

    Raises:
        HcrError: If the library or a voice is missing.
    """
    return Speaker()
