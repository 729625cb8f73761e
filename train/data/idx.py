"""The idx format of bytes (LeCun's MNIST page), plain or gzipped, and pairs of such files."""

from __future__ import annotations

import gzip
import io
import math
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hcr_live.errors import HcrError
from train.data.characters import reading

_NAME = re.compile(r"(?P<part>.+)-(?:images|labels)[-.]idx[13]-ubyte(?:\.gz)?")
_PIECE = 1 << 20


def part_of(path: Path) -> str | None:
    """Return what stands before `-images-idx3-ubyte`, as `train`; None for another kind of file."""
    match = _NAME.fullmatch(path.name)
    return match["part"] if match else None


def read_idx(path: Path, dimensions: int) -> NDArray[np.uint8]:
    """Return the array of a file.

    Raises:
        HcrError: If it is cut off, longer than its header says, or no such file.
    """
    array = np.empty(_shape(path, dimensions), np.uint8)
    _read_into(array, path)
    return array


def read_parts(
    folder: Path, parts: Sequence[str]
) -> tuple[NDArray[np.uint8], list[NDArray[np.uint8]]]:
    """Return the images of all parts in one block (n, h, w), and the labels of each.

    Raises:
        HcrError: If a file is missing or can't be read, or a part's two files differ in length.
    """
    paths = [_find(folder, part, "images-idx3") for part in parts]
    shapes = [_shape(path, 3) for path in paths]
    labels = [read_idx(_find(folder, part, "labels-idx1"), 1) for part in parts]
    for path, shape, numbers in zip(paths, shapes, labels, strict=True):
        if shape[0] != len(numbers) or shape[1:] != shapes[0][1:]:
            raise HcrError(
                f"{path} has {shape[0]} images, the labels beside it are {len(numbers)}, or the"
                " sizes differ: the files don't belong together, get them again."
            )
    images = np.empty((sum(shape[0] for shape in shapes), *shapes[0][1:]), np.uint8)
    at = 0
    for path, shape in zip(paths, shapes, strict=True):
        _read_into(images[at : at + shape[0]], path)
        at += shape[0]
    return images, labels


def _shape(path: Path, dimensions: int) -> tuple[int, ...]:
    with reading(path), _opened(path) as file:
        header = file.read(4 + 4 * dimensions)
        if len(header) < 4 + 4 * dimensions or header[:4] != bytes([0, 0, 8, dimensions]):
            raise ValueError(f"it is no idx file of bytes in {dimensions} dimensions")
        shape: tuple[int, ...] = tuple(np.frombuffer(header, ">u4", dimensions, 4).tolist())
        # A gzipped byte is never more than 1,032: a header that says so is damaged.
        if math.prod(shape) > path.stat().st_size * 1032:
            raise ValueError(f"its header says {shape}, more than the file can hold")
    return shape


def _read_into(array: NDArray[np.uint8], path: Path) -> None:
    """Fill the array from the file, piece by piece, so that memory holds the pixels once."""
    flat = array.reshape(-1).data
    at = 0
    with reading(path), _opened(path) as file:
        file.read(4 + 4 * array.ndim)
        while got := file.readinto(flat[at : at + _PIECE]):
            at += got
        if at < len(flat):
            raise EOFError
        if file.read(1):
            raise ValueError("it is longer than its header says")


def _opened(path: Path) -> io.BufferedIOBase:
    return gzip.open(path) if path.suffix == ".gz" else path.open("rb")


def _find(folder: Path, part: str, kind: str) -> Path:
    """Return the file of a part, unpacked if it is there both ways."""
    for ending in ("", ".gz"):
        for dash in "-.":
            path = folder / f"{part}-{kind.replace('-', dash)}-ubyte{ending}"
            if path.is_file():
                return path
    raise HcrError(f"There is no {part}-{kind}-ubyte (or .gz) in {folder}: put it there.")
