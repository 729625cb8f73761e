"""The whole text on the clipboard: a fake one, and a real one on a virtual screen."""

from __future__ import annotations

import subprocess
import sys

import pytest

from hcr_live.errors import HcrError
from hcr_live.sinks.clipboard import Clipboard, make_clipboard
from hcr_live.sinks.worker import TextSink
from tests.conftest import ROOT
from tests.sinks.test_window import needs_screen, screen  # noqa: F401
from tests.test_accepted import view


def test_the_whole_text_is_copied_when_it_changes_but_never_an_empty_one():
    copied: list[str] = []
    left: list[str] = []
    clipboard: TextSink = Clipboard(copied.append, left.append)
    clipboard.follow(view("", 0.0))
    for number, text in enumerate(["U", "UP", "UP "]):
        clipboard.follow(view(text, number / 30))
    clipboard.follow(view("", 0.2))
    clipboard.close("UP\nTO")
    clipboard.close("UP\nTO")
    assert copied[-1] == "UP\nTO"
    assert "" not in copied
    assert len(copied) == len(set(copied))
    assert left == ["UP\nTO"]


def test_a_clipboard_that_fails_says_so():
    def fail(text: str) -> None:
        raise OSError("no more handles")

    clipboard = Clipboard(fail, fail)
    clipboard.follow(view("UP", 0.0))
    clipboard.close()
    assert clipboard.error == "Copying to the clipboard failed and has ended: no more handles."


def test_a_missing_package_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "copykitten", None)
    with pytest.raises(HcrError, match=r"pip install -r requirements\.txt"):
        make_clipboard()


_COPY = """
from hcr_live.sinks.clipboard import make_clipboard
make_clipboard().close("UP\\nTO")
"""


@needs_screen
def test_what_was_copied_stays_when_the_program_has_ended(screen, monkeypatch):  # noqa: F811
    copykitten = pytest.importorskip("copykitten")
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    monkeypatch.setenv("DISPLAY", screen)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    subprocess.run([sys.executable, "-c", _COPY], check=True, timeout=60)
    paste = f"import {copykitten.__name__} as c; print(c.paste())"
    answer = subprocess.run(
        [sys.executable, "-c", paste], capture_output=True, text=True, check=True, timeout=60
    )
    assert answer.stdout == "UP\nTO\n"


def test_no_desktop_is_said(monkeypatch):
    pytest.importorskip("copykitten")
    program = (
        "from hcr_live.sinks.clipboard import make_clipboard\n"
        "from hcr_live.errors import HcrError\n"
        "try:\n    make_clipboard()\n"
        "except HcrError as error:\n    print(error)\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    answer = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60
    )
    if sys.platform.startswith("linux"):
        assert answer.stdout.startswith("There is no clipboard")
