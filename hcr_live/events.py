"""The events of a run, as the JSON objects that `--events` writes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hcr_live.frame import Box
from hcr_live.reading import Character, Prediction, Reading
from hcr_live.sources.base import SourceInfo
from hcr_live.view import Mode, View

Event = dict[str, Any]


def start_event(
    info: SourceInfo, *, mode: str, alphabet: str, mirror: bool, model: str, version: str
) -> Event:
    """The first event of a run; width, height and fps are what the source really gives."""
    return {
        "event": "start",
        "source": info.name,
        "width": info.width,
        "height": info.height,
        "fps": round(info.fps, 3),
        "mode": mode,
        "alphabet": alphabet,
        "mirror": mirror,
        "model": model,
        "version": version,
    }


def character_event(character: Character, *, time: float, frame: int, mode: Mode) -> Event:
    """A character became certain, at `time` seconds, in pixels of the unmirrored frame."""
    return {
        "event": "character",
        "time": round(time, 3),
        "frame": frame,
        "mode": mode,
        **character_fields(character),
    }


def stroke_event(stroke: NDArray[np.float32], *, palm: float, time: float) -> Event:
    """A stroke of the air ended; points are x, y in pixels of the unmirrored frame, and seconds."""
    return {
        "event": "stroke",
        "time": round(time, 3),
        "palm": round(palm, 1),
        "points": [[round(float(value), 3) for value in point] for point in stroke],
    }


def edit_event(action: str, number: int, *, time: float) -> Event:
    """A gesture or key edited what was written in the air; `number` of a suggestion, from 0."""
    event: Event = {"event": "edit", "time": round(time, 3), "action": action}
    return event | ({"number": number} if action == "accept" else {})


def text_event(text: str, *, time: float) -> Event:
    """The text changed."""
    return {"event": "text", "time": round(time, 3), "text": text}


def end_event(*, frames: int, dropped: int, seconds: float, text: str) -> Event:
    """The last event of a run."""
    return {
        "event": "end",
        "frames": frames,
        "dropped": dropped,
        "seconds": round(seconds, 3),
        "text": text,
    }


def view_event(view: View, dropped: int) -> Event:
    """All that an overlay draws on a frame, in pixels of the unmirrored frame.

    Args:
        view: What is known after the frame.
        dropped: How many frames were dropped so far.
    """
    height, width = view.frame.image.shape[:2]
    return {
        "event": "view",
        "frame": view.frame.index,
        "time": round(view.frame.time, 3),
        "dropped": dropped,
        "mode": view.mode,
        "automatic": view.automatic,
        "alphabet": view.alphabet,
        "width": width,
        "height": height,
        "marks": [
            prediction_fields(mark.prediction) | {"box": _whole(mark.box), "settled": mark.settled}
            for mark in view.marks
        ],
        "outline": None if view.outline is None else _points(view.outline),
        "guide": None if view.guide is None else _whole(view.guide),
        "joined": [_whole(box) for box in view.joined],
        "trail": [_points(stroke) for stroke in view.trail],
        "pen": view.pen,
        "tip": None if view.tip is None else [round(float(value), 1) for value in view.tip],
        "pause": round(float(view.pause), 3),
        "coming": view.coming,
        "hold": round(float(view.hold), 3),
        "suggestions": list(view.suggestions),
        "latest": None if view.latest is None else prediction_fields(view.latest),
        "text": view.text,
        "word_ended": view.word_ended,
        "hint": view.hint,
    }


def character_fields(character: Character) -> dict[str, Any]:
    """The part that events and `read --format json` share."""
    fields = prediction_fields(character)
    return {
        "text": fields["text"],
        "confidence": fields["confidence"],
        "box": _whole(character.box),
        "candidates": fields["candidates"],
    }


def prediction_fields(prediction: Prediction) -> dict[str, Any]:
    """The answer for one character: its label and the best three."""
    return {
        "text": prediction.text,
        "confidence": round(prediction.confidence, 4),
        "candidates": [[text, round(value, 4)] for text, value in prediction.candidates],
    }


def _whole(box: Box) -> list[int]:
    return [int(value) for value in box]


def _points(points: NDArray[np.float32]) -> list[list[float]]:
    tenths: list[list[float]] = np.round(points[:, :2].astype(np.float64), 1).tolist()
    return tenths


def reading_fields(source: str, reading: Reading) -> dict[str, Any]:
    """One row of `read --format json`."""
    return {
        "source": source,
        "text": reading.text,
        "lines": list(reading.lines),
        "characters": characters_fields(reading.characters),
        "joined": [_whole(box) for box in reading.joined],
    }


def characters_fields(characters: Sequence[Character]) -> list[dict[str, Any]]:
    """Several characters, in reading order."""
    return [character_fields(character) for character in characters]
