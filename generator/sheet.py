"""Draws handwriting on a sheet that is held up in front of a camera, and scenes without writing."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from hcr_live.frame import Box

Image = NDArray[np.uint8]
CharacterStrokes = Sequence[NDArray[np.float32]]
"""One character: strokes of shape (n, 2), x right, y down, any unit."""

PAPERS = {
    "white": (246, 247, 248),
    "cream": (222, 238, 246),
    "grey": (205, 207, 210),
    "yellow": (150, 226, 244),
    "blue": (238, 219, 190),
    "pink": (214, 200, 240),
}
"""Paper colours, BGR."""

PENS = {"pencil": (0.028, 0.62), "ballpoint": (0.03, 0.86), "marker": (0.11, 0.95)}
"""Pen name to (line width as a share of the character height, opacity)."""

RULINGS = ("plain", "ruled", "squared")
BACKGROUNDS = ("wood", "room", "bookshelf", "gradient")
SCENES = ("desk", "face", "bookshelf", "room", "hand", "empty sheet")
"""Scenes in which nobody has written anything."""

_INKS = ((35, 32, 30), (120, 50, 25), (40, 35, 160))
_SKINS = ((140, 172, 222), (95, 130, 190), (60, 85, 140))


@dataclass(frozen=True)
class SheetStyle:
    """How a sheet looks and lies; lengths are shares of the frame height, angles degrees.

    Attributes:
        paper: Name in `PAPERS`.
        ruling: One of `RULINGS`.
        pen: Name in `PENS`.
        ink: BGR colour of the pen (a pencil is always grey).
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
        paper=str(rng.choice(list(PAPERS), p=[0.5, 0.2, 0.1, 0.08, 0.06, 0.06])),
        ruling=str(rng.choice(RULINGS, p=[0.5, 0.35, 0.15])),
        pen=str(rng.choice(list(PENS))),
        ink=_INKS[int(rng.choice(3, p=[0.6, 0.3, 0.1]))],
        background=str(rng.choice(BACKGROUNDS)),
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
    lines: Sequence[Sequence[CharacterStrokes]],
    style: SheetStyle,
    size: tuple[int, int],
    rng: np.random.Generator,
) -> tuple[Image, list[NDArray[np.float32]], list[int]]:
    """Draw the flat page; also the convex hull of each character's ink and its line."""
    width, height = size
    page = np.empty((height, width, 3), np.float32)
    page[:] = PAPERS[style.paper]
    page *= 1 + 0.008 * rng.standard_normal((height, width, 1)).astype(np.float32)
    pitch = height / max(5, 2 * len(lines) + 3)
    rule = (205.0, 180.0, 150.0) if style.paper != "blue" else (190.0, 160.0, 130.0)
    thin = max(1, height // 300)
    if style.ruling != "plain":
        for row in np.arange(pitch, height, pitch if style.ruling == "ruled" else pitch / 2):
            cv2.line(page, (0, int(row)), (width, int(row)), rule, thin, cv2.LINE_AA)
    if style.ruling == "squared":
        for column in np.arange(pitch / 2, width, pitch / 2):
            cv2.line(page, (int(column), 0), (int(column), height), rule, thin, cv2.LINE_AA)
    hulls: list[NDArray[np.float32]] = []
    numbers: list[int] = []
    band = height * 0.8 / max(1, len(lines))
    stroke_share, opacity = PENS[style.pen]
    cover = np.zeros((height, width), np.uint8)
    for number, line in enumerate(lines):
        tallest = min(band * 0.7, height * 0.55, width * 0.85 / (1.15 * max(1, len(line))))
        fitted = [_fit(c, tallest * rng.uniform(0.88, 1.0)) for c in line]
        gap = tallest * rng.uniform(0.25, 0.4)
        widths = [float(np.concatenate(c)[:, 0].max()) for c in fitted]
        left = (width - sum(widths) - gap * max(0, len(fitted) - 1)) / 2
        bottom = height * 0.1 + band * number + band / 2 + tallest / 2
        pen = max(1.2, tallest * stroke_share * rng.uniform(0.85, 1.2))
        for character, extent in zip(fitted, widths, strict=True):
            tall = float(np.concatenate(character)[:, 1].max())
            shift = np.array([left, bottom - tall + rng.normal(0, 0.02) * tallest], np.float32)
            for stroke in character:
                points = np.round((stroke + shift) * 16).astype(np.int32)
                if len(points) == 1:
                    points = np.repeat(points, 2, axis=0)
                cv2.polylines(cover, [points], False, 255, max(1, round(pen)), cv2.LINE_AA, 4)
            ink = np.concatenate(character) + shift
            rim = np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)], np.float32) * pen * 0.35
            hulls.append(cv2.convexHull((ink[:, None] + rim).reshape(-1, 2))[:, 0])
            numbers.append(number)
            left += extent + gap
    alpha = cover.astype(np.float32) * (opacity / 255)
    if style.pen == "pencil":
        alpha *= np.clip(1 + 0.18 * rng.standard_normal((height, width)), 0.4, 1.3)
        colour: tuple[int, int, int] = (78, 76, 74)
    else:
        colour = style.ink
    page += alpha[..., None] * (np.array(colour, np.float32) - page)
    return np.clip(page, 0, 255).astype(np.uint8), hulls, numbers


def _outline(
    style: SheetStyle, size: tuple[int, int], rng: np.random.Generator
) -> NDArray[np.float32]:
    """Return the sheet's corners in the frame, float32 (4, 2)."""
    tall = style.height * size[1]
    wide = min(tall * style.aspect, size[0] * 0.95)
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
    colour = tuple(float(c) for c in _SKINS[skin])
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
        lines: Sequence[Sequence[CharacterStrokes]],
        *,
        seed: int,
        size: tuple[int, int] = (1280, 720),
        style: SheetStyle | None = None,
    ) -> None:
        """Draw the page and the background.

        Args:
            lines: Lines of characters, each a list of strokes.
            seed: Every choice that `style` leaves open.
            size: Width and height of the frames.
            style: None draws one from the seed.
        """
        rng = np.random.default_rng(seed)
        self.style = style or random_style(rng)
        self.size = size
        self._outline = _outline(self.style, size, rng)
        tall = int(self.style.height * size[1])
        page_size = (max(16, int(tall * self.style.aspect)), max(16, tall))
        self._page, self._hulls, self._numbers = _page(lines, self.style, page_size, rng)
        self._background = background_image(self.style.background, size, rng)
        self._light = self._draw_light(rng)
        self._thumb = (float(rng.uniform(0.1, 0.9)), int(rng.integers(len(_SKINS))))

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

    def render(
        self, rng: np.random.Generator, move: NDArray[np.float32] | None = None
    ) -> SheetImage:
        """Take one picture.

        Args:
            rng: Source of the sensor noise.
            move: float (4, 2), pixels by which the corners are away from their place.
        """
        outline = self._outline if move is None else (self._outline + move).astype(np.float32)
        tall, wide = self._page.shape[:2]
        flat = np.array([[0, 0], [wide, 0], [wide, tall], [0, tall]], np.float32)
        matrix = cv2.getPerspectiveTransform(flat, outline)
        image = self._background.copy()
        edge = np.round(outline * 16).astype(np.int32)
        shade = (edge + int(self.size[1] * 0.008) * 16).astype(np.int32)
        mask = np.zeros(image.shape[:2], np.uint8)
        cv2.fillConvexPoly(mask, shade, 110, cv2.LINE_AA, 4)
        mask = cv2.blur(mask, (15, 15))
        image = cv2.multiply(image, cv2.cvtColor(255 - mask, cv2.COLOR_GRAY2BGR), scale=1 / 255)
        mask = np.zeros(image.shape[:2], np.uint8)
        cv2.fillConvexPoly(mask, edge, 255, cv2.LINE_AA, 4)
        sheet = cv2.warpPerspective(
            self._page, matrix, self.size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        )
        alpha = mask.astype(np.float32)[..., None] / 255
        mixed = (image + alpha * (sheet.astype(np.float32) - image)) * self._light
        picture = np.clip(mixed, 0, 255).astype(np.uint8)
        if self.style.thumb:
            _draw_thumb(picture, outline, *self._thumb)
        picture = _take(picture, self.style.blur, self.style.noise, rng)
        boxes = []
        for hull in self._hulls:
            seen = cv2.perspectiveTransform(hull[None], matrix)[0]
            low, high = np.floor(seen.min(axis=0)), np.ceil(seen.max(axis=0))
            boxes.append(Box(int(low[0]), int(low[1]), *(int(v) for v in high - low)))
        return SheetImage(picture, outline, tuple(boxes), tuple(self._numbers))


def _take(image: Image, blur: float, noise: float, rng: np.random.Generator) -> Image:
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
    lines: Sequence[Sequence[CharacterStrokes]],
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
    return _take(image, float(rng.uniform(0.4, 1.2)), float(rng.uniform(1, 5)), rng)


def _draw_face(image: Image, rng: np.random.Generator) -> None:
    height, width = image.shape[:2]
    unit = height * rng.uniform(0.18, 0.28)
    cx, cy = width * rng.uniform(0.4, 0.6), height * rng.uniform(0.42, 0.55)
    skin = np.array(_SKINS[rng.integers(3)], float)

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
    skin = tuple(float(c) for c in _SKINS[rng.integers(3)])

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
