"""The network behind one door: ink in, probabilities of the 62 classes out, through LiteRT."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hcr_live.alphabet import CLASSES
from hcr_live.errors import HcrError
from hcr_live.ink.normalise import SIDE, network_input
from hcr_live.quiet import silent_stderr
from hcr_live.resources import model_path, verified

MODEL = "hcr62.tflite"
"""The shipped network, in `models/`."""


class Classifier:
    """Reads single characters. One thread at a time may use an instance.

    Args:
        path: A .tflite file, float32 (1, SIDE, SIDE, 1) to (1, 62); default: the shipped one.

    Raises:
        HcrError: If the file is absent, corrupt (its card `<name>.json`, where there is one,
            holds the SHA-256), or takes or gives other shapes.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._path = model_path(MODEL) if path is None else Path(path)
        content = _read(self._path)
        self._interpreter = _interpreter(content, self._path)
        taken = self._interpreter.get_input_details()
        given = self._interpreter.get_output_details()
        fits = (
            len(taken) == 1
            and len(given) == 1
            and list(taken[0]["shape"][1:]) == [SIDE, SIDE, 1]
            and list(given[0]["shape"][1:]) == [len(CLASSES)]
            and taken[0]["dtype"] == given[0]["dtype"] == np.float32
        )
        if not fits:
            raise HcrError(
                f"The model {self._path} is another network: it must take float32 "
                f"({SIDE}, {SIDE}, 1) and give {len(CLASSES)} probabilities."
            )
        self._input: int = taken[0]["index"]
        self._output: int = given[0]["index"]

    @property
    def name(self) -> str:
        """The model's name, for events: its file name without the ending."""
        return self._path.stem

    def probabilities(self, inks: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
        """Return how likely each ink is each character.

        Args:
            inks: n images as `network_input` takes them: uint8 (h, w), white on black.

        Returns:
            float32 (n, 62), columns as `CLASSES`, rows sum to 1; a blank ink gets 1/62 each.

        Raises:
            HcrError: If an image is not uint8 (h, w) with at least a pixel.
        """
        result = np.full((len(inks), len(CLASSES)), 1 / len(CLASSES), np.float32)
        for row, ink in enumerate(inks):
            level = network_input(ink)
            if level.any():
                result[row] = self._invoke(level)
        return result

    def _invoke(self, level: NDArray[np.float32]) -> NDArray[np.float32]:
        # One at a time: a resized batch is no quicker on one core, and costs a new allocation.
        self._interpreter.set_tensor(self._input, level[None, ..., None])
        self._interpreter.invoke()
        answer: NDArray[np.float32] = self._interpreter.get_tensor(self._output)[0]
        return answer


def _read(path: Path) -> bytes:
    """Return the model's bytes, checked against the card beside it where there is one."""
    card = path.with_suffix(".json")
    try:
        has_card = card.is_file()
    except OSError as error:
        raise HcrError(f"Cannot read the model {path}: {error.strerror}.") from error
    if has_card:
        try:
            sha256 = str(json.loads(card.read_text(encoding="utf-8"))["sha256"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise HcrError(
                f"The model card {card} is damaged: restore it from the repository."
            ) from error
        return verified(path, sha256).read_bytes()
    try:
        return path.read_bytes()
    except OSError as error:
        raise HcrError(f"Cannot read the model {path}: {error.strerror}.") from error


def _interpreter(content: bytes, path: Path) -> Any:
    # LiteRT is imported here, not above: `import hcr_live` is to stay quick.
    from ai_edge_litert.interpreter import Interpreter

    # The native parser reads past the end of some damaged files; the identifier comes first.
    if content[4:8] != b"TFL3":
        raise HcrError(f"The model {path} is damaged: restore it from the repository.")
    try:
        with silent_stderr():
            interpreter = Interpreter(model_content=content, num_threads=1)
            interpreter.allocate_tensors()
    except (ValueError, RuntimeError) as error:
        raise HcrError(f"The model {path} is damaged: restore it from the repository.") from error
    return interpreter
