"""Events as JSON lines, written and flushed as they happen."""

from __future__ import annotations

import contextlib
import json
import math
import sys
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import IO, Any

import numpy as np

from hcr_live.errors import HcrError

_STDOUT = 1


class EventLog:
    """A file of events, one JSON object a line; an older file of that name is replaced.

    Writing never raises: a full disk must not end the run.

    Attributes:
        error: One sentence where an event could not be written, else "".
    """

    def __init__(self, path: str | Path) -> None:
        """Open the file.

        Args:
            path: Where to; "-" for standard output.

        Raises:
            HcrError: If it cannot be written.
        """
        self.error = ""
        self._path = str(path)
        self._file: IO[str] | None = _open(self._path)

    def __enter__(self) -> EventLog:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def write(self, event: Mapping[str, Any]) -> None:
        """Write one event; NumPy values become plain numbers and lists, NaN becomes null."""
        if self._file is None:
            return
        line = json.dumps(_plain(event), allow_nan=False) + "\n"
        try:
            self._file.write(line)
            self._file.flush()
        except (OSError, ValueError) as error:
            self._fail(error)

    def close(self) -> None:
        """Close the file; may be called twice."""
        file, self._file = self._file, None
        if file is None:
            return
        try:
            file.close()
        except (OSError, ValueError) as error:
            self._fail(error)

    def _fail(self, error: Exception) -> None:
        reason = getattr(error, "strerror", None) or error
        self.error = self.error or f"The events file {self._path} is incomplete: {reason}."
        file, self._file = self._file, None
        if file is not None:
            with contextlib.suppress(OSError, ValueError):
                file.close()  # what is buffered fails again


def _open(path: str) -> IO[str]:
    try:
        if path == "-":
            sys.stdout.flush()
            return open(_STDOUT, "w", encoding="utf-8", newline="\n", closefd=False)
        return open(path, "w", encoding="utf-8", newline="\n")
    except FileNotFoundError as error:
        raise HcrError(
            f"Cannot write the events file {path}: there is no folder {Path(path).parent}."
        ) from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise HcrError(
            f"Cannot write the events file {path}: {reason}; choose another place."
        ) from error


def _plain(value: Any) -> Any:
    """Return the value made of what JSON knows."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, np.ndarray):
        return _plain(value.tolist())
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_plain(item) for item in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, (bool, int, str)):
        return value
    return str(value)
