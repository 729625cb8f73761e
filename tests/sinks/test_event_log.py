import json
import sys
from pathlib import Path

import numpy as np
import pytest

from hcr_live.errors import HcrError
from hcr_live.sinks.events import EventLog


def lines_of(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_events_are_in_the_file_as_soon_as_they_are_written(tmp_path):
    path = tmp_path / "events.jsonl"
    log = EventLog(path)
    log.write({"event": "text", "time": 1.25, "text": "HELLO"})
    assert lines_of(path) == [{"event": "text", "time": 1.25, "text": "HELLO"}]
    log.write({"event": "end", "frames": 2, "dropped": 0, "seconds": 0.5, "text": "HELLO"})
    assert [line["event"] for line in lines_of(path)] == ["text", "end"]
    log.close()
    log.close()
    log.write({"event": "late"})
    assert (len(lines_of(path)), log.error) == (2, "")


def test_numpy_values_tuples_and_what_json_has_no_word_for(tmp_path):
    with EventLog(tmp_path / "events.jsonl") as log:
        log.write(
            {
                "time": np.float32(0.5),
                "frame": np.int64(7),
                "box": np.array([1, 2, 3, 4]),
                "candidates": (("A", np.float64(0.75)), ("\u00c4\u624b\n", float("nan"))),
                "certain": np.bool_(True),
                "source": Path("clip.mp4"),
                "rate": np.float32("inf"),
                "nothing": None,
            }
        )
    assert lines_of(tmp_path / "events.jsonl") == [
        {
            "time": 0.5,
            "frame": 7,
            "box": [1, 2, 3, 4],
            "candidates": [["A", 0.75], ["\u00c4\u624b\n", None]],
            "certain": True,
            "source": "clip.mp4",
            "rate": None,
            "nothing": None,
        }
    ]


def test_a_new_run_replaces_the_events_of_the_last(tmp_path):
    path = tmp_path / "events.jsonl"
    for text in ("old", "new"):
        with EventLog(path) as log:
            log.write({"text": text})
    assert lines_of(path) == [{"text": "new"}]


def test_a_dash_means_standard_output(capfd):
    with EventLog("-") as log:
        log.write({"event": "text"})
    print("the program goes on")
    assert capfd.readouterr().out == '{"event": "text"}\nthe program goes on\n'


@pytest.mark.parametrize(("name", "says"), [("nowhere/e.jsonl", "no folder"), ("", "Cannot write")])
def test_a_place_that_cannot_be_written_is_said_at_once(tmp_path, name, says):
    with pytest.raises(HcrError, match=says):
        EventLog(tmp_path / name)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs /dev/full")
def test_a_full_disk_is_a_sentence_not_an_exception():
    with EventLog("/dev/full") as log:
        log.write({"event": "start"})
        assert log.error == "The events file /dev/full is incomplete: No space left on device."
        log.write({"event": "end"})
    assert log.error.startswith("The events file /dev/full")
