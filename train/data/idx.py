"""The idx format of bytes (LeCun's MNIST page), plain or gzipped, and pairs of such files."""

from __future__ import annotations

import gzip
import re
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
    """Return the array of a file, read straight into its memory.

    Raises:
        HcrError: If it is cut off, longer than its header says, or no such file.
    """
    with reading(path), _opened(path) as file:
        header = file.read(4 + 4 * dimensions)
        if len(header) < 4 + 4 * dimensions or header[:4] != bytes([0, 0, 8, dimensions]):
            raise ValueError(f"it is no idx file of bytes in {dimensions} dimensions")
        shape = np.frombuffer(header, ">u4", dimensions, 4).tolist()
        size = int(np.prod(shape, dtype=object))
        if path.suffix != ".gz" and path.stat().st_size - len(header) < size:
            raise EOFError
        block = np.empty(size, np.uint8)
        at = 0
        while got := file.readinto(memoryview(block)[at : at + _PIECE]):
            at += got
        if at < size:
            raise EOFError
        if file.read(1):
            raise ValueError("it is longer than its header says")
    return block.reshape(shape)


def read_pair(folder: Path, part: str) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Return the images (n, h, w) and labels (n,) of a part.

    Raises:
        HcrError: If one of the two files is missing, can't be read, or they differ in length.
    """
    images_path, labels_path = (
        _find(folder, part, kind) for kind in ("images-idx3", "labels-idx1")
    )
    labels = read_idx(labels_path, 1)
    images = read_idx(images_path, 3)
    if len(images) != len(labels):
        raise HcrError(
            f"{images_path} has {len(images)} images, {labels_path.name} beside it {len(labels)}"
            " labels: they don't belong together; get both again."
        )
    return images, labels


def _opened(path: Path):  # type: ignore[no-untyped-def]
    return gzip.open(path) if path.suffix == ".gz" else path.open("rb")


def _find(folder: Path, part: str, kind: str) -> Path:
    """Return the file of a part, unpacked if it is there both ways."""
    for ending in ("", ".gz"):
        for dash in "-.":
            path = folder / f"{part}-{kind.replace('-', dash)}-ubyte{ending}"
            if path.is_file():
                return path
    raise HcrError(f"There is no {part}-{kind}-ubyte (or .gz) in {folder}: put it there.")
