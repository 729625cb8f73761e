"""Files elsewhere, by their address: s3://, gs://, hdfs://, file:// and what else pyarrow knows."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from hcr_live.batch.task import Task
from hcr_live.errors import HcrError

_AT_ONCE = 32
"""Files that are fetched side by side: a store takes long to begin an answer, not to give many."""
_PIECE = 1 << 20
_PATIENCE = 30  # seconds


def is_url(place: str | Path) -> bool:
    """Return whether this is an address, and no path of this computer."""
    return isinstance(place, str) and "://" in place


def name_of(url: str) -> str:
    """Return the last part of an address, such as out.jsonl."""
    return _parts(url)[0].rstrip("/").rpartition("/")[2]


def files_at(url: str) -> list[str] | None:
    """Return the addresses of the files right in a folder, unsorted; None where it is a file.

    Raises:
        HcrError: If there is nothing, or it cannot be asked.
    """
    from pyarrow.fs import FileSelector, FileType

    with _said(url):
        system, path = _opened(url)
        info = system.get_file_info(path)
        if info.type == FileType.File:
            return None
        if info.type == FileType.NotFound:
            raise HcrError(f"There is no file {url}: check the address.")
        files = system.get_file_info(FileSelector(path))
    place, options = _parts(url)
    before = place.rstrip("/") + "/"
    return [before + info.base_name + options for info in files if info.type == FileType.File]


def exists(url: str) -> bool:
    """Return whether there is a file, or a folder, of this address.

    Raises:
        HcrError: If it cannot be asked.
    """
    from pyarrow.fs import FileType

    with _said(url):
        system, path = _opened(url)
        return bool(system.get_file_info(path).type != FileType.NotFound)


def fetched(tasks: Sequence[Task]) -> list[Task]:
    """Return tasks whose files lie elsewhere with their content, or with why there is none."""
    away = [task for task in tasks if task.path and is_url(task.path)]
    if not away:
        return list(tasks)
    with ThreadPoolExecutor(min(_AT_ONCE, len(away)), "fetch") as threads:
        come = dict(zip(map(id, away), threads.map(_fetched, away), strict=True))
    return [come.get(id(task), task) for task in tasks]


@contextmanager
def downloaded(url: str) -> Iterator[str]:
    """Give the path of a copy on this computer, for a while.

    Raises:
        HcrError: If it cannot be read.
    """
    name = name_of(url)
    with tempfile.TemporaryDirectory(prefix="hcr-live-") as folder:
        path = Path(folder, name)
        with _said(url):
            system, there = _opened(url)
            with system.open_input_stream(there, compression=None) as source, path.open("wb") as to:
                shutil.copyfileobj(source, to, _PIECE)
        yield str(path)


def upload(path: Path, url: str) -> None:
    """Copy a file to an address; an object store shows it once it is complete.

    Raises:
        HcrError: If it cannot be written.
    """
    with _said(url, "written"):
        system, there = _opened(url)
        with path.open("rb") as source, system.open_output_stream(there, compression=None) as to:
            shutil.copyfileobj(source, to, _PIECE)


def _fetched(task: Task) -> Task:
    try:
        with _said(task.path):
            system, path = _opened(task.path)
            with system.open_input_stream(path, compression=None) as file:
                return replace(task, content=file.read())
    except HcrError as error:
        return replace(task, error=str(error))


@contextmanager
def _said(url: str, done: str = "read") -> Iterator[None]:
    """Say in one sentence what goes wrong with an address."""
    try:
        yield
    except FileNotFoundError as error:
        raise HcrError(f"There is no file {url}: check the address.") from error
    except (OSError, ValueError, ImportError) as error:  # pyarrow's own errors are ValueErrors
        reason = " ".join(str(error).split()).rstrip(".")
        raise HcrError(f"{url} cannot be {done}: {reason}.") from error


def _opened(url: str) -> tuple[Any, str]:
    """Return the file system of an address, and the path in it."""
    try:
        from pyarrow.fs import FileSystem
    except ModuleNotFoundError as error:
        raise HcrError(
            f"Addresses such as {url} need pyarrow, which is not installed: pip install pyarrow."
        ) from error
    place, options = _parts(url)
    scheme, _, rest = place.partition("://")
    host, _, path = rest.partition("/")
    if scheme in ("gs", "gcs") and "retry_limit_seconds" not in options:
        # It would try for a quarter of an hour before it says that it cannot be reached.
        options = (options + "&" if options else "?") + f"retry_limit_seconds={_PATIENCE}"
    system, root = _store(FileSystem, f"{scheme}://{host}/{options}")
    return system, f"{root.rstrip('/')}/{path}".rstrip("/")


def _parts(url: str) -> tuple[str, str]:
    """Return an address without its options, and those: "?region=eu-west-1"."""
    place, mark, options = url.rpartition("?")
    return (place, mark + options) if "=" in options and mark else (url, "")


@lru_cache(maxsize=16)
def _store(kind: Any, url: str) -> tuple[Any, str]:
    """Return a bucket's file system, and its root there; it is asked once where the bucket is."""
    opened: tuple[Any, str] = kind.from_uri(url)
    return opened
