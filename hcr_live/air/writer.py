"""Strokes of the air to characters: grouped, drawn, and read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hcr_live.air.characters import Characters, CharacterSettings
from hcr_live.air.pen import Stroke, as_writer_sees, glide
from hcr_live.alphabet import Alphabet, get_alphabet
from hcr_live.ink.normalise import network_input
from hcr_live.ink.render import render_strokes
from hcr_live.reading import Classifies, Prediction

_SPACING = 0.05
"""Between the points of a drawn stroke, at most, in palm lengths."""


@dataclass(frozen=True, eq=False)
class Written:
    """A finished character.

    Attributes:
        prediction: What it is held to be.
        letters: float32 (26,), its probabilities as a letter; None where its label is a digit.
        strokes: float32 (n, 3) each: x, y in pixels of the unmirrored frame, seconds.
        seen: What the network of ink was shown, float32 (SIDE, SIDE) in [0, 1].
    """

    prediction: Prediction
    letters: NDArray[np.float32] | None
    strokes: tuple[Stroke, ...]
    seen: NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class WriterUpdate:
    """What was written by one frame.

    Attributes:
        strokes: Those in progress, float32 (n, 3) each.
        written: The characters that ended.
        pause: How much of the pause that ends a character is over, in [0, 1].
    """

    strokes: tuple[Stroke, ...]
    written: tuple[Written, ...]
    pause: float


class Writer:
    """From what the pen did, frame after frame, to characters.

    Args:
        classifier: The network.
        alphabet: What can be written.
        mirror: The camera faces the writer: strokes are read as the writer sees them.
    """

    def __init__(self, classifier: Classifies, alphabet: Alphabet, *, mirror: bool) -> None:
        self.alphabet = alphabet
        self._letters = get_alphabet("letters")
        self._classifier = classifier
        self._palm = 0.0
        self._mirrored = mirror
        self._characters = self._grouping()

    def step(
        self, ended: Sequence[Stroke], writing: Stroke | None, time: float, palm: float
    ) -> WriterUpdate:
        """Take in what the pen did in the next frame.

        Args:
            ended: The strokes that ended, float32 (n, 3): x, y in pixels of the unmirrored frame,
                seconds.
            writing: The stroke in progress, likewise, or None.
            time: Seconds, increasing.
            palm: Length of the palm in pixels; 0 before the first hand.
        """
        self._palm = palm
        update = self._characters.step(ended, writing, time, palm)
        return WriterUpdate(
            update.strokes, tuple(self._read(one) for one in update.finished), update.pause
        )

    def undo(self) -> bool:
        """Take back the last stroke in progress; return False if there is none."""
        return self._characters.undo()

    def flush(self) -> tuple[Written, ...]:
        """End the characters in progress: there are no more frames."""
        return tuple(self._read(one) for one in self._characters.flush())

    @property
    def mirrored(self) -> bool:
        """Whether the camera faces the writer; set it, and strokes in progress are dropped."""
        return self._mirrored

    @mirrored.setter
    def mirrored(self, mirrored: bool) -> None:
        self._mirrored = mirrored
        self._characters = self._grouping()

    def _grouping(self) -> Characters:
        return Characters(CharacterSettings(), self._judge, self._mirrored)

    def _read(self, strokes: tuple[Stroke, ...]) -> Written:
        row = self._probabilities([strokes])[0]
        prediction = self.alphabet.predict_in_full(self.alphabet.project(row[None])[0])
        letters = self._letters.project(row[None])[0]
        seen = network_input(render_strokes(self._drawn(strokes)))
        return Written(prediction, letters if prediction.text.isalpha() else None, strokes, seen)

    def _judge(self, groups: Sequence[Sequence[Stroke]]) -> NDArray[np.float32]:
        return self.alphabet.project(self._probabilities(groups))

    def _probabilities(self, groups: Sequence[Sequence[Stroke]]) -> NDArray[np.float32]:
        return self._classifier.stroke_probabilities([self._drawn(strokes) for strokes in groups])

    def _drawn(self, strokes: Sequence[Stroke]) -> list[Stroke]:
        """Return strokes as the writer meant them, float32 (n, 2) each."""
        spacing = _SPACING * max(self._palm, 1.0)
        drawn = [glide(stroke[:, :2], spacing) for stroke in strokes]
        return as_writer_sees(drawn, self._mirrored)
