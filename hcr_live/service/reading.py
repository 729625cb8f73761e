"""Who reads for all requests: a thread for single characters, a few for whole pictures."""

from __future__ import annotations

import asyncio
import json
import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from hcr_live.alphabet import ALPHABETS, get_alphabet
from hcr_live.classifier import Classifier
from hcr_live.errors import HcrError
from hcr_live.events import reading_fields
from hcr_live.frame import Box
from hcr_live.ink.render import checked_strokes
from hcr_live.recognizer import Recognizer
from hcr_live.service.pictures import crop, decode, size_of
from hcr_live.service.problems import Problem, busy
from hcr_live.service.settings import Settings

_BATCH = 32
_SMALL_PIXELS = 512 * 512
"""A picture of a character with more does not hold up the others: it is prepared elsewhere."""

Ink = NDArray[np.uint8]
Strokes = Sequence[ArrayLike]


@dataclass(frozen=True)
class _Question:
    """A character to be read: what makes its ink, or its strokes."""

    alphabet: str
    answer: asyncio.Future[bytes]
    ink: Callable[[], Ink] | None = None
    strokes: Strokes = ()


class Readers:
    """Reads what requests ask; made and used on the event loop.

    Args:
        settings: The network and the limits.

    Raises:
        HcrError: If the network is missing or damaged.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._loop = asyncio.get_running_loop()
        self._classifier = Classifier(settings.model)
        self._alphabets = {name: get_alphabet(name) for name in ALPHABETS}
        self._questions: SimpleQueue[_Question | None] = SimpleQueue()
        self._waiting = self._pictures_waiting = 0
        self._thread = threading.Thread(target=self._run, name="characters", daemon=True)
        self._pool = ThreadPoolExecutor(min(2, os.cpu_count() or 1), "pictures")
        self._own = threading.local()
        self._thread.start()

    @property
    def is_ready(self) -> bool:
        """Whether characters are being read."""
        return self._thread.is_alive()

    def close(self) -> None:
        """Stop the threads; what waits is not answered."""
        self._questions.put(None)
        self._pool.shutdown(wait=True, cancel_futures=True)
        self._thread.join()

    async def character(self, data: bytes, alphabet: str, region: Box | None) -> bytes:
        """Read the one character of a picture.

        Returns:
            The answer, JSON.

        Raises:
            Problem: If the picture is none, too large or damaged, or too much waits.
            HcrError: If the region is outside of it.
        """
        width, height = size_of(data)
        most = self._settings.pixels

        def ink() -> Ink:
            return _character_ink(crop(decode(data, most), region))

        if width * height <= _SMALL_PIXELS:
            return await self._ask(_Question(alphabet, self._loop.create_future(), ink))
        made = await self._in_pool(ink)
        return await self._ask(_Question(alphabet, self._loop.create_future(), lambda: made))

    async def strokes(self, strokes: Strokes, alphabet: str) -> bytes:
        """Read one character's pen strokes.

        Raises:
            Problem: If too much waits.
            HcrError: If they hold numbers that are not finite.
        """
        return await self._ask(
            _Question(alphabet, self._loop.create_future(), strokes=checked_strokes(strokes))
        )

    async def picture(
        self, data: bytes, alphabet: str, min_confidence: float, region: Box | None
    ) -> bytes:
        """Read a whole picture.

        Raises:
            Problem: If the picture is none, too large or damaged, or too much waits.
            HcrError: If the region is outside of it.
        """

        def read() -> bytes:
            image = decode(data, self._settings.pixels)
            reading = self._recognizer().read_as(alphabet, min_confidence, image, region)
            fields = reading_fields("", reading)
            del fields["source"]
            return _json({**fields, "alphabet": alphabet})

        return await self._in_pool(read)

    async def _ask(self, question: _Question) -> bytes:
        if self._waiting >= self._settings.waiting:
            raise busy()
        self._waiting += 1
        try:
            self._questions.put(question)
            return await question.answer
        finally:
            self._waiting -= 1

    async def _in_pool(self, work: Callable[[], Any]) -> Any:
        if self._pictures_waiting >= self._settings.pictures:
            raise busy()
        self._pictures_waiting += 1
        try:
            return await self._loop.run_in_executor(self._pool, work)
        finally:
            self._pictures_waiting -= 1

    def _recognizer(self) -> _Recognizer:
        if not hasattr(self._own, "recognizer"):
            self._own.recognizer = _Recognizer(self._settings.model)
        recognizer: _Recognizer = self._own.recognizer
        return recognizer

    def _run(self) -> None:
        """Answer what has come while the last ones were being answered, all at once."""
        while True:
            question = self._questions.get()
            batch: list[_Question] = []
            while question is not None:
                batch.append(question)
                if len(batch) == _BATCH or self._questions.empty():
                    break
                question = self._questions.get()
            answers = self._answers(batch)
            self._loop.call_soon_threadsafe(_deliver, answers)
            if question is None:
                return

    def _answers(self, batch: list[_Question]) -> list[tuple[_Question, bytes | Exception]]:
        answers: list[tuple[_Question, bytes | Exception]] = []
        drawn: list[tuple[_Question, Ink]] = []
        written = [question for question in batch if question.ink is None]
        for question in batch:
            if question.ink is None or question.answer.cancelled():
                continue
            try:
                drawn.append((question, question.ink()))
            except Exception as error:
                answers.append((question, error))
        try:
            if drawn:
                rows = self._classifier.probabilities([ink for _, ink in drawn])
                pairs = zip((question for question, _ in drawn), rows, strict=True)
                answers += [(question, self._answer(question, row)) for question, row in pairs]
            if written:
                rows = self._classifier.stroke_probabilities([each.strokes for each in written])
                for question, row in zip(written, rows, strict=True):
                    answers.append((question, self._answer(question, row)))
        except Exception as error:
            done = {id(question) for question, _ in answers}
            answers += [(question, error) for question in batch if id(question) not in done]
        return answers

    def _answer(self, question: _Question, row: NDArray[np.float32]) -> bytes:
        alphabet = self._alphabets[question.alphabet]
        projected = alphabet.project(row[None])[0]
        has_ink = bool(question.strokes) if question.ink is None else bool(np.ptp(row) > 0)
        best = alphabet.predict(projected)
        values = [round(value, 6) for value in projected.tolist()]
        return _json(
            {
                "text": best.text if has_ink else "",
                "confidence": round(best.confidence, 4) if has_ink else 0.0,
                "candidates": [[text, round(value, 4)] for text, value in best.candidates]
                if has_ink
                else [],
                "probabilities": dict(zip(alphabet.labels, values, strict=True)),
                "alphabet": alphabet.name,
            }
        )


class _Recognizer(Recognizer):
    """A recogniser that is told with each picture which alphabet it is in."""

    def __init__(self, model: Path | None) -> None:
        super().__init__(model=model)

    def read_as(
        self, alphabet: str, min_confidence: float, image: NDArray[np.uint8], region: Box | None
    ) -> Any:
        self._alphabet = get_alphabet(alphabet)
        self._min_confidence = min_confidence
        return self.read(image, region)


def _character_ink(image: NDArray[np.uint8]) -> Ink:
    return cv2.bitwise_not(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY))


def _deliver(answers: list[tuple[_Question, bytes | Exception]]) -> None:
    """Hand answers over, on the event loop."""
    for question, answer in answers:
        if question.answer.done():
            continue
        if isinstance(answer, Exception):
            question.answer.set_exception(answer)
        else:
            question.answer.set_result(answer)


def _json(fields: dict[str, Any]) -> bytes:
    return json.dumps(fields, ensure_ascii=False, separators=(",", ":")).encode()


__all__ = ["HcrError", "Problem", "Readers"]
