"""A network in its forms, .tflite, .keras and .onnx, each behind `read(characters)`."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hcr_live.alphabet import CLASSES
from hcr_live.classifier import Classifier, PathClassifier, Rows
from hcr_live.errors import HcrError
from hcr_live.quiet import silent_stderr
from train.data import Ink, Strokes
from train.dataset import SHAPES, Form, ink_of, level_of

Answer = Callable[[NDArray[np.float32]], Rows]
"""The network's own inputs, (n, SIDE, SIDE, 1) or (n, POINTS, CHANNELS), to probabilities."""

_BATCH = 512


@dataclass(frozen=True)
class Network:
    """Any form of a network, or of both together, as it is measured.

    Attributes:
        name: For the report.
        form: What it looks at; of paths it reads pen strokes alone.
        read: Characters to probabilities.
    """

    name: str
    form: Form
    read: Callable[[Sequence[Any]], Rows]


def network_of(name: str, form: Form, answer: Answer) -> Network:
    """Return a network that is no .tflite file: the same input, the same answer to no ink."""

    def read(characters: Sequence[Strokes | Ink]) -> Rows:
        result = np.full((len(characters), len(CLASSES)), 1 / len(CLASSES), np.float32)
        for start in range(0, len(characters), _BATCH):
            some = characters[start : start + _BATCH]
            levels = np.stack([level_of(content, form) for content in some])
            written = np.flatnonzero(levels.any(axis=(1, 2)))
            if len(written):
                rows = levels[written]
                result[start + written] = answer(rows[..., None] if form == "ink" else rows)
        return result

    return Network(name, form, read)


def open_network(path: Path | None = None) -> Network:
    """Open a network of any form.

    Args:
        path: A .tflite file, read through the program's own `Classifier` or `PathClassifier`, a
            .keras or an .onnx file; None for the shipped one that sees ink.

    Raises:
        HcrError: If it can't be read or is another network.
    """
    if path is None or path.suffix not in (".keras", ".onnx"):
        return _of_tflite(path)
    if not path.is_file():
        raise HcrError(f"There is no network {path}: check the path.")
    answer = of_keras(load_keras(path)) if path.suffix == ".keras" else _of_onnx(path)
    for form, shape in SHAPES.items():
        try:
            answered = answer(np.zeros((1, *shape, *[1] * (form == "ink")), np.float32)).shape
        except Exception:  # every backend has errors of its own
            continue
        if answered == (1, len(CLASSES)):
            return network_of(path.stem, form, answer)
    raise HcrError(
        f"The model {path} is another network: it must take float32 {SHAPES['ink']} or"
        f" {SHAPES['path']} and give {len(CLASSES)} probabilities."
    )


def both(ink: Path | None = None, paths: Path | None = None) -> Network:
    """Return the two networks as the program asks them about pen strokes.

    Args:
        ink: The .tflite file of the one that sees ink, None for the shipped one.
        paths: The same of the one that sees paths.
    """
    classifier = Classifier(ink, paths)
    return Network(f"{classifier.name} and that of paths", "path", classifier.stroke_probabilities)


def _of_tflite(path: Path | None) -> Network:
    try:
        classifier = Classifier(path)
    except HcrError as error:
        try:
            paths = PathClassifier(path)
        except HcrError:
            raise error from None
        return Network(str(path and path.stem), "path", paths.probabilities)

    def read(characters: Sequence[Strokes | Ink]) -> Rows:
        return classifier.probabilities([ink_of(content) for content in characters])

    return Network(classifier.name, "ink", read)


def load_keras(path: Path) -> Any:
    """Return the Keras model of a .keras file, to be asked, not trained on.

    Raises:
        HcrError: If it can't be read.
    """
    if not path.is_file():
        raise HcrError(f"There is no network {path}: check the path.")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with silent_stderr():  # TensorFlow tells of the GPU that it did not find
        import keras

    try:
        return keras.models.load_model(path, compile=False)
    except Exception as error:  # zip, JSON, HDF5 and Keras errors: all mean a damaged file
        raise HcrError(
            f"Cannot read the network {path}: it is damaged or no .keras file."
        ) from error


def of_keras(model: Any) -> Answer:
    """Return a Keras model as a function of arrays, on any backend."""
    from keras import ops

    def answer(inputs: NDArray[np.float32]) -> NDArray[np.float32]:
        return np.asarray(ops.convert_to_numpy(model(inputs, training=False)), np.float32)

    return answer


def _of_onnx(path: Path) -> Answer:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4  # its warnings are for its makers
    options.intra_op_num_threads = 1
    try:
        session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime has a dozen exceptions without a common base
        raise HcrError(f"Cannot read the network {path}: it is damaged or no ONNX file.") from error
    name = session.get_inputs()[0].name
    return lambda inputs: np.asarray(session.run(None, {name: inputs})[0], np.float32)
