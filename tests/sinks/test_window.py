"""The real window, on a virtual screen, with real key presses."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from hcr_live.sinks.window import key_name
from tests.conftest import ROOT

needs_screen = pytest.mark.skipif(
    shutil.which("Xvfb") is None or shutil.which("xdotool") is None,
    reason="Xvfb and xdotool are not installed",
)


@pytest.fixture
def screen() -> Iterator[str]:
    """A virtual screen; returns its DISPLAY."""
    reading, writing = os.pipe()
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", str(writing), "-screen", "0", "1600x1000x24", "-nolisten", "tcp"],
        pass_fds=(writing,),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    os.close(writing)
    with os.fdopen(reading) as pipe:
        number = pipe.readline().strip()
    try:
        assert number, "Xvfb did not start"
        yield f":{number}"
    finally:
        server.terminate()
        server.wait()


# A client message WM_DELETE_WINDOW (ICCCM 4.2.8.1); xdotool can only destroy a window.
_ASK_TO_CLOSE = """
import ctypes, sys
class ClientMessage(ctypes.Structure):
    _fields_ = [("type", ctypes.c_int), ("serial", ctypes.c_ulong), ("send_event", ctypes.c_int),
                ("display", ctypes.c_void_p), ("window", ctypes.c_ulong),
                ("message_type", ctypes.c_ulong), ("format", ctypes.c_int),
                ("data", ctypes.c_long * 5), ("padding", ctypes.c_long * 24)]
x = ctypes.CDLL("libX11.so.6")
x.XOpenDisplay.restype = ctypes.c_void_p
display = ctypes.c_void_p(x.XOpenDisplay(None))
x.XInternAtom.restype = ctypes.c_ulong
atom = lambda name: x.XInternAtom(display, name, 0)
message = ClientMessage(33, 0, 1, display, int(sys.argv[1]), atom(b"WM_PROTOCOLS"), 32)
message.data[0] = atom(b"WM_DELETE_WINDOW")
x.XSendEvent(display, ctypes.c_ulong(int(sys.argv[1])), 0, ctypes.c_long(0),
             ctypes.byref(message))
x.XCloseDisplay(display)
"""


class Desktop:
    """The program in its window, and a hand on the keyboard."""

    def __init__(self, display: str, folder: Path, *arguments: str) -> None:
        self.folder = folder
        self._environment = {**os.environ, "DISPLAY": display}
        self._events = folder / "events.jsonl"
        self.program = subprocess.Popen(
            [sys.executable, str(ROOT / "main.py"), "--events", str(self._events), *arguments],
            cwd=folder,
            env=self._environment,
            stderr=subprocess.PIPE,
            text=True,
        )
        found = self._xdotool("search", "--sync", "--onlyvisible", "--name", "^hcr_live$")
        self.window = found.split()[0]

    def _xdotool(self, *arguments: str, check: bool = True) -> str:
        answer = subprocess.run(
            ["xdotool", *arguments],
            env=self._environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=check,
        )
        return answer.stdout

    def press(self, key: str) -> None:
        """Press a key in the window; it may be gone before the key comes up again."""
        self._xdotool("key", "--window", self.window, key, check=False)

    def drag(self, start: tuple[int, int], end: tuple[int, int]) -> None:
        """Drag the mouse from one place of the picture, which fills the window, to another."""
        for at, button in ((start, "mousedown"), (end, "mouseup")):
            self._xdotool("mousemove", "--sync", "--window", self.window, *map(str, map(int, at)))
            self._xdotool(button, "1")

    def close_button(self) -> None:
        """Ask the window to close, as the window manager does for its close button."""
        subprocess.run(
            [sys.executable, "-c", _ASK_TO_CLOSE, self.window], env=self._environment, check=True
        )

    def until(self, condition: Callable[[], object], seconds: float = 60) -> None:
        """Wait for something that the program does."""
        deadline = time.monotonic() + seconds
        while not condition():
            assert self.program.poll() is None or condition(), "the program ended before"
            assert time.monotonic() < deadline, "it did not happen in time"
            time.sleep(0.02)

    def events(self) -> list[dict]:
        """The events so far."""
        if not self._events.exists():
            return []
        lines = self._events.read_text().splitlines(keepends=True)
        return [json.loads(line) for line in lines if line.endswith("\n")]

    def text(self) -> str:
        """The text so far."""
        texts = [event["text"] for event in self.events() if event["event"] in ("text", "end")]
        return texts[-1] if texts else ""

    def end(self) -> int:
        """Wait for the end; return the exit status."""
        error = self.program.communicate(timeout=60)[1]
        assert "Traceback" not in error, error
        return self.program.returncode


@pytest.fixture
def looped_clip(paper_clip: Path, tmp_path: Path) -> Path:
    """The sheet held up for long enough to press keys meanwhile."""
    import av

    from generator.video import write_clip

    with av.open(str(paper_clip)) as container:
        images = [
            np.ascontiguousarray(frame.to_ndarray(format="bgr24", width=640, height=360))
            for frame in container.decode(video=0)
        ]
    there_and_back = images + images[::-1]
    frames = ((there_and_back[i % len(there_and_back)], i / 30) for i in range(30 * 30))
    write_clip(tmp_path / "long.mp4", frames, 30)
    return tmp_path / "long.mp4"


@needs_screen
def test_the_window_shows_the_sheet_and_obeys_the_keys(screen, looped_clip, tmp_path):
    desk = Desktop(screen, tmp_path, "--source", str(looped_clip), "--mode", "paper")
    desk.until(lambda: desk.text() == "RAKE")

    desk.press("a")  # another alphabet reads the page anew
    desk.until(lambda: len([e for e in desk.events() if e["event"] == "character"]) >= 8)
    desk.until(lambda: desk.text() == "RAKE")
    desk.press("BackSpace")
    desk.until(lambda: desk.text() == "RAK")
    desk.press("space")
    desk.until(lambda: desk.text() == "RAK ")
    desk.press("c")
    desk.until(lambda: desk.text() == "")

    desk.press("h")
    desk.press("s")
    desk.until(lambda: list(tmp_path.glob("hcr_live-*.png")))
    desk.press("r")
    desk.until(lambda: list(tmp_path.glob("hcr_live-*.mp4")))
    desk.press("r")
    desk.press("m")
    desk.press("f")
    desk.press("q")
    assert desk.end() == 0
    assert desk.events()[-1]["event"] == "end"

    (snapshot,) = tmp_path.glob("hcr_live-*.png")
    shown = cv2.imread(str(snapshot))
    assert shown.shape == (360, 640, 3)
    assert (shown[35:70, 20:100] > 200).any()  # the help is on it
    (recording,) = tmp_path.glob("hcr_live-*.mp4")
    assert cv2.VideoCapture(str(recording)).get(cv2.CAP_PROP_FRAME_COUNT) > 0


@needs_screen
def test_the_mouse_frames_what_is_read(screen, looped_clip, tmp_path):
    desk = Desktop(screen, tmp_path, "--source", str(looped_clip), "--mode", "paper")
    desk.until(lambda: desk.text() == "RAKE")
    rows = np.array([e["box"] for e in desk.events() if e["event"] == "character"])
    (left, top), (right, bottom) = rows[:2, :2].min(0) - 14, (rows[:2, :2] + rows[:2, 2:]).max(0)
    desk.press("c")
    desk.until(lambda: desk.text() == "")
    desk.drag((left, top), (right + 6, bottom + 14))
    desk.until(lambda: desk.text() == "RA")
    desk.press("q")
    assert desk.end() == 0


@needs_screen
@pytest.mark.parametrize("way", ["Escape", "close button"])
def test_escape_and_the_close_button_quit(screen, looped_clip, tmp_path, way):
    desk = Desktop(screen, tmp_path, "--source", str(looped_clip), "--mode", "paper")
    desk.until(lambda: len(desk.events()) > 1)
    if way == "Escape":
        desk.press("Escape")
    else:
        desk.close_button()
    assert desk.end() == 0
    assert desk.events()[-1]["event"] == "end"
    assert desk.events()[-1]["seconds"] < 20  # the clip was not over


@pytest.mark.parametrize(
    ("code", "name"),
    [
        (-1, None),
        (ord("m"), "m"),
        (ord("Q"), "q"),
        (32, " "),
        (8, "backspace"),
        (65288, "backspace"),
        (127, "backspace"),
        (27, "escape"),
        (0x100000 + 27, "escape"),
        (0xFFBE, None),
        (0xFF51, None),  # an arrow, whose lowest byte is Q
        (0x250000, None),
        (0x100000 + ord("q"), "q"),
    ],
)
def test_key_codes_of_all_toolkits(code, name):
    assert key_name(code) == name
