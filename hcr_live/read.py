"""The command `read`: pictures in, text out."""

from __future__ import annotations

import json
import re
import sys
from collections import Counter
from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import replace
from itertools import chain, islice
from pathlib import Path
from typing import Any

from hcr_live import __version__
from hcr_live.batch.engine import Engine, run_chunks
from hcr_live.batch.journal import Header, Journal, checksum
from hcr_live.batch.processes import LocalProcesses, processors
from hcr_live.batch.sources import Wanted, count_of, tasks_of
from hcr_live.batch.task import BatchSettings, Result, Task
from hcr_live.batch.writers import (
    CHARACTER_CSV_COLUMNS,
    CSV_COLUMNS,
    Output,
    csv_lines,
    csv_rows,
    is_written,
    journal_path,
    must_be_writable,
    rows_path,
)
from hcr_live.errors import HcrError
from hcr_live.options import ReadOptions

_CHARACTERS, _PICTURES = 64, 4
"""Tasks at a time: so many that handing them over costs little, so few that all have some."""


def run(options: ReadOptions) -> int:
    """Read every picture and print what is written on them, or write it to a file.

    Returns:
        The exit status: 0; 1 where some of the pictures could not be read, 2 where none.

    Raises:
        HcrError: If the only picture, the model, or the output can't be used.
    """
    if options.character and options.annotate is not None:
        raise HcrError("--annotate shows characters on a sheet: leave out --character.")
    if options.engine == "ray" and options.annotate is not None:
        raise HcrError("--annotate writes to this computer: leave out --engine ray.")
    if options.engine != "ray" and options.address is not None:
        raise HcrError("--address is that of a Ray cluster: say --engine ray as well.")
    if options.out is None:
        if options.resume:
            raise HcrError("--resume goes on with a file: say which with --out.")
        return _print_all(options)
    must_be_writable(options.out)
    return _write_all(options, options.out)


def make_engine(options: ReadOptions) -> Engine:
    """Return who reads on this machine."""
    return LocalProcesses(_settings(options), options.jobs or processors(), _chunk(options))


def _settings(options: ReadOptions) -> BatchSettings:
    return BatchSettings(
        options.alphabet,
        options.min_confidence,
        options.model,
        options.region,
        options.character,
    )


def _chunk(options: ReadOptions) -> int:
    return _CHARACTERS if options.character else _PICTURES


def _results(
    options: ReadOptions, resumed: _Resumed | None = None
) -> Generator[Result, None, None]:
    """Return what comes of each picture that is not written yet, in their order."""
    if options.engine == "local":
        wanted = resumed or (lambda source: True)
        return run_chunks(_tasks(options, wanted), make_engine(options))
    from hcr_live.batch.ray_engine import read_on_ray

    return read_on_ray(
        options.images,
        _settings(options),
        every=options.every,
        jobs=options.jobs,
        address=options.address,
        done=resumed.done if resumed else 0,
        passed=resumed or (lambda source: None),
    )


def _tasks(options: ReadOptions, wanted: Wanted = lambda source: True) -> Iterator[Task]:
    """Yield what is to be read, and say where its annotated copy goes, if one is asked for."""
    if options.annotate is None:
        yield from tasks_of(options.images, every=options.every, wanted=wanted)
        return
    try:
        options.annotate.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise HcrError(f"Cannot make the folder {options.annotate}: {error.strerror}.") from error
    taken: Counter[str] = Counter()
    name = ""

    def named(source: str) -> bool:
        nonlocal name
        part = re.fullmatch(r"(.*)\.\w+#(?:page|t)=([\d.]+)", source)
        stem = f"{Path(part[1]).name}-{part[2]}" if part else Path(source).stem
        taken[stem] += 1  # pictures of one name get numbers
        name = f"{stem}-annotated" + (f"-{taken[stem]}.png" if taken[stem] > 1 else ".png")
        return wanted(source)

    for task in tasks_of(options.images, every=options.every, wanted=named):
        yield replace(task, annotated=str(options.annotate / name))


# To the terminal


def _print_all(options: ReadOptions) -> int:
    """Print what comes, as it comes; memory does not grow with it."""
    read = failed = 0
    with closing(_results(options)) as results:
        first = list(islice(results, 2))
        if len(first) == 1 and first[0].error:
            raise HcrError(first[0].error)
        printer = _Printer(options, titled=len(first) > 1)
        for result in chain(first, results):
            if result.error:
                failed += 1
                print(f"hcr_live: {result.error}", file=sys.stderr)
            else:
                read += 1
                printer.add(result)
    printer.close()
    return _status(read, failed)


def _status(read: int, failed: int) -> int:
    if failed and not read:
        return 2
    return 1 if failed else 0


class _Printer:
    """Prints results in one of the formats."""

    def __init__(self, options: ReadOptions, *, titled: bool) -> None:
        self._format, self._character, self._titled = options.format, options.character, titled
        self._count = 0

    def add(self, result: Result) -> None:
        """Print a result."""
        if self._format == "text":
            self._print_text(result)
        elif self._format == "csv":
            if not self._count:
                self._print_columns()
            print(csv_lines(csv_rows(result.row, character=self._character)), end="")
        else:
            text = json.dumps([result.row], indent=2, ensure_ascii=False)
            print("," if self._count else "[", text[2:-2], sep="\n", end="")
        self._count += 1

    def close(self) -> None:
        """Print what comes last."""
        if self._format == "json":
            print("\n]" if self._count else "[]")
        elif self._format == "csv" and not self._count:
            self._print_columns()

    def _print_columns(self) -> None:
        columns = CHARACTER_CSV_COLUMNS if self._character else CSV_COLUMNS
        print(csv_lines([columns]), end="")

    def _print_text(self, result: Result) -> None:
        source, row = result.source, result.row
        if self._titled:
            print(f"{source}:")
        if row["text"]:
            print(row["text"], flush=True)
        if row.get("joined"):
            print(
                f"hcr_live: Joined writing in {source} is not read: write the letters apart.",
                file=sys.stderr,
            )
        elif not row["text"]:
            print(f"hcr_live: No writing found in {source}.", file=sys.stderr)


# To a file


def _write_all(options: ReadOptions, out: Path | str) -> int:
    """Write what comes to a file, with a journal beside it that an interrupted run goes on from."""
    output, journal = _opened(options, out, journal_path(out))
    with closing(journal):
        if output is None:
            _must_hold_all(options, journal, out)
            print(f"hcr_live: {out} is complete, there is nothing left to read.", file=sys.stderr)
            return _report(journal)
        try:
            with closing(output):
                _fill(options, output, journal)
                output.finish()
        except KeyboardInterrupt:
            done = journal.written.done
            print(f"hcr_live: {done} pictures are in {out}: go on with --resume.", file=sys.stderr)
            raise
        except OSError as error:
            raise HcrError(
                f"Cannot write {out}: {error.strerror or error}; what is written stays, go on with"
                " --resume."
            ) from error
    return _report(journal)


def _opened(options: ReadOptions, out: Path | str, path: Path) -> tuple[Output | None, Journal]:
    """Open output and journal, anew or where they were left; no output: it is complete."""
    rows = rows_path(out)
    try:
        if options.resume and path.exists():
            is_complete = rows != out and is_written(out) and not rows.exists()
            size = sys.maxsize if is_complete else rows.stat().st_size if rows.exists() else 0
            journal = Journal.resume(path, _header(options), size)
            if is_complete:
                return None, journal
            return Output(out, journal.written.size, character=options.character), journal
        for existing in (out, rows):
            if is_written(existing):
                how = "delete it, or write to another file"
                if path.exists():
                    how = f"go on with --resume, {how}"
                raise HcrError(f"{existing} exists: {how}.")
        journal = Journal.start(path, _header(options))
        return Output(out, 0, character=options.character), journal
    except OSError as error:
        raise HcrError(
            f"Cannot write {error.filename or out}: {error.strerror or error}."
        ) from error


def _header(options: ReadOptions) -> Header:
    """Return all of the options that the rows depend on."""
    return {
        "hcr_live": __version__,
        "input": [str(each) for each in options.images],
        "--alphabet": options.alphabet,
        "--min-confidence": options.min_confidence,
        "--model": options.model and str(options.model),
        "--region": options.region and list(options.region),
        "--character": options.character,
        "--every": options.every,
        "--annotate": options.annotate and str(options.annotate),
    }


def _fill(options: ReadOptions, output: Output, journal: Journal) -> None:
    """Read what is not written yet and write it."""
    resumed = _Resumed(journal)
    with _bar(options, journal.written.done) as bar, closing(_results(options, resumed)) as results:
        while some := list(islice(results, _chunk(options))):
            output.write(some)
            journal.commit(some, output.size)
            bar.update(len(some))
    resumed.must_have_passed_all()


class _Resumed:
    """Passes over what is written already, and checks that it is the same input.

    Args:
        journal: Of the interrupted run.

    Attributes:
        done: How many pictures are written already.
    """

    def __init__(self, journal: Journal) -> None:
        self._then = journal.written
        self.done = self._then.done
        self._count = self._names = 0

    def __call__(self, source: str) -> bool:
        """Return whether a source is still to be read.

        Raises:
            HcrError: If those before it are not the ones that were read.
        """
        if self._count == self._then.done:
            return True
        self._count += 1
        self._names = checksum(source, self._names)
        if self._count == self._then.done:
            self._must_agree()
        return False

    def must_have_passed_all(self) -> None:
        """Check that there were as many sources as were read before.

        Raises:
            HcrError: If there were fewer.
        """
        if self._count < self._then.done:
            self._must_agree()

    def _must_agree(self) -> None:
        if self._names != self._then.names:
            raise HcrError(
                "The pictures are not those of the interrupted run: some were added, removed or"
                " renamed since; give the same ones, or write to another file."
            )


def _must_hold_all(options: ReadOptions, journal: Journal, out: Path | str) -> None:
    resumed = _Resumed(journal)
    for task in _tasks(options, wanted=resumed):
        raise HcrError(f"{out} is complete and does not hold {task.source}: write to another file.")
    resumed.must_have_passed_all()


def _bar(options: ReadOptions, done: int) -> Any:
    from tqdm import tqdm

    total = None
    if sys.stderr is not None and sys.stderr.isatty():
        total = count_of(options.images, every=options.every)
    return tqdm(
        total=total, initial=done, unit=" pictures", disable=None, dynamic_ncols=True, leave=False
    )


def _report(journal: Journal) -> int:
    """Name the pictures that could not be read, and return the exit status."""
    written = journal.written
    if written.failed:
        print(f"hcr_live: {written.failed} of {written.done} could not be read:", file=sys.stderr)
        for _, error in journal.bad():
            print(f"  {error}", file=sys.stderr)
    return _status(written.done - written.failed, written.failed)
