"""Balance the classes: NearMiss 1, 2, 3, random under- and over-sampling, class weights.

Only the training split is balanced: validation and test characters are written as they are, so
that what is measured on them stays true. NearMiss keeps, of every larger class, the characters
that are nearest to (1, 2) or farthest from (3) the smallest class: I. Mani and I. Zhang, kNN
approach to unbalanced data distributions, ICML 2003 workshop on imbalanced datasets. Its
distances are taken in a reduced space, principal components of the pixels; --exact takes the
pixels themselves, --compare says how far the two selections differ.
"""

from __future__ import annotations

import argparse
import json
import warnings
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from hcr_live.alphabet import CLASSES
from hcr_live.errors import HcrError
from train.data.characters import SPLITS, CharacterSet

if TYPE_CHECKING:
    import pandas as pd

METHODS = ("nearmiss1", "nearmiss2", "nearmiss3", "undersample", "oversample", "weights")
DIMENSIONS = 64
"""Principal components that NearMiss measures distances in, where not told otherwise."""

_CHUNK = 4096
_COMPONENTS_FROM = 20_000  # characters that the principal components are of
_COMPARED = 40_000
_PIXEL_SIDE = 28  # of what NearMiss sees where characters are larger or of several sizes
_WRITTEN_SIDE = 64  # of what is written where they are of several sizes


def class_weights(labels: NDArray[np.int16]) -> dict[str, float]:
    """Return a weight for each class that occurs: n / (classes * count), 1 on average.

    Args:
        labels: Columns of `CLASSES`.

    Raises:
        HcrError: If there are fewer than two classes.
    """
    from sklearn.utils.class_weight import compute_class_weight

    classes = np.array(sorted(_counts(labels)))
    weights = compute_class_weight("balanced", classes=classes, y=labels)
    return {CLASSES[column]: float(w) for column, w in zip(classes, weights, strict=True)}


def choose(
    labels: NDArray[np.int16],
    method: str,
    features: NDArray[Any] | None = None,
    per_class: int | None = None,
    seed: int = 1,
    neighbours: int = 3,
    candidates: int = 3,
) -> NDArray[np.int64]:
    """Return the rows that a method keeps, sorted; over-sampling repeats some.

    Args:
        labels: Columns of `CLASSES`, (n,).
        method: One of `METHODS` but weights.
        features: For NearMiss, (n, d): pixels or what `reduced` returns.
        per_class: Characters of a class wanted; None is the smallest class's count, for
            over-sampling the largest's. A class that has fewer (over-sampling: more) is left whole.
        seed: Of the random methods.
        neighbours: Of NearMiss: how many distances of a character are averaged.
        candidates: Of NearMiss 3: how many of a class each character of the smallest proposes.

    Returns:
        int64 (m,). NearMiss 3 keeps fewer than wanted where fewer different ones were proposed.

    Raises:
        HcrError: If there are fewer than two classes, or a number makes no sense.
    """
    from imblearn.over_sampling import RandomOverSampler
    from imblearn.under_sampling import NearMiss, RandomUnderSampler

    counts = _counts(labels)
    wanted = _wanted(counts, method, per_class)
    if method in ("undersample", "oversample"):
        of = RandomUnderSampler if method == "undersample" else RandomOverSampler
        sampler = of(sampling_strategy=wanted, random_state=seed)
        features = np.empty((len(labels), 1), np.uint8)
    else:
        assert features is not None
        smallest = min(counts, key=lambda column: counts[column])
        numbers = {"neighbours": neighbours}
        if method == "nearmiss3":
            numbers["candidates"] = candidates
        for name, number in numbers.items():
            if not 1 <= number <= counts[smallest]:
                raise HcrError(
                    f"{number} {name} were asked for: it must be 1 to {counts[smallest]}, the "
                    f"characters of the smallest class ({CLASSES[smallest]})."
                )
        sampler = NearMiss(
            sampling_strategy={c: n for c, n in wanted.items() if c != smallest},
            version=int(method[-1]),
            n_neighbors=_chunked_neighbours(neighbours),
            n_neighbors_ver3=_chunked_neighbours(candidates),
        )
    with warnings.catch_warnings():
        # NearMiss 3 warns where fewer were proposed than wanted; the table shows it.
        warnings.filterwarnings("ignore", "The number of the samples to be selected")
        sampler.fit_resample(features, labels)
    return np.sort(sampler.sample_indices_).astype(np.int64)


def reduced(
    sets: Sequence[CharacterSet], chosen: pd.DataFrame, dimensions: int, seed: int
) -> NDArray[np.float32]:
    """Return principal components in which NearMiss's distances are nearly those of the pixels.

    Two more columns hold the length of what the components leave out: in one for the smallest
    class, in the other for all others. What two unlike pictures leave out is nearly orthogonal,
    so the squared distance between them grows by both lengths squared, as it does in the pixels.

    Args:
        sets: Where the characters are.
        chosen: Rows of the sets' table, n of them.
        dimensions: Components, at most n and the pixels of a picture.
        seed: Of the choice of the characters that the components are computed from.

    Returns:
        float32 (n, dimensions + 2).

    Raises:
        HcrError: If there are not so many dimensions.
    """
    from sklearn.decomposition import PCA

    some = pixels(sets, chosen.sample(min(len(chosen), _COMPONENTS_FROM), random_state=seed))
    if not 1 <= dimensions <= min(some.shape):
        raise HcrError(
            f"{dimensions} dimensions were asked for: it must be 1 to {min(some.shape)} here."
        )
    pca = PCA(dimensions, svd_solver="covariance_eigh").fit(some / np.float32(1))
    is_smallest = chosen["label"].to_numpy() == chosen["label"].value_counts().idxmin()
    result = np.zeros((len(chosen), dimensions + 2), np.float32)
    for part in _chunks(len(chosen)):
        centred = pixels(sets, chosen[part]) - pca.mean_
        result[part, :-2] = centred @ pca.components_.T
        left_out = (centred**2).sum(axis=1) - (result[part, :-2] ** 2).sum(axis=1)
        length = np.sqrt(np.maximum(left_out, 0))
        result[part, -2] = length * is_smallest[part]
        result[part, -1] = length * ~is_smallest[part]
    return result


def overlap(
    one: NDArray[np.int64], other: NDArray[np.int64], labels: NDArray[np.int16]
) -> dict[str, float]:
    """Return for each class the Jaccard index of two selections: 1 is the same, 0 nothing shared.

    P. Jaccard, Bulletin de la Société vaudoise des sciences naturelles 37, 1901.
    """
    shared, either = np.intersect1d(one, other), np.union1d(one, other)
    all_counts = np.bincount(labels[either])
    shared_counts = np.bincount(labels[shared], minlength=len(all_counts))
    kept = np.flatnonzero(all_counts)
    return {CLASSES[c]: float(shared_counts[c] / all_counts[c]) for c in kept}


def compare(
    sets: Sequence[CharacterSet],
    chosen: pd.DataFrame,
    method: str,
    dimensions: int = DIMENSIONS,
    seed: int = 1,
    **options: int,
) -> pd.DataFrame:
    """Return how far NearMiss in the reduced space selects what it selects on the pixels.

    Args:
        sets: Where the characters are.
        chosen: Rows of the sets' table.
        method: nearmiss1, nearmiss2 or nearmiss3.
        dimensions: Of the reduced space.
        seed: As `reduced` takes it.
        options: `neighbours` and `candidates` of `choose`.

    Returns:
        A row for each class but the smallest, which both keep whole: `available`, `kept`,
        `overlap` (Jaccard index) and `by_chance`, the index that a random selection would have.
    """
    import pandas as pd

    labels = chosen["label"].to_numpy()
    exact = choose(labels, method, pixels(sets, chosen), **options)
    near = choose(labels, method, reduced(sets, chosen, dimensions, seed), **options)
    table = pd.DataFrame({"available": _named(labels), "kept": _named(labels[exact])})
    table["overlap"] = pd.Series(overlap(exact, near, labels))
    share = table["kept"] / table["available"]
    table["by_chance"] = share / (2 - share)
    return table.drop(index=table["available"].idxmin())


def pixels(sets: Sequence[CharacterSet], chosen: pd.DataFrame) -> NDArray[np.uint8]:
    """Return what NearMiss compares, uint8 (n, d): the images' pixels where all are of one size.

    Larger images, several sizes and strokes are fitted to pictures of 28x28.
    """
    from train.explore.together import one_size, pictures

    size = one_size(sets)
    if size is None or max(size) > _PIXEL_SIDE:
        return pictures(sets, chosen, _PIXEL_SIDE).reshape(len(chosen), -1)
    return _images(sets, chosen, size).reshape(len(chosen), -1)


def write(path: Path, sets: Sequence[CharacterSet], chosen: pd.DataFrame) -> None:
    """Write rows of the sets' table as an .npz that `train.data.load` reads.

    Arrays: `image` uint8 (n, h, w), as it was where all are of one size, else fitted to 64x64;
    `label`, `writer`, `split` (a position in `SPLITS`), and where each is from: `source` and `row`.
    The images are written bit by bit: a copy of all is never in memory.

    Raises:
        HcrError: If it can't be written.
    """
    from train.explore.together import one_size, pictures

    size = one_size(sets)
    shape = (len(chosen), *(size or (_WRITTEN_SIDE, _WRITTEN_SIDE)))
    small = {
        "label": np.array(list(CLASSES))[chosen["label"]],
        "writer": chosen["writer"].to_numpy(),
        "split": chosen["split"].to_numpy(),
        "source": chosen["source"].to_numpy(str),
        "row": chosen["row"].to_numpy(),
    }
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=3) as archive:
            with archive.open("image.npy", "w", force_zip64=True) as file:
                header = {"descr": "|u1", "fortran_order": False, "shape": shape}
                np.lib.format.write_array_header_1_0(file, header)
                for part in _chunks(len(chosen)):
                    rows = chosen[part]
                    images = _images(sets, rows, size) if size else pictures(sets, rows, shape[1])
                    file.write(images.tobytes())
            for name, array in small.items():
                with archive.open(f"{name}.npy", "w") as file:
                    np.lib.format.write_array(file, array, allow_pickle=False)
    except OSError as error:
        raise HcrError(f"Cannot write {path}: {error.strerror}.") from error


def _counts(labels: NDArray[np.int16]) -> dict[int, int]:
    columns, counts = np.unique(labels, return_counts=True)
    if len(columns) < 2:
        have = f"only the class {CLASSES[columns[0]]}" if len(columns) else "no character"
        raise HcrError(f"The training split has {have}: balancing needs two classes or more.")
    return dict(zip(columns.tolist(), counts.tolist(), strict=True))


def _wanted(counts: dict[int, int], method: str, per_class: int | None) -> dict[int, int]:
    """Return how many of each class a method should keep."""
    if method not in METHODS or method == "weights":
        choices = ", ".join(m for m in METHODS if m != "weights")
        raise HcrError(f"Unknown method '{method}': choose one of {choices}.")
    smallest = min(counts, key=lambda column: counts[column])
    fewest, most = counts[smallest], max(counts.values())
    if per_class is not None and per_class < 1:
        raise HcrError(f"{per_class} characters a class were asked for: it must be at least 1.")
    if method == "oversample":
        if per_class is not None and per_class <= fewest:
            raise HcrError(
                f"Every class has {fewest} characters or more: over-sampling to {per_class} adds "
                "none, ask for more."
            )
        return {c: max(n, per_class or most) for c, n in counts.items()}
    if per_class is not None and per_class >= most:
        raise HcrError(
            f"No class has more than {most} characters: keeping {per_class} of each leaves out "
            "none, ask for fewer."
        )
    if per_class is not None and method != "undersample" and per_class < fewest:
        raise HcrError(
            f"NearMiss keeps the smallest class whole ({CLASSES[smallest]}, {fewest} characters): "
            f"ask for {fewest} a class or more, or take undersample."
        )
    return {c: min(n, per_class or fewest) for c, n in counts.items()}


def _chunked_neighbours(neighbours: int) -> Any:
    """Return a k-NN search, brute force, that answers in chunks.

    NearMiss 2 asks for the distances to the whole smallest class and uses the last few: in one
    piece that would be 1 GB for the largest class of the A-Z set. So only those are kept.
    """
    from sklearn.neighbors import NearestNeighbors

    class ChunkedNeighbours(NearestNeighbors):
        def fit(self, X: NDArray[Any], y: None = None) -> Any:
            return super().fit(X.astype(np.float32), y)

        def kneighbors(self, X: NDArray[Any], n_neighbors: int | None = None) -> Any:
            parts = []
            for part in _chunks(len(X)):
                both = super().kneighbors(X[part].astype(np.float32), n_neighbors)
                # Copied, or the slice would keep the whole answer in memory.
                parts.append([array[:, -self.n_neighbors :].copy() for array in both])
            distances, indices = zip(*parts, strict=True)
            return np.concatenate(distances), np.concatenate(indices)

    return ChunkedNeighbours(n_neighbors=neighbours, algorithm="brute")


def _chunks(length: int) -> Iterator[slice]:
    return (slice(at, min(at + _CHUNK, length)) for at in range(0, length, _CHUNK))


def _images(
    sets: Sequence[CharacterSet], chosen: pd.DataFrame, size: tuple[int, int]
) -> NDArray[np.uint8]:
    """Return images of one size as they are, uint8 (n, h, w)."""
    result = np.empty((len(chosen), *size), np.uint8)
    numbers, rows = chosen["set"].to_numpy(), chosen["row"].to_numpy()
    for number in np.unique(numbers):
        here = numbers == number
        result[here] = sets[number].contents[rows[here]]
    return result


def _named(labels: NDArray[np.int16]) -> pd.Series[int]:
    import pandas as pd

    counts = np.bincount(labels)
    return pd.Series({CLASSES[c]: int(counts[c]) for c in np.flatnonzero(counts)})


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `balance`."""
    parser.add_argument("data", type=Path, help="file or folder of characters")
    parser.add_argument("--method", required=True, choices=METHODS)
    parser.add_argument(
        "--out", type=Path, required=True, help="the .npz to write; for weights a .json"
    )
    parser.add_argument(
        "--per-class",
        type=int,
        help="characters of each class (default: as the smallest has; oversample: the largest)",
    )
    parser.add_argument("--seed", type=int, default=1, help="default 1")
    parser.add_argument("--neighbours", type=int, default=3, help="of NearMiss, default 3")
    parser.add_argument(
        "--candidates",
        type=int,
        default=3,
        help="of NearMiss 3: how many of a class each of the smallest class proposes, default 3",
    )
    parser.add_argument(
        "--dimensions",
        type=int,
        default=DIMENSIONS,
        help=f"of the space in which NearMiss measures distances, default {DIMENSIONS}",
    )
    parser.add_argument("--exact", action="store_true", help="NearMiss on the pixels: slower")
    parser.add_argument(
        "--compare",
        action="store_true",
        help=f"select both ways on at most {_COMPARED:,} characters and print the overlap",
    )


def run(options: argparse.Namespace) -> None:
    """Balance as the options say."""
    import pandas as pd

    from train.data import load
    from train.explore.together import table_of

    method, out = options.method, options.out
    is_nearmiss = method.startswith("nearmiss")
    suffix = ".json" if method == "weights" else ".npz"
    if out.suffix != suffix:
        raise HcrError(f"--out is {out}: with --method {method} it must end in {suffix}.")
    if out.exists() and options.data.exists() and out.samefile(options.data):
        raise HcrError(f"--out is the data itself, {out}: give it another name.")
    if not is_nearmiss and (options.compare or options.exact):
        raise HcrError(f"--compare and --exact are for NearMiss, not for {method}.")
    sets = load(options.data)
    table = table_of(sets)
    training = table[table["split"] == SPLITS.index("train")]
    labels = training["label"].to_numpy()
    if method == "weights":
        weights = class_weights(labels)
        _write_text(out, json.dumps(weights, indent=1) + "\n")
        print(pd.DataFrame({"count": _named(labels), "weight": pd.Series(weights)}).to_string())
        print(f"Wrote {out}: weights of {len(weights)} classes of {len(labels):,} characters")
        return
    _wanted(_counts(labels), method, options.per_class)  # before the long part
    features: NDArray[Any] | None = None
    if is_nearmiss:
        if options.compare:
            _print_comparison(sets, training, options)
        if options.exact:
            features = pixels(sets, training)
        else:
            features = reduced(sets, training, options.dimensions, options.seed)
    rows = choose(
        labels,
        method,
        features,
        options.per_class,
        options.seed,
        options.neighbours,
        options.candidates,
    )
    del features
    held_out = table[table["split"] != SPLITS.index("train")]
    write(out, sets, pd.concat([training.iloc[rows], held_out]))
    counts = pd.DataFrame({"before": _named(labels), "after": _named(labels[rows])})
    is_short = method == "nearmiss3" and counts["after"].min() < counts["before"].min()
    counts.loc["all"] = counts.sum()
    print(counts.to_string())
    if is_short:
        print("Few different characters were proposed: more --candidates keep more of each class.")
    print(
        f"Wrote {out}: {len(rows):,} characters to train on where there were {len(labels):,}, and "
        f"{len(held_out):,} of validation and test as they were"
    )


def _print_comparison(
    sets: Sequence[CharacterSet], training: pd.DataFrame, options: argparse.Namespace
) -> None:
    count = min(len(training), _COMPARED)
    table = compare(
        sets,
        training.sample(count, random_state=options.seed),
        options.method,
        options.dimensions,
        options.seed,
        neighbours=options.neighbours,
        candidates=options.candidates,
    )
    print(table.to_string(float_format="{:.3f}".format))
    print(
        f"{options.method} in {options.dimensions} dimensions and on the pixels, "
        f"{count:,} characters: mean overlap {table['overlap'].mean():.3f} "
        f"(by chance {table['by_chance'].mean():.3f}), lowest {table['overlap'].min():.3f}\n"
    )


def _write_text(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    except OSError as error:
        raise HcrError(f"Cannot write {path}: {error.strerror}.") from error
