"""Where the camera's picture stands beside what the network sees and how sure it is."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from hcr_live.options import Layout
from hcr_live.overlay.annotate import annotate, annotated_size
from hcr_live.overlay.canvas import (
    AMBER,
    BLACK,
    GREEN,
    GREY,
    RED,
    WHITE,
    Canvas,
    fit,
    text_width,
)
from hcr_live.view import Status, View

_BACKGROUND = 26
_BESIDE = 0.5
"""Width of what stands beside the camera's picture, as a share of that one's shorter side."""

_BARS_BESIDE, _BARS_INSIDE = 5, 3


def compose(
    view: View, status: Status, layout: Layout = "overlay", title: str = ""
) -> NDArray[np.uint8]:
    """Return the picture that the window shows and the recorder writes.

    Args:
        view: What is known after the frame; coordinates of the unmirrored frame.
        status: What the edges add.
        layout: "overlay" is what `annotate` draws, of its size. "side-by-side" is wider: to its
            right the last character as the network saw it, enlarged, and how likely which label
            is. "picture-in-picture" has these in its corner.
        title: A line at the top of the camera's picture, cut to fit, or "".

    Returns:
        uint8 BGR array, of the same size for all frames of a size.
    """
    if layout == "overlay":
        image = annotate(view, status)
        _draw_title(_canvas(image), title)
        return image
    camera = annotate(replace(view, latest=None), status)
    canvas = _canvas(camera)
    _draw_title(canvas, title)
    if layout == "picture-in-picture":
        if view.latest is not None:
            _draw_inset(canvas, view)
        return camera
    beside = _beside(canvas.width, canvas.height)
    image = cv2.copyMakeBorder(
        camera, 0, 0, 0, beside, cv2.BORDER_CONSTANT, value=(_BACKGROUND,) * 3
    )
    _draw_beside(Canvas(image[:, canvas.width :], canvas.unit), view)
    return image


def composed_size(width: int, height: int, layout: Layout) -> tuple[int, int]:
    """Return the width and height of the pictures of `compose`, of frames of that size."""
    width, height = annotated_size(width, height)
    return width + (_beside(width, height) if layout == "side-by-side" else 0), height


def with_countdown(picture: NDArray[np.uint8], seconds: int) -> NDArray[np.uint8]:
    """Return a copy of a uint8 (height, width, 3) picture with a large number in its middle."""
    canvas = _canvas(picture.copy())
    centre = (canvas.width // 2, canvas.height // 2)
    radius, size, label = canvas.px(110), canvas.px(150), str(seconds)
    cv2.circle(canvas.image, centre, radius, BLACK, cv2.FILLED, cv2.LINE_AA)
    cv2.circle(canvas.image, centre, radius, RED, canvas.px(8), cv2.LINE_AA)
    x = centre[0] - text_width(label, size, "bold") // 2
    canvas.text(label, x, centre[1] + round(size * 0.36), size, WHITE, "bold")
    return canvas.image


def _canvas(image: NDArray[np.uint8]) -> Canvas:
    return Canvas(image, unit=min(image.shape[0] / 720, image.shape[1] / 960))


def _beside(width: int, height: int) -> int:
    return round(_BESIDE * min(width, height)) // 2 * 2


def _draw_title(canvas: Canvas, title: str) -> None:
    """In the middle, below the line at the top; the corners are taken."""
    if not title:
        return
    size, gap = max(canvas.px(30), 15), canvas.px(14)
    title = fit(title, size, canvas.width - 2 * canvas.px(226), "bold")
    width = text_width(title, size, "bold")
    x, y = (canvas.width - width) // 2, canvas.px(52)
    canvas.panel(x - gap, y, width + 2 * gap, round(size * 1.4))
    canvas.text(title, x, y + size, size, WHITE, "bold")


def _draw_inset(canvas: Canvas, view: View) -> None:
    width, margin = canvas.px(200), canvas.px(10)
    x, y = canvas.width - width - canvas.px(12), canvas.px(56)
    side = width - 2 * margin
    canvas.panel(x, y, width, side + 2 * margin + canvas.px(34) * _BARS_INSIDE, 0.75)
    _draw_glyph(canvas, view.seen, x + margin, y + margin, side)
    _draw_bars(canvas, view, x + margin, y + side + margin, side, canvas.px(34), _BARS_INSIDE)


def _draw_beside(canvas: Canvas, view: View) -> None:
    margin, small = canvas.px(20), max(canvas.px(20), 11)
    side = canvas.width - 2 * margin
    base = margin + small
    canvas.text(fit("what the network sees", small, side), margin, base, small, GREY)
    top = base + canvas.px(12)
    _draw_glyph(canvas, view.seen, margin, top, side)
    latest, letter = view.latest, canvas.px(96)
    if latest is None:
        note = fit("nothing read yet", small, side)
        canvas.text(note, margin, top + side + small + margin, small, GREY)
        return
    base = top + side + round(letter * 0.9)
    end = canvas.text(latest.text, margin, base, letter, WHITE, "bold")
    large = canvas.px(40)
    canvas.text(f"{latest.confidence:.0%}", end + margin, base, large)
    top = base + canvas.px(16)
    row = min(canvas.px(38), (canvas.height - top) // _BARS_BESIDE)
    _draw_bars(canvas, view, margin, top, side, row, _BARS_BESIDE)


def _draw_glyph(
    canvas: Canvas, seen: NDArray[np.float32] | None, x: int, y: int, side: int
) -> None:
    """The network's input, each of its pixels a square of the picture's."""
    region = canvas.image[y : y + side, x : x + side]
    region[:] = BLACK
    if seen is not None:
        grey = cv2.convertScaleAbs(seen, alpha=255.0)
        large = cv2.resize(grey, region.shape[1::-1], interpolation=cv2.INTER_NEAREST)
        cv2.cvtColor(large, cv2.COLOR_GRAY2BGR, dst=region)
    cv2.rectangle(canvas.image, (x, y), (x + side - 1, y + side - 1), GREY, 1)


def _draw_bars(
    canvas: Canvas, view: View, x: int, y: int, width: int, row: int, count: int
) -> None:
    """The most likely labels of the last character, a row each: label, bar, percentage."""
    if view.latest is None:
        return
    every = view.latest.probabilities or dict(view.latest.candidates)
    best = sorted(every.items(), key=lambda item: -item[1])[:count]
    size = max(round(row * 0.62), 10)
    gap, number = size // 2, text_width("100%", size)
    left = x + text_width("W", size, "bold") + gap
    length = width - (left - x) - gap - number
    for place, (text, value) in enumerate(best):
        base = y + row * place + round(row * 0.75)
        colour = GREEN if place == 0 else AMBER
        canvas.text(text, x, base, size, WHITE, "bold")
        canvas.bar(left, base - round(size * 0.5), length, max(2, size // 3), value, colour)
        percent = f"{value:.0%}"
        canvas.text(percent, x + width - text_width(percent, size), base, size)
