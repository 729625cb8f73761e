"""Ink that is no character: what is found on paper and in the air beside writing.

What a person could take for a character is kept out: an upright line is I, l and 1, a ring is O,
two arms at a right angle are L, a cross is x or t.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from train.augment.ink import degrade, draw
from train.augment.paths import Path, drift, joined, resampled, smoothed, unit
from train.data.characters import Ink, Strokes

_Lines = Sequence[NDArray[np.floating]]


def no_character(glyphs: Sequence[Ink], rng: np.random.Generator) -> Ink:
    """Return ink that nobody would read as one character.

    Args:
        glyphs: Ink of at least two characters, used for pieces of words.
        rng: The random generator.

    Returns:
        uint8 (h, w), white ink on black, of one of `KINDS`.
    """
    return ink_of_kind(str(rng.choice(KINDS, p=_SHARES)), glyphs, rng)


def ink_of_kind(kind: str, glyphs: Sequence[Ink], rng: np.random.Generator) -> Ink:
    """Return one of `KINDS`, see `no_character`."""
    if kind in STROKE_KINDS:
        return _drawn(STROKE_KINDS[kind](rng), rng)
    return INK_KINDS[kind](glyphs, rng)


def no_path(characters: Sequence[Strokes], rng: np.random.Generator) -> Strokes:
    """Return pen strokes that nobody would read as one character.

    Args:
        characters: At least one; what is no figure of `STROKE_KINDS` is some of them in a row.
        rng: The random generator.
    """
    if rng.random() < _ROWS:
        return _in_a_row(characters, rng)
    shares = np.array(_SHARES[: len(STROKE_KINDS)])
    kind = str(rng.choice(list(STROKE_KINDS), p=shares / shares.sum()))
    return _shaken(STROKE_KINDS[kind](rng), rng)


def _in_a_row(characters: Sequence[Strokes], rng: np.random.Generator) -> Strokes:
    """Return characters of about one height side by side, at times without a lift."""
    row: list[Path] = []
    end = 0.0
    for strokes in characters[: int(rng.choice([2, 3], p=[0.8, 0.2]))]:
        paths = [path * np.float32(rng.uniform(0.8, 1.2)) for path in unit(strokes)]
        left = min(float(path[:, 0].min()) for path in paths)
        shift = np.array([end - left, rng.normal(0, 0.08)], np.float32)
        row += [path + shift for path in paths]
        end = max(float(path[:, 0].max()) for path in row) + float(rng.uniform(0.08, 0.5))
    return _shaken([joined(row, rng)] if rng.random() < 0.3 else row, rng)


def _shaken(strokes: Sequence[NDArray[np.floating]], rng: np.random.Generator) -> Strokes:
    """Return strokes turned a little and bent."""
    angle = rng.normal(0, 0.12)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return tuple(
        (path + drift(len(path), 0.015, 12, rng)).astype(np.float32)
        for path in (resampled(stroke @ turn.T) for stroke in unit(tuple(strokes)))
    )


def _drawn(strokes: Sequence[NDArray[np.floating]], rng: np.random.Generator) -> Ink:
    """Return strokes shaken and drawn as characters are."""
    ink = draw(_shaken(strokes, rng), rng)
    return degrade(ink, rng) if rng.random() < 0.35 else ink


def _scribble(rng: np.random.Generator) -> _Lines:
    points = rng.random((int(rng.integers(11, 24)), 2)) * (rng.uniform(0.6, 2), 1)
    return [smoothed(resampled(points, 0.05), rng.uniform(0.5, 3))]


def _zigzag(rng: np.random.Generator) -> _Lines:
    """Something crossed out or shaded: up and down, ever on to the right."""
    count = int(rng.integers(9, 18))
    x = np.linspace(0, rng.uniform(0.6, 2.5), count) + rng.normal(0, 0.02, count)
    y = np.where(np.arange(count) % 2, 0, 1) * rng.uniform(0.5, 1, count)
    return [smoothed(resampled(np.column_stack([x, y]), 0.05), rng.uniform(0.1, 2))]


def _lines(rng: np.random.Generator) -> _Lines:
    """Return six lines or more, anyhow."""
    return [rng.random((2, 2)) for _ in range(rng.integers(6, 11))]


def _grid(rng: np.random.Generator) -> _Lines:
    """A piece of a table or of squared paper, a hash: two lines or more each way."""
    rows, columns = rng.integers(2, 5, 2)
    across = [np.array([[-0.2, k], [columns - 0.8, k]]) for k in np.linspace(0, rows - 1, rows)]
    down = [np.array([[k, -0.2], [k, rows - 0.8]]) for k in np.linspace(0, columns - 1, columns)]
    return [line + rng.normal(0, 0.05, (2, 2)) for line in (*across, *down)]


def _flat(rng: np.random.Generator) -> _Lines:
    """One or two lying lines or bows: a dash, an underline, a wave, the edge of a page."""
    x = np.linspace(-1, 1, 60)
    y = rng.uniform(-0.25, 0.25) * x**2 + rng.uniform(-0.2, 0.2) * x
    if rng.random() < 0.3:
        y += rng.uniform(0.04, 0.12) * np.sin(rng.uniform(5, 16) * x)
    line = np.column_stack([x, y + rng.normal(0, 0.008, 60)])
    twice = [line, line * (rng.uniform(0.7, 1), 1) + (0, rng.uniform(0.15, 0.5))]
    return twice if rng.random() < 0.3 else [line]


def _rings(rng: np.random.Generator) -> _Lines:
    """A spiral, or a coil that moves on."""
    coil = rng.random() < 0.5
    angle = np.linspace(0, rng.uniform(6, 12 if coil else 8) * np.pi, 160)
    # A spiral that leaves its middle free is a ring once the pen is fat.
    inner, shift = (rng.uniform(0.5, 1), rng.uniform(2, 5)) if coil else (0.02, 0)
    radius = np.linspace(1, inner, 160) + rng.normal(0, 0.01, 160)
    x = radius * np.cos(angle) + np.linspace(0, shift, 160)
    return [np.column_stack([x, radius * np.sin(angle)])]


def _figure(rng: np.random.Generator) -> _Lines:
    """A face, a heart, a star, an arrow, a flat box, a burst of rays."""

    def arc(x: float, y: float, r: float, start: float = 0, end: float = 2) -> NDArray[np.float64]:
        angle = np.linspace(start, end, 40) * np.pi
        return np.column_stack([x + r * np.cos(angle), y + r * np.sin(angle)])

    kind = rng.integers(6)
    if kind == 0:
        mouth = arc(0, rng.uniform(-0.1, 0.3), rng.uniform(0.3, 0.6), 0.15, 0.85)
        eyes = [arc(x, -0.35, rng.uniform(0.03, 0.15)) for x in (-0.35, 0.35)]
        face = [arc(0, 0, 1)] if rng.random() < 0.7 else []
        return [*face, *eyes, mouth if rng.random() < 0.7 else mouth * (1, -1)]
    if kind == 1:
        t = np.linspace(0, 2 * np.pi, 60)
        y = -13 * np.cos(t) + 5 * np.cos(2 * t) + 2 * np.cos(3 * t) + np.cos(4 * t)
        return [np.column_stack([16 * np.sin(t) ** 3, y])]
    if kind == 2:
        angle = np.arange(6) * 0.8 * np.pi - np.pi / 2 + rng.normal(0, 0.08, 6)
        return [np.column_stack([np.cos(angle), np.sin(angle)])]
    if kind == 3:
        head = np.array([[0.65, -0.25], [1, 0], [0.65, 0.25]])
        arrow = [np.array([[-1.0, 0.0], [1.0, 0.0]]), head]
        return [path * rng.choice([-1, 1]) for path in arrow]
    if kind == 4:
        box = np.array([[0, 0], [1, 0], [1, 1], [0, 1], [0, 0]]) * (rng.uniform(2.2, 5), 1)
        return [box]
    rays = int(rng.integers(3, 7))
    angle = np.pi * (np.arange(rays) / rays + rng.uniform(0, 1 / rays))
    ends = np.column_stack([np.cos(angle), np.sin(angle)])
    return [np.array([-end, end]) for end in ends]


def _outline(_: Sequence[Ink], rng: np.random.Generator) -> Ink:
    """A hand or finger, a blot, a shadow: mostly filled."""
    fingers = int(rng.integers(2, 6)) if rng.random() < 0.5 else 0
    points = _hand(fingers, rng) if fingers else _blob(rng)
    points = np.rint(unit((points,))[0] * 80 + 8).astype(np.int32)
    image = np.zeros((96, 96), np.uint8)
    if fingers > 2 and rng.random() < 0.4:
        cv2.polylines(image, [points], True, 255, int(rng.integers(2, 7)), cv2.LINE_AA)
    else:
        cv2.fillPoly(image, [points], 255)
    if rng.random() < 0.3:  # cut off by the frame's border
        image = image[: int(rng.integers(50, 90)), int(rng.integers(0, 30)) :]
    return degrade(image, rng) if rng.random() < 0.5 else image


def _noise(_: Sequence[Ink], rng: np.random.Generator) -> Ink:
    """Many specks, or what a threshold makes of cloth and wood."""
    grain = rng.normal(0, 1, tuple(rng.integers(6, 40, 2)))
    grain = cv2.resize(grain, (64, 64), interpolation=cv2.INTER_CUBIC)
    return np.where(grain > rng.uniform(0.5, 1.8), 255, 0).astype(np.uint8)


def _word(glyphs: Sequence[Ink], rng: np.random.Generator) -> Ink:
    """Two to eight characters in a row, touching or nearly so."""
    count = int(rng.choice([2, 3, 4, 6, 8], p=[0.3, 0.3, 0.2, 0.1, 0.1]))
    return degrade(_row(glyphs, count, rng), rng)


def _text(glyphs: Sequence[Ink], rng: np.random.Generator) -> Ink:
    """Two or three lines of small characters that stuck together."""
    rows = [_row(glyphs, int(rng.integers(4, 8)), rng) for _ in range(rng.integers(2, 4))]
    width = max(row.shape[1] for row in rows)
    padded = [np.pad(row, ((2, 2), (0, width - row.shape[1]))) for row in rows]
    return np.vstack(padded)


def _halves(glyphs: Sequence[Ink], rng: np.random.Generator) -> Ink:
    """The end of one character and the beginning of the next, cut wrongly as one."""
    left, right = (_tall(glyphs[int(rng.integers(len(glyphs)))], 50) for _ in range(2))
    left = left[:, left.shape[1] // 2 :]
    right = right[:, : max(1, (right.shape[1] + 1) // 2)]
    return np.hstack([left, np.zeros((50, int(rng.integers(6, 20))), np.uint8), right])


def _overlaid(glyphs: Sequence[Ink], rng: np.random.Generator) -> Ink:
    """Two characters written over each other, one of them turned."""
    below, above = (_tall(glyphs[int(rng.integers(len(glyphs)))], 56) for _ in range(2))
    if min(below.shape[1], above.shape[1]) < 24:  # a bar over a character may leave it readable
        return _halves(glyphs, rng)
    if rng.random() < 0.5:
        above = np.ascontiguousarray(np.rot90(above))
    image = np.zeros((90, 40 + max(below.shape[1], above.shape[1])), np.uint8)
    # Apart by this much even an X on an X is no X.
    x, y = rng.integers(14, 26, 2)
    image[: below.shape[0], : below.shape[1]] = below
    h, w = min(above.shape[0], 90 - y), min(above.shape[1], image.shape[1] - x)
    place = image[y : y + h, x : x + w]
    np.maximum(place, above[:h, :w], out=place)
    return image


STROKE_KINDS: dict[str, Callable[[np.random.Generator], _Lines]] = {
    "scribble": _scribble,
    "zigzag": _zigzag,
    "lines": _lines,
    "grid": _grid,
    "flat": _flat,
    "rings": _rings,
    "figure": _figure,
}
"""How each kind that a pen draws is made from a random generator."""

INK_KINDS: dict[str, Callable[[Sequence[Ink], np.random.Generator], Ink]] = {
    "outline": _outline,
    "noise": _noise,
    "word": _word,
    "text": _text,
    "halves": _halves,
    "overlaid": _overlaid,
}
"""How each other kind is made, from characters as well."""

KINDS = (*STROKE_KINDS, *INK_KINDS)

_ROWS = 0.4
"""Share of characters in a row among paths that are none."""

_SHARES = [0.13, 0.07, 0.06, 0.05, 0.08, 0.06, 0.1, 0.12, 0.07, 0.13, 0.04, 0.04, 0.05]


def _tall(glyph: Ink, height: int) -> Ink:
    """Return the glyph's ink cropped and scaled to a height."""
    x, y, w, h = cv2.boundingRect(glyph)
    glyph = glyph[y : y + h, x : x + w] if w else glyph
    width = max(2, min(2 * height, round(glyph.shape[1] * height / glyph.shape[0])))
    return np.asarray(cv2.resize(glyph, (width, height), interpolation=cv2.INTER_AREA), np.uint8)


def _row(glyphs: Sequence[Ink], count: int, rng: np.random.Generator) -> Ink:
    """Return characters side by side on one base line."""
    parts = [
        _tall(glyphs[int(rng.integers(len(glyphs)))], int(rng.integers(26, 46)))
        for _ in range(count)
    ]
    row = np.zeros((46, sum(part.shape[1] for part in parts) + 7 * count), np.uint8)
    x = 0
    for part in parts:
        h, w = part.shape
        place = row[46 - h :, x : x + w]
        np.maximum(place, part, out=place)
        # Two bars on one another are one bar.
        x += w + int(rng.integers(-5, 4) if w > 12 else rng.integers(3, 7))
    return row


def _blob(rng: np.random.Generator) -> Path:
    angle = np.sort(rng.uniform(0, 2 * np.pi, int(rng.integers(5, 14))))
    radius = rng.uniform(0.4, 1, len(angle))
    points = np.column_stack([radius * np.cos(angle), rng.uniform(0.5, 1) * radius * np.sin(angle)])
    return points.astype(np.float32)


def _hand(fingers: int, rng: np.random.Generator) -> Path:
    """Return the outline of a palm with its fingers spread."""
    points = [np.array([-0.45, 0.6])]
    for k in range(fingers):
        angle = np.deg2rad(-150 + 120 * (k + 0.5) / fingers + rng.normal(0, 6))
        length, width = rng.uniform(0.7, 1.3), rng.uniform(0.11, 0.17)
        ray = np.array([np.cos(angle), np.sin(angle)])
        side = np.array([-ray[1], ray[0]]) * width
        points += [ray * 0.4 - side, ray * length - side, ray * (length + 0.1)]
        points += [ray * length + side, ray * 0.4 + side]
    points.append(np.array([0.45, 0.6]))
    return np.asarray(points, np.float32)
