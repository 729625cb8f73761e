"""Writers of small files in the formats of the public data sets."""

import gzip
import json

import numpy as np


def write_idx(path, array):
    array = np.asarray(array, np.uint8)
    content = bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">u4").tobytes()
    content += array.tobytes()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(content, 1) if path.suffix == ".gz" else content)


def write_pair(folder, part, images, labels, ending=".gz"):
    write_idx(folder / f"{part}-images-idx3-ubyte{ending}", images)
    write_idx(folder / f"{part}-labels-idx1-ubyte{ending}", labels)


def corner_images(count):
    """Images that tell up from down and left from right, and one from the other."""
    images = np.zeros((count, 28, 28), np.uint8)
    images[:, 2:20, 5] = 255
    images[:, 19, 5:12] = 200
    images[:, 0, 0] = np.arange(count) + 1
    return images


def write_emnist(folder, split, train_labels, test_labels, ending=".gz"):
    """As NIST has it: transposed."""
    for kind, labels in (("train", train_labels), ("test", test_labels)):
        images = corner_images(len(labels)).transpose(0, 2, 1)
        write_pair(folder, f"emnist-{split}-{kind}", images, labels, ending)


def write_az(path, labels, header="0,0.1", newline="\r\n"):
    lines = []
    if header == "0,0.1":
        lines.append(",".join(["0", *(f"0.{number}" for number in range(1, 785))]))
    elif header:
        lines.append(",".join(["label", *(f"pixel{number}" for number in range(784))]))
    for label, image in zip(labels, corner_images(len(labels)), strict=True):
        lines.append(",".join(map(str, [label, *image.ravel().tolist()])))
    path.write_text(newline.join(lines) + newline, newline="")


def write_strokes(path, entries):
    content = json.dumps(
        [
            {"label": label, "writer": writer, "strokes": strokes}
            for label, writer, strokes in entries
        ]
    ).encode()
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
