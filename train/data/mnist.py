"""MNIST: four idx files (idx.gz) in a folder, or Keras's mnist.npz."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from train.data.characters import UNKNOWN_WRITER, CharacterSet, labels_of, official_splits
from train.data.idx import part_of, read_pair

MNIST_PARTS = ("train", "t10k")
_VALIDATION_SHARE = 12  # 5,000 of 60,000


def read_mnist(folder: Path) -> CharacterSet:
    """Return the digits of the train and t10k files, or of those of the two that are there.

    Raises:
        HcrError: If a file is missing or can't be read.
    """
    present = {part_of(path) for path in folder.iterdir()}
    nothing = np.zeros((0, 28, 28), np.uint8), np.zeros(0, np.uint8)
    pairs = [read_pair(folder, part) if part in present else nothing for part in MNIST_PARTS]
    return mnist_set([images for images, _ in pairs], [labels for _, labels in pairs])


def mnist_set(
    images: Sequence[NDArray[np.uint8]], labels: Sequence[NDArray[np.uint8]]
) -> CharacterSet:
    """Return the digits of its train and its test images, in that order.

    The last twelfth of the train images is validation; the test images are of other writers and
    are the test split.

    Raises:
        ValueError: If images and labels differ in length, or a label is no digit.
    """
    train, test = (len(part) for part in images)
    splits = official_splits(train, train // _VALIDATION_SHARE, test)
    digits = labels_of([str(label) for part in labels for label in part.tolist()])
    writers = np.full(len(digits), UNKNOWN_WRITER, np.int32)
    return CharacterSet("mnist", digits, np.concatenate(images), writers, splits)
