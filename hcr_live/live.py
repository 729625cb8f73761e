"""The live loop: joins source, session, overlay, window, recording and events."""

from __future__ import annotations

import json
import math
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from hcr_live import __version__
from hcr_live.ahead import FramesAhead
from hcr_live.errors import HcrError
from hcr_live.events import Event, end_event, start_event, view_event
from hcr_live.frame import Box, Frame
from hcr_live.options import ExcerptFormat, Layout, LiveOptions
from hcr_live.outputs import Outputs, open_outputs
from hcr_live.overlay.annotate import annotated_size
from hcr_live.overlay.layout import compose, composed_size, with_countdown
from hcr_live.paper.page import check_region
from hcr_live.resources import asset_path
from hcr_live.sources.base import EndOfSource, Source
from hcr_live.view import Status, View

if TYPE_CHECKING:
    from hcr_live.air.watcher import Hands, HandWatcher
    from hcr_live.session import Session
    from hcr_live.sinks.events import EventLog
    from hcr_live.sinks.excerpt import Excerpts
    from hcr_live.sinks.recorder import Recorder
    from hcr_live.sinks.window import Window

_STILL_SECONDS = 2.0  # how long the window shows each picture of a folder
_END_SECONDS = 2.0  # how long the window stays after the last frame of a file
_NOTICE_SECONDS = 4.0
_COUNTDOWN_SECONDS = 3.0  # before a recording from a camera, for who has to get ready
_USUAL_FPS = 24.0  # of a film; phones and cameras have more


@dataclass(frozen=True)
class Summary:
    """How a run ended; `seconds` are of the clip (file) or since the start (camera)."""

    frames: int
    dropped: int
    seconds: float
    text: str


class LiveLoop:
    """Takes frames from a source to the sinks until it ends or the user quits.

    Args:
        source: Where frames come from; closed by the caller.
        session: What reads them.
        write_event: Takes each event as it happens.
        window: Shows pictures and hands over keys; None for no window.
        record: Recording to start with, or None.
        mirror: Show the picture as in a mirror.
        max_seconds: Stop after so much time, or None.
        layout: How camera and network stand together.
        title: A line on every picture, or "".
        countdown: Seconds that a recording waits before it takes pictures; the window counts.
        excerpts: Keeps the last seconds shown; None for no such key.
        excerpt_format: What it writes.
        outputs: Where text and pictures go besides.
        clock: Seconds of a steady clock; a test passes its own.
    """

    def __init__(
        self,
        source: Source,
        session: Session,
        write_event: Callable[[Event], None],
        *,
        window: Window | None = None,
        record: Path | None = None,
        overwrite: bool = False,
        mirror: bool = False,
        max_seconds: float | None = None,
        layout: Layout = "overlay",
        title: str = "",
        countdown: float = 0.0,
        excerpts: Excerpts | None = None,
        excerpt_format: ExcerptFormat = "gif",
        outputs: Outputs | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._source = source
        self._session = session
        self._write_event = write_event
        self._window = window
        self._record_to = record
        self._overwrite = overwrite
        self._max_seconds = max_seconds
        self._clock = clock
        self._layout: Layout = layout
        self._title = title
        self._countdown = countdown
        self._count_until = float("-inf")
        self._excerpts = excerpts
        self._excerpt_format = excerpt_format
        self._outputs = outputs or Outputs()
        self._recorder: Recorder | None = None
        self._status = Status(mirror=mirror, sending=self._outputs.shown)
        self._notice, self._notice_until = "", float("-inf")
        self._view: View | None = None
        self._ahead = FramesAhead(source, session)
        self._picture: NDArray[np.uint8] | None = None
        self._frames = 0
        self._dropped_before = 0
        self._started = clock()
        self.recording_error = ""
        self.output_errors: list[str] = []
        self._shown_at = float("-inf")
        self._quit = False

    def run(self) -> Summary:
        """Run to the end; recording, events and text are finished whatever ends it."""
        try:
            self._warm_up()
            while not self._quit:
                self._step()
        except EndOfSource:
            self._show_end()
        except KeyboardInterrupt:
            pass  # the way to end a run without a window
        finally:
            summary = self._finish()
        return summary

    def _warm_up(self) -> None:
        """Do what is slow the first time before a camera's first frame is waiting; files wait."""
        if not self._source.info.live:
            return
        self._session.warm_up()
        if self._window is None and self._record_to is None:
            return
        info = self._source.info
        blank = Frame(np.zeros((info.height, info.width, 3), np.uint8), 0, 0.0)
        self._start_recording(self._draw(self._session.refresh(View(blank, "paper", True, ""))))

    def _step(self) -> None:
        frame = self._ahead.next()
        if frame is None:
            self._wait_for_source()
            return
        if self._max_seconds is not None and frame.time >= self._max_seconds:
            raise EndOfSource
        if self._frames == 0:
            # What a camera took while the program still loaded was not dropped by the loop.
            self._dropped_before = self._source.dropped
            self._started = self._clock()
            self._begin_countdown()
        self._frames += 1
        self._view, events = self._session.step(frame)
        self._emit(events)
        self._ahead.look(frame)
        self._measure_rate()
        self._outputs.follow(self._view)
        if self._is_picture_wanted():
            self._show(self._view)

    def _is_picture_wanted(self) -> bool:
        records = self._recorder is not None or self._record_to is not None
        return self._window is not None or records or self._outputs.takes_pictures

    def _wait_for_source(self) -> None:
        """No new frame: keep the window alive and say what the source says."""
        if self._max_seconds is not None and self._elapsed() >= self._max_seconds:
            raise EndOfSource
        if self._window is not None and self._view is not None:
            self._present(self._draw(self._view, fps=0.0))
        self._take_keys(0.0)

    def _show(self, view: View) -> None:
        self._picture = self._draw(view)
        self._start_recording(self._picture)
        self._outputs.picture(self._picture)
        if self._recorder is not None and not self._seconds_left():
            self._recorder.write(self._picture, view.frame.time)
            if self._recorder.error:
                self._say(self._recorder.error)
                self._stop_recording()
        if self._window is not None:
            if self._excerpts is not None:
                self._excerpts.picture(self._picture, view.frame.time)
            self._present(self._picture)
            self._take_keys(self._time_to_next(view))

    def _draw(self, view: View, *, fps: float | None = None) -> NDArray[np.uint8]:
        records = self._recorder is not None or self._record_to is not None
        status = replace(
            self._status,
            fps=self._status.fps if fps is None else fps,
            notice=self._current_notice(),
            recording=records and not self._seconds_left(),
        )
        return compose(view, status, self._layout, self._title)

    def _present(self, picture: NDArray[np.uint8]) -> None:
        """Show a picture, with the countdown that no recording has."""
        if self._window is not None:
            left = self._seconds_left()
            self._window.show(with_countdown(picture, math.ceil(left)) if left else picture)

    def _time_to_next(self, view: View) -> float:
        """Seconds to wait so that a file plays at its own pace."""
        if self._source.info.live:
            return 0.0
        if view.frame.still:
            return _STILL_SECONDS
        return max(0.0, view.frame.time - self._elapsed())

    def _take_keys(self, seconds: float) -> None:
        if self._window is None:
            return
        until = self._clock() + seconds
        while not self._quit:
            key = self._window.poll(max(0.0, until - self._clock()))
            if key is not None:
                self._press(key)
            dragged = self._window.dragged()
            if dragged is not None:
                self._read_only(dragged)
            if key is not None or dragged is not None:
                self._redraw()
            if self._clock() >= until:
                return

    def _redraw(self) -> None:
        """Show what a key changed before the next frame comes: after a still it may be long."""
        if self._window is not None and self._view is not None and not self._quit:
            self._picture = self._draw(self._view)
            self._present(self._picture)

    def _press(self, key: str) -> None:
        session = self._session
        if key in ("q", "escape", "close"):
            self._quit = True
        elif key == "h":
            self._status = replace(self._status, help_shown=not self._status.help_shown)
        elif key == "f":
            self._status = replace(self._status, mirror=not self._status.mirror)
            session.mirror = self._status.mirror
        elif key == "r":
            self._toggle_recording()
        elif key == "s":
            self._snapshot()
        elif key == "g" and self._excerpts is not None:
            self._say(self._excerpts.save(_free_name(f".{self._excerpt_format}")))
        else:
            edits: dict[str, Callable[[], list[Event]]] = {
                "m": session.next_mode,
                "a": session.next_alphabet,
                " ": lambda: session.edit("space"),
                "backspace": lambda: session.edit("delete"),
                "c": lambda: session.edit("clear"),
                "u": lambda: session.edit("undo"),
                "1": lambda: session.edit("accept", 0),
                "2": lambda: session.edit("accept", 1),
                "3": lambda: session.edit("accept", 2),
            }
            if key in edits:
                self._emit(edits[key]())
        if self._view is not None:
            self._view = session.refresh(self._view)
            self._outputs.follow(self._view)

    def _read_only(self, dragged: Box) -> None:
        """Read only what the mouse was dragged over; a click ends that."""
        if self._view is None or self._picture is None:
            return
        height, width = self._view.frame.image.shape[:2]
        shown_width, shown_height = annotated_size(width, height)
        x, y, w, h = dragged
        if self._status.mirror:
            x = shown_width - x - w
        across, down = width / shown_width, height / shown_height
        box = Box(round(x * across), round(y * down), round(w * across), round(h * down))
        try:
            check_region(box, width, height)
            self._emit(self._session.read_only(box))
            self._say("Paper is read only there; a click ends it.")
        except HcrError:  # nothing was dragged: a click
            self._emit(self._session.read_only(None))

    def _toggle_recording(self) -> None:
        if self._recorder is not None or self._record_to is not None:
            counting, path = self._seconds_left() > 0, self._record_to
            path = self._recorder.path if self._recorder is not None else path
            self._say("Nothing is recorded." if counting else f"Recorded {path}.")
            self._stop_recording()
        else:
            self._record_to = _free_name(".mp4")
            self._begin_countdown()

    def _begin_countdown(self) -> None:
        """Have a recording that is wished for wait until the writer is ready."""
        is_wished_for = self._recorder is not None or self._record_to is not None
        if self._countdown and is_wished_for:
            self._count_until = self._clock() + self._countdown

    def _seconds_left(self) -> float:
        """Until the recording takes pictures."""
        if self._count_until == float("-inf"):
            return 0.0
        left = max(0.0, self._count_until - self._clock())
        if not left:
            self._count_until = float("-inf")
        return left

    def _start_recording(self, picture: NDArray[np.uint8]) -> None:
        """Start the recording that is wished for, if any, with pictures of this size."""
        path, self._record_to = self._record_to, None
        if path is None:
            return
        from hcr_live.sinks.recorder import Recorder

        height, width = picture.shape[:2]
        try:
            self._recorder = Recorder(
                path,
                width,
                height,
                overwrite=self._overwrite,
                wait=not self._source.info.live,
            )
        except HcrError as error:
            if self._frames <= 1:
                raise  # asked for on the command line: better no run than one without it
            self._count_until = float("-inf")
            self._say(str(error))

    def _stop_recording(self) -> None:
        self._record_to, self._count_until = None, float("-inf")
        if self._recorder is not None:
            self._recorder.close()
            if self._recorder.error:
                self.recording_error = self._recorder.error
            elif self._recorder.dropped:
                self.recording_error = (
                    f"{self._recorder.dropped} pictures are missing in {self._recorder.path}: "
                    "this computer could not encode them in time."
                )
            self._recorder = None

    def _snapshot(self) -> None:
        """Save what the window shows, and what is known of it."""
        if self._picture is None or self._view is None:
            return
        import cv2

        path = _free_name(".png", ".json")
        _, content = cv2.imencode(".png", self._picture)
        known = view_event(self._view, self._source.dropped - self._dropped_before)
        try:
            path.write_bytes(content.tobytes())
            text = json.dumps(known, indent=2) + "\n"
            path.with_suffix(".json").write_text(text, encoding="utf-8")
            self._say(f"Saved {path}, and what was read beside it as .json.")
        except OSError as error:
            self._say(f"Cannot write {path}: {error.strerror}.")

    def _emit(self, events: list[Event]) -> None:
        for event in events:
            self._write_event(event)

    def _say(self, notice: str) -> None:
        self._notice, self._notice_until = notice, self._clock() + _NOTICE_SECONDS

    def _current_notice(self) -> str:
        news = self._excerpts.news() if self._excerpts is not None else ""
        if news:
            self._say(news)
        if self._clock() < self._notice_until:
            return self._notice
        return self._source.notice or self._outputs.notice

    def _measure_rate(self) -> None:
        now = self._clock()
        interval = now - self._shown_at
        self._shown_at = now
        if 0 < interval < 2:
            rate = 1 / interval
            fps = rate if self._status.fps == 0 else self._status.fps * 0.95 + rate * 0.05
            self._status = replace(self._status, fps=fps)

    def _elapsed(self) -> float:
        return self._clock() - self._started

    def _show_end(self) -> None:
        """Leave the last picture of a file on the window for a moment, with the whole text."""
        self._flush()
        if self._window is not None and not self._source.info.live:
            self._redraw()
            self._take_keys(_END_SECONDS)

    def _flush(self) -> None:
        """Finish the character and page in work; a recording shows what comes of it, too."""
        events = self._session.finish()
        self._emit(events)
        if self._view is None:
            return
        self._view = self._session.refresh(self._view)
        self._outputs.follow(self._view)
        if self._recorder is not None and events and not self._seconds_left():
            after = self._view.frame.time + 1 / max(self._source.info.fps, 1.0)
            self._recorder.write(self._draw(self._view), after)

    def _finish(self) -> Summary:
        self._flush()
        if self._recorder is not None and self._seconds_left():
            self.recording_error = (
                f"{self._recorder.path} was not recorded: the run ended before the countdown did."
            )
        self._stop_recording()
        self._close_outputs()
        frame = self._view.frame if self._view is not None else None
        seconds = self._elapsed() if self._source.info.live else frame.time if frame else 0.0
        dropped = self._source.dropped - self._dropped_before
        summary = Summary(self._frames, dropped, seconds, self._session.text)
        self._write_event(
            end_event(
                frames=summary.frames,
                dropped=summary.dropped,
                seconds=summary.seconds,
                text=summary.text,
            )
        )
        return summary

    def _close_outputs(self) -> None:
        self._outputs.close(self._session.text)
        self.output_errors = self._outputs.errors
        if self._excerpts is not None:
            self._excerpts.close()
            self.output_errors += [self._excerpts.error] if self._excerpts.error else []


def run(
    options: LiveOptions,
    *,
    window: Window | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> int:
    """Run the command `live`.

    Args:
        options: What was asked for.
        window: Used in place of a real window (tests, benchmarks).
        clock: Seconds of a steady clock.

    Returns:
        The exit status: 0, or 1 where part of the source or of an output was lost.

    Raises:
        HcrError: If an option, the source or an output can't be used.
    """
    import cv2

    from hcr_live.sinks.events import EventLog
    from hcr_live.sinks.excerpt import Excerpts
    from hcr_live.sinks.recorder import check_recording_path
    from hcr_live.sinks.window import OpenCVWindow, require_display
    from hcr_live.sources import open_source

    wants_window = options.window and window is None
    if wants_window:
        require_display()
    _check_outputs(options)
    if options.record is not None:
        check_recording_path(options.record, overwrite=options.overwrite)
    with ExitStack() as stack:
        stack.enter_context(terminate_as_interrupt())
        hands = _start_hands(stack)
        # Hands, decoding and encoding have threads of their own: more of them within OpenCV's
        # small steps cost twice the processor time and gain nothing.
        cv2.setNumThreads(1)
        source = open_source(
            options.source, width=options.width, height=options.height, fps=options.fps
        )
        stack.callback(source.close)
        if options.region is not None:
            check_region(options.region, source.info.width, source.info.height)
        mirror = source.info.live if options.mirror is None else options.mirror
        outputs = open_outputs(options, source.info)
        stack.callback(outputs.close)
        session = _make_session(options, hands, mirror)
        log = stack.enter_context(EventLog(options.events)) if options.events else None
        if wants_window:
            window = OpenCVWindow(
                *composed_size(source.info.width, source.info.height, options.layout)
            )
            stack.callback(window.close)

        def write_event(event: Event) -> None:
            if log is not None:
                log.write(event)

        write_event(
            start_event(
                source.info,
                mode=options.mode,
                alphabet=options.alphabet,
                mirror=mirror,
                model=session.model_name,
                version=__version__,
            )
        )
        loop = LiveLoop(
            source,
            session,
            write_event,
            window=window,
            record=options.record,
            overwrite=options.overwrite,
            mirror=mirror,
            max_seconds=options.max_seconds,
            layout=options.layout,
            title=options.title,
            countdown=_COUNTDOWN_SECONDS if source.info.live and window is not None else 0.0,
            excerpts=Excerpts(options.excerpt_seconds) if window is not None else None,
            excerpt_format=options.excerpt_format,
            outputs=outputs,
            clock=clock,
        )
        if not source.info.live and source.info.fps >= _USUAL_FPS:
            hands.take_turns()
        hands.wait_until_ready()
        if outputs.shown and window is None:
            print(f"hcr_live: on until the end: {', '.join(outputs.shown)}.", file=sys.stderr)
        summary = loop.run()
        if summary.text and str(options.events) != "-":
            print(summary.text)
        return _report(source, log, loop)


def _start_hands(stack: ExitStack) -> HandWatcher:
    """Start loading the hand detector on its own thread, while the source opens."""
    from hcr_live.air.hands import HandDetector
    from hcr_live.air.watcher import HandWatcher

    hands = HandWatcher(HandDetector)
    stack.callback(hands.close)
    return hands


def _make_session(options: LiveOptions, hands: Hands, mirror: bool) -> Session:
    from hcr_live.classifier import Classifier
    from hcr_live.language.suggester import Suggester
    from hcr_live.session import Session

    return Session(
        Classifier(options.model),
        hands,
        mode=options.mode,
        alphabet=options.alphabet,
        min_confidence=options.min_confidence,
        mirror=mirror,
        pen=options.pen,
        suggest=Suggester(options.language),
        region=options.region,
    )


def _report(source: Source, log: EventLog | None, loop: LiveLoop) -> int:
    """Say on stderr what was lost."""
    problems = [source.notice, log.error if log is not None else "", loop.recording_error]
    problems += loop.output_errors
    problems = [problem for problem in problems if problem]
    for problem in problems:
        print(f"hcr_live: {problem}", file=sys.stderr)
    return 1 if problems else 0


def _check_outputs(options: LiveOptions) -> None:
    """Make sure that nothing the run reads, or writes elsewhere, is written over.

    Raises:
        HcrError: If an output is an input, lies among the pictures of the source, or both
            outputs are one file.
    """
    source = asset_path("demo.mp4") if options.source == "demo" else Path(options.source)
    for output in (options.record, options.events):
        if output is None:
            continue
        for path in (source, options.config, options.model):
            if path is not None and is_same_file(output, path):
                raise HcrError(f"{output} is read by this run: choose another name to write to.")
        if output.exists() and is_same_file(output.parent, source):
            raise HcrError(f"{output} lies in the source's folder: choose another place.")
    if options.record and options.events and options.record.absolute() == options.events.absolute():
        raise HcrError(f"--record and --events are both {options.record}: give each its own file.")


def is_same_file(a: Path, b: Path) -> bool:
    """Return whether two paths lead to one file that is there."""
    try:
        return a.samefile(b)
    except OSError:
        return False


def _free_name(*endings: str) -> Path:
    """A file name of the present moment in the current folder, not taken with any of the endings.

    Returns:
        It with the first ending.
    """
    stem = name = datetime.now().strftime("hcr_live-%Y%m%d-%H%M%S")
    number = 1
    while any(Path(name + ending).exists() for ending in endings):
        number += 1
        name = f"{stem}-{number}"
    return Path(name + endings[0])


@contextmanager
def terminate_as_interrupt() -> Iterator[None]:
    """Let SIGTERM end the run as Ctrl-C does: recording and events are finished."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    previous = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, previous)
