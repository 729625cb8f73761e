"""What a character's size and neighbours tell of it: o, O or 0; l, I or 1; c or C; p or P.

The network sees every character at one size and alone. How large it is on its line, whether it
stands below it, what kind of word it is in, and how the same writer draws the others are known here
only.
"""

from __future__ import annotations

import string
from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from hcr_live.alphabet import CLASSES, Alphabet
from hcr_live.frame import Box

_Floats: TypeAlias = NDArray[np.floating]
_Numbers: TypeAlias = NDArray[np.intp]

_FORMS = {
    string.ascii_uppercase: (0.00, 0.11, 0.00, 0.09),
    string.digits: (-0.08, 0.20, 0.00, 0.10),
    "acemnorsuvwxz": (-0.50, 0.21, 0.00, 0.08),
    "bdfhklt": (-0.06, 0.16, 0.00, 0.10),
    "i": (-0.20, 0.18, 0.00, 0.08),
    "gpqy": (-0.04, 0.15, 0.33, 0.12),
    "j": (0.11, 0.18, 0.33, 0.12),
}
"""Characters of one form: the natural logarithm of their height against the same writer's
capitals, its standard deviation, how far they reach below the base line in heights of a capital,
and that one's standard deviation. The heights are measured on 45 volunteers (0 to 44) of Chars74K's
pen trajectories (de Campos, Babu, Varma, Character Recognition in Natural Images, VISAPP 2009); its
characters stand alone, so the descent is typography's."""

_HEIGHT, _HEIGHT_SD, _DESCENT, _DESCENT_SD = np.array(list(_FORMS.values()), np.float32).T
_FORM_OF = np.array([[name in members for members in _FORMS] for name in CLASSES], np.float32)
_CAPITAL = 0

_ONE_SHAPE = ("0Oo", "Cc", "Kk", "Ss", "Vv", "Ww", "Xx", "Zz")
_SHAPED = np.array([CLASSES.index(name) for names in _ONE_SHAPE for name in names])
_SHAPE_OF = np.array([[name in names for names in _ONE_SHAPE] for name in CLASSES], np.float32)
_SHAPE_OF = _SHAPE_OF[_SHAPED]
_TRUST = 0.3
"""Of classes of one shape the network tells little, and the same wrong thing for all of a writer's:
so much of its log odds between them is worth keeping (logistic regression on ten other writers)."""

_ZERO = CLASSES.index("0") == _SHAPED
_BETWEEN, _STEEP, _MOST = -0.165, 5.4, 1.0
"""A 0 is narrower than an O: the logarithm of width by height that is as usual of both, how steeply
the log odds change with it, and the most that they do, for some write them the other way round
(linear discriminant of Chars74K's volunteers 0 to 44: means -0.23 and -0.10, standard deviation
0.155, with a pen of 8 % of the character's length)."""

_STICKS = np.array([CLASSES.index(name) for name in "1Il"])
_STICK, _SURE = 0.8, 0.9
_PSEUDO_STICKS = 0.6
"""Before a page is seen, that a writer may draw each of these as a bare stick counts as much as so
many characters."""

_KIND_OF = np.array(
    [[name.isdigit(), name.isupper(), name.islower()] for name in CLASSES], np.float32
)
"""Digit, capital, small letter."""

_KINDS_OF_WORDS = (
    # (how usual), (digit, capital, small letter): first character, the others
    (0.23, (0.01, 0.02, 0.97), (0.01, 0.01, 0.98)),  # word
    (0.18, (0.01, 0.97, 0.02), (0.01, 0.01, 0.98)),  # Word
    (0.22, (0.01, 0.98, 0.01), (0.01, 0.98, 0.01)),  # WORD
    (0.14, (0.98, 0.01, 0.01), (0.98, 0.01, 0.01)),  # 1234
    (0.18, (0.30, 0.69, 0.01), (0.30, 0.69, 0.01)),  # A7K0
    (0.05, (0.16, 0.42, 0.42), (0.16, 0.42, 0.42)),  # anything
)
_USUAL = np.array([usual for usual, _, _ in _KINDS_OF_WORDS], np.float32)
_IN_WORD = np.array([rows for _, *rows in _KINDS_OF_WORDS], np.float32).swapaxes(0, 1)
_IN_WORD /= _KIND_OF.sum(axis=0)
_BESIDE = np.eye(len(_USUAL), dtype=np.float32)
_BESIDE[:2, :2] = (0.85, 0.15), (0.3, 0.7)
"""What a word of each kind tells of those beside it: more of the same, but sentences begin with a
capital."""

_PSEUDO_WORDS = 1.0
"""What kinds of words are usual counts as much as so many words of the page."""

_ROUNDS = 4
"""So often words tell what is usual on their page, and that tells of what kind they are."""

_STEP = 0.1
_SPAN = 1.2
_LINES_DIFFER = 0.2
"""Standard deviation of the logarithms of the sizes of lines on one page."""

_ANYWHERE = 0.02
"""Density of heights and places that no rule holds for: keeps a sure answer of the network."""

_ALL_ALIKE = 0.003
"""Probability that somebody writes (or a program sets) all characters equally high."""

_REACH = 5.0
"""A character's base line is that of its neighbours, this many heights of a capital away."""

_DOUBT = np.float32(0.02)
"""Context makes no class more than 1 / this likelier against another: a sure answer stays."""

_SLOPE = 0.25
"""Standard deviation of a base line's slope."""


def in_context(
    probabilities: NDArray[np.float32],
    boxes: Sequence[Box],
    lines: Sequence[int],
    words: Sequence[int],
    alphabet: Alphabet,
) -> NDArray[np.float32]:
    """Weigh what the network saw in single characters with what their page tells.

    Each character's answer is multiplied by how likely its height, its place and its word are
    for each class, given all the other characters, of which none need be certain: sums over each
    line's sizes, and over kinds of words (in capitals, a number, a code), stand for deciding.

    Args:
        probabilities: float32 (n, 62), rows sum to 1, of all characters of a page in reading order.
        boxes: Their boxes, level or nearly: a base line may slope, or wave, but where the paper is
            tilted by more than some 10 degrees a box tells no height.
        lines: The line's number of each; a line's characters follow each other.
        words: The word's number within the line.
        alphabet: Other characters than these are not expected.

    Returns:
        float32 (n, 62), rows sum to 1, 0 for what the alphabet lacks. A character alone on a page
        has no context.
    """
    expected = alphabet.folding.any(axis=1)
    own = _normalised((np.asarray(probabilities, np.float32) + np.float32(1e-9)) * expected)
    if len(own) < 2:
        return own
    place = np.array(boxes, np.float32).reshape(-1, 4)
    own[:, _STICKS] = _drawn_one_way(own[:, _STICKS])
    own[:, _SHAPED] = _evened(own[:, _SHAPED], place[:, 2:])
    line, line_starts = _runs(np.asarray(lines))
    word, word_starts = _runs(line * len(own) + np.asarray(words))
    forms = own @ _FORM_OF
    by_height, capital = _heights(forms, np.log(np.maximum(place[:, 3], 1)), line, line_starts)
    by_place = _descents(_normalised(forms * by_height), place, capital, line)
    by_shape = (by_height * by_place) @ _FORM_OF.T
    by_word = _words(_normalised(own * by_shape) @ _KIND_OF, word, word_starts) @ _KIND_OF.T
    context = by_shape * by_word
    return _normalised(own * (context + _DOUBT * context.max(axis=1, keepdims=True)))


def _drawn_one_way(own: _Floats) -> _Floats:
    """Return the probabilities of `_STICKS` classes, told by how the page's others look; same sums.

    Writers draw a character one way: who has surely drawn it with a flag, serifs or a loop does
    not mean it by a bare stick.
    """
    total = own.sum(axis=1, keepdims=True)
    most = own.max(axis=1, keepdims=True)
    known = np.where(own > _SURE, own, 0).sum(axis=0)
    weighed = own / (1 + known / _PSEUDO_STICKS)
    weighed *= total / (weighed.sum(axis=1, keepdims=True) + 1e-9)
    return np.where((total > _STICK) & (most <= _SURE), weighed, own)


def _evened(own: _Floats, sizes: _Floats) -> _Floats:
    """Return the probabilities of `_SHAPED` classes, those of one shape more alike; same sums.

    Args:
        own: float32 (n, shaped), their probabilities.
        sizes: float32 (n, 2), width and height: a narrow ring is a 0 rather than an O.
    """
    width, height = np.log(np.maximum(sizes, 1)).T
    narrow = (_STEEP * (_BETWEEN - (width - height))).clip(-_MOST, _MOST)
    evened = own**_TRUST
    evened[:, _ZERO] *= np.exp(narrow)[:, None]
    return evened * ((own @ _SHAPE_OF) / (evened @ _SHAPE_OF + 1e-9) @ _SHAPE_OF.T)


def _heights(
    forms: _Floats, heights: _Floats, line: _Numbers, starts: _Numbers
) -> tuple[_Floats, _Floats]:
    """Return how likely each character's height is for each form, by the others of the page.

    Each line's size is one of a grid, each as likely as the other characters make it: those on
    the line, and the other lines, which are often as large.

    Args:
        forms: float32 (n, forms), how likely each character has which.
        heights: float32 (n,), logarithms of the characters' heights.
        line: intp (n,), the line of each.
        starts: Where the lines start.

    Returns:
        float32 (n, forms), and float32 (n,): the height of a capital there.
    """
    middle = np.sort(heights)[len(heights) // 2]
    heights = heights.clip(middle - _SPAN, middle + _SPAN)
    grid = np.arange(heights.min() - 0.3, heights.max() + 0.9, _STEP, dtype=np.float32)
    fit = _density(heights[:, None, None] - grid - _HEIGHT[:, None], _HEIGHT_SD[:, None])
    own = np.log((forms[:, None] @ fit)[:, 0])  # (n, grid)
    near = np.exp(-0.5 * ((grid[:, None] - grid) / _LINES_DIFFER) ** 2) + np.float32(0.02)
    near = near / near.sum(axis=0)
    of_line = np.add.reduceat(own, starts)
    votes = np.log(_likely(of_line) @ near)
    prior = np.log(_likely(votes.sum(axis=0) - votes) @ near)
    of_line += prior
    rest = _likely(of_line[line] - own)
    message = (fit @ rest[..., None])[..., 0]
    # Were all characters of one size, whatever they are, each would fit as a capital does.
    alike = np.add.reduceat(np.log(fit[:, _CAPITAL]), starts) + prior
    odds = np.exp(min(20.0, float((_log_sum(alike) - _log_sum(of_line)).sum())))
    share = _ALL_ALIKE * odds / (_ALL_ALIKE * odds + 1 - _ALL_ALIKE)
    message += share * (message[:, _CAPITAL : _CAPITAL + 1] - message)
    return message, np.exp(_likely(of_line) @ grid)[line]


def _descents(forms: _Floats, place: _Floats, capital: _Floats, line: _Numbers) -> _Floats:
    """Return how likely it is for each form that a character reaches as low as it does.

    The base line at a character is that of its neighbours: a line fitted to where they stand,
    the near ones above all (W. S. Cleveland, JASA 74, 1979), each by its most likely forms.

    Args:
        forms: float32 (n, forms), how likely each character has which.
        place: float32 (n, 4), x, y, w, h.
        capital: float32 (n,), height of a capital on its line.
        line: intp (n,), the line of each.
    """
    x = place[:, 0] + place[:, 2] / 2
    bottom = place[:, 1] + place[:, 3]
    descent = forms @ _DESCENT
    spread = forms @ (_DESCENT**2 + _DESCENT_SD**2) - descent**2
    stands = bottom - descent * capital
    dx = (x - x[:, None]) / capital[:, None]
    weight = np.exp(-0.5 * (dx / _REACH) ** 2) / spread * (line == line[:, None])
    np.fill_diagonal(weight, 0)
    total = weight.sum(axis=1) + 0.01
    mean_x = (weight * dx).sum(axis=1) / total
    off_x = dx - mean_x[:, None]
    low = (stands - bottom[:, None]) / capital[:, None]
    mean_low = (weight * low).sum(axis=1) / total
    flat = (weight * off_x**2).sum(axis=1) + 1 / _SLOPE**2
    slope = (weight * off_x * low).sum(axis=1) / flat
    below = -(mean_low - slope * mean_x)  # how far the bottom is below the base line
    unsure = 1 / total + mean_x**2 / flat
    return _density(below[:, None] - _DESCENT, np.sqrt(_DESCENT_SD**2 + unsure[:, None].clip(0, 1)))


def _words(kinds: _Floats, word: _Numbers, starts: _Numbers) -> _Floats:
    """Return how likely each character is a digit, a capital, a small letter by its neighbours.

    A mixture: each word is of one kind, and the page's other words tell which kinds are usual on
    it (expectation maximisation: Dempster, Laird, Rubin, JRSS B 39, 1977).

    Args:
        kinds: float32 (n, 3), the same by itself.
        word: intp (n,), the word of each.
        starts: Where the words start.

    Returns:
        float32 (n, 3), for each single class of that kind.
    """
    rules = np.repeat(_IN_WORD[None, 1], len(kinds), axis=0)  # (n, kinds of words, 3)
    rules[starts] = _IN_WORD[0]
    fit = np.log((rules @ kinds[..., None])[..., 0])
    of_word = np.add.reduceat(fit, starts)
    usual = np.log(_USUAL)
    for _ in range(_ROUNDS):
        kind = _likely(of_word + usual)
        others = (kind.sum(axis=0) - kind) @ _BESIDE
        usual = np.log(_normalised(_PSEUDO_WORDS * _USUAL + others))
    rest = _likely((of_word + usual)[word] - fit)
    return (rest[:, None] @ rules)[:, 0]


def _runs(numbers: _Numbers) -> tuple[_Numbers, _Numbers]:
    """Return the number of the run of equal numbers that each is in, and where the runs start."""
    new = np.concatenate([[True], numbers[1:] != numbers[:-1]])
    return np.cumsum(new) - 1, np.flatnonzero(new)


def _density(off: _Floats, deviation: _Floats) -> _Floats:
    """Return a normal distribution's density with a floor."""
    return np.exp(-0.5 * (off / deviation) ** 2) * (0.4 / deviation) + np.float32(_ANYWHERE)


def _likely(logarithms: _Floats) -> _Floats:
    """Return rows that sum to 1 of logarithms."""
    return _normalised(np.exp(logarithms - logarithms.max(axis=-1, keepdims=True)))


def _log_sum(logarithms: _Floats) -> _Floats:
    most = logarithms.max(axis=-1)
    return most + np.log(np.exp(logarithms - most[..., None]).sum(axis=-1))


def _normalised(values: _Floats) -> _Floats:
    return values / values.sum(axis=-1, keepdims=True)
