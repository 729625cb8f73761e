"""Draw a `View` onto a copy of its frame."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from hcr_live.frame import Box
from hcr_live.options import KEYS
from hcr_live.overlay.canvas import (
    AMBER,
    CYAN,
    GREEN,
    GREY,
    RED,
    WHITE,
    Canvas,
    Colour,
    Weight,
    fit_end,
    text_width,
)
from hcr_live.reading import Prediction, Reading
from hcr_live.view import Mark, Status, View

_SMALLEST = 320, 240
_MOST_DETAILED = 12  # more marks than this get a letter and a bar, without candidates


def annotate(view: View, status: Status) -> NDArray[np.uint8]:
    """Return the picture that the window shows and the recorder writes.

    Args:
        view: What is known after the frame; coordinates of the unmirrored frame.
        status: What the edges add; `status.mirror` flips the picture, never the writing on it.

    Returns:
        uint8 array of the frame's size, at least 320x240, BGR.
    """
    source = view.frame.image
    image = cv2.flip(source, 1) if status.mirror else source.copy()
    image = _at_least(image, *_SMALLEST)
    canvas = Canvas(image, unit=min(image.shape[0] / 720, image.shape[1] / 960))
    scale = image.shape[1] / source.shape[1]

    _draw_paper(canvas, view, status.mirror, scale)
    _draw_air(canvas, view, status.mirror, scale)
    _draw_top(canvas, view, status)
    _draw_latest(canvas, view.latest)
    _draw_text(canvas, view, status)
    if status.help_shown:
        _draw_help(canvas)
    return canvas.image


def annotate_reading(image: NDArray[np.uint8], reading: Reading) -> NDArray[np.uint8]:
    """Return a copy of a still picture with every character's box, letter and confidence.

    Args:
        image: uint8 (height, width, 3) BGR.
        reading: What was read on it.

    Returns:
        uint8 BGR array of the picture's size, at least 320x240.
    """
    drawn = _at_least(image.copy(), *_SMALLEST)
    canvas = Canvas(drawn, unit=min(drawn.shape[0] / 720, drawn.shape[1] / 960))
    scale = drawn.shape[1] / image.shape[1]
    detailed = len(reading.characters) <= _MOST_DETAILED
    for character in reading.characters:
        box = _shown_box(character.box, canvas, False, scale)
        _draw_mark(canvas, Mark(character.box, character, True), box, detailed)
    return drawn


def _at_least(image: NDArray[np.uint8], width: int, height: int) -> NDArray[np.uint8]:
    """Enlarge a picture that is too small to write on, keeping its aspect."""
    size = _size_at_least(image.shape[1], image.shape[0], width, height)
    if size == image.shape[1::-1]:
        return image
    return cv2.resize(image, size, interpolation=cv2.INTER_CUBIC)


def _size_at_least(columns: int, rows: int, width: int, height: int) -> tuple[int, int]:
    factor = max(width / columns, height / rows, 1.0)
    return round(columns * factor), round(rows * factor)


def annotated_size(width: int, height: int) -> tuple[int, int]:
    """Return the width and height of the pictures of `annotate`, of frames of that size."""
    return _size_at_least(width, height, *_SMALLEST)


def _shown(
    points: NDArray[np.float32], canvas: Canvas, mirror: bool, scale: float
) -> NDArray[np.float32]:
    """Frame coordinates to those of the picture shown."""
    shown = np.asarray(points, np.float32)[:, :2] * np.float32(scale)
    if mirror:
        shown = shown * np.array([-1, 1], np.float32) + np.array([canvas.width - 1, 0], np.float32)
    return shown


def _shown_box(box: Box, canvas: Canvas, mirror: bool, scale: float) -> Box:
    x, y, w, h = (round(value * scale) for value in box)
    return Box(canvas.width - x - w if mirror else x, y, w, h)


def _draw_paper(canvas: Canvas, view: View, mirror: bool, scale: float) -> None:
    if view.outline is not None:
        canvas.polyline(
            _shown(view.outline, canvas, mirror, scale), CYAN, canvas.px(2), closed=True
        )
    if view.guide is not None:
        _draw_guide(canvas, _shown_box(view.guide, canvas, mirror, scale))
    for joined in view.joined:
        canvas.outlined_box(*_shown_box(joined, canvas, mirror, scale), GREY)
    detailed = len(view.marks) <= _MOST_DETAILED
    for mark in view.marks:
        _draw_mark(canvas, mark, _shown_box(mark.box, canvas, mirror, scale), detailed)


def _draw_guide(canvas: Canvas, box: Box) -> None:
    """Four corners: hold the sheet in here."""
    arm = min(box.w, box.h) // 8
    for x, dx in ((box.x, arm), (box.x + box.w, -arm)):
        for y, dy in ((box.y, arm), (box.y + box.h, -arm)):
            corner = np.array([[x + dx, y], [x, y], [x, y + dy]], np.float32)
            canvas.polyline(corner, GREY, canvas.px(2))


def _draw_mark(canvas: Canvas, mark: Mark, box: Box, detailed: bool) -> None:
    colour = GREEN if mark.settled else AMBER
    canvas.outlined_box(box.x, box.y, box.w, box.h, colour)
    if not mark.prediction.text:
        return
    size = int(np.clip(box.h * 0.6, canvas.px(24), canvas.px(56)))
    small = max(canvas.px(15), 11)
    gap = canvas.px(5)
    letter = text_width(mark.prediction.text, size, "bold")
    number = text_width("100%", small)
    # Neighbours stand close: where the number does not fit beside the letter it goes below.
    beside = letter + number + 3 * gap <= box.w + gap
    width = letter + number + 3 * gap if beside else max(letter, number) + 2 * gap
    height = size + gap if beside else size + small + 2 * gap
    x = int(np.clip(box.x, 0, max(0, canvas.width - width)))
    y = box.y - height - canvas.px(3)
    if y < 0:
        y = min(box.y + box.h + canvas.px(3), canvas.height - height)
    canvas.panel(x, y, width, height, 0.75)
    canvas.text(mark.prediction.text, x + gap, y + round(size * 0.85), size, colour, "bold")
    left = x + letter + 2 * gap if beside else x + gap
    base = y + height // 2 if beside else y + size + round(small * 0.85)
    canvas.text(f"{mark.prediction.confidence:.0%}", left, base, small)
    length = x + width - gap - left
    thick = canvas.px(4)
    top = base + gap if beside else y + height - thick
    canvas.bar(left, top, length, thick, mark.prediction.confidence, colour)
    if detailed:
        _draw_rivals(canvas, mark.prediction, box, small)


def _draw_rivals(canvas: Canvas, prediction: Prediction, box: Box, size: int) -> None:
    """The second and third candidate below the box, side by side where there is room."""
    rivals = [f"{text} {value:.0%}" for text, value in prediction.candidates[1:3]]
    line = "  ".join(rivals)
    margin = canvas.px(4)
    lines = [line] if text_width(line, size) + 2 * margin <= box.w + margin else rivals
    width = max((text_width(line, size) for line in lines), default=0) + 2 * margin
    x = int(np.clip(box.x, 0, max(0, canvas.width - width)))
    y = box.y + box.h + margin
    row = round(size * 1.3)
    if not rivals or y + row * len(lines) > canvas.height:
        return
    canvas.panel(x, y, width, row * len(lines), 0.65)
    for number, line in enumerate(lines):
        canvas.text(line, x + margin, y + row * number + size, size, GREY)


def _draw_air(canvas: Canvas, view: View, mirror: bool, scale: float) -> None:
    for stroke in view.trail:
        if len(stroke):
            canvas.polyline(_shown(stroke, canvas, mirror, scale), CYAN, canvas.px(6))
    if view.tip is None:
        return
    point = _shown(np.array([view.tip], np.float32), canvas, mirror, scale)[0]
    centre = (round(float(point[0])), round(float(point[1])))
    radius = canvas.px(11)
    cv2.circle(canvas.image, centre, radius, (0, 0, 0), canvas.px(6), cv2.LINE_AA)
    if view.pen == "down":
        cv2.circle(canvas.image, centre, radius, GREEN, cv2.FILLED, cv2.LINE_AA)
    else:
        cv2.circle(canvas.image, centre, radius, WHITE, canvas.px(3), cv2.LINE_AA)
    if view.pause > 0:
        _draw_ring(canvas, centre, radius + canvas.px(7), view.pause, AMBER)
    if view.coming:
        _draw_ring(canvas, centre, radius + canvas.px(22), view.hold, RED)
        size = max(canvas.px(26), 14)
        width = text_width(view.coming, size, "bold")
        x = int(np.clip(centre[0] - width // 2, 0, max(0, canvas.width - width)))
        y = centre[1] - canvas.px(48)
        if y - size < canvas.px(44):  # the line at the top
            y = centre[1] + canvas.px(48) + size
        canvas.panel(x - canvas.px(6), y - size, width + canvas.px(12), size + canvas.px(8))
        canvas.text(view.coming, x, y, size, WHITE, "bold")


def _draw_ring(
    canvas: Canvas, centre: tuple[int, int], radius: int, share: float, colour: Colour
) -> None:
    """A ring that fills clockwise from the top, on a dark one."""
    axes, thick = (radius, radius), canvas.px(5)
    cv2.ellipse(canvas.image, centre, axes, 0, 0, 360, (0, 0, 0), thick, cv2.LINE_AA)
    cv2.ellipse(canvas.image, centre, axes, -90, 0, 360 * share, colour, thick, cv2.LINE_AA)


def _draw_top(canvas: Canvas, view: View, status: Status) -> None:
    height = canvas.px(44)
    size = max(canvas.px(22), 13)
    base = round(height * 0.68)
    canvas.panel(0, 0, canvas.width, height)
    right = canvas.width - canvas.px(14)
    if status.fps > 0:
        label = f"{status.fps:.0f} fps"
        right -= text_width(label, size)
        canvas.text(label, right, base, size, GREY)
        right -= canvas.px(20)
    if status.recording:
        right -= text_width("REC", size, "bold")
        canvas.text("REC", right, base, size, RED, "bold")
        right -= canvas.px(14)
        lamp = (right, height // 2)
        cv2.circle(canvas.image, lamp, canvas.px(8), RED, cv2.FILLED, cv2.LINE_AA)
        right -= canvas.px(28)
    if status.sending:
        label = "  ".join(status.sending)
        right -= text_width(label, size, "bold")
        canvas.text(label, right, base, size, AMBER, "bold")
        right -= canvas.px(20)
    pen = {"none": "no hand", "up": "pen up", "down": "pen down"}[view.pen]
    labels: list[tuple[str, Colour, Weight]] = [
        (view.mode.upper() + (" (auto)" if view.automatic else ""), CYAN, "bold"),
        (view.alphabet, GREY, "normal"),
        (pen if view.mode == "air" else "", GREEN if view.pen == "down" else GREY, "normal"),
    ]
    x = canvas.px(14)
    for label, colour, weight in labels:
        if x + text_width(label, size, weight) <= right:
            x = canvas.text(label, x, base, size, colour, weight) + canvas.px(20)


def _draw_latest(canvas: Canvas, latest: Prediction | None) -> None:
    """The last certain character, large, with its three candidates as bars."""
    if latest is None:
        return
    width, height = canvas.px(200), canvas.px(122)
    x, y = canvas.width - width - canvas.px(12), canvas.px(56)
    canvas.panel(x, y, width, height, 0.65)
    size = canvas.px(88)
    offset = (canvas.px(86) - text_width(latest.text, size, "bold")) // 2
    canvas.text(latest.text, x + offset, y + round(height * 0.74), size, WHITE, "bold")
    row, small = y + canvas.px(30), max(canvas.px(18), 11)
    left = x + canvas.px(88)
    for text, value in latest.candidates:
        canvas.text(text, left, row, small)
        canvas.text(f"{value:.0%}", left + canvas.px(24), row, small)
        canvas.bar(left, row + canvas.px(5), canvas.px(100), canvas.px(6), value, GREEN)
        row += canvas.px(36)


def _draw_text(canvas: Canvas, view: View, status: Status) -> None:
    """The growing text, and one line below it: a notice, or else the hint."""
    margin = canvas.px(14)
    size, small = max(canvas.px(40), 20), max(canvas.px(22), 12)
    height = size + small + canvas.px(26)
    top = canvas.height - height
    canvas.panel(0, top, canvas.width, height)
    text = view.text.replace("\n", "  /  ")
    if view.mode == "air":  # a caret, apart from the text where a space will come
        text += " _" if view.word_ended and not text.endswith(" ") else "_"
    text = fit_end(text, size, canvas.width - 2 * margin)
    canvas.text(text, margin, top + size, size, WHITE, "bold" if len(text) < 30 else "normal")
    line = status.notice or view.hint
    colour = AMBER if status.notice else WHITE
    canvas.text(line, margin, canvas.height - canvas.px(11), small, colour)
    _draw_suggestions(canvas, view.suggestions, top)


def _draw_suggestions(canvas: Canvas, words: tuple[str, ...], bottom: int) -> None:
    """The words that can be taken, above the text, each with its key."""
    size, gap = max(canvas.px(28), 15), canvas.px(12)
    height = size + canvas.px(14)
    x, y = canvas.px(14), bottom - height - canvas.px(6)
    for number, word in enumerate(words, 1):
        key = str(number)
        width = text_width(key, size) + text_width(word, size, "bold") + 3 * gap
        if x + width > canvas.width:
            return
        canvas.panel(x, y, width, height, 0.75)
        end = canvas.text(key, x + gap, y + size, size, GREY)
        colour = CYAN if number == 1 else WHITE
        canvas.text(word, end + gap, y + size, size, colour, "bold")
        x += width + gap


def _draw_help(canvas: Canvas) -> None:
    size = max(canvas.px(24), 13)
    row = round(size * 1.5)
    widest = max(text_width(meaning, size) for _, meaning in KEYS)
    x, y = canvas.px(30), canvas.px(70)
    canvas.panel(
        x, y, canvas.px(170) + widest + canvas.px(16), row * len(KEYS) + canvas.px(20), 0.8
    )
    for number, (key, meaning) in enumerate(KEYS, 1):
        base = y + row * number
        canvas.text(key, x + canvas.px(16), base, size, CYAN, "bold")
        canvas.text(meaning, x + canvas.px(170), base, size)
