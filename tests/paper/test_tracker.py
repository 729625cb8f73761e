from __future__ import annotations

import numpy as np
import pytest

from hcr_live.frame import Box
from hcr_live.paper.page import Glyph
from hcr_live.paper.tracker import CharacterTracker

A, B, C = range(3)


def glyphs(places, shift=(0, 0), size=(40, 60)):
    ink = np.full((size[1], size[0]), 255, np.uint8)
    return [Glyph(Box(x + shift[0], y + shift[1], *size), ink) for x, y in places]


def certain(label, confidence=0.9):
    row = np.full(3, (1 - confidence) / 2, np.float32)
    row[label] = confidence
    return row


ROW = [(100 + 70 * k, 200) for k in range(5)]


class Run:
    """Feeds a tracker; `labels` gives the row of probabilities of each glyph."""

    def __init__(self, fps=30.0, min_confidence=0.5):
        self.tracker = CharacterTracker(min_confidence=min_confidence)
        self.fps, self.index = fps, 0
        self.settled = []
        self.labels = {}

    def step(self, found, rows, still=False):
        time = self.index / self.fps
        self.index += 1
        plan = self.tracker.match(found, time)
        chosen = np.array([rows[i] for i in plan.to_classify], np.float32).reshape(-1, 3)
        characters = self.tracker.update(plan, chosen, still=still)
        for character in characters:
            label = int(character.probabilities.argmax()) if character.settled else None
            if label is not None and self.labels.get(character.identity) != label:
                self.settled.append((time, character.identity, label))
                self.labels[character.identity] = label
        return characters


@pytest.mark.parametrize("fps", [15, 30, 60])
def test_a_character_settles_once_after_the_same_time_at_any_rate(fps):
    run = Run(fps)
    for _ in range(2 * fps):
        run.step(glyphs(ROW[:1]), [certain(B)])
    assert len(run.settled) == 1
    time, _, label = run.settled[0]
    assert label == B
    assert time == pytest.approx(0.4, abs=1 / fps + 1e-6)


def test_a_still_settles_at_once():
    run = Run()
    characters = run.step(glyphs(ROW), [certain(A)] * 5, still=True)
    assert [c.settled for c in characters] == [True] * 5
    assert len(run.settled) == 5


def test_a_wavering_label_does_not_flicker():
    run = Run()
    shown = []
    for k in range(90):
        row = certain(C if k % 4 == 3 else A, 0.8)
        shown += [
            int(c.probabilities.argmax()) for c in run.step(glyphs(ROW[:1]), [row]) if c.settled
        ]
    assert set(shown) == {A}
    assert len(run.settled) == 1


def test_junk_never_settles():
    run = Run()
    for _ in range(60):
        characters = run.step(glyphs(ROW[:1]), [np.array([0.4, 0.35, 0.25], np.float32)])
    assert run.settled == []
    assert not characters[0].settled


def test_a_changed_letter_settles_anew_within_half_a_second():
    run = Run()
    for k in range(60):
        run.step(glyphs(ROW[:1]), [certain(A if k < 30 else B)])
    assert [label for _, _, label in run.settled] == [A, B]
    assert run.settled[1][0] - 1.0 < 0.6
    assert run.settled[0][1] == run.settled[1][1]


@pytest.mark.parametrize("speed", [3, 12, 30])
def test_a_moving_sheet_keeps_its_characters(speed):
    run = Run()
    identities = set()
    for k in range(30):
        moved = glyphs(ROW, shift=(speed * k, speed * k // 2))
        characters = run.step(moved, [certain(i % 3) for i in range(5)])
        identities |= {c.identity for c in characters}
    assert len(identities) == 5
    assert [c.probabilities.argmax() for c in characters] == [0, 1, 2, 0, 1]
    assert len(run.settled) == 5


def test_a_sudden_move_by_a_whole_character_does_not_swap_labels():
    run = Run()
    rows = [certain(i % 3) for i in range(5)]
    places = [(100, 200), (170, 210), (250, 200), (330, 220), (420, 200)]
    for _ in range(20):
        before = run.step(glyphs(places), rows)
    after = run.step(glyphs(places, shift=(75, 4)), rows)
    assert [c.identity for c in after] == [c.identity for c in before]


def test_boxes_are_smoothed_but_follow():
    run = Run()
    rng = np.random.default_rng(0)
    xs = []
    for _ in range(60):
        jitter = rng.integers(-4, 5, 2)
        xs.append(run.step(glyphs(ROW[:1], shift=tuple(jitter)), [certain(A)])[0].box.x)
    assert np.std(np.diff(xs)) < np.std(np.diff(rng.integers(-4, 5, 500)))
    assert np.mean(xs) == pytest.approx(100, abs=2)


def test_a_character_survives_a_few_missed_frames_and_goes_after_a_second():
    run = Run()
    first = [run.step(glyphs(ROW[:1]), [certain(A)]) for _ in range(20)][-1][0].identity
    for _ in range(6):
        run.step([], [])
    assert run.step(glyphs(ROW[:1]), [certain(A)])[0].identity == first
    for _ in range(45):
        gone = run.step([], [])
    assert gone == ()
    assert run.step(glyphs(ROW[:1]), [certain(A)])[0].identity != first


def test_a_settled_page_costs_few_classifications():
    tracker = CharacterTracker()
    places = [(20 + 50 * (k % 10), 20 + 80 * (k // 10)) for k in range(40)]
    seen = set()
    for k in range(120):
        plan = tracker.match(glyphs(places), k / 30)
        tracker.update(plan, np.array([certain(A)] * len(plan.to_classify), np.float32))
        if k > 90:
            assert len(plan.to_classify) <= 4
            seen |= set(plan.to_classify)
    assert seen == set(range(40))


def test_reading_order_lines_and_words_pass_through():
    ink = np.full((60, 40), 255, np.uint8)
    found = [
        Glyph(Box(300, 10, 40, 60), ink, 0, 1),
        Glyph(Box(10, 10, 40, 60), ink, 0, 0),
        Glyph(Box(10, 100, 40, 60), ink, 1, 0),
    ]
    characters = Run().step(found, [certain(A)] * 3)
    assert [(c.line, c.word) for c in characters] == [(0, 0), (0, 1), (1, 0)]


def test_no_glyphs_is_no_characters():
    assert Run().step([], []) == ()
