"""The video window: shows pictures, hands over the keys pressed."""

from __future__ import annotations

import ctypes
import os
import sys
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from hcr_live.errors import HcrError
from hcr_live.frame import Box

_TITLE = "hcr_live"
_SMALLEST, _LARGEST = (640, 360), (1280, 720)
_NO_DISPLAY = (
    "There is no display to open the window on: add --no-window, or start it on a desktop."
)


class Window(Protocol):
    """What the live loop needs of a window."""

    def show(self, image: NDArray[np.uint8]) -> None:
        """Show a uint8 (height, width, 3) BGR picture."""

    def poll(self, seconds: float = 0.0) -> str | None:
        """Wait up to `seconds` for a key.

        Returns:
            A character ("m", " "), "backspace", "escape", or "close" once the window's close
            button was used; None where nothing happened.
        """

    def dragged(self) -> Box | None:
        """Return what the mouse was dragged over since this was asked last, or None.

        In pixels of the picture shown; of a mere click, a box of no size.
        """

    def close(self) -> None:
        """Close the window; may be called twice."""


class OpenCVWindow:
    """A resizable window by OpenCV's highgui.

    Raises:
        HcrError: If there is no display.
    """

    def __init__(self, width: int, height: int) -> None:
        require_display()
        import cv2

        self._cv2 = cv2
        flags = cv2.WINDOW_NORMAL | cv2.WINDOW_KEEPRATIO | cv2.WINDOW_GUI_NORMAL
        cv2.namedWindow(_TITLE, flags)
        cv2.resizeWindow(_TITLE, *_window_size(width, height))
        self._shown = False
        self._pressed: tuple[int, int] | None = None
        self._pointer = (0, 0)
        self._dragged: Box | None = None
        cv2.setMouseCallback(_TITLE, self._point)

    def _point(self, event: int, x: int, y: int, *_: object) -> None:
        self._pointer = x, y
        if event == self._cv2.EVENT_LBUTTONDOWN:
            self._pressed = x, y
        elif event == self._cv2.EVENT_LBUTTONUP and self._pressed is not None:
            self._dragged, self._pressed = _box_between(self._pressed, self._pointer), None

    def dragged(self) -> Box | None:
        """Return what the mouse was dragged over; see `Window.dragged`."""
        dragged, self._dragged = self._dragged, None
        return dragged

    def show(self, image: NDArray[np.uint8]) -> None:
        """Show a uint8 (height, width, 3) BGR picture."""
        if self._pressed is not None:
            image = image.copy()  # the recording has none of it
            self._cv2.rectangle(image, self._pressed, self._pointer, (255, 255, 255), 2)
        self._cv2.imshow(_TITLE, image)
        self._shown = True

    def poll(self, seconds: float = 0.0) -> str | None:
        """Wait up to `seconds` for a key; see `Window.poll`."""
        code = self._cv2.waitKeyEx(max(1, round(seconds * 1000)))
        return "close" if self._shown and not self._is_open() else key_name(code)

    def close(self) -> None:
        """Close the window; may be called twice."""
        if self._is_open():
            self._cv2.destroyAllWindows()
            self._cv2.waitKeyEx(1)

    def _is_open(self) -> bool:
        try:
            return bool(self._cv2.getWindowProperty(_TITLE, self._cv2.WND_PROP_VISIBLE) >= 1)
        except self._cv2.error:  # Qt, once its last window was closed
            return False


def _box_between(one: tuple[int, int], other: tuple[int, int]) -> Box:
    (x, right), (y, bottom) = (sorted(pair) for pair in zip(one, other, strict=True))
    return Box(x, y, right - x, bottom - y)


def _window_size(width: int, height: int) -> tuple[int, int]:
    """Return a size of the picture's aspect that is handy on any screen; it can be changed."""
    scale = min(_LARGEST[0] / width, _LARGEST[1] / height)
    if width >= _SMALLEST[0] or height >= _SMALLEST[1]:
        scale = min(scale, 1.0)
    return max(1, round(width * scale)), max(1, round(height * scale))


def key_name(code: int) -> str | None:
    """Name a key code of highgui, None for no key or one without a meaning here."""
    if code < 0:
        return None
    # GTK and Qt set modifiers above the lowest 16 bits; the X keys without a character, such as
    # arrows, are 0xFFxx, those of macOS 0xF7xx.
    key = code & 0xFFFF
    if key in (8, 127, 0xFF08):
        return "backspace"
    if key in (27, 0xFF1B):
        return "escape"
    return chr(key).lower() if 32 <= key < 127 else None


def require_display() -> None:
    """Make sure that a window can open: Qt aborts the whole process where it can't.

    Raises:
        HcrError: If there is no display.
    """
    if not sys.platform.startswith("linux"):
        return
    if not os.environ.get("DISPLAY"):
        raise HcrError(_NO_DISPLAY)
    try:
        xcb = ctypes.CDLL("libxcb.so.1")
    except OSError:
        return
    xcb.xcb_connect.restype = ctypes.c_void_p
    connection = ctypes.c_void_p(xcb.xcb_connect(None, None))
    failed = xcb.xcb_connection_has_error(connection)
    xcb.xcb_disconnect(connection)
    if failed:
        raise HcrError(_NO_DISPLAY)
