"""Pictures that the tests of batches read; drawn with our own strokes."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from generator.letters import letter_strokes
from hcr_live.ink.render import render_strokes


def character_image(label: str, seed: int = 0, side: int = 80) -> np.ndarray:
    """Black ink in the middle of a white square, uint8 (side, side)."""
    ink = render_strokes(letter_strokes(label, np.random.default_rng(seed)))
    height, width = ink.shape
    room = round(1.4 * max(ink.shape))
    top, left = (room - height) // 2, (room - width) // 2
    sides = (top, room - height - top, left, room - width - left)
    image = cv2.copyMakeBorder(255 - ink, *sides, cv2.BORDER_CONSTANT, value=255)
    return cv2.resize(image, (side, side), interpolation=cv2.INTER_AREA)


def word_image(word: str, seed: int = 0) -> np.ndarray:
    """A word on a white page, uint8 (480, 640, 3) BGR."""
    page = np.full((480, 640, 3), 255, np.uint8)
    for number, label in enumerate(word):
        image = cv2.cvtColor(character_image(label, seed + number, 110), cv2.COLOR_GRAY2BGR)
        page[180:290, 60 + 120 * number : 170 + 120 * number] = image
    return page


def png(image: np.ndarray) -> bytes:
    """The content of a PNG file."""
    return cv2.imencode(".png", image)[1].tobytes()


def write_characters(folder: Path, labels: str) -> None:
    """Write a picture a label: 0.png, 1.png, ..."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, label in enumerate(labels):
        (folder / f"{number}.png").write_bytes(png(character_image(label, number)))
