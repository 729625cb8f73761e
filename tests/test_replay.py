"""A run's strokes and edits, read again from its events."""

import json

import pytest

from hcr_live.classifier import Classifier
from hcr_live.cli import main
from hcr_live.editor import Editor
from hcr_live.errors import HcrError
from hcr_live.replay import read_events, replay
from tests.air.test_desk import SIZE, Hand

START = {"event": "start", "width": SIZE[0], "height": SIZE[1], "alphabet": "letters"}


@pytest.fixture(scope="module")
def classifier():
    return Classifier()


def recorded(classifier, path, *, mirror=False):
    hand = Hand(classifier, mirror=mirror)
    hand.write("TEA")
    hand.edit("space")
    hand.write("AT")
    hand.edit("undo")
    hand.write("N")
    hand.strokes("L")
    hand.edit("undo")
    lines = [START | {"mirror": mirror}, *hand.events, {"event": "end", "text": str(hand.editor)}]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return str(hand.editor)


@pytest.mark.parametrize("mirror", [False, True])
def test_a_replay_reads_what_the_run_read(classifier, tmp_path, mirror):
    path = tmp_path / "run.jsonl"
    text = recorded(classifier, path, mirror=mirror)
    editor = Editor()
    events = list(replay(read_events(path), classifier, editor))
    assert str(editor) == text
    before = [json.loads(line) for line in path.read_text().splitlines()]
    for kind in ("stroke", "character", "edit"):
        replayed, run = ([e for e in of if e["event"] == kind] for of in (events, before))
        assert len(replayed) == len(run)
        assert [e.get("text") for e in replayed] == [e.get("text") for e in run]


def test_the_command_prints_the_text_and_takes_another_alphabet(classifier, tmp_path, capsys):
    path, out = tmp_path / "run.jsonl", tmp_path / "again.jsonl"
    text = recorded(classifier, path)
    assert main(["replay", str(path), "--events", str(out)]) == 0
    assert capsys.readouterr().out == f"{text}\n"
    assert any(json.loads(line)["event"] == "character" for line in out.read_text().splitlines())
    assert main(["replay", str(path), "--alphabet", "digits", "--min-confidence", "0"]) == 0
    digits = capsys.readouterr().out.split()
    assert "".join(digits).isdecimal()


def test_a_last_line_that_was_cut_off_is_left_out(classifier, tmp_path):
    path = tmp_path / "run.jsonl"
    recorded(classifier, path)
    whole = read_events(path)
    path.write_text(path.read_text() + '{"event": "stro')
    assert read_events(path) == whole


POINTS = [[0, 0, 0], [9, 9, 1]]


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ([], "start event"),
        ([START], "no strokes"),
        (["hello", START], "Line 1"),
        ([START, {"event": "stroke", "time": 1, "palm": 9, "points": [[1, 2]]}, START], "Line 2"),
        ([START, {"event": "stroke", "time": 1, "palm": 9, "points": [[1, 2, "x"]]}, 0], "Line 2"),
        ([START, {"event": "edit", "time": 1, "action": "explode"}, START], "Line 2"),
        ([{"event": "stroke", "time": 1, "palm": 9, "points": POINTS}], "start event"),
    ],
)
def test_other_files_are_refused_in_a_sentence(tmp_path, capsys, lines, words):
    path = tmp_path / "bad.jsonl"
    path.write_text("".join(f"{line if line == 'hello' else json.dumps(line)}\n" for line in lines))
    assert main(["replay", str(path)]) == 2
    error = capsys.readouterr().err
    assert words in error
    assert error.count("\n") == 1


@pytest.mark.parametrize("content", [None, bytes(range(256))])
def test_a_file_that_is_none(tmp_path, content):
    path = tmp_path / "none.jsonl"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(HcrError, match="Cannot read"):
        read_events(path)


def test_strokes_of_one_point_are_no_trouble(classifier, tmp_path):
    path = tmp_path / "dot.jsonl"
    dot = {"event": "stroke", "time": 1, "palm": 90, "points": [[5, 5, 0.5]]}
    path.write_text(f"{json.dumps(START)}\n{json.dumps(dot)}\n")
    editor = Editor()
    list(replay(read_events(path), classifier, editor))
    assert str(editor) == ""
