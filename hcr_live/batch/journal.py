"""Which pictures of a batch are written, so that an interrupted one can go on."""

from __future__ import annotations

import json
import os
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hcr_live.batch.task import Result
from hcr_live.errors import HcrError

Header = dict[str, Any]
"""What a run was asked to do, as JSON has it: a run that goes on must be asked the same."""


@dataclass(frozen=True)
class Written:
    """How far a batch has come.

    Attributes:
        done: How many pictures, counted in input order, bad ones included.
        size: Bytes of the output that belong to them.
        names: Checksum of their sources' names in order, so that other input is noticed.
        failed: How many of them could not be read.
    """

    done: int = 0
    size: int = 0
    names: int = 0
    failed: int = 0


class Journal:
    """A file beside the output: a line of what was asked, then one for each chunk written.

    The output is written first, so that it may be ahead of its journal after a crash, never
    behind: what is ahead is cut off and read again.

    Attributes:
        written: How far the batch has come.
    """

    def __init__(self, path: Path, written: Written) -> None:
        """Go on with a file; `start` and `resume` make one."""
        self.written = written
        self._path = path
        self._file = path.open("ab")

    @classmethod
    def start(cls, path: Path, header: Header) -> Journal:
        """Begin a new one.

        Raises:
            OSError: If it cannot be written.
        """
        path.write_bytes(_line(header))
        return cls(path, Written())

    @classmethod
    def resume(cls, path: Path, header: Header, size: int) -> Journal:
        """Go on with one; a line that was torn, or not followed by its output, does not count.

        Args:
            path: The journal.
            header: What is asked now.
            size: Bytes of the output that are there.

        Raises:
            HcrError: If it is no journal, or of a run that was asked something else.
            OSError: If it cannot be read or written.
        """
        written, kept = Written(), 0
        with path.open("rb") as file:
            for number, line in enumerate(file):
                entry = _entry(line)
                if number == 0:
                    _must_agree(path, entry, header)
                elif entry is None or entry["size"] > size:
                    break
                else:
                    written = Written(entry["done"], entry["size"], entry["names"], entry["failed"])
                kept += len(line)
        if not kept:
            raise _no_journal(path)
        os.truncate(path, kept)
        return cls(path, written)

    def commit(self, results: Sequence[Result], size: int) -> None:
        """Note that the output of some results is written.

        Args:
            results: What came of the next tasks.
            size: Bytes of the output, these included.

        Raises:
            OSError: If it cannot be written.
        """
        bad = [[result.source, result.error] for result in results if result.error]
        names = self.written.names
        for result in results:
            names = checksum(result.source, names)
        done, failed = self.written.done + len(results), self.written.failed + len(bad)
        entry = {"done": done, "size": size, "names": names, "failed": failed, "bad": bad}
        self._file.write(_line(entry))
        self._file.flush()
        self.written = Written(done, size, names, failed)

    def bad(self) -> Iterator[tuple[str, str]]:
        """Yield source and reason of each picture that could not be read, of all runs."""
        with self._path.open("rb") as file:
            next(file)
            for line in file:
                yield from (
                    (source, error) for source, error in (_entry(line) or {}).get("bad", ())
                )

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def checksum(source: str, before: int) -> int:
    """Return the checksum of names (CRC-32) with another one."""
    return zlib.crc32(source.encode(errors="surrogatepass") + b"\0", before)


def _line(value: object) -> bytes:
    return json.dumps(value).encode() + b"\n"


def _entry(line: bytes) -> dict[str, Any] | None:
    """Return what a line says, None if it was torn."""
    if not line.endswith(b"\n"):
        return None
    try:
        entry = json.loads(line)
    except ValueError:
        return None
    return entry if isinstance(entry, dict) else None


def _must_agree(path: Path, then: Header | None, now: Header) -> None:
    if then is None or "hcr_live" not in then:
        raise _no_journal(path)
    then, now = json.loads(_line(then)), json.loads(_line(now))
    for key in then | now:
        if then.get(key) != now.get(key):
            raise HcrError(
                f"{path.with_suffix('')} was begun with {key} {_told(then.get(key))}, not"
                f" {_told(now.get(key))}: go on with the same, or write to another file."
            )


def _told(value: object) -> str:
    said = json.dumps(value, ensure_ascii=False)
    return said if len(said) < 100 else said[:100] + ".."


def _no_journal(path: Path) -> HcrError:
    return HcrError(f"{path} is not the journal of a batch: write to another file.")
