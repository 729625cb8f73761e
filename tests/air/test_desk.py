"""Strokes and edits in, text and events out: as a run does it, without hands."""

import numpy as np
import pytest

from generator.letters import letter_strokes
from hcr_live.air.desk import AirDesk
from hcr_live.air.writer import Writer
from hcr_live.alphabet import get_alphabet
from hcr_live.classifier import Classifier
from hcr_live.editor import Editor

SIZE = (1280, 720)
PALM = 90.0


@pytest.fixture(scope="module")
def classifier():
    return Classifier()


class Hand:
    """Writes letters in place, a pause after each, and asks for edits in between."""

    def __init__(self, classifier, *, alphabet="letters", mirror=False, suggest=None):
        self.editor = Editor(suggest)
        writer = Writer(classifier, get_alphabet(alphabet), mirror=mirror)
        self.desk = AirDesk(writer, self.editor, 0.5)
        self.mirror = mirror
        self.time = 0.0
        self.events = []

    def strokes(self, letter):
        for path in letter_strokes(letter):
            x, y = (np.asarray(path, np.float32)[:, :2] * 250 + (500, 150)).T
            x = 1280 - x if self.mirror else x
            times = self.time + np.linspace(0, 0.4, len(x))
            self.time = float(times[-1]) + 0.1
            self.step([np.column_stack([x, y, times]).astype(np.float32)])
            self.time += 0.1

    def step(self, ended=()):
        place = {"time": self.time, "frame": round(self.time * 30), "size": SIZE}
        self.events += self.desk.step(ended, None, PALM, **place)

    def rest(self, seconds=0.9):
        for _ in range(round(seconds * 30)):
            self.time += 1 / 30
            self.step()

    def write(self, word):
        for letter in word:
            self.strokes(letter)
            self.rest()

    def edit(self, action, number=0):
        self.events += self.desk.edit(action, time=self.time, frame=0, size=SIZE, number=number)


@pytest.mark.parametrize("mirror", [False, True])
def test_letters_become_text_and_events(classifier, mirror):
    hand = Hand(classifier, mirror=mirror)
    hand.write("TEA")
    assert str(hand.editor) == "TEA"
    kinds = [event["event"] for event in hand.events]
    assert kinds.count("stroke") == sum(len(letter_strokes(letter)) for letter in "TEA")
    letters = [event for event in hand.events if event["event"] == "character"]
    assert [event["text"] for event in letters] == ["T", "E", "A"]
    x, y, w, h = letters[0]["box"]
    assert 0 < x < x + w < 1280
    assert 0 < y < y + h < 720


def test_undo_takes_a_stroke_then_a_letter_then_a_space(classifier):
    hand = Hand(classifier)
    hand.write("NO")
    hand.edit("space")
    hand.strokes("L")
    assert hand.desk.update.strokes
    hand.edit("undo")
    hand.step()
    assert not hand.desk.update.strokes
    assert str(hand.editor) == "NO "
    hand.edit("undo")
    assert str(hand.editor) == "NO"
    hand.edit("undo")
    assert str(hand.editor) == "N"


def test_a_space_comes_after_the_letter_whose_pause_is_not_over(classifier):
    hand = Hand(classifier)
    hand.strokes("L")
    hand.edit("space")
    hand.write("A")
    assert str(hand.editor) == "L A"


def test_clear_and_its_undo(classifier):
    hand = Hand(classifier)
    hand.write("HI")
    hand.edit("clear")
    assert str(hand.editor) == ""
    hand.edit("undo")
    assert str(hand.editor) == "HI"


def test_a_taken_word_stands_in_the_place_of_the_letters(classifier):
    hand = Hand(classifier, suggest=lambda rows: ["tree", "trees"] if len(rows) > 1 else [])
    hand.write("TR")
    assert hand.editor.suggestions == ("TREE", "TREES")
    hand.edit("accept", 1)
    assert str(hand.editor) == "TREES "
    assert hand.events[-1] == {
        "event": "edit",
        "time": pytest.approx(hand.time, abs=1e-3),
        "action": "accept",
        "number": 1,
    }


def test_digits_are_no_part_of_a_word(classifier):
    hand = Hand(classifier, alphabet="digits", suggest=lambda rows: ["never"])
    hand.write("74")
    assert str(hand.editor) == "74"
    assert hand.editor.suggestions == ()


def test_a_scribble_is_left_out_and_said_to_be_unsure(classifier):
    hand = Hand(classifier)
    points = np.random.default_rng(5).random((40, 2)) * 250 + 300
    times = np.linspace(0, 2, 40)
    hand.time = 2.0
    hand.step([np.column_stack([points, times]).astype(np.float32)])
    hand.rest()
    assert str(hand.editor) == ""
    assert hand.desk.unsure
