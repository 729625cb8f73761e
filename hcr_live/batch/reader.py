"""Reads some pictures at a time: what every worker of a batch does, wherever it runs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from hcr_live.batch.task import BatchSettings, Result, Row, Task
from hcr_live.errors import HcrError
from hcr_live.events import prediction_fields, reading_fields
from hcr_live.quiet import silent_opencv_log, silent_stderr
from hcr_live.reading import Reading
from hcr_live.recognizer import Recognizer


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
            settings.alphabet, min_confidence=settings.min_confidence, model=settings.model
        )

    def __call__(self, tasks: Sequence[Task]) -> list[Result]:
        """Return what came of each task; a picture that cannot be read stops no other."""
        # Once for all of them: each picture would do it again.
        with silent_opencv_log(), silent_stderr():
            return [self._result(task) for task in tasks]

    def _result(self, task: Task) -> Result:
        try:
            return Result(task.source, self._row(task, _picture(task)))
        except HcrError as error:
            return Result(task.source, {}, str(error))

    def _row(self, task: Task, image: NDArray[np.uint8]) -> Row:
        if self._settings.character:
            return {"source": task.source} | prediction_fields(
                self._recognizer.read_character(image)
            )
        reading = self._recognizer.read(image, self._settings.region)
        if task.annotated:
            write_annotated(task.annotated, image, reading)
        return reading_fields(task.source, reading)


def write_annotated(target: str, image: NDArray[np.uint8], reading: Reading) -> None:
    """Write a copy of the picture with boxes and letters, as PNG.

    Raises:
        HcrError: If it can't be written.
    """
    import cv2

    from hcr_live.overlay import annotate_reading

    encoded, content = cv2.imencode(".png", annotate_reading(image, reading))
    try:
        if not encoded:
            raise OSError(0, "it can't be encoded as PNG")
        with open(target, "wb") as file:
            file.write(content.tobytes())
    except OSError as error:
        raise HcrError(f"Cannot write {target}: {error.strerror}.") from error


def _picture(task: Task) -> NDArray[np.uint8]:
    """Return the picture of a task.

    Raises:
        HcrError: If there is none.
    """
    from hcr_live.sources.images import decode_image, load_image

    if task.error:
        raise HcrError(task.error)
    if isinstance(task.content, bytes):
        return decode_image(task.content, task.source)
    if task.content is not None:
        return task.content
    return load_image(task.path)
