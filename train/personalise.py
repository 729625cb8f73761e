"""Make the shipped network yours: fit its last layer to a folder of your own characters.

The layers below have learned from hundreds of hands how to see ink, and stay as they are. The last
one learns the person's characters, and with them to say of made-up characters of every class, and
of ink that is no character, what it said before: learning without forgetting (Li and Hoiem, ECCV
2016). Where that still costs too much on other base characters, its weights go part of the way back
(Wortsman et al., Robust fine-tuning of zero-shot models, CVPR 2022).
"""

from __future__ import annotations

import argparse
import datetime
import hashlib
import json
import math
import os
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from hcr_live.alphabet import CLASSES, get_alphabet
from hcr_live.classifier import MODEL
from hcr_live.errors import HcrError
from hcr_live.resources import model_path
from train import export
from train.card import forms_table
from train.data import UNKNOWN_WRITER, CharacterSet, load, load_hershey
from train.dataset import NOTHING, REPEATS, SHARES, Arrays, Mixture, Renderer, plain_arrays
from train.evaluate.forms import load_keras
from train.evaluate.measures import LEAST_CONFIDENCE, Row, accuracies, source_row
from train.evaluate.report import LEGEND, markdown_table, percent
from train.fit import predictions, targets
from train.networks import form_of
from train.plan import flag

Rows = NDArray[np.float32]

TOLERANCE = 0.003
"""What the base characters' accuracies, and the rejection of what is no character, may lose."""

FEWEST = 12
"""Characters of the person: of fewer there is nothing to learn."""

SUFFIXES = (".keras", ".onnx", ".tflite", ".md", ".json")

_HELD_BACK = 0.25
_PER_CLASS = 50
_NOTHING = 0.2  # share of what is replayed that is no character
_REPLAYED = 32.0  # how much a replayed character counts, in those of the person
_TRUST = 0.3  # share of the shipped network's word in what the person's are to be read as
_SMOOTHING = 0.05
_STEPS = 400
_BATCH = 256
_RATE = 1e-3
_A_ROUND = 5  # drawings of a class
_VALIDATED = 1000  # real base characters of a source
_DRAWINGS = 8  # of each of our own characters
_COMPARED = 300  # characters of a source, to compare the files
_KEPT = tuple(tenths / 10 for tenths in range(10, -1, -1))

_SAME_SHAPE = ("0Oo", "1Il", *(one + one.lower() for one in "CKPSUVWXYZ"))


class Head(NamedTuple):
    """The last layer: float32 (k, 62) and (62,)."""

    weights: Rows
    bias: Rows

    def probabilities(self, features: Rows) -> Rows:
        """Return float32 (n, 62) of what the layer is shown, float32 (n, k)."""
        logits = features @ self.weights + self.bias
        powers = np.exp(logits - logits.max(axis=1, keepdims=True))
        return np.asarray(powers / powers.sum(axis=1, keepdims=True), np.float32)

    def towards(self, other: Head, share: float) -> Head:
        """Return what lies between this one (a share of 0) and another (1)."""
        return Head(
            *(one + np.float32(share) * (far - one) for one, far in zip(self, other, strict=True))
        )


@dataclass(frozen=True, eq=False)
class Shown:
    """Characters as the last layer sees them.

    Attributes:
        features: float32 (n, k).
        labels: int16 (n,), columns of `CLASSES` or `NOTHING`.
    """

    features: Rows
    labels: NDArray[np.int16]


def personalise(
    folder: Path,
    out: Path | None = None,
    *,
    data: Path | None = None,
    model: Path | None = None,
    per_class: int = _PER_CLASS,
    seed: int = 1,
    processes: int = 2,
    date: str | None = None,
) -> tuple[Path, dict[str, Any]]:
    """Fit a network's last layer to a person, and write it beside the one that it began with.

    Args:
        folder: The person's characters, of any kind that `train.data.load` reads; whatever split
            they come with, a quarter of them is held back.
        out: The new .tflite file; .keras, .onnx, .md and .json of its name lie beside it. Default:
            beside the network that it began with, named by it and the folder.
        data: Real base characters to replay and to validate on; without, made-up ones.
        model: The .keras file to begin with, default the shipped one.
        per_class: Drawings of each class: of the person's characters, of the base's to replay, and
            of the base's to validate on.
        seed: Of what is held back, drawn and shuffled.
        processes: To draw in, beside this one; 1 is this one.
        date: YYYY-MM-DD on the card; default today.

    Returns:
        The .tflite file and its card.

    Raises:
        HcrError: If something can't be read, there are too few characters, a file is in the way,
            there is no TensorFlow, or the characters teach nothing that leaves the rest alone.
    """
    base = _base(model)
    name = folder.resolve().name.partition(".")[0]
    out = _free(out or base.with_name(f"{base.stem}-{name}.tflite"))
    person = _person(folder)
    held = held_back(person.labels, seed)
    if not held.any():
        raise HcrError(f"{folder} has each character once: write each twice or more often.")
    replayed, real = (_made_up(), []) if data is None else _real(data, seed)
    rounds = max(1, per_class // _A_ROUND)
    mixture = Mixture(per_class=_A_ROUND, nothing=0.0, camera=0.3)
    with ExitStack() as stack:
        of_person = stack.enter_context(Renderer([person.chosen(~held)], mixture, processes))
        mixture = replace(mixture, nothing=_NOTHING)
        of_base = stack.enter_context(Renderer(replayed, mixture, processes))
        own, replay, apart = (
            [renderer.ahead((seed, number)) for number in numbers]
            for renderer, numbers in (
                (of_person, range(rounds)),
                (of_base, range(rounds)),
                (of_base, range(rounds, 2 * rounds)),
            )
        )
        # They are drawn in the other processes while TensorFlow starts.
        export.choose_tensorflow()
        network, layer = _opened(base)
        head = Head(*layer.get_weights())
        eye = _Eye(network, layer)
        with tqdm(total=3 * rounds, desc="drawing", unit="round", disable=None) as bar:
            mine, known, unseen = (eye.shown(one, bar.update) for one in (own, replay, apart))
    with tqdm(total=_STEPS, desc="learning", unit="step", disable=None) as bar:
        learned = fit_head(head, mine, known, seed, bar.update)
    nothing = unseen.features[unseen.labels == NOTHING]
    base_rows = {one.name: eye.of(plain_arrays([one])) for one in real}
    if not real:
        drawn = unseen.labels != NOTHING
        base_rows = {"made up": Shown(unseen.features[drawn], unseen.labels[drawn])}
    share = largest_share(
        lambda share: _figures(head.towards(learned, share), base_rows, nothing),
        _figures(head, base_rows, nothing),
    )
    if not share:
        raise HcrError(
            f"What {folder} teaches costs the other characters too much, so nothing was written:"
            " look at its pictures and labels, or write more of them."
        )
    new = head.towards(learned, share)
    rows = {"yours": eye.of(plain_arrays([person.chosen(held)]))} | base_rows
    layer.set_weights(list(new))
    card = {
        "seed": seed,
        "learned_from": int((~held).sum()),
        "held_back": int(held.sum()),
        "characters": "".join(CLASSES[label] for label in np.unique(person.labels)),
        "base": "real" if real else "made up",
        "share": share,
        "before": {name: _row(head, one) for name, one in rows.items()},
        "after": {name: _row(new, one) for name, one in rows.items()},
        "rejected_before": _rejected(head, nothing),
        "rejected_after": _rejected(new, nothing),
    }
    return out, _write(network, base, out, card, person, [*replayed, *real], date)


def held_back(labels: NDArray[np.int16], seed: int) -> NDArray[np.bool_]:
    """Return which characters to hold back, bool (n,): a quarter, but never all of a class."""
    rng = np.random.default_rng([seed, 3])
    held = np.zeros(len(labels), bool)
    for label in np.unique(labels):
        rows = rng.permutation(np.flatnonzero(labels == label))
        count = int(len(rows) * _HELD_BACK + rng.random())
        held[rows[: min(count, len(rows) - 1)]] = True
    return held


def wanted_of(labels: NDArray[np.int16], answers: Rows) -> Rows:
    """Return what a person's characters are to be read as, float32 (n, 62), rows sum to 1.

    That is their labels and a share of what the shipped network says. Between classes of one shape
    (c and C; o, O and 0) its odds stay: the label says which one the person meant, but size and
    neighbours told it, not the shape.

    Args:
        labels: int16 (n,), columns of `CLASSES`.
        answers: What the shipped network says of them, float32 (n, 62).
    """
    wanted = targets(labels, _SMOOTHING)
    for group in _SAME_SHAPE:
        columns = np.array([CLASSES.index(character) for character in group])
        where = np.ix_(np.flatnonzero(np.isin(labels, columns)), columns)
        odds = answers[where] + np.float32(1e-4)
        together = wanted[where].sum(axis=1, keepdims=True)
        wanted[where] = together * odds / odds.sum(axis=1, keepdims=True)
    return np.asarray((1 - _TRUST) * wanted + _TRUST * answers, np.float32)


def fit_head(
    head: Head, own: Shown, replay: Shown, seed: int, progress: Callable[[], Any] = lambda: None
) -> Head:
    """Return the layer fitted to a person's characters and to its own answers to the replayed ones.

    Args:
        head: The layer as it is.
        own: The person's, none of them `NOTHING`.
        replay: Base characters and ink that is none; their labels do not count.
        seed: Of the order.
        progress: Called after each of `_STEPS` or a few more.
    """
    import keras

    keras.utils.set_random_seed(seed)
    often = [REPEATS.get(int(label), 1.0) * SHARES.get(int(label), 1.0) for label in own.labels]
    wanted = np.concatenate(
        [
            wanted_of(own.labels, head.probabilities(own.features)),
            head.probabilities(replay.features),
        ]
    )
    # What they count is no factor of the rows: TensorFlow's gradient takes their sums to be 1.
    counts = np.concatenate([1 / np.array(often), np.full(len(replay.labels), _REPLAYED)])
    features = np.concatenate([own.features, replay.features])
    inputs = keras.Input(features.shape[1:])
    model = keras.Model(inputs, keras.layers.Dense(len(CLASSES), "softmax")(inputs))
    model.set_weights(list(head))
    epochs = math.ceil(_STEPS * _BATCH / len(features))
    steps = epochs * math.ceil(len(features) / _BATCH)
    rate = keras.optimizers.schedules.CosineDecay(_RATE, steps)
    model.compile(keras.optimizers.Adam(rate), keras.losses.CategoricalCrossentropy())
    said = keras.callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: progress())
    model.fit(
        features,
        wanted,
        _BATCH,
        epochs,
        verbose=0,
        callbacks=[said],
        sample_weight=counts / counts.mean(),
    )
    return Head(*model.get_weights())


def largest_share(figures: Callable[[float], Row], before: Row) -> float:
    """Return how much of what was learned can be kept, in tenths from 1 down to 0.

    Args:
        figures: Of the base characters with a share of what was learned.
        before: The same figures of the shipped network, which none may fall short of by more
            than `TOLERANCE`.
    """

    def holds(share: float) -> bool:
        row = figures(share)
        return all(row[name] >= before[name] - TOLERANCE - 1e-9 for name in before)

    return next(share for share in _KEPT if not share or holds(share))


class _Eye:
    """All of a network but its last layer."""

    def __init__(self, network: Any, last: Any) -> None:
        import keras

        self._below = keras.Model(network.input, last.input)

    def of(self, arrays: Arrays) -> Shown:
        """Return what the last layer sees of rendered characters."""
        return Shown(predictions(self._below, arrays.inputs), arrays.labels)

    def shown(self, drawing: Sequence[Callable[[], Arrays]], progress: Callable[[], Any]) -> Shown:
        """Wait for what is being drawn, a round after the other."""
        parts = []
        for draw in drawing:
            parts.append(self.of(draw()))
            progress()
        return Shown(
            np.concatenate([part.features for part in parts]),
            np.concatenate([part.labels for part in parts]),
        )


def _base(model: Path | None) -> Path:
    path = model_path(MODEL).with_suffix(".keras") if model is None else model
    if path.suffix != ".keras" or not path.is_file():
        raise HcrError(
            f"There is no Keras network {path}: restore it from the repository, or name another"
            " one with --model."
        )
    return path


def _free(out: Path) -> Path:
    """Return the file to write, once its folder is there and nothing is in the way."""
    if out.suffix != ".tflite":
        raise HcrError(f"--out is {out}: name the new file NAME.tflite.")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        there = [path for suffix in SUFFIXES if (path := out.with_suffix(suffix)).exists()]
    except OSError as error:
        raise HcrError(
            f"Cannot write to {out.parent}: {error.strerror}; give another --out."
        ) from error
    if there:
        raise HcrError(f"{there[0]} is there already: give another --out, or remove it.")
    if not os.access(out.parent, os.W_OK):
        raise HcrError(f"Cannot write to {out.parent}: give another --out.")
    return out


def _person(folder: Path) -> CharacterSet:
    """Return all characters of a folder as one set."""
    person = _joined(load(folder))
    classes = len(np.unique(person.labels))
    if classes < 2:
        raise HcrError(f"{folder} has characters of one kind alone: write some of others, too.")
    if len(person) < FEWEST:
        raise HcrError(
            f"{folder} has {len(person)} characters: at least {FEWEST} are needed, better five or"
            " more of each kind."
        )
    return person


def _joined(sets: Sequence[CharacterSet]) -> CharacterSet:
    return CharacterSet(
        sets[0].name,
        np.concatenate([one.labels for one in sets]),
        [content for one in sets for content in one.contents],
        np.concatenate([one.writers for one in sets]),
        np.zeros(sum(map(len, sets)), np.uint8),
    )


def _made_up() -> list[CharacterSet]:
    """Return what is always there: our own drawn characters and the single-line fonts."""
    from generator.letters import letter_strokes

    rng = np.random.default_rng(0)
    labels = np.repeat(np.arange(len(CLASSES), dtype=np.int16), _DRAWINGS)
    drawn = [
        tuple(np.asarray(stroke, np.float32) for stroke in letter_strokes(CLASSES[label], rng))
        for label in labels
    ]
    writers = np.full(len(labels), UNKNOWN_WRITER, np.int32)
    return [
        CharacterSet("drawn", labels, drawn, writers, np.zeros(len(labels), np.uint8)),
        *load_hershey(),
    ]


def _real(data: Path, seed: int) -> tuple[list[CharacterSet], list[CharacterSet]]:
    """Return base characters to replay, and others to validate on, some of each source."""
    sets = load(data)
    parts = [part for one in sets if len(part := one.split("validation"))]
    parts = [one.chosen(_some(one, _VALIDATED, seed)) for one in parts]
    if not parts or not any(len(one.split("train")) for one in sets):
        raise HcrError(f"{data} needs characters of both splits, train and validation.")
    return sets, parts


def _some(one: CharacterSet, count: int, seed: int = 0) -> NDArray[np.intp]:
    """Return the rows of up to `count` characters, chosen at random."""
    return np.sort(np.random.default_rng([seed, 4]).permutation(len(one))[:count])


def _opened(path: Path) -> tuple[Any, Any]:
    """Return the Keras model and its last layer with weights."""
    network = load_keras(path)
    last = [layer for layer in network.layers if layer.get_weights()][-1]
    shapes = [weights.shape for weights in last.get_weights()]
    if form_of(network) != "ink" or len(shapes) != 2 or shapes[1] != (len(CLASSES),):
        raise HcrError(f"{path} is no network of ours that sees ink: choose another --model.")
    return network, last


def _row(head: Head, shown: Shown) -> Row:
    return source_row(head.probabilities(shown.features), shown.labels)


def _figures(head: Head, base: Mapping[str, Shown], nothing: Rows) -> Row:
    """Return what must not get worse: accuracies of all base characters, and the rejection."""
    answers = np.concatenate([head.probabilities(one.features) for one in base.values()])
    labels = np.concatenate([one.labels for one in base.values()])
    return accuracies(answers, labels) | {"rejected": _rejected(head, nothing)}


def _rejected(head: Head, nothing: Rows) -> float:
    """Return the share of ink that is no character that the program does not show as a letter."""
    confidences = get_alphabet("letters").project(head.probabilities(nothing)).max(axis=1)
    return float((confidences < LEAST_CONFIDENCE).mean())


def _write(
    network: Any,
    base: Path,
    out: Path,
    personal: Mapping[str, Any],
    person: CharacterSet,
    others: Sequence[CharacterSet],
    date: str | None,
) -> dict[str, Any]:
    """Write the five files, the card last, and return the card."""
    earlier = _card_of(base)
    everyone = [person, *others]
    compared = [one.chosen(_some(one, _COMPARED)) for one in everyone]
    try:
        with tempfile.TemporaryDirectory(dir=out.parent) as folder:
            target = Path(folder) / out.name
            forms = export.write_forms(
                network, target, export.some_training(everyone, "ink"), compared
            )
            shipped = export.smallest_form(forms)
            (target.parent / f"{shipped}.tflite").rename(target)
            content = {
                "model": out.stem,
                "date": date or datetime.date.today().isoformat(),
                "sha256": hashlib.sha256(target.read_bytes()).hexdigest(),
                "bytes": target.stat().st_size,
                "parameters": int(network.count_params()),
                "classes": CLASSES,
                "form": shipped,
                "forms": {name: asdict(one) for name, one in forms.items()},
                "looks_at": "ink",
                "inks_compared": sum(map(len, compared)),
                "temperature": earlier.get("temperature"),
                "personal": {"from": base.stem, "from_sha256": _sha256(base), **personal},
            }
            for suffix, text in (
                (".json", json.dumps(content, indent=1) + "\n"),
                (".md", markdown(content)),
            ):
                target.with_suffix(suffix).write_text(text, encoding="utf-8")
            for suffix in SUFFIXES:
                target.with_suffix(suffix).replace(out.with_suffix(suffix))
    except OSError as error:
        raise HcrError(f"Cannot write to {out.parent}: {error.strerror}.") from error
    return content


def _card_of(base: Path) -> dict[str, Any]:
    """Return the card beside a network, empty where there is none."""
    path = base.with_suffix(".json")
    try:
        return dict(json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else {}
    except (OSError, ValueError, TypeError) as error:
        raise HcrError(
            f"The model card {path} is damaged: restore it from the repository."
        ) from error


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def figures_text(personal: Mapping[str, Any]) -> str:
    """Return the figures before and after of a card's `personal` as a Markdown table and text."""
    rows = {
        f"{name}, {when}": personal[when][name]
        for name in personal["before"]
        for when in ("before", "after")
    }
    rejected = [percent("rejected", personal[f"rejected_{when}"]) for when in ("before", "after")]
    kept = (
        "All that was learned is kept."
        if personal["share"] == 1
        else f"{personal['share']:.0%} of what was learned is kept: more would cost the base"
        f" characters over {TOLERANCE * 100:.1f} points."
    )
    return f"""{markdown_table(rows, "characters")}

{LEGEND}

Ink that is no character, rejected: {rejected[0]} before, {rejected[1]} after. {kept}"""


def markdown(card: Mapping[str, Any]) -> str:
    """Return a personal network's card as a Markdown page."""
    name, of = card["model"], card["personal"]
    return f"""# {name}

Reads one person's handwritten characters better than {of["from"]}, from which it was made; it takes
and gives the same, and what the card of that one says of use, data and limits holds for it. Written
by `python -m train personalise`.

- Date: {card["date"]}
- `{name}.tflite`: {card["bytes"]:,} bytes, {card["form"]}, SHA-256 `{card["sha256"]}`
- Made from `{of["from"]}.keras`, SHA-256 `{of["from_sha256"]}`
- Only the last layer is new: fitted to {of["learned_from"]} characters of the person and to
  {of["base"]} base characters; {of["held_back"]} others of the person were held back
- The person's characters: {of["characters"]}
- Seed: {of["seed"]}
- Calibration: the logits were divided by {card["temperature"]} before, and still are: the answers
  to the base characters were learned with their confidences

## Before and after

`yours`: what was held back, looked at once. Nothing was chosen by it.

{figures_text(of)}

## The files beside the Keras network

On {card["inks_compared"]:,} of the characters above.

{forms_table(card)}
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `personalise`."""
    parser.add_argument(
        "folder", type=Path, metavar="FOLDER", help="your characters, as extract writes them"
    )
    parser.add_argument(
        "--out", type=Path, help="the new .tflite file; default models/hcr62-FOLDER.tflite"
    )
    parser.add_argument(
        "--data", type=Path, help="real base characters to keep up with; default: made-up ones"
    )
    parser.add_argument(
        "--model", type=Path, help="the .keras file to begin with; default models/hcr62.keras"
    )
    parser.add_argument(
        "--per-class",
        type=int,
        default=_PER_CLASS,
        help=f"drawings of each class to learn from, at least {_A_ROUND}; default {_PER_CLASS}",
    )
    parser.add_argument("--seed", type=int, default=1, help="default 1")
    parser.add_argument(
        "--processes", type=int, default=2, help="to draw in, beside this one; default 2"
    )
    parser.add_argument("--date", help="YYYY-MM-DD on the card; default today")


def run(options: argparse.Namespace) -> None:
    """Personalise as the options say."""
    started = time.monotonic()
    o = options
    for name, least in (("per_class", _A_ROUND), ("processes", 1), ("seed", 0)):
        if getattr(o, name) < least:
            raise HcrError(f"{flag(name)} is {getattr(o, name)}: it must be at least {least}.")
    path, card = personalise(
        o.folder,
        o.out,
        data=o.data,
        model=o.model,
        per_class=o.per_class,
        seed=o.seed,
        processes=o.processes,
        date=o.date,
    )
    print(figures_text(card["personal"]))
    print(
        f"\nWrote {path} and its .keras, .onnx, .json and .md in"
        f" {math.ceil(time.monotonic() - started)} s. Read with it: python main.py live --model"
        f" {path}"
    )
