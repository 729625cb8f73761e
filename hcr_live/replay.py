"""Read the strokes of an events file again, without video: `python main.py replay FILE`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, get_args

import numpy as np

from hcr_live.air.desk import AirDesk
from hcr_live.air.gestures import Action
from hcr_live.air.writer import Writer
from hcr_live.alphabet import get_alphabet
from hcr_live.editor import Editor
from hcr_live.errors import HcrError
from hcr_live.events import Event, text_event
from hcr_live.options import ReplayOptions
from hcr_live.reading import Classifies


def run(options: ReplayOptions) -> int:
    """Run the command `replay` and return its exit status, 0.

    Raises:
        HcrError: If the file, or an option, can't be used.
    """
    from hcr_live.classifier import Classifier
    from hcr_live.language.suggester import Suggester
    from hcr_live.sinks.events import EventLog

    recorded = read_events(options.file)
    with ExitStack() as stack:
        log = stack.enter_context(EventLog(options.events)) if options.events else None
        editor = Editor(Suggester(options.language))
        for event in replay(
            recorded,
            Classifier(options.model),
            editor,
            alphabet=options.alphabet,
            min_confidence=options.min_confidence,
        ):
            if log is not None:
                log.write(event)
    if str(options.events) != "-":
        print(editor)
    return 0


def replay(
    recorded: list[Event],
    classifier: Classifies,
    editor: Editor,
    *,
    alphabet: str | None = None,
    min_confidence: float = 0.5,
) -> Iterator[Event]:
    """Write recorded strokes again, and yield the events of it.

    Args:
        recorded: What `read_events` returned.
        classifier: The network.
        editor: Gets the text.
        alphabet: What can be written; None for that of the recording.
        min_confidence: As `--min-confidence`.
    """
    start = recorded[0]
    size = (int(start.get("width", 1)), int(start.get("height", 1)))
    chosen = get_alphabet(alphabet or start.get("alphabet", "letters"))
    writer = Writer(classifier, chosen, mirror=bool(start.get("mirror", False)))
    desk = AirDesk(writer, editor, min_confidence)
    palm = time = 0.0
    text = ""
    for event in recorded[1:]:
        if event["event"] not in ("stroke", "edit"):
            continue
        time = max(time, float(event["time"]))
        if event["event"] == "stroke":
            stroke = np.asarray(event["points"], np.float32)
            # The pause before it may have ended a character.
            events = desk.step((), None, palm, time=float(stroke[0, 2]), frame=0, size=size)
            palm = float(event["palm"])
            events += desk.step((stroke,), None, palm, time=time, frame=0, size=size)
        else:
            events = desk.step((), None, palm, time=time, frame=0, size=size)
            events += desk.edit(
                event["action"], time=time, frame=0, size=size, number=int(event.get("number", 0))
            )
        yield from events
        if str(editor) != text:
            text = str(editor)
            yield text_event(text, time=time)
    yield from desk.finish(time=time, frame=0, size=size)
    if str(editor) != text:
        yield text_event(str(editor), time=time)


def read_events(path: Path) -> list[Event]:
    """Return the events of a file that `--events` wrote, checked as far as `replay` needs them.

    Raises:
        HcrError: If the file can't be read, a line is no event, or it holds no strokes.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise HcrError(f"Cannot read {path}: it must be a file that --events wrote.") from error
    events = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            events.append(_checked(json.loads(line)))
        except (ValueError, KeyError, TypeError) as error:
            if number == len(lines):
                break  # the run was killed while it wrote this line
            raise HcrError(
                f"Line {number} of {path} is no event: it must be a file that --events wrote."
            ) from error
    if not events or events[0]["event"] != "start":
        raise HcrError(f"{path} does not begin with a start event: --events writes one.")
    if not any(event["event"] == "stroke" for event in events):
        raise HcrError(f"{path} holds no strokes: record it in mode air, with --events.")
    return events


_ACTIONS = get_args(Action)


def _checked(event: Any) -> Event:
    if event["event"] == "stroke":
        points = np.asarray(event["points"], np.float64)
        float(event["palm"])
        if points.ndim != 2 or points.shape[1] != 3 or not np.isfinite(points).all():
            raise ValueError("points are rows of x, y and time")
    if event["event"] in ("stroke", "edit"):
        float(event["time"])
    if event["event"] == "edit" and event["action"] not in _ACTIONS:
        raise ValueError(event["action"])
    return dict(event)
