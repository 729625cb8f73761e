"""Takes any sheet of handwriting apart, with the program's own paper path."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from hcr_live.alphabet import CLASSES, get_alphabet
from hcr_live.frame import Box
from hcr_live.paper.page import Page, locate, turned
from hcr_live.paper.sheet import Quad
from train.data.characters import Ink
from train.extract.cutout import CutOut, Sheet

Probabilities = Callable[[Sequence[Ink]], NDArray[np.float32]]
"""From n images of ink to float32 (n, 62), as `Classifier.probabilities`."""

_QUARTERS = (0, 2, 1, 3)
"""Turns against the clock."""
_CLEARLY = 0.5
"""A sheet that reads so well is not tried another way up."""


def read_plain(
    image: NDArray[np.uint8],
    name: str,
    probabilities: Probabilities,
    labels: Sequence[str] = (),
    tries: int = len(_QUARTERS),
) -> Sheet:
    """Cut out what is written on a sheet, whichever way up it was photographed.

    Args:
        image: uint8 (h, w, 3) BGR: a photo or scan.
        name: Of the picture, for messages.
        probabilities: The network, which tells what is upright.
        labels: Lines of what is written there, if known.
        tries: So many ways up are looked at well, the likeliest first, until one is clear.

    Returns:
        The sheet with cut-outs in reading order, not yet labelled.
    """
    expected = "".join(labels)
    best, best_score = Sheet(name, ()), (False, 0.0)
    first = locate(image)
    for quarters in _likeliest_first(first, probabilities, expected)[:tries]:
        page = locate(image, quarter_turns=quarters) if quarters else first
        glyphs = page.glyphs
        if not glyphs:
            continue
        rows = probabilities([glyph.ink for glyph in glyphs])
        fits = len(glyphs) == len(expected)
        likely = _likelihood(rows, expected)
        score = (fits, likely)
        if score > best_score:
            cut_outs = tuple(CutOut(one.ink, one.line, place=_corners(one.box)) for one in glyphs)
            best, best_score = Sheet(name, cut_outs, outline=page.outline), score
        if likely > _CLEARLY and fits >= bool(expected):
            break
    return best


def _likeliest_first(page: Page, probabilities: Probabilities, expected: str) -> list[int]:
    """Return by how many quarter turns a page may have to be turned, the likeliest first."""
    if not page.glyphs:
        return []
    inks = [glyph.ink for quarters in _QUARTERS for glyph in turned(page, quarters).glyphs]
    rows = np.split(probabilities(inks), len(_QUARTERS))
    likely = [_likelihood(one, expected) for one in rows]
    return [_QUARTERS[place] for place in np.argsort(likely)[::-1].tolist()]


def _corners(box: Box) -> Quad:
    x, y, w, h = box
    return np.array([(x, y), (x + w, y), (x + w, y + h), (x, y + h)], np.float32)


def _likelihood(rows: NDArray[np.float32], labels: str) -> float:
    """Return the mean probability of the labels, case folded; of any, if these do not fit."""
    if len(rows) != len(labels):
        return float(rows.max(axis=1).mean())
    folded = rows @ get_alphabet("alnum").folding
    columns = [get_alphabet("alnum").labels.index(label.upper()) for label in labels]
    return float(folded[np.arange(len(rows)), columns].mean())


def guesses_of(sheet: Sheet, probabilities: Probabilities, alphabet: str = "all") -> list[str]:
    """Return what the network reads in each cut-out, one of `CLASSES` each."""
    if not sheet.cut_outs:
        return []
    rows = probabilities([one.ink for one in sheet.cut_outs])
    kept = get_alphabet(alphabet).folding.any(axis=1)
    return [CLASSES[column] for column in np.where(kept, rows, -1).argmax(axis=1).tolist()]


def labelled(sheet: Sheet, labels: Sequence[str]) -> Sheet:
    """Return the sheet with these labels, one a cut-out; "" where there are too few."""
    characters = "".join(labels)
    padded = characters + "\0" * len(sheet.cut_outs)
    return replace(
        sheet,
        cut_outs=tuple(
            replace(one, label=label.strip("\0"))
            for one, label in zip(sheet.cut_outs, padded, strict=False)
        ),
    )
