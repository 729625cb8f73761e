"""Clips of a hand that writes in the air, and of one that does not: a film of a list of moves."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from generator.film import PENS, POSES, SKINS, Look, film
from generator.motion import Motion, Stroke
from hcr_live.errors import HcrError

__all__ = [
    "PENS",
    "POSES",
    "SKINS",
    "Leave",
    "Move",
    "Rest",
    "Show",
    "Wander",
    "Write",
    "air_clip_frames",
    "gesturing_moves",
    "idle_hand_frames",
    "move_frames",
    "place_strokes",
    "place_word",
    "word_moves",
]


@dataclass(frozen=True, eq=False)
class Write:
    """Write strokes, float32 (n, 2) in pixels of the (unmirrored) frame."""

    strokes: Sequence[Stroke]


@dataclass(frozen=True)
class Rest:
    """Keep the pen up for so many seconds, near where the hand is."""

    seconds: float = 1.3


@dataclass(frozen=True)
class Show:
    """Hold one of `POSES` for so many seconds, near where the hand is but wholly in view."""

    pose: str
    seconds: float = 1.2


@dataclass(frozen=True)
class Leave:
    """Go out of the frame, below or to the right, and stay there for so many seconds."""

    seconds: float = 0.6
    aside: bool = False


@dataclass(frozen=True)
class Wander:
    """Move about in one pose for so many seconds, between two parts of the frame's width."""

    seconds: float
    pose: str = "open"
    left: float = 0.2
    right: float = 0.6


Move: TypeAlias = Write | Rest | Show | Leave | Wander
"""What a hand does next."""


def place_strokes(
    characters: Sequence[Sequence[Stroke]],
    *,
    width: int = 1280,
    height: int = 720,
    size: int = 300,
    letter_height: float = 0.42,
    pen: str = "point",
) -> list[list[Stroke]]:
    """Scale every character to one and the same writing area.

    Args:
        characters: For each its strokes, (n, 2), any unit, x right, y down.
        width: Pixels of the frame.
        height: Pixels of the frame.
        size: Pixels of the hand's picture.
        letter_height: Part of the frame's height that a character fills, fewer where it is wide
            or the hand would leave the frame.
        pen: One of `PENS`.

    Returns:
        The strokes as the frame shows them where nothing is mirrored, float32 (n, 2) in pixels.
    """
    top, side = _writing_area(height, size, letter_height, pen)
    placed = []
    for strokes in characters:
        points = np.concatenate([np.asarray(stroke)[:, :2] for stroke in strokes])
        low, extent = points.min(axis=0), np.ptp(points, axis=0)
        scale = side / max(extent[1], extent[0] / 1.3, 1e-6)
        origin = np.array([0.45 * width, top + side / 2]) - (low + extent / 2) * scale
        placed.append([(np.asarray(s)[:, :2] * scale + origin).astype(np.float32) for s in strokes])
    return placed


def place_word(
    characters: Sequence[Sequence[Stroke]],
    *,
    width: int = 1280,
    height: int = 720,
    size: int = 300,
    letter_height: float = 0.42,
    pen: str = "point",
    left_handed: bool = False,
    spacing: float = 0.3,
) -> list[list[Stroke]]:
    """Scale the characters of a word to stand side by side along the frame.

    Args:
        characters: As for `place_strokes`.
        width: Pixels of the frame.
        height: Pixels of the frame.
        size: Pixels of the hand's picture.
        letter_height: Part of the frame's height that a character fills, fewer where the word
            is long.
        pen: One of `PENS`.
        left_handed: The other hand writes, which is on the other side of the pen.
        spacing: Between characters, in heights of them.

    Returns:
        As `place_strokes`.
    """
    centred = place_strokes(
        characters, width=width, height=height, size=size, letter_height=letter_height, pen=pen
    )
    top, side = _writing_area(height, size, letter_height, pen)
    # Most of the hand stays in the frame: from the first character to the last one.
    before, after = np.array([PENS[pen][0], 256 - PENS[pen][0]]) / 256 * size * 0.85
    left, right = (after, width - before) if left_handed else (before, width - after)
    spans = [np.concatenate(strokes)[:, 0] for strokes in centred]
    widths = np.array([np.ptp(span) for span in spans])
    whole = float(widths.sum()) + spacing * side * (len(spans) - 1)
    scale = min(1.0, (right - left) / whole)
    starts = np.cumsum([0.0, *(widths[:-1] + spacing * side)]) * scale
    starts += (left + right - whole * scale) / 2
    middle = top + side / 2
    return [
        [
            ((stroke - (span.min(), middle)) * scale + (start, middle)).astype(np.float32)
            for stroke in strokes
        ]
        for strokes, span, start in zip(centred, spans, starts, strict=True)
    ]


def _writing_area(height: int, size: int, letter_height: float, pen: str) -> tuple[float, float]:
    """Return the upper end of the writing area and its height in pixels."""
    above = PENS[pen][1] / 256 * size
    top = max(0.06 * height, 0.85 * above)
    bottom = height - (0.75 * size if pen == "point" else 0.85 * size - above)
    return top, max(0.2 * height, min(letter_height * height, bottom - top))


def word_moves(
    words: Sequence[Sequence[Sequence[Stroke]]],
    *,
    in_place: bool = True,
    pause: float | None = None,
    gap: float = 0.6,
    width: int = 1280,
    height: int = 720,
    size: int = 300,
    letter_height: float = 0.42,
    pen: str = "point",
    left_handed: bool = False,
) -> list[Move]:
    """Plan to write words; between two of them the hand leaves the frame.

    Args:
        words: Words of characters, each a list of strokes, (n, 2), any unit.
        in_place: Characters one after the other in one place, else side by side.
        pause: Seconds of rest after a character; None for 1.3 in place, 0.3 side by side.
        gap: Seconds that the hand is out of the frame between words.
        width: Pixels of the frame.
        height: Pixels of the frame.
        size: Pixels of the hand's picture.
        letter_height: See `place_strokes`.
        pen: One of `PENS`.
        left_handed: See `place_word`.

    Returns:
        Moves for `move_frames`, the same arguments given to it.
    """
    if pause is None:
        pause = 1.3 if in_place else 0.3
    area = {"width": width, "height": height, "size": size}
    moves: list[Move] = []
    for word in words:
        if in_place:
            placed = place_strokes(word, **area, letter_height=letter_height, pen=pen)
        else:
            placed = place_word(
                word, **area, letter_height=letter_height, pen=pen, left_handed=left_handed
            )
        moves += [Leave(gap)] * bool(moves)
        for strokes in placed:
            moves += [Write(strokes), Rest(pause)]
        # The last character of a word is over when its pause is.
        moves[-1] = Rest(max(pause, 1.3))
    return moves


def move_frames(
    moves: Sequence[Move],
    *,
    seed: int = 0,
    fps: float = 30.0,
    width: int = 1280,
    height: int = 720,
    size: int = 300,
    skin: int = 2,
    pen: str = "point",
    pen_up: str = "open",
    pace: float = 1.0,
    left_handed: bool = False,
    mirrored: bool = False,
    light: bool | None = None,
    second: Sequence[Move] = (),
) -> Iterator[tuple[NDArray[np.uint8], float]]:
    """Film a hand that comes in from below, does the moves, and leaves.

    Its speed falls with curvature by the two-thirds power law (Lacquaniti, Terzuolo, Viviani,
    1983).

    Args:
        moves: What the hand does.
        seed: Of the background, noise, pauses and sway.
        fps: Frames a second.
        width: Pixels of the frame.
        height: Pixels of the frame.
        size: Pixels of the hand's picture; 200 to 400 are found well at 1280 x 720.
        skin: Index into `SKINS`.
        pen: One of `PENS`, the pose while the pen is down.
        pen_up: Pose while the pen is up: "open" or "fist".
        pace: Factor on the duration of every movement: 1 writes a letter in 1 to 2 s.
        left_handed: The picture of the other hand.
        mirrored: The camera faces the writer: the whole frame is flipped left to right.
        light: Bright or dark background; None draws it.
        second: What the hand of another person does meanwhile; it starts beyond the right edge.

    Yields:
        (image, time): uint8 (height, width, 3) BGR; seconds from 0.

    Raises:
        HcrError: If there is no such pose.
    """
    if pen not in PENS:
        raise HcrError(f"Nobody writes with the pose '{pen}': choose one of {', '.join(PENS)}.")
    rng = np.random.default_rng(seed)
    motion = Motion(np.array([0.55 * width, 1.2 * height]), pen=pen, pen_up=pen_up, pace=pace)
    motion.rest(0.2)
    _plan(moves, motion, width, height, rng)
    if not moves or not isinstance(moves[-1], Leave):
        motion.travel(np.array([0.6 * width, 1.25 * height]))
        motion.rest(0.3)
    hands = [(motion, Look(size, skin, left_handed, pen))]
    if second:
        other = Motion(np.array([1.4 * width, 0.4 * height]))
        _plan(second, other, width, height, np.random.default_rng([seed, 1]))
        look = Look(round(0.85 * size), (skin + 3) % len(SKINS), not left_handed)
        hands.append((other, look))
    yield from film(hands, rng, fps=fps, width=width, height=height, mirrored=mirrored, light=light)


def _plan(
    moves: Sequence[Move], motion: Motion, width: int, height: int, rng: np.random.Generator
) -> None:
    for move in moves:
        match move:
            case Write(strokes):
                for stroke in strokes:
                    motion.travel(stroke[0])
                    motion.write(stroke, rng)
            case Rest(seconds):
                motion.travel(motion.tip + rng.normal(0, 0.02 * height, 2))
                motion.rest(seconds)
            case Show(pose, seconds):
                low, high = (0.2 * width, 0.3 * height), (0.7 * width, 0.5 * height)
                motion.travel(np.clip(motion.tip, low, high))
                motion.rest(seconds, pose)
            case Leave(seconds, aside):
                x, y = motion.tip
                motion.travel(np.array([1.4 * width, y] if aside else [x, 1.4 * height]))
                motion.rest(seconds)
            case Wander(seconds, pose, left, right):
                end = motion.seconds + seconds
                while motion.seconds < end:
                    x, y = rng.uniform(left, right), rng.uniform(0.05, 0.5)
                    motion.travel(np.array([x * width, y * height]), pose)


def air_clip_frames(
    characters: Sequence[Sequence[Stroke]],
    *,
    pause: float = 1.3,
    letter_height: float = 0.42,
    width: int = 1280,
    height: int = 720,
    size: int = 300,
    pen: str = "point",
    **others: Any,
) -> Iterator[tuple[NDArray[np.uint8], float]]:
    """Film a hand that writes characters one after the other, at the same place.

    Args:
        characters: For each its strokes, (n, 2), any unit, x right, y down.
        pause: Seconds of rest after a character.
        letter_height: See `place_strokes`.
        width: Pixels of the frame.
        height: Pixels of the frame.
        size: Pixels of the hand's picture.
        pen: One of `PENS`.
        **others: Further arguments of `move_frames`.

    Yields:
        (image, time), as `move_frames` does.

    Raises:
        HcrError: If there is no such pose.
    """
    placed = place_strokes(
        characters, width=width, height=height, size=size, letter_height=letter_height, pen=pen
    )
    moves: list[Move] = []
    for strokes in placed:
        moves += [Write(strokes), Rest(pause)]
    yield from move_frames(moves, width=width, height=height, size=size, pen=pen, **others)


def idle_hand_frames(
    seconds: float,
    *,
    pose: str = "open",
    seed: int = 0,
    fps: float = 30.0,
    width: int = 1280,
    height: int = 720,
    size: int = 300,
    skin: int = 2,
    left_handed: bool = False,
    light: bool | None = None,
) -> Iterator[tuple[NDArray[np.uint8], float]]:
    """Film a hand that keeps one pose and wanders about: nobody writes.

    Args:
        seconds: How long.
        pose: One of `POSES`.
        seed: Of the background, noise and way.
        fps: Frames a second.
        width: Pixels of the frame.
        height: Pixels of the frame.
        size: Pixels of the hand's picture.
        skin: Index into `SKINS`.
        left_handed: The picture of the other hand.
        light: Bright or dark background; None draws it.

    Yields:
        (image, time), as `move_frames` does.

    Raises:
        HcrError: If there is no such pose.
    """
    rng = np.random.default_rng(seed)
    motion = Motion(np.array([0.4 * width, 0.1 * height]))
    _plan([Wander(seconds, pose)], motion, width, height, rng)
    hand = (motion, Look(size, skin, left_handed))
    for image, time in film([hand], rng, fps=fps, width=width, height=height, light=light):
        if time >= seconds:
            return
        yield image, time


def gesturing_moves(seconds: float, rng: np.random.Generator) -> list[Move]:
    """Plan a hand that talks: it moves, rests and changes its pose, but never writes."""
    moves: list[Move] = []
    while seconds > 0:
        pose = str(rng.choice(["open", "fist", "victory", "thumbs_up"]))
        moving, held = rng.uniform(0.5, 2, 2)
        moves += [Wander(moving, pose), Show(pose, held)]
        seconds -= moving + held
    return moves
