"""Clips of a hand that writes in the air, and of one that does not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from generator.background import background
from hcr_live.errors import HcrError

Stroke = NDArray[np.float32]

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

_MIRRORED = ("open", "pinch", "victory")
"""Pictures of the other hand: turned, their thumb is where that of the pointing hand is."""

_TIP = (99.5, 26.0)
"""Where MediaPipe sees the index fingertip of the pointing hand: pixels of 256 x 256."""

_RATE = 240
"""Steps a second in which the motion is planned; frames are sampled from it."""

_FADE = 0.1
"""Seconds in which one pose turns into another."""


def place_strokes(
    characters: Sequence[Sequence[Stroke]],
    *,
    width: int = 1280,
    height: int = 720,
    size: int = 300,
    letter_height: float = 0.42,
) -> list[list[Stroke]]:
    """Scale every character to the writing area that `air_clip_frames` uses.

    Args:
        characters: For each its strokes, (n, 2), any unit, x right, y down.
        width: Pixels of the frame.
        height: Pixels of the frame.
        size: Pixels of the hand's picture.
        letter_height: Part of the frame's height that a character fills, fewer where it is wide
            or the hand would leave the frame below.

    Returns:
        The strokes as the frame shows them where nothing is mirrored, float32 (n, 2) in pixels.
    """
    top, bottom = 0.06 * height, height - 0.75 * size
    side = max(0.2 * height, min(letter_height * height, bottom - top))
    placed = []
    for strokes in characters:
        points = np.concatenate([np.asarray(stroke)[:, :2] for stroke in strokes])
        low, extent = points.min(axis=0), np.ptp(points, axis=0)
        scale = side / max(extent[1], extent[0] / 1.3, 1e-6)
        origin = np.array([0.45 * width, top + side / 2]) - (low + extent / 2) * scale
        placed.append([(np.asarray(s)[:, :2] * scale + origin).astype(np.float32) for s in strokes])
    return placed


def air_clip_frames(
    characters: Sequence[Sequence[Stroke]],
    *,
    seed: int = 0,
    fps: float = 30.0,
    width: int = 1280,
    height: int = 720,
    size: int = 300,
    skin: int = 2,
    letter_height: float = 0.42,
    pen_up: str = "open",
    pause: float = 1.3,
    pace: float = 1.0,
    left_handed: bool = False,
    mirrored: bool = False,
    light: bool | None = None,
) -> Iterator[tuple[NDArray[np.uint8], float]]:
    """Film a hand that writes characters one after the other, at the same place.

    The hand comes in from below, points while the pen is down (index finger up), changes to
    another pose for the ways between strokes, rests after each character, and leaves. Its speed
    falls with curvature by the two-thirds power law (Lacquaniti, Terzuolo, Viviani, 1983).

    Args:
        characters: For each its strokes, (n, 2), any unit, x right, y down.
        seed: Of the background, noise, pauses and sway.
        fps: Frames a second.
        width: Pixels of the frame.
        height: Pixels of the frame.
        size: Pixels of the hand's picture; 200 to 400 are found well at 1280 x 720.
        skin: Index into `SKINS`.
        letter_height: See `place_strokes`.
        pen_up: Pose while the pen is up: "open" or "fist".
        pause: Seconds of rest after a character.
        pace: Factor on the duration of every movement: 1 writes a letter in 1 to 2 s.
        left_handed: The picture of the other hand.
        mirrored: The camera faces the writer: the whole frame is flipped left to right.
        light: Bright or dark background; None draws it.

    Yields:
        (image, time): uint8 (height, width, 3) BGR; seconds from 0.

    Raises:
        HcrError: If there is no such pose.
    """
    rng = np.random.default_rng(seed)
    placed = place_strokes(
        characters, width=width, height=height, size=size, letter_height=letter_height
    )
    motion = _Motion(np.array([0.55 * width, 1.2 * height]), pen_up, pace)
    motion.rest(0.2)
    for strokes in placed:
        for stroke in strokes:
            motion.travel(stroke[0])
            motion.write(stroke, rng)
        motion.travel(motion.tip + rng.normal(0, 0.02 * height, 2))
        motion.rest(pause)
    motion.travel(np.array([0.6 * width, 1.25 * height]))
    motion.rest(0.3)
    film = _Film(width, height, size, skin, left_handed, mirrored, light, rng)
    yield from film.frames(motion, fps)


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
        (image, time), as `air_clip_frames` does.

    Raises:
        HcrError: If there is no such pose.
    """
    rng = np.random.default_rng(seed)
    motion = _Motion(np.array([0.4 * width, 0.1 * height]), pose, 1.0)
    while len(motion.tips) < seconds * _RATE:
        motion.travel(np.array([rng.uniform(0.2, 0.6) * width, rng.uniform(0.05, 0.5) * height]))
    film = _Film(width, height, size, skin, left_handed, False, light, rng)
    for image, time in film.frames(motion, fps):
        if time >= seconds:
            return
        yield image, time


class _Motion:
    """Where the fingertip is and which pose the hand has, in steps of 1 / _RATE seconds."""

    def __init__(self, tip: NDArray[np.float64], pen_up: str, pace: float) -> None:
        if pen_up not in POSES:
            raise HcrError(f"There is no hand pose '{pen_up}': choose one of {', '.join(POSES)}.")
        self.tip = tip
        self.pen_up = pen_up
        self.pace = pace
        self.tips: list[NDArray[np.float64]] = []
        self.poses: list[str] = []

    def rest(self, seconds: float, pose: str | None = None) -> None:
        """Stay where the hand is."""
        count = round(seconds * _RATE)
        self.tips += [self.tip] * count
        self.poses += [pose or self.pen_up] * count

    def travel(self, target: NDArray[np.floating]) -> None:
        """Go there with the pen up, smoothly (minimum jerk: Flash and Hogan, 1985)."""
        way = np.asarray(target, np.float64) - self.tip
        seconds = self.pace * (0.22 + 0.25 * float(np.hypot(*way)) / 300)
        t = np.linspace(0, 1, max(2, round(seconds * _RATE)))[1:, None]
        eased = t**3 * (10 - 15 * t + 6 * t**2)
        self.tips += list(self.tip + way * eased)
        self.poses += [self.pen_up] * len(t)
        self.tip = self.tips[-1]

    def write(self, stroke: Stroke, rng: np.random.Generator) -> None:
        """Raise the index finger, trace the stroke, fold the finger."""
        self.rest(_FADE + rng.uniform(0.03, 0.12), "point")
        steps = np.hypot(*np.diff(stroke.astype(np.float64), axis=0).T)
        arc = np.concatenate([[0], np.cumsum(steps)])
        length = float(arc[-1])
        if length > 0:
            at = np.linspace(0, length, max(8, int(length / 2)))
            path = np.column_stack([np.interp(at, arc, stroke[:, k]) for k in (0, 1)])
            waited = np.concatenate([[0], np.cumsum(1 / _speed(path)[1:])])
            seconds = self.pace * (0.12 + 0.35 * length / 300)
            times = np.linspace(0, waited[-1], max(2, round(seconds * _RATE)))
            self.tips += list(
                np.column_stack([np.interp(times, waited, path[:, k]) for k in (0, 1)])
            )
            self.poses += ["point"] * len(times)
            self.tip = self.tips[-1]
        self.rest(rng.uniform(0.05, 0.12), "point")


def _speed(path: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the relative speed of a hand along evenly spaced points, in (0, 1]."""
    window = max(2, len(path) // 40)
    ahead = np.diff(np.pad(path, ((window, window), (0, 0)), mode="edge"), axis=0)
    smooth = np.ones(window) / window
    direction = np.column_stack([np.convolve(ahead[:, k], smooth, "same") for k in (0, 1)])
    angle = np.unwrap(np.arctan2(direction[:, 1], direction[:, 0]))
    bend = np.abs(angle[2 * window :] - angle[: -2 * window])[: len(path)]
    bend = np.pad(bend, (0, len(path) - len(bend)), mode="edge")
    place = np.arange(len(path)) / (len(path) - 1)
    ends = np.sqrt(np.clip(np.minimum(place, 1 - place) / 0.15, 0.03, 1))
    return np.clip(np.maximum(bend, 0.05) / 0.25, 1, None) ** (-1 / 3) * ends


class _Film:
    """A camera: draws the hand before a background, with noise."""

    def __init__(
        self,
        width: int,
        height: int,
        size: int,
        skin: int,
        left_handed: bool,
        mirrored: bool,
        light: bool | None,
        rng: np.random.Generator,
    ) -> None:
        self.scene = background(width, height, rng, light)
        self.size = size
        self.skin = skin
        self.left_handed = left_handed
        self.mirrored = mirrored
        self.rng = rng
        self.tilt = np.clip(rng.normal(0, 5), -10, 10)
        self.phase = rng.uniform(0, 2 * np.pi)
        # One big noise picture, cut at another place for every frame, is 30 times faster than
        # drawing new noise.
        sigma = rng.uniform(1.5, 4)
        self.noise = rng.normal(0, sigma, (height + 64, width + 64, 3)).astype(np.int8)

    def frames(self, motion: _Motion, fps: float) -> Iterator[tuple[NDArray[np.uint8], float]]:
        """Yield (image, time) of the planned motion."""
        tips = np.array(motion.tips)
        names = sorted(set(motion.poses))
        shown = np.array([[pose == name for name in names] for pose in motion.poses], np.float64)
        box = np.ones(round(_FADE * _RATE)) / round(_FADE * _RATE)
        half = len(box) // 2
        shown = np.column_stack(
            [
                np.convolve(np.pad(shown[:, k], half, "edge"), box, "same")[half:-half]
                for k in range(len(names))
            ]
        )
        for index in range(int((len(tips) - 1) / _RATE * fps) + 1):
            time = index / fps
            step = min(round(time * _RATE), len(tips) - 1)
            image = self.scene.copy()
            tilt = self.tilt + 2 * np.sin(1.7 * time + self.phase)
            drawn = 0.0
            for name, weight in zip(names, shown[step], strict=True):
                if weight > 0.02:
                    # Laid over each other, the weights must come out as planned.
                    drawn += weight
                    self._draw(image, name, tips[step], tilt, weight / drawn)
            y, x = self.rng.integers(0, 64, 2)
            noise = self.noise[y : y + image.shape[0], x : x + image.shape[1]]
            image = cv2.add(image, noise, dtype=cv2.CV_8U)
            yield cv2.flip(image, 1) if self.mirrored else image, time

    def _draw(
        self,
        image: NDArray[np.uint8],
        pose: str,
        tip: NDArray[np.float64],
        tilt: float,
        opacity: float,
    ) -> None:
        """Lay the hand onto the image, its (pointing) fingertip at `tip`."""
        sprite = _sprite(pose, self.skin, self.left_handed)
        scale = self.size / sprite.shape[0]
        anchor = (sprite.shape[1] - 1 - _TIP[0] if self.left_handed else _TIP[0], _TIP[1])
        matrix = cv2.getRotationMatrix2D(anchor, tilt, scale)
        left, top = np.floor(tip - 1.2 * self.size).astype(int)
        side = int(2.4 * self.size) + 2
        x0, y0 = max(left, 0), max(top, 0)
        x1, y1 = min(left + side, image.shape[1]), min(top + side, image.shape[0])
        if x0 >= x1 or y0 >= y1:
            return
        matrix[:, 2] += tip - np.array(anchor) - (x0, y0)
        patch = cv2.warpAffine(sprite, matrix, (x1 - x0, y1 - y0), flags=cv2.INTER_LINEAR)
        cover = patch[..., 3:] * np.float32(opacity)
        target = image[y0:y1, x0:x1]
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
