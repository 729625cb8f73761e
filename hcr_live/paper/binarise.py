"""Parts ink from paper, whatever the light and the pen."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

_LEAST_CONTRAST = 20.0
"""Ink is darker than the paper by this much of 255, at least."""

_CLOSE_UP_SIDE = 160
"""Pixels; a smaller image shows one letter or a few, a larger one a sheet."""

_STRIPS = 12
"""A ruled line is looked for in so many strips, so that it may be slanted or bent."""


def binarise(
    image: NDArray[np.uint8], *, light_on_dark: bool = False, ruled: bool = True
) -> NDArray[np.uint8]:
    """Return the ink of a piece of paper.

    The paper's own lightness is estimated by a morphological closing wider than any stroke
    (so that a fat marker is not hollowed) and divided out, which takes light and shadow away.
    Ink is what then stands out from the noise of the paper, with hysteresis: pale parts of a
    stroke count where they are joined to dark ones (Canny 1986). An empty sheet has no ink.

    Args:
        image: uint8 (height, width, 3) BGR or (height, width) grey: paper, nearly nothing else.
        light_on_dark: Look for light ink on a dark ground.
        ruled: Take out lines that run across the whole image (ruled and squared paper).

    Returns:
        uint8 (height, width), 255 where there is ink, else 0.
    """
    grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY) if image.ndim == 3 else image
    if min(grey.shape) < 4:
        return np.zeros_like(grey)
    if light_on_dark:
        grey = cv2.bitwise_not(grey)
    darkness = _darkness(grey)
    # Every other pixel of every other row is enough for quantiles of a sheet.
    close_up = min(grey.shape) < _CLOSE_UP_SIDE
    sample = darkness if close_up else np.ascontiguousarray(darkness[::2, ::2])
    histogram = cv2.calcHist([sample], [0], None, [256], [0, 256]).ravel()
    if close_up:
        # Half of a close-up may be ink and its soft edges: judge by the lightest pixels.
        low, paper = _quantiles(histogram, (0.05, 0.3))
        noise = (paper - low) / 1.12 + 0.5
    else:
        low, paper, high = _quantiles(histogram, (0.25, 0.5, 0.75))
        # A quarter of a sheet may be squares and marker: then the lighter side tells.
        noise = min((high - low) / 1.35, (paper - low) / 0.67 + 1) + 0.5
    visible = max(paper + 5 * noise, paper + _LEAST_CONTRAST)
    faint = cv2.compare(darkness, visible * 0.75, cv2.CMP_GT)
    lines = _ruled_lines(faint) if ruled else []
    whole = faint
    for line in lines:
        faint = _without(faint, line)
    ink = _ink_level(darkness, faint, visible)
    if ink is None:
        return np.zeros_like(grey)
    if lines:
        # The halo of a light thumb must not pass for a pen paler than all that there was.
        ink = max(ink, _ink_level(darkness, whole, visible) or 0.0)
    upper = max(visible, paper + 0.5 * (ink - paper))
    lower = max(paper + 3.5 * noise, paper + 0.32 * (ink - paper))
    mask = cv2.compare(darkness, lower, cv2.CMP_GT)
    for line in lines:
        mask = _without(mask, line, darkness, ink)
    # Hysteresis without a search for blobs: pale ink counts near dark ink.
    reach = 2 * max(2, min(grey.shape) // 80) + 1
    near = cv2.dilate(cv2.compare(darkness, upper, cv2.CMP_GT), np.ones((reach, reach), np.uint8))
    mask = cv2.bitwise_and(mask, near)
    return _without_crumbs(mask, lines) if lines else mask


def _ink_level(
    darkness: NDArray[np.uint8], faint: NDArray[np.uint8], visible: float
) -> float | None:
    """Return how dark the pen is, or None where there is no ink.

    What touches the border is not asked unless there is nothing else: fingers and whatever
    lies beside the sheet are often darker than the pen.
    """
    height, width = faint.shape
    # A coarse look is enough to tell what hangs together with the border.
    coarse = cv2.compare(_coarse(faint, 4, 4), 40, cv2.CMP_GT)
    _, labels, stats, _ = cv2.connectedComponentsWithStats(coarse)
    x, y, w, h = (stats[:, k] for k in range(4))
    outer = (x < 1) | (y < 1) | (x + w >= coarse.shape[1])
    outer |= y + h >= coarse.shape[0]
    outer[0] = False
    border = cv2.dilate(outer.astype(np.uint8)[labels], np.ones((3, 3), np.uint8))
    full = (coarse.shape[1] * 4, coarse.shape[0] * 4)
    border = cv2.resize(border * 255, full, interpolation=cv2.INTER_NEAREST)[:height, :width]
    for chosen in (cv2.bitwise_and(faint, cv2.bitwise_not(border)), faint):
        histogram = cv2.calcHist([darkness], [0], chosen, [256], [0, 256]).ravel()
        histogram[: int(visible) + 1] = 0
        if histogram.sum() >= max(6.0, 2e-5 * faint.size):
            # What is left of ruled lines may be more than the writing, but is paler.
            return _quantiles(_upper_class(histogram), (0.5,))[0]
    return None


def _upper_class(histogram: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the histogram of the darker of two classes (Otsu 1979), empty below it."""
    level = np.arange(256, dtype=np.float32)
    count, mass = np.cumsum(histogram), np.cumsum(histogram * level)
    rest, rest_mass = count[-1] - count, mass[-1] - mass
    apart = rest_mass / np.maximum(rest, 1) - mass / np.maximum(count, 1)
    split = int(np.argmax(count * rest * apart**2))
    upper = histogram.copy()
    upper[: split + 1] = 0
    return upper if upper.any() else histogram


def is_light_on_dark(grey: NDArray[np.uint8]) -> bool:
    """Return whether an image is light ink on a plain dark ground (a drawing, a blackboard)."""
    histogram = cv2.calcHist([grey], [0], None, [256], [0, 256]).ravel()
    ground, top = _quantiles(histogram, (0.5, 0.995))
    if ground > 110 or top < ground + 40:
        return False
    # Plain: most of the image is as dark as the ground, give or take a little.
    near = histogram[max(0, int(ground) - 25) : int(ground) + 26].sum()
    return bool(near > 0.6 * histogram.sum())


def _darkness(grey: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return how much darker than the paper around it each pixel is, uint8, 0 to 255."""
    height, width = grey.shape
    smooth = cv2.GaussianBlur(grey, (3, 3), 0)
    step = max(1, min(4, min(height, width) // 40))
    coarse = _coarse(smooth, step, step)
    size = coarse.shape
    # A close-up of one letter has strokes of up to a quarter of its size, a sheet much less.
    share = 0.5 if min(height, width) < _CLOSE_UP_SIDE else 0.25
    reach = max(3, int(share * min(size))) | 1
    kernel = np.ones((reach, reach), np.uint8)
    paper = cv2.morphologyEx(coarse, cv2.MORPH_CLOSE, kernel, borderType=cv2.BORDER_REPLICATE)
    soft = max(3, reach // 4) | 1
    paper = cv2.blur(paper, (soft, soft))
    full = (paper.shape[1] * step, paper.shape[0] * step)
    paper = cv2.resize(paper, full, interpolation=cv2.INTER_LINEAR)[:height, :width]
    paper = cv2.max(paper, 30)
    return cv2.bitwise_not(cv2.divide(smooth, paper, scale=255))


def _without_crumbs(mask: NDArray[np.uint8], lines: list[_RuledLines]) -> NDArray[np.uint8]:
    """Return a mask without the blobs that hardly leave the ruled lines: what is left of them."""
    bands = lines[0].bands
    for line in lines[1:]:
        bands = cv2.bitwise_or(bands, line.bands)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask, ltype=cv2.CV_16U)
    if count < 2:
        return mask
    thickness = max(line.thickness for line in lines)
    # The crossings of a grid are darker than its lines and may be all that is left of it.
    small = stats[:, 2:4].max(axis=1) < 0.05 * min(mask.shape)
    thin = stats[:, 2:4].min(axis=1) <= 2.5 * thickness + 1
    # A large letter may lie along the lines, but is not thin.
    mask = mask.copy()
    for number in np.flatnonzero(thin).tolist():
        x, y, w, h, area = stats[number].tolist()
        if number == 0:
            continue
        own = labels[y : y + h, x : x + w] == number
        on_lines = np.count_nonzero(own & (bands[y : y + h, x : x + w] > 0))
        if on_lines > 0.7 * area or (small[number] and on_lines):
            mask[y : y + h, x : x + w][own] = 0
    return mask


def _coarse(image: NDArray[np.uint8], rows: int, columns: int) -> NDArray[np.uint8]:
    """Return the means of tiles of so many pixels; resizing is fast by whole factors only."""
    height, width = image.shape
    if rows == columns == 1:
        return image
    image = cv2.copyMakeBorder(image, 0, -height % rows, 0, -width % columns, cv2.BORDER_REPLICATE)
    size = (image.shape[1] // columns, image.shape[0] // rows)
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA)


def _quantiles(histogram: NDArray[np.float32], shares: tuple[float, ...]) -> list[float]:
    total = np.cumsum(histogram)
    return [float(np.searchsorted(total, share * total[-1])) for share in shares]


@dataclass(frozen=True, eq=False)
class _RuledLines:
    """Where the parallel lines of ruled paper run.

    Attributes:
        bands: uint8 mask, 255 on and right beside a line.
        thickness: Of a line, in pixels.
        upright: Whether the lines run from top to bottom.
    """

    bands: NDArray[np.uint8]
    thickness: float
    upright: bool


def _ruled_lines(faint: NDArray[np.uint8]) -> list[_RuledLines]:
    """Find thin, straight, parallel lines across the whole image, one entry for each direction.

    The image is cut into strips across the lines; in each, rows that are mostly covered by
    thin ink vote for the straight lines through them. What lies under thick ink votes
    neither way: a line runs on under a marker or a thumb.
    """
    found = []
    for upright in (False, True):
        picture = cv2.transpose(faint) if upright else faint
        rows, length = picture.shape
        if rows < 40:
            continue
        strip = -(-length // _STRIPS)
        tall = max(7, round(0.02 * rows)) | 1
        thick = cv2.morphologyEx(picture, cv2.MORPH_OPEN, np.ones((tall, 1), np.uint8))
        # A slanted line wanders over a few rows within one strip.
        thin = cv2.dilate(cv2.subtract(picture, thick), np.ones((3, 1), np.uint8))
        covered_by_thick = _coarse(thick, 1, strip)
        known = cv2.compare(covered_by_thick, 170, cv2.CMP_LT)
        room = cv2.addWeighted(covered_by_thick, -0.65, known, 0.65, 0)
        covered = cv2.bitwise_and(cv2.compare(_coarse(thin, 1, strip), room, cv2.CMP_GT), known)
        lines = _straight_lines(covered > 0, known > 0, length)
        if not len(lines):
            continue
        # The line itself where it is seen, a straight piece where it is hidden or faint.
        near, coarse = np.zeros_like(covered), np.zeros_like(covered)
        strips = np.arange(coarse.shape[1])
        around = np.clip(lines[:, :, None] + np.arange(-5, 6), 0, rows - 1)
        near[around, strips[:, None]] = 255
        coarse[around[:, :, 3:8], strips[:, None]] = 255
        seen = cv2.dilate(covered, np.ones((3, 1), np.uint8))
        coarse = cv2.bitwise_or(coarse, cv2.bitwise_and(near, seen))
        bands = cv2.resize(coarse, (strip * len(strips), rows), interpolation=cv2.INTER_NEAREST)
        bands = np.ascontiguousarray(bands[:, :length])
        on_line = cv2.countNonZero(cv2.bitwise_and(bands, cv2.subtract(picture, thick)))
        shown = int(np.count_nonzero(known[around[:, :, 5], strips]))
        thickness = on_line / max(1, shown * strip)
        found.append(_RuledLines(cv2.transpose(bands) if upright else bands, thickness, upright))
    return found


def _straight_lines(
    covered: NDArray[np.bool_], known: NDArray[np.bool_], length: int
) -> NDArray[np.intp]:
    """Return the row of each line in every strip, intp (lines, strips).

    Args:
        covered: (rows, strips), where thin ink covers a row of a strip.
        known: The same shape, where there is no thick ink.
        length: Of a line, in pixels.
    """
    rows, strips = covered.shape
    nothing = np.zeros((0, strips), np.intp)
    if np.count_nonzero(covered.any(axis=0)) < 0.45 * strips:
        return nothing
    most = int(0.045 * length) + 1
    # Hits in the lower half of a byte, strips that are known in the upper.
    votes = cv2.dilate(covered.astype(np.uint8), np.ones((3, 1), np.uint8)) + 16 * known
    votes = np.pad(votes.astype(np.uint8), ((most, most), (0, 0)))
    rises = np.arange(-most, most + 1, max(2, most // 8))
    place = np.arange(strips) / (strips - 1) - 0.5
    shifts = np.rint(rises[:, None] * place[None]).astype(np.intp)
    columns = np.ascontiguousarray(votes.T)
    total = np.zeros((len(rises), rows), np.uint8)
    for sums, shift in zip(total, shifts.tolist(), strict=True):
        for column, by in zip(columns, shift, strict=True):
            sums += column[most + by : most + by + rows]
    hits, seen = (total & 15).astype(np.float32), (total >> 4).astype(np.float32)
    strong = (seen >= 0.6 * strips) & (hits >= 0.8 * seen)
    if not strong.any():
        return nothing
    common = int(np.argmax((hits * strong).sum(axis=1)))
    # Where rises tie, the one nearest to the common one is right.
    hits -= 0.2 * np.abs(np.arange(len(rises)) - common)[:, None] / len(rises)
    number, row = _peaks(np.where(strong, hits, 0))
    if len(row) > 1:
        number, row = _peaks(np.where((seen >= 0.4 * strips) & (hits >= 0.55 * seen), hits, 0))
    return row[:, None] + shifts[number]


def _peaks(hits: NDArray[np.float32]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the number of the rise and the row of each line that beats its neighbours."""
    number, best = hits.argmax(axis=0), hits.max(axis=0)
    around = cv2.dilate(best[:, None], np.ones((7, 1), np.uint8))[:, 0]
    peak = np.concatenate([[False], (best > 0) & (best >= around), [False]])
    edges = np.flatnonzero(peak[1:] != peak[:-1])
    row = (edges[::2] + edges[1::2] - 1) // 2
    return number[row], row


def _without(
    mask: NDArray[np.uint8],
    lines: _RuledLines,
    darkness: NDArray[np.uint8] | None = None,
    ink: float = 0.0,
) -> NDArray[np.uint8]:
    """Return a mask without thin lines, but with the strokes that cross or cover them.

    A stroke shows by a run across the line that is longer than the line is thick, and, where
    the pen is darker than the print, by its darkness.
    """
    run = max(3, round(1.6 * lines.thickness) + 2)
    kernel = np.ones((1, run) if lines.upright else (run, 1), np.uint8)
    strokes = cv2.morphologyEx(mask, cv2.MORPH_OPEN, kernel)
    bare = cv2.bitwise_and(cv2.bitwise_and(mask, lines.bands), cv2.bitwise_not(strokes))
    if darkness is not None:
        histogram = cv2.calcHist([darkness], [0], bare, [256], [0, 256]).ravel()
        if histogram.any():
            level = _quantiles(histogram, (0.5,))[0]
            if level < 0.7 * ink:
                bare &= cv2.compare(darkness, (level + ink) / 2, cv2.CMP_LT)
    return cv2.bitwise_and(mask, cv2.bitwise_not(bare))
