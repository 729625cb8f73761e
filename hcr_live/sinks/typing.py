"""Accepted text as key presses to the focused window.

By pynput on Windows and macOS. On Linux by X's own test extension (XTEST), since many programs
ignore the events that pynput sends there, which say that they are made up (XSendEvent).
"""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Callable, Iterator
from typing import Protocol

from hcr_live.accepted import Accepted, keys_between
from hcr_live.errors import HcrError
from hcr_live.sinks.worker import AcceptedSink, Worker

_CLOSE_SECONDS = 1.0
_KEY_SECONDS = 0.01  # programs drop keys that come faster than anybody types
_MISSING = "Typing needs another package: pip install -r requirements.txt."
_NO_DISPLAY = "There is no window to type to: start the program on a desktop, or without --type."
_NOT_ALLOWED = (
    "macOS does not let this program type: allow it in the settings under Privacy & Security, "
    "Accessibility, then start it again."
)
_OWN_WINDOW = "Typing waits: click into the window that the text shall go to."
_WAYLAND = "Typing: on Wayland only programs that run under XWayland are reached."


class Keyboard(Protocol):
    """What can press keys."""

    def tap(self, key: str) -> None:
        r"""Press and release the key of a character, of "\n" (enter) or of "\b" (backspace)."""

    def is_own_window(self) -> bool:
        """Whether keys would go to a window of this program."""

    def close(self) -> None:
        """Give it back."""


class Typist(AcceptedSink[str]):
    """Types accepted text to the focused window; a `TextSink`.

    What is written while a window of this program has the focus is not typed, neither there, where
    keys are commands, nor later.

    Args:
        keyboard: What presses the keys.
        pause: Waits for some seconds; a test passes its own.
    """

    def __init__(
        self, keyboard: Keyboard, pause: Callable[[float], None] = time.sleep, notice: str = ""
    ) -> None:
        super().__init__(Worker(self._type, "Typing"))
        self._keyboard = keyboard
        self._pause = pause
        self._notice = self._usual_notice = notice
        self._typed = ""
        self._is_closed = False

    def close(self, text: str | None = None) -> None:
        """Type what is left, for a few seconds at most, and end; see `TextSink.close`."""
        super().close(text)
        self._is_closed = True
        if self._worker.close(_CLOSE_SECONDS):
            self._keyboard.close()

    def _items(self, accepted: Accepted) -> Iterator[str]:
        yield accepted.text

    def _type(self, text: str) -> None:
        keys = keys_between(self._typed, text)
        self._typed = text
        for key in "\b" * keys.backspaces + keys.typed:
            if self._is_closed:
                return
            if self._keyboard.is_own_window():
                self._notice = _OWN_WINDOW
                return
            self._notice = self._usual_notice
            self._keyboard.tap(key)
            self._pause(_KEY_SECONDS)


def make_typist() -> Typist:
    """Get hold of the keyboard.

    Raises:
        HcrError: If the library, a display or the permission is missing.
    """
    if not sys.platform.startswith("linux"):
        return Typist(_PynputKeyboard())
    is_wayland = os.environ.get("XDG_SESSION_TYPE") == "wayland"
    return Typist(X11Keyboard(), notice=_WAYLAND if is_wayland else "")


class _PynputKeyboard:
    """The keyboard of Windows or macOS; a `Keyboard`."""

    def __init__(self) -> None:
        try:
            from pynput import keyboard
        except ImportError as error:
            raise HcrError(_MISSING) from error
        if sys.platform == "darwin":
            from HIServices import AXIsProcessTrusted

            if not AXIsProcessTrusted():
                raise HcrError(_NOT_ALLOWED)
        self._keys = {"\n": keyboard.Key.enter, "\b": keyboard.Key.backspace}
        self._controller = keyboard.Controller()

    def tap(self, key: str) -> None:
        """Press and release a key; see `Keyboard.tap`."""
        self._controller.tap(self._keys.get(key, key))

    def close(self) -> None:
        """Nothing is held."""

    def is_own_window(self) -> bool:
        """Whether keys would go to a window of this program."""
        if sys.platform == "win32":
            import ctypes

            owner = ctypes.c_ulong()
            window = ctypes.windll.user32.GetForegroundWindow()
            ctypes.windll.user32.GetWindowThreadProcessId(window, ctypes.byref(owner))
            return owner.value == os.getpid()
        from AppKit import NSWorkspace

        front = NSWorkspace.sharedWorkspace().frontmostApplication()
        return front is not None and front.processIdentifier() == os.getpid()


class X11Keyboard:
    """The keyboard of an X server; a `Keyboard`.

    Raises:
        HcrError: If python-xlib or the server is missing.
    """

    def __init__(self) -> None:
        try:
            from Xlib import XK, X, display, error
            from Xlib.ext import xtest
        except ImportError as missing:
            raise HcrError(_MISSING) from missing
        try:
            self._display = display.Display()
        except (error.DisplayError, OSError) as trouble:
            raise HcrError(_NO_DISPLAY) from trouble
        if not self._display.has_extension("XTEST"):
            raise HcrError("This desktop's X server can't be typed to: it has no XTEST extension.")
        self._x, self._fake, self._error = X, xtest.fake_input, error.XError
        self._closed = error.ConnectionClosedError
        self._special = {"\n": XK.XK_Return, "\b": XK.XK_BackSpace}
        self._shift = self._display.keysym_to_keycode(XK.XK_Shift_L)

    def tap(self, key: str) -> None:
        """Press and release a key; see `Keyboard.tap`.

        Raises:
            HcrError: If the keyboard's layout has no such key.
        """
        self._follow_layout()
        state = self._display.screen().root.query_pointer().mask
        group = state >> 13 & 3  # of several layouts the one in use, two places each
        keysym = self._special.get(key, ord(key))  # of Latin-1 the keysym is the character
        places = [
            (place % 2, code)
            for code, place in self._display.keysym_to_keycodes(keysym)
            if place // 2 == (0 if key in self._special else group)
        ]
        if not places:
            raise HcrError(
                f"Typing has ended: the keyboard's layout has no key for {key!r}; take a Latin one."
            )
        shifted, code = min(places)
        if key.isalpha() and state & self._x.LockMask:
            shifted = not shifted
        codes = [self._shift, code] if shifted and not state & self._x.ShiftMask else [code]
        for down in codes:
            self._fake(self._display, self._x.KeyPress, down)
        for up in reversed(codes):
            self._fake(self._display, self._x.KeyRelease, up)
        self._display.sync()

    def close(self) -> None:
        """Leave the X server; may be called twice."""
        with contextlib.suppress(self._closed):
            self._display.close()

    def _follow_layout(self) -> None:
        while self._display.pending_events():
            event = self._display.next_event()
            if event.type == self._x.MappingNotify:
                self._display.refresh_keyboard_mapping(event)

    def is_own_window(self) -> bool:
        """Whether keys would go to a window of this program."""
        process = self._display.intern_atom("_NET_WM_PID")
        window = self._display.get_input_focus().focus
        with contextlib.suppress(self._error):  # the window has gone meanwhile
            while not isinstance(window, int):  # the root's parent
                owner = window.get_full_property(process, self._x.AnyPropertyType)
                if owner is not None:
                    return bool(owner.value[0] == os.getpid())
                window = window.query_tree().parent
        return False
