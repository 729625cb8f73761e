"""The command `annotate`: a video in; its annotated copy, subtitles and events out."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from hcr_live import __version__
from hcr_live.ahead import FramesAhead
from hcr_live.errors import HcrError
from hcr_live.events import Event, end_event, start_event
from hcr_live.options import LAYOUTS, MODES, PENS, AnnotateOptions
from hcr_live.overlay.layout import compose
from hcr_live.sinks.events import EventLog
from hcr_live.sinks.recorder import Recorder, check_recording_path
from hcr_live.sinks.subtitles import Captions, Cue, SubtitleFile
from hcr_live.sinks.tracks import SoundTrack, add_subtitles
from hcr_live.sources.base import EndOfSource, SourceInfo
from hcr_live.view import Status, View

if TYPE_CHECKING:
    from hcr_live.air.watcher import Hands
    from hcr_live.session import Session
    from hcr_live.sources.video import VideoSource

_USUAL_FPS = 24.0  # of a film; phones and cameras have more
_UNKNOWN_STEP = 1 / 30  # how long the last picture stands where the file states no rate
_LOG_SECONDS = 10.0  # how often the progress is said where nobody watches it


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what only `annotate` takes, and what it shares with `live` but not with `read`."""
    parser.add_argument("video", metavar="VIDEO", help="what to read: a video file, or demo")
    parser.add_argument(
        "--out",
        type=Path,
        required=True,
        metavar="OUT.mp4",
        help="the annotated copy, with its sound; beside it OUT.srt and OUT.vtt, subtitles of the "
        "text, and OUT.jsonl, the events",
    )
    parser.add_argument(
        "--overwrite", action="store_true", help="replace these files where they exist"
    )
    parser.add_argument(
        "--layout",
        choices=LAYOUTS,
        default="overlay",
        help="the last character over the picture, beside it with what the network sees, or with "
        "that in a corner; default overlay",
    )
    parser.add_argument("--title", default="", metavar="TEXT", help="a line above the picture")
    parser.add_argument(
        "--mode",
        choices=MODES,
        default="auto",
        help="read paper, read the air, or decide by what is seen; default auto",
    )
    parser.add_argument(
        "--pen",
        choices=[pen for pen in PENS if pen != "space"],
        default="auto",
        help="how the pen of the air is held: point with the index finger, or pinch it with the "
        "thumb; auto understands both; default auto",
    )
    parser.add_argument(
        "--mirror",
        action="store_true",
        help="the camera faced the writer: show the picture as in a mirror and read air-writing "
        "as the writer saw it",
    )


def run(options: AnnotateOptions) -> int:
    """Run the command `annotate`.

    Returns:
        The exit status: 0; 1 where part of the video or of an output was lost; 130 where Ctrl-C
        ended it, with all outputs complete up to there.

    Raises:
        HcrError: If an option, the video or an output can't be used.
    """
    import cv2

    from hcr_live.air.hands import HandDetector
    from hcr_live.air.watcher import HandWatcher
    from hcr_live.live import terminate_as_interrupt
    from hcr_live.paper.page import check_region

    path = _video_path(options.video)
    _check_outputs(options, path)
    with ExitStack() as stack:
        stack.enter_context(terminate_as_interrupt())
        hands = HandWatcher(HandDetector)
        stack.callback(hands.close)
        # Hands, decoding and encoding have threads of their own: more of them within OpenCV's
        # small steps cost twice the processor time and gain nothing.
        cv2.setNumThreads(1)
        source = _open(path)
        stack.callback(source.close)
        if options.region is not None:
            check_region(options.region, source.info.width, source.info.height)
        session = _make_session(options, hands)
        if source.info.fps >= _USUAL_FPS:
            hands.take_turns()
        hands.wait_until_ready()
        sound = SoundTrack(path, source.zero + Fraction(source.begin))
        stack.callback(sound.close)
        log, *files = outputs(options.out)[1:]
        copy = Copy(
            options,
            source.info,
            begin=source.begin,
            sound=sound,
            files=[stack.enter_context(SubtitleFile(file)) for file in files],
            log=stack.enter_context(EventLog(log)),
        )
        copy.start(model=session.model_name)
        bar = stack.enter_context(_bar(source))
        asked = stack.enter_context(_asked_to_stop())
        whole = False
        try:
            whole = _read(source, session, copy, bar, asked)
        finally:
            copy.finish(session, whole=whole)
    return _report(options, copy, source, stopped=asked.is_set() and not whole)


def outputs(out: Path) -> tuple[Path, Path, Path, Path]:
    """Return the copy's path and, beside it, those of the events and of both subtitle files."""
    return (out, out.with_suffix(".jsonl"), out.with_suffix(".srt"), out.with_suffix(".vtt"))


class Copy:
    """The annotated copy of a video while it is made, and what is written beside it.

    Args:
        options: What was asked for.
        info: Of the video.
        begin: Seconds of the frames' time at which the copy begins.
        sound: Of the video.
        files: Subtitles.
        log: Events.
    """

    def __init__(
        self,
        options: AnnotateOptions,
        info: SourceInfo,
        *,
        begin: float,
        sound: SoundTrack,
        files: Sequence[SubtitleFile],
        log: EventLog,
    ) -> None:
        self._options = options
        self._info = info
        self._begin = begin
        self._sound = sound
        self._files = files
        self._log = log
        self._captions = Captions()
        self._cues: list[Cue] = []
        self._status = Status(mirror=options.mirror)
        self._recorder: Recorder | None = None
        self._view: View | None = None
        self._picture: NDArray[np.uint8] | None = None
        self._frames = 0
        self._lacking = ""
        self.text = ""

    @property
    def failed(self) -> bool:
        """Whether no more pictures can be written."""
        return self._recorder is not None and bool(self._recorder.error)

    @property
    def problems(self) -> list[str]:
        """What of the outputs was lost, a sentence each."""
        parts = (self._recorder, self._sound, *self._files, self._log)
        lost = [part.error for part in parts if part is not None and part.error]
        return [*lost, self._lacking] if self._lacking else lost

    @property
    def seconds(self) -> float:
        """How long the copy is."""
        if self._view is None:
            return 0.0
        step = 1 / self._info.fps if self._info.fps else _UNKNOWN_STEP
        return self._view.frame.time + step - self._begin

    def start(self, *, model: str) -> None:
        """Write the first event."""
        self._log.write(
            start_event(
                self._info,
                mode=self._options.mode,
                alphabet=self._options.alphabet,
                mirror=self._options.mirror,
                model=model,
                version=__version__,
            )
        )

    def event(self, event: Event) -> None:
        """Take the next event."""
        self._log.write(event)
        if event["event"] == "text":
            self._show(self._captions.text(event["text"], event["time"] - self._begin))

    def frame(self, view: View) -> None:
        """Take the next picture; it is written when the one after it is there."""
        self._write()
        self._view, self._picture = view, self._compose(view)
        self._frames += 1

    def finish(self, session: Session, *, whole: bool) -> None:
        """Write what is left; the last picture shows the whole text.

        Args:
            session: Has read all frames.
            whole: The video was read to its end.
        """
        try:
            for event in session.finish():
                self.event(event)
            self.text = session.text
            if self._view is not None:
                self._picture = self._compose(session.refresh(self._view))
        finally:
            self._write()
            self._show(self._captions.finish(self.seconds))
            last = self._view.frame.time if self._view is not None else 0.0
            end = end_event(frames=self._frames, dropped=0, seconds=last, text=self.text)
            self._log.write(end)
            if self._recorder is not None:
                self._recorder.close(whole=whole)
                self._add_subtitles()

    def _add_subtitles(self) -> None:
        if self._cues and not self.failed:
            try:
                add_subtitles(self._options.out, self._cues)
            except HcrError as error:
                self._lacking = str(error)

    def _compose(self, view: View) -> NDArray[np.uint8]:
        return compose(view, self._status, self._options.layout, self._options.title)

    def _write(self) -> None:
        if self._view is None or self._picture is None:
            return
        if self._recorder is None:
            height, width = self._picture.shape[:2]
            self._recorder = Recorder(
                self._options.out,
                width,
                height,
                overwrite=self._options.overwrite,
                wait=True,
                begin=self._begin,
                tracks=(self._sound,),
                title=self._options.title,
            )
        self._recorder.write(self._picture, self._view.frame.time)

    def _show(self, cues: Sequence[Cue]) -> None:
        for cue in cues:
            self._cues.append(cue)
            for file in self._files:
                file.write(cue)


def _read(
    source: VideoSource, session: Session, copy: Copy, bar: Any, asked: threading.Event
) -> bool:
    """Take frames through the session into the copy.

    Returns:
        Whether it was all: a full disk ends it, and so does the user.
    """
    ahead = FramesAhead(source, session)
    while not (copy.failed or asked.is_set()):
        try:
            frame = ahead.next()
        except EndOfSource:
            return True
        if frame is None:
            continue
        view, events = session.step(frame)
        for event in events:
            copy.event(event)
        ahead.look(frame)
        copy.frame(view)
        bar.update()
    return False


@contextmanager
def _asked_to_stop() -> Iterator[threading.Event]:
    """Let Ctrl-C and SIGTERM end the run between two frames; a second one ends it at once."""
    asked = threading.Event()

    def ask(number: int, _: object) -> None:
        asked.set()
        signal.signal(number, signal.default_int_handler)

    before = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _bar(source: VideoSource) -> Any:
    """The progress, with the time left; said rarely where it goes into a file."""
    from tqdm import tqdm

    seen = sys.stderr is not None and sys.stderr.isatty()
    return tqdm(
        total=source.frames or None,
        unit=" frames",
        dynamic_ncols=True,
        mininterval=0.2 if seen else _LOG_SECONDS,
        disable=sys.stderr is None,
    )


def _make_session(options: AnnotateOptions, hands: Hands) -> Session:
    from hcr_live.classifier import Classifier
    from hcr_live.language.suggester import Suggester
    from hcr_live.session import Session

    return Session(
        Classifier(options.model),
        hands,
        mode=options.mode,
        alphabet=options.alphabet,
        min_confidence=options.min_confidence,
        mirror=options.mirror,
        pen=options.pen,
        suggest=Suggester(options.language),
        region=options.region,
        keys=False,
    )


def _video_path(video: str) -> Path:
    from hcr_live.resources import asset_path
    from hcr_live.sources.open import DEMO, DEMO_FILE

    if "://" in video:
        raise HcrError(f"{video} is an address: save the video, and give its file.")
    return asset_path(DEMO_FILE) if video == DEMO else Path(video).expanduser()


def _open(path: Path) -> VideoSource:
    """Open a video file.

    Raises:
        HcrError: If it is something else.
    """
    from hcr_live.sources.open import open_path
    from hcr_live.sources.video import VideoSource

    source = open_path(str(path))
    if not isinstance(source, VideoSource):
        source.close()
        raise HcrError(f"{path} is no video: 'read --annotate FOLDER' writes copies of pictures.")
    return source


def _check_outputs(options: AnnotateOptions, video: Path) -> None:
    """Find out before the run whether all files can be written.

    Raises:
        HcrError: If one can't, is read by the run, or exists and may not be replaced.
    """
    from hcr_live.live import is_same_file

    for output in outputs(options.out):
        for path in (video, options.config, options.model):
            if path is not None and is_same_file(output, path):
                raise HcrError(f"{output} is read by this run: choose another name for --out.")
    check_recording_path(options.out, overwrite=options.overwrite)
    for output in outputs(options.out)[1:]:
        if output.is_dir():
            raise HcrError(f"Cannot write {output}: it is a folder; choose another name for --out.")
        if output.exists() and not options.overwrite:
            raise HcrError(
                f"{output} exists already: choose another name for --out, or add --overwrite to"
                " replace it."
            )
        if output.exists() and not os.access(output, os.W_OK):
            raise HcrError(f"Cannot write {output}: no permission; choose another place.")


def _report(options: AnnotateOptions, copy: Copy, source: VideoSource, *, stopped: bool) -> int:
    """Print the text, say what was lost, and return the exit status."""
    if copy.text:
        print(copy.text)
    problems = [problem for problem in (source.notice, *copy.problems) if problem]
    for problem in problems:
        print(f"hcr_live: {problem}", file=sys.stderr)
    if stopped:
        print(
            f"hcr_live: Stopped: {options.out} holds the first {copy.seconds:.1f} seconds.",
            file=sys.stderr,
        )
        return 130
    return 1 if problems else 0
