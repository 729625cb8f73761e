"""Paper over time: locate, classify what needs it, track, and keep the page's text."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hcr_live.alphabet import Alphabet
from hcr_live.frame import Box, Frame
from hcr_live.paper.page import PageFinder
from hcr_live.paper.tracker import CharacterTracker, TrackedCharacter
from hcr_live.reading import Character, Classifies
from hcr_live.text import PageCharacter
from hcr_live.view import Mark

LINGER_SECONDS = 2.0
"""A character out of view stays in the page's text this long: a thumb passes, a sheet leaves."""

NEW_PAGE_SECONDS = 0.3
"""New characters start a new page if no character of the old one was seen for this long."""

LONGEST_STEP_SECONDS = 0.2
"""More time between two frames does not count: while a camera stalls, nothing was seen to go."""

SHEET_SECONDS = 0.3
"""A sheet and what is on it must have been in view for this long."""

NO_SHEET_SECONDS = 1.0
"""Without an outline many a thing looks like ink for a moment, such as a hand that comes in: then
a character must have been there, and no hand in view, for this long."""

LAYOUT_SECONDS = 1.0
"""Lines and words are those that most frames of the last moments agree on."""

LEFT_SECONDS = 2.0
"""After air-writing, a page still in view is recognised as the one left behind for this long."""


@dataclass(frozen=True, eq=False)
class PaperStep:
    """What paper shows after one frame.

    Attributes:
        marks: Every tracked character in view.
        outline: float32 (4, 2) corners of the sheet in frame pixels, or None.
        guide: Where to hold the sheet when none was found, or None.
        settled: Characters that became certain, or changed for certain, with this frame.
        page_ended: The page before is gone: its text is final.
        page: The settled characters of the page in view, in reading order.
    """

    marks: tuple[Mark, ...]
    outline: NDArray[np.float32] | None
    guide: Box | None
    settled: tuple[Character, ...]
    page_ended: bool
    page: tuple[PageCharacter, ...]


_Layout = tuple[tuple[int, int, int], ...]
"""(identity, line, word) of every settled character in view, by identity."""


@dataclass
class _Entry:
    """A settled character of the page, also while it is out of view for a moment."""

    text: str
    box: Box
    line: int
    word: int
    seen: float


class PaperReader:
    """Reads paper frame by frame.

    Args:
        classifier: The network.
        alphabet: What can be written.
        min_confidence: Characters less sure than this do not settle, in [0, 1].
    """

    def __init__(self, classifier: Classifies, alphabet: Alphabet, min_confidence: float) -> None:
        self._classifier = classifier
        self._alphabet = alphabet
        self._finder = PageFinder()
        self._min_confidence = min_confidence
        self._tracker = CharacterTracker(min_confidence=min_confidence)
        self._entries: dict[int, _Entry] = {}
        self._left: list[_Entry] = []
        self._left_until = float("-inf")
        self._known: set[int] = set()
        self._first_seen: dict[int, float] = {}
        self._outline_since: float | None = None
        self._bare_since: float | None = None
        self._layouts: deque[tuple[float, _Layout]] = deque()
        self._watched = 0.0
        self._frame_time = 0.0

    @property
    def reading(self) -> bool:
        """Whether a page with settled characters is in view."""
        return bool(self._entries or self._known)

    def step(self, frame: Frame, hands: Sequence[Box] = ()) -> PaperStep:
        """Take in one frame; times must increase.

        Args:
            frame: The frame.
            hands: Where hands are, in frame pixels: what they touch is not writing.
        """
        if frame.still:
            self._turn_page()
        self._watched += min(frame.time - self._frame_time, LONGEST_STEP_SECONDS)
        self._frame_time = frame.time
        page = self._finder.locate(frame.image)
        glyphs = [g for g in page.glyphs if not any(_overlap(g.box, hand) for hand in hands)]
        plan = self._tracker.match(glyphs, self._watched)
        inks = [glyphs[index].ink for index in plan.to_classify]
        probabilities = self._alphabet.project(self._classifier.probabilities(inks))
        tracked = self._tracker.update(plan, probabilities, still=frame.still)
        now = self._watched
        self._first_seen = {t.identity: self._first_seen.get(t.identity, now) for t in tracked}
        if page.outline is None:
            self._outline_since = None
            self._bare_since = now if hands or self._bare_since is None else self._bare_since
        else:
            self._bare_since = None
            self._outline_since = now if self._outline_since is None else self._outline_since
        sure = tuple(t for t in tracked if frame.still or self._is_sure(t))
        settled, page_ended = self._take_settled(sure, now)
        reported = self._entries.keys() | self._known
        return PaperStep(
            marks=tuple(
                Mark(t.box, self._alphabet.predict(t.probabilities), t.identity in reported)
                for t in tracked
            ),
            outline=page.outline,
            guide=page.guide,
            settled=settled,
            page_ended=page_ended,
            page=self._page_characters(),
        )

    def leave(self) -> None:
        """Paper is not read for a while: if the same page is still there after it, it is known."""
        self._left = list(self._entries.values())
        self._left_until = float("inf")
        self._entries = {}
        self._known = set()
        self._first_seen = {}
        self._finder = PageFinder()
        self._tracker = CharacterTracker(min_confidence=self._min_confidence)

    def _is_sure(self, track: TrackedCharacter) -> bool:
        """Whether a character, or the sheet it is on, has been there for long enough."""
        since, wait = self._outline_since, SHEET_SECONDS
        if since is None:
            since, wait = self._bare_since, NO_SHEET_SECONDS
        if since is None:
            return False
        return self._watched - max(since, self._first_seen[track.identity]) >= wait - 1e-6

    def _turn_page(self) -> None:
        """The next picture has nothing to do with the one before."""
        self._finder = PageFinder()
        self._first_seen = {}
        self._tracker = CharacterTracker(min_confidence=self._min_confidence)
        for entry in self._entries.values():
            entry.seen = float("-inf")

    def _take_settled(
        self, tracked: tuple[TrackedCharacter, ...], time: float
    ) -> tuple[tuple[Character, ...], bool]:
        """Bring the page's entries up to date; return what settled and whether the page ended."""
        if self._left_until == float("inf"):
            self._left_until = time + LEFT_SECONDS
        if time > self._left_until:
            self._left = []
        latest = max((entry.seen for entry in self._entries.values()), default=time)
        certain = [t for t in tracked if t.settled and not self._is_known(t)]
        fresh = any(t.identity not in self._entries for t in certain)
        page_ended = bool(self._entries) and (
            time - latest > LINGER_SECONDS or (fresh and time - latest > NEW_PAGE_SECONDS)
        )
        if page_ended:
            self._entries = {}
        settled = []
        for t in certain:
            prediction = self._alphabet.predict(t.probabilities)
            entry = self._entries.get(t.identity)
            if entry is None:
                entry = self._take_over(t, time) or _Entry("", t.box, t.line, t.word, t.seen)
                self._entries[t.identity] = entry
            entry.box, entry.seen = t.box, t.seen
            if entry.text != prediction.text:
                entry.text = prediction.text
                settled.append(
                    Character(prediction.text, prediction.confidence, prediction.candidates, t.box)
                )
        self._renumber(certain, time)
        self._entries = {
            identity: entry
            for identity, entry in self._entries.items()
            if time - entry.seen <= LINGER_SECONDS
        }
        return tuple(settled), page_ended

    def _is_known(self, track: TrackedCharacter) -> bool:
        """Whether a settled track is a character of the page that was left behind."""
        if track.identity in self._known:
            return True
        if track.identity in self._entries:
            return False
        text = self._alphabet.predict(track.probabilities).text
        if any(entry.text == text and _near(entry.box, track.box) for entry in self._left):
            self._known.add(track.identity)
            return True
        return False

    def _take_over(self, track: TrackedCharacter, time: float) -> _Entry | None:
        """Return the entry of a character that was lost from sight where a new one settled."""
        for identity, entry in self._entries.items():
            if entry.seen < time and _near(entry.box, track.box, 0.5):
                return self._entries.pop(identity)
        return None

    def _renumber(self, certain: list[TrackedCharacter], time: float) -> None:
        """Take over lines and words, unless part of the page is hidden and they would shift."""
        now = [t for t in certain if t.seen >= time]
        layout = tuple(sorted((t.identity, t.line, t.word) for t in now))
        self._layouts.append((time, layout))
        while self._layouts[0][0] < time - LAYOUT_SECONDS:
            self._layouts.popleft()
        present = {t.identity for t in now}
        if not present or not set(self._entries) <= present:
            return
        votes = Counter(
            seen for _, seen in self._layouts if {identity for identity, *_ in seen} == present
        )
        for identity, line, word in votes.most_common(1)[0][0]:
            self._entries[identity].line, self._entries[identity].word = line, word

    def _page_characters(self) -> tuple[PageCharacter, ...]:
        ordered = sorted(
            self._entries.items(), key=lambda item: (item[1].line, item[1].word, item[1].box.x)
        )
        return tuple(
            PageCharacter(identity, entry.text, entry.line, entry.word)
            for identity, entry in ordered
        )


def _overlap(a: Box, b: Box) -> bool:
    return a.x < b.x + b.w and b.x < a.x + a.w and a.y < b.y + b.h and b.y < a.y + a.h


def _near(a: Box, b: Box, share: float = 1.0) -> bool:
    """Whether the centres are closer than that share of the larger box's longest side."""
    reach = share * max(a.w, a.h, b.w, b.h)
    dx = (a.x + a.w / 2) - (b.x + b.w / 2)
    dy = (a.y + a.h / 2) - (b.y + b.h / 2)
    return dx * dx + dy * dy < reach * reach
