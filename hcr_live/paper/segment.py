"""Parts characters that touch and joins broken ones, as the network recognises them best.

Over-segmentation and search (Casey and Lecolinet, A survey of methods and strategies in character
segmentation, 1996; LeCun et al., Gradient-based learning applied to document recognition, 1998,
section VI): doubtful ink is cut at more places than there can be characters, what neighbouring
pieces form together is shown to the network, and the cheapest way through them is searched.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from statistics import median
from typing import TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from hcr_live.alphabet import CLASSES
from hcr_live.frame import Box
from hcr_live.paper.page import Glyph, Page
from hcr_live.reading import Classify

_ONE_SHAPE = ("0Oo", "1Il", "Cc", "Jj", "Kk", "Mm", "Pp", "Ss", "Uu", "Vv", "Ww", "Xx", "Yy", "Zz")
"""Classes that differ in nothing but their size and place."""

_ALIKE = np.array(
    [[a == b or any(a in s and b in s for s in _ONE_SHAPE) for a in CLASSES] for b in CLASSES],
    np.float32,
)

_SURE = 0.9
"""The network is sure of a character where one class, with those of its shape, is this likely."""

_MAY_BE_BROKEN = 0.2
"""Doubtful ink that lies nearer to its neighbour, in heights, may be one character with it."""

_NEAR = 0.6
_STROKES = [CLASSES.index(name) for name in "1Il"]
"""Ink is nearer to its neighbour than characters are where their distance is below this share of
the usual gap; then what looks like one of these may be a stroke of its neighbour."""

_USUAL_GAP = 0.2
"""Between two characters, in heights, where there are too few on a line to tell."""

_LONGEST_RUN = 4

_LONG, _MOST_CHAIN_DOUBT = (2.5, 4), 0.1
"""Ink this wide, in heights, with so many stems, that no cuts make surer than this, is joined
writing: of many bits, some look like characters by chance."""

_SHORT, _UNLIKELY = (1.5, 3), 1.5
"""Where no class is likely, which costs this much, so are short words; no character is so wide."""

_MOST_NEW_DOUBT = 0.15
"""What is cut or joined must look this much like characters, in nats for one: a scribble is left
as it is, which no class is likely for, and not cut into bits that could be letters."""

# The costs are in nats, about as negative logarithms of likelihoods are; lengths are in heights of
# the line.
_MOST_DOUBT = 4.0  # What a group of pieces costs at most for looking like no character.
_CUT = 0.6  # Any cut through ink.
_GAP_WITHIN = 8.0  # An upright band without ink in a character, a height wide.
_TOO_WIDE, _WIDEST, _WIDER_NEVER = 4.0, 1.2, 1.6
_WIDE, _WIDEST_WIDE, _WIDEST_SURE = [CLASSES.index(name) for name in "MWmw"], 1.5, 1.3
_TOO_LOW, _LOWEST, _LOWER_NEVER = 6.0, 0.5, 0.25
_HOPE, _ELSE = 0.0, 1.5  # What it is hoped to cost before it is asked, and then feared.
_LONE_LINE, _LINE_WIDTH = 0.4, 0.3  # A line that was cut off: most are stems of something.
_APART = 1.0  # Two characters that all but touch, though others of the line keep a distance.

_ASK_AT_ONCE = 6

_SEAM_ROWS = 32
_SEAMS_A_HEIGHT = 5.0
_MOST_SEAMS = 20
_SEAMS_APART = 0.12
_SIDEWAYS = 0.5
_MOST_INK, _MOST_CROSSED = 0.9, 2
"""A cut goes through this much ink at most, in heights of it, and through so many strokes."""

_LOOKS_SIDE, _LOOKS_OTHERWISE = 12, 40
"""Inks have changed where their pixels differ by this much of 255 on average."""

_FORGET_SECONDS = 2.0
_THINK_AGAIN_SECONDS = 0.5
_GOOD = 0.25
"""A decision that costs no more for a character, in nats, is not thought over."""


@dataclass(frozen=True, eq=False)
class Segmentation:
    """What became of the characters of a page.

    Attributes:
        page: With its characters split and joined, in reading order; a new one has the line and
            the word of what it was made from.
        rows: float32 (characters, 62), what the network said of each; NaN where not known.
        cursive: Where joined writing is that can't be cut into characters, in pixels of the
            source image; its ink is no character of the page.
    """

    page: Page
    rows: NDArray[np.float32]
    cursive: tuple[Box, ...] = ()


def resegment(page: Page, rows: NDArray[np.float32], classify: Classify) -> Segmentation:
    """Split and join the characters of one picture.

    Args:
        page: As it was located.
        rows: float32 (characters, 62), what the network said of each; NaN where it was not asked:
            that one stays as it is.
        classify: The network; it is asked a few times, for all characters together.
    """
    questions = list(_questions(page.glyphs, rows))
    _answer(questions, classify)
    decided = [(question.run, question.decision()) for question in questions]
    return _segmented(page, rows, decided)


def doubt(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return how little each row looks like a character's, in nats, float32 (n,).

    What is no character has many classes that are about as likely; one that is has one, or a few
    of one shape.
    """
    return -np.log(np.maximum((rows @ _ALIKE).max(axis=1), np.float32(math.exp(-_MOST_DOUBT))))


class Segmenter:
    """Splits and joins the characters of a page in view, frame after frame.

    What was decided stays so while the page is in view, wherever that moves. Doubtful decisions
    are thought over now and then, and replaced by surer ones.

    Args:
        classify: The network.
        budget: So many inks are shown to it in one frame, at most.
    """

    def __init__(self, classify: Classify, budget: int = 8) -> None:
        self._classify = classify
        self._budget = budget
        self._outline: NDArray[np.float32] | None = None
        self._time = 0.0
        self._page = Page(None)
        self._noticed: list[_Noticed] = []
        self._open: list[_Open] = []
        self._kept: list[_Kept] = []

    def segment(self, page: Page, time: float) -> Segmentation:
        """Return the page of the next frame with its characters split and joined.

        Args:
            page: As it was located.
            time: Seconds, of the frame; must not decrease.
        """
        if (self._outline is None) != (page.outline is None):
            self._noticed, self._open, self._kept = [], [], []  # places were others
        self._outline, self._time, self._page = page.outline, time, page
        places = _places(page.glyphs, page.outline)
        rows = np.full((len(places), len(CLASSES)), np.nan, np.float32)
        for found, entry in self._found(self._noticed, places):
            rows[found] = entry.row
        decided = self._unchanged(page.glyphs, places)
        asked = [run for run, entry in decided if entry.due > time]
        asked += [run for run, _ in self._found(self._open, places)]
        unasked = rows.copy()
        unasked[[k for run in asked for k in run]] = np.nan
        self._ask(page.glyphs, places, unasked)
        if any(entry.question.is_answered for entry in self._open):
            self._decide()
            decided = self._found(self._kept, places)
        self._noticed, self._open, self._kept = (
            self._recent(self._noticed),
            self._recent(self._open),
            self._recent(self._kept),
        )
        return _segmented(page, rows, [(run, entry.decision) for run, entry in decided])

    def notice(self, glyphs: Sequence[Glyph], rows: NDArray[np.float32]) -> None:
        """Take in what the network said of characters of the last page.

        What it doubts is looked at with the next frames.

        Args:
            glyphs: Some of the characters that `segment` returned, with their inks. What it made
                itself is passed over.
            rows: float32 (len(glyphs), 62), what the network said of each in this frame.
        """
        located = {id(glyph.ink) for glyph in self._page.glyphs}
        chosen = [number for number, glyph in enumerate(glyphs) if id(glyph.ink) in located]
        places, rows = _places([glyphs[k] for k in chosen], self._outline), rows[chosen]
        known = {run[0]: entry for run, entry in self._found(self._noticed, places)}
        for number, (place, row) in enumerate(zip(places, rows, strict=True)):
            entry = known.get(number)
            if entry is None:
                self._noticed.append(_Noticed(place[None], self._time, row))
            else:
                entry.row = (entry.row + row) / 2

    def _found(
        self, entries: Sequence[_E], places: NDArray[np.float64]
    ) -> list[tuple[list[int], _E]]:
        """Return what is known of the glyphs at these places, and their numbers; follow them."""
        if not entries or not len(places):
            return []
        nearest = _nearest(np.concatenate([entry.places for entry in entries]), places)
        now = iter(nearest.tolist())
        found: list[tuple[list[int], _E]] = []
        taken: set[int] = set()
        for entry in entries:
            run = [next(now) for _ in range(len(entry.places))]
            if min(run) >= 0 and len(set(run) - taken) == len(run):
                taken.update(run)
                entry.places, entry.seen = places[run], self._time
                found.append((run, entry))
        return found

    def _unchanged(
        self, glyphs: Sequence[Glyph], places: NDArray[np.float64]
    ) -> list[tuple[list[int], _Kept]]:
        """Return what is found of what was decided; forget it where the ink looks otherwise now."""
        decided = []
        for run, entry in self._found(self._kept, places):
            looks = _looks([glyphs[k] for k in run])
            if cv2.mean(cv2.absdiff(entry.looks, looks))[0] > _LOOKS_OTHERWISE:
                self._kept.remove(entry)
            else:
                decided.append((run, entry))
        return decided

    def _recent(self, entries: Sequence[_E]) -> list[_E]:
        return [entry for entry in entries if self._time - entry.seen <= _FORGET_SECONDS]

    def _ask(
        self, glyphs: Sequence[Glyph], places: NDArray[np.float64], rows: NDArray[np.float32]
    ) -> None:
        """Ask as much as the budget allows, first what was doubted first."""
        left = self._budget - _answer(
            [e.question for e in self._open], self._classify, self._budget
        )
        for question in _questions(glyphs, rows) if left else ():
            looks = _looks([glyphs[k] for k in question.run])
            self._open.append(_Open(places[list(question.run)], self._time, looks, question))
            left -= _answer([question], self._classify, left)
            if left <= 0:
                break

    def _decide(self) -> None:
        """Keep what the answered questions say, unless what was said before is surer."""
        for entry in [entry for entry in self._open if entry.question.is_answered]:
            self._open.remove(entry)
            decision, wait = entry.question.decision(), _THINK_AGAIN_SECONDS
            for old in self._kept:
                if len(old.places) == len(entry.places) and (
                    (_nearest(old.places, entry.places) >= 0).all()
                ):
                    wait = 2 * old.wait
                    if old.decision.cost <= decision.cost:
                        decision = old.decision
                    self._kept.remove(old)
                    break
            due = math.inf if decision.cost < _GOOD else self._time + wait
            self._kept.append(_Kept(entry.places, self._time, entry.looks, decision, due, wait))


@dataclass(eq=False)
class _Entry:
    """Something that is known of a few neighbouring glyphs.

    Attributes:
        places: float64 (glyphs, 4), where they were seen last, see `_places`.
        seen: Seconds, when.
    """

    places: NDArray[np.float64]
    seen: float


_E = TypeVar("_E", bound=_Entry)


@dataclass(eq=False)
class _Noticed(_Entry):
    """What the network says of one, float32 (62,), the last times counting most."""

    row: NDArray[np.float32]


@dataclass(eq=False)
class _Open(_Entry):
    """What is still being asked about them, and how they look, see `_looks`."""

    looks: NDArray[np.uint8]
    question: _Question


@dataclass(eq=False)
class _Kept(_Entry):
    """What was decided about them, when to think again, and how long to wait until then."""

    looks: NDArray[np.uint8]
    decision: _Decision
    due: float
    wait: float


def _answer(questions: Sequence[_Question], classify: Classify, most: float = math.inf) -> int:
    """Ask the network until all is known or `most` inks were shown to it; return how many."""
    shown = 0
    while shown < most:
        wanted: list[tuple[_Question, tuple[int, int]]] = []
        for question in questions:
            room = int(min(_ASK_AT_ONCE, most - shown - len(wanted)))
            wanted += [(question, span) for span in question.wanted(room)]
        if not wanted:
            break
        rows = classify([question.ink(span) for question, span in wanted])
        for (question, span), row in zip(wanted, rows, strict=True):
            question.take(span, row)
        shown += len(wanted)
    return shown


class _Pieces:
    """The pieces that a few neighbouring glyphs are cut into, from left to right.

    Args:
        glyphs: The neighbours.
        seams: Where each is cut, as `_seams` returns it.
    """

    def __init__(self, glyphs: Sequence[Glyph], seams: Sequence[NDArray[np.float32]]) -> None:
        self._glyphs = glyphs
        self._corners = [_corner(glyph) for glyph in glyphs]
        self._parts = [_parts(g.ink.shape, s) for g, s in zip(glyphs, seams, strict=True)]
        self.owners = [(k, n) for k, cuts in enumerate(seams) for n in range(len(cuts) + 1)]
        starts = np.cumsum([0, *(len(cuts) + 1 for cuts in seams)]).tolist()
        self.wholes = {span: k for k, span in enumerate(pairwise(starts))}

    def __len__(self) -> int:
        return len(self.owners)

    def composed(self, first: int, last: int) -> tuple[Box, NDArray[np.uint8]]:
        """Return some pieces as one: where it is on the flat paper, and its tight ink."""
        cut_off = []
        for owner in range(self.owners[first][0], self.owners[last - 1][0] + 1):
            numbers = [n for k, n in self.owners[first:last] if k == owner]
            ink, (x, y) = self._glyphs[owner].ink, self._corners[owner]
            own = cv2.inRange(self._parts[owner], numbers[0], numbers[-1])
            ink = cv2.bitwise_and(ink, own)
            left, top, w, h = cv2.boundingRect(ink)
            cut_off.append((Box(x + left, y + top, w, h), ink[top : top + h, left : left + w]))
        if len(cut_off) == 1:
            return cut_off[0]
        whole = _around([box for box, _ in cut_off])
        together = np.zeros((whole.h, whole.w), np.uint8)
        for box, ink in cut_off:
            x, y = box.x - whole.x, box.y - whole.y
            place = together[y : y + box.h, x : x + box.w]
            np.maximum(place, ink, out=place)
        return whole, together

    def boxes(self) -> NDArray[np.int64]:
        """Return left, top, right, bottom of each piece on the flat paper, int64 (pieces, 4)."""
        boxes = [self.composed(k, k + 1)[0] for k in range(len(self))]
        return np.array([(x, y, x + w, y + h) for x, y, w, h in boxes], np.int64)

    def parts_ink(self, at: int) -> bool:
        """Whether the border before a piece is a cut through a glyph."""
        return 0 < at < len(self) and self.owners[at - 1][0] == self.owners[at][0]


class _Question:
    """Which pieces of a few neighbouring glyphs form a character together.

    Args:
        run: Numbers of the glyphs.
        glyphs: The glyphs themselves.
        seams: Where each may be cut.
        known: float32 (len(run), 62), what the network said of each.
        height: Of the line, in pixels of the flat paper.
        apart: float64 (len(run),), what it costs that each is not part of the one before.

    The network is asked only what may be part of the cheapest way, were it as good as hoped.
    """

    def __init__(
        self,
        run: Sequence[int],
        glyphs: Sequence[Glyph],
        seams: Sequence[NDArray[np.float32]],
        known: NDArray[np.float32],
        height: float,
        apart: NDArray[np.float64],
    ) -> None:
        self.run = tuple(run)
        self._seams, self._height = tuple(seams), height
        self._pieces = pieces = _Pieces(glyphs, seams)
        self._rows = {span: known[k] for span, k in pieces.wholes.items()}
        self._doubts = dict(zip(pieces.wholes, doubt(known).tolist(), strict=True))
        self._costs = self._all_costs(pieces.boxes())
        starts = {first: float(apart[k]) for (first, _), k in pieces.wholes.items()}
        for first, last in self._costs:
            self._costs[first, last] += starts.get(first, 0.0)
        self._is_long = any(_is_chain(glyph.ink, height, *_LONG) for glyph in glyphs)
        least = [_SHORT if one > _UNLIKELY else _LONG for one in doubt(known).tolist()]
        self._chains = tuple(
            k for k, glyph in enumerate(glyphs) if _is_chain(glyph.ink, height, *least[k])
        )

    @property
    def is_answered(self) -> bool:
        return not self.wanted(1)

    def wanted(self, most: int) -> list[tuple[int, int]]:
        """Return the spans of pieces that the network should see next, at most so many."""
        doubts = dict(self._doubts)
        wanted: list[tuple[int, int]] = []
        while len(wanted) < most:
            _, way = self._cheapest(doubts)
            new = [span for span in way if span not in doubts]
            if not new:
                break
            wanted += new
            doubts.update((span, _ELSE) for span in new)
        return wanted[:most]

    def ink(self, span: tuple[int, int]) -> NDArray[np.uint8]:
        """Return the ink of some pieces."""
        return self._pieces.composed(*span)[1]

    def take(self, span: tuple[int, int], row: NDArray[np.float32]) -> None:
        """Take what the network said of that, float32 (62,)."""
        self._rows[span] = row
        self._doubts[span] = float(doubt(row[None])[0])
        wholes = [whole for whole in self._pieces.wholes if span[0] <= whole[0] < span[1]]
        if len(wholes) > 1 and all(self._doubts[whole] < -math.log(_SURE) for whole in wholes):
            best = int(row.argmax())
            if any(_ALIKE[best, self._rows[whole].argmax()] for whole in wholes):
                self._doubts[span] = _MOST_DOUBT  # what the other adds is no part of it

    def decision(self) -> _Decision:
        """Return the cheapest way to join the pieces, or to leave all as it is."""
        cost, way = self._cheapest(self._doubts)
        cost /= len(way)
        cursive: tuple[int, ...] = ()
        most = _MOST_CHAIN_DOUBT if self._is_long else _MOST_NEW_DOUBT
        if np.mean([self._doubts[span] for span in way]) > most:
            way, cursive = tuple(self._pieces.wholes), self._chains
            cost = sum(self._doubts[span] + self._costs[span] for span in way) / len(way)
        rows = tuple(self._rows[span] for span in way)
        # Only the cuts that are made are kept, and the pieces numbered anew.
        starts = sorted({first for first, _ in (*way, *self._pieces.wholes)})
        numbers = {start: number for number, start in enumerate([*starts, len(self._pieces)])}
        seams = tuple(
            cuts[[start - first - 1 for start in starts if first < start < last]]
            for cuts, (first, last) in zip(self._seams, self._pieces.wholes, strict=True)
        )
        spans = tuple((numbers[first], numbers[last]) for first, last in way)
        return _Decision(seams, spans, rows, cost, cursive)

    def _cheapest(
        self, doubts: dict[tuple[int, int], float]
    ) -> tuple[float, tuple[tuple[int, int], ...]]:
        """Return the cheapest way through the pieces; what is not known is hoped to be good."""
        best: list[tuple[float, int]] = [(0.0, 0)]
        for last in range(1, len(self._pieces) + 1):
            ways = [
                (
                    best[first][0] + self._costs[first, last] + doubts.get((first, last), _HOPE),
                    first,
                )
                for first in range(last)
                if (first, last) in self._costs
            ]
            best.append(min(ways, default=(math.inf, last - 1)))
        way, last = [], len(self._pieces)
        while last:
            way.append((best[last][1], last))
            last = best[last][1]
        return best[-1][0], tuple(reversed(way))

    def _all_costs(self, boxes: NDArray[np.int64]) -> dict[tuple[int, int], float]:
        """Return what each span that may be a character costs for its size, gaps and cuts."""
        pieces, line = self._pieces, self._height
        costs = {}
        for first in range(len(pieces)):
            left, top, right, bottom = boxes[first].tolist()
            gap = 0
            for last in range(first + 1, len(pieces) + 1):
                x, y, end, under = boxes[last - 1].tolist()
                is_whole = (first, last) in pieces.wholes
                if x < end:
                    if left == right:
                        left, top, right, bottom = x, y, end, under
                    gap = max(gap, x - right)
                    left, top = min(left, x), min(top, y)
                    right, bottom = max(right, end), max(bottom, under)
                elif not is_whole:  # between two cuts there may be no ink
                    continue
                width, tall = (right - left) / line, (bottom - top) / line
                fits = width < _WIDER_NEVER and tall > _LOWER_NEVER
                if not fits and not is_whole:
                    continue
                cost = _TOO_WIDE * max(0.0, width - _WIDEST) + _GAP_WITHIN * gap / line
                cost += _TOO_LOW * max(0.0, _LOWEST - tall)
                before, after = pieces.parts_ink(first), pieces.parts_ink(last)
                cost += _CUT * before + _LONE_LINE * ((before or after) and width < _LINE_WIDTH)
                costs[first, last] = cost
        return costs


@dataclass(frozen=True, eq=False)
class _Decision:
    """How a few neighbouring glyphs are cut and joined.

    Attributes:
        seams: Where each glyph is cut, see `_seams`.
        spans: First piece, and the one after the last, of each character.
        rows: float32 (62,) of each character, what the network said.
        cost: Of one of them on average, in nats.
        cursive: Which of the glyphs are joined writing that can't be cut.
    """

    seams: tuple[NDArray[np.float32], ...]
    spans: tuple[tuple[int, int], ...]
    rows: tuple[NDArray[np.float32], ...]
    cost: float
    cursive: tuple[int, ...]

    def applied(self, glyphs: Sequence[Glyph]) -> list[tuple[Glyph, NDArray[np.float32]]] | None:
        """Return the characters and what the network said of each; None where nothing changes."""
        if self.cursive:
            known = zip(glyphs, self.rows, strict=True)
            return [pair for k, pair in enumerate(known) if k not in self.cursive]
        if len(self.spans) == len(glyphs) and not any(len(cuts) for cuts in self.seams):
            return None
        pieces = _Pieces(glyphs, self.seams)
        made = []
        for span, row in zip(self.spans, self.rows, strict=True):
            sources = [glyphs[k] for k in dict.fromkeys(k for k, _ in pieces.owners[slice(*span)])]
            glyph = sources[0]
            if span not in pieces.wholes:
                flat, ink = pieces.composed(*span)
                glyph = replace(glyph, box=_source_box(flat, sources), ink=ink, flat=flat)
            made.append((glyph, row))
        return made


def _questions(glyphs: Sequence[Glyph], rows: NDArray[np.float32]) -> Iterator[_Question]:
    """Yield what is to be asked about the glyphs of a page, see `resegment`."""
    known = np.isfinite(rows[:, 0])
    if not known.any():
        return
    heights = _line_heights(glyphs)
    doubts = doubt(rows)
    width = np.array([glyph.ink.shape[1] for glyph in glyphs]) / heights
    # What costs less whole than a cut does is not cut; a neighbour may lack the other's part still.
    best = rows.argmax(axis=1)
    widest = np.where(np.isin(best, _WIDE), _WIDEST_WIDE, _WIDEST_SURE)
    split = doubts + _TOO_WIDE * np.maximum(width - widest, 0) > _CUT
    doubtful = doubts > -math.log(_SURE)
    strokes = known & np.isin(best, _STROKES)
    apart = _APART * _nearness(glyphs, strokes.tolist(), heights.tolist())
    apart[1:] *= known[1:] & known[:-1]
    if not (split | doubtful | (apart > 0)).any():
        return
    for run in _runs(glyphs, known, heights, doubtful, apart > 0):
        if len(run) > 1 or split[run].any():
            height = float(heights[run].mean())
            members = [glyphs[k] for k in run]
            seams = [_seams(glyphs[k].ink, height if split[k] else math.inf) for k in run]
            yield _Question(run, members, seams, rows[run], height, apart[run])


def _line_heights(glyphs: Sequence[Glyph]) -> NDArray[np.float64]:
    """Return how high the line of each glyph is, in pixels of its ink."""
    own = np.array([glyph.ink.shape[0] for glyph in glyphs], np.float64)
    lines = np.array([glyph.line for glyph in glyphs])
    heights = own.copy()
    for line in set(lines.tolist()):
        members = np.sort(own[lines == line])
        heights[lines == line] = members[int(0.75 * (len(members) - 1) + 0.5)]
    return heights


def _nearness(
    glyphs: Sequence[Glyph], strokes: Sequence[bool], heights: Sequence[float]
) -> NDArray[np.float64]:
    """Return how much nearer each glyph is to the one before than characters of its line are.

    Args:
        glyphs: Of a page.
        strokes: Whether each looks like a lone stroke.
        heights: See `_line_heights`.

    Returns:
        float64 (n,) in [0, 1]; 0 where it is not, or where neither is a stroke.
    """
    result = np.zeros(len(glyphs))
    gaps: dict[int, list[float]] = {}
    may_be = []
    for k, (a, b) in enumerate(pairwise(glyphs), 1):
        if (a.line, a.word) != (b.line, b.word) or a.flat is None or b.flat is None:
            continue
        line_gaps, gap = gaps.setdefault(a.line, []), (b.flat.x - a.flat.x - a.flat.w) / heights[k]
        line_gaps.append(gap)
        if strokes[k - 1] or strokes[k]:
            may_be.append((k, max(0.0, gap)))
    for k, gap in may_be:
        near = _NEAR * median([*gaps[glyphs[k].line], _USUAL_GAP, _USUAL_GAP])
        if gap < near:
            away = _distance(glyphs[k - 1], glyphs[k]) / heights[k]
            result[k] = max(0.0, 1 - away / near)
    return result


def _distance(a: Glyph, b: Glyph) -> float:
    """Return how far the ink of one glyph is from that of another, in pixels of the flat paper."""
    right, down = np.subtract(_corner(b), _corner(a)).tolist()
    (h, w), (tall, wide) = a.ink.shape, b.ink.shape
    over, before = max(0, -down), max(0, -right)
    under, after = max(0, down + tall - h), max(0, right + wide - w)
    paper = cv2.copyMakeBorder(
        cv2.bitwise_not(a.ink), over, under, before, after, cv2.BORDER_CONSTANT, value=255
    )
    away = cv2.distanceTransform(paper, cv2.DIST_L2, 3)
    top, left = over + down, before + right
    return float(cv2.minMaxLoc(away[top : top + tall, left : left + wide], b.ink)[0])


def _runs(
    glyphs: Sequence[Glyph],
    known: NDArray[np.bool_],
    heights: NDArray[np.float64],
    doubtful: NDArray[np.bool_],
    near: NDArray[np.bool_],
) -> list[list[int]]:
    """Return the numbers of glyphs that may be pieces of one another, in reading order."""
    runs: list[list[int]] = [[0]]
    for left, right in pairwise(range(len(glyphs))):
        a, b = glyphs[left], glyphs[right]
        may_be = bool((doubtful[left] or doubtful[right]) and known[left] and known[right])
        if may_be and a.line == b.line and a.flat is not None and b.flat is not None:
            may_be = b.flat.x - a.flat.x - a.flat.w < _MAY_BE_BROKEN * heights[left]
        else:
            may_be = bool(near[right])
        if may_be and len(runs[-1]) < _LONGEST_RUN:
            runs[-1].append(right)
        else:
            runs.append([right])
    return runs


def _seams(ink: NDArray[np.uint8], height: float) -> NDArray[np.float32]:
    """Return where ink may be cut, from left to right.

    The cheapest paths from the top to the bottom (Avidan and Shamir, Seam carving, 2007): through
    little ink, and straight down if they can.

    Args:
        ink: uint8 (h, w).
        height: Of the line, in its pixels; infinite for no cuts.

    Returns:
        float32 (seams, _SEAM_ROWS): where each is from top to bottom, in widths of the ink.
    """
    rows = _SEAM_ROWS
    columns = max(8, round(ink.shape[1] * rows / ink.shape[0]))
    line = height * rows / ink.shape[0]
    most = min(_MOST_SEAMS, round(_SEAMS_A_HEIGHT * columns / line + 0.5))
    if math.isinf(height):
        return np.zeros((0, rows), np.float32)
    price = cv2.resize(ink, (columns, rows), interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    down, up = price.copy(), price.copy()
    for row in range(1, rows):
        down[row] += _cheapest(down[row - 1])
        up[rows - 1 - row] += _cheapest(up[rows - row])
    middle = rows // 2
    total = down[middle] + up[middle] - price[middle]
    apart = max(2, round(_SEAMS_APART * line))
    total[:apart] = total[columns - apart :] = np.inf
    chosen: list[int] = []
    while len(chosen) < most:
        best = int(np.argmin(total))
        if total[best] > _MOST_INK * rows:
            break
        chosen.append(best)
        total[max(0, best - apart) : best + apart + 1] = np.inf
    at = np.array(sorted(chosen), np.intp)
    seams = np.empty((len(at), rows), np.float32)
    seams[:, middle] = at
    for cost, order in ((down, range(middle - 1, -1, -1)), (up, range(middle + 1, rows))):
        now = at
        for row in order:
            sides = np.clip(now + np.array([[0], [-1], [1]]), 0, columns - 1)
            steps = cost[row][sides]
            steps[1:] += _SIDEWAYS
            now = sides[steps.argmin(axis=0), np.arange(len(now))]
            seams[:, row] = now
    np.maximum.accumulate(seams, axis=0, out=seams)
    inked = price[np.arange(rows), seams.astype(np.intp)] > 0.5
    strokes = inked[:, 0] + np.count_nonzero(inked[:, 1:] > inked[:, :-1], axis=1)
    return (seams[strokes <= _MOST_CROSSED] + np.float32(0.5)) / np.float32(columns)


def _cheapest(costs: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return what it costs to come from a row, straight down or from the side."""
    result = costs.copy()
    aside = costs + np.float32(_SIDEWAYS)
    np.minimum(result[1:], aside[:-1], out=result[1:])
    np.minimum(result[:-1], aside[1:], out=result[:-1])
    return result


def _parts(shape: tuple[int, ...], seams: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Return the number of the piece that each pixel of an ink belongs to."""
    h, w = shape
    parts = np.zeros((h, w), np.uint8)
    rows, columns = np.linspace(0, seams.shape[1] - 1, h), np.arange(w)
    for seam in seams:
        parts += columns > w * np.interp(rows, np.arange(seams.shape[1]), seam)[:, None] - 0.5
    return parts


def _segmented(
    page: Page, rows: NDArray[np.float32], decided: Sequence[tuple[Sequence[int], _Decision]]
) -> Segmentation:
    """Return the page as it was decided about some runs of its glyphs."""
    cursive: list[Box] = []
    changed: dict[int, list[tuple[Glyph, NDArray[np.float32]]]] = {}
    for run, decision in decided:
        glyphs = [page.glyphs[k] for k in run]
        cursive += [glyphs[k].box for k in decision.cursive]
        made = decision.applied(glyphs)
        if made is not None:
            changed.update((k, []) for k in run)
            changed[run[0]] = made
    if not changed:
        return Segmentation(page, rows)
    pairs = [
        pair for k, glyph in enumerate(page.glyphs) for pair in changed.get(k, [(glyph, rows[k])])
    ]
    return Segmentation(
        replace(page, glyphs=tuple(glyph for glyph, _ in pairs)),
        np.array([row for _, row in pairs], np.float32).reshape(-1, rows.shape[1]),
        tuple(cursive),
    )


def _around(boxes: Sequence[Box]) -> Box:
    x, y = min(box.x for box in boxes), min(box.y for box in boxes)
    right, bottom = max(box.x + box.w for box in boxes), max(box.y + box.h for box in boxes)
    return Box(x, y, right - x, bottom - y)


def _is_chain(ink: NDArray[np.uint8], height: float, least_width: float, least: int) -> bool:
    """Return whether ink is long for its line and has many stems, as joined writing does."""
    middle = ink[len(ink) // 2] > 0
    stems = int(middle[0]) + np.count_nonzero(middle[1:] > middle[:-1])
    return ink.shape[1] > least_width * height and bool(stems >= least)


def _corner(glyph: Glyph) -> tuple[int, int]:
    """Return where the top left of a glyph's ink is on the flat paper."""
    h, w = glyph.ink.shape
    flat = glyph.flat or Box(0, 0, w, h)
    return flat.x + (flat.w - w) // 2, flat.y + (flat.h - h) // 2


def _source_box(flat: Box, sources: Sequence[Glyph]) -> Box:
    """Return about where ink that was made from glyphs is in the source image."""
    parts = []
    for glyph in sources:
        (x, y), (h, w) = _corner(glyph), glyph.ink.shape
        left, right = max(0, flat.x - x) / w, min(w, flat.x + flat.w - x) / w
        top, bottom = max(0, flat.y - y) / h, min(h, flat.y + flat.h - y) / h
        box = glyph.box
        low = (math.floor(box.x + left * box.w), math.floor(box.y + top * box.h))
        high = (math.ceil(box.x + right * box.w), math.ceil(box.y + bottom * box.h))
        parts.append(Box(*low, max(1, high[0] - low[0]), max(1, high[1] - low[1])))
    return _around(parts)


def _places(glyphs: Sequence[Glyph], outline: NDArray[np.float32] | None) -> NDArray[np.float64]:
    """Return where glyphs are on their sheet, or in the frame where there is none.

    Returns:
        float64 (glyphs, 4): x and y of the middle, width and height.
    """
    boxes = np.array([glyph.box for glyph in glyphs], np.float64).reshape(-1, 4)
    ends = np.stack([boxes[:, :2], boxes[:, :2] + boxes[:, 2:]], axis=1)
    if outline is not None and len(ends):
        sides = np.linalg.norm(np.roll(outline, -1, axis=0) - outline, axis=1)
        w, h = sides[[0, 2]].max() / sides[[1, 3]].max(), 1.0
        flat = np.array([[0, 0], [w, 0], [w, h], [0, h]], np.float32)
        ends = cv2.perspectiveTransform(ends, cv2.getPerspectiveTransform(outline, flat))
    low, high = ends.min(axis=1), ends.max(axis=1)
    return np.hstack([(low + high) / 2, high - low])


def _looks(glyphs: Sequence[Glyph]) -> NDArray[np.uint8]:
    """Return the inks in one size, one below the other, to compare them with others."""
    size = (_LOOKS_SIDE, _LOOKS_SIDE)
    small = [cv2.resize(glyph.ink, size, interpolation=cv2.INTER_AREA) for glyph in glyphs]
    return np.concatenate(small)


def _nearest(old: NDArray[np.float64], new: NDArray[np.float64]) -> NDArray[np.intp]:
    """Return the number of the new place that each old one is, -1 where it is gone."""
    if not len(old) or not len(new):
        return np.full(len(old), -1, np.intp)
    x, y, w, h = (np.abs(np.subtract.outer(a, b)) for a, b in zip(old.T, new.T, strict=True))
    size, now = old[:, 2:].max(axis=1)[:, None], new[:, 2:].max(axis=1)
    away = np.maximum(x, y) / size
    otherwise = np.maximum(w, h) / np.minimum(size, now)
    away[(away > 0.3) | (otherwise > 0.3)] = np.inf
    nearest = away.argmin(axis=1)
    return np.where(np.isfinite(away[np.arange(len(old)), nearest]), nearest, -1)
