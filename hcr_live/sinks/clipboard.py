"""The whole accepted text on the clipboard."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import Callable, Iterator

from hcr_live.accepted import Accepted
from hcr_live.errors import HcrError
from hcr_live.sinks.worker import AcceptedSink, Worker

_LEAVE_SECONDS = 5.0
_LEAVE = "import copykitten, sys; copykitten.copy(sys.stdin.read(), detach=True)"
_MISSING = "The clipboard needs another package: pip install -r requirements.txt."


class Clipboard(AcceptedSink[str]):
    """Copies the whole text whenever it changes, but never an empty one; a `TextSink`.

    Args:
        copy: Puts a text on the clipboard.
        leave: Puts the last one there, so that it stays when the program has ended.
    """

    def __init__(self, copy: Callable[[str], None], leave: Callable[[str], None]) -> None:
        super().__init__(Worker(copy, "Copying to the clipboard"))
        self._leave = leave
        self._copied = ""

    def close(self, text: str | None = None) -> None:
        """Copy what is left and end; see `TextSink.close`."""
        super().close(text)
        text, self._copied = self._copied, ""
        if text and not self.error:
            self._leave(text)

    def _items(self, accepted: Accepted) -> Iterator[str]:
        if accepted.text and accepted.text != self._copied:
            self._copied = accepted.text
            yield accepted.text


def make_clipboard() -> Clipboard:
    """Get hold of the clipboard.

    Raises:
        HcrError: If the library or a clipboard is missing.
    """
    try:
        import copykitten
    except ImportError as error:
        raise HcrError(_MISSING) from error
    try:
        copykitten.paste()
    except copykitten.CopykittenError as error:
        if "initialized" in str(error):  # the others say that it is empty, or holds a picture
            raise HcrError(
                "There is no clipboard: start the program on a desktop, or without --clipboard."
            ) from error
    return Clipboard(copykitten.copy, _leave)


def _leave(text: str) -> None:
    """Let the text outlive the program: on Linux it is the programs that hold what was copied.

    By a small process that ends once something else is copied. It is not forked from this one: it
    would hold on to the camera.
    """
    if not sys.platform.startswith("linux"):
        return
    with contextlib.suppress(OSError, subprocess.SubprocessError):
        subprocess.run(
            [sys.executable, "-c", _LEAVE],
            input=text.encode(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=_LEAVE_SECONDS,
            start_new_session=True,
            check=False,
        )
