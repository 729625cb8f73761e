"""A camera that films hands: pictures of hands, laid before a background, with noise."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from generator.background import background
from generator.motion import FADE, RATE, Motion
from hcr_live.errors import HcrError

SKINS = ("", "-1f3fb", "-1f3fc", "-1f3fd", "-1f3fe", "-1f3ff")
"""Endings of the pictures' names: yellow, then the five skin tones from light to dark."""

POSES = {
    "point": "1f446",
    "open": "1f590",
    "fist": "1f44a",
    "pinch": "1f90f",
    "victory": "270c",
    "thumbs_up": "1f44d",
}
"""The poses and the pictures that show them."""

PENS = {"point": (99.5, 26.0), "pinch": (40.5, 102.0)}
"""The poses that write, and where MediaPipe sees what writes, in pixels of 256 x 256.

The tip of the index finger, and the middle between it and the tip of the thumb.
"""

_MIRRORED = ("open", "pinch", "victory")
"""Pictures of the other hand: turned, their thumb is where that of the pointing hand is."""


@dataclass(frozen=True)
class Look:
    """How a hand looks.

    Attributes:
        size: Pixels of its picture; 200 to 400 are found well at 1280 x 720.
        skin: Index into `SKINS`.
        left_handed: The picture of the other hand.
        pen: One of `PENS`: what of the hand is at the place that the motion gives.
    """

    size: int = 300
    skin: int = 2
    left_handed: bool = False
    pen: str = "point"


def film(
    hands: Sequence[tuple[Motion, Look]],
    rng: np.random.Generator,
    *,
    fps: float,
    width: int,
    height: int,
    mirrored: bool = False,
    light: bool | None = None,
) -> Iterator[tuple[NDArray[np.uint8], float]]:
    """Film hands that move.

    Args:
        hands: How they move and look, the front one first; the clip lasts as long as it moves.
        rng: Draws background, noise and sway.
        fps: Frames a second.
        width: Pixels of the frame.
        height: Pixels of the frame.
        mirrored: The whole frame is flipped left to right.
        light: Bright or dark background; None draws it.

    Yields:
        (image, time): uint8 (height, width, 3) BGR; seconds from 0.

    Raises:
        HcrError: If a pose has no picture.
    """
    scene = background(width, height, rng, light)
    sways = [_sway(rng)]
    # One big noise picture, cut at another place for every frame, is 30 times faster than
    # drawing new noise.
    sigma = rng.uniform(1.5, 4)
    noise = rng.normal(0, sigma, (height + 64, width + 64, 3)).astype(np.int8)
    sways += [_sway(rng) for _ in hands[1:]]
    actors = [_Actor(*hand, *sway) for hand, sway in zip(hands, sways, strict=True)]
    for index in range(int((len(actors[0].tips) - 1) / RATE * fps) + 1):
        time = index / fps
        image = scene.copy()
        for actor in reversed(actors):
            actor.draw(image, time)
        y, x = rng.integers(0, 64, 2)
        image = cv2.add(image, noise[y : y + height, x : x + width], dtype=cv2.CV_8U)
        yield cv2.flip(image, 1) if mirrored else image, time


def _sway(rng: np.random.Generator) -> tuple[float, float]:
    """Draw how a hand is tilted, in degrees, and the phase of its sway."""
    return float(np.clip(rng.normal(0, 5), -10, 10)), rng.uniform(0, 2 * np.pi)


class _Actor:
    """A hand that follows its plan."""

    def __init__(self, motion: Motion, look: Look, tilt: float, phase: float) -> None:
        self.look = look
        self.tilt, self.phase = tilt, phase
        self.tips = np.array(motion.tips)
        self.names = sorted(set(motion.poses))
        for name in self.names:
            if name not in POSES:
                raise HcrError(f"There is no hand pose '{name}': choose one of {', '.join(POSES)}.")
        shown = np.array([[pose == n for n in self.names] for pose in motion.poses], np.float64)
        box = np.ones(round(FADE * RATE)) / round(FADE * RATE)
        half = len(box) // 2
        self.shown = np.column_stack(
            [
                np.convolve(np.pad(shown[:, k], half, "edge"), box, "same")[half:-half]
                for k in range(len(self.names))
            ]
        )

    def draw(self, image: NDArray[np.uint8], time: float) -> None:
        """Lay the hand onto the image as it is at that time."""
        step = min(round(time * RATE), len(self.tips) - 1)
        tilt = self.tilt + 2 * np.sin(1.7 * time + self.phase)
        drawn = 0.0
        for name, weight in zip(self.names, self.shown[step], strict=True):
            if weight > 0.02:
                # Laid over each other, the weights must come out as planned.
                drawn += weight
                _draw(image, name, self.look, self.tips[step], tilt, weight / drawn)


def _draw(
    image: NDArray[np.uint8],
    pose: str,
    look: Look,
    tip: NDArray[np.float64],
    tilt: float,
    opacity: float,
) -> None:
    """Lay a picture onto the image, the place of its pen at `tip`, whatever its pose."""
    sprite = _sprite(pose, look.skin, look.left_handed)
    scale = look.size / sprite.shape[0]
    x, y = PENS[look.pen]
    anchor = (sprite.shape[1] - 1 - x if look.left_handed else x, y)
    matrix = cv2.getRotationMatrix2D(anchor, tilt, scale)
    left, top = np.floor(tip - 1.2 * look.size).astype(int)
    side = int(2.4 * look.size) + 2
    x0, y0 = max(left, 0), max(top, 0)
    x1, y1 = min(left + side, image.shape[1]), min(top + side, image.shape[0])
    if x0 >= x1 or y0 >= y1:
        return
    matrix[:, 2] += tip - np.array(anchor) - (x0, y0)
    patch = cv2.warpAffine(sprite, matrix, (x1 - x0, y1 - y0), flags=cv2.INTER_LINEAR)
    # Most of the patch is empty: to lay only the picture's own box takes a fifth of the time.
    corners = np.array([[x, y, 1] for x in (-1, 256) for y in (-1, 256)]) @ matrix.T
    left, top = np.maximum(np.floor(corners.min(axis=0)), 0).astype(int)
    right, bottom = np.maximum(np.ceil(corners.max(axis=0)) + 1, 0).astype(int)
    patch = patch[top:bottom, left:right]
    target = image[y0:y1, x0:x1][top:bottom, left:right]
    cover = patch[..., 3:] * np.float32(opacity)
    target[:] = (target * (1 - cover) + patch[..., :3] * np.float32(opacity)).astype(np.uint8)


@cache
def _sprite(pose: str, skin: int, left_handed: bool) -> NDArray[np.float32]:
    """Return a hand, float32 (256, 256, 4): BGR times opacity in [0, 255], opacity in [0, 1]."""
    path = Path(__file__).parent / "hands" / f"{POSES[pose]}{SKINS[skin]}.webp"
    picture = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    if picture is None:
        raise HcrError(f"The picture {path} is missing: restore it from the repository.")
    if left_handed != (pose in _MIRRORED):
        picture = picture[:, ::-1]
    sprite = picture.astype(np.float32)
    sprite[..., 3] /= 255
    sprite[..., :3] *= sprite[..., 3:]
    return np.ascontiguousarray(sprite)
