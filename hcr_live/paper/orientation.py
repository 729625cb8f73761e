"""Which way up a page is: the way that reads better."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from hcr_live.alphabet import CLASSES, Alphabet
from hcr_live.paper.page import Page
from hcr_live.reading import Classify

_ENOUGH = 16
"""So many characters tell which way up a page is; they are taken from all over it."""

_HALF_MARGIN, _QUARTER_MARGIN = 2.5, 1.0
"""A page is turned only where that is e to this power likelier: few characters prove nothing."""

_MOST_A_CHARACTER = 3.0
"""No character alone decides."""

_FIRST, _BEYOND_DOUBT = 4, 6.0
"""Those of them that tell most are asked first, the others only if it is not this clear that the
page is upright: of 113 upright pages 92 % were, of 112 that were upside down none came near it."""

_SLANTED = 0.55
"""Tangent of 29 degrees."""

_UPSIDE_DOWN = """
0 O49 o26 022|1 I34 T25 l25 110|2 Z76 z9|3 E69 S12 56|4 t39 h20 b12 H6|5 s51 S28 G10 96|6 994 g5
7 L50 t42|8 895|9 b67 629|A H74 V12 v5|B g68 810 q8|C D27 719 J15 o12 35|D a31 o19 O14 010 c7
E 747 321 J5 I5|F t18 d15 J12 y11 j8 f8 16|G 921 D21 512 b7 s6|H H99|I I79 l10 110
J r28 I22 f14 C12 L10 c5|K X45 y15 Y15 x14|L 795|M W85 w14|N N99|O O51 o33 016|P d99
Q o27 O15 014 Q10 D10 b6|R y81 d10|S S63 s34|T 139 L33 I14 l8|U n97|V A53 n26 16|W M94 m5|X X58 x41
Y K20 k14 X13 l13 i11 h10 L5|Z Z49 z48|a x22 b20 v8 n8 r7 D6|b 951 q46|c 729 D19 J11 o11|d p82 P11
e 260 a24|f f42 t38 J6 j5|g 630 B18 b13 f12|h 435 Y32 y24|i 727 119 I14 r8 l8 Y6 z5|j r46 f23 p12 P5
k Y49 X14 y11 d6 x5|l r28 I17 114 z7 l7 T6 y5 75|m w56 W13 u11 m7|n u68 U28|o O39 o32 014 Q5|p d93
q b60 66|r l19 A8 J8 Y6 d6 U6 X5|s S43 825 s21|t 774 t8 Y7|u n91|v A44 n34|w M61 m37|x x64 X33
y h64 R14 K6|z Z48 z38
"""
"""What the shipped network takes each class for when it is upside down, in percent: the mean of its
probabilities over the training writers of Chars74K, small shares left out."""


def quarter_turns(
    page: Page,
    probabilities: NDArray[np.float32],
    classify: Classify,
    alphabet: Alphabet,
) -> int:
    """Return by how many quarter turns against the clock a page reads better.

    Many a letter is one upside down as well, and the network as sure of it, but another one: an M
    is a W, an L a 7. So both readings are asked for, and how likely the one is, given the other,
    with each way up. Of a sheet that lies so slanted that no edge is clearly its upper one, a
    quarter turn is tried as well; how sure the network is shows it.

    Args:
        page: As it was located.
        probabilities: float32 (n, 62), what the network says of its glyphs.
        classify: The network; it is asked about 4, 16 or 48 inks.
        alphabet: What can be written.

    Returns:
        0, 1, 2 or 3, for `page.turned`; 0 where none is clearly better.
    """
    if len(page.glyphs) < 2:
        return 0
    shares, telling = _expected(alphabet)
    places = np.unique(np.linspace(0, len(page.glyphs) - 1, _ENOUGH).astype(int))
    if not _is_slanted(page):
        places = places[np.argsort(-(probabilities[places] @ telling), kind="stable")]
        upside_down = 0.0
        for part in (places[:_FIRST], places[_FIRST:]):
            if upside_down > -_BEYOND_DOUBT and len(part):
                turned = classify(_inks(page, part, 2))
                upside_down += _upside_down(probabilities[part], turned, shares)
        return 2 * int(upside_down > _HALF_MARGIN)
    turns = (0, 2, 1, 3)
    others = classify([ink for turn in turns[1:] for ink in _inks(page, places, turn)])
    rows = [probabilities[places], *others.reshape(len(turns) - 1, len(places), -1)]
    sure = [float(np.log(np.maximum(row.max(axis=1), 1e-3)).sum()) for row in rows]
    axis = int(sum(sure[2:]) > sum(sure[:2]) + 2 * _QUARTER_MARGIN)
    upside_down = _upside_down(rows[2 * axis], rows[2 * axis + 1], shares)
    # On its side neither end is the likelier one beforehand.
    margin = 0.0 if axis else _HALF_MARGIN
    return turns[2 * axis + int(upside_down > margin)]


def _inks(page: Page, places: NDArray[np.intp], turns: int) -> list[NDArray[np.uint8]]:
    """Return the inks of some of the glyphs, turned."""
    inks = (page.glyphs[place].ink for place in places.tolist())
    return [np.ascontiguousarray(np.rot90(ink, turns)) for ink in inks]


def _is_slanted(page: Page) -> bool:
    """Whether an outline is so slanted that another of its edges may be the upper one."""
    if page.outline is None:
        return False
    across, down = np.abs(page.outline[1] - page.outline[0])
    return bool(down > _SLANTED * across)


def _upside_down(
    rows: NDArray[np.float32], turned: NDArray[np.float32], shares: NDArray[np.float64]
) -> float:
    """Return the logarithm of how much likelier characters are upside down than upright.

    Args:
        rows: float32 (n, 62), what the network says of them.
        turned: The same of them half a turn further.
        shares: See `_expected`.
    """
    upright = np.einsum("nc,nc->n", rows @ shares, turned) + 1e-9
    upside_down = np.einsum("nc,nc->n", turned @ shares, rows) + 1e-9
    ratio = np.log(upside_down / upright)
    return float(ratio.clip(-_MOST_A_CHARACTER, _MOST_A_CHARACTER).sum())


@cache
def _expected(alphabet: Alphabet) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return what each class is taken for upside down, and how much that tells.

    Returns:
        float64 (62, 62), `_UPSIDE_DOWN`, a row a class, smoothed, 0 for what the alphabet lacks;
        and float64 (62,), the log likelihood ratio that each class is expected to give.
    """
    shares = np.full((len(CLASSES), len(CLASSES)), 0.003)
    for entry in _UPSIDE_DOWN.replace("\n", "|").strip("|").split("|"):
        label, *seen = entry.split()
        for other in seen:
            shares[CLASSES.index(label), CLASSES.index(other[0])] += int(other[1:]) / 100
    shares /= shares.sum(axis=1, keepdims=True)
    shares *= (alphabet.folding.sum(axis=1) > 0)[:, None]
    ratio = np.log((shares + 1e-9) / (shares.T + 1e-9))
    return shares, (shares * ratio.clip(-_MOST_A_CHARACTER, _MOST_A_CHARACTER)).sum(axis=1)
