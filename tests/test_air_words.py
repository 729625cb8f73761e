"""Words and edits in the air, whole clips: pictures, MediaPipe, pen, gestures, text."""

from collections.abc import Sequence

import numpy as np
import pytest

from generator.air_clip import Move, Rest, Show, Write, move_frames, word_moves
from generator.letters import letter_strokes
from hcr_live.air.hands import HandDetector
from hcr_live.air.watcher import HandWatcher
from hcr_live.classifier import Classifier
from hcr_live.frame import Frame
from hcr_live.language.suggester import Suggester
from hcr_live.session import Session

FRAME = {"width": 640, "height": 480, "size": 230}


def letters(word: str, seed: int) -> list:
    rng = np.random.default_rng(seed)
    return [letter_strokes(letter, rng) for letter in word]


def watch(moves: Sequence[Move], **film) -> tuple[list[dict], list, Session]:
    hands = HandWatcher(HandDetector)
    session = Session(Classifier(), hands, suggest=Suggester("en"))
    events, views = [], []
    frames = move_frames(moves, seed=5, **{"fps": 24.0, **FRAME, **film})
    for number, (image, time) in enumerate(frames):
        view, news = session.step(Frame(image, number, time))
        events += news
        views.append(view)
    events += session.finish()
    hands.close()
    return events, views, session


def edits(events: list[dict]) -> list[str]:
    """What was done, but for the end of the last word, when the hand goes for good."""
    done = [event["action"] for event in events if event["event"] == "edit"]
    return done[:-1] if done[-1:] == ["end word"] else done


@pytest.mark.parametrize("in_place", [True, False])
def test_two_words_with_the_hand_gone_between_them(in_place):
    words = [letters("UP", 1), letters("TO", 2)]
    events, views, session = watch(word_moves(words, in_place=in_place, **FRAME))
    assert session.text == "UP TO"
    assert edits(events) == ["end word"]
    assert any("hand is gone" in view.hint for view in views)
    assert all(len(view.suggestions) <= 3 for view in views)


def test_taking_back_taking_a_word_and_clearing_by_hand():
    written = word_moves([letters("THE", 3)], **FRAME)
    events, views, session = watch(
        [*written, Show("victory", 1.0), Show("fist", 0.5), Show("thumbs_up", 1.0)]
    )
    assert edits(events)[:2] == ["undo", "accept"]
    texts = [event["text"] for event in events if event["event"] == "text"]
    assert texts[:4] == ["T", "TH", "THE", "TH"]
    assert session.text.startswith("TH")
    assert session.text.endswith(" ")
    assert {"take back", "take word"} <= {view.coming for view in views}


def test_an_open_palm_clears_with_a_countdown_and_two_fingers_bring_it_back():
    written = [move for move in word_moves([letters("L", 4)], **FRAME) if isinstance(move, Write)]
    events, views, session = watch(
        [*written, Rest(0.9), Show("open", 2.6), Show("fist", 0.4), Show("victory", 1.0)]
    )
    assert edits(events) == ["clear", "undo"]
    assert session.text == "L"
    countdown = [view.hold for view in views if view.coming == "clear all"]
    assert countdown == sorted(countdown)
    assert len(countdown) > 12


def test_a_stroke_is_taken_back_before_the_letter_is_over():
    first, second = letter_strokes("T"), letter_strokes("L")
    written = [
        move
        for move in word_moves([[first, second]], in_place=True, **FRAME)
        if isinstance(move, Write)
    ]
    events, _, session = watch([written[0], Rest(1.2), written[1], Show("victory", 1.4), Rest(0.4)])
    assert edits(events) == ["undo"]
    assert session.text == "T"
