"""The whole accepted text on the clipboard."""

from __future__ import annotations

from hcr_live.view import View


class Clipboard:
    """Copies the whole text whenever it changes, on a thread of its own; a `TextSink`."""

    error = ""
    notice = ""

    def follow(self, view: View) -> None:
        """Take in the view after a frame or a key."""

    def close(self, text: str | None = None) -> None:
        """Copy what is left and end."""


def make_clipboard() -> Clipboard:
    """Get hold of the clipboard.

    Raises:
        HcrError: If the library or a clipboard is missing.
    """
    return Clipboard()
