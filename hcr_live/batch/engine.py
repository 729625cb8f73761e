"""The boundary between what is to be read and who reads it."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Sequence
from typing import Protocol

from hcr_live.batch.reader import BatchReader
from hcr_live.batch.task import BatchSettings, Result, Task

_MOST_CONTENT = 4 << 20
"""Bytes that tasks bring with them, for each chunk."""


class Engine(Protocol):
    """Who reads chunks of tasks: this process, a few local ones, a cluster."""

    @property
    def chunk(self) -> int:
        """How many tasks it wants at a time."""

    def read(self, chunks: Iterator[Sequence[Task]]) -> Iterator[Sequence[Result]]:
        """Yield each chunk's results, as many and in the same order as its tasks.

        Chunks come back in the order in which they were taken. Only a window of them is taken
        ahead, so that memory does not grow with how many there are. To close the iterator ends
        the work.

        Raises:
            HcrError: If nothing can be read at all, such as without a network; never for one
                picture, whose result says why.
        """


def run_chunks(tasks: Iterable[Task], engine: Engine) -> Generator[Result, None, None]:
    """Yield what comes of each task, in their order; memory stays flat however many there are.

    Args:
        tasks: What to read, taken a window ahead.
        engine: Who reads.

    Raises:
        HcrError: As `Engine.read`.
    """
    for results in engine.read(chunked(iter(tasks), engine.chunk)):
        yield from results


def chunked(tasks: Iterator[Task], size: int) -> Iterator[list[Task]]:
    """Yield so many tasks at a time, fewer where they bring much content with them."""
    chunk: list[Task] = []
    held = 0
    for task in tasks:
        chunk.append(task)
        if task.content is not None:
            held += len(task.content) if isinstance(task.content, bytes) else task.content.nbytes
        if len(chunk) == size or held > _MOST_CONTENT:
            yield chunk
            chunk, held = [], 0
    if chunk:
        yield chunk


class ThisProcess:
    """Reads in this process, one chunk after the other.

    Args:
        settings: How to read.
        chunk: How many tasks at a time.
    """

    def __init__(self, settings: BatchSettings, chunk: int = 64) -> None:
        self._settings = settings
        self.chunk = chunk

    def read(self, chunks: Iterator[Sequence[Task]]) -> Iterator[Sequence[Result]]:
        """As `Engine.read`."""
        reader = BatchReader(self._settings)
        for chunk in chunks:
            yield reader(chunk)
