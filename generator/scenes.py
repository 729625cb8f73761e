"""Scenes in which nobody has written anything: print, screens, posters, rulings, plain things."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from generator import sheet, wear
from generator.doodles import DOODLES, doodle_strokes
from generator.kinds import ordinary_style
from generator.sheet import PAPERS, RULINGS, background_image, random_style, sheet_image
from generator.wear import Image
from generator.writing import on_line


def _printed(rng: np.random.Generator, seed: int, size: tuple[int, int], turn: float) -> Image:
    """A page of a book or a letter, held up."""
    style = replace(
        random_style(rng),
        paper=str(rng.choice(["white", "cream", "grey"])),
        ruling="plain",
        printed="page",
        height=float(rng.uniform(0.7, 0.95)) if turn % 180 == 0 else 0.9,
        aspect=float(rng.choice([0.7, 1.4])) if turn % 180 == 0 else 0.75,
        tilt=turn + float(rng.uniform(-8, 8)),
        thumb=False,
        fingers=int(rng.integers(0, 3)),
    )
    return sheet_image([], seed=seed, size=size, style=style).image


def _drawn(rng: np.random.Generator, seed: int, size: tuple[int, int]) -> Image:
    """A sheet with a few drawings and scribbles."""
    names = rng.choice(list(DOODLES), int(rng.integers(1, 6)), replace=False).tolist()
    lines = [[on_line("A", doodle_strokes(name, rng)) for name in part]
             for part in (names[::2], names[1::2]) if part]  # fmt: skip
    height = float(rng.uniform(0.15, 0.35))
    return sheet_image(lines, seed=seed, size=size,
                       style=replace(ordinary_style(rng), writing=height)).image  # fmt: skip


def _empty(rng: np.random.Generator, seed: int, size: tuple[int, int], *, dark: bool) -> Image:
    """A sheet or board, ruled or not, on which nothing is written."""
    names = [name for name, colour in PAPERS.items() if (max(colour) < 128) == dark]
    style = replace(
        random_style(rng),
        paper=str(rng.choice(names)),
        ruling=str(rng.choice(RULINGS)),
        background=str(rng.choice(sheet.BACKGROUNDS)),
        tilt=float(rng.uniform(-30, 30)),
        height=float(rng.choice([0.6, 0.8, 1.25])),
        margin=bool(rng.random() < 0.3),
        holes=bool(rng.random() < 0.3),
        stain=bool(rng.random() < 0.25),
        hair=bool(rng.random() < 0.25),
        fold=float(rng.uniform(0.3, 1)) if rng.random() < 0.4 else 0.0,
        glare=float(rng.uniform(0.2, 0.6)) if rng.random() < 0.25 else 0.0,
        hard_shadow=float(rng.uniform(0.2, 0.6)) if rng.random() < 0.3 else 0.0,
        fingers=int(rng.integers(0, 4)),
    )
    return sheet_image([], seed=seed, size=size, style=style).image


def _laid(page: Image, rng: np.random.Generator, size: tuple[int, int], share: float) -> Image:
    """Show something flat in front of a background, seen a little from the side."""
    width, height = size
    image = background_image(str(rng.choice(sheet.BACKGROUNDS)), size, rng)
    h, w = page.shape[:2]
    scale = share * min(height / h, width / w)
    half = np.array([[-w, -h], [w, -h], [w, h], [-w, h]]) * scale / 2
    half *= 1 + rng.uniform(-0.06, 0.06, (4, 2))
    angle = math.radians(rng.uniform(-6, 6))
    turn = np.array([[math.cos(angle), math.sin(angle)], [-math.sin(angle), math.cos(angle)]])
    corners = (half @ turn + (width / 2, height / 2)).astype(np.float32)
    flat = np.array([[0, 0], [w, 0], [w, h], [0, h]], np.float32)
    matrix = cv2.getPerspectiveTransform(flat, corners)
    cv2.warpPerspective(page, matrix, size, image, borderMode=cv2.BORDER_TRANSPARENT)
    return image


def _screen(rng: np.random.Generator, size: tuple[int, int]) -> Image:
    """A monitor with a program's window: bars, buttons, lines of code or text."""
    height, width = 900, 1500
    dark = bool(rng.random() < 0.5)
    ground = rng.uniform(20, 45, 3) if dark else rng.uniform(235, 252, 3)
    ink = tuple(float(c) for c in (rng.uniform(170, 235, 3) if dark else rng.uniform(20, 70, 3)))
    page = np.empty((height, width, 3), np.float32)
    page[:] = ground
    page[:70] = ground * 0.85 + 12
    page[:, :260] = ground * 0.92 + 8
    for row in range(100, height - 60, 44):
        wear.type_text(page, wear.sentence(rng, int(rng.integers(6, 18))), (24, row), 24, ink)
    wear.type_text(page, wear.sentence(rng, 30), (300, 46), 30, ink, weight=700)
    step = int(rng.integers(28, 48))
    for row in range(120, height - 30, step):
        indent = 300 + 40 * int(rng.integers(0, 4))
        shade = tuple(float(c) for c in np.clip(np.array(ink) * rng.uniform(0.6, 1.2, 3), 0, 255))
        text = wear.sentence(rng, int(rng.integers(8, 70)))
        wear.type_text(page, text, (indent, row), round(step * 0.7), shade)
    framed = cv2.copyMakeBorder(
        page.astype(np.uint8), 26, 40, 26, 26, cv2.BORDER_CONSTANT, value=(22, 22, 24)
    )
    return _laid(framed, rng, size, float(rng.uniform(0.75, 1.15)))


def _poster(rng: np.random.Generator, size: tuple[int, int]) -> Image:
    """A poster or a packet: shapes, a logo, a few large printed words."""
    height, width = 900, int(rng.choice([650, 1200]))
    page = np.empty((height, width, 3), np.float32)
    page[:] = rng.uniform(60, 250, 3)
    for _ in range(int(rng.integers(2, 6))):
        colour = tuple(float(c) for c in rng.uniform(10, 250, 3))
        x, y = int(rng.uniform(0, width)), int(rng.uniform(0, height))
        radius = int(rng.uniform(40, 220))
        thick = -1 if rng.random() < 0.6 else int(rng.integers(6, 30))
        if rng.random() < 0.5:
            cv2.circle(page, (x, y), radius, colour, thick, cv2.LINE_AA)
        elif rng.random() < 0.5:
            cv2.rectangle(page, (x, y), (x + radius, y + radius), colour, thick, cv2.LINE_AA)
        else:
            around = rng.uniform(0, 2 * math.pi) + np.arange(3) * 2 * math.pi / 3
            points = np.array([x, y]) + radius * np.stack([np.cos(around), np.sin(around)], 1)
            cv2.polylines(page, [points.astype(np.int32)], True, colour, max(6, thick), cv2.LINE_AA)
    for _ in range(int(rng.integers(1, 4))):
        colour = tuple(float(c) for c in rng.uniform(0, 255, 3))
        text = wear.sentence(rng, int(rng.integers(4, 14)))
        text = text.upper() if rng.random() < 0.6 else text
        place = (rng.uniform(20, 0.3 * width), rng.uniform(120, height - 40))
        wear.type_text(page, text, place, int(rng.uniform(50, 130)), colour, weight=800)
    return _laid(page.astype(np.uint8), rng, size, float(rng.uniform(0.5, 1.05)))


def _labelled_books(rng: np.random.Generator, size: tuple[int, int]) -> Image:
    """A shelf of books with titles along their backs."""
    image = background_image("bookshelf", size, rng)
    width, height = size
    for _ in range(int(rng.integers(12, 30))):
        strip = np.zeros((height // 28, height // 4, 3), np.float32)
        text = wear.sentence(rng, 14)
        size_of_print = max(6, int(0.7 * strip.shape[0]))
        wear.type_text(strip, text.upper(), (2, 0.8 * strip.shape[0]), size_of_print, (255,) * 3,
                       weight=600)  # fmt: skip
        strip = np.rot90(strip, int(rng.choice([1, 3])))
        x = int(rng.uniform(0, width - strip.shape[1]))
        y = int(rng.integers(3)) * (height // 3) + height // 20
        part = image[y : y + strip.shape[0], x : x + strip.shape[1]].astype(np.float32)
        tone = rng.uniform(180, 250, 3) if part.mean() < 128 else rng.uniform(10, 60, 3)
        alpha = strip[: part.shape[0], : part.shape[1], :1] / 255
        part += alpha * (tone - part)
        image[y : y + strip.shape[0], x : x + strip.shape[1]] = np.clip(part, 0, 255)
    return image


def _blinds(rng: np.random.Generator, size: tuple[int, int]) -> Image:
    """Things with edges, lines and round corners: blinds, a keyboard, a grid of tiles."""
    width, height = size
    image = background_image("gradient", size, rng)
    kind = int(rng.integers(3))
    tone = tuple(float(c) for c in rng.uniform(20, 240, 3))
    if kind == 0:
        for y in range(0, height, int(rng.integers(18, 50))):
            cv2.line(image, (0, y), (width, y + int(rng.integers(-6, 7))), tone, 3, cv2.LINE_AA)
        return image
    step = int(rng.integers(40, 90))
    for y in range(height // 5, 4 * height // 5, step):
        for x in range(width // 8, 7 * width // 8, step):
            corner = (x + step - 8, y + step - 8)
            cv2.rectangle(image, (x, y), corner, tone, -1 if kind == 1 else 2, cv2.LINE_AA)
            if kind == 1:  # keys bear letters
                ink = (235.0,) * 3 if max(tone) < 128 else (20.0,) * 3
                letter = str(rng.choice(list("QWERTYUIOPASDFGHJKLZXCVBNM1234567890")))
                part = image[y : y + step, x : x + step]
                wear.type_text(part, letter, (0.2 * step, 0.5 * step), int(0.35 * step), ink)
    return image


def _simple(kind: str) -> Callable[..., Image]:
    def draw(rng: np.random.Generator, seed: int, size: tuple[int, int]) -> Image:
        return sheet.scene_image(kind, seed=seed, size=size)

    return draw


SCENES: dict[str, Callable[[np.random.Generator, int, tuple[int, int]], Image]] = {
    **{kind: _simple(kind) for kind in sheet.SCENES},
    "printed page": lambda rng, seed, size: _printed(rng, seed, size, 0),
    "printed page sideways": lambda rng, seed, size: _printed(
        rng, seed, size, float(rng.choice([90, 270]))
    ),
    "printed page upside down": lambda rng, seed, size: _printed(rng, seed, size, 180),
    "empty board": lambda rng, seed, size: _empty(rng, seed, size, dark=True),
    "worn empty sheet": lambda rng, seed, size: _empty(rng, seed, size, dark=False),
    "drawings": _drawn,
    "screen": lambda rng, seed, size: _screen(rng, size),
    "poster": lambda rng, seed, size: _poster(rng, size),
    "titled books": lambda rng, seed, size: _labelled_books(rng, size),
    "edges and keys": lambda rng, seed, size: _blinds(rng, size),
}
"""Kind of scene to what draws it."""


def draw_scene(kind: str, *, seed: int, size: tuple[int, int] = (1280, 720)) -> NDArray[np.uint8]:
    """Draw a scene in which nobody has written anything.

    Args:
        kind: A key of `SCENES`.
        seed: Every choice.
        size: Width and height in pixels.

    Returns:
        uint8 (height, width, 3), BGR.
    """
    rng = np.random.default_rng(seed)
    image: Any = SCENES[kind](rng, seed, size)
    if kind in ("screen", "poster", "titled books", "edges and keys"):
        image = sheet.as_taken(image, float(rng.uniform(0.4, 1.2)), float(rng.uniform(1, 5)), rng)
    return np.asarray(image, np.uint8)
