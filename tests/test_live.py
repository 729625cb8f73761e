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
from hcr_live.session import Session
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


def test_the_time_limit_counts_the_clip(card):
    loop, _, _ = make(FakeSource(frames([card] * 90)), max_seconds=1.0)
    assert loop.run().frames == 30


def test_the_time_limit_counts_the_clock_where_no_frame_comes():
    loop, events, _ = make(FakeSource([None] * 100_000, live=True), max_seconds=1.0)
    assert loop.run().frames == 0
    assert events[-1]["event"] == "end"
