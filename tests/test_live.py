"""The loop: what ends it, what must survive that, and what the keys do."""

from __future__ import annotations

import json

import av
import numpy as np
import pytest

from generator.letters import letter_strokes
from generator.sheet import SheetStyle, sheet_image
from hcr_live.frame import Box
from hcr_live.live import LiveLoop
from hcr_live.outputs import Outputs
from hcr_live.session import Session
from hcr_live.sinks.excerpt import Excerpts
from tests.fakes import FakeClassifier, FakeHands, FakeSource, FakeWindow, frames, ticking

STYLE = SheetStyle(background="wood", height=0.7, thumb=False)


@pytest.fixture(scope="module")
def card() -> np.ndarray:
    """A card with one letter."""
    line = [letter_strokes("A", np.random.default_rng(1))]
    return sheet_image([line], seed=1, style=STYLE).image


def make(source, *, window=None, record=None, **options):
    events: list[dict] = []
    session = Session(FakeClassifier(), FakeHands(), mode="paper")
    loop = LiveLoop(
        source,
        session,
        events.append,
        window=window,
        record=record,
        clock=ticking(),
        **options,
    )
    return loop, events, session


def test_the_mouse_says_where_to_read_and_a_click_ends_that(card):
    width = card.shape[1]
    corner = Box(width - 150, 0, 150, 100)  # the left one: the picture is shown as in a mirror
    click = Box(300, 200, 0, 0)
    window = FakeWindow({25: "c"}, {5: corner, 30: click})
    loop, events, session = make(FakeSource(frames([card] * 80)), window=window, mirror=True)
    loop.run()
    written = [event["frame"] for event in events if event["event"] == "character"]
    assert written
    assert min(written) > 30
    assert session.text == "A"
    framed = window.pictures[20][20:100, width - 150 : width - 10]
    assert np.abs(framed.astype(int) - card[20:100, 10:150][:, ::-1]).max() > 0


def video_frames(path) -> int:
    with av.open(str(path)) as container:
        return sum(1 for _ in container.decode(video=0))


def test_a_source_that_ends_ends_the_run(card):
    loop, events, _ = make(FakeSource(frames([card] * 20)))
    summary = loop.run()
    assert (summary.frames, summary.text) == (20, "A")
    assert [event["event"] for event in events] == ["character", "text", "end"]
    json.dumps(events)


def test_a_stall_is_said_and_loses_nothing(card, tmp_path):
    window = FakeWindow()
    later = frames([card] * 20, start=5.0)
    source = FakeSource([*frames([card] * 20), None, None, *later], live=True)
    target = tmp_path / "out.mp4"
    loop, _, _ = make(source, window=window, record=target)
    summary = loop.run()
    assert summary.text == "A"
    assert len(window.pictures) == 42
    stalled, before = window.pictures[20], window.pictures[19]
    assert (stalled[-40:] != before[-40:]).any()  # the notice stands in the last line
    assert video_frames(target) == 40


@pytest.mark.parametrize("trouble", [KeyboardInterrupt(), RuntimeError("a bug")])
def test_whatever_ends_the_run_recording_and_text_are_kept(card, tmp_path, trouble):
    target = tmp_path / "out.mp4"
    source = FakeSource([*frames([card] * 20), trouble])
    loop, events, _ = make(source, record=target)
    if isinstance(trouble, KeyboardInterrupt):
        assert loop.run().text == "A"
    else:
        with pytest.raises(RuntimeError):
            loop.run()
    assert events[-1]["event"] == "end"
    assert events[-1]["text"] == "A"
    assert video_frames(target) >= 19  # Ctrl-C may come while the last one is drawn


@pytest.mark.parametrize("key", ["q", "escape", "close"])
def test_keys_that_quit(card, key):
    loop, events, _ = make(FakeSource(frames([card] * 50)), window=FakeWindow({5: key}))
    assert loop.run().frames == 6
    assert events[-1]["event"] == "end"


def test_keys_edit_the_text(card):
    keys = {20: " ", 22: "backspace", 24: "c", 40: "q"}
    loop, events, _ = make(FakeSource(frames([card] * 50)), window=FakeWindow(keys))
    loop.run()
    texts = [event["text"] for event in events if event["event"] == "text"]
    assert texts == ["A", "A ", "A", ""]


def test_keys_change_mode_alphabet_and_mirror(card):
    window = FakeWindow({15: "f", 17: "a", 19: "h"})
    loop, _, session = make(FakeSource(frames([card] * 22)), window=window)
    loop.run()
    assert session.mirror is True
    pictures = window.pictures
    assert (pictures[14][200:500] != pictures[16][200:500]).any()  # mirrored
    assert (pictures[16][:44] != pictures[18][:44]).any()  # another alphabet's name
    assert (pictures[18][70:400] != pictures[20][70:400]).any()  # the help


def test_r_records_from_then_on_and_s_takes_a_snapshot(card, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    window = FakeWindow({4: "r", 9: "s", 14: "r"})
    loop, _, _ = make(FakeSource(frames([card] * 20)), window=window)
    loop.run()
    (recording,) = tmp_path.glob("hcr_live-*.mp4")
    assert video_frames(recording) == 8  # two of ten pictures answer a key, without a frame
    (snapshot,) = tmp_path.glob("hcr_live-*.png")
    assert snapshot.stat().st_size > 10_000
    known = json.loads(snapshot.with_suffix(".json").read_text())
    assert known["event"] == "view"
    assert known["frame"] == 8  # picture 5 answered a key
    assert [mark["text"] for mark in known["marks"]] == ["A"]


def test_the_time_limit_counts_the_clip(card):
    loop, _, _ = make(FakeSource(frames([card] * 90)), max_seconds=1.0)
    assert loop.run().frames == 30


def test_the_time_limit_counts_the_clock_where_no_frame_comes():
    loop, events, _ = make(FakeSource([None] * 100_000, live=True), max_seconds=1.0)
    assert loop.run().frames == 0
    assert events[-1]["event"] == "end"


class FakeSink:
    """A sink of text and pictures that keeps what it is given."""

    def __init__(self, error: str = "", notice: str = "") -> None:
        self.error, self.notice = error, notice
        self.texts: list[str] = []
        self.pictures: list[np.ndarray] = []
        self.closed_with: list[str | None] = []

    def follow(self, view) -> None:
        self.texts.append(view.text)

    def picture(self, image) -> None:
        self.pictures.append(image)

    def close(self, text: str | None = None) -> None:
        self.closed_with.append(text)


def test_a_recording_of_a_camera_begins_after_a_countdown_that_it_does_not_show(
    card, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    window = FakeWindow({4: "r"})
    source = FakeSource(frames([card] * 90), live=True)
    loop, _, _ = make(source, window=window, countdown=3.0)
    loop.run()
    (recording,) = tmp_path.glob("hcr_live-*.mp4")
    recorded = video_frames(recording)
    assert 5 < recorded < 60
    middle = [picture[300:420, 580:700].astype(int) for picture in window.pictures]
    counting = [n for n, part in enumerate(middle) if np.abs(part - middle[0]).max() > 100]
    assert counting[0] in (5, 6)
    assert counting == list(range(counting[0], counting[-1] + 1))
    assert len(window.pictures) - counting[-1] - 1 == recorded
    with av.open(str(recording)) as container:
        first = next(container.decode(video=0)).to_ndarray(format="bgr24")
    assert np.abs(first[300:420, 580:700].astype(int) - middle[0]).mean() < 10


def test_r_once_more_calls_a_countdown_off(card, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    window = FakeWindow({4: "r", 9: "r"})
    loop, _, _ = make(FakeSource(frames([card] * 60), live=True), window=window, countdown=3.0)
    loop.run()
    assert not list(tmp_path.iterdir())
    assert loop.recording_error == ""


def test_a_run_that_ends_within_the_countdown_says_so(card, tmp_path):
    target = tmp_path / "out.mp4"
    source = FakeSource(frames([card] * 5), live=True)
    loop, _, _ = make(source, window=FakeWindow(), record=target, countdown=3.0)
    loop.run()
    assert not target.exists()
    assert "countdown" in loop.recording_error


def test_g_saves_the_last_seconds(card, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    window = FakeWindow({15: "g"})
    source = FakeSource(frames([card] * 20))
    loop, _, _ = make(source, window=window, excerpts=Excerpts(1.0), excerpt_format="webp")
    loop.run()
    (excerpt,) = tmp_path.glob("hcr_live-*.webp")
    assert excerpt.stat().st_size > 1000
    assert loop.output_errors == []


def test_a_layout_is_shown_and_recorded_and_the_mouse_still_says_where_to_read(card, tmp_path):
    target = tmp_path / "out.mp4"
    height, width = card.shape[:2]
    nothing = Box(width - 150, 0, 150, 100)  # of the camera's part, as in a mirror the left one
    window = FakeWindow(drags={5: nothing})
    source = FakeSource(frames([card] * 40))
    loop, _, session = make(
        source, window=window, record=target, layout="side-by-side", title="Mine", mirror=True
    )
    loop.run()
    assert window.pictures[0].shape[1] > width
    assert session.text == ""
    framed = window.pictures[20][20:100, width - 150 : width - 10]
    assert np.abs(framed.astype(int) - card[20:100, 10:150][:, ::-1]).max() > 0
    with av.open(str(target)) as container:
        stream = container.streams.video[0]
        assert (stream.height, stream.width) == (height, window.pictures[0].shape[1])


def test_outputs_follow_the_text_and_take_the_pictures_without_a_window(card):
    text, camera = FakeSink(), FakeSink()
    source = FakeSource(frames([card] * 20))
    loop, _, _ = make(source, outputs=Outputs([text], [camera]))
    loop.run()
    assert "A" in text.texts
    assert text.closed_with == ["A"]
    assert len(camera.pictures) == 20
    assert camera.closed_with == [None]


def test_keys_change_what_outputs_follow_at_once(card):
    text = FakeSink()
    source = FakeSource(frames([card] * 30))
    loop, _, _ = make(source, window=FakeWindow({25: "c"}), outputs=Outputs([text]))
    loop.run()
    changes = [
        now for before, now in zip(text.texts, text.texts[1:], strict=False) if now != before
    ]
    assert changes == ["A", ""]


def test_an_output_that_fails_is_said_on_the_window_and_at_the_end(card):
    window, plain = FakeWindow(), FakeWindow()
    for where, outputs in ((window, Outputs([FakeSink(error="No voice.")])), (plain, Outputs())):
        loop, _, _ = make(FakeSource(frames([card] * 5)), window=where, outputs=outputs)
        loop.run()
        assert loop.output_errors == outputs.errors
    assert (window.pictures[3][-40:] != plain.pictures[3][-40:]).any()


def test_that_text_goes_to_other_programs_is_shown(card):
    window, plain = FakeWindow(), FakeWindow()
    for where, outputs in ((window, Outputs(shown=("TYPING",))), (plain, Outputs())):
        make(FakeSource(frames([card] * 3)), window=where, outputs=outputs)[0].run()
    assert (window.pictures[2][:44] != plain.pictures[2][:44]).any()


def test_keys_that_save_where_nothing_can_be_written_say_so_and_the_run_goes_on(
    card, tmp_path, monkeypatch
):
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    window = FakeWindow({6: "s", 9: "g", 12: "r"})
    source = FakeSource(frames([card] * 20))
    loop, events, _ = make(source, window=window, excerpts=Excerpts(1.0))
    assert loop.run().frames == 20
    assert events[-1]["text"] == "A"
    assert any(".gif" in error for error in loop.output_errors)
    plain = FakeWindow()
    make(FakeSource(frames([card] * 20)), window=plain)[0].run()
    assert (window.pictures[8][-40:] != plain.pictures[8][-40:]).any()  # the notice
