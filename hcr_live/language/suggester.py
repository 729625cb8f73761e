"""A dictionary that is there when the first word is written, and costs nothing before."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from hcr_live.language.dictionary import Dictionary, open_dictionary
from hcr_live.language.suggest import suggestions

MOST = 3
"""Words that are suggested at a time."""


class Suggester:
    """Finds words for what is written.

    Args:
        language: As `open_dictionary` takes it; a user's file is read at once, English when it is
            needed.

    Raises:
        HcrError: If there is no such file, or it holds no words.
    """

    def __init__(self, language: str) -> None:
        self._language = language
        self._dictionary: Future[Dictionary | None] | None = None
        if language != "en":
            self._dictionary = Future()
            self._dictionary.set_result(open_dictionary(language))

    def prepare(self) -> None:
        """Begin to load what is not loaded yet, on a thread of its own."""
        if self._dictionary is None:
            with_thread = ThreadPoolExecutor(1)
            self._dictionary = with_thread.submit(open_dictionary, self._language)
            with_thread.shutdown(wait=False)

    def __call__(self, letters: NDArray[np.float32]) -> tuple[str, ...]:
        """Return up to `MOST` words in small letters for a word's rows, (n, 26), best first."""
        self.prepare()
        assert self._dictionary is not None
        dictionary = self._dictionary.result()
        if dictionary is None:
            return ()
        return tuple(word.text for word in suggestions(letters, dictionary, MOST))
