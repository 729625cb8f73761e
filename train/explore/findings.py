"""What is odd in the data: imbalance, copies, nearly equal pictures, labels that look wrong."""

from __future__ import annotations

import hashlib
import string
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from numpy.typing import NDArray

from hcr_live.alphabet import CLASSES
from hcr_live.ink.normalise import network_input
from train.data.characters import CharacterSet, Ink, Strokes
from train.explore.together import ink_at, pictures

if TYPE_CHECKING:
    import pandas as pd

ALIKE = ("0Oo", "1Iil", *(c + c.lower() for c in "CJKMPSUVWXYZ"))
"""Classes whose ink may have the same shape, so that it can't tell which label is right: those
that EMNIST ByMerge joins (Cohen et al., EMNIST: extending MNIST to handwritten letters, IJCNN
2017), and the digits 0 and 1 with the letters that look like them."""

NEARLY_EQUAL = 0.98
"""Correlation of two pictures' pixels from which on they are reported."""

_PICTURE_SIDE = 32
_FEATURE_SIDE = 16
_COMPONENTS = 48
_VOTERS = 15


def counts_of(table: pd.DataFrame) -> pd.DataFrame:
    """Return how many characters each class has: a row for each of `CLASSES`, a column a source."""
    import pandas as pd

    counts = pd.crosstab(table["label"], table["source"]).reindex(range(len(CLASSES)), fill_value=0)
    return counts.set_axis(list(CLASSES), axis="index")


def imbalance(counts: pd.Series[int]) -> dict[str, Any]:
    """Return figures on how evenly characters are spread over classes.

    Args:
        counts: Characters of each class, at least one of them above 0.

    Returns:
        Classes that occur and that don't, the largest and smallest of them and their ratio, the
        median, and the evenness: entropy over its largest value, 1 where all are equal (E. C.
        Pielou, J. Theoretical Biology 13, 1966).
    """
    present = counts[counts > 0]
    shares = (present / present.sum()).to_numpy(float)
    entropy = float(-(shares * np.log(shares)).sum())
    return {
        "characters": int(present.sum()),
        "classes": len(present),
        "missing": _shortened("".join(counts.index[counts == 0])),
        "largest": f"{present.idxmax()} ({present.max():,})",
        "smallest": f"{present.idxmin()} ({present.min():,})",
        "ratio": float(present.max() / present.min()),
        "median": float(present.median()),
        "evenness": float(entropy / np.log(len(present))) if len(present) > 1 else 1.0,
    }


def copies(sets: Sequence[CharacterSet], table: pd.DataFrame) -> pd.DataFrame:
    """Return the characters whose content occurs more than once, byte for byte.

    Returns:
        Rows of the table with a column `group`, the same number for equal contents, sorted by it.
    """
    digests = (_digest(content) for one in sets for content in one.contents)
    groups = np.fromiter(digests, np.uint64, len(table))
    found = table.assign(group=groups)
    found = found[found.duplicated("group", keep=False)]
    return found.assign(group=found["group"].factorize()[0]).sort_values("group", kind="stable")


def copy_figures(found: pd.DataFrame) -> dict[str, int]:
    """Return what the copies are, as counts of groups.

    `superfluous` counts characters: all but one of each group.
    """
    kinds = found.groupby("group")[["label", "source", "split"]].nunique() > 1
    return {
        "groups": len(kinds),
        "superfluous": len(found) - len(kinds),
        "under several labels": int(kinds["label"].sum()),
        "in several sources": int(kinds["source"].sum()),
        "in several splits": int(kinds["split"].sum()),
    }


def nearly_equal(sets: Sequence[CharacterSet], chosen: pd.DataFrame) -> pd.DataFrame:
    """Return pairs of characters that are nearly the same, `copies` left out.

    Each character is compared with the one nearest to it.

    Args:
        sets: Where the characters are.
        chosen: Rows of their table, two or more.

    Returns:
        Columns `one` and `other` (index values of `chosen`) and `correlation` of the pixels of
        the `fitted` ink, `NEARLY_EQUAL` to 1, highest first.
    """
    import pandas as pd

    pixels = pictures(sets, chosen, _PICTURE_SIDE).reshape(len(chosen), -1).astype(np.float32)
    pixels -= pixels.mean(axis=1, keepdims=True)
    pixels /= np.maximum(np.linalg.norm(pixels, axis=1, keepdims=True), 1e-6)
    nearest = _neighbours(pixels, 1)[1][:, 0]
    correlation = (pixels * pixels[nearest]).sum(axis=1)
    places = np.arange(len(chosen))
    pairs = pd.DataFrame(
        {
            "one": chosen.index[np.minimum(places, nearest)],
            "other": chosen.index[np.maximum(places, nearest)],
            "correlation": correlation,
        }
    )
    pairs = pairs[pairs["correlation"] >= NEARLY_EQUAL].drop_duplicates(["one", "other"])
    places_of = chosen[["set", "row"]].itertuples(index=False)
    digest = pd.Series(
        [_digest(sets[number].contents[row]) for number, row in places_of], chosen.index
    )
    pairs = pairs[digest[pairs["one"]].to_numpy() != digest[pairs["other"]].to_numpy()]
    return pairs.sort_values("correlation", ascending=False, kind="stable", ignore_index=True)


def features(sets: Sequence[CharacterSet], chosen: pd.DataFrame) -> NDArray[np.float32]:
    """Return what the network sees of each character, shrunk to 16x16: float32 (n, 256)."""
    places = zip(chosen["set"].tolist(), chosen["row"].tolist(), strict=True)
    result = np.zeros((len(chosen), _FEATURE_SIDE**2), np.float32)
    size = (_FEATURE_SIDE, _FEATURE_SIDE)
    for row, place in zip(result, places, strict=True):
        seen = network_input(ink_at(sets, *place))
        row[:] = cv2.resize(seen, size, interpolation=cv2.INTER_AREA).ravel()
    return result


def likely_errors(
    inputs: NDArray[np.float32], labels: NDArray[np.int16]
) -> tuple[pd.DataFrame, float]:
    """Return characters whose label is likely to be wrong, by confident learning.

    The probabilities are out of sample: 15 nearest neighbours vote, weighted by closeness, never
    the character itself. A class speaks for a character where its probability is at least what it
    is on average for characters that carry that class's label, and above that of the label given
    (C. G. Northcutt, L. Jiang, I. L. Chuang: Confident learning, JAIR 70, 2021). Classes that are
    `ALIKE` count as one: their ink can't tell which is right.

    Args:
        inputs: float32 (n, d), what `features` returns.
        labels: Columns of `CLASSES`, (n,).

    Returns:
        Columns `place` (0 to n-1), `given` and `likely` (columns of `CLASSES`), `probability` of
        the likely one, and `margin`, by how much it is above that of the label given; largest
        margin first. And the share of characters that the vote gets right, in [0, 1].
    """
    import pandas as pd

    count = len(labels)
    distances, voters = _neighbours(inputs, min(_VOTERS, count - 1))
    closeness = 1 / (distances + 1e-3)
    votes = np.zeros((count, len(CLASSES)))
    for voter, weight in zip(voters.T, closeness.T, strict=True):
        votes[np.arange(count), labels[voter]] += weight
    single = votes / votes.sum(axis=1, keepdims=True)
    alike = _alike()
    merged = single @ alike
    own = merged[np.arange(count), labels]
    totals = np.bincount(labels, weights=own, minlength=len(CLASSES))
    usual = totals / np.maximum(np.bincount(labels, minlength=len(CLASSES)), 1)
    differs = alike[labels] == 0
    best = np.where(differs, merged, -1).max(axis=1)
    speaks = (differs & (merged > 0) & (merged >= usual)).any(axis=1) & (best > own)
    place = np.flatnonzero(speaks)
    # Of a group of alike classes, the one with most votes is named.
    likely = np.where(differs & (merged >= best[:, None] - 1e-9), single, -1).argmax(axis=1)
    found = pd.DataFrame(
        {
            "place": place,
            "given": labels[place],
            "likely": likely[place],
            "probability": best[place],
            "margin": (best - own)[place],
        }
    )
    right = float(alike[labels, single.argmax(axis=1)].mean())
    found = found.sort_values("margin", ascending=False, kind="stable", ignore_index=True)
    return found, right


def _shortened(characters: str) -> str:
    """Return 0-9, A-Z and a-z for all of a kind."""
    for kind in (string.digits, string.ascii_uppercase, string.ascii_lowercase):
        characters = characters.replace(kind, f" {kind[0]}-{kind[-1]} ")
    return characters.strip()


def _digest(content: Strokes | Ink) -> int:
    """Return 64 bits that equal contents share: among a million, chance would join 3 in 10^8."""
    parts = [content] if isinstance(content, np.ndarray) else content
    digest = hashlib.blake2b(digest_size=8)
    for part in parts:
        digest.update(str(part.shape).encode())
        digest.update(part.tobytes())
    return int.from_bytes(digest.digest(), "little")


def _neighbours(
    inputs: NDArray[np.float32], count: int
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return distances and places of the nearest others in principal components, (n, count)."""
    from sklearn.decomposition import PCA
    from sklearn.neighbors import NearestNeighbors

    pca = PCA(min(_COMPONENTS, *inputs.shape), svd_solver="covariance_eigh")
    search = NearestNeighbors(n_neighbors=count, algorithm="brute")
    return search.fit(pca.fit_transform(inputs)).kneighbors()


def _alike() -> NDArray[np.float64]:
    """Return (62, 62): 1 where two classes may have the same shape."""
    alike = np.eye(len(CLASSES))
    for group in ALIKE:
        columns = [CLASSES.index(c) for c in group]
        alike[np.ix_(columns, columns)] = 1
    return alike
