"""Paper over time: locate, classify what needs it, track, and keep the page's text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import compress

import numpy as np
from numpy.typing import NDArray

from hcr_live.alphabet import CLASSES, Alphabet
from hcr_live.frame import Box, Frame
from hcr_live.ink.normalise import network_input
from hcr_live.paper.memory import PageMemory, Sighting
from hcr_live.paper.orientation import quarter_turns
from hcr_live.paper.page import Glyph, Page, PageFinder, turned
from hcr_live.paper.picture import answers, is_lone, is_writing, read_picture, side_of
from hcr_live.paper.segment import Segmenter
from hcr_live.paper.sharpness import is_blurred
from hcr_live.paper.tracker import CharacterTracker, Plan, TrackedCharacter
from hcr_live.reading import Character, Classifies, Prediction
from hcr_live.text import PageCharacter
from hcr_live.view import Mark

LONGEST_STEP_SECONDS = 0.2
"""More time between two frames does not count: while a camera stalls, nothing was seen to go."""

SHEET_SECONDS = 0.3
"""A sheet and what is on it must have been in view for this long."""

NO_SHEET_SECONDS = 1.0
"""Without an outline many a thing looks like ink for a moment, such as a hand that comes in: then
a character must have been there, and no hand in view, for this long."""


REST_SECONDS = 1.0
"""What did not settle within this time does not make a page restless."""

READ_SECONDS, READ_LATER_SECONDS = 0.07, 0.3
"""While it settles, a page is read this often, and followed in the frames between."""

EAGER_SECONDS = 0.6
"""What has not settled so long after it came is hard to read, and in no hurry."""

READ_AGAIN_SECONDS = 2.0
"""A page at rest that does not seem to change is read anew this often."""

CHANGE_SECONDS = 0.5
"""After a change it is read in every frame for so long, until other labels have settled."""

BLURRED_SECONDS = 2.0
"""While writing is blurred time stands still for it, but for no longer: it may be gone."""

SHOWN_SECONDS = 0.05
"""A character is marked once it has been seen for so long."""

SEARCH_AGAIN_SECONDS = 0.2
"""So often while nothing is written on it: it may be no sheet at all, and hide one."""

_NOTHING = np.zeros((0, len(CLASSES)), np.float32)


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
        blurred: The writing is too blurred to be read: what was read before stays.
        joined: Where writing is whose characters hang together: it is not read.
        seen: What the network was shown of the last of `settled`, float32 (SIDE, SIDE) in [0, 1].
    """

    marks: tuple[Mark, ...]
    outline: NDArray[np.float32] | None
    guide: Box | None
    settled: tuple[Character, ...]
    page_ended: bool
    page: tuple[PageCharacter, ...]
    blurred: bool = False
    joined: tuple[Box, ...] = ()
    seen: NDArray[np.float32] | None = None


class PaperReader:
    """Reads paper frame by frame.

    Args:
        classifier: The network.
        alphabet: What can be written.
        min_confidence: Characters less sure than this do not settle, in [0, 1].
        region: Only this part of the frame is read; None looks for a sheet.
    """

    def __init__(
        self,
        classifier: Classifies,
        alphabet: Alphabet,
        min_confidence: float,
        region: Box | None = None,
    ) -> None:
        self._classify = classifier.probabilities
        self._alphabet = alphabet
        self._region = region
        self._finder = PageFinder(region)
        self._min_confidence = min_confidence
        self._tracker = CharacterTracker(min_confidence, self._read_votes)
        self._segmenter = Segmenter(self._classify)
        self._joined: tuple[Box, ...] = ()
        self._memory = PageMemory()
        self._first_seen: dict[int, float] = {}
        self._outline_since: float | None = None
        self._bare_since: float | None = None
        self._at_rest = False
        self._read_at = float("-inf")
        self._read_again_at = 0.0
        self._changed_at = float("-inf")
        self._nothing: Page | None = None
        self._tracked: tuple[TrackedCharacter, ...] = ()
        self._glyphs: dict[int, Glyph] = {}
        self._predicted: dict[int, tuple[NDArray[np.float32], Prediction]] = {}
        self._blurred_for = 0.0
        self._watched = 0.0
        self._frame_time = 0.0

    @property
    def reading(self) -> bool:
        """Whether a page with settled characters is in view."""
        return bool(self._memory.reported)

    def step(self, frame: Frame, hands: Sequence[Box] = ()) -> PaperStep:
        """Take in one frame; times must increase.

        Args:
            frame: The frame.
            hands: Where hands are, in frame pixels: what they touch is not writing.
        """
        turned_over = frame.still and bool(self._memory.page)
        if frame.still:  # it has nothing to do with the picture before
            self._memory.end_page()
            self._forget_view()
        elapsed = min(frame.time - self._frame_time, LONGEST_STEP_SECONDS)
        self._watched += elapsed
        self._frame_time = frame.time
        if frame.still:
            glance, blurred = None, False
            page, tracked = self._read_still(frame.image, hands)
        else:
            glance, page = self._look(frame.image, hands)
            blurred = glance is None and self._is_blurred(frame.image, page)
            self._blurred_for = self._blurred_for + elapsed if blurred else 0.0
            if glance is None and not blurred:
                self._read_at = self._watched
            if 0 < self._blurred_for < BLURRED_SECONDS:
                self._watched -= elapsed
                tracked = self._tracked
            else:
                # The votes on one read are spread over the frames that follow it.
                lately = not self._at_rest and self._watched < self._read_at + READ_SECONDS
                tracked = self._follow(page, fresh=glance is None, votes=lately and not blurred)
        self._tracked = tracked
        height, width = frame.image.shape[:2]
        now = self._watched
        self._first_seen = {t.identity: self._first_seen.get(t.identity, now) for t in tracked}
        if page.outline is None:
            self._outline_since = None
            self._bare_since = now if hands or self._bare_since is None else self._bare_since
        else:
            self._bare_since = None
            self._outline_since = now if self._outline_since is None else self._outline_since
        predictions = self._predictions(tracked)
        certain = {
            t.identity: predictions[t.identity]
            for t in tracked
            if t.settled and (frame.still or self._is_sure(t))
        }
        if not self._memory.reported and not self._is_writing(tracked, certain, page, frame.image):
            certain = {}
        sightings = [
            Sighting(t.identity, certain[t.identity].text, t.box, t.line, t.word, now=t.seen >= now)
            for t in tracked
            if t.identity in certain
        ]
        news, page_ended = self._memory.update(sightings, now, width, height)
        told = [t for t in tracked if t.identity in certain and t.identity in news]
        settled = tuple(self._character(t, certain[t.identity]) for t in told)
        shown = self._glyphs.get(told[-1].identity) if told else None
        reported = self._memory.reported
        settling = any(
            t.wavering
            or (t.identity not in reported and now - self._first_seen[t.identity] < REST_SECONDS)
            for t in tracked
        )
        if glance is None:
            changing = now - self._changed_at < CHANGE_SECONDS
            self._at_rest = page.outline is not None and not settling and not changing
            self._read_again_at = now + (READ_AGAIN_SECONDS if tracked else SEARCH_AGAIN_SECONDS)
        return PaperStep(
            marks=tuple(
                Mark(t.box, predictions[t.identity], t.settled and t.identity in reported)
                for t in tracked
                if frame.still or t.settled or (not blurred and self._is_shown(t))
            ),
            outline=page.outline,
            guide=page.guide,
            settled=settled,
            page_ended=page_ended or turned_over,
            page=self._memory.page,
            blurred=blurred,
            joined=self._joined,
            seen=None if shown is None else network_input(shown.ink),
        )

    def _look(self, image: NDArray[np.uint8], hands: Sequence[Box]) -> tuple[Page | None, Page]:
        """Return the page at a glance, or None if it had to be read, and the page.

        A page that was read a moment ago, or on which all is settled and nothing changes, tells
        nothing new but its place, and where there was nothing at all, the frame after the next is
        soon enough to look.
        """
        rests = self._at_rest and self._watched < self._read_again_at
        news = max([self._changed_at, *self._first_seen.values()])
        eager = self._watched - news < EAGER_SECONDS
        wait = READ_SECONDS if eager else READ_LATER_SECONDS
        if rests or self._watched < self._read_at + wait:
            glance = self._finder.glance(image, closely=rests or not eager)
            if glance is None and not eager:
                self._changed_at = self._watched
                self._tracker.doubt_votes()
        else:
            glance = self._nothing
        page = glance or self._finder.locate(image)
        nothing = glance is None and page.outline is None and not page.glyphs
        self._nothing = page if nothing else None
        height, width = image.shape[:2]
        whole = tuple(glyph for glyph in page.glyphs if not _is_cut(glyph.box, width, height))
        return glance, _uncovered(replace(page, glyphs=whole), hands)

    def _read_still(
        self, image: NDArray[np.uint8], hands: Sequence[Box]
    ) -> tuple[Page, tuple[TrackedCharacter, ...]]:
        """Return the page of a photo and its characters, all of them classified."""
        read = read_picture(image, self._classify, self._alphabet, self._region)
        seen = _uncovered(read.page, hands)
        self._joined = read.cursive
        plan = self._match(seen)
        kept = [read.page.glyphs.index(seen.glyphs[k]) for k in plan.to_classify]
        return seen, self._tracker.update(plan, read.rows[kept], still=True)

    def _follow(self, page: Page, *, fresh: bool, votes: bool) -> tuple[TrackedCharacter, ...]:
        """Return the characters in view after the page of a frame.

        Args:
            page: What was located, the right way up as far as it is known.
            fresh: It was read in this frame.
            votes: Whether the network is asked.
        """
        located, self._joined = page, ()
        if not is_lone(located):
            segmentation = self._segmenter.segment(located, self._watched)
            page, self._joined = segmentation.page, segmentation.cursive
        plan = self._match(page, fresh=fresh)
        if not votes:
            return self._tracker.update(replace(plan, to_classify=(), inks=()), _NOTHING)
        if 2 * plan.new <= len(page.glyphs):
            rows = self._classify(plan.inks)
            # What has settled as one character is not taken for two because of one bad frame.
            settled = {t.identity for t in self._tracked if t.settled and not t.wavering}
            open_ = [plan.identities[k] not in settled for k in plan.to_classify]
            asked = [page.glyphs[k] for k in plan.to_classify]
            self._segmenter.notice(list(compress(asked, open_)), rows[open_])
            return self._tracker.update(plan, rows)
        # Most of it is new: now is the time to find out which way up it is.
        rows = self._classify([glyph.ink for glyph in page.glyphs])
        turns = quarter_turns(page, rows, self._classify, self._alphabet)
        if turns:
            self._finder.turn(turns)
            self._segmenter = Segmenter(self._classify)
            self._tracker.forget_votes()
            page = turned(located, turns)
            plan = self._match(page)
            rows = self._classify([glyph.ink for glyph in page.glyphs])
        self._segmenter.notice(page.glyphs, rows)
        return self._tracker.update(plan, rows[list(plan.to_classify)])

    def _match(self, page: Page, *, fresh: bool = True) -> Plan:
        plan = self._tracker.match(page.glyphs, self._watched, fresh=fresh)
        self._glyphs = dict(zip(plan.identities, page.glyphs, strict=True))
        return plan

    def _is_blurred(self, image: NDArray[np.uint8], page: Page) -> bool:
        """Whether writing is in view, or was a moment ago, but too blurred to be read."""
        boxes = [glyph.box for glyph in page.glyphs] or [t.box for t in self._tracked]
        return bool(boxes) and is_blurred(image, boxes)

    def leave(self) -> None:
        """Paper is not read for a while: if the same page is still there after it, it is known."""
        self._memory.leave()
        self._forget_view()

    @property
    def region(self) -> Box | None:
        """The only part that is read; another one ends the page in view."""
        return self._region

    @region.setter
    def region(self, region: Box | None) -> None:
        self._region = region
        self._memory.end_page()
        self._forget_view()

    def read_anew(self, alphabet: Alphabet) -> None:
        """Read what is in view once more, with another alphabet."""
        self._alphabet = alphabet
        self._memory.read_anew()
        self._tracker.forget_votes()
        self._at_rest, self._tracked = False, ()

    def _forget_view(self) -> None:
        self._at_rest, self._nothing = False, None
        self._first_seen, self._tracked, self._glyphs = {}, (), {}
        self._finder = PageFinder(self._region)
        self._segmenter = Segmenter(self._classify)
        self._tracker = CharacterTracker(self._min_confidence, self._read_votes)

    def _read_votes(
        self,
        votes: NDArray[np.float32],
        boxes: Sequence[Box],
        lines: Sequence[int],
        words: Sequence[int],
    ) -> NDArray[np.float32]:
        """Return what the votes of all characters say in their context, float32 (n, k)."""
        return answers(votes, boxes, lines, words, self._alphabet)

    def _character(self, tracked: TrackedCharacter, best: Prediction) -> Character:
        every = dict(zip(self._alphabet.labels, tracked.probabilities.tolist(), strict=True))
        return Character(
            best.text, best.confidence, best.candidates, tracked.box, probabilities=every
        )

    def _predictions(self, tracked: Sequence[TrackedCharacter]) -> dict[int, Prediction]:
        """Return the best labels of each character; most have not changed since the last frame."""
        before, self._predicted = self._predicted, {}
        for t in tracked:
            known = before.get(t.identity)
            if known is None or known[0] is not t.probabilities:
                known = (t.probabilities, self._alphabet.predict(t.probabilities))
            self._predicted[t.identity] = known
        return {identity: prediction for identity, (_, prediction) in self._predicted.items()}

    def _is_writing(
        self,
        tracked: Sequence[TrackedCharacter],
        certain: Mapping[int, Prediction],
        page: Page,
        image: NDArray[np.uint8],
    ) -> bool:
        """Whether one character is beyond doubt and few are doubtful, unlike on a face."""
        enough = (1 + self._min_confidence) / 2
        if not any(prediction.confidence >= enough for prediction in certain.values()):
            return False
        read = [self._predicted[t.identity][1] for t in tracked]
        heights = [t.box.h for t in tracked]
        side = side_of(page.outline, image)
        return is_writing(read, heights, side, self._min_confidence, page.glyphs)

    def _is_shown(self, track: TrackedCharacter) -> bool:
        """Whether a character that has not settled is marked.

        What was seen but once may be the smear of a sheet that is pulled away.
        """
        lasted = track.seen - self._first_seen[track.identity]
        return lasted >= SHOWN_SECONDS and self._watched - track.seen < 2 * READ_SECONDS

    def _is_sure(self, track: TrackedCharacter) -> bool:
        """Whether a character, or the sheet it is on, has been there for long enough."""
        since, wait = self._outline_since, SHEET_SECONDS
        if since is None:
            since, wait = self._bare_since, NO_SHEET_SECONDS
        if since is None:
            return False
        return self._watched - max(since, self._first_seen[track.identity]) >= wait - 1e-6


def _uncovered(page: Page, hands: Sequence[Box]) -> Page:
    """Return a page without what hands touch."""
    if not hands:
        return page
    free = (g for g in page.glyphs if not any(_overlap(g.box, hand) for hand in hands))
    return replace(page, glyphs=tuple(free))


def _overlap(a: Box, b: Box) -> bool:
    return a.x < b.x + b.w and b.x < a.x + a.w and a.y < b.y + b.h and b.y < a.y + a.h


def _is_cut(box: Box, width: int, height: int) -> bool:
    """Whether a box touches the edge of the frame: part of the character may be outside."""
    return box.x <= 1 or box.y <= 1 or box.x + box.w >= width - 1 or box.y + box.h >= height - 1
