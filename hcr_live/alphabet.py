"""Alphabets: a mask and a folding on top of the network's 62 classes."""

from __future__ import annotations

import string
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hcr_live.errors import HcrError
from hcr_live.reading import Candidates, Prediction

CLASSES: str = string.digits + string.ascii_uppercase + string.ascii_lowercase
"""The network's outputs in column order: 0-9 A-Z a-z."""

_LABELS_OF = {
    "letters": {c: c.upper() for c in string.ascii_letters},
    "upper": {c: c for c in string.ascii_uppercase},
    "lower": {c: c for c in string.ascii_lowercase},
    "digits": {c: c for c in string.digits},
    "alnum": {c: c.upper() for c in CLASSES},
    "all": {c: c for c in CLASSES},
}

ALPHABETS: tuple[str, ...] = tuple(_LABELS_OF)
"""The names that `--alphabet` and `Recognizer` take."""


@dataclass(frozen=True, eq=False)
class Alphabet:
    """A choice of labels and how the 62 class probabilities add up to them.

    Attributes:
        name: One of `ALPHABETS`.
        labels: The k labels, in column order.
        folding: float32 (62, k) of 0 and 1; a class without a 1 is masked out.
    """

    name: str
    labels: tuple[str, ...]
    folding: NDArray[np.float32]

    def project(self, probabilities: NDArray[np.float32]) -> NDArray[np.float32]:
        """Fold class probabilities to this alphabet.

        Args:
            probabilities: float32 (n, 62), rows sum to 1.

        Returns:
            float32 (n, k), rows sum to 1 (uniform where every kept class had 0).
        """
        folded = np.asarray(probabilities, np.float32) @ self.folding
        total = folded.sum(axis=1, keepdims=True)
        uniform = np.float32(1 / len(self.labels))
        return np.where(total > 0, folded / np.maximum(total, 1e-12), uniform).astype(np.float32)

    def predict(self, projected: NDArray[np.float32]) -> Prediction:
        """Name the best label of one row that `project` returned, float32 (k,)."""
        best = np.argsort(projected)[::-1][:3]
        candidates: Candidates = tuple((self.labels[i], float(projected[i])) for i in best)
        return Prediction(candidates[0][0], candidates[0][1], candidates)

    def predict_in_full(self, projected: NDArray[np.float32]) -> Prediction:
        """Return the same as `predict` with the probability of every label."""
        best = self.predict(projected)
        every = dict(zip(self.labels, projected.tolist(), strict=True))
        return Prediction(best.text, best.confidence, best.candidates, probabilities=every)


def get_alphabet(name: str) -> Alphabet:
    """Return the alphabet of that name.

    Raises:
        HcrError: If there is none.
    """
    if name not in _LABELS_OF:
        raise HcrError(f"Unknown alphabet '{name}': choose one of {', '.join(ALPHABETS)}.")
    label_of = _LABELS_OF[name]
    labels = tuple(dict.fromkeys(label_of[c] for c in CLASSES if c in label_of))
    folding = np.zeros((len(CLASSES), len(labels)), np.float32)
    for row, cls in enumerate(CLASSES):
        if cls in label_of:
            folding[row, labels.index(label_of[cls])] = 1
    return Alphabet(name, labels, folding)
