"""Draws handwriting on a sheet that is held up in front of a camera, and scenes without writing."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from generator import wear
from generator.wear import SKINS
from generator.writing import MARGIN, CharacterStrokes, Hand, OnLine, Written, rule, write
from hcr_live.frame import Box

Image = NDArray[np.uint8]

PAPERS = {
    "white": (246, 247, 248),
    "cream": (222, 238, 246),
    "grey": (205, 207, 210),
    "yellow": (150, 226, 244),
    "blue": (238, 219, 190),
    "pink": (214, 200, 240),
    "green": (190, 235, 200),
    "kraft": (120, 160, 190),
    "whiteboard": (243, 244, 242),
    "blackboard": (52, 56, 50),
    "green board": (62, 88, 52),
    "dark card": (38, 34, 34),
    "navy": (92, 52, 34),
    "tablet": (22, 20, 20),
}
"""Colours of what is written on, BGR."""

PENS = {
    "pencil": (0.028, 0.62),
    "ballpoint": (0.03, 0.86),
    "marker": (0.11, 0.95),
    "felt": (0.065, 0.92),
    "chalk": (0.1, 0.88),
    "white gel": (0.05, 0.95),
}
"""Pen name to (line width as a share of the character height, opacity)."""

RULINGS = ("plain", "ruled", "squared", "dotted")
BACKGROUNDS = ("wood", "room", "bookshelf", "gradient", "wall", "table", "dark desk")
SCENES = ("desk", "face", "bookshelf", "room", "hand", "empty sheet")
"""Scenes in which nobody has written anything."""

_REPLICATE = cv2.BORDER_REPLICATE
_INKS = ((35, 32, 30), (120, 50, 25), (40, 35, 160))
_PLAIN_BACKGROUNDS = {
    "wall": (228, 232, 233),
    "table": (238, 240, 240),
    "dark desk": (46, 44, 48),
}
_PEN_COLOURS = {"pencil": (78, 76, 74), "chalk": (232, 238, 240), "white gel": (245, 246, 246)}


@dataclass(frozen=True)
class SheetStyle:
    """How a sheet looks and lies; lengths are shares of the frame height, angles degrees.

    Attributes:
        paper: Name in `PAPERS`.
        ruling: One of `RULINGS`.
        pen: Name in `PENS`.
        ink: BGR colour of the pen (a pencil is always grey, chalk and white gel are light).
        background: One of `BACKGROUNDS`.
        height: Height of the sheet.
        aspect: Width of the sheet divided by its height.
        centre: Centre of the sheet as shares of the frame's width and height.
        tilt: Rotation in the image plane, clockwise.
        perspective: How far the corners move, as a share of the sheet's size.
        shadow: Depth of the gradient and of the cast shadow in [0, 1).
        blur: Gaussian sigma in pixels at 720 lines.
        noise: Standard deviation of the sensor noise in grey levels.
        thumb: Whether a thumb holds an edge.
        writing: Height of a capital as a share of the sheet's height; then lines begin at the
            left, on the ruled lines, as far as all fit. None: each line is as large as the
            sheet allows, and in its middle.
        spacing: Gap between two characters as a share of that height; this and what follows to
            `touching` counts where `writing` is given.
        uneven: Standard deviation of that gap.
        slope: How far the lines of writing fall to the right.
        curve: How far the middle of a line sags, as a share of a capital's height.
        touching: Share of the characters that touch the one before, in [0, 1].
        margin: Whether a red line marks the left margin.
        holes: Whether the left edge is punched.
        stain: Whether a cup stood on it.
        hair: Whether a hair lies on it.
        printed: "" for nothing, "headline" or "small" for print beside the writing, "page" for a
            page full of it.
        fold: How deep a crease across the sheet is, in [0, 1]: its halves are lit differently
            and lie in different planes.
        glare: How bright a lamp is mirrored in it, in [0, 1].
        hard_shadow: Depth of a shadow with sharp edges, in [0, 1).
        fingers: How many more fingers hold it, at edges and corners.
        shake: Length of the motion blur in pixels at 720 lines.
    """

    paper: str = "white"
    ruling: str = "plain"
    pen: str = "ballpoint"
    ink: tuple[int, int, int] = _INKS[0]
    background: str = "wood"
    height: float = 0.7
    aspect: float = 1.4
    centre: tuple[float, float] = (0.5, 0.5)
    tilt: float = 0.0
    perspective: float = 0.0
    shadow: float = 0.15
    blur: float = 0.6
    noise: float = 2.5
    thumb: bool = False
    writing: float | None = None
    spacing: float = 0.3
    uneven: float = 0.06
    slope: float = 0.0
    curve: float = 0.0
    touching: float = 0.0
    margin: bool = False
    holes: bool = False
    stain: bool = False
    hair: bool = False
    printed: str = ""
    fold: float = 0.0
    glare: float = 0.0
    hard_shadow: float = 0.0
    fingers: int = 0
    shake: float = 0.0


@dataclass(frozen=True, eq=False)
class SheetImage:
    """A drawn picture and what is true of it.

    Attributes:
        image: uint8 (height, width, 3), BGR.
        outline: float32 (4, 2), corners of the sheet: top left, top right, bottom right,
            bottom left as the writer sees them.
        boxes: Boxes of the characters in reading order, in pixels of `image`.
        lines: The line number of each box.
    """

    image: Image
    outline: NDArray[np.float32]
    boxes: tuple[Box, ...]
    lines: tuple[int, ...]


def random_style(rng: np.random.Generator) -> SheetStyle:
    """Return a plausible held or lying sheet; every choice comes from `rng`."""
    return SheetStyle(
        paper=str(rng.choice(list(PAPERS)[:6], p=[0.5, 0.2, 0.1, 0.08, 0.06, 0.06])),
        ruling=str(rng.choice(RULINGS[:3], p=[0.5, 0.35, 0.15])),
        pen=str(rng.choice(list(PENS)[:3])),
        ink=_INKS[int(rng.choice(3, p=[0.6, 0.3, 0.1]))],
        background=str(rng.choice(BACKGROUNDS[:4])),
        height=float(rng.uniform(0.5, 0.85)),
        aspect=float(rng.uniform(1.0, 1.5)),
        centre=(float(rng.uniform(0.42, 0.58)), float(rng.uniform(0.45, 0.55))),
        tilt=float(rng.uniform(-15, 15)),
        perspective=float(rng.uniform(0, 0.08)),
        shadow=float(rng.uniform(0, 0.45)),
        blur=float(rng.uniform(0.3, 1.4)),
        noise=float(rng.uniform(1, 5)),
        thumb=bool(rng.random() < 0.5),
    )


def _shares(shape: tuple[int, int]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return x and y of every pixel as shares of the width and height."""
    height, width = shape
    x = np.linspace(0, 1, width, dtype=np.float32)[None, :]
    y = np.linspace(0, 1, height, dtype=np.float32)[:, None]
    return np.broadcast_to(x, shape), np.broadcast_to(y, shape)


def _smooth_noise(shape: tuple[int, int], cells: int, rng: np.random.Generator) -> NDArray:
    """Return float32 noise of mean 0 and standard deviation 1 with about `cells` bumps across."""
    rows = max(2, round(cells * shape[0] / shape[1]))
    coarse = rng.standard_normal((rows, max(2, cells))).astype(np.float32)
    return cv2.resize(coarse, shape[::-1], interpolation=cv2.INTER_CUBIC)


def background_image(kind: str, size: tuple[int, int], rng: np.random.Generator) -> Image:
    """Draw a background without writing.

    Args:
        kind: One of `BACKGROUNDS`.
        size: Width and height in pixels.
        rng: Source of every choice.

    Returns:
        uint8 (height, width, 3), BGR.
    """
    width, height = size
    x, y = _shares((height, width))
    if kind == "wood":
        base = np.array([(60, 95, 140), (45, 65, 95), (110, 140, 175)][rng.integers(3)], float)
        warp = 0.02 * _smooth_noise((height, width), 6, rng)
        grain = np.sin((y + warp) * rng.uniform(120, 260)) * 0.04
        planks = ((y * rng.integers(3, 6)).astype(int) % 2) * 0.05
        canvas = base * (1 + grain + planks)[..., None]
    elif kind == "gradient":
        first, second = rng.uniform(30, 190, (2, 3))
        canvas = first * (1 - x * y)[..., None] + second * (x * y)[..., None]
    elif kind == "room":
        wall = rng.uniform(110, 190) * np.array([0.95, 1.0, 1.02])
        canvas = wall * (0.75 + 0.25 * (1 - y))[..., None]
        canvas = np.ascontiguousarray(canvas)
        floor = int(height * rng.uniform(0.75, 0.9))
        canvas[floor:] = canvas[floor:] * 0.5
        left = int(width * rng.uniform(0, 0.25))
        window = (left, int(height * 0.08), int(width * 0.22), int(height * 0.35))
        cv2.rectangle(canvas, window, (250.0, 248.0, 240.0), -1)
        cv2.rectangle(canvas, window, (90.0, 100.0, 110.0), max(2, height // 90))
        middle = left + window[2] // 2
        cv2.line(
            canvas,
            (middle, window[1]),
            (middle, window[1] + window[3]),
            (90.0, 100.0, 110.0),
            max(2, height // 120),
        )
        lamp = (int(width * rng.uniform(0.75, 0.9)), int(height * 0.15))
        cv2.circle(canvas, lamp, height // 14, (235.0, 250.0, 255.0), -1, cv2.LINE_AA)
        chair = (int(width * 0.7), int(height * 0.55), int(width * 0.2), int(height * 0.3))
        cv2.rectangle(canvas, chair, tuple(rng.uniform(20, 90, 3)), -1)
    elif kind == "bookshelf":
        canvas = np.full((height, width, 3), 40.0)
        shelf = height // 3
        for top in range(0, height, shelf):
            left = 0
            while left < width:
                thick = int(width * rng.uniform(0.015, 0.045))
                tall = int(shelf * rng.uniform(0.65, 0.92))
                box = (left, top + shelf - tall - shelf // 12, thick - 1, tall)
                colour = tuple(rng.uniform(20, 235, 3) * rng.uniform(0.5, 1))
                cv2.rectangle(canvas, box, colour, -1)
                for band in rng.uniform(0.1, 0.9, int(rng.integers(0, 3))):
                    stripe = (left, box[1] + int(tall * band), thick - 1, max(2, tall // 25))
                    cv2.rectangle(canvas, stripe, tuple(rng.uniform(20, 235, 3)), -1)
                left += thick
            cv2.rectangle(
                canvas, (0, top + shelf - shelf // 12, width, shelf // 12), (70.0, 100.0, 130.0), -1
            )
    elif kind in _PLAIN_BACKGROUNDS:
        base = np.array(_PLAIN_BACKGROUNDS[kind], float) * rng.uniform(0.88, 1.0)
        canvas = base * (0.9 + 0.1 * (1 - x * y))[..., None]
        if kind == "wall":  # plaster
            canvas *= (1 + 0.012 * _smooth_noise((height, width), 90, rng))[..., None]
    else:
        raise ValueError(f"unknown background {kind!r}")
    canvas = canvas * (1 + 0.04 * _smooth_noise((height, width), 5, rng))[..., None]
    return np.clip(canvas, 0, 255).astype(np.uint8)


def _fit(strokes: CharacterStrokes, height: float) -> list[NDArray[np.float32]]:
    """Scale a character to a height (or, where it is wide, to that width), top left at 0."""
    points = np.concatenate([np.asarray(s, np.float32)[:, :2] for s in strokes])
    low, extent = points.min(axis=0), np.ptp(points, axis=0)
    scale = height / max(float(extent[1]), float(extent[0]) * 0.8, 1e-6)
    return [(np.asarray(s, np.float32)[:, :2] - low) * scale for s in strokes]


def _page(
    lines: Sequence[Sequence[Written]],
    style: SheetStyle,
    size: tuple[int, int],
    rng: np.random.Generator,
    rng_of_wear: np.random.Generator,
) -> tuple[Image, list[NDArray[np.float32]], list[int]]:
    """Draw the flat page; also the convex hull of each character's ink and its line."""
    width, height = size
    page = np.empty((height, width, 3), np.float32)
    page[:] = PAPERS[style.paper]
    page *= 1 + 0.008 * rng.standard_normal((height, width, 1)).astype(np.float32)
    if style.writing is None:
        _draw_ruling(page, style, height / max(5, 2 * len(lines) + 3), 0.0)
        cover, hulls, numbers = _centred(lines, style, size, rng)
    else:
        # Of a sheet that fills the frame, only a part is seen.
        margin = MARGIN + 0.5 * max(0.0, 1 - 1 / style.height)
        ruling = rule(lines, style.writing, style.spacing, size, margin)
        _draw_ruling(page, style, ruling.pitch, ruling.first % ruling.pitch - ruling.pitch)
        hand = Hand(
            PENS[style.pen][0],
            style.slope,
            style.curve,
            style.spacing,
            style.uneven,
            style.touching,
        )
        written = write(lines, ruling, hand, size, rng)
        cover, hulls, numbers = written.cover, written.hulls, written.numbers
    if style.printed:
        print_on = {"headline": wear.print_headline, "small": wear.print_small}
        print_on.get(style.printed, wear.print_page)(page, rng_of_wear)
    alpha = cover.astype(np.float32) * (PENS[style.pen][1] / 255)
    if style.pen == "pencil":
        alpha *= np.clip(1 + 0.18 * rng.standard_normal((height, width)), 0.4, 1.3)
    elif style.pen == "chalk":
        grain = cv2.GaussianBlur(rng.standard_normal((height, width)), (0, 0), 0.7)
        alpha *= np.clip(1.05 + 0.7 * grain, 0.15, 1.1)
    colour = _PEN_COLOURS.get(style.pen, style.ink)
    page += alpha[..., None] * (np.array(colour, np.float32) - page)
    if style.stain:
        wear.stain(page, rng_of_wear)
    if style.hair:
        wear.hair(page, rng_of_wear)
    return np.clip(page, 0, 255).astype(np.uint8), hulls, numbers


def _draw_ruling(page: NDArray[np.float32], style: SheetStyle, pitch: float, first: float) -> None:
    """Draw the ruling and the margin of a page in place; `first` is a line at or above the top."""
    height, width = page.shape[:2]
    rule = (205.0, 180.0, 150.0) if style.paper != "blue" else (190.0, 160.0, 130.0)
    if max(PAPERS[style.paper]) < 128:
        rule = tuple(0.6 * c + 60.0 for c in PAPERS[style.paper])  # type: ignore[assignment]
    thin = max(1, height // 300)
    rows = np.arange(first + pitch, height, pitch if style.ruling == "ruled" else pitch / 2)
    columns = np.arange(pitch / 2, width, pitch / 2)
    if style.ruling in ("ruled", "squared"):
        for row in rows:
            cv2.line(page, (0, int(row)), (width, int(row)), rule, thin, cv2.LINE_AA)
    if style.ruling == "squared":
        for column in columns:
            cv2.line(page, (int(column), 0), (int(column), height), rule, thin, cv2.LINE_AA)
    if style.ruling == "dotted":
        for x, y in itertools.product(columns, rows):
            cv2.circle(page, (round(x * 8), round(y * 8)), 8 * thin, rule, -1, cv2.LINE_AA, 3)
    if style.margin:
        place = int(0.07 * width)
        cv2.line(page, (place, 0), (place, height), (110.0, 100.0, 215.0), thin, cv2.LINE_AA)


def _centred(
    lines: Sequence[Sequence[Written]],
    style: SheetStyle,
    size: tuple[int, int],
    rng: np.random.Generator,
) -> tuple[NDArray[np.uint8], list[NDArray[np.float32]], list[int]]:
    """Write each line as large as it can be, in the middle; strokes only."""
    width, height = size
    hulls: list[NDArray[np.float32]] = []
    numbers: list[int] = []
    band = height * 0.8 / max(1, len(lines))
    cover = np.zeros((height, width), np.uint8)
    for number, line in enumerate(lines):
        strokes: list[CharacterStrokes] = []
        for character in line:
            if character is None or isinstance(character, OnLine):
                raise ValueError("Spaces and placed characters need a style with `writing`.")
            strokes.append(character)
        tallest = min(band * 0.7, height * 0.55, width * 0.85 / (1.15 * max(1, len(line))))
        fitted = [_fit(c, tallest * rng.uniform(0.88, 1.0)) for c in strokes]
        gap = tallest * rng.uniform(0.25, 0.4)
        widths = [float(np.concatenate(c)[:, 0].max()) for c in fitted]
        left = (width - sum(widths) - gap * max(0, len(fitted) - 1)) / 2
        bottom = height * 0.1 + band * number + band / 2 + tallest / 2
        pen = max(1.2, tallest * PENS[style.pen][0] * rng.uniform(0.85, 1.2))
        for fit, extent in zip(fitted, widths, strict=True):
            tall = float(np.concatenate(fit)[:, 1].max())
            shift = np.array([left, bottom - tall + rng.normal(0, 0.02) * tallest], np.float32)
            for stroke in fit:
                points = np.round((stroke + shift) * 16).astype(np.int32)
                if len(points) == 1:
                    points = np.repeat(points, 2, axis=0)
                cv2.polylines(cover, [points], False, 255, max(1, round(pen)), cv2.LINE_AA, 4)
            ink = np.concatenate(fit) + shift
            rim = np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)], np.float32) * pen * 0.35
            hulls.append(cv2.convexHull((ink[:, None] + rim).reshape(-1, 2))[:, 0])
            numbers.append(number)
            left += extent + gap
    return cover, hulls, numbers


def _outline(
    style: SheetStyle, size: tuple[int, int], rng: np.random.Generator
) -> NDArray[np.float32]:
    """Return the sheet's corners in the frame, float32 (4, 2)."""
    tall = style.height * size[1]
    # A sheet higher than the frame is meant to fill it.
    wide = min(tall * style.aspect, size[0] * (0.95 if style.height <= 1 else 9.0))
    half = np.array([[-wide, -tall], [wide, -tall], [wide, tall], [-wide, tall]]) / 2
    half *= 1 + rng.uniform(-1, 1, (4, 2)) * style.perspective
    angle = math.radians(style.tilt)
    turn = np.array([[math.cos(angle), math.sin(angle)], [-math.sin(angle), math.cos(angle)]])
    return (half @ turn + np.array(style.centre) * size).astype(np.float32)


def _draw_thumb(image: Image, outline: NDArray[np.float32], place: float, skin: int) -> None:
    """Draw a thumb that comes from below and covers a little of the sheet's lower edge."""
    edge = outline[3] + (outline[2] - outline[3]) * place
    inward = (outline[0] - outline[3]) / max(1e-6, float(np.linalg.norm(outline[0] - outline[3])))
    reach = float(np.linalg.norm(outline[0] - outline[3])) * 0.1
    tip = edge + inward * reach
    base = edge - inward * reach * 5
    thick = int(max(8, reach * 1.1))
    colour = tuple(float(c) for c in SKINS[skin])
    dark = tuple(c * 0.72 for c in colour)
    start, end = (tuple(int(v) for v in p) for p in (base, tip))
    cv2.line(image, start, end, dark, thick + 4, cv2.LINE_AA)
    cv2.line(image, start, end, colour, thick, cv2.LINE_AA)
    nail = tuple(int(v) for v in tip + inward * thick * 0.1)
    cv2.circle(image, nail, thick // 4, tuple(min(255.0, c * 1.12) for c in colour), -1)


class SheetScene:
    """A sheet with writing in front of a background; `render` takes it from any position.

    What stays the same from frame to frame (page, background, light) is drawn once.
    """

    def __init__(
        self,
        lines: Sequence[Sequence[Written]],
        *,
        seed: int,
        size: tuple[int, int] = (1280, 720),
        style: SheetStyle | None = None,
    ) -> None:
        """Draw the page and the background.

        Args:
            lines: Lines of characters, each a list of strokes; where the style gives the size
                of the writing also `OnLine` characters (strokes or real ink), and None for a
                space between words.
            seed: Every choice that `style` leaves open.
            size: Width and height of the frames.
            style: None draws one from the seed.
        """
        rng = np.random.default_rng(seed)
        # What was added later draws from its own source: older pictures stay as they were.
        more = np.random.default_rng([seed, 1])
        self.style = style or random_style(rng)
        self.size = size
        self._outline = _outline(self.style, size, rng)
        tall = int(self.style.height * size[1])
        page_size = (max(16, int(tall * self.style.aspect)), max(16, tall))
        self._page, self._hulls, self._numbers = _page(lines, self.style, page_size, rng, more)
        self._paper = wear.punch(*self._page.shape[:2]) if self.style.holes else None
        self._background = background_image(self.style.background, size, rng)
        self._light = self._draw_light(rng)
        self._thumb = (float(rng.uniform(0.1, 0.9)), int(rng.integers(len(SKINS))))
        if self.style.hard_shadow:
            depth = self.style.hard_shadow
            self._light = self._light * wear.shadow_of_something(size[::-1], depth, more)
        self._crease = (bool(more.random() < 0.6), float(more.uniform(0.38, 0.62)))
        self._bend = more.uniform(-1, 1, 2)
        if self.style.fold:
            self._shade_fold(bool(more.random() < 0.5))
        self._lamp = more.uniform(0.2, 0.8, 2)
        self._fingers = [_finger(more) for _ in range(self.style.fingers)]
        self._shaken = float(more.uniform(0, 180))

    def _shade_fold(self, first_is_dark: bool) -> None:
        """Light the two sides of the crease differently, and the crease itself."""
        upright, share = self._crease
        page = self._page if upright else self._page.transpose(1, 0, 2)
        middle = round(share * page.shape[1])
        factor = np.ones(page.shape[1], np.float32)
        dark = slice(0, middle) if first_is_dark else slice(middle, None)
        factor[dark] = 1 - 0.3 * self.style.fold
        wide = max(1, self._page.shape[0] // 250)
        factor[middle - wide : middle] *= 1 - 0.18 * self.style.fold
        factor[middle : middle + wide] *= 1 + 0.05 * self.style.fold
        shape = (1, -1, 1) if upright else (-1, 1, 1)
        lit = self._page * factor.reshape(shape)
        self._page = np.clip(lit, 0, 255).astype(np.uint8)

    def _draw_light(self, rng: np.random.Generator) -> NDArray[np.float32]:
        """Return the factor of each frame pixel: a gradient and one soft-edged cast shadow."""
        width, height = self.size
        x, y = _shares((height, width))
        angle = rng.uniform(0, 2 * math.pi)
        slope = (x - 0.5) * math.cos(angle) + (y - 0.5) * math.sin(angle)
        light = 1 - self.style.shadow * (0.5 + slope)
        border = (x - 0.5) * math.sin(angle) - (y - 0.5) * math.cos(angle) + rng.uniform(-0.2, 0.2)
        softness = rng.uniform(0.01, 0.06)
        light *= 1 - 0.6 * self.style.shadow / (1 + np.exp(-np.clip(border / softness, -40, 40)))
        return light.astype(np.float32)[..., None]

    def _planes(
        self, outline: NDArray[np.float32]
    ) -> list[tuple[NDArray[np.float32], NDArray[np.float32]]]:
        """Return the flat parts of the sheet: corners on the page and in the picture."""
        tall, wide = self._page.shape[:2]
        flat = np.array([[0, 0], [wide, 0], [wide, tall], [0, tall]], np.float32)
        if not self.style.fold:
            return [(flat, outline)]
        upright, share = self._crease
        # An upright crease runs from the upper side to the lower, one across from left to right.
        a, b = ((0, 1), (3, 2)) if upright else ((0, 3), (1, 2))
        ends = [outline[i] + (outline[j] - outline[i]) * share for i, j in (a, b)]
        height = float(np.linalg.norm(outline[3] - outline[0]))
        bend = (self._bend * self.style.fold * 0.07 * height).astype(np.float32)
        ends = [end + bend for end in ends]
        on_page = [flat[i] + (flat[j] - flat[i]) * share for i, j in (a, b)]

        def quad(corners: NDArray, crease: list[NDArray], first: bool) -> NDArray[np.float32]:
            near, far = crease
            if upright:
                some = (corners[0], near, far, corners[3]) if first else (
                    near, corners[1], corners[2], far)  # fmt: skip
            else:
                some = (corners[0], corners[1], far, near) if first else (
                    near, far, corners[2], corners[3])  # fmt: skip
            return np.array(some, np.float32)

        return [(quad(flat, on_page, one), quad(outline, ends, one)) for one in (True, False)]

    def render(
        self, rng: np.random.Generator, move: NDArray[np.float32] | None = None
    ) -> SheetImage:
        """Take one picture.

        Args:
            rng: Source of the sensor noise.
            move: float (4, 2), pixels by which the corners are away from their place.
        """
        outline = self._outline if move is None else (self._outline + move).astype(np.float32)
        planes = self._planes(outline)
        matrices = [cv2.getPerspectiveTransform(flat, seen) for flat, seen in planes]
        image = self._background.copy()
        edges = [np.round(seen * 16).astype(np.int32) for _, seen in planes]
        mask = np.zeros(image.shape[:2], np.uint8)
        for edge in edges:
            shade = (edge + int(self.size[1] * 0.008) * 16).astype(np.int32)
            cv2.fillConvexPoly(mask, shade, 110, cv2.LINE_AA, 4)
        mask = cv2.blur(mask, (15, 15))
        image = cv2.multiply(image, cv2.cvtColor(255 - mask, cv2.COLOR_GRAY2BGR), scale=1 / 255)
        mask = np.zeros(image.shape[:2], np.uint8)
        for edge in edges:
            cv2.fillConvexPoly(mask, edge, 255, cv2.LINE_AA, 4)
        if len(planes) > 1:  # no gap along the crease
            mask = cv2.morphologyEx(mask, cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8))
        sheet = self._laid(self._page, matrices, edges)
        if self._paper is not None:
            mask = cv2.subtract(mask, 255 - self._laid(self._paper, matrices, edges))
        alpha = mask.astype(np.float32)[..., None] / 255
        mixed = (image + alpha * (sheet.astype(np.float32) - image)) * self._light
        if self.style.glare:
            tall = float(np.linalg.norm(outline[3] - outline[0]))
            across, down = self._lamp
            lamp = (outline[0] * (1 - across) + outline[1] * across) * (1 - down)
            lamp += (outline[3] * (1 - across) + outline[2] * across) * down
            mixed += alpha * wear.glare_on(self.size[::-1], lamp, 0.2 * tall, self.style.glare)
        picture = np.clip(mixed, 0, 255).astype(np.uint8)
        if self.style.thumb:
            _draw_thumb(picture, outline, *self._thumb)
        for finger in self._fingers:
            finger.draw(picture, outline)
        if self.style.shake:
            picture = _shaken(picture, self.style.shake * self.size[1] / 720, self._shaken)
        picture = as_taken(picture, self.style.blur, self.style.noise, rng)
        boxes = []
        for hull in self._hulls:
            seen = self._in_picture(hull, planes, matrices)
            low, high = np.floor(seen.min(axis=0)), np.ceil(seen.max(axis=0))
            boxes.append(Box(int(low[0]), int(low[1]), *(int(v) for v in high - low)))
        return SheetImage(picture, outline, tuple(boxes), tuple(self._numbers))

    def _laid(
        self, page: Image, matrices: Sequence[NDArray[np.float64]], edges: Sequence[NDArray]
    ) -> Image:
        """Return the page as it lies in the picture; what is off the sheet says nothing."""
        parts = [cv2.warpPerspective(page, m, self.size, borderMode=_REPLICATE) for m in matrices]
        if len(parts) > 1:
            own = np.zeros(parts[0].shape[:2], np.uint8)
            cv2.fillConvexPoly(own, edges[1], 255, cv2.LINE_8, 4)
            # The rim of the outline, too, must come from this part.
            own = cv2.dilate(own, np.ones((3, 3), np.uint8))
            cv2.copyTo(parts[1], own, parts[0])
        return np.asarray(parts[0], np.uint8)

    def _in_picture(
        self,
        hull: NDArray[np.float32],
        planes: Sequence[tuple[NDArray[np.float32], NDArray[np.float32]]],
        matrices: Sequence[NDArray[np.float64]],
    ) -> NDArray[np.float32]:
        """Return points of the page in pixels of the picture, each by the plane that it is on."""
        seen = cv2.perspectiveTransform(hull[None], matrices[0])[0]
        if len(planes) > 1:
            axis = 0 if self._crease[0] else 1
            beyond = hull[:, axis] > planes[1][0][0, axis]
            other = cv2.perspectiveTransform(hull[None], matrices[1])[0]
            seen = np.where(beyond[:, None], other, seen)
        return seen


@dataclass(frozen=True)
class _Finger:
    """A finger at an edge or a corner of a sheet.

    Attributes:
        corner: Number of the corner that the edge begins with, clockwise.
        place: How far along that edge, in [0, 1].
        reach: How far onto the sheet, as a share of its height.
        skin: Index in `SKINS`.
        lean: Degrees off the edge's normal.
    """

    corner: int
    place: float
    reach: float
    skin: int
    lean: float

    def draw(self, image: Image, outline: NDArray[np.float32]) -> None:
        """Draw it in place where the sheet's outline is."""
        start, end = outline[self.corner], outline[(self.corner + 1) % 4]
        tall = float(np.linalg.norm(outline[3] - outline[0]))
        along = (end - start) / max(1e-6, float(np.linalg.norm(end - start)))
        angle = math.radians(self.lean)
        turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
        inward = turn @ np.array([-along[1], along[0]])
        tip = start + (end - start) * self.place + inward * self.reach * tall
        wear.draw_finger(image, tip, inward, max(6.0, 0.12 * tall), self.skin)


def _finger(rng: np.random.Generator) -> _Finger:
    at_corner = rng.random() < 0.4
    place = float(rng.choice([0.03, 0.97])) if at_corner else float(rng.uniform(0.1, 0.9))
    return _Finger(
        int(rng.integers(4)),
        place,
        float(rng.uniform(0.04, 0.075)),
        int(rng.integers(len(SKINS))),
        float(rng.uniform(-25, 25)),
    )


def _shaken(image: Image, length: float, degrees: float) -> Image:
    """Return a picture as a camera that moves while it takes it sees it."""
    side = 2 * math.ceil(length / 2) + 1
    kernel = np.zeros((side, side), np.float32)
    aside = np.array([math.cos(math.radians(degrees)), math.sin(math.radians(degrees))])
    ends = [tuple(np.round((side // 2 + sign * aside * length / 2) * 16).astype(int).tolist())
            for sign in (-1, 1)]  # fmt: skip
    cv2.line(kernel, ends[0], ends[1], 1.0, 1, cv2.LINE_8, 4)
    return cv2.filter2D(image, -1, kernel / kernel.sum()).astype(np.uint8, copy=False)


def as_taken(image: Image, blur: float, noise: float, rng: np.random.Generator) -> Image:
    """Add what a camera adds: defocus, sensor noise and JPEG blocks."""
    sigma = blur * image.shape[0] / 720
    if sigma > 0.2:
        image = cv2.GaussianBlur(image, (0, 0), sigma)
    if noise > 0:
        grain = np.empty(image.shape, np.int16)
        # A small tile of noise at a random offset: drawing 720p noise anew costs 50 ms a frame.
        tile = (rng.standard_normal((256, 256, 3)) * noise).astype(np.int16)
        rows = -(-image.shape[0] // 256)
        columns = -(-image.shape[1] // 256)
        grain = np.tile(tile, (rows, columns, 1))[: image.shape[0], : image.shape[1]]
        image = np.clip(image + grain, 0, 255).astype(np.uint8)
    encoded = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 85])[1]
    decoded = cv2.imdecode(encoded, cv2.IMREAD_COLOR)
    assert decoded is not None
    return decoded


def sheet_image(
    lines: Sequence[Sequence[Written]],
    *,
    seed: int,
    size: tuple[int, int] = (1280, 720),
    style: SheetStyle | None = None,
) -> SheetImage:
    """Draw one photo of a sheet with writing; see `SheetScene`."""
    return SheetScene(lines, seed=seed, size=size, style=style).render(
        np.random.default_rng(seed + 1)
    )


def scene_image(kind: str, *, seed: int, size: tuple[int, int] = (1280, 720)) -> Image:
    """Draw a scene in which nothing is written.

    Args:
        kind: One of `SCENES`.
        seed: Every choice.
        size: Width and height in pixels.

    Returns:
        uint8 (height, width, 3), BGR.
    """
    rng = np.random.default_rng(seed)
    if kind == "empty sheet":
        style = replace(random_style(rng), thumb=bool(rng.random() < 0.5))
        return sheet_image([], seed=seed, size=size, style=style).image
    if kind in ("bookshelf", "room"):
        image = background_image(kind, size, rng)
    elif kind == "desk":
        image = background_image("wood", size, rng)
    elif kind in ("face", "hand"):
        image = background_image(str(rng.choice(["room", "gradient", "bookshelf"])), size, rng)
        draw = _draw_face if kind == "face" else _draw_hand
        draw(image, rng)
    else:
        raise ValueError(f"unknown scene {kind!r}")
    return as_taken(image, float(rng.uniform(0.4, 1.2)), float(rng.uniform(1, 5)), rng)


def _draw_face(image: Image, rng: np.random.Generator) -> None:
    height, width = image.shape[:2]
    unit = height * rng.uniform(0.18, 0.28)
    cx, cy = width * rng.uniform(0.4, 0.6), height * rng.uniform(0.42, 0.55)
    skin = np.array(SKINS[rng.integers(3)], float)

    def spot(dx: float, dy: float, rx: float, ry: float, colour: Sequence[float] | NDArray) -> None:
        cv2.ellipse(
            image,
            (int(cx + dx * unit), int(cy + dy * unit)),
            (max(1, int(rx * unit)), max(1, int(ry * unit))),
            0,
            0,
            360,
            tuple(float(c) for c in colour),
            -1,
            cv2.LINE_AA,
        )

    hair = rng.uniform(10, 70, 3)
    spot(0, 2.4, 1.6, 1.1, rng.uniform(30, 200, 3))
    spot(0, -0.25, 0.95, 1.2, hair)
    spot(0, 1.1, 0.35, 0.5, skin * 0.85)
    spot(0, 0, 0.8, 1.1, skin)
    for side in (-1, 1):
        spot(side * 0.33, -0.38, 0.2, 0.04, hair)
        spot(side * 0.33, -0.18, 0.15, 0.08, (235, 235, 235))
        spot(side * 0.33, -0.18, 0.07, 0.07, (50, 40, 30))
    spot(0, 0.2, 0.1, 0.12, skin * 0.85)
    spot(0, 0.55, 0.28, 0.08, (90, 80, 170))


def _draw_hand(image: Image, rng: np.random.Generator) -> None:
    height, width = image.shape[:2]
    unit = height * rng.uniform(0.09, 0.13)
    centre = np.array([width * rng.uniform(0.3, 0.7), height * rng.uniform(0.5, 0.65)])
    skin = tuple(float(c) for c in SKINS[rng.integers(3)])

    def limb(start: Sequence[float], end: Sequence[float], thick: float) -> None:
        first, last = (
            tuple((centre + np.array(p) * unit).astype(int).tolist()) for p in (start, end)
        )
        cv2.line(image, first, last, skin, int(unit * thick), cv2.LINE_AA)

    limb((0, 0.3), (0, 6), 1.4)
    limb((0, -0.2), (0, 0.5), 2.0)
    for start, end in (
        ((-0.75, -0.8), (-1.2, -2.5)),
        ((-0.25, -1.0), (-0.4, -3.0)),
        ((0.25, -1.0), (0.4, -3.0)),
        ((0.75, -0.8), (1.15, -2.6)),
        ((0.8, 0.3), (2.2, -0.8)),
    ):
        limb(start, end, 0.5)
