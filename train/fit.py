"""Train the network: render rounds of data, fit, keep the best epoch, write the run's folder."""

from __future__ import annotations

import argparse
import json
import os
import platform
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from hcr_live.alphabet import CLASSES
from hcr_live.errors import HcrError
from train.data import CharacterSet, load, load_fonts
from train.dataset import NOTHING, Arrays, Renderer, class_counts, plain_arrays

WEIGHTS_FILE = "model.keras"
RUN_FILE = "run.json"
VALIDATION_SOURCES = ("chars74k", "omniglot_latin")
"""Sources whose validation writers choose the best epoch."""


@dataclass(frozen=True)
class Plan:
    """What a run is told; saved with it.

    Attributes:
        data: Folder of training data (docs/data.md).
        out: Folder of the run; made if it is not there.
        fonts: Folder of fonts, or None.
        start: A .keras file of an earlier run to go on from, or None for random weights.
        epochs: Passes; each uses one of the rounds in turn.
        rounds: How many independently augmented sets are rendered.
        per_class: Samples of a class in a round.
        nothing: Share of ink that is no character, its target uniform.
        batch: Samples a step.
        learning_rate: The highest of the cosine schedule.
        smoothing: Label smoothing.
        seed: Of data, initial weights and order.
        processes: For rendering.
    """

    data: Path
    out: Path
    fonts: Path | None = None
    start: Path | None = None
    epochs: int = 12
    rounds: int = 4
    per_class: int = 1600
    nothing: float = 0.1
    batch: int = 256
    learning_rate: float = 3e-3
    smoothing: float = 0.05
    seed: int = 1
    processes: int = 2


def targets(labels: NDArray[np.int16], smoothing: float) -> NDArray[np.float32]:
    """Return float32 (n, 62) rows that sum to 1: smoothed one-hot, uniform for `NOTHING`."""
    uniform = np.float32(1 / len(CLASSES))
    wanted = np.full((len(labels), len(CLASSES)), uniform * smoothing, np.float32)
    known = np.flatnonzero(labels != NOTHING)
    wanted[known, labels[known]] += 1 - smoothing
    wanted[labels == NOTHING] = uniform
    return wanted


def validation_sets(sets: list[CharacterSet]) -> list[CharacterSet]:
    """Return the characters of the writers that choose the best epoch."""
    return [one.split("validation") for one in sets if one.name in VALIDATION_SOURCES]


def fit(plan: Plan) -> Path:
    """Train the compact network and return the run's folder.

    The folder gets the weights of the best epoch and `run.json`: the plan, versions, counts and
    the history.

    Raises:
        HcrError: If data or fonts can't be read, or a number makes no sense.
    """
    if min(plan.epochs, plan.rounds, plan.per_class, plan.batch, plan.processes) < 1:
        raise HcrError("Epochs, rounds, samples a class, batch and processes must be at least 1.")
    if not 0 <= plan.nothing < 1:
        raise HcrError(f"The share of no characters is {plan.nothing}: it must be in [0, 1).")
    sets = load(plan.data)
    if plan.fonts is not None:
        sets += load_fonts(plan.fonts)
    try:
        plan.out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise HcrError(f"Cannot write to {plan.out}: {error.strerror}.") from error
    # Rendered before TensorFlow starts its threads, which a forked process would not survive.
    with Renderer(sets, plan.processes) as renderer:
        rounds = [
            renderer.arrays(plan.per_class, plan.nothing, (plan.seed, number))
            for number in tqdm(range(min(plan.rounds, plan.epochs)), "rendering", unit="round")
        ]
    held_out = plain_arrays(validation_sets(sets)) if validation_sets(sets) else None
    history, best = _train(plan, rounds, held_out)
    report = {
        "before": _report_beside(plan.start) if plan.start else None,
        "plan": {k: str(v) if isinstance(v, Path) else v for k, v in asdict(plan).items()},
        "versions": _versions(),
        "samples": class_counts(sets),
        "sources": sorted(one.name for one in sets),
        "best_epoch": best,
        "history": history,
    }
    (plan.out / RUN_FILE).write_text(json.dumps(report, indent=1) + "\n")
    return plan.out


def _train(
    plan: Plan, rounds: list[Arrays], held_out: Arrays | None
) -> tuple[list[dict[str, float]], int]:
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    import keras

    from train.network import compact_network

    keras.utils.set_random_seed(plan.seed)
    network = compact_network() if plan.start is None else _earlier(plan.start)
    steps = sum(_steps(rounds[e % len(rounds)], plan.batch) for e in range(plan.epochs))
    warm_up = min(200, steps // 10)
    schedule = keras.optimizers.schedules.CosineDecay(
        plan.learning_rate / 20,
        max(1, steps - warm_up),
        warmup_target=plan.learning_rate,
        warmup_steps=warm_up,
    )
    network.compile(
        keras.optimizers.AdamW(schedule, weight_decay=1e-3),
        keras.losses.CategoricalCrossentropy(),
    )
    rng = np.random.default_rng([plan.seed, 2])
    history: list[dict[str, float]] = []
    best, best_score = 0, -1.0
    for epoch in range(plan.epochs):
        loss = _epoch(network, rounds[epoch % len(rounds)], plan, rng, f"epoch {epoch + 1}")
        row = {"epoch": epoch + 1, "loss": loss}
        if held_out is not None:
            row |= accuracy(predictions(network, held_out.inputs), held_out.labels)
        history.append(row)
        tqdm.write("  ".join(f"{name} {value:.4g}" for name, value in row.items()))
        score = row.get("accuracy_62", 0.0) + row.get("accuracy_26", float(epoch))
        if score >= best_score:
            best, best_score = epoch + 1, score
            network.save(plan.out / WEIGHTS_FILE)
    return history, best


def _report_beside(start: Path) -> Any:
    """Return the report of the run that `start` is of, None where it is not there."""
    path = start.parent / RUN_FILE
    return json.loads(path.read_text()) if path.is_file() else None


def _earlier(path: Path) -> Any:
    import keras

    try:
        return keras.models.load_model(path, compile=False)
    except (OSError, ValueError) as error:
        raise HcrError(f"Cannot start from {path}: it is not a .keras file of a run.") from error


def _steps(arrays: Arrays, batch: int) -> int:
    return -(-len(arrays.labels) // batch)


def _epoch(network: Any, arrays: Arrays, plan: Plan, rng: np.random.Generator, name: str) -> float:
    """Train one pass and return the mean loss."""
    order = rng.permutation(len(arrays.labels))
    losses = []
    bar = tqdm(range(_steps(arrays, plan.batch)), name, unit="step", mininterval=2)
    for step in bar:
        rows = order[step * plan.batch : (step + 1) * plan.batch]
        inputs = arrays.inputs[rows, ..., None].astype(np.float32) / 255
        # A pixel of shift costs nothing and tells passes over the same round apart.
        inputs = np.roll(inputs, rng.integers(-1, 2, 2), axis=(1, 2))
        losses.append(network.train_on_batch(inputs, targets(arrays.labels[rows], plan.smoothing)))
        if step % 20 == 0:
            bar.set_postfix(loss=f"{float(losses[-1]):.3f}")
    return float(np.mean(losses))


def predictions(network: Any, inputs: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return the Keras network's probabilities, float32 (n, 62), of uint8 (n, SIDE, SIDE)."""
    parts = [
        np.asarray(network(inputs[at : at + 512, ..., None].astype(np.float32) / 255))
        for at in range(0, len(inputs), 512)
    ]
    return np.concatenate(parts) if parts else np.zeros((0, len(CLASSES)), np.float32)


def accuracy(probabilities: NDArray[np.float32], labels: NDArray[np.int16]) -> dict[str, float]:
    """Return the share of right answers of 62, of 26 folded letters and of 10 digits.

    An alphabet without a sample is left out.
    """
    from hcr_live.alphabet import get_alphabet

    result: dict[str, float] = {}
    for key, name in (
        ("accuracy_62", "all"),
        ("accuracy_26", "letters"),
        ("accuracy_10", "digits"),
    ):
        folding = get_alphabet(name).folding
        asked = folding[labels].sum(axis=1) > 0
        if asked.any():
            answers = (probabilities[asked] @ folding).argmax(axis=1)
            wanted = folding[labels[asked]].argmax(axis=1)
            result[key] = float((answers == wanted).mean())
    return result


def _versions() -> dict[str, str]:
    from importlib.metadata import version

    names = ("tensorflow", "keras", "numpy", "opencv-python")
    return {"python": platform.python_version()} | {name: version(name) for name in names}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `fit`."""
    parser.add_argument("--data", type=Path, required=True, help="folder of training data")
    parser.add_argument("--out", type=Path, required=True, help="folder of the run")
    parser.add_argument("--fonts", type=Path, help="folder of handwriting fonts (.woff, .ttf)")
    parser.add_argument("--start", type=Path, help="model.keras of an earlier run to go on from")
    for name, kind in (
        ("epochs", int),
        ("rounds", int),
        ("per-class", int),
        ("nothing", float),
        ("batch", int),
        ("learning-rate", float),
        ("smoothing", float),
        ("seed", int),
        ("processes", int),
    ):
        default = getattr(Plan, name.replace("-", "_"))
        parser.add_argument(f"--{name}", type=kind, default=default, help=f"default {default}")


def run(options: argparse.Namespace) -> None:
    """Fit as the options say."""
    names = Plan.__dataclass_fields__
    plan = Plan(**{name: value for name, value in vars(options).items() if name in names})
    print(f"Wrote {fit(plan)}")
