"""Seeded variations of strokes and ink, and ink that is no character.

Every function takes the random generator that it draws from and leaves its input alone.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from hcr_live.ink.render import render_strokes
from train.data import Strokes

Path = NDArray[np.float32]
Ink = NDArray[np.uint8]


def vary_strokes(strokes: Strokes, rng: np.random.Generator) -> Strokes:
    """Return the same character as another hand might write it, in a unit box.

    Strokes shift, turn and stretch on their own, then together; the result is sheared, warped
    smoothly and made to tremble. Some come as one line, as in the air, where people do not lift
    the pen: pen lifts drawn as ink, hooks at both ends, corners rounded.
    """
    paths = [_resampled(path) for path in _unit(strokes)]
    paths = [_nudged(path, rng) for path in paths]
    in_air = rng.random() < 0.35
    if in_air or rng.random() < 0.08:
        paths = [_joined(_reordered(paths, rng), rng)]
    if in_air and rng.random() < 0.25:
        paths[0] = _retraced(paths[0], rng)
    if rng.random() < (0.6 if in_air else 0.12):
        paths[0] = _hooked(paths[0], rng)
    if rng.random() < (0.6 if in_air else 0.12):
        paths[-1] = _hooked(paths[-1][::-1], rng)[::-1]
    if rng.random() < (0.6 if in_air else 0.2):
        paths = [_smoothed(path, rng.uniform(0.5, 2.5)) for path in paths]
    matrix = _shear(rng, slant=0.35, turn=9, aspect=0.28)
    phase, strength = rng.uniform(0, 2 * np.pi, (2, 2)), rng.normal(0, 0.03, (2, 2))
    tremble = abs(rng.normal(0, 0.012)) if rng.random() < 0.5 else 0.0
    varied = []
    for path in paths:
        warp = sum(
            np.sin((k + 1.5) * np.pi * path[:, ::-1] / 1.5 + phase[k]) * strength[k] / (k + 1)
            for k in range(2)
        )
        moved = (path + warp) @ matrix.T
        if tremble:
            moved = moved + _smoothed(rng.normal(0, 2.5 * tremble, moved.shape), 1.5)
        varied.append(moved.astype(np.float32))
    return tuple(varied)


def draw(strokes: Strokes, rng: np.random.Generator) -> Ink:
    """Return the strokes drawn with a random pen, some with the wear of `degrade`."""
    pen = float(np.exp(rng.uniform(np.log(0.025), np.log(0.15))))
    ink = render_strokes(strokes, size=int(rng.integers(40, 110)), pen=pen)
    return degrade(ink, rng) if rng.random() < 0.35 else ink


def vary_image(image: Ink, rng: np.random.Generator) -> Ink:
    """Return the ink sheared, turned, stretched and warped, some with the wear of `degrade`."""
    h, w = image.shape
    scale = rng.uniform(56, 90) / max(h, w)
    margin = 16
    matrix = _shear(rng, slant=0.25, turn=8, aspect=0.2) * scale
    corners = np.array([[-w, -h], [w, -h], [w, h], [-w, h]]) / 2 @ matrix.T
    extent = np.ceil(np.ptp(corners, axis=0)).astype(int) + 2 * margin
    offset = extent / 2 - matrix @ (np.array([w, h]) / 2 - 0.5)
    moved = cv2.warpAffine(
        image, np.column_stack([matrix, offset]), (int(extent[0]), int(extent[1]))
    )
    if rng.random() < 0.6:
        moved = _warped(moved, rng)
    return degrade(moved, rng) if rng.random() < 0.35 else moved


def degrade(ink: Ink, rng: np.random.Generator) -> Ink:
    """Return the ink as a camera and a threshold may leave it.

    Uneven edges, strokes too fat or too thin, gaps, specks, a piece of a ruled line.
    """
    margin = max(4, max(ink.shape) // 10)
    ink = np.pad(ink, margin)
    size = max(ink.shape)
    if rng.random() < 0.2:
        ink = _with_gaps(ink, rng)
    if rng.random() < 0.6:
        soft = cv2.GaussianBlur(ink, (0, 0), rng.uniform(0.004, 0.013) * size).astype(np.float32)
        grain = rng.normal(0, 1, (ink.shape[0] // 2 + 1, ink.shape[1] // 2 + 1))
        grain = cv2.resize(grain, ink.shape[::-1], interpolation=cv2.INTER_CUBIC)
        soft += grain * rng.uniform(0, 28)
        level = rng.uniform(0.25, 0.5) * float(soft.max())
        worn = np.where(soft > level, 255, 0).astype(np.uint8)
        ink = worn if worn.any() else ink
    if rng.random() < 0.25:
        ink = ink.copy()
        for _ in range(rng.integers(1, 4)):
            at = (int(rng.integers(ink.shape[1])), int(rng.integers(ink.shape[0])))
            cv2.circle(ink, at, int(rng.integers(1, max(2, size // 40) + 1)), 255, -1)
    if rng.random() < 0.2:
        ink = _with_ruled_line(ink, rng)
    if rng.random() < 0.25:
        ink = cv2.GaussianBlur(ink, (0, 0), rng.uniform(0.5, 0.02 * size + 0.6))
    return ink


def no_character(glyphs: list[Ink], rng: np.random.Generator) -> Ink:
    """Return ink that nobody would read as one character.

    Args:
        glyphs: Ink of at least two characters, used for pieces of words.
        rng: The random generator.
    """
    kind = rng.choice(
        ["scribble", "zigzag", "word", "blob", "noise", "lines", "hand", "rings", "flat"],
        p=[0.2, 0.1, 0.22, 0.1, 0.08, 0.1, 0.08, 0.05, 0.07],
    )
    if kind == "word":
        return degrade(_word(glyphs, rng), rng)
    if kind == "noise":
        grain = rng.normal(0, 1, tuple(rng.integers(8, 40, 2)))
        grain = cv2.resize(grain, (64, 64), interpolation=cv2.INTER_CUBIC)
        return np.where(grain > rng.uniform(0.5, 1.8), 255, 0).astype(np.uint8)
    if kind in ("blob", "hand"):
        outline = _blob(rng) if kind == "blob" else _hand(rng)
        image = np.zeros((96, 96), np.uint8)
        points = np.rint(_unit((outline,))[0] * 80 + 8).astype(np.int32)
        if kind == "blob" or rng.random() < 0.5:
            cv2.fillPoly(image, [points], 255)
        else:
            cv2.polylines(image, [points], True, 255, int(rng.integers(2, 7)), cv2.LINE_AA)
        return degrade(image, rng) if rng.random() < 0.5 else image
    if kind == "scribble":
        count = int(rng.integers(8, 22))
        strokes: Strokes = (_smoothed(_resampled(rng.random((count, 2)), 0.05), 2.0),)
    elif kind == "zigzag":
        count = int(rng.integers(8, 18))
        x = np.linspace(0, rng.uniform(0.4, 2.5), count) + rng.normal(0, 0.02, count)
        y = np.where(np.arange(count) % 2, 0, 1) * rng.uniform(0.5, 1, count)
        strokes = (_smoothed(_resampled(np.column_stack([x, y]), 0.05), rng.uniform(0.1, 2)),)
    elif kind == "lines":
        strokes = tuple(rng.random((2, 2)).astype(np.float32) for _ in range(rng.integers(4, 9)))
    elif kind == "rings":
        angle = np.linspace(0, rng.uniform(4.5, 12) * np.pi, 120)
        radius = np.linspace(1, rng.uniform(0.1, 0.9), 120) + rng.normal(0, 0.01, 120)
        drift = np.linspace(0, rng.uniform(0, 3), 120)
        ring = np.column_stack([radius * np.cos(angle) + drift, radius * np.sin(angle)])
        strokes = (ring.astype(np.float32),)
    else:  # a lying line or bow: a dash, an underline, a smile, an eyebrow
        x = np.linspace(-1, 1, 30)
        y = rng.uniform(-0.25, 0.25) * x**2 + rng.uniform(-0.2, 0.2) * x
        strokes = (np.column_stack([x, y + rng.normal(0, 0.01, 30)]).astype(np.float32),)
    return draw(strokes, rng)


def _unit(strokes: Strokes) -> list[Path]:
    """Return the strokes moved and scaled so that the longest side runs from 0 to 1."""
    points = np.concatenate(strokes)
    low = points.min(axis=0)
    longest = max(float((points.max(axis=0) - low).max()), 1e-6)
    return [((path - low) / longest).astype(np.float32) for path in strokes]


def _resampled(path: NDArray[np.floating], spacing: float = 0.025) -> Path:
    """Return the path with points at even distances along it; a dot stays one point."""
    steps = np.hypot(*np.diff(path, axis=0).T)
    along = np.concatenate([[0.0], np.cumsum(steps)])
    if along[-1] < spacing:
        return path[:1].astype(np.float32)
    at = np.linspace(0, along[-1], max(2, round(float(along[-1]) / spacing)))
    return np.column_stack([np.interp(at, along, path[:, k]) for k in range(2)]).astype(np.float32)


def _smoothed(path: NDArray[np.floating], sigma: float) -> Path:
    """Return the path smoothed along its points, its ends held."""
    if len(path) < 3:
        return path.astype(np.float32)
    reach = int(3 * sigma) + 1
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    kernel /= kernel.sum()
    padded = np.pad(path, ((reach, reach), (0, 0)), mode="edge")
    columns = [np.convolve(padded[:, k], kernel, "valid") for k in range(2)]
    return np.column_stack(columns).astype(np.float32)


def _nudged(path: Path, rng: np.random.Generator) -> Path:
    """Return one stroke a little displaced, turned, stretched, its ends cut or overshot."""
    middle = path.mean(axis=0)
    angle, (grow_x, grow_y) = np.deg2rad(rng.normal(0, 3)), rng.normal(1, 0.05, 2)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    moved = (path - middle) * (grow_x, grow_y) @ turn.T + middle + rng.normal(0, 0.018, 2)
    cut = int(rng.integers(0, max(1, len(path) // 16) + 1))
    if len(path) > 12 and rng.random() < 0.3:
        moved = moved[cut:] if rng.random() < 0.5 else moved[: len(moved) - cut]
    return moved.astype(np.float32)


def _reordered(paths: list[Path], rng: np.random.Generator) -> list[Path]:
    """Return the strokes in the order and direction of another habit, some of the time."""
    if len(paths) > 1 and rng.random() < 0.2:
        paths = [paths[i] for i in rng.permutation(len(paths))]
    return [path[::-1] if rng.random() < 0.12 else path for path in paths]


def _joined(paths: list[Path], rng: np.random.Generator) -> Path:
    """Return the strokes as one line, each way to the next one a slight bow."""
    pieces = [paths[0]]
    for path in paths[1:]:
        start, end = pieces[-1][-1], path[0]
        way = end - start
        t = np.linspace(0, 1, max(3, round(float(np.hypot(*way)) / 0.025)))[1:-1, None]
        bow = rng.normal(0, 0.1) * np.array([-way[1], way[0]])
        pieces += [(start + t * way + 4 * t * (1 - t) * bow).astype(np.float32), path]
    return np.concatenate(pieces)


def _hooked(path: Path, rng: np.random.Generator) -> Path:
    """Return the path with a short way in before its first point."""
    angle, length = rng.uniform(0, 2 * np.pi), abs(rng.normal(0, 0.13))
    count = max(2, round(length / 0.025))
    t = np.linspace(1, 0, count, endpoint=False)[:, None]
    bend = rng.normal(0, 0.5) * t
    ray = np.column_stack([np.cos(angle + bend), np.sin(angle + bend)])
    return np.concatenate([path[0] + t * length * ray, path]).astype(np.float32)


def _retraced(path: Path, rng: np.random.Generator) -> Path:
    """Return the path begun within it: back to its start, then all of it over the same ink."""
    k = round(len(path) * rng.uniform(0.1, 0.4))
    back = path[k:0:-1] + np.linspace(1, 0, k)[:, None] * rng.normal(0, 0.04, 2)
    return np.concatenate([back, path]).astype(np.float32)


def _shear(
    rng: np.random.Generator, slant: float, turn: float, aspect: float
) -> NDArray[np.float64]:
    """Return a random 2x2 matrix: stretch by up to exp(aspect), shear, turn (degrees, sigma)."""
    stretch = np.exp(rng.uniform(-aspect, aspect))
    angle = np.deg2rad(np.clip(rng.normal(0, turn), -2 * turn, 2 * turn))
    rotation = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    shear = np.array([[1.0, np.clip(rng.normal(0, slant / 2), -slant, slant)], [0.0, 1.0]])
    return rotation @ shear @ np.diag([stretch, 1.0])


def _warped(image: Ink, rng: np.random.Generator) -> Ink:
    """Return the image warped smoothly (Simard et al., ICDAR 2003)."""
    h, w = image.shape
    reach = 0.035 * max(h, w)
    field = rng.normal(0, reach, (2, 4, 4)).astype(np.float32)
    dx, dy = (cv2.resize(part, (w, h), interpolation=cv2.INTER_CUBIC) for part in field)
    x, y = np.meshgrid(np.arange(w, dtype=np.float32), np.arange(h, dtype=np.float32))
    return cv2.remap(image, x + dx, y + dy, cv2.INTER_LINEAR)


def _with_gaps(ink: Ink, rng: np.random.Generator) -> Ink:
    """Return the ink with thin cuts through the strokes, as a faint pen leaves them."""
    ink = ink.copy()
    size = max(ink.shape)
    ys, xs = np.nonzero(ink)
    for _ in range(rng.integers(1, 4)):
        k = int(rng.integers(len(xs))) if len(xs) else 0
        if len(xs):
            ray = rng.normal(0, 0.12 * size, 2)
            start = (int(xs[k] - ray[0]), int(ys[k] - ray[1]))
            end = (int(xs[k] + ray[0]), int(ys[k] + ray[1]))
            cv2.line(ink, start, end, 0, max(1, round(rng.uniform(0.01, 0.03) * size)))
    return ink


def _with_ruled_line(ink: Ink, rng: np.random.Generator) -> Ink:
    """Return the ink with what is left of a line of the paper, mostly where writing stands."""
    ink = ink.copy()
    h, w = ink.shape
    y = h * (rng.uniform(0.72, 0.96) if rng.random() < 0.75 else rng.uniform(0.04, 0.5))
    if rng.random() < 0.5:
        start, end = rng.uniform(-0.1, 0.2) * w, rng.uniform(0.8, 1.1) * w
    else:
        start, end = np.sort(rng.uniform(-0.1, 1.1, 2)) * w
    tilt = rng.normal(0, 0.02) * w
    thickness = max(1, round(rng.uniform(0.008, 0.03) * max(h, w)))
    cv2.line(ink, (int(start), int(y)), (int(end), int(y + tilt)), 255, thickness)
    return ink


def _word(glyphs: list[Ink], rng: np.random.Generator) -> Ink:
    """Return two to four characters side by side, touching or nearly so."""
    parts = []
    for _ in range(rng.integers(2, 5)):
        glyph = glyphs[int(rng.integers(len(glyphs)))]
        scale = rng.uniform(35, 60) / max(glyph.shape)
        size = (max(1, round(glyph.shape[1] * scale)), max(1, round(glyph.shape[0] * scale)))
        parts.append(cv2.resize(glyph, size, interpolation=cv2.INTER_AREA))
    height = max(part.shape[0] for part in parts)
    row = np.zeros((height, sum(part.shape[1] for part in parts) + 4), np.uint8)
    x = 0
    for part in parts:
        h, w = part.shape
        place = row[height - h :, x : x + w]
        np.maximum(place, part[:, : place.shape[1]], out=place)
        x += max(1, w - int(rng.integers(-2, 8)))
    return row


def _blob(rng: np.random.Generator) -> Path:
    angle = np.sort(rng.uniform(0, 2 * np.pi, int(rng.integers(5, 14))))
    radius = rng.uniform(0.4, 1, len(angle))
    points = np.column_stack([radius * np.cos(angle) * rng.uniform(0.4, 1), radius * np.sin(angle)])
    return points.astype(np.float32)


def _hand(rng: np.random.Generator) -> Path:
    """Return the outline of a palm with one to five fingers."""
    points = [np.array([-0.3, 0.9])]
    fingers = int(rng.integers(1, 6))
    for k in range(fingers):
        angle = np.deg2rad(-150 + 120 * (k + 0.5) / fingers + rng.normal(0, 6))
        length, width = rng.uniform(0.7, 1.3), rng.uniform(0.08, 0.13)
        ray, side = np.array([np.cos(angle), np.sin(angle)]), np.array([-np.sin(angle), 0.0])
        side = np.array([-ray[1], ray[0]]) * width
        points += [ray * 0.4 - side, ray * length - side, ray * (length + 0.1)]
        points += [ray * length + side, ray * 0.4 + side]
    points.append(np.array([0.3, 0.9]))
    return np.asarray(points, np.float32)
