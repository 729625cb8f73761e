"""The last seconds of what was shown, as a small animated picture."""

from __future__ import annotations

import threading
from collections import deque
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

_PICTURES_A_SECOND = 12.5  # steps of 80 ms: GIF counts in hundredths of a second
_AREA = 480 * 270
_JPEG_QUALITY = 92
_WEBP_QUALITY = 80
_LONGEST_PICTURE = 2.0
"""Seconds: while a camera stalls, or is waited for, the excerpt need not."""


class Excerpts:
    """Keeps the last seconds as small JPEGs; `save` makes a file of them on a thread.

    Args:
        seconds: How much is kept.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        most = int(seconds * _PICTURES_A_SECOND) + 1
        self._kept: deque[tuple[NDArray[np.uint8], float]] = deque(maxlen=most)
        self._thread: threading.Thread | None = None
        self._news = ""
        self.error = ""

    def picture(self, image: NDArray[np.uint8], time: float) -> None:
        """Take a uint8 (height, width, 3) BGR picture of `time` seconds; times do not decrease."""
        # Times of frames are not exact: half a millisecond must not cost a picture.
        if self._kept and time - self._kept[-1][1] < 1 / _PICTURES_A_SECOND - 5e-4:
            return
        import cv2

        _, jpeg = cv2.imencode(".jpg", _small(image), [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])
        self._kept.append((jpeg, time))
        while time - self._kept[0][1] > self._seconds:
            self._kept.popleft()

    def save(self, path: Path) -> str:
        """Begin to write what is kept to a file that does not exist, .gif or .webp by its ending.

        Returns:
            One sentence for the user; another one is `news` when it is done.
        """
        if self._thread is not None and self._thread.is_alive():
            return "The excerpt before is still being written."
        if not self._kept:
            return "There is nothing to make an excerpt of yet."
        pictures = list(self._kept)
        self._thread = threading.Thread(
            target=self._write, args=(path, pictures), name="excerpt", daemon=True
        )
        self._thread.start()
        return f"Writing {path} ..."

    def news(self) -> str:
        """Return once how the last excerpt went, else ""."""
        news, self._news = self._news, ""
        return news

    def close(self) -> None:
        """Wait for the excerpt that is being written; may be called twice."""
        if self._thread is not None:
            self._thread.join()

    def _write(self, path: Path, pictures: list[tuple[NDArray[np.uint8], float]]) -> None:
        try:
            content = _encode(path.suffix, pictures)
            with open(path, "xb") as file:
                try:
                    file.write(content)
                    file.flush()
                except OSError:
                    path.unlink(missing_ok=True)  # half an animation is no use
                    raise
            self._news = f"Saved {path}."
        except OSError as error:
            self.error = self._news = f"Cannot write {path}: {error.strerror or error}."
        except Exception as error:  # OpenCV's, when it lacks memory
            self.error = self._news = f"Cannot make {path}: {error}."


def _small(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the picture at `_AREA` pixels, or as it is where it has fewer."""
    import cv2

    height, width = image.shape[:2]
    scale = (_AREA / (width * height)) ** 0.5
    if scale >= 1:
        return image
    size = max(1, round(width * scale)), max(1, round(height * scale))
    # Mean of 2x2 pixels first: several times as fast as `INTER_AREA` to a size that divides none.
    while image.shape[0] >= 2 * size[1] and image.shape[1] >= 2 * size[0]:
        rows, columns = image.shape[0] // 2, image.shape[1] // 2
        even = image[: 2 * rows, : 2 * columns]
        image = cv2.resize(even, (columns, rows), interpolation=cv2.INTER_AREA)
    return cv2.resize(image, size, interpolation=cv2.INTER_LINEAR)


def _encode(ending: str, pictures: list[tuple[NDArray[np.uint8], float]]) -> bytes:
    """Return an animation that goes on for ever, each picture shown until the next one's time."""
    import cv2

    animation: Any = cv2.Animation()
    animation.frames = [cv2.imdecode(jpeg, cv2.IMREAD_COLOR) for jpeg, _ in pictures]
    steps = np.diff([time for _, time in pictures], append=pictures[-1][1] + 1 / _PICTURES_A_SECOND)
    # Rounded as sums, so that they do not drift; browsers take less than 20 ms for 100.
    ends = np.round(np.cumsum(np.clip(steps, 0.02, _LONGEST_PICTURE)) * 100).astype(np.int32) * 10
    animation.durations = np.diff(ends, prepend=0)
    animation.loop_count = 0
    quality = [cv2.IMWRITE_WEBP_QUALITY, _WEBP_QUALITY] if ending == ".webp" else []
    done, content = cv2.imencodeanimation(ending, animation, quality)
    if not done:
        raise OSError(f"OpenCV cannot write {ending}")
    return bytes(content)
