"""One network in its forms, .tflite, .keras and .onnx, each behind `probabilities(inks)`."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hcr_live.alphabet import CLASSES
from hcr_live.classifier import Classifier
from hcr_live.errors import HcrError
from hcr_live.ink.normalise import SIDE, network_input
from hcr_live.quiet import silent_stderr
from hcr_live.reading import Classifies

Answer = Callable[[NDArray[np.float32]], NDArray[np.float32]]
"""Inputs (n, SIDE, SIDE, 1) to probabilities (n, 62), both float32."""

_BATCH = 512


class Network:
    """A network that is no .tflite file, asked as `Classifier` asks: the same input, the same
    answer to a blank ink.

    Args:
        name: For the report.
        answer: The network.
    """

    def __init__(self, name: str, answer: Answer) -> None:
        self._name = name
        self._answer = answer

    @property
    def name(self) -> str:
        """The network's name."""
        return self._name

    def probabilities(self, inks: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
        """Return float32 (n, 62) for inks, see `Classifier.probabilities`."""
        result = np.full((len(inks), len(CLASSES)), 1 / len(CLASSES), np.float32)
        for start in range(0, len(inks), _BATCH):
            levels = np.stack([network_input(ink) for ink in inks[start : start + _BATCH]])
            written = np.flatnonzero(levels.any(axis=(1, 2)))
            if len(written):
                result[start + written] = self._answer(levels[written, ..., None])
        return result


def open_network(path: Path | None = None) -> Classifies:
    """Open a network of any form.

    Args:
        path: A .tflite file, read through the program's own `Classifier`, a .keras or an .onnx
            file; None for the shipped one.

    Raises:
        HcrError: If it can't be read or is another network.
    """
    if path is None or path.suffix not in (".keras", ".onnx"):
        return Classifier(path)
    if not path.is_file():
        raise HcrError(f"There is no network {path}: check the path.")
    answer = of_keras(load_keras(path)) if path.suffix == ".keras" else _of_onnx(path)
    try:
        fits = answer(np.zeros((1, SIDE, SIDE, 1), np.float32)).shape == (1, len(CLASSES))
    except Exception:  # every backend has errors of its own
        fits = False
    if not fits:
        raise HcrError(
            f"The model {path} is another network: it must take float32 ({SIDE}, {SIDE}, 1) and"
            f" give {len(CLASSES)} probabilities."
        )
    return Network(path.stem, answer)


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
