"""The networks behind one door: ink or strokes in, probabilities of the 62 classes out (LiteRT)."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hcr_live.alphabet import CLASSES
from hcr_live.errors import HcrError
from hcr_live.ink.normalise import SIDE, network_input
from hcr_live.ink.path import CHANNELS, POINTS, path_input
from hcr_live.ink.render import render_strokes
from hcr_live.quiet import silent_stderr
from hcr_live.resources import model_path, verified

Rows: TypeAlias = NDArray[np.float32]
"""float32 (n, 62): probabilities, columns as `CLASSES`."""

MODEL = "hcr62.tflite"
"""The shipped network that sees ink, in `models/`."""

PATH_MODEL = "path62.tflite"
"""The one that sees the way of the pen."""

_LEAST = 1e-7
_PATHS_COUNT = 0.6
_EXPECTED = np.array([0.3 if name.islower() else 1.0 for name in CLASSES], np.float32)
_BATCH = 16
_FEW = 6
"""For so many a second interpreter, some megabytes, gains little."""

# One character is done before a second thread has woken up.
_THREADS = min(2, os.cpu_count() or 1)


class Classifier:
    """Reads single characters. One thread at a time may use an instance.

    Args:
        path: A .tflite file, float32 (1, SIDE, SIDE, 1) to (1, 62); default: the shipped one.
        paths: The network of paths, see `PathClassifier`; loaded when it is first asked.
        threads: Processor threads for many characters at once; default 2 where there are.

    Raises:
        HcrError: If the file is absent, corrupt (its card `<name>.json`, where there is one,
            holds the SHA-256), or takes or gives other shapes.
    """

    def __init__(
        self, path: Path | None = None, paths: Path | None = None, *, threads: int | None = None
    ) -> None:
        self._path = model_path(MODEL) if path is None else Path(path)
        self._ink = _Network(self._path, (SIDE, SIDE, 1), threads)
        self._path_model = paths

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
        return self.input_probabilities([network_input(ink) for ink in inks])

    def input_probabilities(self, inputs: Sequence[NDArray[np.float32]]) -> Rows:
        """Return the same for what `network_input` made of the inks, float32 (SIDE, SIDE) each."""
        return self._ink([each[..., None] for each in inputs])

    def stroke_probabilities(self, characters: Sequence[Sequence[ArrayLike]]) -> Rows:
        """Return how likely each character is which, by its ink and by the way of the pen.

        Args:
            characters: n characters, each the strokes that `render_strokes` takes.

        Returns:
            float32 (n, 62), as `probabilities`: the two networks' answers taken `together`, small
            letters less likely than capitals, as they are in the air, where size tells nothing.

        Raises:
            HcrError: As `render_strokes`, or if the network of paths is missing or damaged.
        """
        ink = self.probabilities([render_strokes(strokes) for strokes in characters])
        rows = together(self._paths.probabilities(characters), ink) * _EXPECTED
        return rows / rows.sum(axis=1, keepdims=True)

    @cached_property
    def _paths(self) -> PathClassifier:
        return PathClassifier(self._path_model)


class PathClassifier:
    """Reads single characters by the way of the pen alone.

    Args:
        path: A .tflite file, float32 (1, POINTS, CHANNELS) to (1, 62); default: the shipped one.

    Raises:
        HcrError: As `Classifier`.
    """

    def __init__(self, path: Path | None = None) -> None:
        path = model_path(PATH_MODEL) if path is None else path
        self._network = _Network(path, (POINTS, CHANNELS))

    def probabilities(self, characters: Sequence[Sequence[ArrayLike]]) -> Rows:
        """Return float32 (n, 62) for n characters' strokes; a lone dot gets 1/62 each.

        Raises:
            HcrError: As `render_strokes`.
        """
        return self._network([path_input(strokes) for strokes in characters])


def together(paths: Rows, ink: Rows) -> Rows:
    """Return what two networks say that see different things, float32 (n, 62).

    The normalised weighted geometric mean: the product rule of independent experts (Kittler et
    al., On combining classifiers, PAMI 1998), softened so that what both say alike is as sure as
    before.

    Args:
        paths: Of the one that sees paths, float32 (n, 62), rows sum to 1; it counts more.
        ink: Of the one that sees ink, likewise.
    """
    paths, ink = np.maximum(paths, _LEAST), np.maximum(ink, _LEAST)
    mean = paths**_PATHS_COUNT * ink ** (1 - _PATHS_COUNT)
    return (mean / mean.sum(axis=1, keepdims=True)).astype(np.float32)


class _Network:
    """A .tflite file that takes a number of inputs at once or one by one, and gives our classes."""

    def __init__(self, path: Path, shape: tuple[int, ...], threads: int | None = None) -> None:
        self._path, self._shape = path, shape
        self._threads = threads or _THREADS
        self._content = _read(path)
        self._one = _Interpreter(self._content, path, shape, threads=1)
        self._many: _Interpreter | None = None

    def __call__(self, inputs: Sequence[NDArray[np.float32]]) -> Rows:
        """Return float32 (n, 62) of n inputs of the shape; zeros give 1/62 each."""
        result = np.full((len(inputs), len(CLASSES)), 1 / len(CLASSES), np.float32)
        written = [row for row, values in enumerate(inputs) if values.any()]
        for at in range(0, len(written), _BATCH):
            rows = written[at : at + _BATCH]
            result[rows] = self._invoke(np.stack([inputs[row] for row in rows]))
        return result

    def _invoke(self, inputs: NDArray[np.float32]) -> Rows:
        if len(inputs) <= _FEW or not self._one.takes_many:
            return np.concatenate([self._one(each[None]) for each in inputs])
        # A second one, so that a few characters in between do not change its size.
        if self._many is None:
            self._many = _Interpreter(self._content, self._path, self._shape, self._threads)
        return self._many(inputs)


class _Interpreter:
    """An interpreter that is known to take inputs of a shape and to give our classes.

    Attributes:
        takes_many: Whether it takes any number at a time, or just one.
    """

    def __init__(self, content: bytes, path: Path, shape: tuple[int, ...], threads: int) -> None:
        self._interpreter = _interpreter(content, path, threads)
        taken = self._interpreter.get_input_details()
        given = self._interpreter.get_output_details()
        fits = (
            len(taken) == 1
            and len(given) == 1
            and list(taken[0]["shape"][1:]) == list(shape)
            and list(given[0]["shape"][1:]) == [len(CLASSES)]
            and taken[0]["dtype"] == given[0]["dtype"] == np.float32
        )
        if not fits:
            raise HcrError(
                f"The model {path} is another network: it must take float32 "
                f"({', '.join(map(str, shape))}) and give {len(CLASSES)} probabilities."
            )
        self._input: int = taken[0]["index"]
        self._output: int = given[0]["index"]
        self._shape = shape
        self._count = 1
        self.takes_many = bool(taken[0]["shape_signature"][0] == -1)

    def __call__(self, inputs: NDArray[np.float32]) -> Rows:
        """Return float32 (n, 62) of float32 (n, *shape)."""
        if len(inputs) != self._count:
            self._count = len(inputs)
            self._interpreter.resize_tensor_input(self._input, (self._count, *self._shape))
            self._interpreter.allocate_tensors()
        self._interpreter.set_tensor(self._input, inputs)
        self._interpreter.invoke()
        answer: Rows = self._interpreter.get_tensor(self._output)
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
