"""Clips of a sheet that a hand holds up: the same scene from a slightly moving place."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from generator.sheet import Image, SheetImage, SheetScene, SheetStyle
from generator.writing import Written


def hand_motion(time: float, phases: NDArray[np.float64], amount: float) -> NDArray[np.float32]:
    """Return how far the four corners are from their place at a time, float32 (4, 2), pixels.

    Args:
        time: Seconds.
        phases: float (3, 4), the phases of the slow sway, the tremor and the corners.
        amount: Sway in pixels.
    """
    sway = [
        math.sin(2 * math.pi * (0.35 + 0.1 * i) * time + phases[0, i])
        + 0.15 * math.sin(2 * math.pi * (5 + i) * time + phases[1, i])
        for i in range(2)
    ]
    corner = [math.sin(2 * math.pi * 0.5 * time + phases[2, i]) for i in range(4)]
    return np.array([[amount * (sway[0] + 0.1 * c), amount * (sway[1] - 0.1 * c)] for c in corner],
                    np.float32)  # fmt: skip


def paper_clip_pictures(
    lines: Sequence[Sequence[Written]],
    *,
    seed: int,
    fps: float = 30.0,
    seconds: float = 3.0,
    size: tuple[int, int] = (1280, 720),
    style: SheetStyle | None = None,
    motion: float = 0.012,
) -> Iterator[tuple[SheetImage, float]]:
    """Yield the pictures of a hand-held sheet with writing, and what is true of each.

    Args:
        lines: Lines of characters, see `SheetScene`; empty for an empty sheet.
        seed: Every choice.
        fps: Frames a second.
        seconds: Length of the clip.
        size: Width and height of the frames.
        style: None draws one from the seed.
        motion: How far the hand sways, as a share of the frame height.

    Yields:
        The picture and its time in seconds from 0.
    """
    scene = SheetScene(lines, seed=seed, size=size, style=style)
    rng = np.random.default_rng(seed + 1)
    phases = rng.uniform(0, 2 * math.pi, (3, 4))
    for index in range(round(seconds * fps)):
        time = index / fps
        yield scene.render(rng, hand_motion(time, phases, motion * size[1])), time


def paper_clip_frames(
    lines: Sequence[Sequence[Written]], **arguments: Any
) -> Iterator[tuple[Image, float]]:
    """Yield uint8 BGR image (height, width, 3) and time of the same clip.

    Args:
        lines: Lines of characters, see `SheetScene`.
        arguments: See `paper_clip_pictures`.
    """
    for picture, time in paper_clip_pictures(lines, **arguments):
        yield picture.image, time
