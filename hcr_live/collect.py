"""What `collect` does: training data from sheets that are held up to the camera."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from hcr_live.errors import HcrError
from hcr_live.options import CollectOptions
from hcr_live.sources.base import EndOfSource, Source

if TYPE_CHECKING:
    from hcr_live.sinks.window import Window
    from train.extract.collector import Collector
    from train.extract.cutout import Sheet
    from train.extract.folder import Entry


def run(
    options: CollectOptions,
    *,
    window: Window | None = None,
) -> int:
    """Run the command `collect`.

    Args:
        options: What was asked for.
        window: Used in place of a real window (tests).

    Returns:
        The exit status: 0, or 1 where part of the source was lost.

    Raises:
        HcrError: If an option or the source can't be used, the folder can't be written any
            more, or the source ended before anything was kept.
    """
    from hcr_live.classifier import Classifier
    from hcr_live.live import terminate_as_interrupt
    from hcr_live.sinks.window import require_display
    from hcr_live.sources import open_source
    from train.extract.ask import AskWindow
    from train.extract.collector import Collector
    from train.extract.folder import check_writer, open_folder
    from train.extract.labels import read_labels
    from train.extract.viewfinder import HEIGHT, WIDTH

    check_writer(options.writer)
    labels = read_labels(options.labels) if options.labels is not None else []
    if options.ask and not options.window:
        raise HcrError("--ask asks in the window: leave out --no-window.")
    wants_window = options.window and window is None
    if wants_window:
        require_display()
    folder = _Folder(options.out, options.writer, open_folder(options.out))
    classifier = Classifier(options.model)
    with ExitStack() as stack:
        stack.enter_context(terminate_as_interrupt())
        source = open_source(
            options.source, width=options.width, height=options.height, fps=options.fps
        )
        stack.callback(source.close)
        if wants_window:
            window = AskWindow(WIDTH, HEIGHT)
            stack.callback(window.close)
        collector = Collector(
            source.info.name,
            classifier.probabilities,
            labels,
            alphabet=options.alphabet,
            asks=options.ask,
            by_hand=window is not None,
            refusal=folder.refusal,
            mirror=source.info.live if options.mirror is None else options.mirror,
        )
        try:
            _collect(source, collector, folder, window)
        finally:
            if folder.added:
                print(folder.summary())
        lost = source.notice
    if not folder.added and not collector.finished:
        raise HcrError(f"Nothing was kept from {source.info.name}. {lost or collector.hint}")
    if lost and window is not None:
        print(f"hcr_live: {lost}", file=sys.stderr)
    return 1 if lost else 0


def _collect(source: Source, collector: Collector, folder: _Folder, window: Window | None) -> None:
    """Take frames and keys until the user or the source ends it; write at once what is kept."""
    notice = ""
    try:
        while not collector.finished:
            collector.total = len(folder.known)
            frame = None if collector.waiting else source.read(timeout=0.1)
            if frame is not None and frame.still:
                raise HcrError(
                    f"{source.info.name} is no video; for pictures there is: python -m train"
                    f" extract {source.info.name} --out {folder.path}"
                )
            if frame is not None:
                collector.step(frame)
            if window is not None:
                collector.press(_key(window, collector, source))
            elif source.notice != notice:
                notice = source.notice
                if notice:
                    print(f"hcr_live: {notice}", file=sys.stderr)
            folder.add_all(collector)
    except (EndOfSource, KeyboardInterrupt):
        pass
    finally:
        collector.finish()
        folder.add_all(collector)


def _key(window: Window, collector: Collector, source: Source) -> str | None:
    """Show the picture and wait for a key until the next frame is due."""
    picture = collector.picture(source.notice)
    if picture is not None:
        window.show(picture)
    if collector.waiting:
        return window.poll(0.1)
    if source.info.live:
        return window.poll()
    return window.poll(1 / max(source.info.fps, 1.0))


class _Folder:
    """The folder that the characters go to."""

    def __init__(self, path: Path, writer: str | None, known: list[Entry]) -> None:
        self.path = path
        self._writer = writer
        self.known = known
        self.added = 0
        self._plain_writer: str | None = None

    def refusal(self, sheet: Sheet) -> str:
        """Say why a sheet can't be added, "" if it can."""
        writer = self._writer or sheet.writer
        if sheet.page is None or all(
            (one.writer, one.page) != (writer, str(sheet.page)) for one in self.known
        ):
            return ""
        return f"Page {sheet.page} of writer {writer} is in {self.path}: hold up the next sheet."

    def add_all(self, collector: Collector) -> None:
        """Write what was kept since this was called last.

        Raises:
            HcrError: If a sheet can't be written; then nothing of it is there.
        """
        while (kept := collector.kept()) is not None:
            self._add(*kept)

    def _add(self, sheet: Sheet, guesses: list[str]) -> None:
        from train.extract import said
        from train.extract.folder import add_sheets, with_writers

        # Of a session's plain sheets nobody says that they are of several people.
        writer = self._writer or (self._plain_writer if sheet.writer is None else None)
        numbered = with_writers([sheet], self.known, writer)
        if sheet.page is None:
            self._plain_writer = numbered[0].writer
        try:
            new = add_sheets(self.path, self.known, numbered, [guesses])
        except KeyboardInterrupt:
            self.known += add_sheets(self.path, self.known, numbered, [guesses])
            raise
        self.known += new
        self.added += len(new)
        print(said(numbered[0]))

    def summary(self) -> str:
        """Say what is in the folder now, and what to do with it."""
        classes = len({one.label for one in self.known})
        return (
            f"{self.path} has {len(self.known)} characters of {classes} classes,"
            f" {self.added} of them new."
            f" Look at its contact sheets, then: python -m train personalise {self.path}"
        )
