"""The command `annotate`: a video with sound in; the copy, subtitles and events out."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from hcr_live.cli import main
from tests.tones import add_tone, sound_packets, subtitles_of

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def loud_clip(paper_clip, clips):
    """RAKE on a sheet, with a tone."""
    add_tone(paper_clip, clips / "loud.mp4")
    return clips / "loud.mp4"


def annotate(*arguments, **options):
    command = [sys.executable, str(ROOT / "main.py"), "annotate", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, **options)


def times(path):
    with av.open(str(path)) as container:
        return [frame.time for frame in container.decode(video=0)]


def picture(path, number):
    with av.open(str(path)) as container:
        for index, frame in enumerate(container.decode(video=0)):
            if index == number:
                return frame.to_ndarray(format="bgr24")
    raise AssertionError(f"there is no picture {number}")


def cues_in(path, arrow):
    """What a subtitle file shows, times as text."""
    cues = []
    for block in path.read_text().strip().split("\n\n"):
        lines = [line for line in block.split("\n") if not line.isdecimal()]
        if arrow in lines[0]:
            cues.append((lines[0].replace(",", "."), "\n".join(lines[1:])))
    return cues


def test_a_video_with_sound(loud_clip, tmp_path):
    done = annotate(loud_clip, "--out", tmp_path / "out.mp4", "--title", "My sheet")
    assert done.returncode == 0, done.stderr
    assert done.stdout == "RAKE\n"
    assert "100%" in done.stderr
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["out.jsonl", "out.mp4", "out.srt", "out.vtt"]
    out = tmp_path / "out.mp4"
    assert times(out) == pytest.approx(times(loud_clip), abs=1e-3)
    assert sound_packets(out) == sound_packets(loud_clip)
    with av.open(str(out)) as container:
        assert container.metadata["title"] == "My sheet"
        assert container.duration / av.time_base == pytest.approx(times(out)[-1], abs=0.1)
    assert np.abs(picture(out, 70).astype(int) - picture(loud_clip, 70)).mean() > 3  # drawn on

    events = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    kinds = [event["event"] for event in events]
    assert (kinds[0], kinds[-1], kinds.count("character")) == ("start", "end", 4)
    assert events[-1]["frames"] == len(times(loud_clip))

    shown = cues_in(tmp_path / "out.srt", "-->")
    assert shown == cues_in(tmp_path / "out.vtt", "-->")
    assert shown[-1][1] == "RAKE"
    track = subtitles_of(out)
    assert [text for _, _, text in track] == [text for _, text in shown]
    first = next(event["time"] for event in events if event["event"] == "text")
    assert track[0][0] == pytest.approx(first, abs=2e-3)


def test_the_last_picture_shows_what_the_end_completes(air_clip, tmp_path):
    """Writing goes on to the end, and what it is becomes clear only there."""
    cut = tmp_path / "cut.mp4"
    with av.open(str(air_clip)) as source, av.open(str(cut), "w") as container:
        stream = container.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(video=0):
            if packet.size and packet.pts * packet.time_base < 3.0:
                packet.stream = stream
                container.mux(packet)
    out = tmp_path / "out.mp4"
    done = annotate(cut, "--out", out, "--mode", "air")
    assert done.returncode in (0, 1), done.stderr  # 1: the header promises more
    events = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    last = len(times(out)) - 1
    written = [event for event in events if event["event"] == "text"]
    assert written
    assert events[-1]["text"].strip() == done.stdout.strip() != ""
    assert cues_in(tmp_path / "out.srt", "-->")[-1][1] == done.stdout.strip()
    assert last == len(times(cut)) - 1


def test_side_by_side_is_wider(loud_clip, tmp_path):
    done = annotate(loud_clip, "--out", tmp_path / "out.mp4", "--layout", "side-by-side")
    assert done.returncode == 0, done.stderr
    height, width = picture(tmp_path / "out.mp4", 60).shape[:2]
    assert height == 720
    assert width > 1280


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_ctrl_c_leaves_all_outputs_complete_up_to_there(loud_clip, tmp_path):
    command = [sys.executable, "-u", str(ROOT / "main.py"), "annotate", "demo"]
    out = tmp_path / "out.mp4"
    process = subprocess.Popen(
        [*command, "--out", str(out)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    while not (out.exists() and out.stat().st_size > 200_000):
        assert process.poll() is None, process.communicate()
    os.kill(process.pid, signal.SIGINT)
    _, error = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Stopped: " in error
    assert "Traceback" not in error
    end = json.loads((tmp_path / "out.jsonl").read_text().splitlines()[-1])
    assert end["event"] == "end"
    assert len(times(out)) == end["frames"] < 735
    assert (tmp_path / "out.vtt").read_text().startswith("WEBVTT\n\n")


def one_sentence(error):
    return error.startswith("hcr_live: ") and error.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ([], "VIDEO"),
        (["demo"], "--out"),
        (["missing.mp4", "--out", "out.mp4"], "missing.mp4"),
        (["0", "--out", "out.mp4"], "no file 0"),
        (["rtsp://10.0.0.1/a", "--out", "out.mp4"], "address"),
        (["picture.png", "--out", "out.mp4"], "is no video"),
        (["text.mp4", "--out", "out.mp4"], "text.mp4"),
        (["empty.mp4", "--out", "out.mp4"], "empty"),
        (["demo", "--out", "out.avi"], ".mp4"),
        (["demo", "--out", "nowhere/out.mp4"], "nowhere"),
        (["demo", "--out", "text.mp4"], "--overwrite"),
        (["demo", "--out", "old.mp4"], "old.srt exists"),
        (["text.mp4", "--out", "text.mp4", "--overwrite"], "read by this run"),
        (["demo", "--out", "out.mp4", "--layout", "beside"], "side-by-side"),
        (["demo", "--out", "out.mp4", "--pen", "space"], "pinch"),
        (["demo", "--out", "out.mp4", "--region", "9000,0,9,9"], "outside"),
    ],
)
def test_what_cannot_be_is_one_sentence_and_writes_nothing(
    capsys, tmp_path, monkeypatch, arguments, named
):
    monkeypatch.chdir(tmp_path)
    cv2.imwrite("picture.png", np.zeros((40, 40, 3), np.uint8))
    Path("text.mp4").write_text("no video at all")
    Path("empty.mp4").touch()
    Path("old.srt").touch()
    before = sorted(Path().iterdir())
    assert main(["annotate", *arguments]) == 2
    error = capsys.readouterr().err
    assert one_sentence(error), error
    assert named in error
    assert sorted(Path().iterdir()) == before
    assert Path("text.mp4").read_text() == "no video at all"
