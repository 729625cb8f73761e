"""What goes through a batch: a picture to be read, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hcr_live.frame import Box

Row = dict[str, Any]
"""What is written of one picture, as JSON has it."""


@dataclass(frozen=True, eq=False)
class Task:
    """One picture to be read; small enough to be handed to another process.

    Attributes:
        source: What the output calls it.
        path: The file that it is in, "" where `content` is all there is.
        page: Which page of a PDF, from 0; None for an image file.
        content: The picture itself where it was read already: an image file's bytes, or a uint8
            array (height, width, 3), BGR.
        annotated: Where a copy with boxes and letters goes, "" for nowhere.
        error: Why there is no picture, one sentence; "" where there is.
    """

    source: str
    path: str = ""
    page: int | None = None
    content: bytes | NDArray[np.uint8] | None = None
    annotated: str = ""
    error: str = ""


@dataclass(frozen=True)
class Result:
    """What came of one task.

    Attributes:
        source: As the task has it.
        row: What is written of it, `source` included; {} where it could not be read.
        error: Why it could not be read, one sentence; "" where it could.
    """

    source: str
    row: Row
    error: str = ""


@dataclass(frozen=True)
class BatchSettings:
    """How every picture of a batch is read.

    Attributes:
        alphabet: As `Recognizer` takes it.
        min_confidence: Likewise; asked of whole pictures, not of single characters.
        model: Likewise.
        region: Read only this part of every picture.
        character: Whether each picture is said to show one character.
        shared: Whether to use one processor, as others are for other processes.
    """

    alphabet: str = "letters"
    min_confidence: float = 0.5
    model: Path | None = None
    region: Box | None = None
    character: bool = False
    shared: bool = False
