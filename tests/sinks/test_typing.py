"""Key presses: what they make of a document, and real ones into a real window."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable

import pytest

from hcr_live.errors import HcrError
from hcr_live.sinks.typing import Typist, X11Keyboard, make_typist
from hcr_live.sinks.worker import TextSink
from tests.conftest import ROOT
from tests.sinks.test_window import needs_screen, screen  # noqa: F401
from tests.test_accepted import view


class FakeKeyboard:
    """Keys that go into a document, or to a window of this program."""

    def __init__(self, own_window: Callable[[str], bool] = lambda document: False) -> None:
        self.document = ""
        self._own_window = own_window

    def tap(self, key: str) -> None:
        self.document = self.document[:-1] if key == "\b" else self.document + key

    def is_own_window(self) -> bool:
        return self._own_window(self.document)

    def close(self) -> None:
        pass


def output_of(program: str) -> str:
    answer = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    return answer.stdout


def no_pause(seconds: float) -> None:
    """The keys of a fake need no time."""


def test_the_document_becomes_the_text():
    keyboard = FakeKeyboard()
    typist: TextSink = Typist(keyboard, no_pause)
    for number, text in enumerate(["H", "HE", "HELO", "HELLO ", "HELLO W", "HELLO W\nDONE"]):
        typist.follow(view(text, number / 30))
    typist.close("HELLO W\nDONE")
    assert keyboard.document == "HELLO W\nDONE"
    assert typist.error == ""


def test_nothing_is_typed_into_the_own_window_where_keys_are_commands():
    keyboard = FakeKeyboard(own_window=lambda document: True)
    typist = Typist(keyboard, no_pause)
    typist.follow(view("QUIT", 0.0))
    typist.close("QUIT")
    assert keyboard.document == ""
    assert "click into the window" in typist.notice


def test_typing_stops_at_once_when_the_own_window_comes_to_the_front():
    keyboard = FakeKeyboard(own_window=lambda document: document == "HEL")
    typist = Typist(keyboard, no_pause)
    typist.follow(view("HELLO", 0.0))
    typist.close("HELLO")
    assert keyboard.document == "HEL"


def test_a_missing_package_is_named(monkeypatch):
    library = "Xlib" if sys.platform.startswith("linux") else "pynput"
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(HcrError, match=r"pip install -r requirements\.txt"):
        make_typist()


_WITHOUT_DESKTOP = """
from hcr_live.errors import HcrError
from hcr_live.sinks.typing import make_typist
try:
    make_typist()
except HcrError as error:
    print(error)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="X11")
@pytest.mark.parametrize("display", ["", ":997"])
def test_no_desktop_is_said(monkeypatch, display):
    pytest.importorskip("Xlib")
    monkeypatch.setenv("DISPLAY", display)
    assert output_of(_WITHOUT_DESKTOP).startswith("There is no window to type to: ")


# A field to type into, which ends with Escape or after a minute and prints what stands there.
_FIELD = """
import tkinter
root = tkinter.Tk()
field = tkinter.Text(root)
field.pack()
def end(event):
    print(field.get("1.0", "end-1c"))
    root.destroy()
root.bind("<Escape>", end)
root.after(60000, root.destroy)
field.focus_force()
root.wait_visibility()
root.update()
print("ready", flush=True)
root.mainloop()
"""

_OWN = """
import numpy as np, subprocess
from hcr_live.sinks.typing import X11Keyboard
from hcr_live.sinks.window import OpenCVWindow
window = OpenCVWindow(640, 360)
for _ in range(20):
    window.show(np.zeros((360, 640, 3), np.uint8))
    window.poll(0.05)
subprocess.run("xdotool search --sync --name ^hcr_live$ windowfocus --sync", shell=True, check=True)
window.poll(0.05)
print(X11Keyboard().is_own_window())
"""


@needs_screen
def test_real_keys_reach_a_real_window(screen, monkeypatch):  # noqa: F811
    pytest.importorskip("Xlib")
    pytest.importorskip("tkinter")
    monkeypatch.setenv("DISPLAY", screen)
    field = subprocess.Popen([sys.executable, "-c", _FIELD], stdout=subprocess.PIPE, text=True)
    try:
        assert field.stdout is not None
        assert field.stdout.readline() == "ready\n"
        keyboard = X11Keyboard()
        assert not keyboard.is_own_window()
        typist = Typist(keyboard)
        typist.follow(view("HELO", 0.0))
        typist.follow(view("HELLo 1029", 0.1))
        typist.close("HELLo 1029\nzZ")
        assert typist.error == ""
        subprocess.run(["xdotool", "key", "Escape"], check=True, timeout=30)
        rest, _ = field.communicate(timeout=60)
    finally:
        field.kill()
        field.wait()
    assert rest == "HELLo 1029\nzZ\n"


@needs_screen
def test_a_window_of_this_program_is_known(screen, monkeypatch):  # noqa: F811
    pytest.importorskip("Xlib")
    monkeypatch.setenv("DISPLAY", screen)
    assert output_of(_OWN) == "True\n"
