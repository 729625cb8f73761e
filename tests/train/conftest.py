import gzip
import json

import numpy as np
import pytest

from generator.letters import letter_strokes
from hcr_live.ink.render import render_strokes


@pytest.fixture(scope="session")
def data_folder(tmp_path_factory):
    """A folder of training data in the files' own formats, our letters in it."""
    folder = tmp_path_factory.mktemp("data")
    rng = np.random.default_rng(0)
    entries = [
        {
            "label": label,
            "writer": writer,
            "strokes": [
                (stroke * 300).astype(int).tolist() for stroke in letter_strokes(label, rng)
            ],
        }
        for label in "AKTXaz7"
        for writer in (0, 1, 44, 45, 54)
    ]
    (folder / "strokes_chars74k.json.gz").write_bytes(gzip.compress(json.dumps(entries).encode()))
    images = np.zeros((4, 64, 64), np.uint8)
    for row, label in zip(images, "l5ab", strict=True):
        ink = render_strokes(letter_strokes(label), size=50)
        row[: ink.shape[0], : ink.shape[1]] = ink[:64, :64]
    np.savez(
        folder / "images_nvfp.npz",
        image=images,
        label=np.array(list("l5ab")),
        writer=np.full(4, -1, np.int32),
    )
    (folder / "mnist").mkdir()
    for part in ("train", "t10k"):
        header = b"\0\0\x08\x03" + np.array([24, 28, 28], ">i4").tobytes()
        pixels = np.zeros((24, 28, 28), np.uint8)
        pixels[:, 4:24, 13:16] = 255
        with gzip.open(folder / f"mnist/{part}-images-idx3-ubyte.gz", "wb") as file:
            file.write(header + pixels.tobytes())
        with gzip.open(folder / f"mnist/{part}-labels-idx1-ubyte.gz", "wb") as file:
            file.write(b"\0\0\x08\x01" + np.array([24], ">i4").tobytes() + b"\1" * 24)
    return folder
