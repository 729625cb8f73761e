"""Subtitles of the recognised text: from events to cues, and cues as SubRip and WebVTT files."""

from __future__ import annotations

import contextlib
import textwrap
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import IO

from hcr_live.errors import HcrError
from hcr_live.events import Event

SUBTITLE_SUFFIXES = (".srt", ".vtt")

_ROWS, _COLUMNS = 2, 42
"""What fits on a picture and is read at a glance; the usual rule of subtitling."""

_SHORTEST = 0.2
"""Seconds: the characters of a page become certain one soon after the other."""

_LAST = 1.0
"""Seconds that the last text is shown at least: it may come with the last frame."""


@dataclass(frozen=True)
class Cue:
    """A text and when it is shown, `begin` to `end`, in seconds."""

    begin: float
    end: float
    text: str


class Captions:
    """Makes cues of text events while they come.

    A cue shows the last two rows of the text, until that changes. Texts that follow each other
    too fast to be read become one cue.
    """

    def __init__(self) -> None:
        self._cue = Cue(0.0, 0.0, "")
        self._before: Cue | None = None  # held back, as `finish` may make it shorter

    def text(self, text: str, time: float) -> list[Cue]:
        """Take in that the text changed, and return the cues that are complete by that."""
        text = _caption(text)
        if text == self._cue.text:
            return []
        if time - self._cue.begin < _SHORTEST:
            self._cue = replace(self._cue, text=text)
            return []
        complete = self._before
        self._before = replace(self._cue, end=time)
        self._cue = Cue(time, time, text)
        return [complete] if complete is not None and _is_shown(complete) else []

    def finish(self, end: float) -> list[Cue]:
        """Return the cues that are left; the clip ends at `end` seconds."""
        cue, before = replace(self._cue, end=end), self._before
        if before is not None and cue.text:
            # Not before the middle of the text that it follows.
            early = max(end - _LAST, (before.begin + before.end) / 2)
            cue = replace(cue, begin=min(cue.begin, early))
            before = replace(before, end=min(before.end, cue.begin))
        self._before, self._cue = None, Cue(end, end, "")
        return [cue for cue in (before, cue) if cue is not None and _is_shown(cue)]


def cues(events: Iterable[Event], end: float) -> Iterator[Cue]:
    """Yield what subtitles show of a run.

    Args:
        events: As `--events` writes them, in order.
        end: Seconds at which the clip ends.

    Yields:
        Cues in order, none over another; none where there is no text.
    """
    captions = Captions()
    for event in events:
        if event["event"] == "text":
            yield from captions.text(event["text"], float(event["time"]))
    yield from captions.finish(end)


def srt(number: int, cue: Cue) -> str:
    """Return a cue as SubRip writes it; `number` from 1."""
    return f"{number}\n{_clock(cue.begin, ',')} --> {_clock(cue.end, ',')}\n{cue.text}\n\n"


def vtt(cue: Cue) -> str:
    """Return a cue as WebVTT writes it (https://www.w3.org/TR/webvtt1/)."""
    text = cue.text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return f"{_clock(cue.begin, '.')} --> {_clock(cue.end, '.')}\n{text}\n\n"


class SubtitleFile:
    """A subtitle file to which cues are written as they come; an older one is replaced.

    Writing never raises: a full disk must not end the run.

    Attributes:
        error: One sentence where a cue could not be written, else "".
    """

    def __init__(self, path: Path) -> None:
        """Open the file.

        Args:
            path: Its ending, .srt or .vtt, says which format.

        Raises:
            HcrError: If it cannot be written.
        """
        self.error = ""
        self._path = path
        self._is_vtt = path.suffix.lower() == ".vtt"
        self._count = 0
        try:
            self._file: IO[str] | None = path.open("w", encoding="utf-8", newline="\n")
        except OSError as error:
            raise HcrError(
                f"Cannot write the subtitles {path}: {error.strerror}; choose another place."
            ) from error
        if self._is_vtt:
            self._put("WEBVTT\n\n")

    def __enter__(self) -> SubtitleFile:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def write(self, cue: Cue) -> None:
        """Write one cue; it is in the file at once."""
        self._count += 1
        self._put(vtt(cue) if self._is_vtt else srt(self._count, cue))

    def close(self) -> None:
        """Close the file; may be called twice."""
        file, self._file = self._file, None
        if file is not None:
            try:
                file.close()
            except OSError as error:
                self._fail(error)

    def _put(self, text: str) -> None:
        if self._file is None:
            return
        try:
            self._file.write(text)
            self._file.flush()
        except OSError as error:
            self._fail(error)

    def _fail(self, error: OSError) -> None:
        self.error = self.error or f"The subtitles {self._path} are incomplete: {error.strerror}."
        file, self._file = self._file, None
        if file is not None:
            with contextlib.suppress(OSError):
                file.close()  # what is buffered fails again


def _caption(text: str) -> str:
    """The end of the text, as it is shown; an empty line would end a cue."""
    lines = text.split("\n")[-_ROWS:]
    rows = [row for line in lines for row in textwrap.wrap(line, _COLUMNS)]
    return "\n".join(rows[-_ROWS:])


def _is_shown(cue: Cue) -> bool:
    return bool(cue.text) and round(cue.end, 3) > round(cue.begin, 3)


def _clock(seconds: float, point: str) -> str:
    minutes, milliseconds = divmod(round(seconds * 1000), 60_000)
    hours, minutes = divmod(minutes, 60)
    whole, rest = divmod(milliseconds, 1000)
    return f"{hours:02}:{minutes:02}:{whole:02}{point}{rest:03}"
