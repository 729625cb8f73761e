"""Parts ink from paper, whatever the light and the pen."""

from __future__ import annotations

from statistics import median

import cv2
import numpy as np
from numpy.typing import NDArray

from hcr_live.paper.ruled import (
    crossing,
    divided_out,
    find_rulings,
    printed,
    shade_of,
    without_crumbs,
)

_STRONG, _SOME, _SPECKS, _THIN = 0.5, 0.15, 20, 9
"""Thin ink that takes the first share of the light is a pen's; if the second share of that and so
many pixels are coloured, it is of coloured pens."""

LEAST_CONTRAST: float = 20.0
"""Ink is darker than the paper by this much of 255, at least."""

_CLOSE_UP_SIDE = 160
"""Pixels; a smaller image shows one letter or a few, a larger one a sheet."""


_LIGHTEST_BOARD = 180
"""On a lighter ground, of 255, nobody writes in a lighter colour."""


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
    if min(image.shape[:2]) < 4:
        return np.zeros(image.shape[:2], np.uint8)
    grey = ink_channel(image) if image.ndim == 3 else image
    if light_on_dark:
        grey = cv2.bitwise_not(grey)
    darkness = _darkness(grey)
    # Every other pixel of every other row is enough for quantiles of a sheet.
    close_up = min(grey.shape) < _CLOSE_UP_SIDE
    widest = max(7, round((0.12 if close_up else 0.02) * min(grey.shape)))
    sample = darkness if close_up else np.ascontiguousarray(darkness[::2, ::2])
    histogram = _histogram(sample)
    if close_up:
        # Half of a close-up may be ink and its soft edges: judge by the lightest pixels.
        low, paper = _quantiles(histogram, (0.05, 0.3))
        noise = (paper - low) / 1.12 + 0.5
    else:
        least, low, light, paper, high = _quantiles(histogram, (0.05, 0.25, 0.3, 0.5, 0.75))
        # Half of a sheet may be squares and marker: then the lighter side tells.
        noise = min((high - low) / 1.35, (paper - low) / 0.67 + 1, (light - least) / 1.12 + 1) + 0.5
        paper = min(paper, light + 0.53 * noise)
    visible = max(paper + 5 * noise, paper + LEAST_CONTRAST)
    faint = cv2.compare(darkness, visible * 0.75, cv2.CMP_GT)
    found = find_rulings(faint, darkness, widest) if ruled else []
    shades = [shade_of(ruling, grey.shape) for ruling in found]
    beside = faint
    for shade in shades:
        beside = cv2.bitwise_and(beside, cv2.compare(shade, 0, cv2.CMP_EQ))
    ink = _ink_level(darkness, beside, visible)
    rulings = printed(found, ink)
    if sum(len(ruling.rows) for ruling in rulings) < sum(len(ruling.rows) for ruling in found):
        shades = [shade_of(ruling, grey.shape) for ruling in rulings]
        ink = None
    without = [divided_out(darkness, shade) for shade in shades]
    bare = divided_out(without[0], shades[1]) if len(shades) == 2 else [darkness, *without][-1]
    if ink is None:
        ink = _ink_level(bare, cv2.compare(bare, visible * 0.75, cv2.CMP_GT), visible)
    if ink is None:
        return np.zeros_like(grey)
    # The halo of a light thumb must not pass for a pen paler than all that there was.
    ink = max([ink, *(median(ruling.shades.max(axis=1).tolist()) for ruling in rulings)])
    upper = max(visible, paper + 0.5 * (ink - paper))
    lower = max(paper + 3.5 * noise, paper + 0.32 * (ink - paper))
    mask = cv2.compare(bare, lower, cv2.CMP_GT)
    bands = np.zeros_like(mask)
    # Ink that is no darker than the line that it crosses was divided out as well.
    for ruling, shade, other in zip(rulings, shades, without[::-1], strict=True):
        band = cv2.compare(shade, 0, cv2.CMP_GT)
        whole = cv2.compare(other if len(rulings) > 1 else darkness, lower, cv2.CMP_GT)
        mask = cv2.bitwise_or(mask, cv2.bitwise_and(crossing(whole, ruling), band))
        bands = cv2.bitwise_or(bands, band)
    # Hysteresis without a search for blobs: pale ink counts near dark ink.
    reach = 2 * max(2, min(grey.shape) // 80) + 1
    near = cv2.dilate(cv2.compare(bare, upper, cv2.CMP_GT), np.ones((reach, reach), np.uint8))
    mask = cv2.bitwise_and(mask, near)
    if rulings:
        mask = without_crumbs(mask, bands, max(ruling.thickness for ruling in rulings))
    return mask


def ink_channel(
    image: NDArray[np.uint8], *, one_pen: bool = False, sample: NDArray[np.uint8] | None = None
) -> NDArray[np.uint8]:
    """Return the grey picture in which ink stands out most from paper and from print.

    A coloured pen on coloured paper may differ in one channel only, and then the darkest is
    taken, channels made alike on the paper. Where all ink is neutral (pencil, black), the
    lightest hides coloured lines, which are dark in some channels only.

    Args:
        image: uint8 (height, width, 3), BGR: paper, nearly nothing else.
        sample: Some pixels of the paper alone, in rows and columns as they lie, to judge by
            instead.
        one_pen: There is ink of one colour only, for certain: a crop of one character.

    Returns:
        uint8 (height, width); the usual grey where no other is clearly better.
    """
    step = max(1, min(image.shape[:2]) // 64)
    small = np.ascontiguousarray(image[::step, ::step]) if sample is None else sample
    if min(small.shape[:2]) < 8:
        return cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
    usual = cv2.cvtColor(small, cv2.COLOR_BGR2GRAY)
    light = cv2.compare(usual, _quantiles(_histogram(usual), (0.6,))[0], cv2.CMP_GE)
    paper = np.maximum(cv2.mean(small, light)[:3], 16)
    gains = paper.max() / paper
    if gains.max() > 4:  # hardly any light in one channel: its noise would count
        return cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
    alike = np.diag([*gains, 0])[:3, :3]
    channels = cv2.split(cv2.transform(small, alike))
    darkest, lightest = (
        cv2.min(cv2.min(*channels[:2]), channels[2]),
        cv2.max(cv2.max(*channels[:2]), channels[2]),
    )
    wide = np.ones((min(small.shape[:2]) // 3 | 1,) * 2, np.uint8)
    neutral = False
    if one_pen:
        neutral = _contrast(lightest, wide) > 0.6 * _contrast(darkest, wide)
    elif sample is not None:
        # Coloured print is paler than a coloured pen, and a finger is wider.
        thin = np.ones((_THIN, _THIN), np.uint8)
        dark, bright = (cv2.morphologyEx(c, cv2.MORPH_BLACKHAT, thin) for c in (darkest, lightest))
        strong = cv2.compare(dark, _STRONG * paper.max(), cv2.CMP_GT)
        pale = cv2.compare(bright, cv2.convertScaleAbs(dark, alpha=0.6), cv2.CMP_LT)
        coloured = cv2.countNonZero(cv2.bitwise_and(strong, pale))
        neutral = coloured <= _SOME * cv2.countNonZero(strong) + _SPECKS
        most = [_quantiles(_histogram(c), (0.998,))[0] for c in (bright, dark)]
        neutral &= most[0] > 0.6 * most[1]
    chosen = cv2.max
    if not neutral:
        scale = paper.max() / max(1.0, cv2.mean(usual, light)[0])
        in_grey, in_dark = (_contrast(c, wide) for c in (usual, darkest))
        if in_dark <= 2 * LEAST_CONTRAST or scale * in_grey >= 0.6 * in_dark:
            return cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
        chosen = cv2.min
    blue, green, red = cv2.split(cv2.transform(image, alike))
    return chosen(chosen(blue, green), red)


def _contrast(channel: NDArray[np.uint8], wide: NDArray[np.uint8]) -> float:
    """Return by how much ink that is narrower than a kernel is darker than what is around it."""
    darker = cv2.morphologyEx(channel, cv2.MORPH_BLACKHAT, wide)
    return _quantiles(_histogram(darker), (0.99,))[0]


def _ink_level(
    darkness: NDArray[np.uint8], faint: NDArray[np.uint8], visible: float
) -> float | None:
    """Return how dark the pen is, or None where there is no ink.

    What touches the border is not asked unless there is nothing else, or in a close-up: fingers
    and whatever lies beside the sheet are often darker than the pen.
    """
    chosen = [faint]
    if min(faint.shape) >= _CLOSE_UP_SIDE:
        # A quarter of the pixels is enough for a sheet.
        darkness, faint = (np.ascontiguousarray(p[::2, ::2]) for p in (darkness, faint))
        chosen = [_off_the_border(faint), faint]
    for part in chosen:
        histogram = _histogram(darkness, part)
        histogram[: int(visible) + 1] = 0
        if histogram.sum() >= max(6.0, 2e-5 * part.size):
            # What is left of ruled lines may be more than the writing, but is paler.
            return _quantiles(_upper_class(histogram), (0.5,))[0]
    return None


def _off_the_border(mask: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return a mask without what hangs together with its border, as a coarse look tells."""
    height, width = mask.shape
    coarse = cv2.compare(_coarse(mask, 2, 2), 40, cv2.CMP_GT)
    _, labels, stats, _ = cv2.connectedComponentsWithStats(coarse)
    x, y, w, h = (stats[:, k] for k in range(4))
    outer = (x < 1) | (y < 1) | (x + w >= coarse.shape[1]) | (y + h >= coarse.shape[0])
    outer[0] = False
    border = cv2.dilate(outer.astype(np.uint8)[labels], np.ones((3, 3), np.uint8))
    full = (coarse.shape[1] * 2, coarse.shape[0] * 2)
    border = cv2.resize(border * 255, full, interpolation=cv2.INTER_NEAREST)[:height, :width]
    return cv2.bitwise_and(mask, cv2.bitwise_not(border))


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
    """Return whether an image is light ink on a plain darker ground: chalk, gel pen, a drawing.

    However dark the paper is: ink covers little, so the lightness of the image, freed of slow
    changes of the light, tails off to the side where the ink is.

    Args:
        grey: uint8 (height, width): paper or board, nearly nothing else.
    """
    step = max(1, min(grey.shape) // 100)
    small = np.ascontiguousarray(grey[::step, ::step])
    if _quantiles(_histogram(small), (0.5,))[0] > _LIGHTEST_BOARD:
        return False
    small = small.astype(np.int16)
    wide = max(3, min(small.shape) // 2) | 1
    level = small - cv2.blur(small, (wide, wide), borderType=cv2.BORDER_REPLICATE)
    count = np.bincount(level.ravel() + 255, minlength=511)
    low, ground, top = _quantiles(count, (0.01, 0.5, 0.99))
    if top - ground < max(30, 1.25 * (ground - low)):
        return False
    # Plain: most of the image is as light as the ground, give or take a little.
    plain = count[max(0, int(ground) - 25) : int(ground) + 26]
    return bool(plain.sum() > 0.6 * level.size)


def _darkness(grey: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return how much darker than the paper around it each pixel is, uint8, 0 to 255."""
    height, width = grey.shape
    smooth = cv2.GaussianBlur(grey, (3, 3), 0)
    step = max(1, min(4, min(height, width) // 40))
    coarse = _coarse(smooth, step, step)
    size = coarse.shape
    close_up = min(height, width) < _CLOSE_UP_SIDE
    # A closing takes the darker corners of a picture for ink: flat, a close-up has none.
    light = _slow_light(coarse) if close_up else None
    if light is not None:
        coarse = cv2.divide(coarse, light, scale=200, dtype=cv2.CV_8U)
    # A close-up of one letter has strokes of up to a quarter of its size, a sheet much less.
    reach = max(3, int((0.5 if close_up else 0.25) * min(size))) | 1
    kernel = np.ones((reach, reach), np.uint8)
    paper = cv2.morphologyEx(coarse, cv2.MORPH_CLOSE, kernel, borderType=cv2.BORDER_REPLICATE)
    soft = max(3, reach // 4) | 1
    blurred = cv2.blur(paper, (soft, soft))
    if light is not None:
        paper = cv2.multiply(blurred, light, scale=1 / 200, dtype=cv2.CV_8U)
    else:
        # Beside the sharp edge of a shadow the blurred paper is too light.
        paper = cv2.min(blurred, cv2.erode(paper, np.ones((3, 3), np.uint8)))
    full = (paper.shape[1] * step, paper.shape[0] * step)
    paper = cv2.resize(paper, full, interpolation=cv2.INTER_LINEAR)[:height, :width]
    paper = cv2.max(paper, 30)
    return cv2.bitwise_not(cv2.divide(smooth, paper, scale=255))


def _slow_light(grey: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return a paraboloid through the lighter parts of a picture, float32 of its shape."""
    height, width = grey.shape
    y = np.broadcast_to(np.linspace(-1, 1, height)[:, None], grey.shape)
    x = np.broadcast_to(np.linspace(-1, 1, width), grey.shape)
    terms = np.stack([np.ones(grey.shape), x, y, x * x, x * y, y * y], axis=2)
    few, level = terms[::2, ::2].reshape(-1, 6), grey[::2, ::2].ravel().astype(np.float64)
    weight = np.ones_like(level)
    for _ in range(6):
        pulled = few.T * weight
        factors = np.linalg.solve(pulled @ few + 1e-6 * np.eye(6), pulled @ level)
        weight = np.where(level < few @ factors, 0.05, 1.0)
    return np.maximum(terms @ factors, 20).astype(np.float32)


def _coarse(image: NDArray[np.uint8], rows: int, columns: int) -> NDArray[np.uint8]:
    """Return the means of tiles of so many pixels; resizing is fast by whole factors only."""
    height, width = image.shape
    if rows == columns == 1:
        return image
    image = cv2.copyMakeBorder(image, 0, -height % rows, 0, -width % columns, cv2.BORDER_REPLICATE)
    size = (image.shape[1] // columns, image.shape[0] // rows)
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA)


def _histogram(
    image: NDArray[np.uint8], mask: NDArray[np.uint8] | None = None
) -> NDArray[np.float32]:
    return cv2.calcHist([image], [0], mask, [256], [0, 256]).ravel()


def _quantiles(histogram: NDArray[np.generic], shares: tuple[float, ...]) -> list[float]:
    """Return those quantiles, much faster than by sorting pixels."""
    total = np.cumsum(histogram)
    levels = np.searchsorted(total, np.multiply(shares, total[-1]))
    return [float(level) for level in levels]
