"""All that the overlay draws, as plain values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from hcr_live.frame import Box, Frame
from hcr_live.reading import Prediction

Mode = Literal["paper", "air"]
ShownPen = Literal["none", "up", "down"]


@dataclass(frozen=True)
class Mark:
    """One character on the picture: where it is and what it is held to be.

    Attributes:
        box: Pixels of the unmirrored frame.
        prediction: The vote so far.
        settled: True once the label is certain and was reported.
    """

    box: Box
    prediction: Prediction
    settled: bool


@dataclass(frozen=True, eq=False)
class View:
    """What is known after one frame; coordinates are pixels of the unmirrored frame.

    Attributes:
        frame: The frame itself.
        mode: What is being read now.
        automatic: True where the program chose the mode.
        alphabet: Name of the alphabet.
        marks: Characters on the picture, in reading order.
        outline: float32 (4, 2) corners of the sheet, or None.
        guide: Where to hold the sheet when none was found, or None.
        joined: Where writing is whose characters hang together, which is not read.
        trail: Strokes of the character being written, float32 (n, 2) each.
        pen: Whether a writing hand is seen and whether it writes.
        tip: The pen's tip, or None.
        pause: How much of the pause that ends a character has passed, 0 to 1.
        coming: What the hand's pose will do if it is held on, or "".
        hold: How much of that hold has passed, 0 to 1.
        suggestions: Words for the one being written, best first.
        latest: The last character that became certain, or None.
        seen: What the network was shown of it, float32 (SIDE, SIDE) in [0, 1], ink 1, or None.
        text: The text so far, lines parted by newlines.
        word_ended: What is written next begins a word.
        hint: One short sentence: what to do next.
    """

    frame: Frame
    mode: Mode
    automatic: bool
    alphabet: str
    marks: tuple[Mark, ...] = ()
    outline: NDArray[np.float32] | None = None
    guide: Box | None = None
    joined: tuple[Box, ...] = ()
    trail: tuple[NDArray[np.float32], ...] = ()
    pen: ShownPen = "none"
    tip: tuple[float, float] | None = None
    pause: float = 0.0
    coming: str = ""
    hold: float = 0.0
    suggestions: tuple[str, ...] = ()
    latest: Prediction | None = None
    seen: NDArray[np.float32] | None = None
    text: str = ""
    word_ended: bool = False
    hint: str = ""


@dataclass(frozen=True)
class Status:
    """What the edges know and the overlay shows.

    Attributes:
        fps: Frames a second that the loop does; 0 while unknown.
        recording: True while a recording runs.
        notice: One sentence that matters now (a stalled camera, a full disk), or "".
        help_shown: True while the list of keys is wanted.
        mirror: True if the picture is shown as in a mirror.
        sending: What acts on other programs now, in capitals: "TYPING".
    """

    fps: float = 0.0
    recording: bool = False
    notice: str = ""
    help_shown: bool = False
    mirror: bool = False
    sending: tuple[str, ...] = ()
