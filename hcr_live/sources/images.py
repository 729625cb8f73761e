"""Still images: one file, or a folder of them."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hcr_live.errors import HcrError
from hcr_live.frame import Frame
from hcr_live.quiet import silent_opencv_log, silent_stderr
from hcr_live.sources.base import EndOfSource, SourceInfo, SourceState

IMAGE_SUFFIXES = frozenset(
    {
        ".jpg",
        ".jpeg",
        ".jpe",
        ".jfif",
        ".png",
        ".bmp",
        ".dib",
        ".webp",
        ".tif",
        ".tiff",
        ".pbm",
        ".pgm",
        ".ppm",
        ".pnm",
        ".jp2",
        ".avif",
    }
)
"""Endings (lower case) that a folder is searched for."""

_ROWS_AT_ONCE = 256
_HEIC_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"mif1", b"msf1")


def load_image(path: str | Path, *, keep_grey: bool = False) -> NDArray[np.uint8]:
    """Read one image file of any size, depth and colour model that OpenCV can decode.

    16 bits are scaled to 8, transparent parts become white, and a photo is turned upright
    as its EXIF orientation says.

    Args:
        path: The file.
        keep_grey: Leave a picture that is stored in grey (h, w), which takes less time.

    Returns:
        uint8 array (height, width, 3), BGR.

    Raises:
        HcrError: If the file is missing, empty, damaged or no image.
    """
    return decode_image(_read_bytes(path), str(path), keep_grey=keep_grey)


def decode_image(data: bytes, name: str, *, keep_grey: bool = False) -> NDArray[np.uint8]:
    """Decode the content of an image file, as `load_image` does.

    Args:
        data: The file's bytes.
        name: What to call it where it cannot be decoded.
        keep_grey: As there.

    Raises:
        HcrError: If it is empty, damaged or no image.
    """
    import cv2

    if not data:
        raise HcrError(f"{name} is empty (0 bytes): choose another image.")
    with silent_opencv_log(), silent_stderr():
        try:
            image = _decode(data, keep_grey=keep_grey)
        except cv2.error:
            image = None
        except MemoryError as error:
            raise HcrError(f"{name} is too large for this computer's memory.") from error
    if image is not None and image.size > 0:
        return image
    if data[4:8] == b"ftyp" and data[8:12] in _HEIC_BRANDS:
        raise HcrError(f"{name} is a HEIC photo, which cannot be read: save it as JPEG or PNG.")
    raise HcrError(
        f"{name} cannot be read as an image: it is damaged or another kind of file,"
        " choose a JPEG, PNG, BMP, WebP or TIFF."
    )


def to_bgr(image: NDArray[Any]) -> NDArray[np.uint8]:
    """Bring a picture of any common kind to the one that is read.

    Args:
        image: Array (h, w) or (h, w, 1) grey, (h, w, 3) BGR or (h, w, 4) BGRA; uint8, uint16,
            or another type of number, whose range is then stretched (floats in [0, 1] count
            as they are). At least 1x1.

    Returns:
        uint8 (h, w, 3), BGR; transparent parts white. The array itself where it is so already.

    Raises:
        HcrError: If it is no such array.
    """
    import cv2

    image = np.asarray(image)
    is_picture = image.ndim == 2 or (image.ndim == 3 and image.shape[2] in (1, 3, 4))
    is_numeric = image.dtype.kind in "buif"
    if not is_picture or image.size == 0 or not is_numeric:
        raise HcrError(
            f"An array of shape {image.shape} and type {image.dtype} is no image: give uint8"
            " (height, width, 3) BGR."
        )
    image = _to_8_bits(image)
    if image.ndim == 2 or image.shape[2] == 1:
        return cv2.cvtColor(np.ascontiguousarray(image), cv2.COLOR_GRAY2BGR)
    return _on_white(image) if image.shape[2] == 4 else image


def list_images(folder: str | Path) -> list[Path]:
    """Return the image files of a folder (not of folders in it), img2 before img10.

    Raises:
        HcrError: If the folder cannot be read or holds no file with an image's ending.
    """
    try:
        paths = [
            path
            for path in Path(folder).iterdir()
            if path.suffix.lower() in IMAGE_SUFFIXES
            and not path.name.startswith(".")
            and path.is_file()
        ]
    except OSError as error:
        raise HcrError(f"Cannot read the folder {folder}: {error.strerror}.") from error
    if not paths:
        raise HcrError(
            f"The folder {folder} holds no images: choose one with JPEG, PNG, BMP, WebP"
            " or TIFF files."
        )
    return sorted(paths, key=lambda path: natural_key(path.name))


def natural_key(name: str) -> tuple[list[str | int], str]:
    """Return what sorts names as people count: img2 before img10."""
    parts = re.split(r"([0-9]+)", name.casefold())
    return [int(part) if i % 2 else part for i, part in enumerate(parts)], name


class ImageSource:
    """Every image once, in order; what cannot be read is skipped and named.

    Attributes:
        skipped: A sentence for each file that could not be read so far.
    """

    def __init__(self, name: str, paths: Sequence[str | Path]) -> None:
        """Read the first image.

        Args:
            name: For people and events.
            paths: The files, in reading order; at least one.

        Raises:
            HcrError: If not one of the files can be read.
        """
        self.skipped: list[str] = []
        self._name = name
        self._skipped_names: list[str] = []
        self._waiting = [Path(path) for path in paths]
        self._count = 0
        self._state = SourceState.RUNNING
        self._first = self._load_next()
        if self._first is None:
            if len(paths) == 1:
                raise HcrError(self.skipped[0])
            raise HcrError(
                f"None of the {len(paths)} images in {name} can be read; the first: "
                + self.skipped[0]
            )
        height, width = self._first.shape[:2]
        self._info = SourceInfo(name, width, height, fps=0.0, live=False)

    @property
    def info(self) -> SourceInfo:
        """Name and size of the first image; there is no rate."""
        return self._info

    @property
    def state(self) -> SourceState:
        """RUNNING until the last image was handed over."""
        return self._state

    @property
    def dropped(self) -> int:
        """Always 0: every image is handed over."""
        return 0

    @property
    def notice(self) -> str:
        """Names the files that were skipped so far."""
        if not self._skipped_names:
            return ""
        count = len(self._skipped_names)
        what = "1 file" if count == 1 else f"{count} files"
        return f"Skipped {what} that cannot be read: {', '.join(self._skipped_names)}."

    def read(self, timeout: float = 0.1) -> Frame | None:
        """Return the next image, `time` counting 1 second an image.

        Raises:
            EndOfSource: After the last one.
        """
        # Loaded when asked for, and not before: two large photos at once would waste memory.
        image = self._first if self._count == 0 else self._load_next()
        self._first = None
        if image is None:
            self._state = SourceState.ENDED
            raise EndOfSource
        self._count += 1
        return Frame(image, self._count - 1, float(self._count - 1), still=True)

    def close(self) -> None:
        """Forget the images that were not read."""
        self._state = SourceState.ENDED
        self._first = None
        self._waiting.clear()

    def _load_next(self) -> NDArray[np.uint8] | None:
        while self._waiting:
            path = self._waiting.pop(0)
            try:
                return load_image(path)
            except HcrError as error:
                self.skipped.append(str(error))
                self._skipped_names.append(path.name)
        return None


def _read_bytes(path: str | Path) -> bytes:
    try:
        mode = os.stat(path).st_mode
        if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
            raise HcrError(f"{path} is no ordinary file: give an image or a folder.")
        with open(path, "rb") as file:
            return file.read()
    except FileNotFoundError as error:
        raise HcrError(f"There is no file {path}: check the path.") from error
    except IsADirectoryError as error:
        raise HcrError(f"{path} is a folder, not an image.") from error
    except OSError as error:
        raise HcrError(f"Cannot read {path}: {error.strerror}.") from error


def _decode(data: bytes, *, keep_grey: bool) -> NDArray[np.uint8] | None:
    import cv2

    buffer = np.frombuffer(data, np.uint8)
    if data.startswith(b"\xff\xd8"):  # JPEG has no alpha, so the straight way will do
        return cv2.imdecode(buffer, cv2.IMREAD_COLOR)
    # Only IMREAD_UNCHANGED keeps the alpha, and only the others follow the EXIF orientation.
    raw = cv2.imdecode(buffer, cv2.IMREAD_UNCHANGED)
    if raw is None:
        return None
    has_alpha = raw.ndim == 3 and raw.shape[2] == 4
    if not has_alpha and (b"eXIf" in data or b"EXIF" in data):
        turned = cv2.imdecode(buffer, cv2.IMREAD_COLOR | cv2.IMREAD_ANYDEPTH)
        raw = raw if turned is None else turned
    return raw if keep_grey and raw.ndim == 2 and raw.dtype == np.uint8 else to_bgr(raw)


def _to_8_bits(image: NDArray[Any]) -> NDArray[np.uint8]:
    import cv2

    if image.dtype == np.uint8:
        return image
    if image.dtype == np.uint16:
        return cv2.convertScaleAbs(np.ascontiguousarray(image), alpha=255 / 65535)
    finite = np.nan_to_num(image.astype(np.float32), posinf=0.0, neginf=0.0)
    if np.issubdtype(image.dtype, np.floating) and finite.min() >= 0 and finite.max() <= 1:
        return cv2.convertScaleAbs(finite, alpha=255)
    return cv2.normalize(finite, None, 0, 255, cv2.NORM_MINMAX).astype(np.uint8)


def _on_white(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Lay a BGRA image on white; in strips, as a large one would need four times its size."""
    import cv2

    out = np.empty((*image.shape[:2], 3), np.uint8)
    for top in range(0, len(image), _ROWS_AT_ONCE):
        strip = image[top : top + _ROWS_AT_ONCE]
        alpha = cv2.cvtColor(np.ascontiguousarray(strip[..., 3]), cv2.COLOR_GRAY2BGR)
        ink = cv2.multiply(np.ascontiguousarray(strip[..., :3]), alpha, scale=1 / 255)
        out[top : top + _ROWS_AT_ONCE] = ink + (255 - alpha)
    return out
