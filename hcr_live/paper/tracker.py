"""Follows characters from frame to frame and lets each vote until its label is certain."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from hcr_live.frame import Box
from hcr_live.paper.page import Glyph

SETTLE_SECONDS = 0.4
"""A vote must have named the same label for this long."""

_SETTLE_VOTES = 4
_SURE_VOTES, _SURE = 3, 0.9
"""So many votes are enough where they leave hardly a doubt."""

_CHANGE_SECONDS = 0.25
"""A settled label is replaced when the vote has named another one for this long."""

_WAVERING_SECONDS = 1.0
"""Who has not changed its label within this time will not."""

_KEPT_OF_VOTES = 0.2
"""What votes still weigh when the page is seen to have changed."""

_MEMORY_SECONDS = 0.4
"""Time constant with which votes fade."""

_LOST_SECONDS = 1.0
_SHOWN_SECONDS = 0.25
"""A character that a few frames miss is still reported for this long."""

_SMOOTHING_SECONDS = 0.05
_UNSETTLED_A_FRAME = 8
_SETTLED_A_FRAME = 2
"""How many characters are classified again in one frame: the network costs most of it."""

_LOOK = 12
_OTHER_INK = 0.5
"""Ink of which more than this share lies elsewhere, in a picture of `_LOOK` pixels a side, is of
another letter: the same one, moved and thresholded anew, stays below."""

Reads = Callable[
    [NDArray[np.float32], Sequence[Box], Sequence[int], Sequence[int]], NDArray[np.float32]
]
"""Votes (n, classes), boxes on the straightened paper, lines and words of all characters in view to
answers (n, k)."""


@dataclass(frozen=True, eq=False)
class TrackedCharacter:
    """A character that is followed.

    Attributes:
        identity: The same number as long as the character is followed.
        box: Smoothed, in pixels of the source frame.
        probabilities: float32 (k,), what the vote says in its context; once settled, its best
            label is the settled one.
        settled: Whether the label is certain.
        line: Number of its line, from 0.
        word: Number of its word within the line, from 0.
        seen: Seconds, when it was last located.
        wavering: It is settled, but the vote has begun to name another label.
    """

    identity: int
    box: Box
    probabilities: NDArray[np.float32]
    settled: bool
    line: int
    word: int
    seen: float
    wavering: bool = False


@dataclass(frozen=True, eq=False)
class Plan:
    """What `CharacterTracker.match` decided about a frame.

    Attributes:
        to_classify: Indices of the glyphs whose probabilities `update` wants, in its order.
        inks: Their ink.
        identities: The track of each glyph.
        new: How many of them were never classified.
        time: Seconds, of the frame.
    """

    to_classify: tuple[int, ...]
    inks: tuple[NDArray[np.uint8], ...]
    identities: tuple[int, ...]
    new: int
    time: float


@dataclass(eq=False)
class _Track:
    identity: int
    box: NDArray[np.float64]
    seen: float
    flat: Box = field(default=Box(0, 0, 0, 0))
    line: int = 0
    word: int = 0
    evidence: NDArray[np.float64] | None = None
    weight: float = 0.0
    classified: float = -math.inf
    label: int = -1
    label_since: float = 0.0
    label_votes: int = 0
    settled_label: int = -1
    answer: NDArray[np.float32] | None = None
    look: NDArray[np.uint8] | None = None

    @property
    def settled(self) -> bool:
        return self.settled_label >= 0

    def wavers(self, time: float) -> bool:
        lately = time - self.label_since < _WAVERING_SECONDS
        return self.settled and self.label != self.settled_label and lately


class CharacterTracker:
    """A state machine from glyphs and probabilities to settled characters.

    Each frame: `match`, classify the glyphs it asks for, `update`. Votes are means of whole
    probability vectors that fade with time, so that 15 and 60 frames a second behave alike.

    Args:
        min_confidence: A vote below this does not settle, in [0, 1].
        read: What the votes of all characters say together; None: each what it says alone.
    """

    def __init__(self, min_confidence: float = 0.5, read: Reads | None = None) -> None:
        self._min_confidence = min_confidence
        self._read = read or (lambda votes, boxes, lines, words: votes)
        self._tracks: dict[int, _Track] = {}
        self._next = 0
        self._time: float | None = None
        self._velocity = np.zeros(2)
        self._doubted = self._read_at = -math.inf

    def match(self, glyphs: Sequence[Glyph], time: float, *, fresh: bool = True) -> Plan:
        """Assign glyphs to tracks; characters that are new, unsure or due are to be classified.

        Args:
            glyphs: What was located in the frame, in reading order.
            time: Seconds, of the frame; must increase from call to call.
            fresh: Their ink is this frame's, not an earlier one's, which nobody votes on twice.
        """
        if fresh:
            self._read_at = time
        elapsed = 0.0 if self._time is None else max(0.0, time - self._time)
        self._time = time
        self._tracks = {
            identity: track
            for identity, track in self._tracks.items()
            if time - track.seen <= _LOST_SECONDS
        }
        boxes = np.array([g.box for g in glyphs], np.float64).reshape(-1, 4)
        tracks = list(self._tracks.values())
        pairs, shift = self._pair(boxes, tracks, elapsed)
        smoothing = 1 - math.exp(-elapsed / _SMOOTHING_SECONDS) if elapsed else 1.0
        if pairs and elapsed:
            self._velocity += smoothing * (shift / elapsed - self._velocity)
        for track in tracks:
            track.box[:2] += shift
        identities = []
        for index, glyph in enumerate(glyphs):
            track = tracks[pairs[index]] if index in pairs else self._new_track(boxes[index])
            track.box += smoothing * (boxes[index] - track.box)
            track.seen, track.line, track.word = time, glyph.line, glyph.word
            track.flat = glyph.flat or glyph.box
            identities.append(track.identity)
        chosen = self._to_classify(identities)
        new = sum(self._tracks[identity].evidence is None for identity in identities)
        return Plan(chosen, tuple(glyphs[k].ink for k in chosen), tuple(identities), new, time)

    def update(
        self, plan: Plan, probabilities: NDArray[np.float32], *, still: bool = False
    ) -> tuple[TrackedCharacter, ...]:
        """Take in the votes of a frame.

        Args:
            plan: What `match` returned for the frame.
            probabilities: float32 (len(plan.to_classify), classes), rows sum to 1.
            still: The frame is a photo: what is confident settles at once.

        Returns:
            Every character in view, in reading order.
        """
        for index, ink, row in zip(plan.to_classify, plan.inks, probabilities, strict=True):
            _vote(self._tracks[plan.identities[index]], row, ink, plan.time)
        order = {identity: place for place, identity in enumerate(plan.identities)}
        shown = [
            t
            for t in self._tracks.values()
            if t.evidence is not None and plan.time - t.seen <= _SHOWN_SECONDS
        ]
        shown.sort(key=lambda t: (t.line, t.word, order.get(t.identity, 0), t.box[0]))
        boxes = [Box(*(round(v) for v in t.box.tolist())) for t in shown]
        if plan.to_classify:
            self._answer(shown, plan.time, still)
        return tuple(
            TrackedCharacter(
                t.identity, box, t.answer, t.settled, t.line, t.word, t.seen, t.wavers(plan.time)
            )
            for t, box in zip(shown, boxes, strict=True)
            if t.answer is not None
        )

    def _answer(self, shown: list[_Track], time: float, still: bool) -> None:
        """Read all votes together and settle what is certain."""
        votes = np.array([_mean(t) for t in shown], np.float32)
        boxes = [t.flat for t in shown]
        answers = self._read(votes, boxes, [t.line for t in shown], [t.word for t in shown])
        for track, answer in zip(shown, answers, strict=True):
            label = int(answer.argmax())
            if label != track.label:
                track.label, track.label_since, track.label_votes = label, time, 0
            track.label_votes += track.classified == time
            if label != track.settled_label and self._is_certain(track, answer, time, still):
                track.settled_label = label
            if not track.settled or label == track.settled_label:
                track.answer = answer

    def doubt_votes(self) -> None:
        """The page has changed somewhere: all is looked at again, and counts more from now on."""
        self._doubted = self._time or 0.0
        for track in self._tracks.values():
            if track.evidence is not None:
                track.evidence = track.evidence * _KEPT_OF_VOTES
                track.weight *= _KEPT_OF_VOTES

    def forget_votes(self) -> None:
        """Go on following the characters, but let them settle anew."""
        for track in self._tracks.values():
            track.evidence, track.weight, track.answer, track.look = None, 0.0, None, None
            track.label = track.settled_label = -1

    def _new_track(self, box: NDArray[np.float64]) -> _Track:
        track = _Track(self._next, box.copy(), 0.0)
        self._tracks[track.identity] = track
        self._next += 1
        return track

    def _pair(
        self, boxes: NDArray[np.float64], tracks: list[_Track], elapsed: float
    ) -> tuple[dict[int, int], NDArray[np.float64]]:
        """Return glyph index to track index, and by how much the whole sheet moved."""
        if not len(boxes) or not tracks:
            return {}, np.zeros(2)
        old = np.array([t.box for t in tracks])
        expected = self._velocity * elapsed
        pairs = _assign(boxes, old, expected)
        enough = min(len(boxes), len(tracks))
        if len(pairs) < enough:
            # The sheet may have moved fast: try shifts that lay one of some glyphs on a track.
            centres = boxes[:, :2] + boxes[:, 2:] / 2
            some = centres[:: max(1, len(centres) // 4)]
            shifts = (some[:, None] - (old[:, :2] + old[:, 2:] / 2)[None]).reshape(-1, 2)
            reach = 4 * float(np.median(boxes[:, 3]))
            shifts = shifts[np.hypot(*(shifts - expected).T) < reach]
            most = 24 if len(boxes) <= 12 else 6
            order = np.argsort(np.hypot(*(shifts - expected).T))[:most]
            for shift in [np.zeros(2), *shifts[order]]:
                other = _assign(boxes, old, shift)
                # A lone character must not jump to its neighbour's place: ask for agreement.
                if len(other) > len(pairs) and (len(other) > 1 or len(boxes) == len(tracks) == 1):
                    pairs, expected = other, shift
                if len(pairs) >= enough:
                    break
        if not pairs:
            return {}, np.zeros(2)
        now = np.array([boxes[i] for i in pairs])
        before = np.array([old[j] for j in pairs.values()])
        moved = now[:, :2] + now[:, 2:] / 2 - before[:, :2] - before[:, 2:] / 2
        return pairs, np.median(moved, axis=0)

    def _to_classify(self, identities: list[int]) -> tuple[int, ...]:
        tracks = [self._tracks[i] for i in identities]
        indices = range(len(tracks))
        new = [i for i in indices if tracks[i].evidence is None]
        due = [i for i in indices if tracks[i].classified < self._read_at]
        # A settled character whose last vote disagreed is as urgent as an unsettled one.
        unsure = [
            i
            for i in due
            if tracks[i].evidence is not None
            and (
                tracks[i].label != tracks[i].settled_label or tracks[i].classified <= self._doubted
            )
        ]
        sure = [i for i in due if tracks[i].evidence is not None and i not in set(unsure)]
        unsure.sort(key=lambda i: tracks[i].classified)
        sure.sort(key=lambda i: tracks[i].classified)
        chosen = new + unsure[: max(0, _UNSETTLED_A_FRAME - len(new))]
        chosen += sure[: max(0, _SETTLED_A_FRAME - len(chosen))]
        return tuple(sorted(chosen))

    def _is_certain(
        self, track: _Track, answer: NDArray[np.float32], time: float, still: bool
    ) -> bool:
        wait = _CHANGE_SECONDS if track.settled else SETTLE_SECONDS
        # Times of frames are not exact: half a millisecond must not cost a frame.
        long_enough = time - track.label_since >= wait - 5e-4
        confidence = float(answer[track.label])
        votes = _SURE_VOTES if confidence >= _SURE else _SETTLE_VOTES
        settles = still or (long_enough and track.label_votes >= votes)
        return settles and confidence >= self._min_confidence


def _mean(track: _Track) -> NDArray[np.float64]:
    assert track.evidence is not None
    return track.evidence / track.weight


def _vote(track: _Track, row: NDArray[np.float32], ink: NDArray[np.uint8], time: float) -> None:
    """Add one probability vector to a track's fading mean."""
    evidence = row.astype(np.float64)
    if track.evidence is not None and not _is_rewritten(track, row, ink):
        fade = math.exp(-max(0.0, time - track.classified) / _MEMORY_SECONDS)
        evidence += track.evidence * fade
        track.weight = track.weight * fade + 1
    else:
        track.weight = 1.0
    track.evidence = evidence
    track.classified = time


def _is_rewritten(track: _Track, row: NDArray[np.float32], ink: NDArray[np.uint8]) -> bool:
    """Whether the ink is another letter's: what was voted before says nothing about it."""
    agrees = track.evidence is None or row.argmax() == track.evidence.argmax()
    if agrees and track.look is not None:
        return False
    look = cv2.resize(ink, (_LOOK, _LOOK), interpolation=cv2.INTER_AREA)
    if track.look is None:
        track.look = look
        return False
    both = cv2.sumElems(track.look)[0] + cv2.sumElems(look)[0]
    if cv2.norm(track.look, look, cv2.NORM_L1) <= _OTHER_INK * both:
        return False
    track.look = look
    return True


def _assign(
    boxes: NDArray[np.float64], old: NDArray[np.float64], shift: NDArray[np.float64]
) -> dict[int, int]:
    """Pair boxes with shifted old ones, the nearest first; both float64 (n, 4)."""
    centres = boxes[:, :2] + boxes[:, 2:] / 2
    places = old[:, :2] + old[:, 2:] / 2 + shift
    size = np.maximum(boxes[:, 2:].max(axis=1), 4.0)
    old_size = np.maximum(old[:, 2:].max(axis=1), 4.0)
    distance = np.hypot(*(centres[:, None] - places[None]).transpose(2, 0, 1))
    distance /= np.minimum(size[:, None], old_size[None])
    growth = np.abs(np.log(size[:, None] / old_size[None]))
    cost = np.where((distance < 0.5) & (growth < 0.6), distance + 0.5 * growth, np.inf)
    pairs: dict[int, int] = {}
    while np.isfinite(cost).any():
        # All at once that are each other's nearest.
        nearest, nearest_box = cost.argmin(axis=1), cost.argmin(axis=0)
        rows = np.flatnonzero(np.isfinite(cost.min(axis=1)))
        rows = rows[nearest_box[nearest[rows]] == rows]
        pairs.update(zip(rows.tolist(), nearest[rows].tolist(), strict=True))
        cost[rows, :] = np.inf
        cost[:, nearest[rows]] = np.inf
    return pairs
