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
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from hcr_live.alphabet import CLASSES
from hcr_live.errors import HcrError
from train import distribute
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
from train.distribute import ALONE, Place, Workers
from train.evaluate.measures import accuracies
from train.plan import Plan, add_options, check, class_weights, flag, plan_of, told

WEIGHTS_FILE = "model.keras"
RUN_FILE = "run.json"
LOG_FILE = "log.csv"
VALIDATION_SOURCES = ("chars74k", "omniglot_latin")
"""Sources whose validation writers choose the best epoch; without them those of all others."""

Row = dict[str, float]

_OWN = {"out", "processes", "data", "fonts", "teacher"}
"""What may be called otherwise on each worker's machine."""


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


def fit(plan: Plan, place: Place | None = None) -> Path:
    """Train a network, or go on where an interrupted run was, and return the run's folder.

    Args:
        plan: What the run is told.
        place: Of this process among those that train together, where there are several processes
            or GPUs (`train.distribute`). Only worker 0 writes the run's folder.

    Raises:
        HcrError: If data, fonts, teacher or class weights can't be read, an option makes no
            sense, the folder holds a run with another configuration, or another worker has
            another one, or is lost.
    """
    check(plan)
    with ExitStack() as stack:
        workers = stack.enter_context(distribute.joined(place))
        out = plan.out
        if not workers.is_chief:
            _say(f"Worker {workers.number} trains along: worker 0 says how far it is.")
            plan = replace(plan, out=Path(stack.enter_context(TemporaryDirectory())))
        report = workers.agreed(lambda: _earlier_report(plan))
        report = json.loads(workers.exchange(json.dumps(report).encode())[0])
        if report.get("finished"):
            _say(f"{out} holds this run already, complete.")
            return out
        material = workers.agreed(lambda: _material(plan, stack, workers))
        if report and report["data"] != material.summary:
            raise HcrError(f"{out} holds a run on other data: choose another --out, or empty it.")
        _align(plan, material, len(report.get("history", [])), workers)
        course = workers.agreed(lambda: _Course(plan, material, report.get("history", []), workers))
        course.run()
    return out


def _align(plan: Plan, material: Material, epoch: int, workers: Workers) -> None:
    """See that all workers are about to do the same, and hand them the chief's checkpoint.

    Raises:
        HcrError: If they have other options or data, or can't share a batch evenly.
    """
    if workers.alone:
        return
    ours = json.dumps({"plan": told(plan), "data": material.summary})
    first, *others = (json.loads(one) for one in workers.exchange(ours.encode()))
    for number, other in enumerate(others, 1):
        difference = _difference(other["plan"], first["plan"], besides=_OWN)
        if difference or other["data"] != first["data"]:
            raise HcrError(
                f"Worker {number} has {difference or 'other data'}: all workers must be told the"
                " same."
            )
    if plan.batch % workers.devices or plan.batch > material.size:
        raise HcrError(
            f"--batch is {plan.batch}: it must be a multiple of {workers.devices}, the devices"
            f" that share it, and at most a round's {material.size} characters."
        )
    if epoch:
        path = _checkpoint(plan, epoch)
        content = workers.exchange(path.read_bytes() if workers.is_chief else b"")[0]
        if not workers.is_chief:
            path.write_bytes(content)


def _material(plan: Plan, stack: ExitStack, workers: Workers) -> Material:
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
    renderer = Renderer(sets, Mixture(**chosen), plan.processes, form, workers)
    stack.enter_context(renderer)
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

    def __init__(
        self, plan: Plan, material: Material, history: list[Row], workers: Workers = ALONE
    ) -> None:
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
        import keras

        from train import networks

        self.plan, self.material, self.history, self.workers = plan, material, history, workers
        self.epoch = len(history)
        keras.utils.set_random_seed(plan.seed)
        network = networks.build(plan.network)
        # A second one holds the averaged weights: it is judged and saved, never trained.
        self.averaged = networks.build(plan.network)
        self.teacher = _teacher(plan.teacher, network)
        self.steps = max(1, material.size // plan.batch)
        with workers.scope():
            self.network = workers.copied(network)
            self.network.compile(self._optimizer(), keras.losses.CategoricalCrossentropy())
            self.network.optimizer.build(self.network.trainable_variables)
            if history:
                self.network.load_weights(_checkpoint(plan, len(history)))
        self.weights = class_weights(plan.class_weights)[: self.network.output_shape[-1]]
        # Seconds of the unbroken parts add up.
        self.started = time.monotonic() - (history[-1]["seconds"] if history else 0.0)

    def run(self) -> None:
        import keras

        done = len(self.history)
        total = self.plan.epochs * self.steps
        self._say("Rendering the first round ...")
        if done:
            self._say(f"Going on after epoch {done} of {self.plan.epochs}.")
        begun, quiet = done * self.steps, not self.workers.is_chief
        with tqdm(total=total, initial=begun, unit="step", mininterval=2, disable=quiet) as bar:
            steps = keras.callbacks.LambdaCallback(
                on_epoch_begin=self._begin,
                on_train_batch_begin=self._begin_step,
                on_epoch_end=self._end,
                on_train_batch_end=lambda step, logs: bar.update(),
            )
            self._write(finished=False)
            if done < self.plan.epochs and not self._is_tired():
                self.workers.train(
                    self.network,
                    self._batches(done),
                    range(done, self.plan.epochs),
                    self.steps,
                    [steps, *_tensorboard(self.plan.out)],
                )
        self._write(finished=True)
        self.workers.exchange(b"")  # the others wait until all is written
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
        self.network.save_weights(_checkpoint(self.plan, epoch + 1))
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
        # Other processors round otherwise: what the first worker finds decides for all.
        row = json.loads(self.workers.exchange(json.dumps(row).encode())[0])
        self.history.append(row)
        logs.update({f"val_{name}": row[name] for name in row if name.startswith("accuracy")})
        self._say("  ".join(f"{name} {value:.4g}" for name, value in row.items()))
        if self._best() == epoch + 1:
            self.averaged.save(self.plan.out / WEIGHTS_FILE)
        self._write(finished=False)
        _checkpoint(self.plan, epoch).unlink(missing_ok=True)
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

    def _say(self, text: str) -> None:
        if self.workers.is_chief:
            _say(text)

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
            "hardware": f"{_device(self.averaged)}, {os.cpu_count()} CPU cores",
            "devices": self.workers.devices,
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


def _checkpoint(plan: Plan, epochs: int) -> Path:
    return plan.out / f"checkpoint-{epochs:04d}.weights.h5"


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
    if difference := _difference(before, told(plan), besides={"out", "processes"}):
        raise HcrError(
            f"{plan.out} holds a run with another configuration ({difference}): choose another"
            " --out."
        )
    return report


def _difference(before: dict[str, Any], now: dict[str, Any], besides: set[str]) -> str:
    """Return what two plans differ in, "--seed 1, not 2", or ""."""
    for name, value in now.items():
        if name not in besides and before.get(name) != value:
            return f"{flag(name)} {before.get(name)}, not {value}"
    return ""


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
    distribute.add_arguments(parser)


def run(options: argparse.Namespace) -> None:
    """Fit as the options say."""
    plan = plan_of(options)
    place = distribute.place_of(options.distribute, options.worker)
    try:
        fit(plan, place)
    except KeyboardInterrupt:
        if (plan.out / RUN_FILE).exists():
            print("Stopped: the same command goes on where it was.", file=sys.stderr)
        raise
    if place is not None and place.worker:
        return
    report = json.loads((plan.out / RUN_FILE).read_text(encoding="utf-8"))
    print(f"Wrote {plan.out}: the weights are those of epoch {report['best_epoch']}.")
