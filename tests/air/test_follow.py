"""Which hand is followed: invented hands, detectors that find what is not hidden from them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest

from hcr_live.air.hands import Hand
from hcr_live.air.watcher import HandWatcher
from hcr_live.frame import Frame
from tests.air.recorded import hand

LEFT, RIGHT = (300.0, 300.0), (1000.0, 300.0)
RATES = [15.0, 24.0, 30.0, 60.0]

Script = Callable[[float], Hand | None]


def rests(place: tuple[float, float], pose: str = "open", since: float = 0.0) -> Script:
    return lambda time: hand(pose, place) if time >= since else None


def writes(
    place: tuple[float, float], begin: float, end: float, came: float = 0.0, pose: str = "point"
) -> Script:
    """A hand that rests open, and writes circles from `begin` to `end`."""

    def at(time: float) -> Hand | None:
        if time < came:
            return None
        turn = 5 * (np.clip(time, begin, end) - begin)
        tip = (place[0] + 100 * np.cos(turn), place[1] + 100 * np.sin(turn))
        return hand(pose if begin <= time < end else "open", tip)

    return at


def without(script: Script, begin: float, end: float = np.inf) -> Script:
    return lambda time: None if begin <= time < end else script(time)


class Detector:
    """Follows one of the hands that are there, and finds another once that is gone or hidden."""

    def __init__(self, scripts: Sequence[Script], looks: list[list[float]]) -> None:
        self._scripts = scripts
        self._follows: int | None = None
        self.times: list[float] = []
        looks.append(self.times)

    def detect(self, image: np.ndarray, time: float, hidden: Hand | None) -> tuple[Hand, ...]:
        self.times.append(time)
        there = {}
        for number, script in enumerate(self._scripts):
            found = script(time)
            if found is not None and not (hidden is not None and is_near(found, hidden)):
                there[number] = found
        if self._follows is not None and self._follows not in there:
            self._follows = None  # it takes a frame to see that a hand is gone
        elif there:
            self._follows = min(there) if self._follows is None else self._follows
        return () if self._follows is None else (there[self._follows],)

    def close(self) -> None:
        pass


def is_near(one: Hand, other: Hand) -> bool:
    return bool(np.hypot(*(one.landmarks[0] - other.landmarks[0])) < 200)


def watch(
    scripts: Sequence[Script], seconds: float, fps: float = 30.0, turns: bool = False
) -> tuple[np.ndarray, np.ndarray, list[list[float]]]:
    """Return the frames' times, which hand was answered (-1 for none), when who looked."""
    looks: list[list[float]] = []
    watcher = HandWatcher(lambda: Detector(scripts, looks))
    if turns:
        watcher.take_turns()
    times = np.arange(round(seconds * fps)) / fps
    waiting = [Frame(np.zeros((4, 4, 3), np.uint8), n, float(t)) for n, t in enumerate(times)]
    answers, under_way = [], 0
    while waiting or under_way:
        while waiting and under_way < watcher.at_once:
            watcher.look(waiting.pop(0))
            under_way += 1
        look = watcher.found()
        under_way -= 1
        assert look is not None
        frame, hands = look
        assert len(hands) <= 1
        shown = [script(frame.time) for script in scripts]
        answers.append(
            next(
                number
                for number, there in [*enumerate(shown), (-1, None)]
                if number == -1 or (there is not None and hands and is_near(there, hands[0]))
            )
        )
    watcher.close()
    return times, np.array(answers), looks


@pytest.mark.parametrize("fps", RATES)
@pytest.mark.parametrize("pose", ["point", "pinch"])
@pytest.mark.parametrize("idle", ["open", "fist"])
def test_a_hand_that_begins_to_write_is_followed_though_another_was_there_first(fps, pose, idle):
    scripts = [rests(RIGHT, idle), writes(LEFT, 3.0, 5.0, came=2.0, pose=pose)]
    times, answers, _ = watch(scripts, 8.0, fps)
    assert (answers[times < 3.0] == 0).all()
    assert (answers[times > 3.0 + max(0.2, 3.1 / fps)] == 1).all()


def test_in_a_file_too_where_two_detectors_take_turns():
    scripts = [rests(RIGHT), writes(LEFT, 3.0, 5.0, came=2.0)]
    times, answers, looks = watch(scripts, 12.0, turns=True)
    assert (answers[(times > 0.1) & (times < 3.0)] == 0).all()
    late = answers[times > 3.2]
    assert (late == 1).mean() > 0.97
    assert 0 not in late
    assert len(looks) == 2


def test_the_hand_that_writes_is_not_left_for_another_that_writes():
    scripts = [writes(RIGHT, 1.0, 7.0), writes(LEFT, 2.0, 7.0)]
    times, answers, _ = watch(scripts, 8.0)
    assert (answers[times > 0.1] == 0).all()


def test_nor_within_a_pause():
    scripts = [writes(RIGHT, 1.0, 3.0), writes(LEFT, 3.2, 7.0)]
    times, answers, _ = watch(scripts, 6.0)
    assert (answers[(times > 0.1) & (times < 4.4)] == 0).all()
    assert (answers[times > 4.8] == 1).all()


def test_a_hand_that_holds_something_still_is_not_followed():
    scripts = [rests(RIGHT), rests(LEFT, "pinch")]
    times, answers, looks = watch(scripts, 6.0)
    assert (answers[times > 0.1] == 0).all()
    assert len(looks[1]) < 100


def test_nothing_is_looked_for_elsewhere_while_a_hand_writes_and_seldom_while_it_rests():
    _, _, looks = watch([writes(LEFT, 1.0, 6.0), rests(RIGHT, since=4.0)], 12.0)
    elsewhere = np.array(looks[1])
    assert not ((elsewhere > 1.1) & (elsewhere < 7.4)).any()
    _, _, looks = watch([rests(LEFT)], 10.0)
    assert 30 < len(looks[1]) <= 40


def test_one_detector_is_enough_for_a_hand_that_only_writes():
    _, answers, looks = watch([writes(LEFT, 0.0, 5.0)], 5.0)
    assert len(looks) <= 2
    assert not any(looks[1:])
    assert (answers[1:] == 0).all()


@pytest.mark.parametrize("fps", RATES)
def test_a_writer_that_leaves_is_gone_though_another_hand_stays_and_is_found_again(fps):
    writer = without(writes(LEFT, 1.0, 3.0), 4.0, 5.2)
    again = without(writes(LEFT, 5.4, 8.0), 0.0, 5.2)
    scripts = [lambda t: writer(t) if t < 5.0 else again(t), rests(RIGHT, "fist", since=0.5)]
    times, answers, _ = watch(scripts, 8.0, fps)
    assert (answers[(times > 0.1) & (times < 4.0)] == 0).all()
    assert (answers[(times >= 4.0) & (times < 5.2)] == -1).all()
    assert (answers[times > 5.2 + 2.1 / fps] == 0).all()


def test_a_writer_that_has_left_for_good_leaves_the_other_hand_to_be_followed():
    scripts = [without(writes(LEFT, 1.0, 3.0), 4.0), rests(RIGHT, since=1.0)]
    times, answers, _ = watch(scripts, 8.0)
    assert (answers[(times >= 4.0) & (times < 5.9)] == -1).all()
    assert (answers[times > 6.3] == 1).all()


def test_one_hand_that_is_lost_for_a_moment_is_the_same_one():
    for end in (2.05, 2.2, 2.6):
        moving = writes(LEFT, 1.0, 4.0)
        times, answers, _ = watch([without(moving, 2.0, end)], 4.0)
        assert (answers[times > end + 0.07] == 0).all()


def test_a_source_that_starts_again_starts_anew():
    looks: list[list[float]] = []
    scripts = [rests(RIGHT), writes(LEFT, 3.0, 5.0)]
    watcher = HandWatcher(lambda: Detector(scripts, looks))
    for time in (*np.arange(20.0, 24.0, 0.04), *np.arange(0.0, 4.0, 0.04)):
        watcher.look(Frame(np.zeros((4, 4, 3), np.uint8), 0, float(time)))
        look = watcher.found()
        assert look is not None
    assert is_near(look[1][0], hand("point", LEFT))
    watcher.close()
