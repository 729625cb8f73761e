"""Dictionaries: words and how often they are written."""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from io import StringIO
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hcr_live.errors import HcrError

_LEAST_DIGITS = 7  # of the count of a word: a million

_JOINERS = dict.fromkeys(map(ord, "'’-"))
"""Signs within a word that nobody writes in the air: its letters are compared without them."""


@dataclass(frozen=True, eq=False)
class Words:
    """All words of one length, the most frequent first.

    Attributes:
        texts: The n words in lower case, as they are to be shown: "don't".
        letters: int8 (length, n), 0 to 25 for a to z: what a hand writes of them, "dont".
        log_frequencies: float32 (n,), natural logarithms of shares of the whole dictionary.
    """

    texts: tuple[str, ...]
    letters: NDArray[np.int8]
    log_frequencies: NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Dictionary:
    """The words of a language.

    Attributes:
        name: "en", or the file's name.
        of_length: The words by their number of letters.
    """

    name: str
    of_length: Mapping[int, Words]

    def __len__(self) -> int:
        return sum(len(words.texts) for words in self.of_length.values())


def open_dictionary(language: str) -> Dictionary | None:
    """Return the dictionary that `--language` names.

    Args:
        language: "en" for English, "off" for none, else the path of a file (`read_dictionary`).

    Raises:
        HcrError: If there is no such file, or it holds no words.
    """
    if language == "off":
        return None
    return english() if language == "en" else read_dictionary(Path(language))


def english() -> Dictionary:
    """Return some 22,000 English words with their frequencies in books.

    The list is SymSpell's, which symspellpy carries (MIT): the words of SCOWL (MIT-like) with
    their counts in Google Books Ngram (CC BY 3.0). Only its file is read: the package's code does
    another search, by edit distance, which knows no probabilities.

    Raises:
        HcrError: If the package is missing.
    """
    package = find_spec("symspellpy")
    if package is None or package.origin is None:
        raise HcrError(
            "The English words are missing: pip install symspellpy, or choose --language off."
        )
    path = Path(package.origin).with_name("frequency_dictionary_en_82_765.txt")
    rows = (line.partition(" ") for line in StringIO(_text(path)))
    # The rest are rare words, which cost as much memory; contractions have made-up counts.
    common = (
        (word, float(count)) for word, _, count in rows if len(count) > _LEAST_DIGITS or "'" in word
    )
    return make_dictionary("en", common)


def read_dictionary(path: Path) -> Dictionary:
    """Return a user's own dictionary.

    Args:
        path: A text file in UTF-8: a word a line, optionally its count after a space, tab or
            comma, 1 where there is none. Lines of another form are left out, and words that
            have other letters than a to z and their accented forms.

    Raises:
        HcrError: If it can't be read, is no text, or holds no words.
    """
    dictionary = make_dictionary(path.name, _counts(path))
    if not len(dictionary):
        raise HcrError(f"The dictionary {path} holds no words: write a word of a-z on each line.")
    return dictionary


def make_dictionary(name: str, counts: Iterable[tuple[str, float]]) -> Dictionary:
    """Return the dictionary of some words.

    Args:
        name: What to call it.
        counts: Words and how often they are written, from 1e-18 to 1e18; a word that comes again,
            in whatever case, adds up. Words with other letters than a to z and their accented
            forms are left out.
    """
    merged: dict[str, float] = defaultdict(float)
    for text, count in counts:
        merged[text.lower()] += count
    rows: dict[int, list[tuple[float, str, str]]] = defaultdict(list)
    while merged:  # emptied, not copied: it is ten times as large as what comes of it
        text, count = merged.popitem()
        letters = _written(text)
        if letters:
            rows[len(letters)].append((-count, text, letters))
    total = -sum(row[0] for same in rows.values() for row in same)
    return Dictionary(name, {length: _words(rows[length], total) for length in sorted(rows)})


def _words(rows: list[tuple[float, str, str]], total: float) -> Words:
    negated, texts, letters = zip(*sorted(rows), strict=True)
    codes = np.frombuffer("".join(letters).encode("ascii"), np.int8) - np.int8(ord("a"))
    return Words(
        texts,
        np.ascontiguousarray(codes.reshape(len(texts), -1).T),
        np.log(-np.asarray(negated) / total).astype(np.float32),
    )


def _written(text: str) -> str:
    """Return the letters a to z of a lower-case word, "dont" of "don't", or "" if it has others."""
    if not (text.isascii() and text.isalpha()):
        parts = unicodedata.normalize("NFKD", text.casefold())
        text = "".join(part for part in parts if not unicodedata.combining(part))
        text = text.translate(_JOINERS)
    return text if text.isascii() and text.isalpha() else ""


def _counts(path: Path) -> Iterator[tuple[str, float]]:
    """Yield the words of a file and their counts."""
    for line in StringIO(_text(path)):
        word, *rest = line.replace(",", " ").split() or [""]
        count = _count(rest)
        if word and count:
            yield word, count


def _count(rest: list[str]) -> float:
    """Return the count that follows a word: 1 if nothing does, 0 if it is no count."""
    if not rest:
        return 1.0
    try:
        (count,) = map(float, rest)
    except ValueError:
        return 0.0
    return count if 1e-18 <= count <= 1e18 else 0.0


def _text(path: Path) -> str:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError as error:
        raise HcrError(
            f"There is no dictionary '{path}': choose en, off, or a file with a word a line."
        ) from error
    except UnicodeDecodeError as error:
        raise HcrError(f"The dictionary {path} is no text in UTF-8: save it as such.") from error
    except OSError as error:
        raise HcrError(f"The dictionary {path} can't be read: {error.strerror}.") from error
    if "\0" in text:
        raise HcrError(f"The dictionary {path} is no text: give a file with a word a line.")
    return text
