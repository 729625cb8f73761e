"""The pen of the air: from hands over time to strokes."""

from __future__ import annotations

import enum
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from hcr_live.air.hands import Hand
from hcr_live.air.one_euro import OneEuroFilter
from hcr_live.air.pose import (
    PINCHING,
    POINTING,
    palm_length,
    pen_tip,
    pinch_point,
    pinch_score,
    pointing_score,
)
from hcr_live.options import PenChoice

Stroke = NDArray[np.float32]

Grip: TypeAlias = Literal["point", "pinch"]

_SCORES = {"point": pointing_score, "pinch": pinch_score}
_TIPS = {"point": pen_tip, "pinch": pinch_point}
_CHOICES: dict[PenChoice, tuple[Grip, ...]] = {
    "auto": ("point", "pinch"),
    "point": ("point",),
    "pinch": ("pinch",),
    "space": ("pinch", "point"),
}


class PenState(enum.Enum):
    """What the writing hand does."""

    NO_HAND = "no hand"
    HOVER = "hover"
    DOWN = "down"


@dataclass(frozen=True)
class PenSettings:
    """When the pen goes down and up; times in seconds, lengths in palm lengths.

    Attributes:
        down_score: `pointing_score` from which on the hand points.
        up_score: `pointing_score` below which it no longer does.
        pinch_down_score: `pinch_score` from which on the hand pinches.
        pinch_up_score: `pinch_score` below which it no longer does.
        pinch_slack: A pinch that has opened by so much is over, too, however tight it was; to go
            down again it must be back by half.
        down_after: The hand must point this long; the stroke then starts where it began to.
        pinch_down_after: The same for pinching, which a fist that leaves the frame resembles.
        change_after: The same where the stroke before was held in the other way: a pinch that
            opens between two strokes looks like pointing.
        up_after: It must not do so this long; the stroke then ends where it last did.
        open_after: The same for a pinch that looks like pointing, as a quick one at times does.
        lost_after: A hand may be out of sight this long within a stroke.
        pause: The pen is up this long: another hand may take it.
        fastest: Palm lengths a second; a tip that moves faster has jumped.
    """

    down_score: float = POINTING
    up_score: float = 0.15
    pinch_down_score: float = PINCHING
    pinch_up_score: float = 0.0
    pinch_slack: float = 0.2
    down_after: float = 0.05
    pinch_down_after: float = 0.1
    change_after: float = 0.4
    up_after: float = 0.12
    open_after: float = 0.22
    lost_after: float = 0.3
    pause: float = 0.8
    fastest: float = 40.0


@dataclass(frozen=True, eq=False)
class PenUpdate:
    """What the pen did with one frame.

    Attributes:
        state: What the hand does now.
        tip: (x, y) of the fingertip, or of the point between the tips that pinch, smoothed while
            the pen is down, in pixels of the unmirrored frame; None without a hand.
        palm: Length of the palm in pixels; 0.0 before the first hand.
        ended: The strokes that ended with this frame, float32 (n, 3) each: x, y in pixels of the
            unmirrored frame, time in seconds of the clip.
        writing: The stroke in progress, likewise, or None.
        hand: The hand that is followed; None where it is not seen.
    """

    state: PenState
    tip: tuple[float, float] | None
    palm: float
    ended: tuple[Stroke, ...]
    writing: Stroke | None
    hand: Hand | None


class Pen:
    """The state machine from (hands, time) to strokes; it knows no clock, camera or window.

    Args:
        settings: When the pen goes down and up.
        choice: How it is held. Held by a key, any pose writes; else only pointing or pinching.
    """

    def __init__(self, settings: PenSettings | None = None, choice: PenChoice = "auto") -> None:
        self._settings = settings or PenSettings()
        self._choice: PenChoice = choice
        self._grip: Grip = _CHOICES[choice][0]  # of the stroke in progress or the last one
        self._written_by: Grip = self._grip
        self._tightness = 0.0  # `pinch_score` of the last stroke that was pinched
        self._held = False
        self._hand: Hand | None = None
        self._ended: list[Stroke] = []
        self._filter = OneEuroFilter()
        self._current: _Path | None = None
        self._down = False
        self._began = 0.0
        self._up_since = -math.inf
        self._doubtful: list[tuple[NDArray[np.float32], float]] = []  # Since it may have ended.
        self._seen = -math.inf
        self._time = -math.inf
        self._wrist: NDArray[np.float32] | None = None
        self._palm = 0.0
        self._tip: tuple[float, float] | None = None
        self._raw = np.zeros(2, np.float32)  # The tip before smoothing, while it writes,
        self._speed = 0.0  # and its palm lengths a second.

    def step(self, hands: Sequence[Hand], time: float, held: bool = False) -> PenUpdate:
        """Take in the hands of the next frame.

        Args:
            hands: The hands in view, any order.
            time: Seconds, strictly increasing; an older frame changes nothing.
            held: The key that holds the pen down is held; for the choice "space" only.

        Returns:
            The state after this frame.
        """
        self._ended = []
        if time <= self._time:
            return self._update()
        self._held = held
        self._hand = hand = self._writer(hands, time)
        if hand is None:
            self._miss(time)
        else:
            self._follow(hand, time)
        self._time = time
        return self._update()

    def flush(self) -> PenUpdate:
        """End the stroke in progress: there are no more frames."""
        self._ended = []
        self._lift()
        return self._update()

    def _writer(self, hands: Sequence[Hand], time: float) -> Hand | None:
        """Choose the hand that writes: it stays the same one within a character."""
        if not hands:
            return None
        wrist = self._wrist
        if wrist is None:
            return max(hands, key=lambda hand: self._choose_grip(hand)[1])
        away = [float(np.hypot(*(hand.landmarks[0] - wrist))) for hand in hands]
        if self._current is None and not self._is_within_character():
            # Any hand that holds the pen may take over, else the eye stays on the same one.
            holds = [self._choose_grip(hand)[1] >= 0 for hand in hands]
            return hands[min(range(len(hands)), key=lambda i: (not holds[i], away[i]))]
        # The wrist is slower than the fingertips. A hand that was lost may come back elsewhere,
        # but not as one that rests: that is another.
        unseen = time - self._seen
        near = (1 + self._settings.fastest / 2 * min(unseen, 0.1)) * self._palm
        lost = self._current is None and unseen > self._settings.lost_after
        nearest = int(np.argmin(away))
        if away[nearest] > near and not (lost and self._choose_grip(hands[nearest])[1] >= 0):
            return None
        return hands[nearest]

    def _is_within_character(self) -> bool:
        """Whether the frame before was, so that another hand waits for the one that ends it."""
        return self._time - self._up_since < self._settings.pause

    def _choose_grip(self, hand: Hand) -> tuple[Grip, float]:
        """Return how a hand holds the pen, and by how much it does; negative where it doesn't."""
        if self._choice == "space":
            pinches = pinch_score(hand.landmarks) >= self._settings.pinch_down_score
            return ("pinch" if pinches else "point"), 1.0 if self._held else -1.0
        margins = [
            (_SCORES[grip](hand.landmarks) - self._down_score(grip), grip)
            for grip in _CHOICES[self._choice]
        ]
        margin, grip = max(margins)
        return grip, margin

    def _down_score(self, grip: Grip) -> float:
        settings = self._settings
        if grip == "point":
            return settings.down_score
        if not self._is_within_character():
            return settings.pinch_down_score
        return max(settings.pinch_down_score, self._tightness - settings.pinch_slack / 2)

    def _down_after(self) -> float:
        settings = self._settings
        if self._grip == "point" or self._choice == "space":
            wait = settings.down_after
        else:
            wait = settings.pinch_down_after
        changed = self._grip != self._written_by and self._is_within_character()
        return settings.change_after if changed and self._choice == "auto" else wait

    def _up_after(self, hand: Hand) -> float:
        settings = self._settings
        points = pointing_score(hand.landmarks) >= settings.down_score
        return settings.open_after if self._grip == "pinch" and points else settings.up_after

    def _holds_on(self, score: float) -> bool:
        """Whether a stroke in progress goes on."""
        settings = self._settings
        assert self._current is not None
        if self._choice == "space":
            return self._held
        if self._grip == "point":
            return score >= settings.up_score
        opened = self._current.score - settings.pinch_slack
        return score >= max(settings.pinch_up_score, opened)

    def _follow(self, hand: Hand, time: float) -> None:
        """Move the pen with the hand."""
        palm = palm_length(hand.landmarks)
        # The palm's length shakes with the pose; half a second of it is steady.
        blend = 1.0 if self._palm == 0 else min(1.0, (time - self._seen) / 0.5)
        self._palm += blend * (palm - self._palm)
        if self._current is not None and self._has_jumped(_TIPS[self._grip](hand.landmarks), time):
            self._lift()
        self._wrist, self._seen = hand.landmarks[0], time
        if self._current is None:
            grip, margin = self._choose_grip(hand)
            holds = margin >= 0
            self._grip = grip if holds else self._grip
        raw = _TIPS[self._grip](hand.landmarks)
        score = 1.0 if self._choice == "space" else _SCORES[self._grip](hand.landmarks)
        if self._current is not None:
            holds = self._holds_on(score)
        self._tip = (float(raw[0]), float(raw[1]))
        if not holds:
            if self._current is None:
                return
            self._doubtful.append((raw, time))
            if not self._down or time - self._doubtful[0][1] >= self._up_after(hand):
                self._lift()
            return
        if self._current is None:
            self._began = time
            self._filter.reset()
            self._current = _Path()
            self._speed = 0.0
        else:
            elapsed = time - self._began - self._current.end_time
            self._speed = float(np.hypot(*(raw - self._raw))) / (self._palm * elapsed)
            for between, then in self._doubtful:
                if self._lies_between(between, raw):
                    self._append(between, then, self._current.score)
        self._doubtful.clear()
        self._append(raw, time, score)
        if len(self._current) > 1 and self._current.duration >= self._down_after():
            self._down = True

    def _append(self, raw: NDArray[np.float32], time: float, score: float) -> None:
        """Lengthen the stroke."""
        assert self._current is not None
        self._raw = raw
        point = self._filter.step(raw, time, self._palm)
        self._current.append(point, time - self._began, score)
        self._tip = (float(point[0]), float(point[1]))

    def _lies_between(self, point: NDArray[np.float32], end: NDArray[np.float32]) -> bool:
        """Whether a tip whose pose was in doubt is on a way from the last sure one to `end`."""
        straight = float(np.hypot(*(end - self._raw)))
        around = float(np.hypot(*(point - self._raw)) + np.hypot(*(end - point)))
        return around <= straight + 0.6 * self._palm

    def _miss(self, time: float) -> None:
        """Wait for a hand that is out of sight."""
        if time - self._seen > self._settings.lost_after:
            self._lift()
            self._tip = None

    def _has_jumped(self, tip: NDArray[np.float32], time: float) -> bool:
        """Whether the tip is farther off than a hand gets; nearer still after a drop-out."""
        assert self._current is not None
        elapsed = time - self._began - self._current.end_time
        away = float(np.hypot(*(tip - self._raw))) / self._palm
        fastest = self._settings.fastest
        if self._seen < self._time:
            # A hand that was out of sight may have gone on as it went, not come back elsewhere.
            fastest = min(fastest, 3 * self._speed + 5)
        return away > 0.3 + fastest * elapsed

    def _lift(self) -> None:
        """End the stroke where the hand last held the pen."""
        path, self._current = self._current, None
        if path is not None and self._down:
            path.trim()
            self._up_since = self._began + path.end_time
            self._written_by = self._grip
            self._tightness = path.score if self._grip == "pinch" else 0.0
            self._ended.append(self._in_clip_time(path))
        self._down = False
        self._doubtful.clear()

    def _in_clip_time(self, path: _Path) -> Stroke:
        return path.points + np.array([0, 0, self._began], np.float32)

    def _update(self) -> PenUpdate:
        writing = self._current if self._down else None
        state = PenState.NO_HAND if self._tip is None else PenState.HOVER
        return PenUpdate(
            state=PenState.DOWN if self._down else state,
            tip=self._tip,
            palm=self._palm,
            ended=tuple(self._ended),
            writing=self._in_clip_time(writing) if writing else None,
            hand=self._hand,
        )


class _Path:
    """A stroke that grows: a point costs no copy of those before."""

    def __init__(self) -> None:
        self._buffer = np.empty((64, 4), np.float32)  # x, y, time, score of the pose
        self._first = 0
        self._count = 0
        self.length = 0.0

    def __len__(self) -> int:
        return self._count - self._first

    def __bool__(self) -> bool:
        return True

    @property
    def points(self) -> Stroke:
        """The stroke so far, float32 (n, 3), a view."""
        return self._buffer[self._first : self._count, :3]

    @property
    def duration(self) -> float:
        points = self.points
        return float(points[-1, 2] - points[0, 2])

    @property
    def end_time(self) -> float:
        return float(self._buffer[self._count - 1, 2])

    @property
    def score(self) -> float:
        """How clear the pose was that held the pen."""
        return float(np.median(self._buffer[self._first : self._count, 3]))

    def append(self, point: NDArray[np.float64], time: float, score: float) -> None:
        if self._count == len(self._buffer):
            # A new array: views of the old one stay as they are.
            self._buffer = np.concatenate([self._buffer, np.empty_like(self._buffer)])
        self._buffer[self._count] = (*point, time, score)
        if self._count:
            self.length += float(np.hypot(*(point - self._buffer[self._count - 1, :2])))
        self._count += 1

    def trim(self) -> None:
        """Cut what the tip did while the pose came and went, at most 0.2 s each."""
        rows = self._buffer[: self._count]
        usual = self.score
        clear = np.flatnonzero(rows[:, 3] >= usual - max(0.25 * usual, 0.1))
        first = min(int(clear[0]), int(np.searchsorted(rows[:, 2], rows[0, 2] + 0.2)))
        last = max(int(clear[-1]), int(np.searchsorted(rows[:, 2], rows[-1, 2] - 0.2)))
        self._first, self._count = first, last + 1
        steps = np.diff(self.points[:, :2], axis=0)
        self.length = float(np.hypot(steps[:, 0], steps[:, 1]).sum())


def glide(points: Stroke, spacing: float) -> Stroke:
    """Join points by a centripetal Catmull-Rom spline (Yuksel, Schaefer, Keyser, 2011).

    A quick hand filmed at 15 frames a second leaves few points: a round O must not become a
    polygon. The centripetal form makes neither loops nor overshoot at corners.

    Args:
        points: float32 (n, 2).
        spacing: Of the points to return, at most, in the unit of the points.

    Returns:
        float32 (m, 2) through all points that differ from the one before.
    """
    steps = np.hypot(*np.diff(points, axis=0).T)
    knots = points[np.concatenate([[True], steps > 0])].astype(np.float64)
    if len(knots) < 3:
        return knots.astype(np.float32)
    knots = np.vstack([2 * knots[0] - knots[1], knots, 2 * knots[-1] - knots[-2]])
    steps = np.hypot(*np.diff(knots, axis=0).T)
    times = np.concatenate([[0], np.cumsum(np.sqrt(steps))])
    counts = np.maximum(1, np.ceil(steps[1:-1] / spacing).astype(int))
    piece = np.repeat(np.arange(len(counts)), counts)
    share = (np.arange(len(piece)) - np.repeat(np.cumsum(counts) - counts, counts)) / counts[piece]
    t = (times[piece + 1] + share * steps[piece + 1] ** 0.5)[:, None]
    at = [times[piece + k][:, None] for k in range(4)]
    p = [knots[piece + k] for k in range(4)]

    def between(one: Any, other: Any, first: int, last: int) -> Any:
        return ((at[last] - t) * one + (t - at[first]) * other) / (at[last] - at[first])

    a = [between(p[k], p[k + 1], k, k + 1) for k in range(3)]
    b = [between(a[k], a[k + 1], k, k + 2) for k in range(2)]
    return np.vstack([between(b[0], b[1], 1, 2), knots[-2:-1]]).astype(np.float32)


def as_writer_sees(strokes: Sequence[Stroke], mirrored: bool) -> list[Stroke]:
    """Turn strokes of the camera's frame to what the writer meant to write.

    Args:
        strokes: float32 (n, 2), x right, y down, any unit.
        mirrored: True where the camera faces the writer: left and right are swapped.

    Returns:
        The strokes; where mirrored, with x negated.
    """
    if not mirrored:
        return list(strokes)
    return [stroke * np.array([-1, 1], np.float32) for stroke in strokes]
