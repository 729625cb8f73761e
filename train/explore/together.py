"""Several sources as one table, and their characters as pictures of one size."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

from hcr_live.ink.render import render_strokes
from train.data.characters import CharacterSet, Ink, Strokes

if TYPE_CHECKING:
    import pandas as pd

_FILLED = 7 / 8
"""Share of a picture's side that the longest side of the ink takes: the rest is margin."""


def table_of(sets: Sequence[CharacterSet]) -> pd.DataFrame:
    """Return one row a character, in the order of the sets.

    Columns: `set` and `row` say where it is (`sets[set].contents[row]`), `source` is the set's
    name, `label` a column of `CLASSES`, `writer` and `split` as in `CharacterSet`.
    """
    import pandas as pd

    lengths = [len(one) for one in sets]
    names = list(dict.fromkeys(one.name for one in sets))
    codes = np.array([names.index(one.name) for one in sets], np.int16)
    return pd.DataFrame(
        {
            "set": np.repeat(np.arange(len(sets), dtype=np.int16), lengths),
            "row": _joined([np.arange(n, dtype=np.int32) for n in lengths], np.int32),
            "source": pd.Categorical.from_codes(np.repeat(codes, lengths), names),
            "label": _joined([one.labels for one in sets], np.int16),
            "writer": _joined([one.writers for one in sets], np.int32),
            "split": _joined([one.splits for one in sets], np.uint8),
        }
    )


def ink_at(sets: Sequence[CharacterSet], number: int, row: int) -> Ink:
    """Return the ink of one character, strokes drawn with the usual pen."""
    return _ink(sets[number].contents[row])


def fitted(ink: Ink, side: int) -> Ink:
    """Return the ink centred on black, aspect kept, the longest side of its box 7/8 of the picture.

    Args:
        ink: uint8 (h, w), white on black.
        side: Pixels of the picture.

    Returns:
        uint8 (side, side); all 0 where there is no ink.
    """
    picture = np.zeros((side, side), np.uint8)
    bright = cv2.threshold(ink, int(ink.max()) // 4, 255, cv2.THRESH_BINARY)[1]
    x, y, w, h = cv2.boundingRect(bright)
    if not w:
        return picture
    scale = side * _FILLED / max(w, h)
    size = (max(1, round(w * scale)), max(1, round(h * scale)))
    way = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    left, top = (side - size[0]) // 2, (side - size[1]) // 2
    inside = picture[top : top + size[1], left : left + size[0]]
    inside[:] = cv2.resize(ink[y : y + h, x : x + w], size, interpolation=way)
    return picture


def pictures(sets: Sequence[CharacterSet], chosen: pd.DataFrame, side: int) -> NDArray[np.uint8]:
    """Return the `fitted` ink of rows of the sets' table, uint8 (n, side, side)."""
    places = zip(chosen["set"].tolist(), chosen["row"].tolist(), strict=True)
    result = np.zeros((len(chosen), side, side), np.uint8)
    for picture, place in zip(result, places, strict=True):
        picture[:] = fitted(ink_at(sets, *place), side)
    return result


def one_size(sets: Sequence[CharacterSet]) -> tuple[int, int] | None:
    """Return height and width where every character of every set is an image of that size."""
    shapes = {one.contents.shape[1:] for one in sets if isinstance(one.contents, np.ndarray)}
    if len(shapes) == 1 and all(isinstance(one.contents, np.ndarray) for one in sets):
        h, w = shapes.pop()
        return h, w
    return None


def sample(table: pd.DataFrame, limit: int, seed: int) -> pd.DataFrame:
    """Return at most `limit` rows at random, small groups of one source and class kept whole.

    Every group gets the same largest number of rows that keeps the sum within the limit.
    """
    if len(table) <= limit:
        return table
    groups = [table["source"], table["label"]]
    place = table.sample(frac=1, random_state=seed).groupby(groups, observed=True).cumcount()
    # Row k of every group comes before row k+1 of any.
    first = place.sort_values(kind="stable").index[:limit]
    return table.loc[first.sort_values()]


def _ink(content: Strokes | Ink) -> Ink:
    return content if isinstance(content, np.ndarray) else render_strokes(content)


def _joined(parts: list[NDArray[np.generic]], kind: type[np.generic]) -> NDArray[np.generic]:
    return np.concatenate([np.empty(0, kind), *parts]).astype(kind)
