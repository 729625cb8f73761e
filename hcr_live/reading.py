"""What the recogniser answers: frozen values without behaviour."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hcr_live.frame import Box

Candidates = tuple[tuple[str, float], ...]
"""(text, confidence) pairs, best first, at most three; confidences in [0, 1]."""

Classify = Callable[[Sequence[NDArray[np.uint8]]], NDArray[np.float32]]
"""Inks, white on black, to float32 (n, 62): how likely each is each class, rows sum to 1."""


@dataclass(frozen=True)
class Prediction:
    """The answer for one character.

    Attributes:
        text: The best label of the asked alphabet, "" if there is no ink.
        confidence: Its probability in [0, 1].
        candidates: The best three with their probabilities, best first.
        probabilities: Every label of the alphabet with its probability, where one character was
            asked for (`read_character`, `read_strokes`) and there is ink; else empty.
    """

    text: str
    confidence: float
    candidates: Candidates = ()
    probabilities: Mapping[str, float] = field(
        default_factory=dict, compare=False, repr=False, kw_only=True
    )


@dataclass(frozen=True)
class Character(Prediction):
    """A prediction and where it stands, in pixels of the unmirrored source image."""

    box: Box = field(default=Box(0, 0, 0, 0))


@dataclass(frozen=True)
class Reading:
    """The answer for a whole picture.

    Attributes:
        text: The lines joined by newlines, words by spaces; "" if nothing is written.
        lines: The same, a string a line, top to bottom.
        characters: Every character in reading order.
        joined: Where writing is whose characters hang together, which is not read.
    """

    text: str
    lines: tuple[str, ...]
    characters: tuple[Character, ...]
    joined: tuple[Box, ...] = ()


class Classifies(Protocol):
    """What the recogniser needs of a network; `classifier.Classifier` is the one."""

    @property
    def name(self) -> str:
        """The model's name, for events."""

    def probabilities(self, inks: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
        """Return float32 (n, 62), rows sum to 1, for uint8 (h, w) inks, white on black."""

    def stroke_probabilities(
        self, characters: Sequence[Sequence[ArrayLike]]
    ) -> NDArray[np.float32]:
        """Return the same for pen strokes, (n, 2) arrays in writing order, a list a character."""
