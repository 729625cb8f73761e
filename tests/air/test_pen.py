from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np
import pytest

from generator.letters import letter_strokes
from hcr_live.air.hands import Hand
from hcr_live.air.pen import Pen, PenState, PenUpdate, as_writer_sees
from hcr_live.options import PenChoice
from tests.air.recorded import hand, tightened

HEIGHT = 300.0
"""Pixels of a letter; the palm is 100."""

Moment = tuple[str, tuple[float, float]]


def plan(
    character: str, shift: float = 0.0, up: str = "open", down: tuple[str, ...] = ("point",)
) -> list[tuple[float, Moment]]:
    """Write a character in steps of 1/240 s: (time, (pose, tip)); strokes take turns in `down`."""
    moments: list[Moment] = []
    strokes = [stroke * HEIGHT + (200 + shift, 100) for stroke in letter_strokes(character)]
    last = strokes[0][0] + (0, 200)
    for number, stroke in enumerate(strokes):
        pose = down[number % len(down)]
        way = np.linspace(0, 1, 72)  # 0.3 s
        moments += [(up, tuple(last + (stroke[0] - last) * part)) for part in way]
        moments += [(pose, tuple(stroke[0]))] * 24
        at = np.linspace(0, len(stroke) - 1, 192)  # 0.8 s a stroke
        for k in at:
            x = np.interp(k, np.arange(len(stroke)), stroke[:, 0])
            y = np.interp(k, np.arange(len(stroke)), stroke[:, 1])
            moments.append((pose, (float(x), float(y))))
        moments += [(pose, tuple(stroke[-1]))] * 24
        last = stroke[-1]
    moments += [(up, tuple(last))] * 288  # 1.2 s rest
    return [(i / 240, moment) for i, moment in enumerate(moments)]


def film(moments: list[tuple[float, Moment]], fps: float) -> Iterator[tuple[float, list[Hand]]]:
    for i in range(int(moments[-1][0] * fps)):
        pose, tip = moments[round(i / fps * 240)][1]
        yield i / fps, [hand(pose, tip)]


def run(frames: Iterator[tuple[float, list[Hand]]], pen: Pen | None = None) -> list[PenUpdate]:
    pen = pen or Pen()
    return [*(pen.step(hands, time) for time, hands in frames), pen.flush()]


def characters(updates: list[PenUpdate]) -> list[tuple[np.ndarray, ...]]:
    """The strokes of each character: a pause of 0.8 s parts them, half a palm is none."""
    found: list[list[np.ndarray]] = []
    for stroke in (stroke for update in updates for stroke in update.ended):
        if not found or stroke[0, 2] - found[-1][-1][-1, 2] > 0.8:
            found.append([])
        found[-1].append(stroke)
    return [
        tuple(stroke[:, :2] for stroke in strokes)
        for strokes in found
        if sum(np.hypot(*np.diff(stroke[:, :2], axis=0).T).sum() for stroke in strokes) > 50
    ]


def far_off(drawn: list[np.ndarray], collected: tuple[np.ndarray, ...]) -> float:
    """Mean distance between two drawings, both ways, in letter heights."""
    a, b = (
        np.concatenate(
            [
                np.column_stack(
                    [
                        np.interp(np.linspace(0, 1, 300), np.linspace(0, 1, len(s)), s[:, k])
                        for k in (0, 1)
                    ]
                )
                for s in strokes
            ]
        )
        for strokes in (drawn, collected)
    )
    away = np.hypot(*(a[:, None] - b[None]).transpose(2, 0, 1))
    return float(max(away.min(axis=0).mean(), away.min(axis=1).mean()) / HEIGHT)


def centred(strokes: Sequence[np.ndarray]) -> list[np.ndarray]:
    points = np.concatenate(list(strokes))[:, :2]
    return [stroke[:, :2] - (points.min(axis=0) + points.max(axis=0)) / 2 for stroke in strokes]


@pytest.mark.parametrize("fps", [15, 24, 30, 60])
@pytest.mark.parametrize("character", ["E", "O", "X", "H", "S"])
@pytest.mark.parametrize("down", ["point", "pinch"])
def test_a_character_of_several_strokes_stays_one(character: str, fps: float, down: str) -> None:
    found = characters(run(film(plan(character, down=(down,)), fps)))
    drawn = letter_strokes(character)
    assert [len(strokes) for strokes in found] == [len(drawn)]
    assert far_off(centred([stroke * HEIGHT for stroke in drawn]), tuple(centred(found[0]))) < 0.03


def test_pointing_and_pinching_may_take_turns() -> None:
    updates = run(film(plan("E", down=("point", "pinch")), 30))
    assert sum(len(update.ended) for update in updates) == 4


@pytest.mark.parametrize(("choice", "pose"), [("point", "pinch"), ("pinch", "point")])
def test_a_pen_that_is_held_in_one_way_ignores_the_other(choice: PenChoice, pose: str) -> None:
    frames = list(film(plan("L", down=(pose,)), 30))
    assert not characters(run(iter(frames), Pen(choice=choice)))
    assert characters(run(iter(frames)))


@pytest.mark.parametrize("pose", ["point", "pinch", "open"])
def test_a_held_key_is_the_pen(pose: str) -> None:
    pen = Pen(choice="space")
    updates = [
        pen.step([hand(pose, (200 + 10 * i, 300))], i / 30, held=10 <= i < 40) for i in range(60)
    ]
    [stroke] = [stroke for update in updates for stroke in update.ended]
    assert stroke[[0, -1], 2] * 30 == pytest.approx([10, 39])
    assert stroke[-1, 0] - stroke[0, 0] == pytest.approx(290, abs=15)


def test_the_pen_is_between_the_tips_that_pinch() -> None:
    pen = Pen()
    for i in range(20):
        update = pen.step([hand("pinch", (300, 300))], i / 30)
    points = hand("pinch", (300, 300)).landmarks
    assert update.state is PenState.DOWN
    assert update.tip == pytest.approx(tuple((points[4] + points[8]) / 2), abs=3)


def test_a_tight_pinch_that_opens_a_little_lifts_the_pen() -> None:
    """What is a pinch to a hand whose tips never touch is an open one to a hand whose tips do."""

    def frames(tight: float) -> Iterator[tuple[float, list[Hand]]]:
        for i in range(75):
            part = tight if i % 30 < 15 else -0.1
            points = tightened(hand("pinch", (200 + 5 * i, 300)).landmarks, part)
            yield i / 30, [Hand(points, "Right", 0.9)]

    assert [len(strokes) for strokes in characters(run(frames(0.8)))] == [3]
    assert [len(strokes) for strokes in characters(run(frames(0.1)))] == [1]


def test_a_pinch_that_opens_to_a_pointing_hand_does_not_write_the_way() -> None:
    found = characters(run(film(plan("E", up="point", down=("pinch",)), 30)))
    pinched = characters(run(film(plan("E", up="open", down=("pinch",)), 30)))
    assert len(pinched[0]) == 4
    # The first way is written, and so is the rest at the end: nothing told pinching before.
    assert 4 <= len(found[0]) <= 6


def test_each_stroke_is_told_once_when_it_ends_in_the_time_of_the_clip() -> None:
    moments = [(time + 100, moment) for time, moment in plan("H")]
    updates = run((time + 100, hands) for time, hands in film(plan("H"), 30))
    ended = [stroke for update in updates for stroke in update.ended]
    assert len(ended) == 3
    for stroke in ended:
        assert stroke.dtype == np.float32
        assert np.all(np.diff(stroke[:, 2]) > 0)
        assert moments[0][0] < stroke[0, 2] < stroke[-1, 2] < moments[-1][0]
    assert far_off([s * HEIGHT + (200, 100) for s in letter_strokes("H")], tuple(ended)) < 0.03


def test_the_stroke_in_progress_is_what_becomes_the_one_that_ended() -> None:
    updates = run(film(plan("S"), 30))
    writing = [update.writing for update in updates if update.writing is not None]
    assert [len(stroke) for stroke in writing] == sorted(len(stroke) for stroke in writing)
    [ended] = [stroke for update in updates for stroke in update.ended]
    whole = writing[-1]
    first = int(np.flatnonzero(whole[:, 2] == ended[0, 2])[0])
    assert whole[first : first + len(ended)] == pytest.approx(ended)
    assert all((u.writing is not None) == (u.state is PenState.DOWN) for u in updates)


def test_a_stroke_in_progress_ends_with_the_clip() -> None:
    pen = Pen()
    for i in range(20):
        pen.step([hand("point", (200 + 10 * i, 300))], i / 30)
    assert len(pen.flush().ended) == 1
    assert not pen.flush().ended


def test_two_characters_are_two() -> None:
    first, second = plan("T"), plan("L", shift=250)
    moments = first + [(first[-1][0] + 1 / 240 + time, moment) for time, moment in second]
    assert [len(strokes) for strokes in characters(run(film(moments, 30)))] == [2, 1]


def test_a_hand_lost_for_a_moment_does_not_break_the_stroke() -> None:
    def frames() -> Iterator[tuple[float, list[Hand]]]:
        for i, (time, hands) in enumerate(film(plan("O"), 30)):
            yield time, [] if i in (18, 19, 25, 30, 31, 32) else hands

    assert [len(strokes) for strokes in characters(run(frames()))] == [1]


@pytest.mark.parametrize(("gap", "strokes"), [(0.3, 1), (0.4, 2)])
def test_a_hand_may_be_lost_for_three_tenths_of_a_second(gap: float, strokes: int) -> None:
    def frames() -> Iterator[tuple[float, list[Hand]]]:
        for i in range(60):
            lost = 1.0 < i / 30 < 1.0 + gap - 1e-6
            yield i / 30, [] if lost else [hand("point", (200 + 5 * i, 300))]

    updates = run(frames())
    assert [len(found) for found in characters(updates)] == [strokes]


def test_a_hand_that_comes_back_elsewhere_breaks_the_stroke() -> None:
    def frames() -> Iterator[tuple[float, list[Hand]]]:
        for i in range(60):
            away = 500 if i > 30 else 0
            yield i / 30, [] if 24 < i < 31 else [hand("point", (200 + 3 * i + away, 300))]

    [strokes] = characters(run(frames()))
    assert len(strokes) == 2


def test_a_single_frame_of_another_pose_does_not_break_the_stroke() -> None:
    def frames() -> Iterator[tuple[float, list[Hand]]]:
        for i, (time, hands) in enumerate(film(plan("O"), 30)):
            wrong = [Hand(hand("open", (300, 250)).landmarks, "Right", 0.9)]
            yield time, wrong if i in (20, 27) else hands

    assert [len(strokes) for strokes in characters(run(frames()))] == [1]


@pytest.mark.parametrize(("fps", "wrong"), [(15, 2), (20, 4), (30, 6), (60, 12)])
def test_a_quick_pinch_seen_as_pointing_for_a_fifth_of_a_second_goes_on(
    fps: int, wrong: int
) -> None:
    """As MediaPipe at times sees a pinch that moves up quickly."""

    def frames() -> Iterator[tuple[float, list[Hand]]]:
        for i in range(2 * fps):
            part = i / fps - 0.5
            x, y = 200 + 300 * part, 400 - 200 * np.sin(np.pi * np.clip(part, 0, 1))
            if not 0 <= part <= 1:
                pose = "open"
            else:
                pose = "point" if 0.4 * fps <= i - 0.5 * fps < 0.4 * fps + wrong else "pinch"
            points = hand(pose, (0, 0)).landmarks
            middle = (points[4] + points[8]) / 2
            yield i / fps, [Hand(points + np.float32([x, y]) - middle, "Right", 0.9)]

    [[stroke]] = characters(run(frames()))
    # The way over the top is kept, though no pinch was seen there.
    assert stroke[:, 1].min() < 220
    assert np.ptp(stroke[:, 0]) > 240


def test_a_jump_breaks_the_stroke() -> None:
    def frames() -> Iterator[tuple[float, list[Hand]]]:
        for i in range(30):
            yield i / 30, [hand("point", (100 + 5 * i, 300))]
        for i in range(30, 60):
            yield i / 30, [hand("point", (900 + 5 * i, 300))]

    [strokes] = characters(run(frames()))
    assert len(strokes) == 2
    assert all(np.ptp(stroke[:, 0]) < 200 for stroke in strokes)


@pytest.mark.parametrize("pose", ["open", "fist", "victory", "thumb"])
def test_other_poses_write_nothing(pose: str) -> None:
    updates = run((i / 30, [hand(pose, (200 + 10 * i, 300))]) for i in range(60))
    assert not characters(updates)
    assert {update.state for update in updates} == {PenState.HOVER}


def test_pointing_still_writes_nothing() -> None:
    rng = np.random.default_rng(1)
    updates = run(
        (i / 30, [hand("point", (300 + rng.normal(0, 1), 300 + rng.normal(0, 1)))])
        for i in range(60)
    )
    assert not characters(updates)


def test_a_hand_that_leaves_ends_the_character() -> None:
    def frames() -> Iterator[tuple[float, list[Hand]]]:
        for i in range(30):
            yield i / 30, [hand("point", (200 + 10 * i, 300))]
        for i in range(30, 70):
            yield i / 30, []

    updates = run(frames())
    assert len(characters(updates)) == 1
    assert updates[-2].state is PenState.NO_HAND
    assert updates[-2].tip is None


def test_the_end_of_the_clip_ends_the_stroke() -> None:
    updates = run((i / 30, [hand("point", (200 + 10 * i, 300))]) for i in range(30))
    assert len(updates[-1].ended) == 1
    assert not characters(updates[:-1])


def test_a_second_hand_does_not_take_the_pen() -> None:
    def frames() -> Iterator[tuple[float, list[Hand]]]:
        for i, (time, hands) in enumerate(film(plan("E"), 30)):
            other = hand("point", (1000, 400))
            yield time, [other, *hands] if i > 15 else hands

    [strokes] = characters(run(frames()))
    assert len(strokes) == 4
    assert max(stroke[:, 0].max() for stroke in strokes) < 600


def test_the_hand_that_wrote_last_is_followed_while_both_rest() -> None:
    pen = Pen()
    for i in range(60):
        hands = [hand("open", (900, 300)), hand("point" if i < 30 else "open", (200 + 5 * i, 300))]
        update = pen.step(hands, i / 30)
        assert update.hand is hands[1]
    assert pen.step([], 2.1).hand is None


def test_another_hand_may_take_the_pen_when_the_character_is_done() -> None:
    def frames() -> Iterator[tuple[float, list[Hand]]]:
        for i in range(120):
            one = hand("point" if i < 30 else "open", (200 + 5 * min(i, 30), 300))
            other = hand("open" if i < 70 else "point", (900 + 5 * max(0, i - 70), 300))
            yield i / 30, [one, other]

    found = characters(run(frames()))
    assert [len(strokes) for strokes in found] == [1, 1]
    assert found[0][0][:, 0].max() < 600 < found[1][0][:, 0].min()


def test_the_finger_that_rises_and_folds_leaves_no_tail() -> None:
    def frames() -> Iterator[tuple[float, list[Hand]]]:
        point, fist = hand("point", (300, 300)).landmarks, hand("open", (300, 300)).landmarks
        for i in range(60):
            # The finger rises in 5 frames, moves 300 px to the right, folds in 5 frames.
            raised = np.clip(min((i + 1) / 5, (60 - i) / 5), 0, 1)
            shape = fist + (point - fist) * np.float32(raised)
            shift = np.array([np.clip((i - 5) * 6, 0, 300), 0], np.float32)
            yield i / 30, [Hand(shape + shift, "Right", 0.9)]

    [[stroke]] = characters(run(frames()))
    assert np.ptp(stroke[:, 1]) < 12


def test_the_trail_grows_and_is_never_changed_afterwards() -> None:
    updates = run(film(plan("S"), 30))
    trails = [update.writing for update in updates if update.writing is not None]
    for before, after in pairwise(trails):
        assert len(after) >= len(before)
        assert after[: len(before)] == pytest.approx(before)
    assert trails[-1].shape[1] == 3


def test_the_same_time_twice_changes_nothing() -> None:
    pen = Pen()
    pen.step([hand("point", (100, 100))], 1.0)
    assert pen.step([hand("point", (600, 100))], 1.0).tip == pytest.approx((100, 100), abs=5)


def test_left_and_right_are_swapped_for_a_camera_that_faces_the_writer() -> None:
    stroke = np.array([[1, 2], [3, 4]], np.float32)
    assert as_writer_sees([stroke], True)[0].tolist() == [[-1, 2], [-3, 4]]
    assert as_writer_sees([stroke], False)[0].tolist() == stroke.tolist()
