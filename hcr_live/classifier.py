"""The network behind one door: ink in, probabilities of the 62 classes out, through LiteRT."""

from __future__ import annotations

import json
import os
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

_BATCH = 16
# One character is done before a second thread has woken up.
_THREADS = min(2, os.cpu_count() or 1)


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
        self._content = _read(self._path)
        self._one = _Network(self._content, self._path, threads=1)
        self._many: _Network | None = None

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
        levels = [network_input(ink) for ink in inks]
        written = [row for row, level in enumerate(levels) if level.any()]
        for at in range(0, len(written), _BATCH):
            rows = written[at : at + _BATCH]
            result[rows] = self._invoke(np.stack([levels[row] for row in rows]))
        return result

    def _invoke(self, levels: NDArray[np.float32]) -> NDArray[np.float32]:
        if len(levels) == 1 or not self._one.takes_many:
            return np.concatenate([self._one(level[None]) for level in levels])
        # A second one, so that single characters in between do not change its size.
        if self._many is None:
            self._many = _Network(self._content, self._path, threads=_THREADS)
        return self._many(levels)


class _Network:
    """An interpreter that is known to take ink and to give our classes.

    Attributes:
        takes_many: Whether it takes any number at a time, or just one.
    """

    def __init__(self, content: bytes, path: Path, threads: int) -> None:
        self._interpreter = _interpreter(content, path, threads)
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
                f"The model {path} is another network: it must take float32 "
                f"({SIDE}, {SIDE}, 1) and give {len(CLASSES)} probabilities."
            )
        self._input: int = taken[0]["index"]
        self._output: int = given[0]["index"]
        self._count = 1
        self.takes_many = bool(taken[0]["shape_signature"][0] == -1)

    def __call__(self, levels: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return float32 (n, 62) of float32 (n, SIDE, SIDE)."""
        if len(levels) != self._count:
            self._count = len(levels)
            self._interpreter.resize_tensor_input(self._input, (self._count, SIDE, SIDE, 1))
            self._interpreter.allocate_tensors()
        self._interpreter.set_tensor(self._input, levels[..., None])
        self._interpreter.invoke()
        answer: NDArray[np.float32] = self._interpreter.get_tensor(self._output)
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


def _interpreter(content: bytes, path: Path, threads: int) -> Any:
    # LiteRT is imported here, not above: `import hcr_live` is to stay quick.
    from ai_edge_litert.interpreter import Interpreter

    # The native parser reads past the end of some damaged files; the identifier comes first.
    if content[4:8] != b"TFL3":
        raise HcrError(f"The model {path} is damaged: restore it from the repository.")
    try:
        with silent_stderr():
            interpreter = Interpreter(model_content=content, num_threads=threads)
            interpreter.allocate_tensors()
    except (ValueError, RuntimeError) as error:
        raise HcrError(f"The model {path} is damaged: restore it from the repository.") from error
    return interpreter
