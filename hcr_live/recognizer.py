"""The library's door: `from hcr_live import Recognizer`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hcr_live.alphabet import get_alphabet
from hcr_live.errors import HcrError
from hcr_live.frame import Box
from hcr_live.reading import Character, Prediction, Reading


class Recognizer:
    """Reads pictures, pen strokes and ink.

    Example:
        >>> import cv2
        >>> from hcr_live import Recognizer
        >>> reading = Recognizer(alphabet="letters").read(cv2.imread("sheet.jpg"))
        >>> print(reading.text)

    Args:
        alphabet: "letters" (26, a and A are one), "upper", "lower", "digits", "alnum" (36,
            folded) or "all" (62).
        min_confidence: `read` leaves out characters that are less sure, in [0, 1].
        model: Another network (.tflite) than the shipped one.
        threads: Processor threads for many characters at once; default 2 where there are.

    One thread at a time may use an instance.

    Raises:
        HcrError: If there is no such alphabet, the confidence is no probability, or the model is
            missing or damaged.
    """

    def __init__(
        self,
        alphabet: str = "letters",
        *,
        min_confidence: float = 0.5,
        model: Path | None = None,
        threads: int | None = None,
    ) -> None:
        self._alphabet = get_alphabet(alphabet)
        if not 0 <= min_confidence <= 1:
            raise HcrError(f"min_confidence must be from 0 to 1, not {min_confidence}.")
        self._min_confidence = min_confidence
        from hcr_live.classifier import Classifier

        self._classifier = Classifier(model, threads=threads)

    def read(self, image_bgr: NDArray[Any], region: Box | None = None) -> Reading:
        """Read a whole picture.

        Args:
            image_bgr: uint8 or uint16 array, (h, w) grey, (h, w, 3) BGR or (h, w, 4) BGRA, any
                size from 1x1.
            region: Read only this part, as paper, and look for no sheet.

        Returns:
            Text, lines and characters; boxes in pixels of the picture. Empty where nothing
            is written.

        Raises:
            HcrError: If it is no such array, or the region lies outside of it.
        """
        from hcr_live.paper.page import check_region
        from hcr_live.paper.picture import answers, is_writing, read_picture, side_of
        from hcr_live.sources.images import to_bgr
        from hcr_live.text import PageCharacter, join_page

        image = to_bgr(image_bgr)
        if region is not None:
            check_region(region, image.shape[1], image.shape[0])
        read = read_picture(image, self._classifier.probabilities, self._alphabet, region)
        glyphs = read.page.glyphs
        rows = answers(
            read.rows,
            [glyph.flat or glyph.box for glyph in glyphs],
            [glyph.line for glyph in glyphs],
            [glyph.word for glyph in glyphs],
            self._alphabet,
        )
        best_of = [self._alphabet.predict(row) for row in rows]
        heights = [glyph.box.h for glyph in glyphs]
        side = side_of(read.page.outline, image)
        if not is_writing(best_of, heights, side, self._min_confidence, glyphs):
            glyphs, best_of = (), []
        characters: list[Character] = []
        placed: list[PageCharacter] = []
        for glyph, best in zip(glyphs, best_of, strict=True):
            if best.confidence >= self._min_confidence:
                characters.append(Character(best.text, best.confidence, best.candidates, glyph.box))
                placed.append(PageCharacter(len(placed), best.text, glyph.line, glyph.word))
        text = join_page(placed)
        lines = tuple(text.split("\n")) if text else ()
        return Reading(text, lines, tuple(characters), read.cursive)

    def read_character(self, image_bgr: NDArray[Any]) -> Prediction:
        """Read a picture that is said to show one character: faster than `read`, and it has all.

        Args:
            image_bgr: As `read` takes it; a crop, a drawing or a scan, dark on light or light on
                dark. In a large one a sheet is looked for, and its largest character counts.

        Returns:
            The best label and the probability of every one; text "", confidence 0 and no
            probabilities where nothing is written.

        Raises:
            HcrError: If it is no such array.
        """
        return self.read_characters([image_bgr])[0]

    def read_characters(self, images_bgr: Iterable[NDArray[Any]]) -> list[Prediction]:
        """Read many pictures of one character each, which takes less time than one by one.

        Args:
            images_bgr: Each as `read_character` takes it; only one at a time is held.

        Returns:
            An answer each, in their order, as `read_character` gives it.

        Raises:
            HcrError: If one is no such array.
        """
        from hcr_live.paper.crop import character_input

        inputs = [character_input(_as_stored(image)) for image in images_bgr]
        is_written = [bool(each.any()) for each in inputs]
        written = [each for each, has_ink in zip(inputs, is_written, strict=True) if has_ink]
        probabilities = self._classifier.input_probabilities(written)
        rows = iter(self._alphabet.project(probabilities))
        return [
            self._alphabet.predict_in_full(next(rows)) if has_ink else Prediction("", 0.0)
            for has_ink in is_written
        ]

    def read_strokes(self, strokes: Sequence[ArrayLike]) -> Prediction:
        """Read one character from pen strokes.

        Args:
            strokes: Arrays (n, 2) of points in the order drawn, x right, y down, any unit; a
                stroke of one point is a dot.

        Returns:
            The best label and the probability of every one; text "", confidence 0 and no
            probabilities where there are no points.

        Raises:
            HcrError: If a stroke is not an (n, 2) array of finite numbers.
        """
        from hcr_live.ink.render import checked_strokes

        strokes = checked_strokes(strokes)
        if not strokes:
            return Prediction("", 0.0)
        rows = self._classifier.stroke_probabilities([strokes])
        return self._alphabet.predict_in_full(self._alphabet.project(rows)[0])

    def classify(self, inks: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
        """Return the probability of every class for images of single characters.

        Args:
            inks: uint8 arrays (h, w), white ink on black, any size.

        Returns:
            float32 (n, 62), rows sum to 1; columns 0-9, A-Z, a-z, whatever the alphabet.

        Raises:
            HcrError: If an image is not a two-dimensional uint8 array.
        """
        if not isinstance(inks, Iterable):
            raise HcrError("Inks must be a list of uint8 arrays (h, w), white on black.")
        inks = list(inks)
        for number, ink in enumerate(inks):
            if not isinstance(ink, np.ndarray) or ink.ndim != 2 or ink.dtype != np.uint8:
                raise HcrError(f"Ink {number} must be a uint8 array (h, w), white on black.")
        return self._classifier.probabilities(inks)


def _as_stored(image: NDArray[Any]) -> NDArray[np.uint8]:
    """Return a picture of any kind as BGR, or as it is where it is in grey of 8 bits."""
    from hcr_live.sources.images import to_bgr

    is_grey = isinstance(image, np.ndarray) and image.ndim == 2 and image.dtype == np.uint8
    return image if is_grey and image.size else to_bgr(image)
