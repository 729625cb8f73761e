"""MNIST: four idx files (idx.gz) in a folder, or Keras's mnist.npz."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from train.data.characters import (
    UNKNOWN_WRITER,
    CharacterSet,
    labels_of,
    official_splits,
    reading,
)
from train.data.idx import part_of, read_parts

MNIST_PARTS = ("train", "t10k")
_VALIDATION_SHARE = 12  # 5,000 of 60,000


def read_mnist(folder: Path) -> CharacterSet:
    """Return the digits of the train and t10k files, or of those of the two that are there.

    Raises:
        HcrError: If a file is missing or can't be read.
    """
    present = {part_of(path) for path in folder.iterdir()}
    parts = [part for part in MNIST_PARTS if part in present]
    images, labels = read_parts(folder, parts)
    with reading(folder):
        return mnist_set(images, dict(zip(parts, labels, strict=True)))


def mnist_set(images: NDArray[np.uint8], labels: Mapping[str, NDArray[np.uint8]]) -> CharacterSet:
    """Return the digits, given the labels of `MNIST_PARTS`, or of one of the two.

    The last twelfth of the train images is validation; the t10k images are of other writers and
    are the test split.

    Raises:
        ValueError: If a label is no digit.
    """
    train, test = (len(labels.get(part, ())) for part in MNIST_PARTS)
    digits = labels_of([str(label) for part in MNIST_PARTS for label in labels.get(part, ())])
    if len(digits) != len(images):
        raise ValueError(f"{len(images)} images have {len(digits)} labels")
    splits = official_splits(train, train // _VALIDATION_SHARE, test)
    writers = np.full(len(digits), UNKNOWN_WRITER, np.int32)
    return CharacterSet("mnist", digits, images, writers, splits)
