"""Editing by hand alone: poses held still, and a hand that leaves, become edits of the text.

A word ends where the hand leaves the frame, not where it is lowered: both look alike to the camera
when the frame ends at the desk, and a hand that has left can't be one that writes or rests.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from hcr_live.air.hands import Hand
from hcr_live.air.pose import Pose, palm_length, pose_of

Action = Literal["end word", "space", "undo", "delete", "clear", "accept"]
"""What a gesture or a key does to the text; only keys delete, as undo does it by hand."""

_ACTIONS: dict[Pose, Action] = {"victory": "undo", "thumb": "accept", "open": "clear"}


@dataclass(frozen=True)
class GestureSettings:
    """Times in seconds, lengths in palm lengths.

    Attributes:
        hold: How long a pose is held until it counts.
        hold_open: The same of the open palm, which clears; its countdown is shown.
        rest: Before that countdown a palm may be open for so long: many hands rest so.
        doubt: A pose may be lost for so long in between.
        still: A hand that moves farther from where the pose began holds nothing.
        away: A hand that went out at the frame's border is away after so long,
        lost: and one that was lost from sight elsewhere after so long.
        border: How near the border the wrist of a hand is that goes out,
        soon: or will be after so long if it moves on as it does: quick hands are lost before.
        fastest: Palm lengths a second; what moves faster is another hand, or none.
    """

    hold: float = 0.5
    hold_open: float = 1.0
    rest: float = 0.8
    doubt: float = 0.15
    still: float = 0.6
    away: float = 0.5
    lost: float = 1.2
    border: float = 0.6
    soon: float = 0.3
    fastest: float = 10.0


@dataclass(frozen=True)
class GestureUpdate:
    """What the hand says with one frame.

    Attributes:
        action: What is to be done now, or None. A pose says it once, until it is let go.
        coming: What the pose will say if it is held on, or None.
        progress: How much of the hold has passed, in [0, 1].
    """

    action: Action | None = None
    coming: Action | None = None
    progress: float = 0.0


class Gestures:
    """The state machine from a hand's poses over time to actions."""

    def __init__(self, settings: GestureSettings | None = None) -> None:
        self._settings = settings or GestureSettings()
        self._pose: Pose | None = None
        self._since = 0.0  # when the pose began,
        self._seen = -math.inf  # was last seen,
        self._place = np.zeros(2, np.float32)  # and where it began
        self._said = False
        self._hand = np.zeros(2, np.float32)  # where it was seen last,
        self._hand_seen = -math.inf  # and when
        self._way: list[tuple[float, NDArray[np.float32]]] = []  # and where before, a moment ago
        self._leaves = False
        self._is_away = True
        self._stranger_seen = self._stranger_since = -math.inf

    def step(
        self,
        hand: Hand | None,
        size: tuple[int, int],
        time: float,
        *,
        writes: bool = False,
        busy: bool = False,
    ) -> GestureUpdate:
        """Take in the next frame.

        Args:
            hand: The hand that writes, if it is in view.
            size: Width and height of the frame, pixels.
            time: Seconds, increasing.
            writes: The pen is down: no pose means anything.
            busy: A character is in progress: an open palm is a rest between two strokes.
        """
        if hand is None:
            return self._miss(time)
        palm = palm_length(hand.landmarks)
        if self._is_stranger(hand.landmarks[9], palm, time):
            return self._miss(time)
        self._leaves = self._goes_out(hand.landmarks, palm, size, time)
        self._hand, self._hand_seen, self._is_away = hand.landmarks[9], time, False
        if writes:
            self._pose = None
            return GestureUpdate()
        pose = pose_of(hand.landmarks)
        if busy and pose == "open":
            self._pose = None
            return GestureUpdate()
        return self._hold(pose, hand.landmarks[9], palm, time)

    def _is_stranger(self, place: NDArray[np.float32], palm: float, time: float) -> bool:
        """Whether something is seen, for a moment only, where the hand can't be.

        While a hand leaves, MediaPipe at times takes a part of the room for one.
        """
        settings = self._settings
        far = (2 + settings.fastest * (time - self._hand_seen)) * palm
        if float(np.hypot(*(place - self._hand))) <= far:
            return False
        if time - self._stranger_seen > settings.doubt:
            self._stranger_since = time
        self._stranger_seen = time
        return time - self._stranger_since < settings.doubt

    def _goes_out(
        self, landmarks: NDArray[np.float32], palm: float, size: tuple[int, int], time: float
    ) -> bool:
        # Over some frames: the landmarks of a fist may jump about from one to the next.
        self._way = [
            (then, at) for then, at in self._way if 0 < time - then <= self._settings.doubt
        ]
        self._way.append((time, landmarks[9]))
        before, place = self._way[0]
        way = (landmarks[9] - place) * np.float32(self._settings.soon / max(time - before, 1e-6))
        # Not by the fingertips: they are near the border wherever something is written there.
        wrist = np.stack([landmarks[0], landmarks[0] + way])
        margin = self._settings.border * palm
        return bool(((wrist < margin) | (wrist > np.array(size) - margin)).any())

    def _miss(self, time: float) -> GestureUpdate:
        settings = self._settings
        if time - self._seen > settings.doubt:
            self._pose = None
        patience = settings.away if self._leaves else settings.lost
        if self._is_away or time - self._hand_seen < patience:
            return GestureUpdate()
        self._is_away = True
        return GestureUpdate("end word")

    def _hold(
        self, pose: Pose, place: NDArray[np.float32], palm: float, time: float
    ) -> GestureUpdate:
        settings = self._settings
        moved = float(np.hypot(*(place - self._place))) > settings.still * palm
        if pose == self._pose and not moved:
            self._seen = time
        elif moved or time - self._seen > settings.doubt:
            self._pose, self._since, self._seen, self._place = pose, time, time, place
            self._said = False
        action = _ACTIONS.get(self._pose) if self._pose is not None else None
        if action is None or self._said:
            return GestureUpdate()
        held = self._seen - self._since
        progress = held / settings.hold
        if action == "clear":
            progress = (held - settings.rest) / settings.hold_open
        if progress < 0:
            return GestureUpdate()
        if progress < 1:
            return GestureUpdate(coming=action, progress=progress)
        self._said = True
        return GestureUpdate(action)
