"""How a network reads photos: simulated ones of the strokes that it is measured on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from train.augment import camera
from train.data import CharacterSet
from train.dataset import ink_of
from train.evaluate.forms import Network
from train.evaluate.measures import Row, source_row

SEVERITIES = {"fair light": 0.3, "bad light": 0.7}
"""Of `train.augment.camera.take`."""

_MOST = 2000


def photo_rows(network: Network, sets: Sequence[CharacterSet]) -> dict[str, Row]:
    """Return a `source_row` for each of `SEVERITIES`, none where the sets have no strokes.

    Each character is photographed once as a crop, seeded, and handed over as it is, inverted: no
    threshold has been near it, and no search for the character whose place is known.

    Args:
        network: Any form of it.
        sets: Of those with strokes at most `_MOST` characters are taken.
    """
    rows: dict[str, Row] = {}
    if network.form == "path":
        return rows
    for title, severity in SEVERITIES.items():
        taken = list(_photos(sets, severity))
        if taken:
            labels = np.array([label for label, _ in taken], np.int16)
            rows[title] = source_row(network.read([photo for _, photo in taken]), labels)
    return rows


def _photos(
    sets: Sequence[CharacterSet], severity: float
) -> Iterator[tuple[int, NDArray[np.uint8]]]:
    """Yield label and inverted photo of every character that is strokes."""
    written = [
        (int(label), content)
        for one in sets
        for label, content in zip(one.labels, one.contents, strict=True)
        if isinstance(content, tuple)
    ]
    for number, (label, content) in enumerate(written[:: -(-len(written) // _MOST) or 1]):
        photo = camera.take(ink_of(content), np.random.default_rng([number, 5]), severity)
        if photo is not None:
            yield label, cv2.bitwise_not(photo.image)
