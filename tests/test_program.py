"""The whole program on whole clips, MediaPipe and network included: clip in, text out."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from generator.air_clip import idle_hand_frames
from generator.sheet import scene_image
from generator.video import write_clip
from tests.conftest import ROOT, run_program


def test_an_air_clip_is_read_in_mode_auto(air_clip, tmp_path):
    run = run_program(tmp_path, "--source", str(air_clip))
    assert run.status == 0, run.error
    assert run.text == "KET"
    assert run.out.strip() == "KET"
    characters = run.of("character")
    assert [event["text"] for event in characters] == list("KET")
    for event in characters:
        assert event["mode"] == "air"
        assert event["candidates"][0] == [event["text"], event["confidence"]]
        x, y, w, h = event["box"]
        assert 0 <= x < x + w <= 640
        assert 0 <= y < y + h <= 480


def test_a_paper_clip_is_read_in_mode_auto_each_letter_once(paper_clip, tmp_path):
    run = run_program(tmp_path, "--source", str(paper_clip))
    assert run.status == 0, run.error
    assert run.text == "RAKE"
    characters = run.of("character")
    assert sorted(event["text"] for event in characters) == sorted("RAKE")
    assert {event["mode"] for event in characters} == {"paper"}
    boxes = sorted((event["box"], event["text"]) for event in characters)
    assert "".join(text for _, text in boxes) == "RAKE"


def test_the_events_tell_the_run(paper_clip, tmp_path):
    run = run_program(tmp_path, "--source", str(paper_clip), "--mode", "paper")
    start, end = run.events[0], run.events[-1]
    assert start["event"] == "start"
    assert (start["width"], start["height"], start["fps"]) == (1280, 720, 30)
    assert (start["mode"], start["alphabet"]) == ("paper", "letters")
    assert start["model"]
    assert start["version"]
    assert end["event"] == "end"
    assert (end["frames"], end["dropped"]) == (75, 0)
    assert end["seconds"] == pytest.approx(74 / 30, abs=0.01)
    times = [event["time"] for event in run.events[1:-1]]
    assert times == sorted(times)
    assert run.of("text")[-1]["text"] == end["text"]


def test_the_same_clip_gives_the_same_events(air_clip, tmp_path):
    first = run_program(tmp_path, "--source", str(air_clip), "--max-seconds", "3")
    second = run_program(tmp_path, "--source", str(air_clip), "--max-seconds", "3")
    assert first.events == second.events
    assert first.events[-1]["frames"] == 90


def test_air_strokes_are_read_as_the_writer_sees_them(air_clip, tmp_path):
    """A camera that faces the writer films the letters left for right."""
    mirrored = tmp_path / "mirrored.mp4"

    def frames():
        with av.open(str(air_clip)) as container:
            for frame in container.decode(video=0):
                yield np.ascontiguousarray(frame.to_ndarray(format="bgr24")[:, ::-1]), frame.time

    write_clip(mirrored, frames(), 30)
    run = run_program(tmp_path, "--source", str(mirrored), "--mirror", "--mode", "air")
    assert run.text == "KET"


def test_paper_is_read_as_it_came_also_in_a_mirror(paper_clip, tmp_path):
    run = run_program(tmp_path, "--source", str(paper_clip), "--mirror", "--mode", "paper")
    assert run.text == "RAKE"


@pytest.mark.parametrize("scene", ["desk", "face", "bookshelf", "empty sheet", "palm"])
def test_where_nobody_writes_there_is_no_character(scene, tmp_path):
    clip = tmp_path / "idle.mp4"
    if scene == "palm":
        frames = idle_hand_frames(3, seed=4, pose="open")
    else:
        image = scene_image(scene, seed=4)
        frames = ((image, number / 30) for number in range(60))
    write_clip(clip, frames, 30)
    run = run_program(tmp_path, "--source", str(clip))
    assert run.status == 0, run.error
    assert run.of("character") == []
    assert run.text == ""


def test_a_recording_holds_every_frame_at_its_time(paper_clip, tmp_path):
    target = tmp_path / "recorded.mp4"
    run = run_program(
        tmp_path, "--source", str(paper_clip), "--mode", "paper", "--record", str(target)
    )
    assert run.status == 0, run.error
    with av.open(str(target)) as container:
        stream = container.streams.video[0]
        assert stream.codec_context.name == "h264"
        assert stream.codec_context.pix_fmt == "yuv420p"
        times = [frame.time for frame in container.decode(stream)]
    assert times[:75] == pytest.approx([number / 30 for number in range(75)], abs=0.002)
    again = run_program(tmp_path, "--source", str(paper_clip), "--record", str(target))
    assert again.status == 2
    assert "--overwrite" in again.error


def test_a_layout_changes_the_recording_and_nothing_that_is_read(paper_clip, tmp_path):
    source = ("--source", str(paper_clip), "--mode", "paper")
    target = tmp_path / "recorded.mp4"
    shown = ("--layout", "side-by-side", "--title", "My cards", "--record", str(target))
    laid_out, plain = run_program(tmp_path, *source, *shown), run_program(tmp_path, *source)
    assert laid_out.status == 0, laid_out.error
    assert laid_out.events == plain.events
    with av.open(str(target)) as container:
        last = list(container.decode(video=0))[-1].to_ndarray(format="bgr24")
    assert last.shape == (720, 1640, 3)
    glyph = last[60:360, 1310:1610].mean(axis=2)
    assert 0.05 < (glyph > 128).mean() < 0.5  # white ink on black
    assert (glyph < 60).mean() > 0.4


def test_a_folder_names_the_bad_file_and_reads_the_rest(paper_clip, tmp_path):
    folder = tmp_path / "sheets"
    folder.mkdir()
    with av.open(str(paper_clip)) as container:
        image = next(container.decode(video=0)).to_ndarray(format="bgr24")
    cv2.imwrite(str(folder / "a.png"), image)
    (folder / "b.png").write_bytes(b"")
    cv2.imwrite(str(folder / "c.png"), image)
    live = run_program(tmp_path, "--source", str(folder), "--mode", "paper")
    assert live.status == 1
    assert "b.png" in live.error
    assert live.text == "RAKE\nRAKE"

    read = subprocess.run(
        [sys.executable, str(ROOT / "main.py"), "read", str(folder), "--format", "json"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert read.returncode == 1
    assert "b.png" in read.stderr
    rows = json.loads(read.stdout)
    assert [Path(row["source"]).name for row in rows] == ["a.png", "c.png"]
    for row in rows:
        assert row["text"] == "RAKE"
        assert row["lines"] == ["RAKE"]
        assert [c["text"] for c in row["characters"]] == list("RAKE")
        assert all(len(c["candidates"]) == 3 for c in row["characters"])


def test_the_bundled_demo_is_read(tmp_path):
    run = run_program(tmp_path, "--source", "demo")
    assert run.status == 0, run.error
    assert run.text == "HELLO\nWORLD"
    modes = [event["mode"] for event in run.of("character")]
    assert modes == ["paper"] * 5 + ["air"] * 5


def test_no_network_socket_is_opened(air_clip, tmp_path):
    """`Your video stays on your machine`: not by Python, and not by the libraries' own code."""
    if shutil.which("strace") is None:
        pytest.skip("strace is not installed")
    trace = tmp_path / "trace"
    command = ["strace", "-f", "--seccomp-bpf", "-e", "trace=socket,connect", "-o", str(trace)]
    subprocess.run(
        [
            *command,
            *(sys.executable, str(ROOT / "main.py"), "--source", str(air_clip), "--no-window"),
            *("--max-seconds", "2", "--record", str(tmp_path / "out.mp4")),
        ],
        check=True,
        capture_output=True,
        timeout=180,
    )
    calls = trace.read_text().splitlines()
    assert any("exited with 0" in call for call in calls)  # strace did watch
    assert [call for call in calls if "AF_INET" in call] == []
