"""The camera model: a character on paper, photographed, and read back by our own paper path.

A network that is fitted to clean ink has never seen what a threshold leaves of a faint pencil on
squared paper in the shade. So every step on the way is drawn: the pen, the paper, the light, the
lens, the sensor, the file, and then `hcr_live.paper` itself, not a picture of it. All is grey:
the paper path looks at lightness only, so tint and white balance come down to how dark each thing
is beside the paper.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from hcr_live.frame import Box
from hcr_live.paper.page import locate
from train.data.characters import Ink

Level = NDArray[np.float32]

_TRIES = 3
_PLAINLY = 0.25
_TILE = 768
_SHEET_SIDE = 164
"""Pixels: the least side of a patch that is read as a sheet is, not as a close-up."""


class _Pen(NamedTuple):
    """How a pen marks paper; ranges to draw from.

    `darkness`: share of the light that the ink takes. `width`: of the line, as a share of the
    character's height (only ever widened to). `pressure`, `grain`, `skips`: the most of it.
    """

    darkness: tuple[float, float]
    width: tuple[float, float]
    pressure: float
    grain: float
    skips: float


_PENS = {
    "pencil": _Pen((0.26, 0.62), (0.02, 0.07), 0.55, 0.75, 0.0),
    "ballpoint": _Pen((0.4, 0.85), (0.02, 0.06), 0.45, 0.25, 1.0),
    "gel": _Pen((0.6, 0.92), (0.03, 0.08), 0.15, 0.05, 0.0),
    "marker": _Pen((0.55, 0.95), (0.07, 0.14), 0.1, 0.15, 0.15),
}
_PEN_NAMES = tuple(_PENS)
_PEN_SHARES = (0.3, 0.35, 0.2, 0.15)


@dataclass(frozen=True, eq=False)
class Photo:
    """A photographed character.

    Attributes:
        image: uint8 (h, w), grey.
        truth: uint8 (h, w), 255 where its ink really is, else 0.
        sheet: Whether it is a part of a sheet rather than a crop of the character.
    """

    image: NDArray[np.uint8]
    truth: NDArray[np.uint8]
    sheet: bool


def photograph(ink: Ink, rng: np.random.Generator) -> Ink:
    """Return a character's ink as it comes back from paper, camera and threshold.

    Where the letter is lost or shattered on the way, the photo is taken again under milder
    conditions, and at last the ink itself is returned, so that the label stays right.

    Args:
        ink: uint8 (h, w), one character, white on black, any size.
        rng: The random generator; the same state gives the same ink.

    Returns:
        uint8 (h, w): binary ink out of the paper path; for a fifth of the calls the whole crop
        as others may hand it over, thresholded (Otsu) or just inverted, specks and all.
    """
    severity = rng.uniform(0.2, 1)
    for _ in range(_TRIES):
        photo = take(ink, rng, severity)
        if photo is None:
            break
        found = read_plainly(photo, rng) if rng.random() < _PLAINLY else None
        if found is None:
            found = read_paper(photo)
        if found is not None:
            return found
        severity *= 0.5
    return ink


def take(ink: Ink, rng: np.random.Generator, severity: float = 1.0) -> Photo | None:
    """Return a photo of the ink on paper, the character 20 to 200 pixels high, or None if blank.

    Args:
        ink: uint8 (h, w), white on black.
        rng: The random generator.
        severity: How bad pen, light and camera may be, in [0, 1].
    """
    x, y, w, h = cv2.boundingRect(cv2.threshold(ink, 64, 255, cv2.THRESH_BINARY)[1])
    if not w or not h:
        return None
    size = float(np.exp(rng.uniform(np.log(20 + 16 * (1 - severity)), np.log(120))))
    if rng.random() < 0.08:
        size = rng.uniform(100, 200)
    sheet = bool(size < 70 and rng.random() < 0.25)
    letter = _laid(ink[y : y + h, x : x + w], size, sheet, severity, rng)
    alpha, truth = _drawn(letter, size, severity, rng)
    paper = _paper(alpha.shape, truth, size, severity, rng)
    image = paper * (1 - alpha) * _light(alpha.shape, severity, rng)
    return Photo(*_exposed(image, truth, size, severity, rng), sheet)


def read_paper(photo: Photo) -> Ink | None:
    """Return the character's ink as our paper path finds it, or None where it is lost."""
    height, width = photo.image.shape
    whole = Box(0, 0, width, height) if min(height, width) >= 160 else None
    page = locate(cv2.cvtColor(photo.image, cv2.COLOR_GRAY2BGR), region=whole)
    best, best_shared, best_mask = None, 0, photo.truth
    for glyph in page.glyphs:
        x, y, w, h = glyph.box
        mask = np.zeros_like(photo.truth)
        place = mask[max(0, y) : y + h, max(0, x) : x + w]
        if not place.size:
            continue
        place[:] = cv2.resize(glyph.ink, place.shape[::-1], interpolation=cv2.INTER_AREA)
        shared = cv2.countNonZero(cv2.bitwise_and(mask, photo.truth))
        if shared > best_shared:
            best, best_shared, best_mask = glyph.ink, shared, mask
    return best if best is not None and _is_legible(best_mask, photo.truth) else None


def read_plainly(photo: Photo, rng: np.random.Generator) -> Ink | None:
    """Return the whole photo as white ink on black, as others may hand it to `classify`."""
    dark = cv2.bitwise_not(photo.image)
    if rng.random() < 0.5:
        mask = cv2.threshold(dark, 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)[1]
        return mask if _is_legible(mask, photo.truth) else None
    stretched = cv2.normalize(dark, None, 0, 255, cv2.NORM_MINMAX)
    # Wherever between these `network_input` parts it, shaded paper must not pass for ink.
    for level in (76, 127):
        mask = cv2.threshold(stretched, level, 255, cv2.THRESH_BINARY)[1]
        if not _is_legible(mask, photo.truth):
            return None
    low, high, *_ = cv2.minMaxLoc(dark)
    return stretched if low >= 0.5 * high or rng.random() < 0.5 else dark


def _is_legible(found: NDArray[np.uint8], truth: NDArray[np.uint8]) -> bool:
    """Return whether ink is still this letter: no leg and no dot of it lost, not much added."""
    area = cv2.countNonZero(truth)
    _, _, w, h = cv2.boundingRect(truth)
    reach = 2 * max(1, round(0.025 * max(w, h))) + 1
    kernel = np.ones((reach, reach), np.uint8)
    found = cv2.threshold(found, 96, 255, cv2.THRESH_BINARY)[1]
    missing = cv2.subtract(truth, cv2.dilate(found, kernel))
    added = cv2.subtract(found, cv2.dilate(truth, kernel))
    if cv2.countNonZero(missing) > 0.25 * area or cv2.countNonZero(added) > 0.5 * area:
        return False
    stats = cv2.connectedComponentsWithStats(missing)[2]
    if len(stats) > 1 and stats[1:, cv2.CC_STAT_AREA].max() >= 0.08 * area:
        return False
    count, parts = cv2.connectedComponents(truth)
    kept = np.bincount(parts[missing == 0], minlength=count)
    return count == 2 or bool((kept >= 0.4 * np.bincount(parts.ravel()))[1:].all())


def _laid(
    ink: Ink, size: float, sheet: bool, severity: float, rng: np.random.Generator
) -> NDArray[np.uint8]:
    """Return the ink on a black patch, as tall as the photo shows it, slightly from the side."""
    h, w = ink.shape
    scale = size / max(h, 0.5 * w)
    thin = 2 - scale * _pen_width(cv2.threshold(ink, 96, 255, cv2.THRESH_BINARY)[1])
    if thin > 0:  # a hairline would fade away among the pixels of the photo
        reach = 2 * int(np.ceil(thin / scale / 2)) + 1
        ink = cv2.dilate(ink, np.ones((reach, reach), np.uint8))
    if scale < 0.6:
        # Warping looks at 2 x 2 pixels only: shrink before, or thin strokes are lost.
        half = (max(1, round(w * scale * 1.3)), max(1, round(h * scale * 1.3)))
        ink = cv2.resize(ink, half, interpolation=cv2.INTER_AREA)
        h, w = ink.shape
        scale = size / max(h, 0.5 * w)
    angle = np.deg2rad(rng.normal(0, 3.5 * severity))
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    corners = np.array([[0, 0], [w, 0], [w, h], [0, h]], np.float64)
    seen = (corners - (w / 2, h / 2)) @ turn.T * scale
    seen += rng.normal(0, 0.025 * severity * size, (4, 2))
    low, high = seen.min(axis=0), seen.max(axis=0)
    left, top, right, bottom = np.exp(rng.uniform(np.log(0.06), np.log(0.7), 4)) * size + 3
    if sheet:
        spare = np.maximum(_SHEET_SIDE - (high - low), size)
        share = rng.uniform(0.3, 0.7, 2)
        (left, top), (right, bottom) = spare * share, spare * (1 - share)
    seen += (left - low[0], top - low[1])
    patch = np.ceil(high - low + (left + right, top + bottom)).astype(int)
    matrix = cv2.getPerspectiveTransform(corners.astype(np.float32), seen.astype(np.float32))
    return cv2.warpPerspective(ink, matrix, (int(patch[0]), int(patch[1])))


def _drawn(
    letter: NDArray[np.uint8], size: float, severity: float, rng: np.random.Generator
) -> tuple[Level, NDArray[np.uint8]]:
    """Return what a pen takes of the light, float32 in [0, 1], and where its line is, uint8."""
    pen = _PENS[_PEN_NAMES[int(rng.choice(len(_PENS), p=_PEN_SHARES))]]
    solid = cv2.threshold(letter, 96, 255, cv2.THRESH_BINARY)[1]
    width = _pen_width(solid)
    more = rng.uniform(*pen.width) * size - width
    truth = solid
    if more >= 1:
        reach = 2 * round(more / 2) + 1
        tip = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (reach, reach))
        wide = cv2.dilate(solid, tip)
        # A pen that fills the eye of an e is too wide for it.
        if _holes(wide) == _holes(solid):
            letter, truth, width = cv2.dilate(letter, tip), wide, width + reach - 1
    pressure = rng.uniform(0, pen.pressure) * severity * _cloud(letter.shape, size / 2.5, rng)
    # The edge of the line wanders with the pressure and, little, with the grain of the paper.
    tooth = _texture("tooth", letter.shape, rng)
    reach = 2 * round(0.25 * width) + 1
    alpha = cv2.blur(letter, (reach, reach)).astype(np.float32) / 255
    alpha -= 0.42 + 0.22 * pressure + 0.05 * severity * tooth
    alpha *= max(1.0, 0.6 * width)
    alpha += 0.5
    np.clip(alpha, 0, 1, out=alpha)
    low, high = pen.darkness
    darkest = rng.uniform(low + 0.5 * (high - low) * (1 - severity), high)
    alpha *= darkest * np.clip(1 - np.abs(pressure), 0.35, 1)
    grain = rng.uniform(0, pen.grain) * severity
    if grain > 0.1:
        alpha *= np.clip(0.6 * grain * (tooth - 0.5) + 1, 0.15, 1)
    if rng.random() < 0.4 * pen.skips:
        streak = _texture("fibre", letter.shape, rng)
        alpha[streak > rng.uniform(1.4, 2.5)] *= 1 - 0.7 * severity
    return alpha, truth


def _pen_width(mask: NDArray[np.uint8]) -> float:
    """Return the mean width of strokes in pixels: four times their mean depth."""
    return max(1.0, 4 * cv2.mean(cv2.distanceTransform(mask, cv2.DIST_L2, 3), mask)[0] - 2)


def _holes(mask: NDArray[np.uint8]) -> int:
    return int(cv2.connectedComponents(cv2.bitwise_not(mask), connectivity=4)[0])


def _paper(
    shape: tuple[int, ...],
    truth: NDArray[np.uint8],
    size: float,
    severity: float,
    rng: np.random.Generator,
) -> Level:
    """Return bare paper as float32, 1 is its mean lightness: fibres, lines, dirt, creases."""
    h, w = shape
    paper = 1 + rng.uniform(0, 0.02) * severity * _texture("fibre", shape, rng)
    paper += rng.uniform(0, 0.02) * severity * _texture("tooth", shape, rng)
    kind = rng.random()
    marks = np.zeros((h, w), np.uint8)
    tilt = rng.normal(0, 0.02)
    thickness = max(1, round(rng.uniform(0.01, 0.045) * size))
    _, top, _, height = cv2.boundingRect(truth)
    if kind < 0.35:  # ruled, the letter standing on a line more or less
        start = top + height + rng.normal(0, 0.07) * size
        _rule(marks, start, rng.uniform(1.1, 2.4) * size, tilt, thickness)
        if kind < 0.05:  # the line of the margin
            _rule(marks.T, rng.uniform(0, w), 1e4, -tilt, thickness)
    elif kind < 0.5:  # squared
        pitch = rng.uniform(0.3, 1.1) * size
        _rule(marks, rng.uniform(0, pitch), pitch, tilt, thickness)
        _rule(marks.T, rng.uniform(0, pitch), pitch, -tilt, thickness)
    if kind < 0.5:
        paper -= (rng.uniform(0.06, 0.15 + 0.3 * severity) / 255) * marks
    if rng.random() < 0.3 * severity:
        paper -= _dirt(shape, size, rng)
    if rng.random() < 0.1 * severity:  # a crease: one side lit, the other in the shade
        side = _half_plane(shape, 1.5 + 0.03 * size, rng)
        paper += rng.uniform(-0.08, 0.08) * side
        paper -= rng.uniform(0.0, 0.5) * side * (1 - side)
    return paper.astype(np.float32)


def _rule(marks: NDArray[np.uint8], start: float, pitch: float, tilt: float, width: int) -> None:
    """Draw level lines into `marks`, `pitch` pixels apart, one of them at `start`."""
    h, w = marks.shape
    drawn = np.zeros((h, w), np.uint8)
    first = start - pitch * np.floor(start / pitch) - pitch
    for y in np.arange(first, h + pitch, pitch):
        left, right = round(16 * (y - tilt * w / 2)), round(16 * (y + tilt * w / 2))
        cv2.line(drawn, (0, left), (16 * w, right), 255, width, cv2.LINE_AA, 4)
    np.maximum(marks, drawn, out=marks)


def _dirt(shape: tuple[int, ...], size: float, rng: np.random.Generator) -> Level:
    """Return what specks take of the light, float32."""
    h, w = shape
    specks = np.zeros((h, w), np.uint8)
    for _ in range(rng.integers(1, 6)):
        at = (int(rng.integers(w)), int(rng.integers(h)))
        radius = max(1, round(rng.uniform(0, 0.025) * size))
        cv2.circle(specks, at, radius, int(rng.integers(40, 200)), -1, cv2.LINE_AA)
    return specks.astype(np.float32) * np.float32(1 / 255)


def _light(shape: tuple[int, ...], severity: float, rng: np.random.Generator) -> Level:
    """Return the light on the paper, float32 (h, w): a slope, a vignette, the edge of a shadow."""
    h, w = shape
    small = (min(48, max(4, h // 3)), min(48, max(4, w // 3)))
    y, x = np.linspace(-1, 1, small[0])[:, None], np.linspace(-1, 1, small[1])[None]
    slope = rng.normal(0, 0.1 * severity, 2)
    light = 1 + slope[0] * x + slope[1] * y - abs(rng.normal(0, 0.06)) * severity * (x**2 + y**2)
    if rng.random() < 0.3 * severity:
        edge = np.exp(rng.uniform(np.log(0.02), 0)) * small[0] / 2
        light *= 1 - rng.uniform(0.1, 0.5) * _half_plane(small, edge, rng)
    light = np.clip(light, 0.15, 1.6).astype(np.float32)
    return cv2.resize(light, (w, h), interpolation=cv2.INTER_LINEAR)


def _exposed(
    image: Level,
    truth: NDArray[np.uint8],
    size: float,
    severity: float,
    rng: np.random.Generator,
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Return what lens, sensor and file make of the scene, uint8, and the truth beside it."""
    blur = rng.uniform(0.3, 0.5 + 0.024 * severity * size)
    image = _blurred(image, blur)
    if rng.random() < 0.25 * severity:
        length = rng.uniform(0.03, 0.08) * size
        image = cv2.filter2D(image, -1, _motion(length, rng.uniform(0, np.pi)))
    bright = rng.uniform(215 - 80 * severity, 250)
    image *= bright * (1 + rng.uniform(-0.3, 0.3) * (1 - image))  # the camera's tone curve
    image += rng.uniform(0.5, 1 + 5 * severity**2) * _texture(
        "noise" if rng.random() < 0.5 else "tooth", image.shape, rng
    )
    if rng.random() < 0.3:  # sharpened in the camera: halos
        image += rng.uniform(0.3, 1.2) * (image - _blurred(image, 1.2))
    photo = np.clip(image, 0, 255).astype(np.uint8)
    quality = int(rng.integers(95 - round(60 * severity), 96))
    coded = cv2.imencode(".jpg", photo, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    photo = np.asarray(cv2.imdecode(coded, cv2.IMREAD_GRAYSCALE))
    if size < 60 and rng.random() < 0.12:  # somebody resized the crop
        grown = rng.uniform(1.2, 2.2)
        photo = cv2.resize(photo, None, fx=grown, fy=grown, interpolation=cv2.INTER_LINEAR)
        truth = cv2.resize(truth, photo.shape[::-1], interpolation=cv2.INTER_LINEAR)
    if rng.random() < 0.04:  # and centred it on white
        margin = round(rng.uniform(0.05, 0.4) * max(photo.shape))
        photo = np.pad(photo, margin, constant_values=255)
        truth = np.pad(truth, margin)
    return photo, cv2.threshold(truth, 127, 255, cv2.THRESH_BINARY)[1]


def _blurred(image: Level, sigma: float) -> Level:
    reach = 2 * int(np.ceil(2 * sigma)) + 1
    return cv2.GaussianBlur(image, (reach, reach), sigma)


def _motion(length: float, angle: float) -> Level:
    """Return the kernel of a hand that moved by `length` pixels meanwhile."""
    side = 2 * int(np.ceil(length / 2)) + 1
    kernel = np.zeros((side, side), np.float32)
    ray = np.array([np.cos(angle), np.sin(angle)]) * length / 2
    ends = np.rint(16 * (side // 2 + np.stack([-ray, ray]))).astype(int).tolist()
    cv2.line(kernel, ends[0], ends[1], 1.0, 1, cv2.LINE_8, 4)
    return kernel / kernel.sum()


def _half_plane(shape: tuple[int, ...], soft: float, rng: np.random.Generator) -> Level:
    """Return a step across the patch, float32 (h, w) from 0 to 1 within about `soft` pixels."""
    h, w = shape
    angle = rng.uniform(0, 2 * np.pi)
    y, x = np.arange(h, dtype=np.float32)[:, None], np.arange(w, dtype=np.float32)[None]
    along = float(np.cos(angle)) * (x - rng.uniform(0, w))
    along = along + float(np.sin(angle)) * (y - rng.uniform(0, h))
    return np.clip(along / max(2 * soft, 0.6) + 0.5, 0, 1)


def _cloud(shape: tuple[int, ...], pitch: float, rng: np.random.Generator) -> Level:
    """Return smooth noise of about unit variance, float32 (h, w), `pitch` pixels from hill to
    hill.
    """
    h, w = shape
    knots = rng.standard_normal((int(h / pitch) + 2, int(w / pitch) + 2), np.float32)
    return cv2.resize(knots, (w, h), interpolation=cv2.INTER_CUBIC)


def _texture(name: str, shape: tuple[int, ...], rng: np.random.Generator) -> Level:
    """Return a random piece of a texture of unit variance, float32 (h, w); see `_textures`."""
    h, w = shape
    tile = _textures()[name]
    if max(h, w) > _TILE:
        tile = np.tile(tile, (h // _TILE + 1, w // _TILE + 1))
    y, x = rng.integers(tile.shape[0] - h + 1), rng.integers(tile.shape[1] - w + 1)
    return tile[y : y + h, x : x + w]


@cache
def _textures() -> dict[str, Level]:
    """Return the textures, float32 (_TILE, _TILE) of mean 0 and variance 1, made once a process.

    `noise` of a sensor, a pixel each; `tooth` of paper, two or three pixels each; `fibre`, short
    threads in all directions.
    """
    rng = np.random.default_rng(62)
    noise = rng.standard_normal((_TILE, _TILE), np.float32)
    tooth = cv2.GaussianBlur(rng.standard_normal((_TILE, _TILE), np.float32), (0, 0), 0.9)
    fibre = np.zeros((_TILE, _TILE), np.float32)
    for angle in np.arange(8) * np.pi / 8:
        threads = rng.standard_normal((_TILE, _TILE), np.float32)
        fibre += cv2.filter2D(threads, -1, _motion(11, angle))
    return {
        name: (tile - tile.mean()) / tile.std()
        for name, tile in (("noise", noise), ("tooth", tooth), ("fibre", fibre))
    }
