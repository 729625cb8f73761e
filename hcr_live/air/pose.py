"""Which pose a hand makes: pure functions of its 21 landmarks."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_WRIST, _THUMB_TIP = 0, 4
_INDEX = (5, 6, 7, 8)
_OTHERS = ((9, 10, 11, 12), (13, 14, 15, 16), (17, 18, 19, 20))


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


def pointing_score(landmarks: NDArray[np.float32]) -> float:
    """Return how clearly the hand points: index finger up, the others folded, the thumb free.

    In palm lengths: how much farther the index finger reaches from the wrist than every other
    finger, less a part of how far the others are stretched. Less again where index finger and
    thumb bend towards each other (a pinch), and where the finger points down. Turning,
    mirroring and scaling the hand change nothing. Clear pointing gives 0.3 to 0.8, an open
    palm or a fist at most 0.15; `Pen` puts its thresholds between.

    Args:
        landmarks: float32 (21, 2), x right, y down, the image upright.
    """
    palm = palm_length(landmarks)
    reach = np.hypot(*(landmarks - landmarks[_WRIST]).T) / palm
    others = max(reach[joint] for finger in _OTHERS for joint in finger[2:])
    index = max(reach[joint] for joint in _INDEX[1:])
    stretched = np.mean([_distance(landmarks[f[3]], landmarks[f[0]]) for f in _OTHERS]) / palm
    score = index - others - 0.6 * stretched
    return float(score - 0.5 * _pinches(landmarks, palm) - 0.5 * _points_down(landmarks))


def _pinches(landmarks: NDArray[np.float32], palm: float) -> float:
    """Return 1 where a bent index finger comes near the thumb's tip, else down to 0."""
    thumb = landmarks[_THUMB_TIP]
    gap = min(_distance(landmarks[7], thumb), _distance(landmarks[8], thumb)) / palm
    lower, upper = landmarks[6] - landmarks[5], landmarks[7] - landmarks[6]
    cosine = float(lower @ upper) / max(float(np.hypot(*lower) * np.hypot(*upper)), 1e-6)
    bend = np.degrees(np.arccos(np.clip(cosine, -1, 1)))
    return float(np.clip((0.54 - gap) / 0.06, 0, 1) * np.clip((bend - 35) / 10, 0, 1))


def _points_down(landmarks: NDArray[np.float32]) -> float:
    """Return 0 for an index finger less than 105 degrees from upright, 1 from 125 on."""
    x, y = pen_tip(landmarks) - landmarks[_INDEX[0]]
    angle = np.degrees(np.arctan2(abs(x), -y))
    return float(np.clip((angle - 105) / 20, 0, 1))


def _distance(a: NDArray[np.float32], b: NDArray[np.float32]) -> float:
    return float(np.hypot(*(a - b)))
