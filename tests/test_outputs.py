"""Opening what a live run's text and pictures go to, and that nothing stays open."""

from __future__ import annotations

import pytest

from hcr_live.errors import HcrError
from hcr_live.options import LiveOptions
from hcr_live.outputs import Outputs, open_outputs
from hcr_live.sinks import clipboard, speech, typing, virtual_camera
from hcr_live.sources.base import SourceInfo

INFO = SourceInfo("fake", 1280, 720, 0.0, True)


class Sink:
    error = notice = ""

    def __init__(self) -> None:
        self.closed: list[str | None] = []

    def close(self, text: str | None = None) -> None:
        self.closed.append(text)


def test_nothing_is_opened_unless_it_is_asked_for(monkeypatch):
    monkeypatch.setattr(typing, "make_typist", lambda: pytest.fail("typing"))
    outputs = open_outputs(LiveOptions(), INFO)
    assert not outputs.takes_pictures
    assert outputs.shown == ()
    assert outputs.notice == ""


@pytest.mark.parametrize(
    ("layout", "size"), [("overlay", (1280, 720)), ("side-by-side", (1640, 720))]
)
def test_the_virtual_camera_has_the_size_of_the_layout(monkeypatch, layout, size):
    asked = []
    monkeypatch.setattr(
        virtual_camera, "make_virtual_camera", lambda *values: asked.append(values) or Sink()
    )
    outputs = open_outputs(LiveOptions(virtual_camera=True, layout=layout), INFO)
    assert outputs.takes_pictures
    ((width, height, fps),) = asked
    assert (width, height) == size
    assert fps > 0  # also of a source that does not say how many it has


def test_only_what_acts_on_other_programs_is_shown(monkeypatch):
    monkeypatch.setattr(typing, "make_typist", Sink)
    monkeypatch.setattr(clipboard, "make_clipboard", Sink)
    monkeypatch.setattr(speech, "make_speaker", Sink)
    assert open_outputs(LiveOptions(type=True), INFO).shown == ("TYPING",)
    assert open_outputs(LiveOptions(clipboard=True, speak=True), INFO).shown == ("CLIPBOARD",)


def test_what_is_missing_closes_what_was_opened(monkeypatch):
    def missing():
        raise HcrError("There is no voice.")

    typist = Sink()
    monkeypatch.setattr(typing, "make_typist", lambda: typist)
    monkeypatch.setattr(speech, "make_speaker", missing)
    with pytest.raises(HcrError, match="no voice"):
        open_outputs(LiveOptions(type=True, speak=True), INFO)
    assert typist.closed == [None]


def test_an_error_counts_before_a_notice():
    waits, broken = Sink(), Sink()
    waits.notice, broken.error = "Typing waits.", "The camera is gone."
    assert Outputs([waits]).notice == "Typing waits."
    outputs = Outputs([waits], [broken])
    assert outputs.notice == "The camera is gone."
    assert outputs.errors == ["The camera is gone."]
