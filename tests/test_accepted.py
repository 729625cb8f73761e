"""What of a growing text is accepted, which keys make it, and which words are said."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest

from generator.letters import letter_strokes
from generator.paper_clip import paper_clip_frames
from hcr_live.accepted import SETTLE_SECONDS, Acceptance, Accepted, keys_between, new_words
from hcr_live.classifier import Classifier
from hcr_live.editor import Editor
from hcr_live.frame import Frame
from hcr_live.session import Session
from hcr_live.view import View
from tests.fakes import FakeHands

BLANK = np.zeros((9, 16, 3), np.uint8)


def view(text: str, time: float, mode: str = "air", word_ended: bool = False, still: bool = False):
    frame = Frame(BLANK, round(time * 30), time, still)
    return View(frame, mode, True, "letters", text=text, word_ended=word_ended)


def typed_by(texts: list[str]) -> str:
    """What stands in a document that these texts were typed into, one after the other."""
    document = ""
    for before, after in pairwise(["", *texts]):
        keys = keys_between(before, after)
        document = document[: len(document) - keys.backspaces] + keys.typed
    return document


def said_of(texts: list[str], ended: bool = False) -> list[str]:
    """The words said of these texts; the last word of one counts where it ends in a space."""
    said: tuple[str, ...] = ()
    heard: list[str] = []
    for text in texts:
        words = tuple(text.split())
        complete = words if ended or text[-1:].isspace() else words[:-1]
        new, said = new_words(said, Accepted(text, complete))
        heard += new
    return heard


def test_air_text_counts_at_once_and_a_word_when_it_has_ended():
    acceptance = Acceptance()
    assert acceptance.follow(view("", 0.0)) is None
    assert acceptance.follow(view("U", 0.1)) == Accepted("U", ())
    assert acceptance.follow(view("UP", 0.2)) == Accepted("UP", ())
    assert acceptance.follow(view("UP", 0.3)) is None
    assert acceptance.follow(view("UP", 0.4, word_ended=True)) == Accepted("UP", ("UP",))
    assert acceptance.follow(view("UP T", 0.5)) == Accepted("UP T", ("UP",))
    assert acceptance.finish("UP TO") == Accepted("UP TO", ("UP", "TO"))
    assert acceptance.finish("UP TO") is None


def test_a_page_counts_when_its_text_has_settled():
    acceptance = Acceptance()
    for number, text in enumerate(["", "A", "RA", "RAE", "RAKE"]):
        assert acceptance.follow(view(text, 0.3 * number, "paper")) is None
    settled = 1.2 + SETTLE_SECONDS
    assert acceptance.follow(view("RAKE", settled - 0.01, "paper")) is None
    assert acceptance.follow(view("RAKE", settled, "paper")) == Accepted("RAKE", ("RAKE",))
    assert acceptance.follow(view("RAKE", settled + 1, "paper")) is None


def test_a_photo_is_never_seen_twice_and_counts_at_once():
    shown = view("RAKE", 0.0, "paper", still=True)
    assert Acceptance().follow(shown) == Accepted("RAKE", ("RAKE",))


def test_the_words_of_a_sheet_are_accepted_once():
    rng = np.random.default_rng(5)
    lines = [[letter_strokes(letter, rng) for letter in "RAKE"]]
    session = Session(Classifier(), FakeHands(lambda _: ()), mode="paper")
    acceptance, texts = Acceptance(), []
    clip = paper_clip_frames(lines, seed=5, fps=15, seconds=3.5)
    for number, (image, time) in enumerate(clip):
        shown, _ = session.step(Frame(image, number, time))
        texts.append(acceptance.follow(shown))
    accepted = [text for text in texts if text is not None]
    assert accepted == [Accepted("RAKE", ("RAKE",))]


def test_keys_follow_an_editor_through_writing_undoing_and_accepting():
    editor = Editor(lambda rows: ["hello"])
    letters = np.full(26, 1 / 26, np.float32)
    texts = []

    def note() -> None:
        texts.append(str(editor))

    for label in "HELO":
        editor.write(label, letters)
        note()
    edits: list[Callable[[], bool]] = [editor.accept, editor.undo, editor.accept]
    for edit in edits:
        edit()
        note()
    for label in "MY":
        editor.write(label, letters)
        note()
    editor.end_word()
    for label in "FRENDS":
        editor.write(label, letters)
        note()
    for _ in "NDS":
        editor.delete()
        note()
    for label in "IEND":
        editor.write(label)
        note()
    assert typed_by(texts) == str(editor) == "HELLO MY FREIEND"


@pytest.mark.parametrize(
    ("texts", "document"),
    [
        (["WORLD", "HELLO WORLD"], "HELLO WORLD"),
        (["HELLO", "HELLO\nWORLD"], "HELLO\nWORLD"),
        (["THE CAT SAT", "THE COT SAT ON"], "THE CAT SAT ON"),
        (["THE CAT SA", "THE COT SAT"], "THE CAT SAT"),
        (["HELLO WORLD", "", "DOG"], "HELLO DOG"),
        (["SENT\nX", "Y"], "SENT\nY"),
        (["SENT\n", "SENT"], "SENT\n"),
    ],
)
def test_only_the_last_word_is_taken_back(texts, document):
    assert typed_by(texts) == document


@pytest.mark.parametrize(
    ("texts", "words"),
    [
        (["U", "UP", "UP ", "UP T", "UP TO", "UP TO "], ["UP", "TO"]),
        (["HELO ", "HELO", "HEL", "HELL", "HELLO", "HELLO "], ["HELO"]),
        (["UP TO ", "UP T", "UP ", "UP D", "UP DO "], ["UP", "TO", "DO"]),
        (["UP TO ", "", "DOG "], ["UP", "TO", "DOG"]),
        (["UP UP UP "], ["UP", "UP", "UP"]),
    ],
)
def test_a_word_is_said_once_it_is_complete_and_a_correction_is_not(texts, words):
    assert said_of(texts) == words


@pytest.mark.parametrize(
    ("texts", "words"),
    [
        (["WORLD", "HELLO WORLD"], ["WORLD", "HELLO"]),
        (["HELL0 WORLD", "HELLO WORLD"], ["HELL0", "WORLD"]),
        (["A", "AB", "ABC"], ["A", "B", "C"]),
        (["UP", "UP\nAND DOWN"], ["UP", "AND", "DOWN"]),
    ],
)
def test_of_a_page_only_what_is_new_is_said(texts, words):
    assert said_of(texts, ended=True) == words
