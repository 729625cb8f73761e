"""What is written in the air becomes text: strokes and edits in, events out."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from hcr_live.air.gestures import Action
from hcr_live.air.pen import Stroke
from hcr_live.air.writer import Writer, WriterUpdate, Written
from hcr_live.editor import Editor
from hcr_live.events import Event, character_event, edit_event, stroke_event
from hcr_live.frame import Box
from hcr_live.reading import Character, Prediction


class AirDesk:
    """Joins the writer and the editor; a run and its replay go through the same one.

    Args:
        writer: Reads strokes.
        editor: Holds the text.
        min_confidence: Characters less sure than this are left out, in [0, 1].

    Attributes:
        update: What the writer said last.
        latest: The last character that was written, or None.
        seen: What the network was shown of it, or None.
        unsure: Whether the last one was left out.
    """

    def __init__(self, writer: Writer, editor: Editor, min_confidence: float) -> None:
        self.writer = writer
        self.update = WriterUpdate((), (), 0.0)
        self.latest: Prediction | None = None
        self.seen: NDArray[np.float32] | None = None
        self.unsure = False
        self._editor = editor
        self._min_confidence = min_confidence

    def step(
        self,
        ended: Sequence[Stroke],
        writing: Stroke | None,
        palm: float,
        *,
        time: float,
        frame: int,
        size: tuple[int, int],
    ) -> list[Event]:
        """Take in what the pen did in a frame.

        Args:
            ended: The strokes that ended, see `Writer.step`.
            writing: The stroke in progress, or None.
            palm: Length of the palm in pixels.
            time: Seconds, increasing.
            frame: Its number.
            size: Its width and height, pixels.
        """
        events = [stroke_event(stroke, palm=palm, time=time) for stroke in ended]
        self.update = self.writer.step(ended, writing, time, palm)
        return events + self._write(self.update.written, time, frame, size)

    def finish(self, *, time: float, frame: int, size: tuple[int, int]) -> list[Event]:
        """End the characters in progress."""
        written = self.writer.flush()
        self.update = WriterUpdate((), (), 0.0)
        return self._write(written, time, frame, size)

    def edit(
        self, action: Action, *, time: float, frame: int, size: tuple[int, int], number: int = 0
    ) -> list[Event]:
        """Do what a gesture or a key says.

        Args:
            action: What to do; "undo" takes back a stroke in progress before all else.
            time: Seconds.
            frame: Its number.
            size: Its width and height, pixels.
            number: Of the suggestion to accept, from 0.
        """
        # Pen strokes come before the edit that follows them, whatever the pause.
        undoes = action == "undo"
        events = [] if undoes else self.finish(time=time, frame=frame, size=size)
        editor, before = self._editor, str(self._editor)
        if undoes:
            did = self.writer.undo() or editor.undo()
        elif action == "end word":
            did = editor.end_word()
        else:
            if action == "space":
                editor.space()
            elif action == "delete":
                editor.delete()
            elif action == "clear":
                editor.clear()
            else:
                editor.accept(number)
            did = str(editor) != before
        if did and action == "clear":
            self.latest = self.seen = None
        return [*events, edit_event(action, number, time=time)] if did else events

    def _write(
        self, written: Sequence[Written], time: float, frame: int, size: tuple[int, int]
    ) -> list[Event]:
        events = []
        for one in written:
            prediction = one.prediction
            self.unsure = prediction.confidence < self._min_confidence
            if self.unsure:
                continue
            self.latest, self.seen = prediction, one.seen
            self._editor.write(prediction.text, one.letters)
            box = _inside(bounds(one.strokes), size)
            character = Character(
                prediction.text, prediction.confidence, prediction.candidates, box
            )
            events.append(character_event(character, time=time, frame=frame, mode="air"))
        return events


def bounds(strokes: Sequence[Stroke]) -> Box:
    """Return the bounding box of points, whole pixels; float32 (n, 2) or more columns each."""
    points = np.concatenate([stroke[:, :2] for stroke in strokes])
    x, y = np.floor(points.min(axis=0)).astype(int)
    right, bottom = np.ceil(points.max(axis=0)).astype(int)
    return Box(int(x), int(y), int(right - x), int(bottom - y))


def _inside(box: Box, size: tuple[int, int]) -> Box:
    """Clip a box to the frame, leaving at least a pixel: a fingertip may be outside."""
    width, height = size
    x, y = min(max(box.x, 0), width - 1), min(max(box.y, 0), height - 1)
    right = min(max(box.x + box.w, x + 1), width)
    bottom = min(max(box.y + box.h, y + 1), height)
    return Box(x, y, right - x, bottom - y)
