"""Which detector looks at which frame, and in which order answers come back."""

from __future__ import annotations

import numpy as np
import pytest

from hcr_live.air.hands import Hand
from hcr_live.air.watcher import HandWatcher
from hcr_live.errors import HcrError
from tests.air.recorded import hand
from tests.fakes import frames


class Detector:
    """Finds a hand that writes in every frame, 100 pixels long, and remembers the frames."""

    def __init__(self, made: list[Detector], speed: float = 200.0) -> None:
        self.times: list[float] = []
        self.closed = False
        self.speed = speed
        made.append(self)

    def detect(self, image: np.ndarray, time: float, hidden: Hand | None) -> tuple[Hand, ...]:
        self.times.append(time)
        return (hand("point", (200 + self.speed * time, 200)),)

    def close(self) -> None:
        self.closed = True


def follow(watcher: HandWatcher, shown: list) -> list[float]:
    """Keep as many looks under way as are worth it; return the times of the hands found."""
    found, waiting = [], list(shown)
    watcher.look(waiting.pop(0))
    while (look := watcher.found()) is not None:
        frame, hands = look
        assert len(hands) == 1
        found.append(frame.time)
        while waiting and len(found) + watcher.at_once > len(shown) - len(waiting):
            watcher.look(waiting.pop(0))
    return found


def test_two_detectors_share_a_file_and_answers_keep_their_order():
    made: list[Detector] = []
    watcher = HandWatcher(lambda: Detector(made))
    watcher.take_turns()
    shown = frames([np.zeros((4, 4, 3), np.uint8)] * 60)
    found = follow(watcher, shown)
    watcher.close()
    watcher.close()
    assert found == [frame.time for frame in shown]
    first, second = made
    assert len(first.times) + len(second.times) == 60
    assert len(second.times) >= 20
    assert all(detector.closed for detector in made)


def test_a_quick_hand_is_followed_by_one_detector():
    made: list[Detector] = []
    watcher = HandWatcher(lambda: Detector(made, speed=1000.0))
    watcher.take_turns()
    follow(watcher, frames([np.zeros((4, 4, 3), np.uint8)] * 60))
    watcher.close()
    assert [len(detector.times) for detector in made] == [60, 0]


def test_one_detector_is_enough_without_turns():
    made: list[Detector] = []
    watcher = HandWatcher(lambda: Detector(made))
    follow(watcher, frames([np.zeros((4, 4, 3), np.uint8)] * 60))
    watcher.close()
    assert [len(detector.times) for detector in made] == [60, 0]


def test_a_detector_that_cannot_be_made_is_told():
    def fail() -> Detector:
        raise HcrError("The hand model is damaged.")

    watcher = HandWatcher(fail)
    with pytest.raises(HcrError, match="damaged"):
        watcher.wait_until_ready()
    watcher.close()
