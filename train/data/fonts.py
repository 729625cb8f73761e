"""Handwriting fonts: each one a writer whose characters are drawn as ink."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from hcr_live.alphabet import CLASSES
from hcr_live.errors import HcrError
from train.data.characters import UNKNOWN_WRITER, CharacterSet, Ink

FONT_SUFFIXES = frozenset({".woff", ".woff2", ".ttf", ".otf"})


def load_fonts(folder: Path, size: int = 72) -> list[CharacterSet]:
    """Return a set for every font in the folder, named `font:` and the file's stem.

    Args:
        folder: Holds .woff, .woff2, .ttf or .otf files. Fonts whose small letters are drawn as
            capitals lend only their capitals and digits.
        size: Pixels of the font's em; the ink is about as tall.

    Raises:
        HcrError: If there is no font, or one can't be read.
    """
    from PIL import ImageFont

    paths = sorted(path for path in folder.glob("*") if path.suffix.lower() in FONT_SUFFIXES)
    if not paths:
        raise HcrError(f"No fonts in {folder}: put .woff or .ttf files there.")
    sets = []
    for path in paths:
        try:
            font = ImageFont.truetype(str(path), size)
        except OSError as error:
            raise HcrError(f"Cannot read the font {path}: {error}.") from error
        glyphs = {character: _glyph(font, character) for character in CLASSES}
        small_capitals = sum(_same_shape(glyphs[c.lower()], glyphs[c]) for c in "ABDEGHNQRT") > 3
        labels = [
            label
            for label, character in enumerate(CLASSES)
            if glyphs[character].any() and not (small_capitals and character.islower())
        ]
        sets.append(
            CharacterSet(
                f"font:{path.stem}",
                np.array(labels, np.int16),
                [glyphs[CLASSES[label]] for label in labels],
                np.full(len(labels), UNKNOWN_WRITER, np.int32),
                np.zeros(len(labels), np.uint8),
            )
        )
    return sets


def _glyph(font: Any, character: str) -> Ink:
    from PIL import Image, ImageDraw

    left, top, right, bottom = font.getbbox(character)
    image = Image.new("L", (max(1, int(right - left) + 4), max(1, int(bottom - top) + 4)))
    ImageDraw.Draw(image).text((2 - left, 2 - top), character, fill=255, font=font)
    return np.asarray(image, np.uint8)


def _same_shape(one: Ink, other: Ink) -> bool:
    from hcr_live.ink.normalise import network_input

    return float(np.abs(network_input(one) - network_input(other)).mean()) < 0.04
