"""Cues of a run, and the files they are written to."""

import itertools
import re
import subprocess
import sys
from pathlib import Path

import pytest

from hcr_live.errors import HcrError
from hcr_live.events import text_event
from hcr_live.sinks.subtitles import Cue, SubtitleFile, cues, srt, vtt

ROOT = Path(__file__).parents[2]


def texts(*changes):
    return [text_event(text, time=time) for time, text in changes]


def test_a_cue_stands_until_the_text_changes_and_an_empty_text_has_none():
    events = [{"event": "character", "time": 1.0}, *texts((1.0, "H"), (2.5, "HI"), (4, ""))]
    shown = list(cues([*events, *texts((6, "A"))], 9.0))
    assert shown == [Cue(1, 2.5, "H"), Cue(2.5, 4, "HI"), Cue(6, 9, "A")]


def test_no_text_no_cue():
    assert list(cues([], 5.0)) == []
    assert list(cues([{"event": "end", "text": ""}], 5.0)) == []


def test_letters_of_a_page_that_come_together_are_one_cue():
    changes = texts(*((2 + n / 30, "HELLO"[: n + 1]) for n in range(5)))
    assert list(cues(changes, 6.0)) == [Cue(2.0, 6.0, "HELLO")]


def test_a_slow_shower_of_changes_is_still_shown():
    changes = texts(*((1 + n / 10, "x" * (n + 1)) for n in range(40)))
    shown = list(cues(changes, 6.0))
    assert len(shown) > 10
    assert all(a.end == b.begin for a, b in itertools.pairwise(shown))
    assert all(cue.end - cue.begin > 0.19 for cue in shown)


def test_what_comes_with_the_last_frame_can_be_read():
    before, last = cues(texts((2, "LIV"), (9.97, "LIVE")), 10.0)
    assert (last.text, last.end) == ("LIVE", 10.0)
    assert last.begin == pytest.approx(9.0)
    assert before == Cue(2, last.begin, "LIV")
    (only,) = cues(texts((2.97, "A")), 3.0)
    assert (only.begin, only.end) == (2.0, 3.0)


def test_a_space_at_the_end_is_no_change():
    assert list(cues(texts((1, "AB"), (2, "AB "), (3, "AB C")), 5)) == [
        Cue(1, 3, "AB"),
        Cue(3, 5, "AB C"),
    ]


def test_of_a_long_text_the_last_two_rows_are_shown():
    words = " ".join(["word"] * 30)
    (cue,) = cues(texts((1, f"first\nsecond\n{words}")), 5)
    rows = cue.text.split("\n")
    assert len(rows) == 2
    assert max(map(len, rows)) <= 42
    assert cue.text.replace("\n", " ") in words
    assert [cue.text for cue in cues(texts((1, "A\nB\nC")), 5)] == ["B\nC"]


def test_both_formats_say_the_same():
    cue = Cue(3661.5, 3725.0625, "A < B & C\nD")
    assert srt(7, cue) == "7\n01:01:01,500 --> 01:02:05,062\nA < B & C\nD\n\n"
    assert vtt(cue) == "01:01:01.500 --> 01:02:05.062\nA &lt; B &amp; C\nD\n\n"


@pytest.mark.parametrize("ending", [".srt", ".vtt"])
def test_a_file_is_read_back_by_ffmpeg(tmp_path, ending):
    import av

    path = tmp_path / f"text{ending}"
    path.write_text("older and longer" * 100)
    with SubtitleFile(path) as file:
        file.write(Cue(0.5, 1.25, "H"))
        file.write(Cue(1.25, 3.0, "HI\nÄ"))
    assert file.error == ""
    with av.open(str(path)) as container:
        packets = [packet for packet in container.demux() if packet.size]
        times = [float(packet.pts * packet.time_base) for packet in packets]
        assert times == [0.5, 1.25]
        assert [bytes(packet).decode() for packet in packets] == ["H", "HI\nÄ"]


def test_a_cue_is_in_the_file_at_once(tmp_path):
    path = tmp_path / "text.vtt"
    with SubtitleFile(path) as file:
        assert path.read_text() == "WEBVTT\n\n"
        file.write(Cue(0, 1, "H"))
        assert re.search(r"00:00:00\.000 --> 00:00:01\.000\nH\n\n$", path.read_text())


def test_a_file_that_cannot_be_is_one_sentence(tmp_path):
    with pytest.raises(HcrError, match="nowhere"):
        SubtitleFile(tmp_path / "nowhere" / "text.srt")


FULL = """
import resource, signal, sys
from pathlib import Path
from hcr_live.sinks.subtitles import Cue, SubtitleFile
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (200, resource.RLIM_INFINITY))
with SubtitleFile(Path(sys.argv[1])) as file:
    for number in range(50):
        file.write(Cue(number, number + 1, "HELLO"))
print(file.error)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no file size limit to stand for the disk")
def test_a_full_disk_is_said_and_ends_nothing(tmp_path):
    path = tmp_path / "text.srt"
    done = subprocess.run(
        [sys.executable, "-c", FULL, str(path)], cwd=ROOT, capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "incomplete: File too large" in done.stdout
    assert path.read_text().startswith("1\n00:00:00,000 --> 00:00:01,000\nHELLO\n")
