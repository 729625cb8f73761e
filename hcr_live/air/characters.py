"""Characters out of strokes: where one ends and the next begins."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Stroke = NDArray[np.float32]
"""float32 (n, 3): x, y in pixels of the unmirrored frame, seconds."""

Judge = Callable[[Sequence[Sequence[Stroke]]], NDArray[np.float32]]
"""Groups of strokes to float (n, k): how likely each is each of k characters, rows sum to 1."""

# The costs are in nats, about as negative logarithms of likelihoods are. They were chosen on words
# out of the strokes of 55 people, lengths in heights of the writing.
_SURE = 1.0  # A character is handed over once every other way costs this much more,
_LATEST = 2  # or once this many strokes follow it.
_MOST_DOUBT = 4.0  # What a group costs at most for looking like no character,
_OPEN = 0.7  # and what it costs while it may become one with the next stroke.
_LONE_LINE = 1.0  # A line alone may be an I, but most are the stem of something.
_GAP_WITHIN = 8.0  # An upright band without ink in a character, a height wide.
_TOO_WIDE, _WIDEST = 4.0, 1.0
_TOO_LOW, _LOWEST = 4.0, 0.5  # A dash, a dot.
_CUT = 0.25  # Any end of a character,
_HABIT, _HABITS = 0.75, 3  # more for the second and third before it that a pause ended,
_TOO_NEAR, _NEAREST, _MOST_OVERLAP = 12.0, 0.1, 0.6  # where the next begins before its end,
_MAY_TOUCH = 0.05  # A narrower gap may have been meant to be none.
_HURRY = 0.75  # and a pause of no time; half the pause that ends a character speaks for neither.


@dataclass(frozen=True)
class CharacterSettings:
    """When a character ends; times in seconds, lengths in palm lengths.

    Attributes:
        pause: The pen is up this long: the character is finished.
        shortest_path: A character whose strokes are together shorter is none.
        dot_path: A shorter stroke is a dot.
        dot_time: A dot counts if the finger rested this long, and only beside other strokes.
        most_strokes: A character has no more strokes than this.
        far: A stroke that begins farther off than this many sizes of what is written ends it.
    """

    pause: float = 0.8
    shortest_path: float = 0.5
    dot_path: float = 0.12
    dot_time: float = 0.15
    most_strokes: int = 6
    far: float = 1.25


@dataclass(frozen=True, eq=False)
class CharactersUpdate:
    """What became of the strokes with one frame.

    Attributes:
        strokes: Of the characters in progress, the one being drawn last, as `Characters.step`
            was given them.
        finished: The characters that ended with this frame, in writing order; for each its
            strokes, dots that do not count left out.
        pause: How much of the pause that ends the character has passed, in [0, 1].
    """

    strokes: tuple[Stroke, ...]
    finished: tuple[tuple[Stroke, ...], ...]
    pause: float


class Characters:
    """Groups strokes to characters; knows no clock, hand or network.

    A pause ends a character, and so does writing on to the right. What lies to the right may
    belong to it as well, as the right stem of an H does, so the strokes are cut in every way,
    each group is shown to the judge, and the cheapest way is searched (over-segmentation and
    search: Casey, Lecolinet, 1996). A cut is made as soon as no way without it comes near.

    Args:
        settings: When a character ends.
        judge: Tells how likely groups of strokes, as `step` was given them, are which character.
        mirrored: The camera faces the writer, whose right is the frame's left.
    """

    def __init__(self, settings: CharacterSettings, judge: Judge, mirrored: bool = False) -> None:
        self._settings = settings
        self._judge = judge
        self._mirrored = mirrored
        self._strokes: list[_Ended] = []
        self._up_since = -math.inf
        self._palm = 0.0
        self._size = 0.0  # of the last character, while writing goes on beside it
        self._paused = 0  # how many characters in a row a pause ended

    def step(
        self, ended: Sequence[Stroke], writing: Stroke | None, time: float, palm: float
    ) -> CharactersUpdate:
        """Take in what the pen did in the next frame.

        Args:
            ended: The strokes that ended, float32 (n, 3), n >= 1.
            writing: The stroke in progress, float32 (n, 3), n >= 1, or None.
            time: Of the frame, on the clock of the strokes.
            palm: Length of the palm in pixels; 0 before the first hand.

        Returns:
            The state after this frame.
        """
        self._palm = palm
        finished: list[tuple[Stroke, ...]] = []
        for stroke in ended:
            finished += self._moved_on(stroke)
            self._add(stroke)
        if ended:
            finished += self._decided()
        if writing is not None:
            finished += self._moved_on(writing)
        pause = 0.0
        if self._strokes and writing is None:
            pause = float(np.clip((time - self._up_since) / self._settings.pause, 0, 1))
        if pause == 1:
            finished += self.flush()
            pause = 0.0
        strokes = [stroke.points for stroke in self._strokes]
        if writing is not None:
            strokes.append(writing)
        return CharactersUpdate(tuple(strokes), tuple(finished), pause)

    def undo(self) -> bool:
        """Take back the last stroke that ended; False where none is in progress."""
        if not self._strokes:
            return False
        self._strokes.pop()
        return True

    def flush(self) -> tuple[tuple[Stroke, ...], ...]:
        """End the characters in progress and return them, as `CharactersUpdate.finished`."""
        cuts = self._best_cuts()[1]
        paused = self._paused if len(cuts) == 1 else 0
        finished = self._hand_over(cuts)
        self._size, self._paused = 0.0, paused + bool(cuts)
        return finished

    def _add(self, points: Stroke) -> None:
        self._up_since = float(points[-1, 2])
        stroke = _Ended.of(points, self._mirrored)
        if not self._is_dot(stroke) or stroke.duration >= self._settings.dot_time:
            self._strokes.append(stroke)

    def _moved_on(self, points: Stroke) -> tuple[tuple[Stroke, ...], ...]:
        """End all that is written where a stroke begins far off: no character is that wide."""
        if not self._strokes:
            return ()
        # One short arm does not tell how large a Y will be: it has two palms to become so.
        size = max(2 * self._palm, *(max(stroke.size) for stroke in self._strokes))
        low, high = _box(self._strokes)
        start = points[0, :2] * _right(self._mirrored)
        away = np.maximum(np.maximum(low - start, start - high), 0)
        if float(np.hypot(*away)) <= self._settings.far * size:
            return ()
        return self._hand_over(self._best_cuts()[1])

    def _decided(self) -> tuple[tuple[Stroke, ...], ...]:
        """Hand over the characters of which the next strokes will hardly change anything."""
        finished: list[tuple[Stroke, ...]] = []
        while len(self._strokes) > 1:
            cost, cuts = self._best_cuts(still_open=True)
            if len(cuts) == 1:
                break
            other, _ = self._best_cuts(still_open=True, uncut=cuts[0])
            if other - cost < _SURE and len(self._strokes) - cuts[0] < _LATEST:
                break
            finished += self._hand_over(cuts[:1])
        return tuple(finished)

    def _hand_over(self, cuts: Sequence[int]) -> tuple[tuple[Stroke, ...], ...]:
        """Return the characters that end before each of the cuts, less what is none."""
        settings, finished, first = self._settings, [], 0
        for cut in cuts:
            group = self._strokes[first:cut]
            lines = [stroke.length for stroke in group if not self._is_dot(stroke)]
            if lines and sum(lines) >= settings.shortest_path * self._palm:
                finished.append(tuple(stroke.points for stroke in group))
            low, high = _box(group)
            self._size = float(high[1] - low[1])
            first = cut
            self._paused = 0
        del self._strokes[:first]
        for number, stroke in enumerate(self._strokes):
            del stroke.doubts[number + 1 :]
        return tuple(finished)

    def _best_cuts(
        self, *, still_open: bool = False, uncut: int | None = None
    ) -> tuple[float, list[int]]:
        """Search the cheapest way to cut the strokes.

        Args:
            still_open: The last group may go on.
            uncut: Before this stroke there must be no cut.

        Returns:
            The cost, in nats, and the number of strokes before each cut, the last at the end.
        """
        count = len(self._strokes)
        if count < 2:
            return 0.0, [count] if count else []
        self._ask()
        low, high = _box(self._strokes)
        scale = max(self._size, float(high[1] - low[1]), 1e-6)
        best: list[tuple[float, list[int]]] = [(0.0, [])]
        for last in range(1, count + 1):
            ways: list[tuple[float, list[int]]] = [(math.inf, [])]
            for first in range(max(0, last - self._settings.most_strokes), last):
                if first == uncut:
                    continue
                cost, cuts = best[first]
                cost += self._group_cost(first, last, scale, still_open and last == count)
                if cuts:
                    cost += self._cut_cost(cuts[-2] if len(cuts) > 1 else 0, first, last, scale)
                ways.append((cost, [*cuts, last]))
            best.append(min(ways, key=lambda way: way[0]))
        return best[-1]

    def _ask(self) -> None:
        """Have all groups judged that were not yet."""
        asked: list[tuple[_Ended, list[Stroke]]] = []
        for last, stroke in enumerate(self._strokes):
            longest = min(last + 1, self._settings.most_strokes)
            for length in range(len(stroke.doubts) + 1, longest + 1):
                group = self._strokes[last + 1 - length : last + 1]
                asked.append((stroke, [member.points for member in group]))
        if asked:
            sure = self._judge([group for _, group in asked]).max(axis=1)
            for (stroke, _), likely in zip(asked, sure, strict=True):
                stroke.doubts.append(min(_MOST_DOUBT, -math.log(max(float(likely), 1e-9))))

    def _doubt(self, first: int, last: int) -> float:
        return self._strokes[last - 1].doubts[last - first - 1]

    def _group_cost(self, first: int, last: int, scale: float, still_open: bool) -> float:
        """How little the strokes from `first` to before `last` are one character."""
        group = self._strokes[first:last]
        low, high = _box(group)
        width, height = (float(side) / scale for side in high - low)
        cost = self._doubt(first, last) + _GAP_WITHIN * _widest_gap(group) / scale
        cost += _TOO_WIDE * max(0.0, width - _WIDEST)
        cost += _TOO_LOW * max(0.0, 1 - height / _LOWEST)
        if self._is_line(group):
            cost += _LONE_LINE
        if still_open and self._may_go_on(first, last, scale):
            cost = min(cost, _OPEN)
        return cost

    def _may_go_on(self, first: int, last: int, scale: float) -> bool:
        """Whether the strokes may be part of a character whose other strokes will follow.

        The newest may lie apart, until the next joins it, where those before are a line or no
        character yet.
        """
        *before, newest = self._strokes[first:last]
        if not before:
            return True
        gap = float(newest.low[0] - _box(before)[1][0]) / scale
        if gap < _MAY_TOUCH:
            return True
        if gap > _WIDEST or _widest_gap(before) > _MAY_TOUCH * scale:
            return False
        return self._doubt(first, last - 1) > _OPEN or self._is_line(before)

    def _is_line(self, group: Sequence[_Ended]) -> bool:
        """Whether it is one straight line, and at most specks beside it."""
        lines = [stroke for stroke in group if not self._is_dot(stroke)]
        return len(lines) == 1 and lines[0].is_straight

    def _is_dot(self, stroke: _Ended) -> bool:
        return stroke.length < self._settings.dot_path * self._palm

    def _cut_cost(self, first: int, middle: int, last: int, scale: float) -> float:
        """How little a character is expected to end before the stroke `middle`."""
        before, after = self._strokes[first:middle], self._strokes[middle:last]
        gap = float(_box(after)[0][0] - _box(before)[1][0]) / scale
        waited = float(after[0].points[0, 2] - before[-1].points[-1, 2])
        cost = _CUT + _HABIT * max(0, min(self._paused, _HABITS) - 1)
        cost += _TOO_NEAR * min(max(0.0, _NEAREST - gap), _MOST_OVERLAP)
        return cost + _HURRY * max(-0.5, 0.5 - waited / self._settings.pause)


@dataclass(frozen=True, eq=False)
class _Ended:
    """A stroke and what is measured on it, as the writer sees it.

    Attributes:
        points: As the pen gave it.
        low: Its least x and y.
        high: Its greatest.
        length: Of its path, in pixels.
        duration: In seconds.
        doubts: The cost of being a character, of this stroke, it and the one before, and so on.
    """

    points: Stroke
    low: NDArray[np.float32]
    high: NDArray[np.float32]
    length: float
    duration: float
    doubts: list[float]

    @classmethod
    def of(cls, points: Stroke, mirrored: bool) -> _Ended:
        seen = points[:, :2] * _right(mirrored)
        length = float(np.hypot(*np.diff(seen, axis=0).T).sum())
        duration = float(points[-1, 2] - points[0, 2])
        return cls(points, seen.min(axis=0), seen.max(axis=0), length, duration, [])

    @property
    def size(self) -> tuple[float, float]:
        """Width and height in pixels."""
        width, height = self.high - self.low
        return float(width), float(height)

    @property
    def is_straight(self) -> bool:
        return self.length < 1.25 * math.hypot(*self.size)


def _right(mirrored: bool) -> NDArray[np.float32]:
    return np.array([-1 if mirrored else 1, 1], np.float32)


def _box(strokes: Sequence[_Ended]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the least and the greatest x and y."""
    return (
        np.min([stroke.low for stroke in strokes], axis=0),
        np.max([stroke.high for stroke in strokes], axis=0),
    )


def _widest_gap(strokes: Sequence[_Ended]) -> float:
    """Return the widest upright band without ink between the strokes, in pixels."""
    widest, reached = 0.0, math.inf
    for left, right in sorted((float(s.low[0]), float(s.high[0])) for s in strokes):
        widest = max(widest, left - reached)
        reached = right if reached == math.inf else max(reached, right)
    return widest
