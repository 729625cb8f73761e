"""The page's text over time: what stays, what goes, what is written once."""

from __future__ import annotations

import numpy as np
import pytest

from generator.letters import letter_strokes
from generator.sheet import SheetStyle, scene_image, sheet_image
from hcr_live.alphabet import get_alphabet
from hcr_live.classifier import Classifier
from hcr_live.frame import Box, Frame
from hcr_live.ink.render import render_strokes
from hcr_live.paper.reader import PaperReader
from hcr_live.resources import asset_path
from hcr_live.sources.video import VideoSource
from hcr_live.text import Text, join_page
from tests.fakes import FakeClassifier, frames

STYLE = SheetStyle(background="wood", height=0.7)


def sheet(word: str) -> np.ndarray:
    rng = np.random.default_rng(1)
    return sheet_image([[letter_strokes(c, rng) for c in word]], seed=1, style=STYLE).image


@pytest.fixture(scope="module")
def card() -> np.ndarray:
    return sheet("A")


@pytest.fixture(scope="module")
def desk() -> np.ndarray:
    return scene_image("desk", seed=2)


def reader(classifier: FakeClassifier | None = None) -> PaperReader:
    return PaperReader(classifier or FakeClassifier(), get_alphabet("letters"), 0.5)


def play(paper: PaperReader, shown: list[Frame], text: Text | None = None) -> tuple[Text, int]:
    """Return the text after the frames and how many characters settled in them."""
    text, settled = text or Text(), 0
    for frame in shown:
        step = paper.step(frame)
        if step.page_ended:
            text = text.keep_page()
        text = text.show_page(step.page)
        settled += len(step.settled)
    return text, settled


def test_each_character_of_a_page_settles_once():
    paper = reader()
    text, settled = play(paper, frames([sheet("ABC")] * 60))
    assert str(text) == "AAA"  # as the fake network reads
    assert settled == 3


def test_a_card_shown_again_is_written_again(card, desk):
    paper = reader()
    text, settled = play(paper, frames([card] * 30 + [desk] * 75 + [card] * 30))
    assert str(text) == "AA"
    assert settled == 2


def test_a_card_hidden_for_a_moment_is_not_written_again(card, desk):
    paper = reader()
    text, settled = play(paper, frames([card] * 30 + [desk] * 15 + [card] * 30))
    assert str(text) == "A"
    assert settled == 1


def test_the_text_of_a_page_stays_when_it_leaves(card, desk):
    text, _ = play(reader(), frames([card] * 30 + [desk] * 100))
    assert str(text) == "A"
    assert text.page == ()


def test_a_changed_letter_is_replaced_within_half_a_second(card):
    network = FakeClassifier("A")
    paper = reader(network)
    text, _ = play(paper, frames([card] * 30))
    network.label = "B"
    text, settled = play(paper, frames([sheet("E")] * 24, start=1.0), text)
    assert str(text) == "B"  # as the fake network reads
    assert settled == 1


def test_a_page_still_there_after_air_writing_is_not_written_again(card, desk):
    paper = reader()
    text, _ = play(paper, frames([card] * 30))
    text = text.keep_page()
    paper.leave()
    text, settled = play(paper, frames([card] * 60, start=10.0), text)
    assert str(text) == "A"
    assert settled == 0
    text, settled = play(paper, frames([desk] * 75 + [card] * 30, start=20.0), text)
    assert str(text) == "AA"
    assert settled == 1


def test_what_is_unsure_is_never_written(card):
    text, settled = play(reader(FakeClassifier(confidence=0.4)), frames([card] * 60))
    assert (str(text), settled) == ("", 0)


def test_a_page_needs_one_character_beyond_doubt(card):
    """Faces and logos give doubtful letters, and nothing but those."""
    assert play(reader(FakeClassifier(confidence=0.7)), frames([card] * 60))[1] == 0
    assert play(reader(FakeClassifier(confidence=0.8)), frames([card] * 60))[1] == 1


def test_every_picture_of_a_folder_is_a_page_of_its_own(card):
    stills = [Frame(image, n, float(n), still=True) for n, image in enumerate([card, card])]
    paper = reader()
    text, settled = play(paper, stills)
    assert settled == 2
    assert str(text) == "AA"


def test_lines_and_words_are_kept():
    rng = np.random.default_rng(1)
    lines = [[letter_strokes(c, rng) for c in word] for word in ("AB", "CDE")]
    image = sheet_image(lines, seed=1, style=STYLE).image
    paper = reader()
    for frame in frames([image] * 30):
        page = paper.step(frame).page
    assert join_page(page) == "AA\nAAA"


def test_writing_that_fills_the_frame_is_read_unless_a_hand_is_in_view():
    ink = render_strokes(letter_strokes("A"), size=300)
    board = np.full((720, 1280), 235, np.uint8)
    board[150 : 150 + ink.shape[0], 400 : 400 + ink.shape[1]] -= ink // 255 * 190
    shown = frames([np.repeat(board[..., None], 3, axis=2)] * 45)
    assert str(play(reader(), shown)[0]) == "A"
    paper, elsewhere = reader(), Box(1000, 400, 200, 200)
    assert [paper.step(frame, (elsewhere,)).settled for frame in shown] == [()] * 45


def test_a_sheet_that_is_pulled_away_leaves_no_letters_on_the_wall():
    paper, source = reader(Classifier()), VideoSource(str(asset_path("demo.mp4")))
    held, gone = set(), []
    while (frame := source.read(timeout=10)) is not None and frame.time < 6.2:
        marks = paper.step(frame).marks
        if 4 < frame.time < 4.7:
            held.add("".join(mark.prediction.text for mark in marks))
        elif frame.time > 5:
            gone.append(marks)
    source.close()
    assert held == {"HELLO"}
    assert not any(mark.settled for marks in gone for mark in marks)
    assert sum(map(bool, gone)) < 0.2 * len(gone)
