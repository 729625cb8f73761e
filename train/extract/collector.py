"""Collects characters from live frames: what is seen, when a picture is taken, what is kept.

A state machine without window, camera or clock: frames and keys go in, pictures and sheets out.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from hcr_live.errors import HcrError
from hcr_live.frame import Box, Frame
from hcr_live.paper.sharpness import BLURRED, edge_softness
from train.extract import answered, suggestions
from train.extract.ask import Questions
from train.extract.crossed_out import without_crossed_out
from train.extract.cutout import Sheet
from train.extract.labels import difference
from train.extract.plain import Probabilities, guesses_of, labelled, read_plain
from train.extract.printed import Form, cut_out, find_form
from train.extract.viewfinder import Finding, draw_finding, draw_review

_EVERY = 0.25
"""Seconds between two looks at what is written: one at a full form takes 0.2 s."""

_STEADY = 1.0
_STEADY_UNFINISHED = 3.0
"""Seconds that a sheet must look the same before its picture is taken; while boxes are empty
somebody may be writing still."""

_AGREE = 0.75
"""A look now and then may differ: a faint stroke comes and goes with the noise."""

_FORM_SECONDS = 1.0
"""So long after a form was seen nothing is taken for a plain sheet: its marks are just blurred."""

_MARK_SIDE = 1920
"""Pixels of the longer side in which marks are looked for, at most."""

_NOTICE_SECONDS = 3.0


@dataclass(frozen=True, eq=False)
class _Look:
    """What one frame showed: its time, what was cut out and read, how soft its edges are."""

    time: float
    sheet: Sheet
    guesses: list[str]
    softness: float
    form: Form | None

    @property
    def seen(self) -> object:
        """What must stay the same for the picture to be taken."""
        sheet = self.sheet
        if sheet.page is None:
            return tuple(one.line for one in sheet.cut_outs)
        return sheet.writer, sheet.page, sheet.hidden, [one.label for one in sheet.cut_outs]


class Collector:
    """Takes a sheet's picture once it is steady and sharp, has it confirmed, hands it over.

    Args:
        name: Of the source, for `Sheet.name`.
        probabilities: The network.
        labels: Lines of what is written on a sheet that is no form, if known.
        alphabet: Of the guesses.
        asks: Ask for each character, also where a form or the labels say it.
        by_hand: Somebody sees the pictures and presses keys; if not, what can be kept is kept.
        refusal: Says why a sheet must not be kept, "" if it may.
        mirror: Show the frames as in a mirror.

    Attributes:
        total: How many characters are kept; for the picture only.
        finished: Whether the user wants to end.
        hint: What to do next.
    """

    def __init__(
        self,
        name: str,
        probabilities: Probabilities,
        labels: Sequence[str] = (),
        *,
        alphabet: str = "all",
        asks: bool = False,
        by_hand: bool = True,
        refusal: Callable[[Sheet], str] = lambda _: "",
        mirror: bool = False,
    ) -> None:
        self._name = Path(name).name or name
        self._probabilities = probabilities
        self._labels = labels
        self._alphabet = alphabet
        self._asks = asks
        self._by_hand = by_hand
        self._refusal = refusal
        self._mirror = mirror
        self.total = 0
        self.finished = False
        self.hint = ""
        self._state: Literal["looking", "asking", "reviewing"] = "looking"
        self._frame: Frame | None = None
        self._form: Form | None = None
        self._form_seen = float("-inf")
        self._looks: deque[_Look] = deque()
        self._taken: _Look | None = None
        self._questions: Questions | None = None
        self._refused = ""
        self._kept: list[tuple[Sheet, list[str]]] = []
        self._gone = True
        self._size = 0
        self._steadiness = 0.0
        self._notice, self._notice_until = "", float("-inf")

    @property
    def waiting(self) -> bool:
        """Whether a key is needed, and frames are not."""
        return self._state != "looking"

    def kept(self) -> tuple[Sheet, list[str]] | None:
        """Return the next sheet to write and its guesses, each once, None if there is none."""
        return self._kept.pop(0) if self._kept else None

    def step(self, frame: Frame) -> None:
        """Look at the next frame; not while `waiting`."""
        self._frame = frame
        grey = cv2.cvtColor(frame.image, cv2.COLOR_BGR2GRAY)
        try:
            self._form = find_form(grey, "the picture", (min(_MARK_SIDE, max(grey.shape)),))
            if not self._looks or frame.time >= self._looks[-1].time + _EVERY:
                self._look(grey, frame)
        except HcrError as error:
            self._form_seen, self._form, self.hint = frame.time, None, str(error)
            self._forget()
            return
        self._take_if_steady()

    def press(self, key: str | None) -> None:
        """Take a key: as `train.extract.ask.AskWindow` names them."""
        if self._state == "asking" and self._questions is not None:
            self._answer(key, self._questions)
            return
        key = key.lower() if key is not None else ""
        if key in ("q", "escape", "close"):
            self.finished = True
        elif self._state == "looking":
            if key == " ":
                self._take()
        elif key == "enter" and not self._refused:
            self._keep()
        elif key in ("enter", "r", "backspace", " "):
            self._look_again()

    def finish(self) -> None:
        """Keep what was answered of a sheet in work, as the run ends."""
        if self._questions is not None and self._state != "looking":
            self._state = "reviewing"
            self._take_answers(self._questions)
            if self._taken is not None:
                self._keep()

    def picture(self, notice: str = "") -> NDArray[np.uint8] | None:
        """Return what to show now, uint8 (h, w, 3) BGR; None before the first frame.

        Args:
            notice: A sentence that matters more than the hint ("The camera stopped").
        """
        if self._state == "asking" and self._questions is not None:
            return self._questions.picture()
        if self._state == "reviewing" and self._taken is not None:
            return draw_review(self._taken.sheet, self._taken.guesses, self._refused)
        if self._frame is None:
            return None
        return draw_finding(self._frame.image, self._finding(notice), self._mirror)

    def _look(self, grey: NDArray[np.uint8], frame: Frame) -> None:
        name = f"{self._name} at {frame.time:.1f} s"
        if self._form is not None:
            self._form_seen = frame.time
            sheet = cut_out(grey, self._form, name)
            sheet = without_crossed_out(sheet, self._probabilities)
        elif frame.time < self._form_seen + _FORM_SECONDS:
            return
        else:
            sheet = read_plain(frame.image, name, self._probabilities, self._labels, tries=1)
            sheet = labelled(sheet, self._labels)
        look = _Look(
            frame.time,
            sheet,
            guesses_of(sheet, self._probabilities, self._alphabet),
            _softness(grey, sheet),
            self._form,
        )
        self._looks.append(look)
        while self._looks[0].time < frame.time - 2 * _STEADY_UNFINISHED:
            self._looks.popleft()
        self._gone |= sheet.page is not None or len(sheet.cut_outs) < self._size / 2

    def _take_if_steady(self) -> None:
        """Take the picture where that is possible, and say what to do where it is not."""
        self._steadiness = 0.0
        if not self._looks:
            return
        newest = self._looks[-1].sheet
        self.hint = self._why_not(newest)
        if self.hint:
            return
        if not self._gone:
            self.hint = "Hold up the next sheet. Space: take this one again."
        elif newest.hidden and self._by_hand:
            self.hint = f"Boxes covered or out of the picture: {newest.hidden}. Space: take it so."
        elif newest.outline is None and not self._labels:
            self.hint = "No edge of a sheet is seen: hold up all of it. Space: take it so."
        elif (steadiness := self._steady_for() / _needed(newest)) < 1:
            self._steadiness = steadiness
            self.hint = "Hold still."
            if newest.empty:
                self.hint = f"Boxes still empty: {newest.empty}. Hold still to take it so."
        elif self._best().softness > BLURRED:
            self.hint = "It is blurred: hold it still, closer, in more light. Space: take it so."
        else:
            self._take()

    def _why_not(self, sheet: Sheet) -> str:
        """Return why a sheet can't be kept, "" if it can."""
        if sheet.page is not None:
            return self._refusal(sheet) if sheet.cut_outs else "No box is filled in yet."
        if not self._labels and not self._by_hand:
            return "No form is seen; give --labels for a plain sheet."
        if not sheet.cut_outs:
            return "Hold up a form that is filled in, or a sheet of writing."
        return difference(sheet, self._labels) if self._labels else ""

    def _agreeing(self) -> list[_Look]:
        """Return the looks since when most agree with the newest."""
        looks = list(self._looks)
        while looks:
            agreeing = [look for look in looks if look.seen == looks[-1].seen]
            if agreeing[0] is looks[0] and len(agreeing) >= _AGREE * len(looks):
                return agreeing
            del looks[0]
        return []

    def _steady_for(self) -> float:
        """Return for how many seconds the sheet has looked the same."""
        agreeing = self._agreeing()
        return agreeing[-1].time - agreeing[0].time

    def _best(self) -> _Look:
        return min(self._agreeing(), key=lambda look: look.softness)

    def _take(self) -> None:
        if not self._looks:
            return
        self._taken = self._best()
        sheet = self._taken.sheet
        self._refused = self._why_not(sheet)
        if not sheet.cut_outs:
            self._taken = None
        elif self._refused or not (self._asks or (sheet.page is None and not self._labels)):
            self._state = "reviewing"
            if not self._by_hand and not self._refused:
                self._keep()
        else:
            self._state = "asking"
            inks = [one.ink for one in sheet.cut_outs]
            self._questions = Questions(inks, suggestions([sheet], [self._taken.guesses]))

    def _answer(self, key: str | None, questions: Questions) -> None:
        if key == "close":
            self.finished = True
        elif key == "escape":
            self._take_answers(questions)
        else:
            questions.press(key)
            if questions.done:
                self._take_answers(questions)

    def _take_answers(self, questions: Questions) -> None:
        """Go on with what was answered; with nothing, to the next sheet."""
        self._questions = None
        if self._taken is None:
            return
        look = self._taken
        sheets, guesses = answered([look.sheet], [look.guesses], questions.answers)
        if sheets:
            self._state = "reviewing"
            self._taken = _Look(look.time, sheets[0], guesses[0], look.softness, look.form)
        else:
            self._next_sheet(len(look.sheet.cut_outs))

    def _keep(self) -> None:
        if self._taken is not None:
            self._kept.append((self._taken.sheet, self._taken.guesses))
            self._say(f"Kept {len(self._taken.sheet.cut_outs)} characters.")
            self._next_sheet(len(self._taken.sheet.cut_outs))

    def _next_sheet(self, size: int) -> None:
        """Look for another sheet: the one in view, of so many characters, has to go first."""
        self._gone, self._size = False, size
        self._look_again()

    def _look_again(self) -> None:
        self._state, self._taken, self._questions, self._refused = "looking", None, None, ""
        self._forget()

    def _forget(self) -> None:
        """Begin anew to wait until the sheet is steady."""
        self._steadiness = 0.0
        self._looks.clear()

    def _say(self, notice: str) -> None:
        if self._frame is not None:
            self._notice, self._notice_until = notice, self._frame.time + _NOTICE_SECONDS

    def _finding(self, notice: str) -> Finding:
        look = self._looks[-1] if self._looks else None
        move = None
        before = look.form if look is not None else None
        if self._form is not None and before is not None and before.page == self._form.page:
            # The boxes go with the page between two looks.
            move = self._form.placed @ np.linalg.inv(before.placed)
        recent = self._frame is not None and self._frame.time < self._notice_until
        return Finding(
            look.sheet if look is not None else None,
            look.guesses if look is not None else [],
            sum(len(line) for line in self._labels),
            " ".join([self._notice] * recent + [self.hint]),
            notice,
            self._steadiness,
            self.total,
            move,
        )


def _needed(sheet: Sheet) -> float:
    """Return for how many seconds a sheet must look the same."""
    return _STEADY_UNFINISHED if sheet.empty or sheet.hidden else _STEADY


def _softness(grey: NDArray[np.uint8], sheet: Sheet) -> float:
    """Return how soft the edges of the writing are; see `edge_softness`."""
    boxes = []
    for one in sheet.cut_outs:
        if one.place is not None:
            # A cell's corners are printed, and its writing is smaller than it.
            shrink = 0.7 if sheet.page is not None else 1.0
            middle, size = one.place.mean(axis=0), np.ptp(one.place, axis=0) * shrink
            x, y = np.rint(middle - size / 2).astype(int).tolist()
            boxes.append(Box(x, y, *np.rint(size).astype(int).tolist()))
    softness = edge_softness(grey, boxes)
    return 0.0 if softness is None else softness
