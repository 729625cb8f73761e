"""Which of two hands is followed: the one that writes."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from hcr_live.air.hands import Hand
from hcr_live.air.pose import PINCHING, POINTING, palm_length, pinch_score, pointing_score

_KEPT = 1.5
"""A hand that wrote less than so many seconds ago stays the one that is followed."""

_STROKE = 0.15
_STROKE_TIME = 0.5
"""A hand writes that holds the pen and moves it by so many palm lengths within so many seconds: at
rest, it may as well hold a cup."""

_SEARCH = 0.25
_TRACK = 0.09
"""A second hand is looked for, and looked at, this often, seconds; every time when it may write."""

_MEMORY = 1.0
"""A second hand is still where it was last seen, for so many seconds."""

_GAP = 0.3
_FASTEST = 20.0
_QUICKEST = 150.0
_FARTHEST = 3.0
"""A hand that is lost for less than so many seconds is not found again farther off than it gets: by
so many palm lengths a second while it writes; else a second squared, and in all."""

_RETURNS = 2.0
"""A hand that wrote and is gone is waited for so many seconds, if the other one does not write."""


class Follower:
    """Keeps apart the hand that writes and another one, and says when to look for the other.

    Attributes:
        writer: The hand that is followed.
        other: The other one.
        looked: Time of the last frame that was searched for it, seconds.
    """

    def __init__(self) -> None:
        self.writer = Track()
        self.other = Track()
        self.looked = -math.inf

    def looks_elsewhere(self, time: float) -> bool:
        """Return whether the frame of that time, seconds, is to be searched for another hand."""
        if self.writer.hand is None and self.other.hand is None:
            return False  # Where no hand is, one search is enough.
        wait = _SEARCH if self.other.hand is None else 0 if self.other.may_write else _TRACK
        return self.is_free(time) and time - self.looked >= wait

    def is_free(self, time: float) -> bool:
        """Return whether another hand may be followed: this one has not written for a while."""
        return time - self.writer.wrote > _KEPT or time - self.writer.seen > _GAP

    def hidden(self, time: float) -> Hand | None:
        """Return the hand that is not to be found instead of a writer that is lost."""
        lost = self.writer.hand is None and time - self.other.seen <= _MEMORY
        return self.other.last if lost else None

    def step(self, hand: Hand | None, elsewhere: Hand | None, looked: bool, time: float) -> bool:
        """Take in what two detectors found in the next frame.

        Args:
            hand: By the one that follows the writer.
            elsewhere: By the one that looks elsewhere.
            looked: Whether that one did.
            time: Seconds, increasing.

        Returns:
            Whether the first one now sees the other hand: then the detectors change roles.
        """
        writer, other = self.writer, self.other
        if hand is not None and self._is_another(hand, time):
            writer.step(None, time)
            other.step(hand, time)
            return True
        writer.step(hand, time)
        if looked:
            if elsewhere is not None and writer.away(elsewhere) < 1:
                elsewhere = None
            other.step(elsewhere, time)
        if other.hand is None or not self.is_free(time):
            return False
        if not other.writes(time) and time - writer.seen < _RETURNS:
            return False
        self.writer, self.other = other, writer
        return True

    def _is_another(self, hand: Hand, time: float) -> bool:
        """Whether the detector went over to another hand when the one that wrote left."""
        writer, other = self.writer, self.other
        unseen, away = time - writer.seen, writer.away(hand)
        if writer.wrote == -math.inf or unseen > _RETURNS or away < 1:
            return False
        if unseen <= _GAP and writer.may_write and _holds_pen(hand):
            return away > 1 + _FASTEST * unseen
        reach = 1 + min(_QUICKEST / 2 * unseen**2, _FARTHEST)
        if unseen <= 2 * _GAP and min(away, writer.away(hand, unseen)) > reach:
            return True
        return time - other.seen <= _MEMORY and other.away(hand) < min(1.5, away / 2)


class Track:
    """What is known of one hand.

    Attributes:
        hand: As the last look showed it, or None.
        last: As it was last seen.
        seen: When it was last seen, seconds.
        wrote: When it last wrote, seconds.
        may_write: Whether it holds the pen, and has not rested since it does.
    """

    def __init__(self) -> None:
        self.hand: Hand | None = None
        self.seen = -math.inf
        self.wrote = -math.inf
        self.may_write = False
        self.last: Hand | None = None
        self._place: NDArray[np.floating] = np.zeros(2)
        self._velocity: NDArray[np.floating] = np.zeros(2)
        self._palm = 0.0
        self._since: float | None = None  # it has held the pen here, or
        self._tip = np.zeros(2, np.float32)  # nearby

    def writes(self, time: float) -> bool:
        """Return whether it wrote in the look of that time."""
        return self.wrote == time

    def away(self, hand: Hand, elapsed: float = 0.0) -> float:
        """Return how far a hand is from where this one was last seen, in palm lengths.

        Args:
            hand: The hand.
            elapsed: Seconds for which this one is taken to have gone on as it went.
        """
        if self.last is None:
            return math.inf
        way = _place(hand) - self._place - elapsed * self._velocity
        # The smaller one: a fist that faces the camera looks as if its palm were long; but not one
        # of landmarks that went astray.
        palm = max(palm_length(hand.landmarks), self._palm / 2)
        return math.hypot(*way) / min(palm, self._palm)

    def step(self, hand: Hand | None, time: float) -> None:
        """Take in the next look; None where it was not found."""
        self.hand = hand
        if hand is None:
            return
        place, elapsed = _place(hand), time - self.seen
        self._velocity = (place - self._place) / elapsed if elapsed < _GAP else np.zeros(2)
        # That of a fist shakes; over half a second it is steady.
        self._palm += min(1.0, elapsed / 0.5) * (palm_length(hand.landmarks) - self._palm)
        self.last, self.seen, self._place = hand, time, place
        points = hand.landmarks
        if not _holds_pen(hand):
            self._since, self.may_write = None, False
            return
        first = self._since is None
        moved = math.dist(points[8], self._tip) >= _STROKE * palm_length(points)
        rested = self._since is not None and time - self._since > _STROKE_TIME
        if moved and not first:
            self.wrote = time
        if first or moved or rested:
            self._since, self._tip, self.may_write = time, points[8], first or moved


def _holds_pen(hand: Hand) -> bool:
    points = hand.landmarks
    return pointing_score(points) >= POINTING or pinch_score(points) >= PINCHING


def _place(hand: Hand) -> NDArray[np.floating]:
    """Return the middle of the palm, float (2,), pixels: it moves least with the pose."""
    return hand.landmarks[[0, 5, 9, 13, 17]].mean(axis=0)
