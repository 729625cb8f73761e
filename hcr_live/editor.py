"""The text as a writer edits it: written, taken back, completed; every edit can be undone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from hcr_live.text import PageCharacter, Text

Row = NDArray[np.float32]
"""One character's probabilities of the 26 letters, float32 (26,)."""

Suggest = Callable[[NDArray[np.float32]], Sequence[str]]
"""From the rows of a word's characters, (n, 26), to words in small letters, best first."""

_MOST_UNDONE = 200


class Editor:
    """The text, its history, and suggestions for the word at its end.

    Args:
        suggest: Finds words; None for no suggestions.
    """

    def __init__(self, suggest: Suggest | None = None) -> None:
        self.text = Text()
        self.suggestions: tuple[str, ...] = ()
        self._suggest = suggest
        self._word: tuple[Row, ...] = ()
        self._ended = False
        self._history: list[tuple[Text, tuple[Row, ...]]] = []

    def __str__(self) -> str:
        return str(self.text)

    @property
    def can_undo(self) -> bool:
        """Whether there is an edit to take back."""
        return bool(self._history)

    @property
    def word_ended(self) -> bool:
        """Whether a space will come before what is written next."""
        return self._ended or (bool(str(self.text)) and str(self.text)[-1] == " ")

    def write(self, label: str, letters: Row | None = None) -> None:
        """Append a character from the air.

        Args:
            label: Its text.
            letters: Its probabilities as letters; None for what is no part of a word.
        """
        if self._ended:
            self.space()
        # A word whose start is not known letter by letter (read from paper, a digit) gets no help.
        starts = not str(self.text) or str(self.text)[-1].isspace()
        word: tuple[Row, ...] = ()
        if letters is not None and (starts or self._word):
            word = (*self._word, letters)
        self._change(self.text.write(label), word)

    def end_word(self) -> bool:
        """Put a space before what is written next; return False where no word is to be ended."""
        if self._ended or not str(self.text) or str(self.text)[-1].isspace():
            return False
        self._ended = True
        return True

    def space(self) -> None:
        """Append a space, where there is a word before it."""
        if str(self.text) and not str(self.text)[-1].isspace():
            self._change(self.text.write(" "), ())

    def delete(self) -> None:
        """Delete the last character."""
        if str(self.text):
            self._change(self.text.delete(), self._word[:-1])

    def clear(self) -> None:
        """Delete all text."""
        if str(self.text):
            self._change(self.text.clear(), ())

    def accept(self, number: int = 0) -> bool:
        """Put a suggestion and a space in the place of the word; return False if there is none."""
        if number >= len(self.suggestions):
            return False
        text = self.text
        for _ in self._word:
            text = text.delete()
        self._change(text.write(self.suggestions[number]).write(" "), ())
        return True

    def undo(self) -> bool:
        """Take back the last of these edits; return False if there is none."""
        if self._ended:
            self._ended = False
            return True
        if not self._history:
            return False
        before, self._word = self._history.pop()
        self.text = replace(before, page=self.text.page)
        self._find()
        return True

    def show_page(self, page: tuple[PageCharacter, ...]) -> None:
        """Replace the page in view."""
        self._turn(self.text.show_page(page))

    def keep_page(self) -> None:
        """The page left the view: its text is kept."""
        self._turn(self.text.keep_page())

    def _turn(self, text: Text) -> None:
        if str(text) != str(self.text):  # paper changed the text: edits before are history
            self._history.clear()
            self._ended = False
            self._word, self.suggestions = (), ()
        self.text = text

    def _change(self, text: Text, word: tuple[Row, ...]) -> None:
        self._history = [*self._history[-_MOST_UNDONE:], (self.text, self._word)]
        self.text, self._word, self._ended = text, word, False
        self._find()

    def _find(self) -> None:
        """Look for words like the one at the end, in its case."""
        self.suggestions = ()
        if self._suggest is None or not self._word:
            return
        written = str(self.text)[-len(self._word) :]
        found = self._suggest(np.stack(self._word))
        as_written = str.upper if written.isupper() else str.lower
        if written[:1].isupper() and written[1:].islower():
            as_written = str.capitalize
        self.suggestions = tuple(as_written(word) for word in found)
