"""Which pose a hand makes: pure functions of its 21 landmarks."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

Pose: TypeAlias = Literal["point", "pinch", "open", "fist", "victory", "thumb", "other"]
"""What a hand can show: index finger up; thumb and index tips together; all fingers spread; all
folded; index and middle finger up; thumb up and the others folded; anything else."""

_WRIST, _THUMB_TIP = 0, 4
_INDEX = (5, 6, 7, 8)
_OTHERS = ((9, 10, 11, 12), (13, 14, 15, 16), (17, 18, 19, 20))
_RING = _OTHERS[1]
_FINGERS = (_INDEX, *_OTHERS)

POINTING = 0.23
"""`pointing_score` of a hand that points."""

PINCHING = 0.05
"""`pinch_score` of a hand that pinches."""


def palm_length(landmarks: NDArray[np.float32]) -> float:
    """Return the length of the palm, wrist to the middle knuckles, in the landmarks' unit.

    The longest of three measures of the same bone frame, so that a hand turned sideways or
    bent towards the camera keeps its size; at least a tiny positive number.

    Args:
        landmarks: float32 (21, 2).
    """
    to_index = _distance(landmarks[5], landmarks[_WRIST])
    to_middle = _distance(landmarks[9], landmarks[_WRIST])
    across = _distance(landmarks[5], landmarks[17])
    return max(to_index, to_middle, 1.3 * across, 1e-6)


def pen_tip(landmarks: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the point that writes, float32 (2,): the outer end of the index finger.

    That is landmark 8. On low contrast MediaPipe at times folds the last joint back onto the
    finger; then the joint before it (7) is the outer end. Between the two the point glides.

    Args:
        landmarks: float32 (21, 2).
    """
    knuckle, joint, tip = landmarks[5], landmarks[7], landmarks[8]
    ratio = _distance(tip, knuckle) / max(_distance(joint, knuckle), 1e-6)
    weight = np.float32(np.clip((ratio - 0.9) / 0.2, 0, 1))
    return weight * tip + (1 - weight) * joint


def pinch_point(landmarks: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the point that writes while pinching, float32 (2,): between thumb and index tips.

    Args:
        landmarks: float32 (21, 2).
    """
    return (landmarks[_THUMB_TIP] + pen_tip(landmarks)) / 2


def pointing_score(landmarks: NDArray[np.float32]) -> float:
    """Return how clearly the hand points: index finger up, the others folded, the thumb free.

    In palm lengths: how much farther the index finger reaches from the wrist than every other
    finger, less a part of how far the others are stretched. Less again where index finger and
    thumb bend towards each other (a pinch), where the index finger is folded (a thumb that is up)
    and where it points down. Turning, mirroring and scaling the hand change nothing. Clear
    pointing gives 0.3 to 0.8, an open palm or a fist at most 0.15; `Pen` puts its thresholds
    between.

    Args:
        landmarks: float32 (21, 2), x right, y down, the image upright.
    """
    palm = palm_length(landmarks)
    reach = _reach(landmarks)
    others = max(reach[joint] for finger in _OTHERS for joint in finger[2:])
    index = max(reach[joint] for joint in _INDEX[1:])
    stretched = np.mean([_distance(landmarks[f[3]], landmarks[f[0]]) for f in _OTHERS]) / palm
    score = index - others - 0.6 * stretched
    bend = _bend(landmarks, _INDEX)
    gap = min(_distance(landmarks[j], landmarks[_THUMB_TIP]) for j in (7, 8)) / palm
    pinches = _ramp(gap, 0.54, 0.48) * _ramp(bend, 35, 45)
    return float(score - 0.5 * max(pinches, _ramp(bend, 100, 120), _points_down(landmarks)))


def pinch_score(landmarks: NDArray[np.float32]) -> float:
    """Return how clearly the hand pinches: the tips of thumb and index finger are together.

    In palm lengths: how much nearer the tips are than they come by chance, which is nearer for a
    straight index finger than for a bent one. Less where the index finger is folded into the palm
    and where it reaches no farther than the others while these are folded, too (a fist). The
    other fingers may be stretched or folded. A touch gives 0.2 to 0.4, tips a finger's width
    apart about 0.15, other poses less than 0; so does a hand that hangs, as a fist at times
    looks. Turning by some 40 degrees, mirroring and scaling change nothing.

    Args:
        landmarks: float32 (21, 2), x right, y down, the image upright.
    """
    reach, palm = _reach(landmarks), palm_length(landmarks)
    gap = _distance(landmarks[_THUMB_TIP], landmarks[_INDEX[3]]) / palm
    bend = _bend(landmarks, _INDEX)
    chance = 0.28 + 0.27 * _ramp(bend, 30, 60)
    index, *others = (reach[finger[3]] - reach[finger[0]] for finger in _FINGERS)
    folded = max(_ramp(index, 0.27, 0.17), _ramp(bend, 105, 120))
    alike = _ramp(index - max(others), 0.2, 0.1)
    fist = alike * _ramp(reach[_RING[3]] - reach[_RING[1]], -0.05, -0.12)
    x, y = pinch_point(landmarks) - landmarks[_WRIST]
    hangs = _ramp(float(np.degrees(np.arctan2(abs(x), -y))), 110, 130)
    return float(chance - gap - 0.6 * max(folded, fist, hangs))


def pose_of(landmarks: NDArray[np.float32]) -> Pose:
    """Return which pose a hand makes, by distances in palm lengths and angles of its joints.

    Mirroring and scaling change nothing; nor does turning, up to some 40 degrees: only where
    thumb and index finger point to, up or not, is asked for.

    Args:
        landmarks: float32 (21, 2), x right, y down, the image upright.
    """
    if pinch_score(landmarks) >= PINCHING:
        return "pinch"
    if pointing_score(landmarks) >= POINTING:
        return "point"
    reach, palm = _reach(landmarks), palm_length(landmarks)
    # How much farther from the wrist the outer end of each finger is than its knuckle.
    up = [max(reach[finger[2]], reach[finger[3]]) - reach[finger[0]] for finger in _FINGERS]
    stretched = [reach[finger[3]] > reach[finger[1]] for finger in _FINGERS]
    tips = [_THUMB_TIP, *(finger[3] for finger in _FINGERS)]
    spread = min(_distance(landmarks[a], landmarks[b]) for a, b in pairwise(tips)) / palm
    if min(up) > 0.1 and all(stretched[:2]) and spread > 0.25:
        return "open"
    if min(up[:2]) - max(up[2:]) > 0.25:
        return "victory"
    x, y = landmarks[_THUMB_TIP] - landmarks[2]
    upright = np.degrees(np.arctan2(abs(x), -y)) < 60
    away = min(_distance(landmarks[_THUMB_TIP], landmarks[f[1]]) for f in _FINGERS) / palm
    if max(up) < 0.1 and upright and away > 0.45:
        return "thumb"
    return "other" if any(stretched) else "fist"


def _reach(landmarks: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return how far each landmark is from the wrist, float32 (21,), in palm lengths."""
    return np.hypot(*(landmarks - landmarks[_WRIST]).T) / palm_length(landmarks)


def _bend(landmarks: NDArray[np.float32], finger: tuple[int, ...]) -> float:
    """Return the angle of the finger's middle joint in degrees, 0 for a straight finger.

    The last joint is left out: MediaPipe at times folds it back (see `pen_tip`).
    """
    knuckle, joint, last = landmarks[list(finger[:3])]
    lower, upper = joint - knuckle, last - joint
    cosine = float(lower @ upper) / max(math.hypot(*lower) * math.hypot(*upper), 1e-6)
    return math.degrees(math.acos(min(max(cosine, -1.0), 1.0)))


def _ramp(value: float, start: float, end: float) -> float:
    """Return 0 at and before `start`, 1 at and beyond `end`, linear between."""
    # Not np.clip, which takes twenty times as long on one number.
    return min(max((value - start) / (end - start), 0.0), 1.0)


def _points_down(landmarks: NDArray[np.float32]) -> float:
    """Return 0 for an index finger less than 105 degrees from upright, 1 from 125 on."""
    x, y = pen_tip(landmarks) - landmarks[_INDEX[0]]
    angle = np.degrees(np.arctan2(abs(x), -y))
    return _ramp(float(angle), 105, 125)


def _distance(a: NDArray[np.float32], b: NDArray[np.float32]) -> float:
    return math.dist(a, b)
