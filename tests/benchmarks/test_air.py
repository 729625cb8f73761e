import json
from pathlib import Path

import numpy as np
import pytest

from benchmarks import air
from benchmarks.table import align
from generator.air_clip import Write
from hcr_live.errors import HcrError


@pytest.mark.parametrize(
    ("truth", "read", "errors", "right", "boundaries"),
    [
        ("HELLO WORLD", "HELLO WORLD", 0, 1, 1),
        ("HELLO WORLD", "HELLOWORLD", 1, 0, 1),
        ("HELLO WORLD", "HE LLO WORLD", 1, 1, 2),
        ("HELLO WORLD", "HEILLO WRLO", 3, 1, 1),
        ("CAT SUN", "", 7, 0, 1),
        ("CAT SUN", "CATISUN", 2, 0, 1),
    ],
)
def test_reading_and_truth_are_aligned(
    truth: str, read: str, errors: int, right: int, boundaries: int
) -> None:
    pairs = align(truth, read)
    assert "".join(one for one, _ in pairs) == truth
    assert "".join(other for _, other in pairs) == read
    assert sum(one != other for one, other in pairs) == errors
    spaces = [pair for pair in pairs if " " in pair]
    assert len(spaces) == boundaries
    assert sum(one == other for one, other in spaces) == right


def test_lateness_counts_frames_from_the_end_of_the_pause() -> None:
    # 0.8 s from 10.0 s on, seen at 20 frames a second: it ends with the frame at 10.8 s.
    pauses = [(10.65, 0.65 / 0.8), (10.7, 0.7 / 0.8)]
    assert [air._lateness(pauses, time, 20) for time in (10.8, 10.85, 10.95)] == [[0], [1], [3]]
    # Written on to the right: the letter came before the pause was over.
    assert air._lateness(pauses, 10.75, 20) == []


def test_letters_meet_every_skin_size_and_background() -> None:
    rng = np.random.default_rng(1)
    clips = [air._letter("letters", air.letter_strokes, "ABC", i, rng) for i in range(108)]
    seen = {
        (clip.text, *(clip.arguments[name] for name in ("skin", "size", "light"))) for clip in clips
    }
    assert len(seen) == 108


def test_other_peoples_strokes_are_filmed(tmp_path: Path) -> None:
    path = tmp_path / "mine.json"
    entries = [
        {"label": "T", "strokes": [[[0, 0], [8, 0]], [[4, 0], [4, 10]]]},
        {"label": "t", "strokes": [[[0, 0], [1, 1]]]},
    ]
    path.write_text(json.dumps(entries))
    draw, letters = air._source(path)
    assert letters == "T"
    clip = air._letter("letters", draw, letters, 0, np.random.default_rng(0))
    [write] = [move for move in clip.moves if isinstance(move, Write)]
    assert [len(stroke) for stroke in write.strokes] == [2, 2]
    with pytest.raises(HcrError, match="no word"):
        air._words("words", draw, letters, 0, np.random.default_rng(0))
    path.write_text(json.dumps(entries[1:]))
    with pytest.raises(HcrError, match="no capital letters"):
        air._source(path)
