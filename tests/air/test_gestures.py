"""Poses of generated hands, as MediaPipe sees them, held over time."""

import numpy as np
import pytest

from generator.air_clip import idle_hand_frames
from hcr_live.air.gestures import Gestures
from hcr_live.air.hands import Hand, HandDetector

SIZE = (1280, 720)
RATE = 30


@pytest.fixture(scope="module")
def hands():
    """A hand in the middle of the frame for each pose."""
    found = {}
    names = {"thumb": "thumbs_up"}
    detector = HandDetector()
    for number, pose in enumerate(("point", "open", "fist", "victory", "thumb")):
        shown = names.get(pose, pose)
        frames = idle_hand_frames(0.5, pose=shown, seed=3, skin=number, size=280)
        seen = [detector.detect(image, time + 10 * number) for image, time in frames]
        (hand,) = next(hands for hands in reversed(seen) if hands)
        middle = np.array([640, 360], np.float32) - hand.landmarks.mean(axis=0)
        found[pose] = Hand(hand.landmarks + middle, hand.handedness, hand.score)
    detector.close()
    return found


def run(hands, *parts, gestures=None, **said):
    """Play (pose or None, seconds) one after the other; return the actions and the progress."""
    gestures = gestures or Gestures()
    actions, holds, number = [], [], 0
    for pose, seconds in parts:
        for _ in range(round(seconds * RATE)):
            hand = hands[pose] if isinstance(pose, str) else pose
            update = gestures.step(hand, SIZE, number / RATE, **said)
            actions += [(update.action, round(number / RATE, 2))] if update.action else []
            holds.append((update.coming, update.progress))
            number += 1
    return actions, holds


@pytest.mark.parametrize(("pose", "action"), [("victory", "undo"), ("thumb", "accept")])
def test_a_pose_that_is_held_says_one_thing_once(hands, pose, action):
    actions, _ = run(hands, ("point", 0.5), (pose, 2.0), ("fist", 0.5), (pose, 0.9))
    assert [name for name, _ in actions] == [action, action]
    assert run(hands, ("fist", 0.5), (pose, 0.3), ("fist", 0.5))[0] == []


def test_an_open_palm_clears_after_a_rest_and_a_countdown_of_a_second(hands):
    assert run(hands, ("fist", 0.5), ("open", 1.4), ("fist", 0.5))[0] == []
    actions, holds = run(hands, ("fist", 0.5), ("open", 2.4))
    ((action, at),) = actions
    assert action == "clear"
    assert 2.2 <= at <= 2.5
    progress = [share for coming, share in holds if coming == "clear"]
    assert progress == sorted(progress)
    assert len(progress) > 20
    assert progress[-1] > 0.9


def test_a_palm_that_rests_between_two_strokes_clears_nothing(hands):
    assert run(hands, ("open", 3.0), busy=True) == ([], [(None, 0.0)] * 90)


def test_no_pose_means_anything_while_the_pen_is_down(hands):
    assert run(hands, ("victory", 2.0), writes=True)[0] == []


def test_a_palm_that_moves_on_clears_nothing(hands):
    gestures, actions = Gestures(), []
    for number in range(90):
        moved = hands["open"].landmarks + np.float32(6 * number - 270) * np.float32([1, 0])
        update = gestures.step(Hand(moved, "Left", 1.0), SIZE, number / RATE)
        actions += [update.action] if update.action else []
    assert actions == []


def test_a_drop_out_does_not_start_the_hold_anew(hands):
    parts = [("victory", 0.3), (None, 0.1), ("victory", 0.25)]
    assert [name for name, _ in run(hands, *parts)[0]] == ["undo"]
    parts = [("victory", 0.3), (None, 0.3), ("victory", 0.25)]
    assert run(hands, *parts)[0] == []


def test_a_hand_that_leaves_the_frame_ends_one_word(hands):
    at_border = hands["open"].landmarks + np.float32([0, 300])
    leaving = Hand(at_border, "Left", 1.0)
    actions, _ = run(hands, ("point", 0.5), (leaving, 0.1), (None, 3.0), ("point", 0.5))
    ((action, at),) = actions
    assert action == "end word"
    assert 1.0 <= at <= 1.3


def test_a_hand_that_is_lost_in_the_middle_is_given_longer(hands):
    assert run(hands, ("point", 0.5), (None, 0.9), ("point", 0.5))[0] == []
    assert [name for name, _ in run(hands, ("point", 0.5), (None, 2.0))[0]] == ["end word"]


def test_a_finger_at_the_upper_border_is_no_hand_that_leaves(hands):
    point = hands["point"].landmarks
    at_border = Hand(point - np.float32([0, point[:, 1].min() - 5]), "Left", 1.0)
    assert run(hands, (at_border, 0.5), (None, 0.9), (at_border, 0.5))[0] == []


def test_a_hand_seen_elsewhere_for_a_moment_does_not_hold_the_word_open(hands):
    leaving = Hand(hands["open"].landmarks + np.float32([0, 300]), "Left", 1.0)
    elsewhere = Hand(hands["open"].landmarks * np.float32(0.4) + np.float32([700, 0]), "Left", 1.0)
    parts = [("point", 0.5), (leaving, 0.1), (None, 0.1), (elsewhere, 0.07), (None, 1.0)]
    ((action, at),) = run(hands, *parts)[0]
    assert action == "end word"
    assert 1.0 <= at <= 1.3


def test_no_word_ends_before_a_hand_was_there(hands):
    assert run(hands, (None, 5.0))[0] == []
