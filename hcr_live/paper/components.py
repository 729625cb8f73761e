"""From ink to characters: which blobs of ink belong together, and which are none."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import compress
from statistics import median

import cv2
import numpy as np
from numpy.typing import NDArray

from hcr_live.frame import Box
from hcr_live.paper.blobs import find_blobs

_MOST_BLOBS = 400
"""More ink blobs than this is texture, not writing."""

_SMALLEST = 9
"""Pixels; lower and narrower ink can't be read."""

_COMPANY, _SMALL_PRINT = 3, 0.15
"""So many blobs of like size on a line are writing, if they are at least this high against the
rest of the page."""

_MOST_INK = 0.35
"""More of a sheet than this is not covered by writing."""


@dataclass(frozen=True, eq=False)
class InkCharacter:
    """One character's ink.

    Attributes:
        box: Where it is in the ink image.
        ink: uint8 (box.h, box.w), 255 on 0, only this character's own blobs.
    """

    box: Box
    ink: NDArray[np.uint8]


def find_characters(
    ink: NDArray[np.uint8],
    *,
    framed: bool = True,
    ground: NDArray[np.uint8] | None = None,
) -> list[InkCharacter]:
    """Group ink to characters, by rules relative to their size.

    Args:
        ink: uint8 (height, width), 255 on 0.
        framed: Blobs that touch the image's border come from outside (fingers, the sheet's
            edge) and are left out; False for a tight crop of a letter, where only blobs that
            lie along the border are.
        ground: None, or a mask: 255 is ground, 127 is near it, 0 is not. Ink that is not
            bordered by it (features of a face, print on another thing) is left out, and ink
            that is ground itself (darker than the fingers on both sides of it) as well.

    Returns:
        The characters, in no order.
    """
    count, labels, stats, _ = find_blobs(ink)
    if count > 60_000:
        return []
    if count < 2:
        return []
    height, width = ink.shape
    if framed and stats[1:, 4].sum() > _MOST_INK * ink.size:
        return []
    x, y, w, h, area = (stats[:, k].astype(np.int64) for k in range(5))
    size = np.maximum(w, h)
    keep = (area >= 4) & (size >= max(3, 0.006 * min(height, width)))
    keep &= ~_from_outside(x, y, w, h, (height, width), framed)
    keep[0] = False
    if not framed:
        keep &= ~_along_border(labels, keep, area)
    if ground is not None:
        keep &= _bordered_by(ground, labels, count)
        is_ground = np.bincount(labels[ground == 255], minlength=count)
        keep &= is_ground < 0.25 * area
    if not keep.any() or keep.sum() > _MOST_BLOBS:
        return []
    blobs = np.flatnonzero(keep)
    boxes = np.stack([x, y, x + w, y + h], axis=1)[blobs]
    typical = _typical_heights(boxes)
    large = size[blobs] >= 0.07 * typical
    blobs, boxes, typical = blobs[large], boxes[large], typical[large]
    touching = _nearly_touching(labels, blobs, boxes, typical)
    found, thickness, usual = [], [], []
    for group in _group(boxes.astype(np.float64), touching, typical):
        members = blobs[group].tolist()
        left, top, right, bottom = boxes[group[0]].tolist()
        around = float(typical[group[0]])
        if len(group) > 1:
            left, top = boxes[group, :2].min(axis=0).tolist()
            right, bottom = boxes[group, 2:].max(axis=0).tolist()
            around = float(typical[group].max())
        box = Box(left, top, right - left, bottom - top)
        if max(box.w, box.h) < max(0.3 * around, _SMALLEST):
            continue  # A comma, a speck, a stain.
        part = labels[top:bottom, left:right]
        crop = cv2.compare(part, members[0], cv2.CMP_EQ)
        for member in members[1:]:
            crop = cv2.bitwise_or(crop, cv2.compare(part, member, cv2.CMP_EQ))
        depth, scale = _depth(crop)
        if ground is None or _is_even(depth):
            found.append(InkCharacter(box, crop))
            thickness.append(2 * cv2.minMaxLoc(depth)[1] / scale)
            usual.append(around)
    written = _are_written(found, np.array(thickness), np.array(usual))
    return list(compress(found, written))


def _from_outside(
    x: NDArray[np.int64],
    y: NDArray[np.int64],
    w: NDArray[np.int64],
    h: NDArray[np.int64],
    shape: tuple[int, int],
    framed: bool,
) -> NDArray[np.bool_]:
    height, width = shape
    near = 2 if framed else 1
    left, right = x < near, x + w > width - near
    top, bottom = y < near, y + h > height - near
    if framed:
        return left | right | top | bottom
    flat = ((left | right) & (w < 0.2 * h)) | ((top | bottom) & (h < 0.2 * w))
    small = np.maximum(w, h) < 0.4 * min(height, width)
    return ((left | right | top | bottom) & small) | (flat & (np.maximum(w, h) > 0)) & (
        np.minimum(w, h) < 0.12 * min(height, width)
    )


def _along_border(
    labels: NDArray[np.uint16], keep: NDArray[np.bool_], area: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """Return which blobs hug the border of a crop, as a table's edge does, beside a character."""
    rim = round(0.06 * min(labels.shape))
    if rim < 2:
        return np.zeros_like(keep)
    inside = np.bincount(labels[rim:-rim, rim:-rim].ravel(), minlength=len(keep))
    hugs = keep & (inside < 0.15 * area)
    # A tight crop of an L hugs its border as well, but has nothing inside.
    others = area[keep & ~hugs]
    return hugs if others.size and others.max() > 0.2 * area[hugs].max(initial=0) else hugs & False


def _bordered_by(
    ground: NDArray[np.uint8], labels: NDArray[np.uint16], count: int
) -> NDArray[np.bool_]:
    """Return which blobs have nearly all pixels around them on the ground."""
    grown = cv2.dilate(labels, np.ones((3, 3), np.uint8))
    ring = (grown > 0) & (labels == 0)
    around = np.bincount(grown[ring], minlength=count)
    on_ground = np.bincount(grown[ring & (ground > 0)], minlength=count)
    return on_ground >= 0.9 * np.maximum(around, 1)


def _typical_heights(boxes: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the height of a usual character around each blob: specks and dots hardly count.

    A headline and small print differ, so the blobs on about the same line tell. Where these are
    few, or small against the rest of the page, they are no writing by themselves.

    Args:
        boxes: int64 (n, 4), left, top, right, bottom.
    """
    x, y, right, bottom = boxes.T
    size = np.maximum(bottom - y, 0.6 * (right - x))
    order = np.argsort(size)
    larger = np.maximum(size[:, None], size)
    apart = np.maximum(y[:, None] - bottom, y - bottom[:, None])
    beside = np.maximum(x[:, None] - right, x - right[:, None])
    near = (apart < 0.15 * larger) & (beside < 10 * larger)
    weight = np.cumsum((near * size)[:, order], axis=1)
    middle = (weight < 0.5 * weight[:, -1:]).sum(axis=1)
    local = size[order][middle]
    everywhere = np.cumsum(size[order])
    typical = size[order][np.searchsorted(everywhere, 0.5 * everywhere[-1])]
    alike = near & (size > 0.6 * local[:, None]) & (size < 1.6 * local[:, None])
    is_line = (alike.sum(axis=1) >= _COMPANY) & (local > _SMALL_PRINT * typical)
    return np.where(is_line | (local > typical), local, typical).astype(np.float64)


def _nearly_touching(
    labels: NDArray[np.uint16],
    blobs: NDArray[np.intp],
    boxes: NDArray[np.int64],
    typical: NDArray[np.float64],
) -> list[tuple[int, int]]:
    """Return pairs of blobs that a pen's skip parts: much nearer than two characters are."""
    if len(blobs) < 2:
        return []
    low, high = boxes[:, :2], boxes[:, 2:]
    gaps = np.maximum(1, np.rint(0.07 * np.minimum(typical[:, None], typical))).astype(np.int64)
    apart = np.maximum(low[:, None] - high[None], low[None] - high[:, None])
    # Two that are as high as characters, side by side, may be characters.
    high_enough = high[:, 1] - low[:, 1] > 0.6 * typical
    narrower = np.minimum.outer(high[:, 0] - low[:, 0], high[:, 0] - low[:, 0])
    beside = high_enough[:, None] & high_enough & (apart[:, :, 0] > -0.3 * narrower)
    pairs = []
    for i, j in np.argwhere(np.triu((apart.max(axis=2) <= gaps) & ~beside, 1)):
        gap = int(gaps[i, j])
        left, top = np.maximum(0, np.maximum(low[i], low[j]) - gap - 1)
        right, bottom = np.minimum(high[i], high[j]) + gap + 1
        part = labels[top:bottom, left:right]
        first = (part == blobs[i]).astype(np.uint8)
        reach = cv2.dilate(first, np.ones((2 * gap + 1, 2 * gap + 1), np.uint8))
        if (reach.astype(bool) & (part == blobs[j])).any():
            pairs.append((int(i), int(j)))
    return pairs


def _group(
    box: NDArray[np.float64], touching: list[tuple[int, int]], typical: NDArray[np.float64]
) -> list[NDArray[np.intp]]:
    """Return lists of blob numbers that make up one character each.

    Args:
        box: float64 (n, 4), left, top, right, bottom.
        touching: Pairs that belong together for certain.
        typical: float64 (n,), height of a usual character around each.
    """
    count = len(box)
    parent = list(range(count))

    def root(i: int) -> int:
        while parent[i] != i:
            i = parent[i]
        return i

    def merge(i: int, j: int) -> None:
        parent[i] = j
        box[j, :2] = np.minimum(box[j, :2], box[i, :2])
        box[j, 2:] = np.maximum(box[j, 2:], box[i, 2:])

    for first, second in touching:
        i, j = root(first), root(second)
        if i != j:
            merge(i, j)
    # Small pieces first: they join the larger one that they fit best.
    changed = True
    while changed:
        changed = False
        roots = np.array([i for i in range(count) if parent[i] == i], np.intp)
        size = box[roots, 2:] - box[roots, :2]
        roots = roots[np.argsort(size[:, 0] * size[:, 1], kind="stable")]
        around = np.maximum.outer(typical[roots], typical[roots])
        fit = _fits(box[roots], box[roots], around)
        np.fill_diagonal(fit, 0.0)
        free = np.ones(len(roots), np.bool_)
        for small in range(len(roots)):
            large = int(fit[small].argmax())
            if fit[small, large] == 0:
                continue
            merge(int(roots[small]), int(roots[large]))
            free[small] = False
            grown = box[roots[large]][None]
            fit[:, large] = _fits(box[roots], grown, around[:, large, None])[:, 0]
            fit[large] = _fits(grown, box[roots], around[large, None])[0] * free
            fit[:, small] = fit[large, large] = 0.0
            changed = True
    groups: dict[int, list[int]] = {}
    for i in range(count):
        groups.setdefault(root(i), []).append(i)
    return [np.array(members, np.intp) for members in groups.values()]


def _fits(
    small: NDArray[np.float64], large: NDArray[np.float64], typical: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return how well each smaller blob completes each larger one to one character.

    Args:
        small: float64 (n, 4), left, top, right, bottom.
        large: float64 (m, 4).
        typical: float64 (n, m), height of a usual character around them.

    Returns:
        float64 (n, m); 0.0 is not at all.
    """
    a, b = small[:, None], large[None]
    aw, ah = a[..., 2] - a[..., 0], a[..., 3] - a[..., 1]
    bw, bh = b[..., 2] - b[..., 0], b[..., 3] - b[..., 1]
    shared = np.minimum(a[..., 2:], b[..., 2:]) - np.maximum(a[..., :2], b[..., :2])
    gap_x, gap_y = np.maximum(0.0, -shared[..., 0]), np.maximum(0.0, -shared[..., 1])
    together = np.maximum(a[..., 3], b[..., 3]) - np.minimum(a[..., 1], b[..., 1])
    over_x = np.maximum(0.0, shared[..., 0]) / np.maximum(1.0, np.minimum(aw, bw))
    over_y = np.maximum(0.0, shared[..., 1]) / np.maximum(1.0, np.minimum(ah, bh))
    near = 1.0 / (1.0 + (gap_x + gap_y) / typical)
    near[(gap_x > 0.3 * typical) | (gap_y > 0.7 * typical)] = 0.0
    # Boxes that lie in each other: crossing strokes, a bar inside an A, a broken ring.
    inside = (over_x > 0.5) & (over_y > 0.5)
    # One above the other, together no taller than one character: bars of E, broken strokes.
    above = (over_x > 0.4) & (together <= 1.45 * typical) & (gap_y <= 0.3 * typical)
    # The dot of i and j: small, above the rest.
    dot = (np.maximum(aw, ah) < 0.4 * typical) & (a[..., 3] <= b[..., 1] + 0.25 * bh)
    dot &= (gap_x <= 0.15 * typical) & (gap_y <= 0.6 * typical) & (bh > 0.4 * typical)
    # Side by side, nearly touching, one of them no letter by itself: a bar, a broken stroke.
    fragment = (ah < 0.45 * typical) & (ah < 0.6 * bh) & (over_y > 0.6) & (gap_x <= 0.1 * typical)
    beside = (over_y > 0.6) & (over_x > 0.15) & (np.minimum(aw, bw) < 0.45 * typical)
    return near * np.select([inside, above, dot, fragment, beside], [3.0, 2.0, 1.5, 1.0, 0.5], 0.0)


def _depth(crop: NDArray[np.uint8]) -> tuple[NDArray[np.float32], float]:
    """Return how far from paper each pixel of an ink is, float32, and the scale of that."""
    size, scale = max(crop.shape), 1.0
    if size > 160:
        scale = 160 / size
        crop = cv2.resize(crop, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        crop = cv2.compare(crop, 127, cv2.CMP_GT)
    padded = cv2.copyMakeBorder(crop, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0)
    return cv2.distanceTransform(padded, cv2.DIST_L2, 3), scale


def _is_even(depth: NDArray[np.float32]) -> bool:
    """Return whether ink is of even width (Epshtein, Ofek, Wexler, Detecting Text in Natural Scenes
    with Stroke Width Transform, 2010).
    """
    ridge = depth[(depth > 0) & (depth >= cv2.dilate(depth, np.ones((3, 3), np.uint8)))]
    return bool(len(ridge) and ridge.std() < 0.4 * ridge.mean() + 0.3)


def _are_written(
    found: list[InkCharacter], thickness: NDArray[np.float64], typical: NDArray[np.float64]
) -> list[bool]:
    """Return which inks are thin against their size, as pen strokes are and things are not.

    Small letters of a thick pen are as thick as other strokes of the page; a hair is far thinner
    than these, and longer than any character.
    """
    size = np.array([max(character.ink.shape) for character in found])
    thin = thickness <= 0.42 * size
    if not thin.any():
        return thin.tolist()
    pen = median(thickness[thin].tolist())
    thin |= (thickness <= 1.35 * pen) & (thickness <= 0.6 * size)
    hair = (thickness < 0.6 * pen) & (size > 2.5 * typical)
    return (thin & ~hair).tolist()
