"""Loaders: each source of handwriting becomes samples of one kind, split by writer."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hcr_live.alphabet import CLASSES
from hcr_live.errors import HcrError

Strokes = tuple[NDArray[np.float32], ...]
"""Strokes in writing order, each float32 (n, 2): x right, y down, any unit."""


@dataclass(frozen=True, eq=False)
class Sample:
    """One written character.

    Attributes:
        label: Column of `CLASSES`.
        content: Strokes, or uint8 (h, w) white ink on black.
        source: Name of the file or font that it is from.
        validation: True for the writers that are kept for validation.
    """

    label: int
    content: Strokes | NDArray[np.uint8]
    source: str
    validation: bool = False


# Stray dots or ticks as big as parts of the letter, or illegible: no good as patterns.
_CHARS74K_DEFECTS = frozenset(
    {"E/6", "K/4", "K/45", "L/48", "M/48", "Y/36", "h/47"}
    | {"o/3", "o/8", "q/14", "s/16", "r/46", "s/33", "j/48"}
)
_OMNIGLOT_DEFECTS = frozenset({"l/15", "i/15"})


def load(folder: Path) -> list[Sample]:
    """Return the samples of every known file in the folder.

    Args:
        folder: Holds any of `FILES`; those that are absent are left out.

    Raises:
        HcrError: If none is there, or one can't be read.
    """
    samples: list[Sample] = []
    for name, loader in FILES.items():
        path = folder / name
        if not path.exists():
            continue
        try:
            samples.extend(loader(path))
        except (OSError, EOFError, ValueError, KeyError, TypeError) as error:
            raise HcrError(f"Cannot read {path}: {error}; fetch the file again.") from error
    if not samples:
        raise HcrError(f"No training data in {folder}: it needs one of {', '.join(FILES)}.")
    return samples


def load_fonts(folder: Path, size: int = 72) -> list[Sample]:
    """Return every character of every font in the folder, uint8 ink about `size` pixels tall.

    Args:
        folder: Holds .woff, .woff2, .ttf or .otf files. Fonts whose small letters are drawn as
            capitals lend only their capitals and digits.
        size: Pixels of the font's em.

    Raises:
        HcrError: If there is no font, or one can't be read.
    """
    from PIL import ImageFont

    paths = sorted(p for p in folder.glob("*") if p.suffix in {".woff", ".woff2", ".ttf", ".otf"})
    if not paths:
        raise HcrError(f"No fonts in {folder}: put .woff or .ttf files there.")
    samples: list[Sample] = []
    for path in paths:
        try:
            font = ImageFont.truetype(str(path), size)
        except OSError as error:
            raise HcrError(f"Cannot read the font {path}: {error}.") from error
        glyphs = {character: _glyph(font, character) for character in CLASSES}
        small_capitals = sum(_same_shape(glyphs[c.lower()], glyphs[c]) for c in "ABDEGHNQRT") > 3
        for label, character in enumerate(CLASSES):
            if glyphs[character].any() and not (small_capitals and character.islower()):
                samples.append(Sample(label, glyphs[character], f"font:{path.stem}"))
    return samples


def _glyph(font: Any, character: str) -> NDArray[np.uint8]:
    from PIL import Image, ImageDraw

    left, top, right, bottom = font.getbbox(character)
    image = Image.new("L", (max(1, int(right - left) + 4), max(1, int(bottom - top) + 4)))
    ImageDraw.Draw(image).text((2 - left, 2 - top), character, fill=255, font=font)
    return np.asarray(image, np.uint8)


def _same_shape(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> bool:
    from hcr_live.ink.normalise import network_input

    return float(np.abs(network_input(one) - network_input(other)).mean()) < 0.04


def load_strokes(path: Path) -> list[Sample]:
    """Return the characters of any file of pen strokes, all as validation samples.

    Raises:
        HcrError: If it can't be read.
    """
    try:
        return list(_strokes(path, -(10**9), frozenset()))
    except (OSError, EOFError, ValueError, KeyError, TypeError) as error:
        raise HcrError(f"Cannot read {path}: {error}.") from error


def _strokes(path: Path, last_training_writer: int, defects: frozenset[str]) -> Iterator[Sample]:
    for entry in json.loads(gzip.decompress(path.read_bytes())):
        if f"{entry['label']}/{entry['writer']}" in defects:
            continue
        strokes = tuple(
            np.asarray([point[:2] for point in stroke], np.float32)
            for stroke in entry["strokes"]
            if stroke
        )
        validation = entry["writer"] > last_training_writer
        yield Sample(_label(entry["label"]), strokes, path.name, validation)


def _images(path: Path, last_training_writer: int = 10**9) -> Iterator[Sample]:
    with np.load(path) as arrays:
        images, labels, writers = arrays["image"], arrays["label"], arrays["writer"]
    for image, label, writer in zip(images, labels, writers, strict=True):
        yield Sample(_label(str(label)), image, path.name, bool(writer > last_training_writer))


def _ocr_letters(path: Path) -> Iterator[Sample]:
    with np.load(path) as arrays:
        images, labels, folds = arrays["image"], arrays["label"], arrays["fold"]
    for image, label, fold in zip(images, labels, folds, strict=True):
        if image.any():
            yield Sample(_label(str(label)), image, path.name, bool(fold == 9))


def _alphadigits(path: Path) -> Iterator[Sample]:
    # The source stretched every glyph to its frame, so most of its 1s are white blocks.
    return (sample for sample in _images(path) if CLASSES[sample.label] != "1")


def _nvfp(path: Path) -> Iterator[Sample]:
    for sample in _images(path):  # case-merged; every l is drawn as a capital
        label = _label("L") if CLASSES[sample.label] == "l" else sample.label
        yield Sample(label, sample.content, sample.source)


def _mnist(path: Path) -> Iterator[Sample]:
    for part, validation in (("train", False), ("t10k", True)):
        images = _idx(path / f"{part}-images-idx3-ubyte.gz", 3)
        labels = _idx(path / f"{part}-labels-idx1-ubyte.gz", 1)
        for image, label in zip(images, labels, strict=True):
            yield Sample(_label(str(label)), image, "mnist", validation)


def _idx(path: Path, dimensions: int) -> NDArray[np.uint8]:
    """Return the array of a gzipped idx file of bytes (LeCun's MNIST page)."""
    content = gzip.decompress(path.read_bytes())
    if content[:4] != bytes([0, 0, 8, dimensions]):
        raise ValueError(f"{path.name} is no idx file of bytes in {dimensions} dimensions")
    sizes = np.frombuffer(content, ">i4", dimensions, 4)
    return np.frombuffer(content, np.uint8, offset=4 + 4 * dimensions).reshape(tuple(sizes))


def _label(character: str) -> int:
    if len(character) != 1 or character not in CLASSES:
        raise ValueError(f"the label {character!r} is none of 0-9 A-Z a-z")
    return CLASSES.index(character)


FILES: dict[str, Callable[[Path], Iterator[Sample]]] = {
    "strokes_chars74k.json.gz": lambda path: _strokes(path, 44, _CHARS74K_DEFECTS),
    "strokes_omniglot_latin.json.gz": lambda path: _strokes(path, 16, _OMNIGLOT_DEFECTS),
    "strokes_uci_trajectories.json.gz": lambda path: _strokes(path, 10**9, frozenset()),
    "images_ocr_letters.npz": _ocr_letters,
    "images_alphadigits.npz": _alphadigits,
    "images_nvfp.npz": _nvfp,
    "mnist": _mnist,
}
"""File or folder names and what reads them. The image copy of the omniglot strokes is not used."""
