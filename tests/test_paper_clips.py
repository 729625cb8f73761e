"""Whole clips of held sheets in, text out."""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np
import pytest

from generator.letters import letter_strokes
from generator.paper_clip import paper_clip_frames
from generator.sheet import SheetStyle
from hcr_live.classifier import Classifier
from hcr_live.frame import Frame
from hcr_live.session import Session
from tests.fakes import FakeHands

STYLE = SheetStyle(background="wood", height=0.75)


@pytest.fixture(scope="module")
def network() -> Classifier:
    return Classifier()


def sheet(*lines: str, style: SheetStyle = STYLE, seconds: float = 1.2) -> Iterator[np.ndarray]:
    """A clip of these lines; the same letter is always written the same way."""
    strokes = [[letter_strokes(c, np.random.default_rng(ord(c))) for c in line] for line in lines]
    for image, _ in paper_clip_frames(strokes, seed=4, seconds=seconds, style=style):
        yield image


class Run:
    """Plays clips to a session, one after the other."""

    def __init__(self, network: Classifier, alphabet: str = "upper") -> None:
        self.session = Session(network, FakeHands(), mode="paper", alphabet=alphabet)
        self.index = 0
        self.hints: list[str] = []

    def play(self, images: Iterator[np.ndarray], until: str | None = None) -> float | None:
        """Return after how many seconds the text was as wanted, None for never."""
        start = self.index
        for image in images:
            view, _ = self.session.step(Frame(image, self.index, self.index / 30))
            self.hints.append(view.hint)
            self.index += 1
            if until is not None and view.text == until:
                return (self.index - start) / 30
        return None


@pytest.mark.parametrize("tilt", [-40, 0, 40, 150, 180])
def test_a_sheet_is_read_at_any_tilt_and_upside_down(network, tilt):
    run = Run(network)
    style = SheetStyle(background="wood", height=0.6, tilt=tilt)
    run.play(sheet("QUICK", "BROWN", style=style))
    assert run.session.text == "QUICK\nBROWN"


@pytest.mark.parametrize("pen", ["pencil", "marker"])
def test_a_rewritten_letter_is_read_within_half_a_second(network, pen):
    style = SheetStyle(background="wood", height=0.75, pen=pen)
    run = Run(network)
    run.play(sheet("KARMEN", style=style, seconds=2))
    assert run.session.text == "KARMEN"
    after = run.play(sheet("KARTEN", style=style), until="KARTEN")
    assert after is not None
    assert after <= 0.5


def test_what_was_read_stays_while_the_picture_is_blurred(network):
    run = Run(network)
    run.play(sheet("HELLO", "WORLD"))
    settled = run.session.text
    run.hints.clear()
    run.play(cv2.GaussianBlur(image, (0, 0), 12) for image in sheet("HELLO", "WORLD", seconds=1.5))
    assert settled == run.session.text == "HELLO\nWORLD"
    assert any(hint.startswith("Hold still") for hint in run.hints)


def test_nothing_is_read_off_a_sheet_that_is_always_blurred(network):
    run = Run(network)
    run.play(cv2.GaussianBlur(image, (0, 0), 12) for image in sheet("HELLO", "WORLD"))
    assert run.session.text == ""
