"""One run of the recogniser over a stream of frames, without window, clock or camera."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import replace
from typing import TypedDict

import numpy as np
from numpy.typing import NDArray

from hcr_live.air.desk import AirDesk, bounds
from hcr_live.air.gestures import Action, Gestures, GestureUpdate
from hcr_live.air.hands import Hand
from hcr_live.air.pen import Pen, PenState, PenUpdate, Stroke
from hcr_live.air.watcher import Hands
from hcr_live.air.writer import Writer
from hcr_live.alphabet import ALPHABETS, get_alphabet
from hcr_live.editor import Editor
from hcr_live.events import Event, character_event, text_event
from hcr_live.frame import Box, Frame
from hcr_live.ink.render import render_strokes
from hcr_live.language.suggester import Suggester
from hcr_live.mode import AutoMode
from hcr_live.options import MODES, ModeChoice, PenChoice
from hcr_live.paper.reader import PaperReader, PaperStep
from hcr_live.reading import Classifies, Prediction
from hcr_live.view import Mode, ShownPen, View

PROBE_SECONDS = 0.1
"""While a page is read, hands are looked for this often: a look costs more than the page."""

_KEY_REPEATS_FIRST, _KEY_REPEATS = 0.6, 0.2
"""A key that is held is heard again after so many seconds, at first and then."""

_EARLY = 1.5
"""Seconds within which a stroke may belong to the character with which air-writing begins."""

_HINT_SECONDS = 3.0
"""Two hints take turns, each shown for so long."""

_COMING: dict[Action | None, str] = {
    "undo": "take back",
    "accept": "take word",
    "clear": "clear all",
}

_PEN_SHOWN: dict[PenState, ShownPen] = {
    PenState.NO_HAND: "none",
    PenState.HOVER: "up",
    PenState.DOWN: "down",
}


class _Place(TypedDict):
    time: float
    frame: int
    size: tuple[int, int]


class Session:
    """Frames in, views and events out.

    Args:
        classifier: The network.
        hands: Looks for hands: they write in the air, and are not ink on paper.
        mode: What to read.
        alphabet: Name of the alphabet.
        min_confidence: Characters less sure than this are not reported, in [0, 1].
        mirror: The camera faces the writer: air strokes are read as the writer sees them.
        pen: How the pen of the air is held.
        suggest: Finds words for the one being written; None for no suggestions.
        region: Paper is read only in this part of the frame; None looks for a sheet.
        keys: Hints name the window's keys.

    Raises:
        HcrError: If there is no such alphabet.
    """

    def __init__(
        self,
        classifier: Classifies,
        hands: Hands,
        *,
        mode: ModeChoice = "auto",
        alphabet: str = "letters",
        min_confidence: float = 0.5,
        mirror: bool = False,
        pen: PenChoice = "auto",
        suggest: Suggester | None = None,
        region: Box | None = None,
        keys: bool = True,
    ) -> None:
        self._classifier = classifier
        self._choice: ModeChoice = mode
        self._alphabet = get_alphabet(alphabet)
        self._min_confidence = min_confidence
        self._pen_choice: PenChoice = pen
        self._pen_is_a_key = pen == "space"
        self._suggest = suggest
        self._keys = keys
        self._editor = Editor(suggest)
        self._latest: Prediction | None = None
        self._seen: NDArray[np.float32] | None = None
        self._frame: Frame | None = None
        self._watch(hands, mirror, region)

    def _watch(self, hands: Hands, mirror: bool, region: Box | None) -> None:
        """Set up all that is known of a picture that goes on."""
        self._hands = hands
        self._auto = AutoMode()
        self._looked_at = float("-inf")
        self._looking = 0
        self._ahead: deque[Frame] = deque()
        self._covered: tuple[Box, ...] = ()
        self._pen = Pen(choice=self._pen_choice)
        self._key_held_until = float("-inf")
        self._pen_update: PenUpdate | None = None
        self._early: tuple[Stroke, ...] = ()
        self._gestures = Gestures()
        self._gesture = GestureUpdate()
        writer = Writer(self._classifier, self._alphabet, mirror=mirror)
        self._desk = AirDesk(writer, self._editor, self._min_confidence)
        self._paper = PaperReader(self._classifier, self._alphabet, self._min_confidence, region)
        self._paper_step: PaperStep | None = None

    @property
    def text(self) -> str:
        """The text so far, lines parted by newlines."""
        return str(self._editor)

    @property
    def mode(self) -> Mode:
        """What is being read now."""
        return self._auto.mode if self._choice == "auto" else self._choice

    @property
    def model_name(self) -> str:
        """Name of the network."""
        return self._classifier.name

    def warm_up(self) -> None:
        """Read made-up pictures once: the first time OpenCV's functions take ten times as long."""
        ink = render_strokes([[(0, 0), (1, 1)], [(0, 1), (1, 0)]], size=120)
        sheet = np.full((480, 640, 3), 90, np.uint8)
        sheet[80:400, 120:520] = 230
        sheet[160 : 160 + ink.shape[0], 260 : 260 + ink.shape[1]] -= (ink // 2)[..., None]
        paper = PaperReader(self._classifier, self._alphabet, self._min_confidence)
        for number, picture in enumerate((np.full_like(sheet, 90), sheet, sheet)):
            paper.step(Frame(picture, number, number / 30))
        if self._choice != "paper":
            self._classifier.stroke_probabilities([[[(0, 0), (1, 1)]]])

    def step(self, frame: Frame) -> tuple[View, list[Event]]:
        """Take in one frame; times must increase."""
        before, mode = self.text, self.mode
        self._frame = frame
        events: list[Event] = []
        every_frame = self._looks_every_frame()
        if self._ahead and self._ahead[0] is frame:
            self._ahead.popleft()
        elif every_frame or self._probe_is_due(frame.time):
            # A probe is collected when the next one is due, so that it never holds up a page.
            events += self._take_hands()
            self._look(frame)
        if mode == "paper":
            events += self._read_paper(frame)
        if every_frame:
            events += self._take_hands()
        if mode == "paper" and self.mode == "air":
            self._leave_paper()
        return self._view(frame), events + self._text_events(before)

    @property
    def frames_ahead(self) -> int:
        """How many frames `look_ahead` can make use of."""
        return self._hands.at_once

    def look_ahead(self, frame: Frame) -> None:
        """Start to look for hands in a frame that `step` will be given soon, in the same order.

        So they are found while the frame before is still drawn. Changes no result, and may be
        left out, as with a camera, whose next frame is not there yet.
        """
        only_ahead = self._looking == len(self._ahead)
        if self._looks_every_frame() and only_ahead and self._looking < self._hands.at_once:
            self._look(frame)
            self._ahead.append(frame)

    def finish(self) -> list[Event]:
        """Finish the character being written and keep the page; the frames have ended."""
        before = self.text
        events = self._take_hands()
        self._forget_looks()  # of frames that did not come any more
        if self._is_air() and self._frame is not None:
            update = self._pen.flush()
            events += self._desk.step(update.ended, None, update.palm, **self._place())
            events += self._desk.finish(**self._place())
            self._latest, self._seen = self._desk.latest, self._desk.seen
        self._editor.keep_page()
        return events + self._text_events(before)

    def begin_anew(self, hands: Hands) -> list[Event]:
        """Forget the picture but not the text: another one follows, such as of a turned camera.

        What is in work is lost unless `finish` came before; the region is given up.

        Args:
            hands: Looks for hands from now on, and has seen none yet.
        """

        def change() -> None:
            self._editor.keep_page()
            self._watch(hands, self.mirror, None)

        return self._edit(change)

    def choose_mode(self, mode: ModeChoice) -> list[Event]:
        """Read from now on what is said; nothing changes if it is so already."""
        return self._edit(lambda: self._choose_mode(mode)) if mode != self._choice else []

    def next_mode(self) -> list[Event]:
        """Go on to the next of auto, paper, air."""
        return self.choose_mode(MODES[(MODES.index(self._choice) + 1) % len(MODES)])

    def choose_alphabet(self, name: str) -> list[Event]:
        """Go on with an alphabet; the page in view is read anew if it is another one.

        Raises:
            HcrError: If there is no such alphabet.
        """
        if name == self._alphabet.name:
            return []
        alphabet = get_alphabet(name)

        def change() -> None:
            self._alphabet = alphabet
            self._desk.writer.alphabet = alphabet
            self._paper.read_anew(alphabet)
            self._editor.show_page(())

        return self._edit(change)

    def next_alphabet(self) -> list[Event]:
        """Go on to the next alphabet; the page in view is read anew with it."""
        index = ALPHABETS.index(self._alphabet.name) + 1
        return self.choose_alphabet(ALPHABETS[index % len(ALPHABETS)])

    def edit(self, action: Action, number: int = 0) -> list[Event]:
        """Do what a key says: the same edits as by gesture.

        Args:
            action: What to do. With the space bar as pen, "space" holds the pen down for a moment:
                a key that is held is pressed again and again.
            number: Of the suggestion to accept, from 0.
        """
        if action == "space" and self._pen_is_a_key:
            time = self._frame.time if self._frame else 0.0
            again = time < self._key_held_until
            self._key_held_until = time + (_KEY_REPEATS if again else _KEY_REPEATS_FIRST)
            return []
        before = self.text
        events = self._desk.edit(action, number=number, **self._place())
        if action == "clear":
            self._latest = self._seen = None
        return events + self._text_events(before)

    @property
    def mirror(self) -> bool:
        """Whether the camera faces the writer."""
        return self._desk.writer.mirrored

    @mirror.setter
    def mirror(self, mirror: bool) -> None:
        self._desk.writer.mirrored = mirror

    def read_only(self, region: Box | None) -> list[Event]:
        """Read paper only in a part of the frame, None: wherever a sheet is; the page is kept."""

        def change() -> None:
            self._editor.keep_page()
            self._paper.region = region
            self._paper_step = None

        return self._edit(change)

    def refresh(self, view: View) -> View:
        """Return the view with what an edit changed."""
        return replace(
            view,
            mode=self._shown_mode,
            automatic=self._choice == "auto",
            alphabet=self._alphabet.name,
            latest=self._latest,
            seen=self._seen,
            text=self.text,
            word_ended=self._editor.word_ended,
            suggestions=self._editor.suggestions,
        )

    def _edit(self, change: Callable[[], None]) -> list[Event]:
        before = self.text
        change()
        return self._text_events(before)

    def _choose_mode(self, choice: ModeChoice) -> None:
        self._forget_looks()  # they are of the mode before
        was = self.mode
        self._choice = choice
        self._auto = AutoMode()
        if was == "paper" and self.mode == "air":
            self._leave_paper()

    def _leave_paper(self) -> None:
        self._editor.keep_page()
        self._paper.leave()
        self._paper_step = None

    def _looks_every_frame(self) -> bool:
        """Whether hands are looked for in each frame: unless a page is read and no hand is seen."""
        if self._choice == "paper":
            return False
        if self.mode == "air":
            return True
        pen = self._pen_update
        hand = pen is not None and pen.state is not PenState.NO_HAND
        return hand or bool(self._desk.update.strokes) or not self._paper.reading

    def _probe_is_due(self, time: float) -> bool:
        return time - self._looked_at >= PROBE_SECONDS

    def _look(self, frame: Frame) -> None:
        self._hands.look(frame)
        self._looking += 1
        self._looked_at = frame.time

    def _forget_looks(self) -> None:
        while self._hands.found() is not None:
            pass
        self._looking = 0
        self._ahead.clear()

    def _take_hands(self) -> list[Event]:
        """Collect the looks under way at frames that have come, and move the pen by them."""
        events: list[Event] = []
        while self._looking > len(self._ahead):
            look = self._hands.found()
            self._looking -= 1
            if look is not None:
                events += self._move_pen(*look)
        return events

    def _move_pen(self, frame: Frame, hands: tuple[Hand, ...]) -> list[Event]:
        self._covered = tuple(_hand_box(hand) for hand in hands)
        if self._choice == "paper":
            return []
        update = self._pen.step(hands, frame.time, held=frame.time < self._key_held_until)
        self._pen_update = update
        self._auto = self._auto.step(update.state is PenState.DOWN, frame.time)
        ended = (*self._early, *update.ended)
        if not self._is_air():
            # The strokes that show that it is air come before it is known.
            self._early = tuple(s for s in ended if frame.time - s[-1, 2] < _EARLY)
            return []
        self._early = ()
        if update.writing is not None and self._suggest is not None:
            self._suggest.prepare()  # it takes less time than the first letter
        place = _place_of(frame)
        events = self._desk.step(ended, update.writing, update.palm, **place)
        self._gesture = self._gestures.step(
            update.hand,
            place["size"],
            frame.time,
            writes=update.state is PenState.DOWN,
            busy=bool(self._desk.update.strokes),
        )
        if self._gesture.action is not None:
            events += self._desk.edit(self._gesture.action, **place)
        if self._desk.latest is not None or self._gesture.action == "clear":
            self._latest, self._seen = self._desk.latest, self._desk.seen
        return events

    @property
    def _shown_mode(self) -> Mode:
        """What the window says: air also while a hand rests, or is gone, and may come back."""
        return "air" if self._is_air() else self.mode

    def _is_air(self) -> bool:
        """Whether strokes and gestures mean anything: also while a hand rests after writing."""
        if self.mode == "air":
            return True
        written = self._choice == "auto" and self._editor.can_undo
        return written and not self._paper.reading

    def _place(self) -> _Place:
        """Where in the run the present frame is."""
        if self._frame is None:
            return _Place(time=0.0, frame=0, size=(1, 1))
        return _place_of(self._frame)

    def _read_paper(self, frame: Frame) -> list[Event]:
        step = self._paper.step(frame, self._covered)
        self._paper_step = step
        if step.page_ended:
            self._editor.keep_page()
        self._editor.show_page(step.page)
        if step.settled:
            self._latest, self._seen = step.settled[-1], step.seen
        return [
            character_event(character, time=frame.time, frame=frame.index, mode="paper")
            for character in step.settled
        ]

    def _text_events(self, before: str) -> list[Event]:
        if self.text == before:
            return []
        return [text_event(self.text, time=self._frame.time if self._frame else 0.0)]

    def _view(self, frame: Frame) -> View:
        view = View(
            frame,
            mode=self._shown_mode,
            automatic=self._choice == "auto",
            alphabet=self._alphabet.name,
            latest=self._latest,
            seen=self._seen,
            text=self.text,
            word_ended=self._editor.word_ended,
            hint=self._hint(),
            suggestions=self._editor.suggestions,
        )
        pen, paper = self._pen_update, self._paper_step
        if self._is_air() and pen is not None:
            view = replace(
                view,
                trail=self._desk.update.strokes,
                pen=_PEN_SHOWN[pen.state],
                tip=pen.tip,
                pause=self._desk.update.pause,
                coming=_COMING.get(self._gesture.coming, ""),
                hold=self._gesture.progress,
            )
        if self.mode == "paper" and paper is not None:
            view = replace(
                view,
                marks=paper.marks,
                outline=paper.outline,
                guide=paper.guide,
                joined=paper.joined,
            )
        return view

    def _hint(self) -> str:
        """What to do next, in one short sentence."""
        if self._is_air():
            return self._air_hint()
        marks = self._paper_step.marks if self._paper_step is not None else ()
        if self._paper_step is not None and self._paper_step.blurred:
            return "Hold still: the writing is blurred."
        if any(not mark.settled for mark in marks):
            return "Hold still."
        if self._paper_step is not None and self._paper_step.joined:
            return "Joined writing is not read: write the letters apart."
        if marks:
            return "h help   m mode   a alphabet   r record   q quit" if self._keys else ""
        if self._choice == "paper":
            return "Hold a sheet with letters into the frame."
        return "Hold up a sheet with letters, or point with one finger and write in the air."

    def _air_hint(self) -> str:
        """The gesture that is useful now."""
        pen, text = self._pen_update, self.text
        if pen is None or pen.state is PenState.NO_HAND:
            if text and not text[-1].isspace():
                return "The hand is gone: that makes a space. Show it again to go on."
            return "Show one hand; write with the index finger, or thumb and index together."
        if self._gesture.coming == "clear":
            return "Open hand held still: this clears the text. Move or close the hand to keep it."
        if pen.state is PenState.DOWN:
            return "Writing: open the hand to lift the pen."
        if self._desk.update.strokes:
            return "Next stroke, or wait until the ring is full; two fingers up take it back."
        if self._desk.unsure:
            return "Not sure what that was: write it again, larger."
        time = self._frame.time if self._frame is not None else 0.0
        if self._editor.suggestions and time % (2 * _HINT_SECONDS) < _HINT_SECONDS:
            word = self._editor.suggestions[0]
            keys = ", keys 1 to 3 any" if self._keys else ""
            return f"Thumb up takes {word}{keys}; two fingers up take back."
        if text:
            return "Two fingers up: take back. Hand out of sight: space. Open hand, still: clear."
        if self._editor.can_undo:
            return "Two fingers up bring the text back; point with the index finger to write."
        return "Point with the index finger to write, or hold thumb and index together."


def _place_of(frame: Frame) -> _Place:
    height, width = frame.image.shape[:2]
    return _Place(time=frame.time, frame=frame.index, size=(width, height))


def _hand_box(hand: Hand) -> Box:
    """Bounding box of a hand: its landmarks lie inside it, so half a finger's width is added."""
    x, y, w, h = bounds((hand.landmarks,))
    margin = round(0.1 * max(w, h))
    return Box(x - margin, y - margin, w + 2 * margin, h + 2 * margin)
