"""The text of the page in view, kept while parts of it are hidden or leave the frame."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hcr_live.frame import Box
from hcr_live.text import PageCharacter

LINGER_SECONDS = 2.0
"""A page is over, and a character erased, once it was not seen for this long."""

NEW_PAGE_SECONDS = 0.3
"""New characters start a new page if no character of the old one was seen for this long."""

LAYOUT_SECONDS = 1.0
"""Order, lines and words are those that most frames of the last moments agree on."""

LEFT_SECONDS = 2.0
"""After air-writing, a page still in view is recognised as the one left behind for this long."""

_EDGE = 0.04  # a character expected this close to the frame's edge may be cut: share of its size


@dataclass(frozen=True)
class Sighting:
    """A certain character in view.

    Attributes:
        identity: Number of its track.
        text: Its label.
        box: In pixels of the frame.
        line: Number of its line in this frame, from 0.
        word: Number of its word within the line, from 0.
        now: Located in this very frame, rather than a few frames ago.
    """

    identity: int
    text: str
    box: Box
    line: int
    word: int
    now: bool = True


@dataclass
class _Entry:
    text: str
    area: NDArray[np.float64]  # x, y, w, h; moved along with the page while hidden
    line: int
    word: int
    place: float
    seen: float


_Layout = tuple[tuple[int, int, int], ...]
"""(identity, line, word) of every certain character in view, in reading order."""


class PageMemory:
    """Settled characters of the page in view; a state machine without I/O."""

    def __init__(self) -> None:
        self._entries: dict[int, _Entry] = {}
        self._layouts: deque[tuple[float, _Layout]] = deque()
        self._votes: Counter[_Layout] = Counter()
        self._left: list[_Entry] = []
        self._left_until: float | None = None
        self._known: set[int] = set()

    @property
    def reported(self) -> frozenset[int]:
        """Identities of the characters whose text is on the page, or was before."""
        return frozenset(self._entries.keys() | self._known)

    @property
    def page(self) -> tuple[PageCharacter, ...]:
        """The page's characters in reading order."""
        ordered = sorted(self._entries.items(), key=lambda item: item[1].place)
        return tuple(
            PageCharacter(identity, entry.text, entry.line, entry.word)
            for identity, entry in ordered
        )

    def leave(self) -> None:
        """The page is not looked at for a while: if it is still there then, it is known."""
        self._left, self._left_until = list(self._entries.values()), None
        self.end_page()

    def end_page(self) -> None:
        """What is seen from now on belongs to another page."""
        self._entries, self._known = {}, set()
        self._forget_layouts()

    def read_anew(self) -> None:
        """The same characters are about to be read once more."""
        self._entries = {}
        self._forget_layouts()

    def update(
        self, sightings: Sequence[Sighting], time: float, width: int, height: int
    ) -> tuple[tuple[int, ...], bool]:
        """Take in one frame.

        Args:
            sightings: The certain characters, in reading order.
            time: Seconds, not decreasing.
            width: Of the frame, in pixels.
            height: Of the frame, in pixels.

        Returns:
            The identities that are new or have a new label, and whether the page before ended.
        """
        if self._left_until is None:
            self._left_until = time + LEFT_SECONDS
        if time > self._left_until:
            self._left = []
        present = [s for s in sightings if not self._is_known(s)]
        ended = self._has_ended(present, time)
        if ended:
            self._entries = {}
        self._move_hidden(present)
        news = self._take_in(present, time)
        self._arrange([s for s in present if s.now], time)
        self._drop_erased(time, width, height)
        return news, ended

    def _forget_layouts(self) -> None:
        self._layouts.clear()
        self._votes.clear()

    def _is_known(self, sighting: Sighting) -> bool:
        """Whether it is a character of the page that was left behind."""
        if sighting.identity in self._known:
            return True
        if sighting.identity in self._entries:
            return False
        area = np.array(sighting.box, np.float64)
        if any(e.text == sighting.text and _near(e.area, area, 1.0) for e in self._left):
            self._known.add(sighting.identity)
            return True
        return False

    def _has_ended(self, present: list[Sighting], time: float) -> bool:
        if not self._entries:
            return False
        unseen = time - max(entry.seen for entry in self._entries.values())
        is_new = any(s.identity not in self._entries for s in present)
        return unseen > LINGER_SECONDS or (is_new and unseen > NEW_PAGE_SECONDS)

    def _move_hidden(self, present: list[Sighting]) -> None:
        """Move what is hidden along with what is seen."""
        moves = [
            _centre(np.array(s.box, np.float64)) - _centre(self._entries[s.identity].area)
            for s in present
            if s.now and s.identity in self._entries
        ]
        if not moves:
            return
        shift = np.median(moves, axis=0)
        seen = {s.identity for s in present if s.now}
        for identity, entry in self._entries.items():
            if identity not in seen:
                entry.area[:2] += shift

    def _take_in(self, present: list[Sighting], time: float) -> tuple[int, ...]:
        """Add or renew entries; return the identities with news."""
        news = []
        for number, sighting in enumerate(present):
            entry = self._entries.get(sighting.identity)
            if entry is None:
                entry = self._taken_over(sighting, time) or self._placed(present, number, time)
                self._entries[sighting.identity] = entry
            if sighting.now:
                entry.area, entry.seen = np.array(sighting.box, np.float64), time
            if entry.text != sighting.text:
                entry.text = sighting.text
                news.append(sighting.identity)
        return tuple(news)

    def _taken_over(self, sighting: Sighting, time: float) -> _Entry | None:
        """Return the entry of a hidden character where this one is: the same, lost and found."""
        area = np.array(sighting.box, np.float64)
        for identity, entry in self._entries.items():
            if entry.seen < time and _near(entry.area, area, 0.5):
                return self._entries.pop(identity)
        return None

    def _placed(self, present: list[Sighting], number: int, time: float) -> _Entry:
        """Return a new entry, in order beside a neighbour that has its place already."""
        sighting = present[number]
        area = np.array(sighting.box, np.float64)
        before = [s for s in present[:number] if s.identity in self._entries]
        after = [s for s in present[number + 1 :] if s.identity in self._entries]
        if not before and not after:
            place = max((e.place for e in self._entries.values()), default=0.0) + 1.0
            return _Entry("", area, sighting.line, sighting.word, place, time)
        neighbour, step = (before[-1], 0.5) if before else (after[0], -0.5)
        beside = self._entries[neighbour.identity]
        line = beside.line + sighting.line - neighbour.line
        word = sighting.word
        if sighting.line == neighbour.line:
            word = beside.word + sighting.word - neighbour.word
        return _Entry("", area, line, word, beside.place + step, time)

    def _arrange(self, seen: list[Sighting], time: float) -> None:
        """Number the characters anew if the whole page is seen: else they would shift."""
        layout = tuple((s.identity, s.line, s.word) for s in seen)
        self._layouts.append((time, layout))
        self._votes[layout] += 1
        while self._layouts[0][0] < time - LAYOUT_SECONDS:
            self._votes[self._layouts.popleft()[1]] -= 1
        self._votes = +self._votes
        whole = {s.identity for s in seen}
        if not whole or whole != set(self._entries):
            return
        same = [
            layout
            for layout in self._votes
            if len(layout) == len(whole) and {identity for identity, *_ in layout} == whole
        ]
        usual: _Layout = max(same, key=lambda layout: self._votes[layout])
        for place, (identity, line, word) in enumerate(usual):
            entry = self._entries[identity]
            entry.line, entry.word, entry.place = line, word, float(place)

    def _drop_erased(self, time: float, width: int, height: int) -> None:
        """Forget what is no longer where it should be, unless that is outside the frame."""
        if all(entry.seen < time for entry in self._entries.values()):
            return
        for identity, entry in list(self._entries.items()):
            x, y, w, h = entry.area
            margin = _EDGE * max(w, h)
            inside = margin < x < width - w - margin and margin < y < height - h - margin
            if inside and time - entry.seen > LINGER_SECONDS:
                del self._entries[identity]


def _centre(area: NDArray[np.float64]) -> NDArray[np.float64]:
    return area[:2] + area[2:] / 2


def _near(a: NDArray[np.float64], b: NDArray[np.float64], share: float) -> bool:
    """Whether the centres are closer than that share of the longer side."""
    distance = float(np.hypot(*(_centre(a) - _centre(b))))
    return distance < share * float(max(a[2:].max(), b[2:].max()))
