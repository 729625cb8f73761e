"""Paper and air together: modes, covered writing, mirrored strokes, edits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray

from generator.letters import letter_strokes
from generator.sheet import SheetStyle, scene_image, sheet_image
from hcr_live.classifier import Classifier
from hcr_live.frame import Frame
from hcr_live.ink.normalise import network_input
from hcr_live.ink.render import render_strokes
from hcr_live.session import Session
from tests.air.recorded import hand
from tests.air.test_pen import film, plan
from tests.fakes import FakeClassifier, FakeHands, frames

STYLE = SheetStyle(background="wood", height=0.7)


@pytest.fixture(scope="module")
def card() -> NDArray[np.uint8]:
    return sheet_image([[letter_strokes("A")]], seed=1, style=STYLE).image


@pytest.fixture(scope="module")
def desk() -> NDArray[np.uint8]:
    return scene_image("desk", seed=2, size=(640, 480))


def writing(character: str, fps: float = 30) -> list:
    """The hands of each frame in which a character is written."""
    return [tuple(hands) for _, hands in film(plan(character), fps)]


def play(session: Session, shown: Sequence[Frame]) -> list[dict]:
    events = []
    for frame in shown:
        view, news = session.step(frame)
        events += news
        assert view.text == session.text
    return [*events, *session.finish()]


def air_session(hands: list, classifier=None, at_once: int = 1, **options) -> Session:
    script = FakeHands(
        lambda frame: hands[frame.index] if frame.index < len(hands) else (), at_once
    )
    return Session(classifier or Classifier(), script, **options)


@pytest.mark.parametrize("character", ["E", "K", "Z"])
def test_air_strokes_become_a_character_where_they_were_drawn(desk, character):
    hands = writing(character)
    events = play(air_session(hands, mode="air"), frames([desk] * len(hands)))
    (written,) = [event for event in events if event["event"] == "character"]
    assert written["text"] == character
    assert written["mode"] == "air"
    x, _, w, h = written["box"]
    assert 150 < x < x + w < 500
    assert abs(h - 300) < 40


@pytest.mark.parametrize("character", ["E", "Z"])
def test_a_camera_that_faces_the_writer_films_letters_mirrored(desk, character):
    hands = [
        tuple(type(h)(h.landmarks * (-1, 1) + (640, 0), h.handedness, h.score) for h in seen)
        for seen in writing(character)
    ]
    events = play(air_session(hands, mode="air", mirror=True), frames([desk] * len(hands)))
    assert [event["text"] for event in events if event["event"] == "text"] == [character]


def test_what_is_unsure_in_the_air_is_not_written(desk):
    hands = writing("E")
    session = air_session(hands, FakeClassifier(confidence=0.4), mode="air")
    events = play(session, frames([desk] * len(hands)))
    assert {event["event"] for event in events} == {"stroke"}


def test_auto_goes_to_air_for_a_writing_hand_and_keeps_the_page(card, desk):
    hands = [(), *[()] * 29, *writing("E")]
    session = air_session(hands, FakeClassifier("A"))
    shown = frames([card] * 30 + [desk] * (len(hands) - 30))
    modes = []
    for frame in shown:
        view, _ = session.step(frame)
        modes.append(view.mode)
    session.finish()
    assert session.text == "AA"
    assert modes[29] == "paper"
    assert modes[-1] == "air"
    assert sum(a != b for a, b in pairwise(modes)) == 1


@pytest.mark.parametrize("at_once", [1, 2])
def test_looking_ahead_changes_no_result(card, desk, at_once):
    hands = [*[()] * 120, *writing("E")]
    shown = frames([card] * 30 + [desk] * (len(hands) - 30))
    plain = play(air_session(hands, FakeClassifier("A")), shown)
    session, ahead = air_session(hands, FakeClassifier("A"), at_once), []
    seen = 1
    for index, frame in enumerate(shown):
        ahead += session.step(frame)[1]
        for following in shown[seen : index + 1 + session.frames_ahead]:
            session.look_ahead(following)
            seen += 1
    assert [*ahead, *session.finish()] == plain
    assert plain[-1]["text"] == "AA"


def test_a_hand_that_holds_the_sheet_is_not_air(card):
    fist = (hand("fist", (80, 500)),)
    session = air_session([fist] * 60, FakeClassifier("A"))
    for frame in frames([card] * 60):
        view, _ = session.step(frame)
        assert view.mode == "paper"
    assert session.text == "A"


def test_air_is_shown_as_long_as_a_hand_may_still_edit_and_then_the_sheet(card, desk):
    rest = (hand("fist", (400, 200)),)
    hands = [*writing("E"), *[rest] * 120, *[()] * 60]
    session = air_session(hands, FakeClassifier("A"))
    views = [session.step(frame)[0] for frame in frames([desk] * len(hands) + [card] * 60)]
    assert [views[len(hands) - 61].mode, views[len(hands) - 1].mode] == ["air", "air"]
    assert [views[len(hands) - 61].word_ended, views[len(hands) - 1].word_ended] == [False, True]
    assert views[-1].mode == "paper"
    assert session.text == "AA"


def test_what_a_hand_covers_is_not_writing(card):
    over = (hand("open", (520, 250), palm=250),)
    for hands, text in ((over, ""), ((), "A")):
        session = air_session([hands] * 60, FakeClassifier("A"), mode="paper")
        play(session, frames([card] * 60))
        assert session.text == text


def test_the_mode_key_changes_what_is_read(card):
    session = air_session([], FakeClassifier("A"))
    seen = []
    for _ in range(4):
        view, _ = session.step(frames([card], start=len(seen))[0])
        seen.append((view.automatic, view.mode))
        session.next_mode()
    assert seen == [(True, "paper"), (False, "paper"), (False, "air"), (True, "paper")]


def test_edits_send_the_new_text(card):
    session = air_session([], FakeClassifier("A"), mode="paper")
    play(session, frames([card] * 30))
    for action, text in (
        ("space", "A "),
        ("delete", "A"),
        ("clear", ""),
        ("undo", "A"),
        ("clear", ""),
    ):
        edit, news = session.edit(action)
        assert (edit["event"], edit["action"]) == ("edit", action)
        assert (news["event"], news["text"]) == ("text", text)
    assert session.edit("clear") == []


def test_the_space_bar_as_pen_writes_only_while_it_is_held(desk):
    hands = writing("L")
    for held in (False, True):
        session = air_session(hands, mode="air", pen="space")
        for number, frame in enumerate(frames([desk] * len(hands))):
            if held and 6 < number < len(hands) - 30:
                session.edit("space")
            session.step(frame)
        session.finish()
        assert bool(session.text) == held


class Watched(FakeClassifier):
    """Keeps what it was shown, as the network has it."""

    def __init__(self) -> None:
        super().__init__("A")
        self.shown: list[NDArray[np.float32]] = []

    def probabilities(self, inks):
        self.shown += [network_input(ink) for ink in inks]
        return super().probabilities(inks)


@pytest.mark.parametrize("still", [False, True])
def test_the_view_has_what_the_network_saw_of_the_latest_on_paper(card, still):
    watched = Watched()
    session = Session(watched, FakeHands(), mode="paper")
    views = [session.step(replace(f, still=still))[0] for f in frames([card] * 20)]
    first = next(view for view in views if view.latest is not None)
    assert first.seen is not None
    assert any(np.array_equal(first.seen, shown) for shown in watched.shown)
    assert first.seen.max() > 0.9
    assert max(first.latest.probabilities, key=first.latest.probabilities.get) == "A"
    before = [view for view in views if view.latest is None]
    assert all(view.seen is None for view in before)


@pytest.mark.parametrize("mirror", [False, True])
def test_the_view_has_what_the_network_saw_of_the_latest_in_the_air(desk, mirror):
    hands, watched = writing("K"), Watched()
    session = air_session(hands, watched, mode="air", mirror=mirror)
    views = [session.step(frame)[0] for frame in frames([desk] * len(hands))]
    play(session, [])
    last = session.refresh(views[-1])
    assert last.seen is not None
    assert any(np.array_equal(last.seen, shown) for shown in watched.shown)
    written = network_input(render_strokes(letter_strokes("K")))
    same, flipped = ((last.seen * one).sum() for one in (written, written[:, ::-1]))
    assert (same < flipped) == mirror


def test_clearing_the_text_clears_what_was_seen(card):
    session = Session(FakeClassifier("A"), FakeHands(), mode="paper")
    for frame in frames([card] * 20):
        view, _ = session.step(frame)
    assert view.seen is not None
    session.edit("clear")
    assert session.refresh(view).seen is None
