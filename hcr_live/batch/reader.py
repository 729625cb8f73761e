"""Reads some pictures at a time: what every worker of a batch does, wherever it runs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from hcr_live.allocation import keep_freed_memory
from hcr_live.batch.task import BatchSettings, Result, Task
from hcr_live.batch.urls import fetched
from hcr_live.errors import HcrError
from hcr_live.events import prediction_fields, reading_fields
from hcr_live.paper.page import cropped
from hcr_live.quiet import silent_opencv_log, silent_stderr
from hcr_live.reading import Reading
from hcr_live.recognizer import Recognizer

_UNREADABLE = (cv2.error, MemoryError)
"""What one picture may bring about that nobody foresaw."""


class BatchReader:
    """A recogniser that answers a chunk of tasks with as many results, in their order.

    Args:
        settings: How to read.

    One thread at a time may use an instance.

    Raises:
        HcrError: As `Recognizer`.
    """

    def __init__(self, settings: BatchSettings) -> None:
        self._settings = settings
        self._recognizer = Recognizer(
            settings.alphabet,
            min_confidence=settings.min_confidence,
            model=settings.model,
            threads=1 if settings.shared else None,
        )
        if settings.shared:
            cv2.setNumThreads(1)
            keep_freed_memory()

    def __call__(self, tasks: Sequence[Task]) -> list[Result]:
        """Return what came of each task; a picture that cannot be read stops no other."""
        tasks = fetched(tasks)
        # Once for all of them: each picture would do it again.
        with silent_opencv_log(), silent_stderr():
            if not self._settings.character:
                return [self._reading(task) for task in tasks]
            try:
                return self._characters(tasks)
            except _UNREADABLE as error:
                if len(tasks) == 1:
                    return [Result(tasks[0].source, {}, _reason(tasks[0], error))]
                return [result for task in tasks for result in self([task])]

    def _reading(self, task: Task) -> Result:
        try:
            image = _picture(task)
            reading = self._recognizer.read(image, self._settings.region)
            if task.annotated:
                write_annotated(task.annotated, image, reading)
        except (HcrError, *_UNREADABLE) as error:
            return Result(task.source, {}, _reason(task, error))
        return Result(task.source, reading_fields(task.source, reading))

    def _characters(self, tasks: Sequence[Task]) -> list[Result]:
        errors: dict[int, str] = {}

        def pictures() -> Iterator[NDArray[np.uint8]]:
            for number, task in enumerate(tasks):
                try:
                    yield cropped(_picture(task, keep_grey=True), self._settings.region)
                except HcrError as error:
                    errors[number] = str(error)

        predictions = iter(self._recognizer.read_characters(pictures()))
        results = []
        for number, task in enumerate(tasks):
            if number in errors:
                results.append(Result(task.source, {}, errors[number]))
            else:
                fields = prediction_fields(next(predictions))
                results.append(Result(task.source, {"source": task.source} | fields))
        return results


def _reason(task: Task, error: Exception) -> str:
    if isinstance(error, HcrError):
        return str(error)
    what = "it is too large for this computer's memory"
    if isinstance(error, cv2.error):
        what = "no writing can be looked for in it"
    return f"{task.source} cannot be read: {what}."


def write_annotated(target: str, image: NDArray[np.uint8], reading: Reading) -> None:
    """Write a copy of the picture with boxes and letters, as PNG.

    Raises:
        HcrError: If it can't be written.
    """
    from hcr_live.overlay import annotate_reading

    encoded, content = cv2.imencode(".png", annotate_reading(image, reading))
    try:
        if not encoded:
            raise OSError(0, "it can't be encoded as PNG")
        with open(target, "wb") as file:
            file.write(content.tobytes())
    except OSError as error:
        raise HcrError(f"Cannot write {target}: {error.strerror}.") from error


def _picture(task: Task, *, keep_grey: bool = False) -> NDArray[np.uint8]:
    """Return the picture of a task.

    Raises:
        HcrError: If there is none.
    """
    from hcr_live.batch.sources import page_picture
    from hcr_live.sources.images import decode_image, load_image

    if task.error:
        raise HcrError(task.error)
    if isinstance(task.content, bytes):
        return decode_image(task.content, task.source, keep_grey=keep_grey)
    if task.content is not None:
        return task.content
    if task.page is not None:
        return page_picture(task.path, task.page)
    return load_image(task.path, keep_grey=keep_grey)
