"""What comes off a sheet: characters, one by one."""

from __future__ import annotations

from dataclasses import dataclass

from train.data.characters import Ink


@dataclass(frozen=True, eq=False)
class CutOut:
    """One handwritten character.

    Attributes:
        ink: uint8 (h, w), 255 (ink) on 0, tight, upright.
        line: Of the sheet that it stands on, from 0.
        label: What it is, one of `hcr_live.alphabet.CLASSES`; "" if nobody said.
    """

    ink: Ink
    line: int
    label: str = ""


@dataclass(frozen=True, eq=False)
class Sheet:
    """All that one picture of a sheet held.

    Attributes:
        name: Of the picture, for people.
        cut_outs: In reading order.
        writer: Number of the person, 1 or more, as a form says it; None on a plain sheet.
        page: Number of the form's page; None on a plain sheet.
        empty: How many cells of a form are empty.
        hidden: How many cells of a form are covered or not wholly in the picture.
    """

    name: str
    cut_outs: tuple[CutOut, ...]
    writer: int | None = None
    page: int | None = None
    empty: int = 0
    hidden: int = 0
