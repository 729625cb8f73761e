"""Asks for each character, one by one, in a window, what it is."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from hcr_live.alphabet import CLASSES
from hcr_live.errors import HcrError
from hcr_live.overlay.canvas import GREEN, GREY, Canvas
from hcr_live.sinks.window import OpenCVWindow, Window, key_name
from train.data.characters import Ink
from train.extract.contact_sheet import enlarged

_WIDTH, _HEIGHT = 720, 480
_SHIFT = (0xFFE1, 0xFFE2)
_HELP = (
    "Enter: it is.   A letter or digit: it is that (Shift for a capital).",
    "Space: leave it out.   Backspace: go back.   Esc: stop, keep what is done.",
)


def ask(inks: Sequence[Ink], suggestions: Sequence[str], window: Window) -> list[str]:
    """Return what the user says each character is, "" for one to leave out.

    Args:
        inks: uint8 (h, w), white on black.
        suggestions: What each may be; Enter accepts it.
        window: Keys are "enter", "backspace", "escape", " " or a character, its case kept.

    Returns:
        As many answers as were given before the user stopped: `inks` has the others.
    """
    questions = Questions(inks, suggestions)
    while not questions.done:
        window.show(questions.picture())
        key = window.poll(0.1)
        if key in ("escape", "close"):
            break
        questions.press(key)
    window.close()
    return questions.answers


class Questions:
    """What each character is, one after the other; see `ask`.

    Attributes:
        answers: Those given so far.
    """

    def __init__(self, inks: Sequence[Ink], suggestions: Sequence[str]) -> None:
        self._inks, self._suggestions = inks, suggestions
        self.answers: list[str] = []

    @property
    def done(self) -> bool:
        """Whether all are answered."""
        return len(self.answers) == len(self._inks)

    def press(self, key: str | None) -> None:
        """Take a key of the window as an answer, if it is one; until `done`."""
        if key == "backspace":
            del self.answers[-1:]
        elif key == "enter":
            self.answers.append(self._suggestions[len(self.answers)])
        elif key == " ":
            self.answers.append("")
        elif key is not None and key in CLASSES:
            self.answers.append(key)

    def picture(self) -> NDArray[np.uint8]:
        """Return the present question, uint8 (480, 720, 3) BGR; until `done`."""
        here = len(self.answers)
        return _picture(
            self._inks[here], self._suggestions[here], here + 1, len(self._inks), self.answers
        )


class AskWindow(OpenCVWindow):
    """The program's window, but large and small letters and Enter are told apart."""

    def __init__(self, width: int = _WIDTH, height: int = _HEIGHT) -> None:
        try:
            super().__init__(width, height)
        except HcrError as error:
            raise HcrError(
                "There is no display to ask on: start it on a desktop, or give --labels."
            ) from error
        self._shifted = False

    def poll(self, seconds: float = 0.0) -> str | None:
        """Wait up to `seconds` for a key; see `Window.poll`."""
        code = cv2.waitKeyEx(max(1, round(seconds * 1000)))
        if self._shown and not self._is_open():
            return "close"
        if code & 0xFFFF in _SHIFT:
            self._shifted = True
            return None
        name = ask_key_name(code, self._shifted)
        self._shifted &= code < 0
        return name


def ask_key_name(code: int, shifted: bool = False) -> str | None:
    """Name a key code of highgui as `ask` wants it, None for no key or one without a meaning.

    Args:
        code: What `cv2.waitKeyEx` returned.
        shifted: Whether Shift was pressed just before: with Qt all letters come as small ones.
    """
    if code < 0:
        return None
    key = code & 0xFFFF
    if key in (10, 13, 0xFF0D, 0xFF8D):
        return "enter"
    if chr(key).isascii() and chr(key).isalnum():
        return chr(key).upper() if shifted else chr(key)
    return key_name(code)


def _picture(
    ink: Ink, suggestion: str, number: int, total: int, answers: Sequence[str]
) -> NDArray[np.uint8]:
    image = np.full((_HEIGHT, _WIDTH, 3), 32, np.uint8)
    image[60:380, 24:344] = 255
    image[80:360, 44:324] = enlarged(ink, 280)
    canvas = Canvas(image, 1.0)
    canvas.text(f"{number} of {total}", 24, 40, 24)
    end = canvas.text("Is it", 380, 200, 34)
    end = canvas.text(suggestion, end + 14, 205, 64, GREEN, "bold")
    canvas.text("?", end + 8, 200, 34)
    kind = "digit" if suggestion.isdigit() else "capital" if suggestion.isupper() else "small"
    canvas.text(f"({kind})", 380, 250, 20, GREY)
    if answers:
        before = " ".join(answer or "-" for answer in answers[-12:])
        canvas.text(f"Before: {before}", 380, 330, 18, GREY)
    for line, text in enumerate(_HELP):
        canvas.text(text, 24, 424 + 28 * line, 18, GREY)
    return image
