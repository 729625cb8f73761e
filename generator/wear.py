"""What else is on a sheet, or lies over it: print, holes, stains, hair, fingers, glare."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]

HEADLINES = ("Shopping list", "NOTES", "Monday", "To do today", "Memo", "Page 12", "IMPORTANT")
WORDS = "the of and to in is you that it he was for on are as with his they at be this have"
WORDS += " from or one had by word but not what all were we when your can said there use an each"
WORDS += " which she do how their if will up other about out many then them these so some her"

SKINS = ((140, 172, 222), (95, 130, 190), (60, 85, 140))
"""Colours of fingers, BGR."""


@cache
def _font(name: str) -> Any:
    return cv2.FontFace(name)


def sentence(rng: np.random.Generator, length: int) -> str:
    """Return common words, about so many letters in all."""
    common = WORDS.split()
    words = [str(rng.choice(common))]
    while sum(map(len, words)) + len(words) < length:
        words.append(str(rng.choice(common)))
    return " ".join(words).capitalize()


def type_text(
    page: NDArray[Any],
    text: str,
    corner: tuple[float, float],
    size: int,
    colour: Sequence[float],
    *,
    weight: int = 400,
    italic: bool = False,
) -> None:
    """Print a line of text in place; `corner` is where its base line begins, `size` in pixels."""
    x, y = round(corner[0]), round(corner[1])
    top = max(0, y - 2 * size)
    strip = page[top : y + size]
    # Wide enough that nothing is wrapped: what is too long is cut off.
    mask = np.zeros((strip.shape[0], page.shape[1] + 2 * size * len(text)), np.uint8)
    font = _font("italic" if italic else "sans")
    cv2.putText(mask, text, (x, y - top), (255,), font, size, weight)
    alpha = mask[:, : page.shape[1], None].astype(np.float32) / 255
    strip[:] = (strip + alpha * (np.array(colour, np.float32) - strip)).astype(page.dtype)


def print_page(page: NDArray[Any], rng: np.random.Generator, letter: float = 0.024) -> None:
    """Fill a page with printed text in place: a headline, paragraphs and a page number.

    Args:
        page: (height, width, 3), BGR.
        rng: Source of every choice.
        letter: Size of the print as a share of the page's height.
    """
    height, width = page.shape[:2]
    ink = (30.0, 28.0, 28.0)
    size = max(5, round(letter * height))
    italic = bool(rng.random() < 0.2)
    left, right, y = 0.09 * width, 0.91 * width, 0.09 * height
    type_text(page, sentence(rng, 18).upper(), (left, y), round(1.8 * size), ink, weight=700)
    y += 2.6 * size
    room = round((right - left) / (0.52 * size))
    while y < 0.92 * height:
        if rng.random() < 0.15:
            y += 0.9 * size
            continue
        short = rng.random() < 0.15
        text = sentence(rng, round(room * (rng.uniform(0.3, 0.7) if short else 0.96)))[:room]
        type_text(page, text, (left, y), size, ink, italic=italic)
        y += 1.45 * size
    type_text(page, str(rng.integers(2, 300)), (0.5 * width, 0.97 * height), size, ink)


def print_small(page: NDArray[Any], rng: np.random.Generator) -> None:
    """Print a firm's address at the top and a line at the foot of a page, in place."""
    height, width = page.shape[:2]
    ink = (60.0, 55.0, 50.0)
    size = max(5, round(0.028 * height))
    for place in (0.035, 0.07):
        text = sentence(rng, int(rng.integers(14, 30)))
        type_text(page, text, (0.6 * width, place * height + size), size, ink)
    type_text(page, sentence(rng, 60), (0.08 * width, 0.975 * height), size, ink)


def print_headline(page: NDArray[Any], rng: np.random.Generator) -> None:
    """Print a headline at the top of a page, in place."""
    height, width = page.shape[:2]
    text = str(rng.choice(HEADLINES))
    type_text(page, text, (0.08 * width, 0.085 * height), round(0.06 * height), (40, 38, 36),
              weight=700)  # fmt: skip


def stain(page: NDArray[Any], rng: np.random.Generator) -> None:
    """Leave the ring of a coffee cup on a page, in place."""
    height, width = page.shape[:2]
    ring = np.zeros((height, width), np.uint8)
    radius = height * rng.uniform(0.12, 0.2)
    centre = (int(width * rng.uniform(0.15, 0.85)), int(height * rng.uniform(0.2, 0.9)))
    begin = float(rng.uniform(0, 360))
    extent = float(rng.uniform(220, 350))
    thick = max(2, round(radius * 0.09))
    axes = (int(radius), int(radius * 0.96))
    cv2.ellipse(ring, centre, axes, 0, begin, begin + extent, 255, thick, cv2.LINE_AA)
    ring = cv2.GaussianBlur(ring, (0, 0), thick * 0.3)
    inside = np.zeros_like(ring)
    cv2.circle(inside, centre, int(radius), 60, -1, cv2.LINE_AA)
    alpha = cv2.max(ring, inside).astype(np.float32)[..., None] / 255 * rng.uniform(0.3, 0.5)
    page *= 1 - alpha * (1 - np.array([0.35, 0.55, 0.72], np.float32))


def hair(page: NDArray[Any], rng: np.random.Generator) -> None:
    """Lay a hair on a page, in place."""
    height, width = page.shape[:2]
    start = np.array([rng.uniform(0.1, 0.9) * width, rng.uniform(0.1, 0.9) * height])
    angle, turn = (
        rng.uniform(0, 2 * math.pi),
        (rng.normal(0, 0.05) + rng.normal(0, 0.06, 60)).cumsum(),
    )
    step = height * rng.uniform(0.004, 0.008)
    way = np.stack([np.cos(angle + turn), np.sin(angle + turn)], axis=1) * step
    points = np.round((start + way.cumsum(axis=0)) * 16).astype(np.int32)
    mask = np.zeros((height, width), np.uint8)
    cv2.polylines(mask, [points], False, 190, max(1, height // 400), cv2.LINE_AA, 4)
    page *= 1 - mask.astype(np.float32)[..., None] / 255 * 0.75


def punch(height: int, width: int) -> NDArray[np.uint8]:
    """Return where a punched page is paper, uint8 (height, width), 255 or 0 in its holes."""
    paper = np.full((height, width), 255, np.uint8)
    radius = max(2, round(0.016 * height))
    for share in (0.14, 0.38, 0.62, 0.86):
        centre = (round(0.035 * height), round(share * height))
        cv2.circle(paper, centre, radius, 0, -1, cv2.LINE_AA)
    return paper


def draw_finger(
    image: Image, tip: NDArray[Any], inward: NDArray[Any], thick: float, skin: int
) -> None:
    """Draw a finger in place, round and with a nail, that reaches from outside to `tip`."""
    colour = np.array(SKINS[skin], np.float64)
    aside = np.array([-inward[1], inward[0]])
    base = tip - inward * thick * 8
    # Lighter and narrower lines on top of each other make it look round.
    for share, shade in ((1.0, 0.55), (0.92, 0.72), (0.78, 0.86), (0.55, 0.95), (0.3, 1.0)):
        shift = aside * thick * 0.12 * (1 - share)
        ends = [tuple(int(v) for v in end + shift) for end in (tip - inward * thick / 2, base)]
        tone = tuple(float(c) for c in colour * shade)
        cv2.line(image, ends[0], ends[1], tone, max(2, round(thick * share)), cv2.LINE_AA)
    nail = tuple(int(v) for v in tip - inward * thick * 0.28)
    axes = (max(2, int(thick * 0.24)), max(2, int(thick * 0.3)))
    angle = math.degrees(math.atan2(inward[1], inward[0])) - 90
    tone = tuple(float(c) for c in np.minimum(255, colour * 1.08 + 8))
    cv2.ellipse(image, nail, axes, angle, 0, 360, tone, -1, cv2.LINE_AA)


def shadow_of_something(shape: tuple[int, int], depth: float, rng: np.random.Generator) -> Any:
    """Return the factor of the light beside a hard-edged shadow, float32 (height, width, 1)."""
    height, width = shape
    angle = rng.uniform(0, math.pi)
    along = np.array([math.cos(angle), math.sin(angle)])
    across = np.array([-along[1], along[0]])
    centre = np.array([rng.uniform(0.35, 0.65) * width, rng.uniform(0.35, 0.65) * height])
    half = height * rng.uniform(0.08, 0.3)
    lean = rng.uniform(-0.3, 0.3)
    corners = [centre + along * 3 * width * i + across * half * (1 + i * lean) * j
               for i, j in ((-1, -1), (1, -1), (1, 1), (-1, 1))]  # fmt: skip
    dark = np.zeros((height, width), np.uint8)
    cv2.fillConvexPoly(dark, np.round(np.array(corners)).astype(np.int32), 255, cv2.LINE_AA)
    dark = cv2.GaussianBlur(dark, (0, 0), max(0.8, height * 0.002))
    return (1 - depth * dark.astype(np.float32) / 255)[..., None]


def glare_on(
    shape: tuple[int, int], centre: NDArray[Any], radius: float, strength: float
) -> NDArray[np.float32]:
    """Return the light that a glossy sheet mirrors, float32 (height, width, 1), grey levels."""
    height, width = shape
    x = (np.arange(width, dtype=np.float32) - float(centre[0])) / radius
    y = (np.arange(height, dtype=np.float32) - float(centre[1])) / (0.6 * radius)
    spot = np.exp(-np.minimum(60, y[:, None] ** 2 + x[None] ** 2))
    return (255 * strength * spot).astype(np.float32)[..., None]
