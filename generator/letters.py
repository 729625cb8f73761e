"""Letters and digits drawn by ourselves: the strokes of the demo and of the tests."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from hcr_live.errors import HcrError

# A form is the strokes of one way to write a character, in the order a hand makes them.
# A stroke lists "x,y" points, x right, y down; capitals and digits reach from the cap line
# y = 0 to the base line y = 1, small letters from y = 0.42 (the x height), descenders to 1.35.
# Points are joined by straight lines; the pen glides through a point with a leading "~".
_FORMS: dict[str, tuple[tuple[str, ...], ...]] = {
    "A": (
        ("0,1 .38,0 .76,1", ".14,.63 .63,.63"),
        (".38,0 0,1", ".38,0 .76,1", ".14,.6 .62,.62"),
    ),
    "B": (
        ("0,0 0,1", "0,.02 ~.3,0 ~.5,.12 ~.48,.34 .08,.47 ~.42,.5 ~.6,.7 ~.46,.95 0,1"),
        ("0,0 0,1 0,.02 ~.3,0 ~.5,.12 ~.48,.34 .08,.47 ~.42,.5 ~.6,.7 ~.46,.95 0,1",),
    ),
    "C": (
        (".66,.17 ~.52,.04 ~.36,0 ~.14,.12 ~.01,.38 ~.02,.66 ~.15,.9 ~.38,1 ~.56,.95 .69,.82",),
        (".6,.1 ~.38,0 ~.13,.16 ~0,.5 ~.12,.85 ~.38,1 .66,.88",),
    ),
    "D": (
        ("0,0 0,1", "0,.01 ~.34,.05 ~.6,.26 ~.66,.54 ~.52,.83 ~.28,.97 0,1"),
        ("0,0 0,1 ~.3,.98 ~.56,.8 ~.66,.5 ~.55,.2 ~.3,.03 -.04,0",),
    ),
    "E": (
        ("0,0 0,1", "0,0 .58,0", "0,.48 .48,.48", "0,1 .6,1"),
        (".58,0 0,.01 0,1 .6,1", "0,.49 .46,.48"),
        ("0,0 0,1 .58,1", "0,.01 .57,0", "0,.5 .47,.49"),
    ),
    "F": (
        ("0,0 0,1", "0,0 .58,0", "0,.47 .46,.47"),
        (".58,0 0,.01 0,1", "0,.46 .45,.45"),
    ),
    "G": (
        (".66,.17 ~.5,.03 ~.34,0 ~.1,.17 ~0,.5 ~.1,.85 ~.36,1 ~.6,.9 .68,.58 .38,.58",),
        (
            ".66,.16 ~.5,.03 ~.34,0 ~.1,.17 ~0,.5 ~.1,.85 ~.36,1 ~.56,.93 .67,.78",
            ".4,.58 .68,.57 .68,1",
        ),
    ),
    "H": (
        ("0,0 0,1", ".64,0 .64,1", "0,.49 .64,.49"),
        ("0,0 0,1", "0,.5 .64,.48", ".64,0 .64,1"),
    ),
    "I": (
        (".3,0 .3,1", "0,0 .6,0", "0,1 .6,1"),
        ("0,0 .6,0", ".3,0 .3,1", "0,1 .6,1"),
    ),
    "J": (
        (".5,0 .5,.72 ~.42,.95 ~.24,1 ~.07,.9 0,.7",),
        (".5,0 .5,.72 ~.42,.95 ~.24,1 ~.07,.9 0,.7", ".22,0 .78,0"),
    ),
    "K": (
        ("0,0 0,1", ".58,0 .02,.56", ".17,.42 .62,1"),
        ("0,0 0,1", ".58,0 .04,.52 .62,1"),
    ),
    "L": (("0,0 0,1 .56,1",), ("0,0 ~.01,.6 0,1 ~.2,.99 .55,.97",)),
    "M": (
        ("0,1 .06,0 .42,.62 .78,0 .84,1",),
        ("0,0 0,1", "0,0 .4,.66 .8,0 .8,1"),
    ),
    "N": (
        ("0,1 0,0 .64,1 .64,0",),
        ("0,0 0,1", "0,0 .64,1", ".64,1 .64,0"),
        ("0,0 0,1", "0,0 .64,1 .64,0"),
    ),
    "O": ((".38,0 ~.16,.08 ~.01,.36 ~.03,.7 ~.2,.96 ~.42,1 ~.66,.84 ~.74,.5 ~.64,.15 .36,0",),),
    "P": (
        ("0,0 0,1", "0,.02 ~.32,0 ~.56,.12 ~.57,.36 ~.36,.5 0,.54"),
        ("0,1 0,.02 ~.32,0 ~.56,.12 ~.57,.36 ~.36,.5 0,.54",),
    ),
    "Q": (
        (
            ".38,0 ~.16,.08 ~.01,.36 ~.03,.7 ~.2,.96 ~.42,1 ~.66,.84 ~.74,.5 ~.64,.15 .36,0",
            ".46,.7 .8,1.06",
        ),
    ),
    "R": (
        ("0,0 0,1", "0,.02 ~.32,0 ~.55,.11 ~.56,.34 ~.38,.48 .06,.52 .6,1"),
        ("0,1 0,.02 ~.32,0 ~.55,.11 ~.56,.34 ~.38,.48 .06,.52 .6,1",),
    ),
    "S": (
        (
            ".56,.14 ~.4,.01 ~.2,.02 ~.04,.18 ~.1,.38 ~.34,.5 ~.55,.64"
            " ~.55,.86 ~.34,1 ~.14,.98 0,.84",
        ),
    ),
    "T": (
        ("0,0 .72,0", ".36,0 .36,1"),
        (".36,0 .36,1", "0,0 .72,0"),
    ),
    "U": (
        ("0,0 ~0,.35 ~.02,.72 ~.14,.95 ~.32,1 ~.52,.94 ~.63,.72 ~.64,.35 .64,0",),
        ("0,0 ~.01,.7 ~.14,.95 ~.34,1 ~.54,.9 .63,.6 .64,0 .65,1",),
    ),
    "V": (("0,0 .36,1 .72,0",),),
    "W": (
        ("0,0 .22,1 .46,.24 .7,1 .92,0",),
        ("0,0 ~.06,.7 ~.22,.98 ~.4,.8 .46,.3 ~.54,.8 ~.72,.98 ~.88,.7 .92,0",),
    ),
    "X": (
        ("0,0 .66,1", ".66,0 0,1"),
        (".66,0 0,1", "0,0 .66,1"),
    ),
    "Y": (
        ("0,0 .35,.48", ".7,0 .35,.48 .35,1"),
        ("0,0 .36,.5", ".72,0 .2,1"),
    ),
    "Z": (
        ("0,0 .64,0 0,1 .66,1",),
        ("0,0 .64,0 0,1 .66,1", ".14,.5 .52,.5"),
    ),
    "0": ((".3,0 ~.1,.12 ~0,.45 ~.06,.82 ~.28,1 ~.5,.86 ~.58,.48 ~.5,.14 .29,0",),),
    "1": (
        ("0,.26 .3,0 .3,1",),
        (".02,0 0,1",),
    ),
    "2": (("0,.22 ~.1,.05 ~.3,0 ~.52,.12 ~.52,.36 ~.3,.66 0,1 .6,1",),),
    "3": (
        ("0,.12 ~.18,0 ~.4,.02 ~.52,.2 ~.42,.4 .18,.48 ~.46,.54 ~.58,.76 ~.42,.97 ~.2,1 0,.88",),
        (".02,0 .52,0 .22,.4 ~.48,.48 ~.58,.74 ~.42,.96 ~.2,1 0,.88",),
    ),
    "4": (
        (".34,0 0,.64 .62,.64", ".46,.3 .46,1"),
        ("0,0 0,.5 .56,.5", ".5,0 .5,1"),
    ),
    "5": (
        (".06,0 .03,.42 ~.3,.38 ~.54,.52 ~.54,.82 ~.34,1 0,.92", ".06,0 .54,0"),
        (".52,0 .06,0 .03,.44 ~.3,.38 ~.54,.54 ~.53,.82 ~.32,1 0,.92",),
    ),
    "6": ((".46,.02 ~.2,.2 ~.03,.52 ~.04,.84 ~.26,1 ~.5,.88 ~.53,.66 ~.34,.52 ~.14,.6 .04,.8",),),
    "7": (
        ("0,0 .58,0 .2,1",),
        ("0,0 .58,0 .2,1", ".14,.5 .56,.5"),
    ),
    "8": (
        (
            ".5,.14 ~.34,0 ~.12,.04 ~.06,.24 ~.26,.44 ~.5,.66 ~.5,.9 ~.28,1 ~.06,.92 ~.04,.7"
            " ~.26,.48 ~.48,.3 .5,.12",
        ),
    ),
    "9": (
        (".52,.2 ~.34,0 ~.1,.08 ~.02,.3 ~.16,.5 ~.4,.46 .53,.18 ~.53,.5 .46,1",),
        (".52,.2 ~.34,0 ~.1,.08 ~.02,.3 ~.16,.5 ~.4,.46 .53,.2 ~.55,.7 ~.36,.98 .06,.94",),
    ),
    "a": (
        (".46,.5 ~.26,.41 ~.06,.54 ~.02,.8 ~.18,1 ~.38,.9 .47,.48 ~.47,.86 .56,1",),
        (".05,.5 ~.26,.41 ~.44,.54 .46,1", ".46,.66 ~.18,.68 ~.02,.82 ~.16,1 .46,.88"),
    ),
    "b": (
        ("0,0 0,1", "0,.62 ~.2,.42 ~.42,.52 ~.46,.8 ~.28,1 0,.94"),
        ("0,0 0,1 0,.66 ~.2,.43 ~.42,.54 ~.46,.8 ~.28,1 0,.95",),
    ),
    "c": ((".42,.52 ~.26,.42 ~.06,.54 ~0,.74 ~.1,.94 ~.28,1 .45,.88",),),
    "d": (
        (".44,.54 ~.24,.42 ~.04,.56 ~.02,.82 ~.2,1 ~.38,.9 .45,.74", ".46,0 .46,1"),
        (".44,.54 ~.24,.42 ~.04,.56 ~.02,.82 ~.2,1 ~.38,.88 .46,.5 .46,0 .47,1",),
    ),
    "e": (("0,.7 .44,.68 ~.38,.46 ~.2,.42 ~.03,.58 ~.02,.82 ~.2,1 .45,.9",),),
    "f": ((".46,.08 ~.32,0 ~.2,.1 .18,.3 .18,1", "0,.44 .4,.43"),),
    "g": (
        (".44,.52 ~.24,.42 ~.04,.55 ~.03,.8 ~.2,.95 ~.38,.84 .45,.46 ~.46,1.1 ~.3,1.33 .04,1.26",),
    ),
    "h": (("0,0 0,1 0,.64 ~.18,.43 ~.38,.5 .43,.7 .43,1",),),
    "i": (("0,.42 0,1", "0,.14 .02,.2"),),
    "j": (("0.26,.42 .26,1.1 ~.18,1.32 0,1.28", ".26,.14 .28,.2"),),
    "k": (
        ("0,0 0,1", ".4,.44 0,.76", ".12,.68 .42,1"),
        ("0,0 0,1", ".4,.44 .04,.74 .42,1"),
    ),
    "l": (("0,0 0,1",), ("0,0 0,.86 ~.04,.98 .16,.97",)),
    "m": (
        ("0,.42 0,1 0,.62 ~.16,.43 ~.32,.52 .34,.7 .34,1 .34,.66 ~.5,.43 ~.66,.5 .68,.7 .68,1",),
    ),
    "n": (("0,.42 0,1 0,.64 ~.2,.43 ~.38,.5 .42,.7 .42,1",),),
    "o": ((".24,.42 ~.06,.52 ~0,.74 ~.1,.95 ~.26,1 ~.44,.88 ~.47,.66 ~.38,.47 .22,.42",),),
    "p": (
        ("0,.44 0,1.35", "0,.6 ~.2,.42 ~.42,.52 ~.46,.78 ~.28,.98 0,.9"),
        ("0,.44 0,1.35 0,.6 ~.2,.42 ~.42,.52 ~.46,.78 ~.28,.98 0,.9",),
    ),
    "q": ((".44,.52 ~.24,.42 ~.04,.55 ~.02,.8 ~.2,.97 ~.36,.88 .45,.5 .45,1.33 .56,1.22",),),
    "r": (("0,.42 0,1 0,.66 ~.14,.45 .34,.46",),),
    "s": ((".38,.5 ~.22,.42 ~.06,.5 ~.12,.66 ~.34,.78 ~.36,.94 ~.18,1 0,.92",),),
    "t": (
        (".18,.12 .18,.82 ~.24,.98 .4,.95", "0,.42 .38,.42"),
        (".18,.12 .18,1", "0,.42 .38,.42"),
    ),
    "u": (
        ("0,.42 ~0,.74 ~.08,.96 ~.26,.98 .41,.78 .42,.42 .43,1",),
        ("0,.42 ~.01,.78 ~.1,.97 ~.28,.98 ~.42,.78 .42,.42",),
    ),
    "v": (("0,.42 .22,1 .44,.42",),),
    "w": (("0,.42 .16,1 .32,.54 .48,1 .64,.42",),),
    "x": (("0,.42 .44,1", ".44,.42 0,1"),),
    "y": (
        ("0,.42 .22,.92", ".46,.42 .04,1.35"),
        ("0,.42 ~.03,.8 ~.2,.95 ~.38,.84 .44,.42 ~.44,1.05 ~.3,1.32 .04,1.28",),
    ),
    "z": (("0,.43 .42,.43 0,1 .44,1",),),
}

CHARACTERS: str = "".join(_FORMS)
"""Every character that `letter_strokes` can write."""

_SPACING = 0.02
"""Distance of the points of a stroke."""


def letter_strokes(
    character: str, rng: np.random.Generator | None = None
) -> list[NDArray[np.float32]]:
    """Write one character as a person would.

    Args:
        character: One of `CHARACTERS`.
        rng: Draws the way of writing (order and joining of strokes), slant, proportions,
            wobble and overshoot; None gives the first form without variation.

    Returns:
        The strokes in writing order, each float32 (n, 2), n >= 2, points about 0.02 apart,
        x right, y down. A capital or digit reaches from y = 0 (cap line) to y = 1 (base
        line) within the variation, small letters from 0.42, descenders to 1.35.

    Raises:
        HcrError: If we drew no such character.
    """
    if character not in _FORMS:
        raise HcrError(f"There are no strokes for '{character}': choose from {CHARACTERS}.")
    forms = _FORMS[character]
    form = forms[0] if rng is None else forms[int(rng.integers(len(forms)))]
    strokes = []
    for stroke in form:
        points, smooth = _parse(stroke)
        if rng is not None:
            points = _disturb(points, rng)
        path = _glide(points, smooth)
        strokes.append(path if rng is None else path + _wobble(len(path), rng))
    if rng is not None:
        strokes = _bend(strokes, rng)
    return [stroke.astype(np.float32) for stroke in strokes]


def _parse(stroke: str) -> tuple[NDArray[np.float64], list[bool]]:
    """Split the notation of `_FORMS` to points (n, 2) and whether each is glided through."""
    words = stroke.split()
    points = [[float(value) for value in word.lstrip("~").split(",")] for word in words]
    return np.array(points), [word.startswith("~") for word in words]


def _disturb(points: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
    """Misplace a stroke and its points a little; let its ends fall short or overshoot."""
    points = points + rng.normal(0, 0.015, points.shape) + rng.normal(0, 0.015, 2)
    for end, inner in ((0, 1), (-1, -2)):
        points[end] += (points[end] - points[inner]) * np.clip(rng.normal(0, 0.04), -0.06, 0.08)
    return points


def _glide(points: NDArray[np.float64], smooth: list[bool]) -> NDArray[np.float64]:
    """Join points by lines, and by Catmull-Rom splines through the smooth ones."""
    pieces = []
    corners = [i for i, glided in enumerate(smooth) if not glided]
    for first, last in pairwise(corners):
        knots = points[first : last + 1]
        # The neighbours of the ends are mirrored, so the spline leaves them without a kink.
        padded = np.vstack([2 * knots[0] - knots[1], knots, 2 * knots[-1] - knots[-2]])
        for i in range(len(knots) - 1):
            p0, p1, p2, p3 = padded[i : i + 4]
            count = max(2, round(float(np.hypot(*(p2 - p1))) / _SPACING))
            t = np.linspace(0, 1, count, endpoint=False)[:, None]
            if len(knots) == 2:
                pieces.append(p1 + (p2 - p1) * t)
                continue
            square, cube = t * t, t * t * t
            pieces.append(
                p1
                + 0.5 * (p2 - p0) * t
                + (p0 - 2.5 * p1 + 2 * p2 - 0.5 * p3) * square
                + (1.5 * (p1 - p2) + 0.5 * (p3 - p0)) * cube
            )
    pieces.append(points[-1:])
    return np.vstack(pieces)


def _wobble(count: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Return (count, 2) slow random offsets: a hand does not draw a straight line."""
    knots = max(3, count // 12)
    offsets = rng.normal(0, 0.008, (knots, 2))
    at = np.linspace(0, knots - 1, count)
    return np.column_stack([np.interp(at, np.arange(knots), offsets[:, k]) for k in (0, 1)])


def _bend(
    strokes: list[NDArray[np.float64]], rng: np.random.Generator
) -> list[NDArray[np.float64]]:
    """Slant, turn and stretch a whole character about its middle."""
    middle = np.array([np.concatenate(strokes)[:, 0].mean(), 0.5])
    turn = np.deg2rad(np.clip(rng.normal(0, 3), -6, 6))
    rotation = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    shear = np.array([[1, -np.clip(rng.normal(0.05, 0.1), -0.12, 0.25)], [0, 1]])
    stretch = np.diag([rng.uniform(0.85, 1.2), rng.uniform(0.95, 1.0)])
    matrix = rotation @ shear @ stretch
    return [(stroke - middle) @ matrix.T + middle for stroke in strokes]
