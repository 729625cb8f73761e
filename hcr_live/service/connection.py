"""One live connection: what its client sends is read on a thread of its own."""

from __future__ import annotations

import gc
import json
import logging
import math
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from hcr_live import __version__
from hcr_live.air.watcher import HandWatcher
from hcr_live.classifier import Classifier
from hcr_live.errors import HcrError
from hcr_live.events import Event, end_event, start_event, view_event
from hcr_live.frame import Box, Frame
from hcr_live.language.suggester import Suggester
from hcr_live.paper.page import check_region
from hcr_live.service.detectors import Detectors
from hcr_live.service.messages import Edit, End, Set, Start
from hcr_live.service.pictures import decode
from hcr_live.service.problems import Problem
from hcr_live.session import Session
from hcr_live.sources.base import SourceInfo

_WAITING = 2
"""Pictures that wait while one is read: with one alone, an unsteady network drops some."""

_MOST_WORDS = 100
"""Messages other than pictures that wait."""

_MOST_BAD = 20
"""So many bad messages in a row end the connection."""

_AHEAD = 4
"""So many pictures may come at once without being more a second than are read."""

_LEAST_STEP = 0.001
"""Seconds between two frames."""

_warm = threading.Event()
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Answer:
    """A message to the client; of a view only the newest counts."""

    text: str
    is_view: bool = False


@dataclass(frozen=True)
class Close:
    """The end of the connection: code and reason of WebSocket (RFC 6455, 7.4.1)."""

    code: int
    reason: str = ""


@dataclass(frozen=True, eq=False)
class Picture:
    """A picture as it came: its number among them, when it came, when it was taken if known."""

    data: bytes
    number: int
    arrived: float
    taken: float | None = None


@dataclass(frozen=True)
class Bad:
    """A message that could not be understood, and why."""

    detail: str


Word: TypeAlias = Start | Set | Edit | End | Bad
Post: TypeAlias = Callable[[Sequence[Answer | Close]], None]


class Inbox:
    """What waits to be read, in the order it came; of pictures only the newest.

    Args:
        frames_a_second: Pictures are handed out no faster.
        clock: Seconds of a steady clock.

    Attributes:
        dropped: How many pictures were replaced by newer ones.
        heard: When a message came last, seconds of the clock.
    """

    def __init__(self, frames_a_second: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.dropped = 0
        self._interval = 1 / frames_a_second
        self._clock = clock
        self._due = self.heard = clock()
        self._items: deque[Picture | Word] = deque()
        self._changed = threading.Condition()
        self._closed = False

    def put(self, item: Picture | Word) -> bool:
        """Add a message; return False if too many wait that are no pictures."""
        with self._changed:
            self.heard = self._clock()
            if isinstance(item, Picture):
                waiting = [one for one in self._items if isinstance(one, Picture)]
                if len(waiting) >= _WAITING:
                    self._items.remove(waiting[0])
                    self.dropped += 1
            elif len(self._items) >= _MOST_WORDS:
                return False
            self._items.append(item)
            self._changed.notify()
            return True

    def take(self) -> Picture | Word | None:
        """Wait for the oldest message and return it; None once closed."""
        with self._changed:
            while not self._closed:
                wait = self.next_in()
                if wait <= 0:
                    return self._pop()
                self._changed.wait(None if wait == math.inf else wait)
            return None

    def next_in(self) -> float:
        """Return in how many seconds the oldest message may be taken; for ever if none waits."""
        if not self._items:
            return math.inf
        return self._due - self._clock() if isinstance(self._items[0], Picture) else 0.0

    def _pop(self) -> Picture | Word:
        item = self._items.popleft()
        if isinstance(item, Picture):
            early = self._clock() - _AHEAD * self._interval
            self._due = max(self._due, early) + self._interval
        return item

    def close(self) -> None:
        """Let the reader end."""
        with self._changed:
            self._closed = True
            self._changed.notify()


class Reader:
    """Reads the messages of one client, in one thread: the one that calls `run`.

    Args:
        inbox: Where they come from.
        post: Takes the answers.
        detectors: Look for hands.
        suggesters: Find words, by language.
        model: Another network than the shipped one.
        most_pixels: Of a picture.
        count: Called with "read" for each frame that was read.
    """

    def __init__(
        self,
        inbox: Inbox,
        post: Post,
        *,
        detectors: Detectors,
        suggesters: Mapping[str, Suggester],
        model: Path | None = None,
        most_pixels: int,
        count: Callable[[str], None] = lambda result: None,
    ) -> None:
        self._inbox = inbox
        self._post = post
        self._detectors = detectors
        self._suggesters = suggesters
        self._model = model
        self._most_pixels = most_pixels
        self._count = count
        self._start = Start()
        self._hands: HandWatcher | None = None
        self._session: Session | None = None
        self._size: tuple[int, int] | None = None
        self._frames = 0
        self._bad = 0
        self._clock = Clock()

    def run(self) -> None:
        """Read until the client ends, or the inbox is closed."""
        try:
            while (item := self._inbox.take()) is not None:
                if not self._take(item):
                    break
        except Exception:
            _log.exception("A live connection failed.")
            self._post([Close(1011, "The service failed; its log says why.")])
        finally:
            if self._hands is not None:
                self._hands.close()
            self._session = None
            gc.collect()  # a session refers to itself, and its network's memory is not Python's

    def _take(self, item: Picture | Word) -> bool:
        """Answer one message; return False after the last."""
        number = item.number if isinstance(item, Picture) else None
        try:
            if isinstance(item, End):
                self._post([*_texts(self._end()), Close(1000)])
                return False
            if isinstance(item, Bad):
                raise HcrError(item.detail)
            self._post(self._answer(item))
        except (HcrError, Problem) as error:
            return self._refuse(str(error), number)
        except Exception:
            _log.exception("A frame of a live connection could not be read.")
            self._begin_anew()
            return self._refuse("The service failed on this message; its log says why.", number)
        self._bad = 0
        return True

    def _answer(self, item: Picture | Start | Set | Edit) -> list[Answer]:
        if isinstance(item, Start):
            if self._session is not None:
                raise HcrError("The connection has started already: use set.")
            self._start = item
            self._make_session()  # hands are looked for by what takes a moment to load
            return []
        session = self._session or self._make_session()
        if isinstance(item, Picture):
            return self._read(session, item)
        if isinstance(item, Set):
            return _texts(self._set(session, item))
        return _texts(session.edit(item.action, item.number))

    def _make_session(self) -> Session:
        start = self._start
        self._hands = HandWatcher(self._detectors.lend)
        self._session = Session(
            Classifier(self._model),
            self._hands,
            mode=start.mode,
            alphabet=start.alphabet,
            min_confidence=start.min_confidence,
            mirror=start.mirror,
            pen=start.pen,
            suggest=self._suggesters[start.language],
            keys=False,
        )
        if not _warm.is_set():
            _warm.set()
            self._session.warm_up()  # as long as the first detector of hands takes to load
        return self._session

    def _read(self, session: Session, picture: Picture) -> list[Answer]:
        image = decode(picture.data, self._most_pixels)
        size = image.shape[1], image.shape[0]
        events: list[Event] = []
        if self._size is None:
            events.append(self._start_event(session, size))
        elif size != self._size:
            events += session.finish() + self._begin_anew()
        self._size = size
        frame = Frame(image, picture.number, self._clock(picture.arrived, picture.taken))
        self._frames += 1
        view, news = session.step(frame)
        self._count("read")
        shown = Answer(_json(view_event(view, self._inbox.dropped)), is_view=True)
        return [*_texts(events + news), shown]

    def _set(self, session: Session, item: Set) -> list[Event]:
        asked = item.model_fields_set
        region = None if item.region is None else Box(*item.region)
        if region is not None:
            if self._size is None:
                raise HcrError("The region is part of a picture: set it after the first one.")
            check_region(region, *self._size)
        events: list[Event] = []
        if "mode" in asked:
            events += session.choose_mode(item.mode)
        if "alphabet" in asked:
            events += session.choose_alphabet(item.alphabet)
        if "mirror" in asked:
            session.mirror = item.mirror
        if "region" in asked:
            events += session.read_only(region)
        return events

    def _begin_anew(self) -> list[Event]:
        """Forget the picture but not the text."""
        if self._session is None or self._hands is None:
            return []
        self._hands.close()
        self._hands = HandWatcher(self._detectors.lend)
        return self._session.begin_anew(self._hands)

    def _end(self) -> list[Event]:
        session = self._session
        events = session.finish() if session is not None else []
        text = session.text if session is not None else ""
        last = end_event(
            frames=self._frames,
            dropped=self._inbox.dropped,
            seconds=self._clock.seconds,
            text=text,
        )
        return [*events, last]

    def _start_event(self, session: Session, size: tuple[int, int]) -> Event:
        return start_event(
            SourceInfo("live", *size, fps=0.0, live=True),
            mode=self._start.mode,
            alphabet=self._start.alphabet,
            mirror=self._start.mirror,
            model=session.model_name,
            version=__version__,
        )

    def _refuse(self, detail: str, number: int | None) -> bool:
        """Say what was wrong; return False if it was too often."""
        error: Event = {"event": "error", "detail": detail}
        self._post(_texts([error if number is None else error | {"frame": number}]))
        self._bad += 1
        if self._bad >= _MOST_BAD:
            self._post([Close(1008, f"{self._bad} bad messages in a row.")])
        return self._bad < _MOST_BAD


class Clock:
    """Times of frames from when they were taken or came: from 0, and always growing.

    Attributes:
        seconds: The last one's.
    """

    def __init__(self) -> None:
        self.seconds = 0.0
        self._first_taken: float | None = None
        self._last_arrived: float | None = None

    def __call__(self, arrived: float, taken: float | None) -> float:
        """Return the time of the next frame.

        Args:
            arrived: Seconds of this machine's clock.
            taken: Seconds of the sender's; None, or one that does not grow: the arrival counts.
        """
        before, self._last_arrived = self._last_arrived, arrived
        if before is None:
            self._first_taken = taken
            return self.seconds
        now = self.seconds + arrived - before
        if taken is not None:
            if self._first_taken is None:
                self._first_taken = taken - now
            if taken - self._first_taken > self.seconds:
                now = taken - self._first_taken
        self.seconds = max(now, self.seconds + _LEAST_STEP)
        return self.seconds


def _texts(events: Sequence[Event]) -> list[Answer]:
    return [Answer(_json(event)) for event in events]


def _json(event: Event) -> str:
    return json.dumps(event, ensure_ascii=False, separators=(",", ":"))
