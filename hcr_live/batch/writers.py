"""Where the rows of a batch go: JSON lines, CSV, Parquet."""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from hcr_live.batch import urls
from hcr_live.batch.task import Result, Row
from hcr_live.errors import HcrError

CSV_COLUMNS = ("source", "number", "text", "confidence", "x", "y", "w", "h", "candidates")
CHARACTER_CSV_COLUMNS = ("source", "text", "confidence", "candidates")
SUFFIXES = (".jsonl", ".csv", ".parquet")
"""Endings of an output, which say what it is."""

_ROWS_AT_ONCE = 1000
_encode = json.JSONEncoder(ensure_ascii=False).encode


def json_line(result: Result) -> str:
    """Return a line: the row, or source and error of a picture that could not be read."""
    row = result.row or {"source": result.source, "error": result.error}
    return _encode(row) + "\n"


def csv_lines(rows: Iterable[Sequence[Any]]) -> str:
    """Return lines of comma-separated values."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()


def csv_rows(row: Row, *, character: bool) -> Iterator[tuple[Any, ...]]:
    """Yield a picture's rows: one of each of its characters, or one of the only one."""
    if character:
        confidence, candidates = f"{row['confidence']:.4f}", _candidates(row)
        yield (row["source"], row["text"], confidence, candidates)
        return
    for number, each in enumerate(row["characters"]):
        confidence = f"{each['confidence']:.4f}"
        yield (
            *(row["source"], number, each["text"], confidence, *each["box"]),
            _candidates(each),
        )


def _candidates(fields: Row) -> str:
    return " ".join(f"{text}:{value:.4f}" for text, value in fields["candidates"])


class Output:
    """A file that rows are added to, from where it was left.

    A Parquet file has its index at its end and cannot be added to: its rows wait in a file of JSON
    lines beside it, and become Parquet when all of them are there. Nor can a file in a store: its
    rows wait in the present folder.

    Args:
        path: `.jsonl`, `.csv` or `.parquet`; a path, or an address, see `urls.py`.
        size: Bytes that stay; what comes after them is cut off. 0 begins anew.
        character: Whether the rows are of single characters.

    Attributes:
        size: Bytes written so far.

    Raises:
        OSError: If it cannot be written.
    """

    def __init__(self, path: Path | str, size: int, *, character: bool) -> None:
        self._path = path
        self._suffix = _suffix(path)
        self._character = character
        self._rows = rows_path(path)
        self._file = self._rows.open("r+b" if size else "wb")
        self._file.truncate(size)
        self.size = self._file.seek(size)
        if not size and self._suffix == ".csv":
            self._write(csv_lines([CHARACTER_CSV_COLUMNS if character else CSV_COLUMNS]))

    def write(self, results: Iterable[Result]) -> None:
        """Add some rows; they are the operating system's when this returns.

        Raises:
            OSError: If they cannot be written; a part of them may be.
        """
        if self._suffix == ".csv":
            each = (csv_rows(one.row, character=self._character) for one in results if one.row)
            self._write("".join(csv_lines(rows) for rows in each))
        else:
            self._write("".join(map(json_line, results)))

    def finish(self) -> None:
        """Bring the file into its final form, once all rows are there.

        Raises:
            OSError: If it cannot be written.
            HcrError: As `must_be_writable`, or if an address cannot be written to.
        """
        self.close()
        if self._rows == self._path:
            return
        complete = self._rows
        if self._suffix == ".parquet":
            complete = self._rows.with_name(_name(self._path) + ".unfinished")
            _to_parquet(self._rows, complete, character=self._character)
        if isinstance(self._path, str):
            try:
                urls.upload(complete, self._path)
            except HcrError as error:
                raise HcrError(
                    f"{str(error)[:-1]}; what is read stays in {self._rows}: go on with --resume."
                ) from error
            complete.unlink()
        else:
            os.replace(complete, self._path)
        self._rows.unlink(missing_ok=True)

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _write(self, text: str) -> None:
        # A file name that is no UTF-8 is written as JSON would write it.
        content = text.encode(errors="backslashreplace")
        self._file.write(content)
        self._file.flush()
        self.size += len(content)


def rows_path(path: Path | str) -> Path:
    """Return the file that rows are added to: the output itself, or what stands in for it."""
    suffix = _suffix(path)
    if isinstance(path, Path) and suffix != ".parquet":
        return path
    return _beside(path, ".rows.csv" if suffix == ".csv" else ".rows.jsonl")


def journal_path(path: Path | str) -> Path:
    """Return where the journal of an output is."""
    return _beside(path, ".journal")


def is_written(path: Path | str) -> bool:
    """Return whether there is such an output.

    Raises:
        HcrError: If an address cannot be asked.
    """
    return urls.exists(path) if isinstance(path, str) else path.exists()


def _name(path: Path | str) -> str:
    return urls.name_of(path) if isinstance(path, str) else path.name


def _suffix(path: Path | str) -> str:
    return os.path.splitext(_name(path))[1].lower()


def _beside(path: Path | str, ending: str) -> Path:
    """Return a file beside an output; of one elsewhere, in the present folder."""
    name = _name(path) + ending
    return path.with_name(name) if isinstance(path, Path) else Path(name)


def must_be_writable(path: Path | str) -> None:
    """Check that an output of this name can be written here, before anything is read.

    Raises:
        HcrError: If it has another ending, or the library for Parquet is missing.
    """
    if _suffix(path) not in SUFFIXES:
        raise HcrError(f"{path} must end in {', '.join(SUFFIXES[:-1])} or {SUFFIXES[-1]}.")
    if _suffix(path) == ".parquet":
        _parquet()


def _parquet() -> Any:
    try:
        import pyarrow.parquet
    except ModuleNotFoundError as error:
        raise HcrError(
            "Parquet needs pyarrow, which is not installed: pip install pyarrow, or write .jsonl"
            " or .csv."
        ) from error
    return pyarrow


def _to_parquet(rows: Path, path: Path, *, character: bool) -> None:
    """Write JSON lines as Parquet, a thousand rows at a time."""
    pyarrow = _parquet()
    schema = _schema(pyarrow, character=character)
    with rows.open("rb") as file, pyarrow.parquet.ParquetWriter(path, schema) as writer:
        lines = iter(file)
        while some := list(islice(lines, _ROWS_AT_ONCE)):
            filled = [_flat(json.loads(line)) for line in some]
            writer.write_table(pyarrow.Table.from_pylist(filled, schema))


def _schema(pyarrow: Any, *, character: bool) -> Any:
    text, number = pyarrow.string(), pyarrow.float32()
    candidates = pyarrow.list_(pyarrow.struct({"text": text, "confidence": number}.items()))
    one = {"text": text, "confidence": number, "candidates": candidates}
    box = pyarrow.list_(pyarrow.int32(), 4)
    if character:
        return pyarrow.schema({"source": text, **one, "error": text}.items())
    columns = {
        "source": text,
        "text": text,
        "lines": pyarrow.list_(text),
        "characters": pyarrow.list_(pyarrow.struct({**one, "box": box}.items())),
        "joined": pyarrow.list_(box),
        "error": text,
    }
    return pyarrow.schema(columns.items())


def _flat(row: Row) -> Row:
    """Return a row whose candidates have names, as a column of one type needs them."""
    if "candidates" in row:
        named = [{"text": text, "confidence": value} for text, value in row["candidates"]]
        row = row | {"candidates": named}
    if "characters" in row:
        row = row | {"characters": [_flat(each) for each in row["characters"]]}
    return row
