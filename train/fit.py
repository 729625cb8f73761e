"""Train a network: rounds of rendered characters, one loop for every network and backend.

A run is a folder: `run.json` (configuration, versions, data, history), `model.keras` (the averaged
weights of the best epoch), `log.csv`, TensorBoard's files where TensorFlow is at hand, and until
it is complete a checkpoint. The same command in the same folder goes on where it was.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import platform
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from hcr_live.alphabet import CLASSES
from hcr_live.errors import HcrError
from train.data import SPLITS, CharacterSet, load, load_fonts, load_hershey
from train.dataset import (
    NOTHING,
    REPEATS,
    Arrays,
    Form,
    Mixture,
    Renderer,
    class_counts,
    of_form,
    plain_arrays,
)
from train.evaluate.measures import accuracies
from train.plan import Plan, add_options, check, class_weights, flag, plan_of, told

WEIGHTS_FILE = "model.keras"
RUN_FILE = "run.json"
LOG_FILE = "log.csv"
VALIDATION_SOURCES = ("chars74k", "omniglot_latin")
"""Sources whose validation writers choose the best epoch; without them those of all others."""

Row = dict[str, float]


@dataclass(frozen=True, eq=False)
class Material:
    """What a network is fitted to and judged by.

    Attributes:
        size: Inputs of a round.
        round: Its number to the round; later ones may be rendered meanwhile.
        held_out: What no round has anything of.
        summary: For the run's file.
    """

    size: int
    round: Callable[[int], Arrays]
    held_out: Arrays
    summary: dict[str, Any]


def fit(plan: Plan) -> Path:
    """Train a network, or go on where an interrupted run was, and return the run's folder.

    Raises:
        HcrError: If data, fonts, teacher or class weights can't be read, an option makes no
            sense, or the folder holds a run with another configuration.
    """
    check(plan)
    report = _earlier_report(plan)
    if report.get("finished"):
        _say(f"{plan.out} holds this run already, complete.")
        return plan.out
    with ExitStack() as stack:
        material = _material(plan, stack)
        if report and report["data"] != material.summary:
            raise HcrError(
                f"{plan.out} holds a run on other data: choose another --out, or empty it."
            )
        _Course(plan, material, report.get("history", [])).run()
    return plan.out


def _material(plan: Plan, stack: ExitStack) -> Material:
    sets = load(plan.data)
    form: Form = "path" if plan.network == "path" else "ink"
    if form == "path" and not of_form(sets, form):
        raise HcrError(f"{plan.data} has no pen strokes: the network of paths learns from those.")
    if plan.network == "seed":
        from train.reproduce import student_material

        return student_material(sets, plan.seed)
    if plan.fonts is not None and form == "ink":
        sets += load_fonts(plan.fonts)
    if plan.fonts is not None or form == "path":
        sets += load_hershey()
    sets = of_form(sets, form)
    summary = data_summary(sets)
    if not any(summary["samples"].values()):
        raise HcrError(f"{plan.data} has no characters to train on: all are kept for validation.")
    chosen = {name: getattr(plan, name) for name in Mixture.__dataclass_fields__}
    renderer = stack.enter_context(Renderer(sets, Mixture(**chosen), plan.processes, form))
    ahead: dict[int, Callable[[], Arrays]] = {}

    # Where there are no cores to spare, rendering meanwhile slows training down by half.
    spare = (os.cpu_count() or 1) > plan.processes
    rounds_at_once = 2 if spare and plan.processes > 1 else 1

    def rendered(number: int) -> Arrays:
        for near in range(number, number + rounds_at_once):
            if near not in ahead and near * plan.passes < plan.epochs:
                ahead[near] = renderer.ahead((plan.seed, near))
        return ahead.pop(number)()

    held_out = plain_arrays(validation_sets(sets), form)
    return Material(renderer.size, rendered, held_out, summary)


def validation_sets(sets: list[CharacterSet]) -> list[CharacterSet]:
    """Return the characters that choose the best epoch: those of `VALIDATION_SOURCES`, else all
    that are kept for validation. A test split is never among them.
    """
    kept = [one.split("validation") for one in sets]
    kept = [one for one in kept if len(one)]
    return [one for one in kept if one.name in VALIDATION_SOURCES] or kept


def data_summary(sets: list[CharacterSet]) -> dict[str, Any]:
    """Return what a run writes of its data: characters by source and split, and by class."""
    sources = {
        one.name: dict(
            zip(SPLITS, np.bincount(one.splits, minlength=len(SPLITS)).tolist(), strict=True)
        )
        for one in sets
    }
    return {"sources": sources, "samples": class_counts(sets)}


def targets(
    labels: NDArray[np.int16], smoothing: float, classes: int = len(CLASSES)
) -> NDArray[np.float32]:
    """Return float32 (n, classes) rows that sum to 1: smoothed one-hot, uniform for `NOTHING`."""
    uniform = np.float32(1 / classes)
    wanted = np.full((len(labels), classes), uniform * smoothing, np.float32)
    known = np.flatnonzero(labels != NOTHING)
    wanted[known, labels[known]] += 1 - smoothing
    wanted[labels == NOTHING] = uniform
    return wanted


def predictions(network: Any, inputs: NDArray[Any]) -> NDArray[np.float32]:
    """Return a Keras network's probabilities, float32 (n, classes), of `Arrays.inputs`."""
    from keras import ops

    parts = [np.zeros((0, network.output_shape[-1]), np.float32)]
    for at in range(0, len(inputs), 512):
        answer = network(_levels(inputs[at : at + 512]), training=False)
        parts.append(np.asarray(ops.convert_to_numpy(answer), np.float32))
    return np.concatenate(parts)


def accuracies_of(probabilities: NDArray[np.float32], labels: NDArray[np.int16]) -> Row:
    """Return `train.evaluate.measures.accuracies`; of other classes than ours, `accuracy`."""
    if probabilities.shape[1] == len(CLASSES):
        return accuracies(probabilities, labels)
    return {"accuracy": float((probabilities.argmax(axis=1) == labels).mean())}


def best_epoch(history: list[Row], choose: bool = True) -> int:
    """Return the number of the epoch whose weights are kept, from 1; 0 where there is none.

    The one that reads the validation writers best, with case and without; of equals the later
    one. The last where nothing was held out, or nothing is to be chosen.
    """
    scores = [row.get("accuracy_62", 0.0) + row.get("accuracy_26", 0.0) for row in history]
    scores = scores if choose else [0.0] * len(history)
    return max(range(1, len(history) + 1), key=lambda n: (scores[n - 1], n), default=0)


class _Course:
    """One network on its way through the epochs of a plan."""

    def __init__(self, plan: Plan, material: Material, history: list[Row]) -> None:
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
        import keras

        from train import networks

        self.plan, self.material, self.history = plan, material, history
        self.epoch = len(history)
        keras.utils.set_random_seed(plan.seed)
        self.network = networks.build(plan.network)
        # A second one holds the averaged weights: it is judged and saved, never trained.
        self.averaged = networks.build(plan.network)
        self.teacher = _teacher(plan.teacher, self.network)
        self.steps = max(1, material.size // plan.batch)
        self.network.compile(self._optimizer(), keras.losses.CategoricalCrossentropy())
        self.network.optimizer.build(self.network.trainable_variables)
        if history:
            self.network.load_weights(self._checkpoint(len(history)))
        self.weights = class_weights(plan.class_weights)[: self.network.output_shape[-1]]
        # Seconds of the unbroken parts add up.
        self.started = time.monotonic() - (history[-1]["seconds"] if history else 0.0)

    def run(self) -> None:
        import keras

        done = len(self.history)
        total = self.plan.epochs * self.steps
        _say("Rendering the first round ...")
        if done:
            _say(f"Going on after epoch {done} of {self.plan.epochs}.")
        with tqdm(total=total, initial=done * self.steps, unit="step", mininterval=2) as bar:
            steps = keras.callbacks.LambdaCallback(
                on_epoch_begin=self._begin,
                on_train_batch_begin=self._begin_step,
                on_epoch_end=self._end,
                on_train_batch_end=lambda step, logs: bar.update(),
            )
            self._write(finished=False)
            if done < self.plan.epochs and not self._is_tired():
                self.network.fit(
                    self._batches(done),
                    epochs=self.plan.epochs,
                    initial_epoch=done,
                    steps_per_epoch=self.steps,
                    callbacks=[steps, *_tensorboard(self.plan.out)],
                    verbose=0,
                    shuffle=False,
                )
        self._write(finished=True)
        for path in self.plan.out.glob("checkpoint-*"):
            path.unlink()

    def _optimizer(self) -> Any:
        import keras

        plan = self.plan
        rate: Any = plan.learning_rate
        if plan.schedule == "cosine":
            steps = plan.epochs * self.steps
            warm_up = min(300, steps // 10)
            rate = keras.optimizers.schedules.CosineDecay(
                rate / 20, max(1, steps - warm_up), warmup_target=rate, warmup_steps=warm_up
            )
        # A short run is averaged over its last tenth, not over its start.
        momentum = max(0.0, min(plan.average, 1 - 10 / (plan.epochs * self.steps)))
        averaging = {"use_ema": plan.average > 0, "ema_momentum": momentum}
        optimizer = keras.optimizers.AdamW(rate, weight_decay=plan.weight_decay, **averaging)
        optimizer.exclude_from_weight_decay(var_names=["gamma", "beta", "bias"])
        return optimizer

    def _batches(self, first: int) -> Iterator[tuple[NDArray[np.float32], NDArray[np.float32]]]:
        """Yield the batches of every epoch from `first` on: a function of seed, epoch and step."""
        plan = self.plan
        number, arrays, wanted = -1, None, None
        for epoch in range(first, plan.epochs):
            if number != epoch // plan.passes:
                number = epoch // plan.passes
                arrays = self.material.round(number)
                wanted = self._wanted(arrays)
            assert arrays is not None
            assert wanted is not None
            rng = np.random.default_rng([plan.seed, 2, epoch])
            order = rng.permutation(len(arrays.labels))
            for step in range(self.steps):
                rows = order[step * plan.batch : (step + 1) * plan.batch]
                inputs = _levels(arrays.inputs[rows])
                if arrays.inputs.dtype == np.uint8 and plan.network != "seed":
                    # A pixel of shift costs nothing and tells passes over one round apart.
                    inputs = np.roll(inputs, rng.integers(-1, 2, 2), axis=(1, 2))
                yield _mixed_up(inputs, wanted[rows], plan.mixup, rng)

    def _wanted(self, arrays: Arrays) -> NDArray[np.float32]:
        """Return the targets of a round, a row scaled by what its class is worth."""
        wanted = targets(arrays.labels, self.plan.smoothing, self.network.output_shape[-1])
        if self.teacher is not None:
            share = np.float32(self.plan.distillation)
            wanted += share * (predictions(self.teacher, arrays.inputs) - wanted)
        known = arrays.labels != NOTHING
        wanted[known] *= self.weights[arrays.labels[known], None]
        return wanted

    def _begin(self, epoch: int, logs: Any) -> None:
        self.epoch = epoch
        # What is dropped depends on the epoch alone, so that a resumed run drops the same.
        for layer in self.network.layers:
            if hasattr(layer, "seed_generator"):
                layer.seed_generator.state.assign([self.plan.seed, epoch])
        if self.plan.schedule == "plateau":
            self.network.optimizer.learning_rate = plateau_rate(
                self.plan.learning_rate, self.history
            )

    def _begin_step(self, step: int, logs: Any) -> None:
        import keras

        if step == 0:
            # PyTorch's dropout draws from the global generator, and so does what feeds it batches.
            keras.utils.set_random_seed((self.plan.seed * 10_007 + self.epoch) % 2**32)

    def _end(self, epoch: int, logs: Any) -> None:
        self.network.save_weights(self._checkpoint(epoch + 1))
        self.averaged.set_weights(self._averaged_weights())
        if self.plan.network != "seed":
            _expect_as_usual(self.averaged)
        row: Row = {"epoch": epoch + 1, "loss": float(logs["loss"])}
        held_out = self.material.held_out
        if len(held_out.labels):
            answers = predictions(self.averaged, held_out.inputs)
            right = answers[np.arange(len(answers)), held_out.labels]
            row["validation_loss"] = float(-np.log(np.maximum(right, 1e-7)).mean())
            row |= accuracies_of(answers, held_out.labels)
        row["seconds"] = round(time.monotonic() - self.started, 1)
        self.history.append(row)
        logs.update({f"val_{name}": row[name] for name in row if name.startswith("accuracy")})
        _say("  ".join(f"{name} {value:.4g}" for name, value in row.items()))
        if self._best() == epoch + 1:
            self.averaged.save(self.plan.out / WEIGHTS_FILE)
        self._write(finished=False)
        self._checkpoint(epoch).unlink(missing_ok=True)
        self.network.stop_training = self._is_tired()

    def _averaged_weights(self) -> list[NDArray[np.float32]]:
        """Return the moving average, and leave the weights as they are to the last bit."""
        network = self.network
        now = network.get_weights()
        network.optimizer.finalize_variable_values(network.trainable_variables)
        averaged: list[NDArray[np.float32]] = network.get_weights()
        network.set_weights(now)
        return averaged

    def _best(self) -> int:
        return best_epoch(self.history, choose=self.plan.network != "seed")

    def _is_tired(self) -> bool:
        return 0 < self.plan.patience <= len(self.history) - self._best()

    def _checkpoint(self, epochs: int) -> Path:
        return self.plan.out / f"checkpoint-{epochs:04d}.weights.h5"

    def _write(self, finished: bool) -> None:
        """Write the run's file and the log; the run's file last, and whole or not at all."""
        with (self.plan.out / LOG_FILE).open("w", newline="") as file:
            rows = csv.DictWriter(file, list(self.history[0]) if self.history else ["epoch"])
            rows.writeheader()
            rows.writerows(self.history)
        report = {
            "plan": told(self.plan),
            "versions": _versions(),
            "backend": _backend(),
            "hardware": f"{_device(self.network)}, {os.cpu_count()} CPU cores",
            "seconds": self.history[-1]["seconds"] if self.history else 0.0,
            "parameters": int(self.network.count_params()),
            "sources": sorted(self.material.summary["sources"]),
            "data": self.material.summary,
            "best_epoch": self._best(),
            "finished": finished,
            "history": self.history,
        }
        new = self.plan.out / f"{RUN_FILE}.new"
        new.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
        new.replace(self.plan.out / RUN_FILE)


def plateau_rate(highest: float, history: list[Row], patience: int = 3) -> float:
    """Return the next epoch's learning rate: halved whenever `patience` epochs were no better.

    It is a function of the history alone, so that a resumed run goes on with the same one.
    """
    rate, best, waited = highest, np.inf, 0
    for row in history:
        loss = row.get("validation_loss", row["loss"])
        best, waited = (loss, 0) if loss < best else (best, waited + 1)
        if waited == patience:
            rate, waited = rate / 2, 0
    return rate


def _say(text: str) -> None:
    """Write a line above the progress bar."""
    tqdm.write(text, file=sys.stderr)


def _levels(inputs: NDArray[Any]) -> NDArray[np.float32]:
    """Return `Arrays.inputs` as the network takes them."""
    if inputs.dtype != np.uint8:
        return inputs.astype(np.float32)
    return (inputs[..., None] / np.float32(255)).astype(np.float32, copy=False)


def _expect_as_usual(network: Any) -> None:
    """Take out of the logits' bias that some classes were drawn more often than they come.

    Logit adjustment: Menon et al., ICLR 2021.
    """
    bias = network.get_layer("logits").bias
    often = np.array([REPEATS.get(label, 1.0) for label in range(len(CLASSES))], np.float32)
    bias.assign(bias - np.log(often))


def _mixed_up(
    inputs: NDArray[np.float32],
    wanted: NDArray[np.float32],
    alpha: float,
    rng: np.random.Generator,
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return each row blended with another (mixup: Zhang et al., ICLR 2018), or as it is."""
    if not alpha:
        return inputs, wanted
    share = np.float32(rng.beta(alpha, alpha))
    other = rng.permutation(len(inputs))
    return inputs + share * (inputs[other] - inputs), wanted + share * (wanted[other] - wanted)


def _teacher(path: Path | None, pupil: Any) -> Any:
    import keras

    if path is None:
        return None
    file = path / WEIGHTS_FILE if path.is_dir() else path
    try:
        teacher = keras.models.load_model(file, compile=False)
    except (OSError, ValueError) as error:
        raise HcrError(f"Cannot read the teacher {file}: it is not of a finished run.") from error
    if (teacher.input_shape, teacher.output_shape) != (pupil.input_shape, pupil.output_shape):
        raise HcrError(f"The teacher {file} takes or gives other shapes than the network.")
    return teacher


def _tensorboard(folder: Path) -> list[Any]:
    """Return the callback for TensorBoard, where it can be written."""
    from importlib.util import find_spec

    import keras

    if find_spec("tensorflow") is None or find_spec("tensorboard") is None:
        return []
    return [keras.callbacks.TensorBoard(folder / "tensorboard", write_graph=False)]


def _earlier_report(plan: Plan) -> dict[str, Any]:
    """Return what the run's folder holds of this very run, empty where it is new."""
    try:
        plan.out.mkdir(parents=True, exist_ok=True)
        if not (plan.out / RUN_FILE).exists():
            return {}
        report: dict[str, Any] = json.loads((plan.out / RUN_FILE).read_text(encoding="utf-8"))
        before = report["plan"]
        report["history"], report["data"]
    except OSError as error:
        raise HcrError(f"Cannot write to {plan.out}: {error.strerror}.") from error
    except (ValueError, KeyError, TypeError) as error:
        raise HcrError(f"{plan.out / RUN_FILE} is damaged: choose another --out.") from error
    for name, value in told(plan).items():
        if name not in ("out", "processes") and before.get(name) != value:
            raise HcrError(
                f"{plan.out} holds a run with another configuration"
                f" ({flag(name)} {before.get(name)}, not {value}): choose another --out."
            )
    return report


def _backend() -> str:
    import keras

    return str(keras.backend.backend())


def _device(network: Any) -> str:
    """Return where the weights lie, as the backend calls it: "CPU:0", "cuda:0"."""
    return str(network.weights[0].value.device).rpartition("device:")[2]


def _versions() -> dict[str, str]:
    from importlib.metadata import version

    names = (_backend(), "keras", "numpy", "opencv-python")
    return {"python": platform.python_version()} | {name: version(name) for name in names}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `fit`."""
    add_options(parser)


def run(options: argparse.Namespace) -> None:
    """Fit as the options say."""
    plan = plan_of(options)
    try:
        fit(plan)
    except KeyboardInterrupt:
        if (plan.out / RUN_FILE).exists():
            print("Stopped: the same command goes on where it was.", file=sys.stderr)
        raise
    report = json.loads((plan.out / RUN_FILE).read_text(encoding="utf-8"))
    print(f"Wrote {plan.out}: the weights are those of epoch {report['best_epoch']}.")
