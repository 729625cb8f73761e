"""The words that what was read may mean: Shannon's noisy channel, run backwards."""

from __future__ import annotations

import string
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hcr_live.errors import HcrError
from hcr_live.language.dictionary import Dictionary, Words

_FREQUENCY_WEIGHT = 0.5
"""Of a word's log frequency, against 1 of the ink's: people write rare words on purpose. Measured
on words of capitals by ten people whom the network did not know: 0.35 to 0.7 do about as well."""

_MISREAD = 0.01
"""Share of characters of which the network's answer says nothing."""

_SPLIT = -8.0
"""Log likelihood that a letter was cut in two, against a letter read whole."""

_LOST = -5.0
"""And that a letter is missing."""

_UNKNOWN_LETTER = -2.5
"""Log likelihood of each letter of a word that is in no dictionary, a name: about the entropy of
a letter in English. With it, one name in ten lost to a word though it was read right."""

_FAR = 6.0
"""A word whose score is this much lower than the best one's, or the literal reading's, is noise."""

Scores = NDArray[np.float32]
"""Natural logarithms of likelihoods."""


@dataclass(frozen=True)
class Suggestion:
    """A word and how well it fits.

    Attributes:
        text: In lower case.
        score: Natural logarithm of its likelihood, up to a constant that all words have in common
            for one reading, `literal`'s too: 2.3 more is ten times as likely.
    """

    text: str
    score: float


def suggestions(
    probabilities: ArrayLike, dictionary: Dictionary, most: int = 3
) -> tuple[Suggestion, ...]:
    """Return the words that are likely meant by the characters of one word.

    All letters of all characters count, not only the best ones: a word's score is the sum of its
    letters' log probabilities and its weighted log frequency (C. E. Shannon's noisy channel, 1948;
    for spelling: Kernighan, Church, Gale, 1990). A word may have one letter more, which was lost,
    or one less, which was cut in two. The last place, and every place that no whole word is
    likely enough for, is a longer word's that begins with what is written.

    Args:
        probabilities: Float (n, 26): of the letters a to z for each character in the order
            written, in [0, 1], as `get_alphabet("letters").project` gives them.
        dictionary: The words.
        most: At most how many to return.

    Returns:
        The whole words, best first, then the longer ones. Fewer, or none, where what is read is
        so clear that no word of the dictionary comes near it: a name. What was literally read is
        among them only if it is a word of the dictionary.

    Raises:
        HcrError: If the probabilities have another shape or are not finite.
    """
    ink = _logarithms(probabilities)
    if most < 1 or not len(ink):
        return ()
    whole = _best(_whole(ink, dictionary), most)
    begun = _best(_begun(ink, dictionary), most)
    enough = max(word.score for word in (literal(probabilities), *whole, *begun)) - _FAR
    chosen: dict[str, Suggestion] = {}
    for word in (*whole[: max(1, most - 1)], *begun[:1], *whole, *begun):
        if word.score > enough:
            chosen.setdefault(word.text, word)
    return tuple(chosen.values())[:most]


def literal(probabilities: ArrayLike) -> Suggestion:
    """Return what is read letter by letter, scored as a word that no dictionary has.

    Where it scores higher than the first suggestion, a name is more likely than that word.

    Args:
        probabilities: As for `suggestions`.

    Returns:
        The best letter of each character, "" if there is none.

    Raises:
        HcrError: As for `suggestions`.
    """
    ink = _logarithms(probabilities)
    text = "".join(string.ascii_lowercase[letter] for letter in ink.argmax(axis=1))
    return Suggestion(text, float(ink.max(axis=1).sum()) + _UNKNOWN_LETTER * len(ink))


def _whole(ink: Scores, dictionary: Dictionary) -> Iterator[tuple[Words, Scores]]:
    """Yield the words of about as many letters as there are characters, and their scores."""
    for more, penalty in ((-1, _SPLIT), (0, 0.0), (1, _LOST)):
        words = dictionary.of_length.get(len(ink) + more)
        if words is not None:
            fit = _one_off(ink, words.letters) if more else _in_step(ink, words.letters)
            yield words, _scores(fit, words, penalty)


def _begun(ink: Scores, dictionary: Dictionary) -> Iterator[tuple[Words, Scores]]:
    """Yield the words that are longer, and their scores as far as they are written."""
    for length, words in dictionary.of_length.items():
        if length > len(ink):
            yield words, _scores(_in_step(ink, words.letters), words, _LOST)


def _scores(fit: Scores, words: Words, penalty: float) -> Scores:
    return fit + np.float32(_FREQUENCY_WEIGHT) * words.log_frequencies + np.float32(penalty)


def _in_step(ink: Scores, letters: NDArray[np.int8]) -> Scores:
    """Return the log probability of each word's letters where they stand, float32 (words,)."""
    total = np.zeros(letters.shape[1], np.float32)
    for row, column in zip(ink, letters, strict=False):
        total += row.take(column)
    return total


def _one_off(ink: Scores, letters: NDArray[np.int8]) -> Scores:
    """Return the same with one character, or one letter, left out where that is best."""
    count = min(len(ink), len(letters))
    before = after = np.zeros(letters.shape[1], np.float32)
    pairs = zip(ink[:count], letters[:count], ink[-count:], letters[-count:], strict=True)
    for row, column, later_row, later_column in pairs:
        after = np.maximum(before, after) + later_row.take(later_column)
        before = before + row.take(column)
    return np.maximum(before, after)


def _best(scored: Iterable[tuple[Words, Scores]], most: int) -> list[Suggestion]:
    found = []
    for words, scores in scored:
        top = np.argpartition(scores, -most)[-most:] if most < len(scores) else range(len(scores))
        found += [Suggestion(words.texts[k], float(scores[k])) for k in top]
    return sorted(found, key=lambda word: (-word.score, word.text))[:most]


def _logarithms(probabilities: ArrayLike) -> Scores:
    rows = np.asarray(probabilities, np.float32)
    if rows.size == 0:
        return np.zeros((0, 26), np.float32)
    if rows.ndim != 2 or rows.shape[1] != 26 or not np.isfinite(rows).all():
        raise HcrError("Letter probabilities must be finite numbers of shape (n, 26).")
    return np.log((1 - _MISREAD) * rows.clip(0, 1) + np.float32(_MISREAD / 26))
