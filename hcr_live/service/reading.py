"""Who reads for all requests: a thread for single characters, a few for whole pictures."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from queue import SimpleQueue
from typing import Any, TypeVar

import anyio
import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from hcr_live.alphabet import ALPHABETS, get_alphabet
from hcr_live.classifier import Classifier, Rows
from hcr_live.errors import HcrError
from hcr_live.events import reading_fields
from hcr_live.frame import Box
from hcr_live.ink.render import checked_strokes
from hcr_live.paper.crop import character_ink
from hcr_live.paper.page import cropped
from hcr_live.reading import Prediction, Reading
from hcr_live.recognizer import Recognizer
from hcr_live.service.metrics import Metrics
from hcr_live.service.pictures import decode, size_of
from hcr_live.service.problems import Problem, busy
from hcr_live.service.settings import Settings

_BATCH = 16
# A larger picture of a character is prepared elsewhere, so that it does not hold up the others.
_SMALL_SIDE = 400

# Reading takes some twenty bytes a pixel: of pictures with more than so many, one at a time.
_LARGE_PIXELS = 16_000_000

_log = logging.getLogger(__name__)

Ink = NDArray[np.uint8]
Value = TypeVar("Value")


class PictureReader:
    """Reads whole pictures on a few threads, each with a recogniser of its own.

    Args:
        settings: The network and the limits.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._pool = ThreadPoolExecutor(min(2, os.cpu_count() or 1), "pictures")
        self._of_thread = threading.local()
        self._room = threading.Lock()
        self._waiting = 0

    def close(self) -> None:
        """Stop the threads; what waits is not read."""
        self._pool.shutdown(cancel_futures=True)

    async def read(
        self, data: bytes, alphabet: str, min_confidence: float, region: Box | None
    ) -> bytes:
        """Return what is written on a picture, as JSON.

        Raises:
            Problem: If the picture is none, too large or damaged, or too much waits.
            HcrError: If the region is outside of it.
        """

        def work() -> bytes:
            image = decode(data, self._settings.pixels)
            reading = self._recognizer().read_as(alphabet, min_confidence, image, region)
            fields = reading_fields("", reading) | {"alphabet": alphabet}
            del fields["source"]
            return _json(fields)

        width, height = size_of(data)
        return await self.run(work, width * height)

    async def run(self, work: Callable[[], Value], pixels: int) -> Value:
        """Return what `work` does with a picture of so many pixels, on one of the threads.

        Raises:
            Problem: 429 if too much waits, or it takes too long; 422 if OpenCV cannot do it.
        """
        if self._waiting >= self._settings.pictures:
            raise busy()
        self._waiting += 1

        def work_alone() -> Value:
            with self._room:
                return _done(work)

        try:
            with anyio.fail_after(self._settings.answer_seconds):
                job = work_alone if pixels > _LARGE_PIXELS else partial(_done, work)
                return await asyncio.get_running_loop().run_in_executor(self._pool, job)
        except TimeoutError:
            raise busy() from None
        finally:
            self._waiting -= 1

    def _recognizer(self) -> _AnyRecognizer:
        if not hasattr(self._of_thread, "recognizer"):
            self._of_thread.recognizer = _AnyRecognizer(model=self._settings.model)
        recognizer: _AnyRecognizer = self._of_thread.recognizer
        return recognizer


class CharacterReader:
    """Reads single characters on one thread: all that came while the last ones were read, at once.

    It is made, used and closed on one event loop.

    Args:
        settings: The network and the limits.
        metrics: Counts the characters.
        pictures: Prepares the large ones.

    Raises:
        HcrError: If a network is missing or damaged.
    """

    def __init__(self, settings: Settings, metrics: Metrics, pictures: PictureReader) -> None:
        self._settings = settings
        self._metrics = metrics
        self._pictures = pictures
        self._loop = asyncio.get_running_loop()
        self._classifier = Classifier(settings.model)
        self._alphabets = {name: get_alphabet(name) for name in ALPHABETS}
        self._questions: SimpleQueue[_Question | None] = SimpleQueue()
        self._waiting = 0
        self._thread = threading.Thread(target=self._run, name="characters", daemon=True)
        self._thread.start()

    @property
    def is_running(self) -> bool:
        """Whether characters are being read."""
        return self._thread.is_alive()

    def close(self) -> None:
        """Stop the thread; what waits is not answered."""
        self._questions.put(None)
        self._thread.join()

    async def picture(self, data: bytes, alphabet: str, region: Box | None) -> bytes:
        """Return which character a picture shows, as JSON.

        Raises:
            Problem: If the picture is none, too large or damaged, its region is outside of it, or
                too much waits.
        """

        def ink() -> Ink:
            return character_ink(cropped(decode(data, self._settings.pixels), region))

        width, height = size_of(data)
        if max(width, height) <= _SMALL_SIDE:
            return await self._ask(alphabet, ink=ink)
        drawn = await self._pictures.run(ink, width * height)
        return await self._ask(alphabet, ink=lambda: drawn)

    async def strokes(self, strokes: Sequence[ArrayLike], alphabet: str) -> bytes:
        """Return which character strokes are, as JSON.

        Raises:
            Problem: If too much waits.
            HcrError: If they hold numbers that are not finite.
        """
        return await self._ask(alphabet, strokes=checked_strokes(strokes))

    async def _ask(
        self, alphabet: str, *, ink: Callable[[], Ink] | None = None, strokes: Any = ()
    ) -> bytes:
        if self._waiting >= self._settings.waiting:
            raise busy()
        self._waiting += 1
        answer: asyncio.Future[bytes] = self._loop.create_future()
        self._questions.put(_Question(alphabet, ink, strokes, answer))
        try:
            return await answer
        finally:
            self._waiting -= 1
            del answer  # a failure holds this frame, which would hold it

    def _run(self) -> None:
        going_on = True
        while going_on:
            batch: list[_Question] = []
            while going_on and (not batch or not self._questions.empty()) and len(batch) < _BATCH:
                question = self._questions.get()
                going_on = question is not None
                if question is not None:
                    batch.append(question)
            self._loop.call_soon_threadsafe(_deliver, batch, self._answers(batch))
            self._metrics.characters.inc(len(batch))

    def _answers(self, batch: list[_Question]) -> list[bytes | Exception]:
        try:
            return self._read(batch)
        except Exception as error:  # none may end the thread: the requests fail that asked
            return [error] * len(batch)

    def _read(self, batch: list[_Question]) -> list[bytes | Exception]:
        answers: list[bytes | Exception] = [b""] * len(batch)
        drawn: list[tuple[int, Ink]] = []
        written: list[tuple[int, Any]] = []
        for at, question in enumerate(batch):
            try:
                ink = None if question.ink is None else _done(question.ink)
            except HcrError as error:
                answers[at] = Problem(422, str(error))
            except Problem as problem:
                answers[at] = Problem(problem.status, problem.detail, problem.headers)
            else:
                if question.strokes:
                    written.append((at, question.strokes))
                elif ink is not None and ink.any():
                    drawn.append((at, ink))
                else:
                    answers[at] = self._answer(question.alphabet, None)
        classifier = self._classifier
        self._fill(answers, batch, drawn, classifier.probabilities)
        self._fill(answers, batch, written, classifier.stroke_probabilities)
        return answers

    def _fill(
        self,
        answers: list[bytes | Exception],
        batch: list[_Question],
        asked: list[tuple[int, Any]],
        classify: Callable[[list[Any]], Rows],
    ) -> None:
        if asked:
            rows = classify([value for _, value in asked])
            for (at, _), row in zip(asked, rows, strict=True):
                answers[at] = self._answer(batch[at].alphabet, row)

    def _answer(self, name: str, row: NDArray[np.float32] | None) -> bytes:
        best = Prediction("", 0.0)
        if row is not None:
            alphabet = self._alphabets[name]
            best = alphabet.predict_in_full(alphabet.project(row[None])[0])
        return _json(
            {
                "text": best.text,
                "confidence": round(best.confidence, 4),
                "candidates": [(text, round(value, 4)) for text, value in best.candidates],
                "probabilities": {
                    text: round(value, 6) for text, value in best.probabilities.items()
                },
                "alphabet": name,
            }
        )


@dataclass(frozen=True, eq=False)
class _Question:
    """A character to be read: what makes its ink, or its strokes."""

    alphabet: str
    ink: Callable[[], Ink] | None
    strokes: Any
    answer: asyncio.Future[bytes]


class _AnyRecognizer(Recognizer):
    """A recogniser that is told with each picture which alphabet it is in."""

    def read_as(
        self, alphabet: str, min_confidence: float, image: NDArray[np.uint8], region: Box | None
    ) -> Reading:
        self._alphabet = get_alphabet(alphabet)
        self._min_confidence = min_confidence
        return self.read(image, region)


def _done(work: Callable[[], Value]) -> Value:
    """Return what is done with a picture.

    Raises:
        Problem: 422 where OpenCV fails on it: nobody has seen all pictures.
    """
    try:
        return work()
    except cv2.error as error:
        _log.error("A picture could not be read: %s", error)
        raise Problem(422, "The image cannot be read: OpenCV fails on it.") from None


def _deliver(batch: list[_Question], answers: list[bytes | Exception]) -> None:
    """Hand answers over, on the event loop."""
    for question, answer in zip(batch, answers, strict=True):
        if question.answer.done():
            continue
        if isinstance(answer, Exception):
            question.answer.set_exception(answer)
        else:
            question.answer.set_result(answer)


def _json(fields: dict[str, Any]) -> bytes:
    return json.dumps(fields, ensure_ascii=False, separators=(",", ":")).encode()
