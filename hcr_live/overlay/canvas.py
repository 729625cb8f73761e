"""Drawing on a picture: text, panels and bars that stay readable on light and dark."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

Colour = tuple[int, int, int]
"""BGR, 0 to 255."""

WHITE: Colour = (255, 255, 255)
BLACK: Colour = (0, 0, 0)
GREEN: Colour = (110, 220, 90)
AMBER: Colour = (60, 190, 255)
RED: Colour = (70, 70, 245)
CYAN: Colour = (255, 220, 80)
GREY: Colour = (190, 190, 190)

Weight = Literal["normal", "bold"]
_WEIGHTS: dict[Weight, int] = {"normal": 500, "bold": 800}


@functools.cache
def _font() -> Any:
    return cv2.FontFace("sans")


@functools.lru_cache(maxsize=1024)
def text_width(text: str, size: int, weight: Weight = "normal") -> int:
    """Width in pixels of a line of text whose capitals are about 0.7 `size` high."""
    box = cv2.getTextSize((0, 0), text, (0, 0), _font(), size, _WEIGHTS[weight])
    return int(box[2])


def fit_end(text: str, size: int, width: int) -> str:
    """Return the end of `text` that fits into `width` pixels, with "..." where cut."""
    if text_width(text, size) <= width:
        return text
    start, stop = 1, len(text)
    while start < stop:
        middle = (start + stop) // 2
        if text_width("..." + text[middle:], size) <= width:
            stop = middle
        else:
            start = middle + 1
    return "..." + text[start:]


def fit(text: str, size: int, width: int, weight: Weight = "normal") -> str:
    """Return the beginning of `text` that fits into `width` pixels, with "..." where cut."""
    if text_width(text, size, weight) <= width:
        return text
    while text and text_width(text + "...", size, weight) > width:
        text = text[:-1]
    return text.rstrip() + "..."


@dataclass(frozen=True, eq=False)
class Canvas:
    """A picture that is drawn on in place.

    Attributes:
        image: uint8 (height, width, 3) BGR.
        unit: Pixels of one unit of the layout: 1 at 720 rows.
    """

    image: NDArray[np.uint8]
    unit: float

    @property
    def width(self) -> int:
        """Pixels from left to right."""
        return int(self.image.shape[1])

    @property
    def height(self) -> int:
        """Pixels from top to bottom."""
        return int(self.image.shape[0])

    def px(self, units: float) -> int:
        """Layout units in whole pixels, at least 1."""
        return max(1, round(units * self.unit))

    def panel(self, x: int, y: int, w: int, h: int, opacity: float = 0.7) -> None:
        """Darken a rectangle, so that light text on it is readable on any scene."""
        x0, y0 = max(0, x), max(0, y)
        region = self.image[y0 : max(y0, y + h), x0 : max(x0, x + w)]
        if region.size:
            cv2.convertScaleAbs(region, region, 1.0 - opacity, 0)

    def text(
        self,
        text: str,
        x: int,
        y: int,
        size: int,
        colour: Colour = WHITE,
        weight: Weight = "normal",
    ) -> int:
        """Write `text` with its base line at `y`; return the x where it ends."""
        cv2.putText(self.image, text, (x, y), colour, _font(), size, _WEIGHTS[weight])
        return x + text_width(text, size, weight)

    def bar(self, x: int, y: int, w: int, h: int, fraction: float, colour: Colour) -> None:
        """A horizontal bar, filled from the left to `fraction` in [0, 1]."""
        cv2.rectangle(self.image, (x, y), (x + w, y + h), (70, 70, 70), cv2.FILLED)
        filled = round(w * min(max(fraction, 0.0), 1.0))
        if filled:
            cv2.rectangle(self.image, (x, y), (x + filled, y + h), colour, cv2.FILLED)

    def outlined_box(self, x: int, y: int, w: int, h: int, colour: Colour) -> None:
        """A rectangle with a dark edge, visible on light and dark."""
        thick = self.px(2)
        cv2.rectangle(self.image, (x, y), (x + w, y + h), BLACK, thick + self.px(2))
        cv2.rectangle(self.image, (x, y), (x + w, y + h), colour, thick)

    def polyline(
        self, points: NDArray[np.float32], colour: Colour, thick: int, closed: bool = False
    ) -> None:
        """A line through float (n, 2) points with a dark edge; one point is a dot."""
        fixed = np.round(points * 8).astype(np.int32).reshape(-1, 1, 2)
        if len(fixed) == 1:
            fixed = np.repeat(fixed, 2, axis=0)
        for ink, width in ((BLACK, thick + self.px(3)), (colour, thick)):
            cv2.polylines(self.image, [fixed], closed, ink, width, cv2.LINE_AA, 3)
