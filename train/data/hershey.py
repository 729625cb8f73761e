"""Single-line (Hershey) fonts: as strokes, where other fonts are outlines."""

from __future__ import annotations

import numpy as np

from hcr_live.alphabet import CLASSES
from train.data.characters import UNKNOWN_WRITER, CharacterSet

_FONTS = {"rowmans": "", "cursive": "Q"}
"""The fonts of one line a stroke that people write like, and what they write otherwise: of the
others some differ from these by nothing but doubled lines, and some are no Latin."""


def load_hershey() -> list[CharacterSet]:
    """Return a set for each font, named `hershey:` and the font, strokes in writing order.

    A. V. Hershey, Calligraphy for Computers, U.S. Naval Weapons Laboratory, 1967, as the package
    Hershey-Fonts has them.
    """
    from HersheyFonts import HersheyFonts

    fonts = HersheyFonts()
    sets = []
    for name, unusual in _FONTS.items():
        fonts.load_default_font(name)
        labels = [label for label, character in enumerate(CLASSES) if character not in unusual]
        strokes = [
            tuple(np.array(path, np.float32) for path in fonts.strokes_for_text(CLASSES[label]))
            for label in labels
        ]
        sets.append(
            CharacterSet(
                f"hershey:{name}",
                np.array(labels, np.int16),
                strokes,
                np.full(len(labels), UNKNOWN_WRITER, np.int32),
                np.zeros(len(labels), np.uint8),
            )
        )
    return sets
