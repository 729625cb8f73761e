"""Two hands in view, whole clips: pictures, MediaPipe, the hand that is followed, text."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from generator.air_clip import Leave, Move, Rest, Show, Wander, Write, move_frames, place_strokes
from generator.letters import letter_strokes
from hcr_live.air.hands import HandDetector
from hcr_live.air.watcher import HandWatcher
from hcr_live.classifier import Classifier
from hcr_live.frame import Frame
from hcr_live.session import Session

FRAME = {"width": 640, "height": 480, "size": 200}


def letter(character: str) -> Write:
    [placed] = place_strokes([letter_strokes(character, np.random.default_rng(3))], **FRAME)
    return Write(placed)


def read(moves: Sequence[Move], second: Sequence[Move], **film) -> tuple[str, list[str]]:
    """Return the text and the edits."""
    hands = HandWatcher(HandDetector)
    session = Session(Classifier(), hands)
    events = []
    frames = move_frames(moves, seed=7, fps=24.0, second=second, **FRAME, **film)
    for number, (image, time) in enumerate(frames):
        events += session.step(Frame(image, number, time))[1]
    events += session.finish()
    hands.close()
    return session.text.strip(), [e["action"] for e in events if e["event"] == "edit"]


def test_a_hand_writes_words_though_another_was_in_view_before_and_stays():
    moves = [Rest(1.8), letter("L"), Rest(1.1), Leave(1.0), letter("U"), Rest(1.1)]
    text, edits = read(moves, [Wander(20, "open", 0.8, 0.95)], pen_up="fist")
    assert text == "L U"
    assert edits[0] == "end word"


def test_a_second_hand_does_not_disturb_what_the_first_one_holds():
    moves = [letter("L"), Rest(0.9), Show("open", 2.6), Show("fist", 0.4), Show("victory", 1.0)]
    text, edits = read(moves, [Rest(1.0), Wander(20, "fist", 0.8, 0.95)])
    assert text == "L"
    assert edits[:2] == ["clear", "undo"]
