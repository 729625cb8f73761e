"""The engine of one machine: a few processes, each with a recogniser of its own."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from itertools import chain, islice
from multiprocessing.connection import Connection
from queue import SimpleQueue

from hcr_live.batch.engine import ThisProcess
from hcr_live.batch.reader import BatchReader
from hcr_live.batch.task import BatchSettings, Result, Task
from hcr_live.errors import HcrError

_WINDOW = 4
"""Chunks that wait or are being read, for each process: one that takes long holds no other up."""


def processors() -> int:
    """Return how many processors this process may use."""
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else os.cpu_count() or 1


class LocalProcesses:
    """Reads in several processes; a few pictures are read in this one, which is sooner done.

    A process that ends, of a damaged picture or for want of memory, is replaced; the picture that
    ended it is tried by itself, and gets an error if it does so again.

    Args:
        settings: How to read.
        jobs: How many processes; 1 is this one, on one processor.
        chunk: How many tasks at a time.
    """

    def __init__(self, settings: BatchSettings, jobs: int, chunk: int = 64) -> None:
        self._settings = settings
        self._jobs = jobs
        self.chunk = chunk

    def read(self, chunks: Iterator[Sequence[Task]]) -> Iterator[Sequence[Result]]:
        """As `Engine.read`."""
        shared = replace(self._settings, shared=True)
        if self._jobs == 1:
            yield from ThisProcess(shared, self.chunk).read(chunks)
            return
        few = 2 * self._jobs
        first = list(islice(chunks, few))
        if len(first) < few:
            yield from ThisProcess(self._settings, self.chunk).read(iter(first))
            return
        workers = _Workers(shared, self._jobs)
        waiting: deque[Future[Sequence[Result]]] = deque()
        with ThreadPoolExecutor(self._jobs, "batch") as threads:
            try:
                for chunk in chain(first, chunks):
                    waiting.append(threads.submit(workers.read, chunk))
                    if len(waiting) >= _WINDOW * self._jobs:
                        yield waiting.popleft().result()
                while waiting:
                    yield waiting.popleft().result()
            finally:
                for future in waiting:
                    future.cancel()
                workers.close()


class _Workers:
    """So many processes, of which whoever asks takes one that is idle.

    Args:
        settings: How to read.
        count: How many, which is how many threads may ask.
    """

    def __init__(self, settings: BatchSettings, count: int) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._closed = False
        self._all: list[_Worker] = []
        self._idle: SimpleQueue[_Worker] = SimpleQueue()
        for _ in range(count):
            self._idle.put(self._started())

    def read(self, chunk: Sequence[Task]) -> Sequence[Result]:
        """Return what came of a chunk, whatever happens to the process.

        Raises:
            HcrError: If the process cannot read at all, or these are closed.
        """
        results = self._tried(chunk)
        if results is None and len(chunk) > 1:
            return [result for task in chunk for result in self.read([task])]
        results = results or self._tried(chunk)
        if results is None:
            source = chunk[0].source
            error = f"{source} ended the process that read it: it is damaged or too large."
            return [Result(source, {}, error)]
        return results

    def close(self) -> None:
        """End the processes; who waits for one gets an error."""
        with self._lock:
            self._closed = True
            for worker in self._all:
                worker.close()

    def _tried(self, chunk: Sequence[Task]) -> Sequence[Result] | None:
        """Return what came of a chunk, None if the process ended; another then takes its place."""
        worker = self._idle.get()
        try:
            return worker.read(chunk)
        except EOFError:
            worker = self._started(instead_of=worker)
            return None
        finally:
            self._idle.put(worker)

    def _started(self, instead_of: _Worker | None = None) -> _Worker:
        with self._lock:
            if self._closed:
                raise HcrError("The batch was stopped.")
            if instead_of is not None:
                instead_of.close()
                self._all.remove(instead_of)
            worker = _Worker(self._settings)
            self._all.append(worker)
            return worker


class _Worker:
    """A process that reads, and ends when this one does, however that happens.

    Its end of the pipe is the only one open there, so that it sees the end of ours.
    """

    def __init__(self, settings: BatchSettings) -> None:
        context = multiprocessing.get_context("spawn")
        self._connection, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs, settings), daemon=True)
        with _interrupts_ignored():
            self._process.start()
        theirs.close()

    def read(self, chunk: Sequence[Task]) -> Sequence[Result]:
        """Return what came of a chunk.

        Raises:
            EOFError: If the process ended.
            HcrError: If it cannot read at all.
        """
        try:
            self._connection.send(chunk)
            answer = self._connection.recv()
        except OSError as error:
            raise EOFError from error
        if isinstance(answer, Exception):
            raise answer
        results: Sequence[Result] = answer
        return results

    def close(self) -> None:
        self._process.kill()
        self._process.join()


@contextlib.contextmanager
def _interrupts_ignored() -> Iterator[None]:
    """Have a process that is started leave Ctrl-C to this one, from its first moment on."""
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread may say so; `_serve` does it a moment later
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _serve(connection: Connection, settings: BatchSettings) -> None:
    """Read chunks until the pipe is closed at the other end."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with contextlib.suppress(EOFError, OSError):
        try:
            reader = BatchReader(settings)
            while True:
                connection.send(reader(connection.recv()))
        except (EOFError, OSError):
            raise
        except Exception as error:  # no network, or a fault of ours: the other side raises it
            connection.send(error)
            connection.recv()
