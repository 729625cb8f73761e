"""What comes off a sheet: characters, one by one."""

from __future__ import annotations

from dataclasses import dataclass

from hcr_live.paper.sheet import Quad
from train.data.characters import Ink


@dataclass(frozen=True, eq=False)
class CutOut:
    """One handwritten character.

    Attributes:
        ink: uint8 (h, w), 255 (ink) on 0, tight, upright.
        line: Of the sheet that it stands on, from 0.
        label: What it is, one of `hcr_live.alphabet.CLASSES`; "" if nobody said.
        place: Corners of its cell or box in pixels of the picture.
    """

    ink: Ink
    line: int
    label: str = ""
    place: Quad | None = None


@dataclass(frozen=True, eq=False)
class Sheet:
    """All that one picture of a sheet held.

    Attributes:
        name: Of the picture, for people.
        cut_outs: In reading order.
        writer: Number or name of the person; a form says its number; None on a plain sheet.
        page: Number of the form's page; None on a plain sheet.
        empty: How many cells of a form are empty.
        hidden: How many cells of a form are covered or not wholly in the picture.
        crossed_out: How many cells of a form were, or were scribbled over.
        outline: Corners of the paper in pixels of the picture, None where they are not known.
    """

    name: str
    cut_outs: tuple[CutOut, ...]
    writer: str | None = None
    page: int | None = None
    empty: int = 0
    hidden: int = 0
    crossed_out: int = 0
    outline: Quad | None = None
