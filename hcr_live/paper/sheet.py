"""Finds the outline of a sheet or card that is held up or lies in the frame."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from itertools import combinations
from statistics import median
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

Quad = NDArray[np.float32]
"""float32 (4, 2): top left, top right, bottom right, bottom left, in source pixels."""

Demand = Literal["light", "contrast", "edge"]
"""What makes a quadrilateral a sheet: it is lighter than its ground, or of another colour, or it
has an edge all around."""

_WORKING_SIDE = 320
_SMALLEST_SHARE = 0.02
"""A sheet covers at least this share of the frame."""
_LONGEST_ASPECT, _LONGEST_STRIP = 4.0, 6.5
_MOST_SHEETS = 4
_MOST_SIDES = 9
_MOST_REFINED = 8
_NEXT, _LAST = [1, 2, 3, 0], [3, 0, 1, 2]
"""Around four corners or sides; `np.roll` costs ten times as much."""
_EDGE_STEP = 6.0
"""Grey levels by which a sheet differs from what lies beside it, at least."""
_FAINT_STEP = 2.5
"""The same for its edge on a ground of its own colour; more where the ground is rough."""
_EDGE_WIDTH = -1.5
"""Pixels by which what is around edges is larger than what is within; below 0, as it shrinks."""
_MOST_BLOBS = 8
_WIDEST_CREASE = 10


def find_sheet(image: NDArray[np.uint8]) -> Quad | None:
    """Return the first of `find_sheets`, or None where nothing like a sheet is seen."""
    return next(find_sheets(image), None)


def find_sheets(image: NDArray[np.uint8]) -> Iterator[Quad]:
    """Find light quadrilaterals with straight sides that stand out, the likeliest first.

    The frame is searched in a copy of about 320 pixels: regions of even colour (so that a
    shadow does not cut the sheet) and regions above a threshold (so that a sheet on a
    similar ground is found) are candidates; the convex hull of each is reduced to four
    sides, which puts back the corners that fingers cover, and its sides must separate
    two colours. Windows and screens pass as well: whoever asks for the next one pays for
    the search among the masks that the first did not need.

    Args:
        image: uint8 (height, width, 3), BGR.

    Yields:
        The corners of the whole sheet, which may lie outside the frame; at most four, which
        hardly overlap.
    """
    height, width = image.shape[:2]
    if min(height, width) < 100:
        return
    small, ratio = _small(image)
    # Closing fills thin dark ink, so that writing does not cut the sheet to pieces.
    filled = cv2.morphologyEx(small, cv2.MORPH_CLOSE, np.ones((5, 5), np.uint8))
    grey = cv2.cvtColor(filled, cv2.COLOR_BGR2GRAY)
    found: list[tuple[float, Quad]] = []
    given: list[Quad] = []
    for mask, shrunk in _candidates(filled, grey):
        found += _judge_mask(mask, shrunk, filled, grey, "light")
        found = [e for e in found if not any(overlap(e[1], other) for other in given)]
        best = max(found, key=lambda entry: entry[0], default=None)
        if best is not None and not given and _is_beyond_doubt(*best, grey.size):
            share, quad = _on_edges(best[1], small)
            if share > 0.85:
                given.append(quad)
                found = [entry for entry in found if not overlap(entry[1], quad)]
                yield (quad + 0.5) * ratio
    for quad in _best(found, small, given):
        yield (quad + 0.5) * ratio


def find_weak_sheets(image: NDArray[np.uint8]) -> Iterator[Quad]:
    """Find quadrilaterals that may be a sheet but as well a door, a screen or a tile.

    Of any colour, dark ones as well, and those that lie on a ground of their own colour, of
    which hardly more is seen than the edge. Only what is written on tells: where nothing is,
    they are no sheets.

    Args:
        image: As for `find_sheets`, as are the corners.
    """
    height, width = image.shape[:2]
    if min(height, width) < 100:
        return
    small, ratio = _small(image)
    square = np.ones((5, 5), np.uint8)
    found: list[tuple[float, Quad]] = []
    # Opening takes away thin light ink.
    for method in (cv2.MORPH_OPEN, cv2.MORPH_CLOSE):
        filled = cv2.morphologyEx(small, method, square)
        grey = cv2.cvtColor(filled, cv2.COLOR_BGR2GRAY)
        for step in (2.0, 1.0):
            mask = cv2.morphologyEx(even_regions(filled, grey, step), cv2.MORPH_OPEN, square)
            found += _judge_mask(mask, 1.5, filled, grey, "contrast")
    # Coloured paper on a grey ground, whatever the light does.
    mask = cv2.morphologyEx(cv2.bitwise_not(_pale(filled)), cv2.MORPH_OPEN, square)
    found += _judge_mask(mask, 0.0, filled, grey, "contrast")
    given: list[Quad] = []
    for quad in _best(found, small, given):
        yield (quad + 0.5) * ratio
    between = _between_faint_edges(small)
    faint = _judge_mask(between, 2.5, filled, grey, "edge")
    faint += _judge_ruled(cv2.bitwise_not(between), filled, grey)
    for quad in _best(faint, small, given, _FAINT_STEP):
        yield (quad + 0.5) * ratio


def _small(image: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Return the copy that is searched, and the size of its pixels, float32 (2,)."""
    height, width = image.shape[:2]
    small = shrink(image, _WORKING_SIDE / max(height, width))
    return small, np.array([width / small.shape[1], height / small.shape[0]], np.float32)


def _judge_mask(
    mask: NDArray[np.uint8],
    shrunk: float,
    colours: NDArray[np.uint8],
    grey: NDArray[np.uint8],
    demand: Demand,
) -> list[tuple[float, Quad]]:
    """Return (score, corners) of the blobs of a mask that are sheets, or halves of a folded one."""
    contours, tree = cv2.findContours(mask, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)
    blobs = []
    for contour, links in zip(contours, tree[0] if contours else (), strict=True):
        box = cv2.boundingRect(contour)
        if links[3] < 0 and box[2] * box[3] >= _SMALLEST_SHARE * grey.size:
            blobs.append((contour, box))
    found = []
    for contour, _ in blobs:
        area = cv2.contourArea(contour)
        doubtful = demand != "light"
        judged = _judge(contour, area, colours, grey, shrunk, demand, doubtful=doubtful)
        if judged is not None:
            found.append(judged)
        if demand == "light" and (judged is None or not _is_beyond_doubt(*judged, grey.size)):
            found += _judge_sides(contour, colours, grey, shrunk)
    # A crease parts a folded sheet into two blobs, each of them whole.
    halves = [part for part in blobs[:_MOST_BLOBS] if _is_whole(part[0])]
    for (first, box), (second, other) in combinations(halves, 2):
        if _are_beside(box, other):
            both = np.concatenate([first, second])
            area = cv2.contourArea(first) + cv2.contourArea(second)
            judged = _judge(both, area, colours, grey, shrunk, demand, doubtful=True)
            if judged is not None:
                found.append(judged)
    return found


def _is_whole(contour: NDArray[np.int32]) -> bool:
    """Return whether a blob is convex but for what fingers take."""
    return cv2.contourArea(contour) > 0.8 * cv2.contourArea(cv2.convexHull(contour))


def _are_beside(box: Sequence[int], other: Sequence[int]) -> bool:
    """Return whether the boxes of two blobs touch, or nearly so, on one side only."""
    (x, y, w, h), (u, v, s, t) = box, other
    apart = max(x - u - s, u - x - w), max(y - v - t, v - y - h)
    common = max(0, -apart[0]) * max(0, -apart[1])
    less, more = sorted((w * h, s * t))
    return max(apart) < _WIDEST_CREASE and less > 0.2 * more and common < 0.7 * less


def _best(
    found: list[tuple[float, Quad]],
    small: NDArray[np.uint8],
    given: list[Quad],
    least_step: float = _EDGE_STEP,
) -> Iterator[Quad]:
    """Yield what really has edges, the best first, and add it to what has been given."""
    refined: list[tuple[float, Quad]] = []
    rough: list[Quad] = []
    for _, quad in sorted(found, key=lambda entry: -entry[0]):
        # Several masks show the same sheet.
        if any(np.abs(quad - other).max() < 4 for other in rough):
            continue
        rough.append(quad)
        if len(rough) > _MOST_REFINED:
            break
        share, moved = _on_edges(quad, small, least_step)
        shown = _shown(moved, (small.shape[0], small.shape[1]))
        if shown is not None and share > 0.8:
            refined.append((share * float(np.sqrt(cv2.contourArea(shown))), moved))
    for _, quad in sorted(refined, key=lambda entry: -entry[0]):
        if len(given) == _MOST_SHEETS:
            return
        if not any(overlap(quad, other) for other in given):
            given.append(quad)
            yield quad


def follow_sheet(image: NDArray[np.uint8], outline: Quad) -> Quad | None:
    """Return the outline of a sheet that has moved a little since an earlier frame, or None.

    This costs a tenth of a search.

    Args:
        image: uint8 (height, width, 3), BGR.
        outline: Of the earlier frame.
    """
    small, ratio = _small(image)
    before = outline / ratio - 0.5
    share, moved = _on_edges(before, small, _FAINT_STEP)
    growth = cv2.contourArea(moved) / max(1.0, cv2.contourArea(before))
    if share < 0.75 or not 0.9 < growth < 1.1 or _plainness(moved, small) < 0.7:
        return None
    return (moved + 0.5) * ratio


def overlap(quad: Quad, other: Quad) -> bool:
    """Return whether two outlines have much of the smaller one in common."""
    common, _ = cv2.intersectConvexConvex(quad, other)
    return bool(common > 0.3 * min(cv2.contourArea(quad), cv2.contourArea(other)))


def shrink(image: NDArray[np.uint8], scale: float) -> NDArray[np.uint8]:
    """Return a smaller, slightly blurred copy, fast; images that are small stay as they are."""
    height, width = image.shape[:2]
    if scale >= 1:
        return image
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    if scale < 0.2:
        image = cv2.resize(image, (size[0] * 4, size[1] * 4), interpolation=cv2.INTER_LINEAR)
    if scale < 0.4:
        # Linear resizing looks at 2 x 2 pixels only: go by way of twice the size.
        image = cv2.resize(image, (size[0] * 2, size[1] * 2), interpolation=cv2.INTER_NEAREST)
    return cv2.blur(cv2.resize(image, size, interpolation=cv2.INTER_LINEAR), (3, 3))


def _between_faint_edges(small: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return a mask, 0 or 255, of what lies between edges that just rise above the noise."""
    change = _steps(small)
    usual = int(np.median(change[::2, ::2]))
    mask = cv2.compare(change, int(np.clip(2 * usual, 4, 12)), cv2.CMP_LE)
    return cv2.morphologyEx(mask, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))


def _judge_ruled(
    edges: NDArray[np.uint8], colours: NDArray[np.uint8], grey: NDArray[np.uint8]
) -> list[tuple[float, Quad]]:
    """Return (score, corners) of what large edges that hang together have around them.

    The rules of a sheet part it, but end at its edge; of that, some may be too faint to be seen.
    """
    contours, _ = cv2.findContours(edges, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    least = _SMALLEST_SHARE * edges.size
    boxes = map(cv2.boundingRect, contours)
    large = [c for c, (_, _, w, h) in zip(contours, boxes, strict=True) if w * h >= least]
    mask = cv2.drawContours(np.zeros_like(edges), large, -1, 255, cv2.FILLED)
    # Without a finger or the edge of a shadow that hangs on.
    mask = cv2.morphologyEx(mask, cv2.MORPH_OPEN, np.ones((9, 9), np.uint8))
    found = _judge_mask(mask, _EDGE_WIDTH, colours, grey, "edge")
    if found:
        return found
    for hull in map(cv2.convexHull, large):
        area = cv2.contourArea(hull)
        judged = _judge(hull, area, colours, grey, _EDGE_WIDTH, "edge", doubtful=True)
        found += [] if judged is None else [judged]
    return found


def _pale(filled: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return a mask, 0 or 255, of what is less colourful than the rest.

    A shadow and a crease change the light, but not how colourful something is.
    """
    saturation = cv2.cvtColor(filled, cv2.COLOR_BGR2HSV)[..., 1]
    return cv2.threshold(saturation, 0, 255, cv2.THRESH_BINARY_INV + cv2.THRESH_OTSU)[1]


def _steps(small: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return by how much the colour changes around each pixel, in the channel that does most."""
    steps = cv2.morphologyEx(small, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8))
    blue, green, red = cv2.split(steps)
    return cv2.max(cv2.max(blue, green), red)


def even_regions(
    small: NDArray[np.uint8], grey: NDArray[np.uint8], step: float
) -> NDArray[np.uint8]:
    """Return a mask, 0 or 255, of where the colour changes little from pixel to pixel.

    Args:
        small: uint8 (height, width, 3).
        grey: uint8 (height, width) of the same.
        step: What counts as little: 1 is strict, 2 is lax.
    """
    limit = cv2.convertScaleAbs(grey, alpha=0.045 * step, beta=5.0 * step)
    return cv2.compare(_steps(small), limit, cv2.CMP_LT)


def _is_beyond_doubt(score: float, corners: Quad, frame_area: int) -> bool:
    """Return whether a search among the other masks would hardly find a better sheet."""
    area = float(cv2.contourArea(corners))
    return area > 0.1 * frame_area and score > 0.88 * np.sqrt(area)


def _candidates(
    filled: NDArray[np.uint8], grey: NDArray[np.uint8]
) -> Iterator[tuple[NDArray[np.uint8], float]]:
    """Yield masks in which a sheet may be one blob, and by how many pixels it is too small."""
    opening = np.ones((5, 5), np.uint8)
    yield cv2.morphologyEx(_pale(filled), cv2.MORPH_OPEN, opening), 0.0
    for step in (2.0, 1.0):
        # The step at its edge takes two pixels off a sheet: grow by more than was eroded.
        # The step at its edge takes pixels off a sheet, and the opening rounds its corners.
        even = even_regions(filled, grey, step)
        yield cv2.morphologyEx(even, cv2.MORPH_OPEN, opening), 1.5
        # Without what hangs on by a bridge that is thinner than a thumb.
        yield cv2.morphologyEx(even, cv2.MORPH_OPEN, np.ones((21, 21), np.uint8)), 1.5
    blue, green, red = cv2.split(filled)
    # The least channel is high for white only: it parts paper from a coloured ground.
    for channel in (cv2.min(cv2.min(blue, green), red), grey):
        _, mask = cv2.threshold(channel, 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
        yield cv2.morphologyEx(mask, cv2.MORPH_OPEN, opening), 0.0
        # A second cut within the light part: a sheet on a light ground.
        light = channel[mask > 0]
        if light.size > _SMALLEST_SHARE * channel.size:
            upper, _ = cv2.threshold(light, 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
            _, mask = cv2.threshold(channel, upper, 255, cv2.THRESH_BINARY)
            yield cv2.morphologyEx(mask, cv2.MORPH_OPEN, opening), 0.0


def _judge(
    contour: NDArray[np.int32],
    area: float,
    colours: NDArray[np.uint8],
    grey: NDArray[np.uint8],
    shrunk: float,
    demand: Demand,
    *,
    doubtful: bool = False,
) -> tuple[float, Quad] | None:
    """Return (score, corners) of a candidate, or None where it is no sheet."""
    height, width = grey.shape
    hull = cv2.convexHull(contour)
    hull_area = float(cv2.contourArea(hull))
    least_fill = 0.87 if doubtful else 0.76
    if hull_area < _SMALLEST_SHARE * grey.size or area < least_fill * hull_area:
        return None
    polygon = cv2.approxPolyDP(hull, 0.012 * cv2.arcLength(hull, True), True)[:, 0]
    corners = _four_sides(polygon.astype(np.float64))
    if corners is None:
        return None
    cut = _on_border(corners, corners[_NEXT], (height, width))
    if cut.all():
        return None
    if cut.any():
        corners = _complete(corners, cut, hull[:, 0].astype(np.float64))
    quad = _in_order(corners)
    if not _is_card_shaped(quad, _LONGEST_STRIP if doubtful else _LONGEST_ASPECT):
        return None
    shown = _shown(quad, (height, width))
    if shown is None:
        return None
    common, _ = cv2.intersectConvexConvex(shown, hull.astype(np.float32))
    straight = common / (hull_area + cv2.contourArea(shown) - common)
    # An ellipse (a face, a lamp) fills 79 percent of its best quadrilateral.
    least_straight = 0.88
    if doubtful:  # then but for a pixel or so all around
        least_straight = max(0.86, 0.96 - cv2.arcLength(hull, True) / hull_area)
    if straight < least_straight:
        return None
    fill = straight * area / hull_area
    return _judge_quad(_grown(quad, shrunk), colours, grey, fill, demand)


def _shown(quad: Quad, shape: tuple[int, int]) -> Quad | None:
    """Return the part of a quadrilateral that lies in the frame, or None where it is small."""
    height, width = shape
    frame = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    inside, shown = cv2.intersectConvexConvex(quad, frame)
    return shown if inside >= _SMALLEST_SHARE * height * width else None


def _judge_quad(
    quad: Quad,
    colours: NDArray[np.uint8],
    grey: NDArray[np.uint8],
    fill: float,
    demand: Demand,
) -> tuple[float, Quad] | None:
    """Return (score, corners) of what is a sheet by its colours inside and out, or None."""
    shown = _shown(quad, (grey.shape[0], grey.shape[1]))
    if shown is None or _plainness(quad, colours) < 0.7:
        return None
    held = 1.0 if demand == "edge" else _support(quad, colours, grey, demand)
    if held < (0.7 if demand == "light" else 0.8):
        return None
    return held * fill * float(np.sqrt(cv2.contourArea(shown))), quad


def _judge_sides(
    contour: NDArray[np.int32],
    colours: NDArray[np.uint8],
    grey: NDArray[np.uint8],
    shrunk: float,
) -> list[tuple[float, Quad]]:
    """Return (score, corners) of sheets that are one blob with what lies behind them.

    Of the straight stretches of the blob's edge, those are chosen that four sides of a
    sheet explain best.
    """
    height, width = grey.shape
    # OpenCV goes around a blob against the clock.
    points = cv2.approxPolyDP(contour, 1.5, True)[::-1, 0].astype(np.float64)
    ends = np.roll(points, -1, axis=0)
    length = np.hypot(*(ends - points).T)
    free = ~_on_border(points, ends, (height, width))
    long = np.flatnonzero(free & (length > 0.07 * max(height, width)))
    long = long[np.argsort(-length[long])][:_MOST_SIDES]
    if len(long) < 4:
        return []
    angle = np.arctan2(*(ends - points)[long].T[::-1])
    # Around a convex shape the directions turn one way: each four in the order of their turn.
    order = long[np.argsort(angle)]
    p, q, angle = points[order], ends[order], np.sort(angle)
    four = np.array(list(combinations(range(len(order)), 4)), np.intp)
    turn = np.diff(angle[four], axis=1, append=angle[four[:, :1]] + 2 * np.pi)
    four = four[(np.abs(turn - np.pi / 2) < 0.58).all(axis=1)]
    if not len(four):
        return []
    following = np.roll(four, -1, axis=1)
    u, v = (q - p)[four], (q - p)[following]
    across = u[..., 0] * v[..., 1] - u[..., 1] * v[..., 0]
    between = p[following] - p[four]
    t = (between[..., 0] * v[..., 1] - between[..., 1] * v[..., 0]) / across
    meet = p[four] + t[..., None] * u
    start = np.roll(meet, 1, axis=1)
    side = meet - start
    extent = np.hypot(side[..., 0], side[..., 1]) + 1e-6
    # How much of each side is edge of the blob: both ends of the stretch lie on the side.
    along = side / extent[..., None]
    low = ((p[four] - start) * along).sum(axis=2)
    high = ((q[four] - start) * along).sum(axis=2)
    held = np.clip(np.minimum(high, extent) - np.maximum(low, 0), 0, None)
    outside = (high - low) - held
    share = held.sum(axis=1) / extent.sum(axis=1)
    valid = ((held > 0.2 * extent) & (outside < 0.15 * extent + 4)).all(axis=1) & (share > 0.5)
    valid &= (high > low).all(axis=1)
    area = 0.5 * np.abs((start[..., 0] * meet[..., 1] - start[..., 1] * meet[..., 0]).sum(axis=1))
    valid &= area > _SMALLEST_SHARE * grey.size
    worth = np.where(valid, share * np.sqrt(area), 0)
    found: list[tuple[float, Quad]] = []
    for index in np.argsort(-worth)[:_MOST_SHEETS]:
        if not valid[index]:
            break
        quad = _in_order(meet[index])
        # A round blob (a face) has straight stretches as well, but leaves the corners bare.
        if _is_card_shaped(quad) and _covered(quad, contour, (height, width)) > 0.93:
            judged = _judge_quad(_grown(quad, shrunk), colours, grey, 1.0, "light")
            # Chosen among many, so it has to be better than what a blob's hull gives.
            if judged is not None and judged[0] > 0.8 * np.sqrt(cv2.contourArea(quad)):
                found.append(judged)
    return found


def _covered(quad: Quad, contour: NDArray[np.int32], shape: tuple[int, int]) -> float:
    """Return the share of a quadrilateral, where it is in the frame, that a blob covers."""
    blob, card = np.zeros(shape, np.uint8), np.zeros(shape, np.uint8)
    cv2.drawContours(blob, [contour], -1, 255, -1)
    cv2.fillConvexPoly(card, np.rint(quad).astype(np.int32), 255)
    return cv2.countNonZero(cv2.bitwise_and(blob, card)) / max(1, cv2.countNonZero(card))


def _on_edges(
    corners: Quad, colours: NDArray[np.uint8], least_step: float = _EDGE_STEP
) -> tuple[float, Quad]:
    """Move each side of a rough outline onto the strongest straight edge near it.

    Closing the ink has closed a narrow shadow beside the sheet as well, and a hull is led
    astray by what touches the sheet. Of all lines near a side, the one with most edge along
    it is taken (a small Hough transform), and fitted to that edge.

    Returns:
        The share of the visible outline that lies on such an edge, and the corners.
    """
    height, width = colours.shape[:2]
    reach = int(np.clip(0.05 * float(np.sqrt(cv2.contourArea(corners))), 4, 8))
    along, crossing, paths = _lines_across(reach)
    sides = corners[_NEXT] - corners
    outward = np.stack([sides[:, 1], -sides[:, 0]], axis=1)
    outward /= np.hypot(sides[:, 0], sides[:, 1])[:, None] + 1e-6
    shifts = np.arange(-reach - 1, reach + 2, dtype=np.float32)
    on_side = corners[:, None] + along[None, :, None] * sides[:, None]
    spots = on_side[:, :, None] + shifts[None, None, :, None] * outward[:, None, None]
    x, y = np.rint(spots).astype(np.intp).transpose(3, 0, 1, 2)
    seen = (x >= 0) & (x < width) & (y >= 0) & (y < height)
    colour = colours[np.clip(y, 0, height - 1), np.clip(x, 0, width - 1)].astype(np.int16)
    step = np.abs(colour[:, :, 2:] - colour[:, :, :-2]).max(axis=3).astype(np.float32)
    step[~(seen[:, :, 2:] & seen[:, :, :-2])] = 0
    # The nearer of two edges is the likelier; one glaring spot is no line.
    edge = np.sqrt(step) * (1 - 0.5 * (shifts[1:-1] / (reach + 1)) ** 2)
    best = edge.reshape(4, -1).take(paths, axis=1).sum(axis=2).argmax(axis=1)
    rough = crossing[best]
    near = np.abs(shifts[1:-1] - rough[:, :, None]) <= 1.6
    weight = np.where(near, step, 0) + 1e-6
    offset = (weight * shifts[1:-1]).sum(axis=2) / weight.sum(axis=2)
    limit = least_step
    if least_step < _EDGE_STEP:
        limit = float(np.clip(3 * np.median(step), least_step, _EDGE_STEP))
    held = (weight.max(axis=2) > limit) & (np.abs(offset - rough) <= 1.6)
    visible = int(np.count_nonzero(seen.all(axis=2)))
    share = min(1.0, float(np.count_nonzero(held)) / max(1, visible))
    start, end = _fitted(along, offset, held)
    start, end = (
        corners + start[:, None] * outward,
        corners[_NEXT] + (end[:, None] * outward),
    )
    u, before = end - start, (end - start)[_LAST]
    across = before[:, 0] * u[:, 1] - before[:, 1] * u[:, 0]
    if np.abs(across).min() < 1e-6:
        return share, corners
    apart = start - start[_LAST]
    t = (apart[:, 0] * u[:, 1] - apart[:, 1] * u[:, 0]) / across
    moved = (start[_LAST] + t[:, None] * before).astype(np.float32)
    if np.abs(moved - corners).max() > 4 * reach or not _is_card_shaped(moved, _LONGEST_STRIP):
        return share, corners
    return share, moved


@cache
def _lines_across(
    reach: int,
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.intp]]:
    """Return places along a side, the offset of each line there, and its index in a table.

    Returns:
        float32 (24,) in [0, 1]; float32 (lines, 24) pixels; intp (lines, 24) into a flat table
        of (24, 2 * reach + 1).
    """
    along = np.linspace(0.06, 0.94, 24, dtype=np.float32)
    ends = np.arange(-reach, reach + 1, dtype=np.float32)
    start, end = (v.ravel() for v in np.meshgrid(ends, ends))
    crossing = (start[:, None] + (end - start)[:, None] * along).astype(np.float32)
    columns = np.rint(crossing).astype(np.intp) + reach
    return along, crossing, np.arange(24)[None] * (2 * reach + 1) + columns


def _fitted(
    along: NDArray[np.float32], offset: NDArray[np.float32], held: NDArray[np.bool_]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return how far each side's start and end are off the points that its edge holds.

    Sides that hardly any edge holds stay where they are.
    """
    weight = held.astype(np.float32)
    count = np.maximum(weight.sum(axis=1), 1)
    centre = (weight * along).sum(axis=1) / count
    level = (weight * offset).sum(axis=1) / count
    away = (along - centre[:, None]) * weight
    slope = (away * offset).sum(axis=1) / np.maximum((away * away).sum(axis=1), 1e-2)
    firm = weight.sum(axis=1) >= 8
    start = np.where(firm, level - slope * centre, 0)
    return start, np.where(firm, start + slope, 0)


def _is_card_shaped(corners: Quad, longest: float = _LONGEST_ASPECT) -> bool:
    sides = corners[_NEXT] - corners
    length = np.hypot(sides[:, 0], sides[:, 1])
    across, down = (length[0] + length[2]) / 2, (length[1] + length[3]) / 2
    if max(across, down) > longest * max(1.0, min(across, down)):
        return False
    following = sides[_NEXT]
    cosine = (sides * following).sum(axis=1) / (length * length[_NEXT] + 1e-6)
    # Perspective bends the right angles by less than 33 degrees.
    return bool(np.abs(cosine).max() < 0.55)


def _grown(corners: Quad, by: float) -> Quad:
    """Move every side of a nearly rectangular shape outwards."""
    sides = corners[_NEXT] - corners
    outward = np.stack([sides[:, 1], -sides[:, 0]], axis=1)
    outward *= by / (np.hypot(sides[:, 0], sides[:, 1])[:, None] + 1e-6)
    return corners + outward + outward[_LAST]


def _plainness(corners: Quad, colours: NDArray[np.uint8]) -> float:
    """Return the share of the inside that looks like the rest of it: its hue, in light or shadow.

    A row of books or a window on a garden has straight sides as well.
    """
    height, width = colours.shape[:2]
    steps = np.linspace(0.08, 0.92, 12, dtype=np.float32)[:, None]
    left = corners[0] + steps * (corners[3] - corners[0])
    right = corners[1] + steps * (corners[2] - corners[1])
    spots = left[:, None] + steps[None] * (right - left)[:, None]
    x, y = np.rint(spots.reshape(-1, 2)).astype(np.intp).T
    seen = (x >= 0) & (x < width) & (y >= 0) & (y < height)
    if not seen.any():
        return 0.0
    colour = colours[y[seen], x[seen]].astype(np.float32)
    light = colour.mean(axis=1, keepdims=True)
    hue = (colour[:, ::2] - colour[:, 1:2]) / (light + 16)
    alike = np.abs(hue - np.median(hue, axis=0)).max(axis=1) < 0.12
    alike &= light[:, 0] > 0.4 * median(light[:, 0].tolist())
    return float(alike.mean())


def _four_sides(polygon: NDArray[np.float64]) -> NDArray[np.float64] | None:
    """Drop sides of a convex polygon, the cheapest first, until four are left."""
    # Plain floats: arrays of two numbers would cost ten times as much.
    points: list[tuple[float, float]] = [(float(x), float(y)) for x, y in polygon]
    while len(points) > 4:
        best: tuple[float, int, tuple[float, float]] | None = None
        n = len(points)
        for i in range(n):
            (ax, ay), (bx, by), (cx, cy), (dx, dy) = (points[(i + k) % n] for k in (-1, 0, 1, 2))
            ux, uy, vx, vy = bx - ax, by - ay, cx - dx, cy - dy
            cross = ux * vy - uy * vx
            if abs(cross) < 1e-9:
                continue
            t = ((dx - ax) * vy - (dy - ay) * vx) / cross
            if t < 1:
                continue  # The neighbours of this side diverge.
            mx, my = ax + t * ux, ay + t * uy
            added = abs((bx - mx) * (cy - my) - (by - my) * (cx - mx))
            if best is None or added < best[0]:
                best = (added, i, (mx, my))
        if best is None:
            return None
        _, i, meet = best
        points[i] = meet
        del points[(i + 1) % n]
    return np.array(points) if len(points) == 4 else None


def _on_border(
    start: NDArray[np.float64], end: NDArray[np.float64], shape: tuple[int, int]
) -> NDArray[np.bool_]:
    """Return which sides run along the border of the frame."""
    height, width = shape
    cut = np.zeros(len(start), bool)
    for axis, last in ((0, width - 1), (1, height - 1)):
        cut |= (start[:, axis] <= 4) & (end[:, axis] <= 4)
        cut |= (start[:, axis] >= last - 4) & (end[:, axis] >= last - 4)
    return cut


def _complete(
    corners: NDArray[np.float64], cut: NDArray[np.bool_], hull: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the rectangle around the hull along the sides that are really seen.

    A side on the frame's border says nothing about how the sheet is turned.
    """
    sides = (corners[_NEXT] - corners)[~cut]
    length = np.linalg.norm(sides, axis=1)
    angle = np.arctan2(sides[:, 1], sides[:, 0])
    # Directions repeat every quarter turn: average the quadrupled angle.
    turn = float(np.angle(np.sum(length * np.exp(4j * angle)))) / 4
    axes = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    along = hull @ axes.T
    low, high = along.min(axis=0), along.max(axis=0)
    rectangle = np.array([low, (high[0], low[1]), high, (low[0], high[1])])
    return rectangle @ axes


def _in_order(corners: NDArray[np.float64]) -> Quad:
    """Order corners clockwise on the picture, from the one that is top left."""
    centre = corners.mean(axis=0)
    around = corners[np.argsort(np.arctan2(*(corners - centre).T[::-1]))]
    sides = around[_NEXT] - around
    # The top side, with the bottom side against it, runs to the right: up to 45 degrees.
    across = sides - sides[[2, 3, 0, 1]]
    rightward = across[:, 0] / (np.hypot(across[:, 0], across[:, 1]) + 1e-6)
    return np.roll(around, -int(np.argmax(rightward)), axis=0).astype(np.float32)


def _support(
    corners: Quad, colours: NDArray[np.uint8], grey: NDArray[np.uint8], demand: Demand
) -> float:
    """Return the share of the visible outline that parts the inside from another outside.

    Colours are compared some way off the outline, so that a drawn letter or frame on paper
    (an O, a box), with the same paper on both sides, is no sheet.
    """
    height, width = grey.shape
    size = float(np.sqrt(cv2.contourArea(corners)))
    sides = corners[_NEXT] - corners
    outward = np.stack([sides[:, 1], -sides[:, 0]], axis=1)
    outward /= np.hypot(sides[:, 0], sides[:, 1])[:, None] + 1e-6
    steps = (np.arange(24, dtype=np.float32) + 0.5)[:, None] / 24
    on_side = corners[:, None] + steps * sides[:, None]
    # A sheet that fills the frame leaves little room to look at what lies around it.
    far = min(max(6.0, 0.11 * size), 0.06 * max(height, width))
    shifts = np.array([-max(3.0, 0.04 * size), max(3.0, min(0.03 * size, 0.5 * far)), far])
    spots = on_side + shifts[:, None, None, None] * outward[:, None]
    x, y = np.rint(spots).astype(np.intp).transpose(3, 0, 1, 2)
    seen = (x >= 0) & (x < width) & (y >= 0) & (y < height)
    x, y = np.clip(x, 0, width - 1), np.clip(y, 0, height - 1)
    colour, light = colours[y, x].astype(np.int16), grey[y, x].astype(np.float32)
    step = np.abs(colour[1:] - colour[0]).max(axis=3)
    differs = ((step > _EDGE_STEP + 0.04 * light[0]) | ~seen[1:]).all(axis=0)
    valid = seen[0] & seen[1]
    count = valid.sum(axis=1)
    # One edge alone may be where a wall meets the floor.
    if (count >= 6).sum() < 2:
        return 0.0
    held = (differs & valid).sum(axis=1)
    # One side may lie against something of the same colour, or in fingers.
    weak = (count >= 4) & (held < 0.4 * count)
    if weak.sum() > (1 if (count >= 4).sum() >= 3 else 0):
        return 0.0
    lightness = median(light[0][valid].tolist())
    if demand == "light" and lightness < max(60.0, 0.8 * median(light[2][valid].tolist())):
        return 0.0
    return float(held.sum() / count.sum())
