"""Leaves out what its writer crossed out: a form would take it for its target."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from hcr_live.alphabet import get_alphabet
from train.data.characters import Ink
from train.extract.cutout import Sheet
from train.extract.plain import Probabilities

_MOST_HOLES = 2
"""B and 8 have two; loops of a scribble have more."""

_LONG = 2.5
"""Strokes of a character are seldom longer, all together, in its longest sides: median 2.0."""

_UNLIKE, _UNSURE = 0.1, 0.7
"""Long strokes are crossed out where the network gives the label less, and no class more."""


def without_crossed_out(sheet: Sheet, probabilities: Probabilities) -> Sheet:
    """Return a form's sheet without what is crossed out or scribbled over, which is counted.

    A single line through a character is not noticed: many characters have one.

    Args:
        sheet: Labelled by the form.
        probabilities: The network.
    """
    if not sheet.cut_outs:
        return sheet
    rows = probabilities([one.ink for one in sheet.cut_outs])
    alnum = get_alphabet("alnum")
    columns = [alnum.labels.index(one.label.upper()) for one in sheet.cut_outs]
    own = (rows @ alnum.folding)[np.arange(len(rows)), columns]
    unlike = (own < _UNLIKE) & (rows.max(axis=1) < _UNSURE)
    kept = []
    for one, doubtful in zip(sheet.cut_outs, unlike.tolist(), strict=True):
        length, holes = _strokes(one.ink)
        if holes <= _MOST_HOLES and not (doubtful and length > _LONG):
            kept.append(one)
    crossed_out = len(sheet.cut_outs) - len(kept)
    return replace(sheet, cut_outs=tuple(kept), crossed_out=crossed_out)


def _strokes(ink: Ink) -> tuple[float, int]:
    """Return the length of all strokes, in longest sides of the ink, and how many holes it has."""
    padded = cv2.copyMakeBorder(ink, 2, 2, 2, 2, cv2.BORDER_CONSTANT)
    padded = (padded > 127).astype(np.uint8)
    depth = cv2.distanceTransform(padded, cv2.DIST_L2, 3)
    ridge: NDArray[np.float32] = depth[(depth > 0) & (depth >= cv2.dilate(depth, np.ones((3, 3))))]
    width = max(1.0, 2 * float(np.median(ridge))) if len(ridge) else 1.0
    contours, hierarchy = cv2.findContours(padded, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    holes = sum(
        parent >= 0 and cv2.contourArea(contour) > width**2 / 2
        for contour, parent in zip(contours, hierarchy[0, :, 3].tolist(), strict=True)
    )
    return cv2.countNonZero(padded) / width / max(ink.shape), holes
