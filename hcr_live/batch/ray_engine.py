"""The engine of many machines: Ray Data, with a pool of actors that each hold a recogniser."""

from __future__ import annotations

import logging
import os
import pickle
import socket
import tempfile
import uuid
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from itertools import chain, islice
from pathlib import Path
from typing import Any

from hcr_live import __version__
from hcr_live.batch.engine import chunked
from hcr_live.batch.processes import processors
from hcr_live.batch.sources import count_in, files_of, has_index, is_one_picture, tasks_in
from hcr_live.batch.task import BatchSettings, Result, Task
from hcr_live.errors import HcrError
from hcr_live.quiet import silent_stderr

Passed = Callable[[str], object]
"""Told the name of each source that is passed over, in order."""

_CHARACTERS, _PICTURES = 256, 16
"""Pictures of a block, which is what an actor is handed at a time."""

_READ_AT_ONCE = 64
_BLOCKS = 4096
"""Of a data set. More follow in another one, so that memory does not grow with how many."""

_SHARE = 0.5
"""Of a processor that an actor reserves. It uses a whole one; but when a node is lost, its actors
must find room on the others, where all of it would be taken."""

_STORE = 200 << 20  # bytes of shared memory; only names and rows go through it
_ROWS = 512 << 10  # bytes of rows that come back at a time
_PATIENCE = 5.0  # seconds, for a cluster to answer
_GREETING = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes((0, 0, 0, 4, 0, 0, 0, 0, 0))
"""HTTP/2, which a cluster speaks: the preface and no settings, answered by settings (RFC 9113)."""


@dataclass(frozen=True)
class Part:
    """Some of the pictures of a file.

    Attributes:
        path: The file.
        first: The first of them, counted from 0.
        count: How many; None for all that follow.
        error: Why the file is none, one sentence; "" where it is.
    """

    path: str
    first: int = 0
    count: int | None = None
    error: str = ""


def read_on_ray(
    given: Iterable[str | Path],
    settings: BatchSettings,
    *,
    every: float = 1.0,
    jobs: int | None = None,
    address: str | None = None,
    done: int = 0,
    passed: Passed = lambda source: None,
) -> Generator[Result, None, None]:
    """Yield what comes of each picture, in the order of `tasks_of`.

    Only names go to the cluster and only rows come back: each node reads the files itself. What a
    node had when it was lost is read again by others.

    Args:
        given: As `tasks_of` takes it.
        settings: How to read.
        every: As there.
        jobs: How many actors; default one for each processor of the cluster.
        address: The cluster's, host:port or "auto"; default that of the environment, RAY_ADDRESS,
            or else this machine alone.
        done: How many pictures at the beginning are passed over.
        passed: Told what they are called.

    Raises:
        HcrError: If Ray is not installed, the cluster cannot be reached, or no node can read.
    """
    size = _CHARACTERS if settings.character else _PICTURES
    arguments = {
        "settings": replace(settings, shared=True),
        "every": every,
        "version": __version__,
        "run": uuid.uuid4().hex,
    }
    with _ray(address, jobs) as actors:
        blocks = map(pickle.dumps, blocks_of(parts_of(given, size, every, done, passed), size))
        while some := list(islice(blocks, _BLOCKS)):
            yield from _results(some, actors, arguments)


# What is read


def parts_of(
    given: Iterable[str | Path],
    size: int,
    every: float = 1.0,
    done: int = 0,
    passed: Passed = lambda source: None,
) -> Iterator[Part]:
    """Yield the parts of all files, in order; what is in a file is looked up only to divide it.

    Args:
        given: As `tasks_of` takes it.
        size: Of the parts that a file is divided into, if it has an index.
        every: As there.
        done: How many pictures at the beginning are passed over.
        passed: Told what they are called.
    """
    left = done

    def is_left(source: str) -> bool:
        """Pass over one more, unless all are."""
        nonlocal left
        if not left:
            return True
        left -= 1
        passed(source)
        return False

    for each in given:
        for path in files_of(str(each)):
            if isinstance(path, HcrError):
                if is_left(str(each)):
                    yield Part(str(each), error=str(path))
            elif is_one_picture(path):
                if is_left(path):
                    yield Part(path)
            else:
                before = left
                if left and next(tasks_in(path, every, is_left), None) is None:
                    continue
                yield from _divided(path, before - left, size, every)


def _divided(path: str, first: int, size: int, every: float) -> Iterator[Part]:
    if not has_index(path):
        yield Part(path, first)
        return
    for at in range(first, count_in(path, every), size):
        yield Part(path, at, size)


def blocks_of(parts: Iterable[Part], size: int) -> Iterator[list[Part]]:
    """Yield parts together that are to be read by one actor, about `size` pictures."""
    block: list[Part] = []
    for part in parts:
        if is_one_picture(part.path) or part.error:
            block.append(part)
            if len(block) < size:
                continue
        else:
            if block:
                yield block
            block = [part]
        yield block
        block = []
    if block:
        yield block


def tasks_of_parts(parts: Iterable[Part], every: float) -> Iterator[Task]:
    """Yield the tasks of some parts."""
    for part in parts:
        if part.error:
            yield Task(part.path, error=part.error)
        else:
            yield from islice(tasks_in(part.path, every, _from(part.first)), part.count)


def _from(first: int) -> Callable[[str], bool]:
    left = first

    def wanted(source: str) -> bool:
        nonlocal left
        left -= 1
        return left < 0

    return wanted


# On the nodes


class _Reader:
    """What an actor does: parts of files in, their results out.

    Args:
        settings: How to read.
        every: As `tasks_of` takes it.
        version: Of the program that asks.
        run: Which run this is.
    """

    def __init__(self, settings: BatchSettings, every: float, version: str, run: str) -> None:
        from hcr_live.batch.reader import BatchReader

        self._every, self._run, self._error = every, run, ""
        try:
            if version != __version__:
                raise HcrError(f"hcr-live is {__version__} here, not {version}.")
            self._read = BatchReader(settings)
        except HcrError as error:
            # An error raised here would be tried again, and hidden among Ray's own.
            self._error = f"On {socket.gethostname()}: {error}"

    def __call__(self, batch: dict[str, Any]) -> Iterator[dict[str, list[Any]]]:
        """Yield the results of a block, some at a time."""
        if self._error:
            yield {"results": [b""], "error": [self._error]}
            return
        for block in batch["block"]:
            for tasks in chunked(tasks_of_parts(pickle.loads(block), self._every), _READ_AT_ONCE):
                yield {"results": [pickle.dumps(self._results(tasks))], "error": [""]}

    def _results(self, tasks: Sequence[Task]) -> list[Result]:
        """Return what came of some tasks, even if one of them ends this process again and again.

        Ray starts another process and hands it the same block. What was begun here before is read
        one by one; a picture that then ends the process twice gets an error.
        """
        with _begun(self._run, tasks) as times:
            if times == 0 or (len(tasks) == 1 and times == 1):
                return list(self._read(tasks))
            if len(tasks) > 1:
                return [result for task in tasks for result in self._results([task])]
            source = tasks[0].source
            error = f"{source} ended the process that read it: it is damaged or too large."
            return [Result(source, {}, error)]


@contextmanager
def _begun(run: str, tasks: Sequence[Task]) -> Iterator[int]:
    """Give how often these were begun on this node and not ended: a file has a byte for each."""
    name = uuid.uuid5(uuid.UUID(run), "\0".join([str(len(tasks)), *(t.source for t in tasks)])).hex
    mark = Path(tempfile.gettempdir(), f"hcr-live-{name}")
    with mark.open("ab") as file:
        times = file.tell()
        file.write(b".")
    try:
        yield times
    finally:
        mark.unlink(missing_ok=True)


# From here


def _results(
    blocks: Sequence[bytes], actors: int, arguments: dict[str, Any]
) -> Generator[Result, None, None]:
    """Yield the results of some blocks, in their order."""
    import ray

    tables = iter(
        ray.data.from_items([{"block": each} for each in blocks], override_num_blocks=len(blocks))
        .map_batches(
            _Reader,
            fn_constructor_kwargs=arguments,
            batch_size=1,
            concurrency=(1, actors, min(actors, len(blocks))),
            num_cpus=_SHARE,
        )
        # Fetched when asked for, by this thread: another one that still asked Ray for the next when
        # it is shut down would end this process without a word.
        .iter_batches(batch_size=None, batch_format="pyarrow", prefetch_batches=0)
    )
    try:
        with closing(tables):
            for row in chain.from_iterable(table.to_pylist() for table in tables):
                if row["error"]:
                    raise HcrError(row["error"])
                yield from pickle.loads(row["results"])
    except ray.exceptions.RayError as error:
        raise HcrError(_reason(error)) from error


def _reason(error: Exception) -> str:
    said = str(error)
    if "ModuleNotFoundError" in said:
        return (
            "A node of the cluster cannot load hcr_live: install the same version of the program,"
            " with its requirements, on every node."
        )
    last = said.strip().splitlines()[-1].rstrip(".") if said.strip() else type(error).__name__
    return f"The Ray cluster cannot go on: {last}."


@contextmanager
def _ray(address: str | None, jobs: int | None) -> Iterator[int]:
    """Connect to a cluster, or start one here for a while; give how many actors are to read.

    Raises:
        HcrError: If Ray is not installed, or there is no such cluster.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # it would tell its makers of each run
    # What it says of lost nodes would come to standard output, among the rows.
    os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")
    os.environ.setdefault("RAY_DEDUP_LOGS_SKIP_REGEX", "^")
    try:
        import ray
        import ray.data
    except ModuleNotFoundError as error:
        raise HcrError(
            '--engine ray needs Ray, which is not installed: pip install "ray[data]".'
        ) from error
    ours = not ray.is_initialized()
    if ours:
        _connect(ray, address or os.environ.get("RAY_ADDRESS") or "local", jobs)
    try:
        _set_quiet(ray)
        yield jobs or max(1, int(ray.cluster_resources().get("CPU", 1)))
    finally:
        if ours:
            ray.shutdown()


def _connect(ray: Any, address: str, jobs: int | None) -> None:
    own: dict[str, Any] = {}
    if address == "local":
        own = {"num_cpus": jobs or processors(), "object_store_memory": _STORE}
        own["include_dashboard"] = False
    else:
        _must_answer(address)
    try:
        with silent_stderr():
            ray.init(address, log_to_driver=False, logging_level=logging.CRITICAL, **own)
    except (ConnectionError, RuntimeError, ValueError, OSError) as error:
        reason = " ".join(str(error).split()).rstrip(".")
        if address == "local":
            raise HcrError(f"Ray cannot be started on this machine: {reason}.") from error
        if "InvalidAuthToken" in f"{error} {error.__cause__}":
            raise HcrError(
                f"The Ray cluster at {address} asks for its token: copy ~/.ray/auth_token from the"
                " machine that started it, and set RAY_AUTH_MODE=token."
            ) from error
        raise HcrError(
            f"Cannot join the Ray cluster at {address}: {reason}; run this on one of its machines,"
            " with the same versions of Ray and Python."
        ) from error


def _must_answer(address: str) -> None:
    """Check that somebody listens there: Ray would try for minutes."""
    if address == "auto":
        return
    host, colon, port = address.rpartition(":")
    if "://" in address or not colon or not port.isdecimal():
        raise HcrError(f"'{address}' is no address of a Ray cluster: give host:port, or auto.")
    try:
        with socket.create_connection((host, int(port)), _PATIENCE) as connection:
            if os.environ.get("RAY_USE_TLS", "0") != "0":
                return
            connection.sendall(_GREETING)
            answers = connection.recv(4)[3:] == b"\x04"
    except (OSError, OverflowError):
        answers = False
    if not answers:
        raise HcrError(
            f"No Ray cluster answers at {address}: start one with 'ray start --head', or check the"
            " address."
        )


def _set_quiet(ray: Any) -> None:
    """Have results come in order, and Ray keep what it does to itself."""
    context = ray.data.DataContext.get_current()
    context.execution_options.preserve_order = True
    context.enable_progress_bars = False
    context.print_on_execution_start = False
    # Rows of a long video come as it is read, not all at its end.
    context.target_max_block_size = _ROWS
    for name in ("ray.data", "ray"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
