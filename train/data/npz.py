"""Image sets in one .npz file: arrays `image`, `label` and `writer`, or Keras's mnist.npz."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hcr_live.alphabet import CLASSES
from train.data.characters import (
    SPLITS,
    UNKNOWN_WRITER,
    CharacterSet,
    labels_of,
    reading,
    usual_splits,
    validation_where,
    writers_of,
)
from train.data.mnist import MNIST_PARTS, mnist_set


def read_npz(path: Path) -> CharacterSet:
    """Return the characters of a file with the splits of its source.

    Raises:
        HcrError: If it can't be read, or has neither kind of arrays.
    """
    with reading(path), path.open("rb") as file, np.load(file) as arrays:
        if {"x_train", "y_train", "x_test", "y_test"} <= set(arrays):
            parts = [_images(arrays[name]) for name in ("x_train", "x_test")]
            labels = arrays["y_train"], arrays["y_test"]
            return mnist_set(np.concatenate(parts), dict(zip(MNIST_PARTS, labels, strict=True)))
        if not {"image", "label"} <= set(arrays):
            raise ValueError(f"its arrays are {', '.join(arrays)}: no image and label")
        images = _images(arrays["image"])
        columns = labels_of([str(label) for label in arrays["label"]])
        writers = np.full(len(columns), UNKNOWN_WRITER, np.int32)
        if "writer" in arrays:
            writers = writers_of(arrays["writer"].tolist())
        fold = arrays["fold"] if "fold" in arrays else np.zeros(len(columns))
        split = arrays["split"].astype(np.uint8) if "split" in arrays else None
        if split is not None and (len(split) != len(images) or split.max(initial=0) >= len(SPLITS)):
            raise ValueError("its split must be a number from 0 to 2 for each image")
        if not len(images) == len(columns) == len(writers) == len(fold):
            raise ValueError(f"{len(images)} images have {len(columns)} labels")
    if split is not None:  # as `python -m train balance` writes it
        return CharacterSet(path.stem, columns, images, writers, split)
    return _as_known(path.stem.removeprefix("images_"), images, columns, writers, fold)


def _as_known(
    name: str,
    images: NDArray[np.uint8],
    labels: NDArray[np.int16],
    writers: NDArray[np.int32],
    fold: NDArray[Any],
) -> CharacterSet:
    """Return the set, without the defects of a known source, in its splits."""
    splits = usual_splits(writers)
    kept = np.asarray(images.any(axis=(1, 2)))
    if name in ("alphadigits", "nvfp"):  # too few or unknown writers for a fair test
        splits = np.zeros(len(labels), np.uint8)
    if name == "alphadigits":
        # The source stretched every glyph to its frame, so most of its 1s are white blocks.
        kept &= labels != CLASSES.index("1")
    elif name == "nvfp":  # case-merged; every l is drawn as a capital
        labels[labels == CLASSES.index("l")] = CLASSES.index("L")
    elif name == "ocr_letters":
        splits = validation_where(fold == 9)
    elif name == "omniglot_latin":
        splits = validation_where(writers > 16)
        kept &= ~((writers == 15) & np.isin(labels, [CLASSES.index(c) for c in "il"]))
    return CharacterSet(name, labels, images, writers, splits).chosen(kept)


def _images(images: NDArray[np.uint8]) -> NDArray[np.uint8]:
    if images.dtype != np.uint8 or images.ndim != 3:
        raise ValueError(f"its images are {images.dtype} {images.shape}, not uint8 (n, h, w)")
    return images
