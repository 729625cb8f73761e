"""Turn a run into the files that are shipped: .keras, .tflite, .onnx, and their card."""

from __future__ import annotations

import argparse
import datetime
import hashlib
import json
import math
import os
import tempfile
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from hcr_live.alphabet import CLASSES
from hcr_live.classifier import MODEL, PATH_MODEL
from hcr_live.errors import HcrError
from hcr_live.quiet import silent_stderr
from train import card
from train.data import CharacterSet, load
from train.dataset import Form, ink_of, level_of, of_form
from train.evaluate.evaluation import Evaluation, evaluate, figures
from train.evaluate.forms import Network, load_keras, network_of, of_keras, open_network
from train.evaluate.measures import (
    accuracies,
    accuracy_of_most_confident,
    ask,
    calibration_error,
)
from train.fit import RUN_FILE, WEIGHTS_FILE, validation_sets
from train.networks import form_of

LARGEST_DIFFERENCE = 0.01
LEAST_SAME = 0.999
LARGEST_LOSS = 0.001
SLOWER = 1.2
"""What a smaller form may differ by to be shipped: a probability; the share of inks with the same
answer; accuracy; time, in shares of float32's (a busy computer's own scatter)."""

_COMPARED = 1000
_RANGED = 300
_TIMED = 100

Contents = Sequence[Any]
"""Characters as a network of some form is shown them: inks, or strokes."""

_NAMES: dict[Form, str] = {"ink": MODEL, "path": PATH_MODEL}
_T = TypeVar("_T")


@dataclass(frozen=True)
class Agreement:
    """How an exported form answers beside the Keras network, on real characters.

    Attributes:
        bytes: Of the file.
        largest_difference: Of a probability.
        same_answers: Share of the characters with the same likeliest class.
        accuracy_62: Every class with its case.
        accuracy_26: Letters, case folded.
        milliseconds: For one character, from ink or strokes to probabilities, on one core.
    """

    bytes: int
    largest_difference: float
    same_answers: float
    accuracy_62: float
    accuracy_26: float
    milliseconds: float


def export(
    run: Path,
    data: Path,
    out: Path,
    also: Sequence[Path] = (),
    *,
    test: bool = False,
    date: str | None = None,
    note: str = "",
) -> Path:
    """Write the network in its forms and their card, and return the .tflite file's path.

    Args:
        run: Folder that `fit` wrote.
        data: Folder of training data, for calibration and figures.
        out: Folder of the result, five files of one name: .keras, .tflite, .onnx, .md, .json.
            What is there is replaced once all five are ready.
        also: Further files that were looked at, for the validation figures.
        test: Also measure the test split, for the last figure.
        date: YYYY-MM-DD on the card; default today.
        note: A sentence for the card, under the training commands.

    Raises:
        HcrError: If the run or the data can't be read, there is no TensorFlow, or a converted
            network answers otherwise.
    """
    choose_tensorflow()
    report = card.read_run(run / RUN_FILE)
    model = load_keras(run / WEIGHTS_FILE)
    form = form_of(model)
    name = _NAMES[form]
    sets = of_form(load(data), form)
    held_out = [one for one in validation_sets(sets) if len(one)]
    if not held_out:
        raise HcrError(f"{data} holds no validation writers: without them nothing is calibrated.")
    keras_network = network_of("keras", form, of_keras(model))
    uncalibrated = keras_network.read(_contents(held_out, form))
    labels = np.concatenate([one.labels for one in held_out])
    temperature = fitted_temperature(uncalibrated, labels)
    others = other_writers_figures(uncalibrated, labels, _halves(held_out))
    _divide_logits(model, temperature)
    compared = _compared(sets)
    try:
        out.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=out) as folder:
            target = Path(folder) / name
            forms = write_forms(model, target, some_training(sets, form), compared)
            shipped = smallest_form(forms)
            (target.parent / f"{shipped}.tflite").rename(target)
            content = {
                "model": target.stem,
                "date": date or datetime.date.today().isoformat(),
                "sha256": hashlib.sha256(target.read_bytes()).hexdigest(),
                "bytes": target.stat().st_size,
                "parameters": int(model.count_params()),
                "classes": CLASSES,
                "note": note,
                "form": shipped,
                "forms": {name: asdict(one) for name, one in forms.items()},
                "looks_at": form,
                "inks_compared": sum(map(len, compared)),
                "temperature": temperature,
                "other_writers": others,
                "validation": _card_figures(evaluate(data, target, also)),
                "together": _together(data, target, also) if form == "path" else None,
                "test": _card_figures(evaluate(data, target, split="test")) if test else None,
            } | card.training(report)
            for suffix, text in (
                (".json", json.dumps(content, indent=1) + "\n"),
                (".md", card.markdown(content)),
            ):
                target.with_suffix(suffix).write_text(text, encoding="utf-8")
            # The card comes last: it holds the sum of the network that it belongs to.
            for suffix in (".keras", ".onnx", ".tflite", ".md", ".json"):
                target.with_suffix(suffix).replace((out / name).with_suffix(suffix))
    except OSError as error:
        raise HcrError(f"Cannot write to {out}: {error.strerror}.") from error
    return out / name


def choose_tensorflow() -> None:
    """Set the backend: LiteRT's converter takes TensorFlow's functions, whatever `fit` ran on."""
    os.environ["KERAS_BACKEND"] = "tensorflow"
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    try:
        with silent_stderr():
            import keras
            import tensorflow  # noqa: F401
    except ImportError as error:
        raise HcrError(
            "Export needs TensorFlow: install it with pip install tensorflow."
        ) from error
    if keras.backend.backend() != "tensorflow":
        raise HcrError("Export needs Keras's TensorFlow backend: set KERAS_BACKEND=tensorflow.")


def fitted_temperature(probabilities: NDArray[np.float32], labels: NDArray[np.int16]) -> float:
    """Return what to divide the logits by, so that confidences mean what they say.

    The hundredth from 0.3 to 3 with the least mean log loss of folded letters, of digits where
    there is no letter (Guo et al., ICML 2017, temperature scaling).

    Args:
        probabilities: float32 (n, 62), of logits that are divided by nothing.
        labels: int16 (n,), columns of `CLASSES`.
    """
    losses: dict[float, float] = {}
    alphabet = "letters" if len(ask(probabilities, labels).rows) else "digits"
    for hundredths in range(30, 301):
        answers = ask(at_temperature(probabilities, hundredths / 100), labels, alphabet)
        wanted = np.take_along_axis(answers.probabilities, answers.wanted[:, None], axis=1)
        losses[hundredths / 100] = float(-np.log(np.maximum(wanted, 1e-9)).mean())
    return min(losses, key=losses.__getitem__)


def at_temperature(probabilities: NDArray[np.float32], temperature: float) -> NDArray[np.float32]:
    """Return the probabilities, float32 (n, 62), that logits divided by `temperature` give."""
    logits = np.log(np.maximum(probabilities.astype(np.float64), 1e-30)) / temperature
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return (powers / powers.sum(axis=1, keepdims=True)).astype(np.float32)


def other_writers_figures(
    probabilities: NDArray[np.float32],
    labels: NDArray[np.int16],
    halves: NDArray[np.bool_],
) -> dict[str, float]:
    """Return figures of confidences whose temperature never saw their writer.

    Args:
        probabilities: float32 (n, 62), uncalibrated.
        labels: int16 (n,).
        halves: bool (n,): which half of the writers; each half gets the other's temperature.

    Returns:
        `calibration_error` and `accuracy_90` of the folded letters; empty without letters.
    """
    calibrated = np.array(probabilities)
    for half in (halves, ~halves):
        if half.any() and (~half).any():
            temperature = fitted_temperature(probabilities[~half], labels[~half])
            calibrated[half] = at_temperature(probabilities[half], temperature)
    answers = ask(calibrated, labels)
    if not len(answers.rows):
        return {}
    return {
        "calibration_error": calibration_error(answers.confidences, answers.right),
        "accuracy_90": accuracy_of_most_confident(answers.confidences, answers.right),
    }


def _halves(sets: Sequence[CharacterSet]) -> NDArray[np.bool_]:
    """Return True for every other writer of each source, (n,)."""
    return np.concatenate(
        [np.unique(one.writers, return_inverse=True)[1].ravel() % 2 == 1 for one in sets]
    )


def _divide_logits(model: Any, temperature: float) -> None:
    """Build the temperature into the last layer with weights, the one before the softmax."""
    last = [layer for layer in model.layers if layer.get_weights()][-1]
    last.set_weights([weight / temperature for weight in last.get_weights()])


def some_training(sets: Sequence[CharacterSet], form: Form) -> Contents:
    """Return seeded training characters, even by source, to measure int8's ranges on."""
    rng = np.random.default_rng(0)
    sets = [part for one in sets if len(part := one.split("train"))]
    chosen = [sets[number % len(sets)] for number in range(_RANGED if sets else 0)]
    some = [one.contents[int(rng.integers(len(one)))] for one in chosen]
    return [ink_of(content) for content in some] if form == "ink" else some


def _contents(sets: Sequence[CharacterSet], form: Form) -> Contents:
    every = [content for one in sets for content in one.contents]
    return [ink_of(content) for content in every] if form == "ink" else every


def _compared(sets: Sequence[CharacterSet]) -> list[CharacterSet]:
    """Return up to `_COMPARED` seeded validation characters of each source."""
    rng = np.random.default_rng(0)
    parts = [part for one in sets if len(part := one.split("validation"))]
    return [
        one.chosen(np.sort(rng.permutation(len(one))[:_COMPARED])) if len(one) > _COMPARED else one
        for one in parts
    ]


def write_forms(
    model: Any, target: Path, training: Contents, compared: Sequence[CharacterSet]
) -> dict[str, Agreement]:
    """Write every form beside `target` and return how each agrees, by name.

    The .keras and .onnx files get the target's name, the .tflite forms their own.
    """
    model.save(target.with_suffix(".keras"))
    write_onnx(model, target.with_suffix(".onnx"))
    paths = {"onnx": target.with_suffix(".onnx")}
    for kind in ("float32", "float16", "int8"):
        paths[kind] = target.parent / f"{kind}.tflite"
        paths[kind].write_bytes(tflite(model, kind, training))
    form = form_of(model)
    characters, labels = _contents(compared, form), np.concatenate([one.labels for one in compared])
    wanted = network_of("keras", form, of_keras(model)).read(characters)
    networks = {name: open_network(path) for name, path in paths.items()}
    speeds = _milliseconds(networks, characters[:_TIMED])
    return {
        name: agreement(
            network.read(characters), wanted, labels, paths[name].stat().st_size, speeds[name]
        )
        for name, network in networks.items()
    }


def agreement(
    found: NDArray[np.float32],
    wanted: NDArray[np.float32],
    labels: NDArray[np.int16],
    size: int,
    milliseconds: float,
) -> Agreement:
    """Compare the probabilities of a form and of the Keras network, float32 (n, 62) each."""
    right = accuracies(found, labels)
    return Agreement(
        size,
        float(np.abs(found - wanted).max()),
        float((found.argmax(axis=1) == wanted.argmax(axis=1)).mean()),
        right.get("accuracy_62", 0.0),
        right.get("accuracy_26", 0.0),
        milliseconds,
    )


def _milliseconds(networks: Mapping[str, Network], characters: Contents) -> dict[str, float]:
    """Return the time of one character, the best of ten rounds that take turns."""
    best = dict.fromkeys(networks, np.inf)
    for _ in range(10):
        for name, network in networks.items():
            start = time.perf_counter()
            for character in characters:
                network.read([character])
            best[name] = min(best[name], (time.perf_counter() - start) / len(characters) * 1000)
    return best


def smallest_form(forms: Mapping[str, Agreement]) -> str:
    """Return the smallest .tflite form that loses nothing that counts.

    Raises:
        HcrError: If float32 itself or the ONNX file answers otherwise than the Keras network.
    """
    for name in ("float32", "onnx"):
        if not _agrees(forms[name]):
            raise HcrError(
                f"The converted network ({name}) differs from the Keras one by"
                f" {forms[name].largest_difference:.3f}: nothing was written."
            )
    fit = [
        name
        for name in ("float32", "float16", "int8")
        if name == "float32" or may_ship(forms[name], forms["float32"])
    ]
    return min(fit, key=lambda name: forms[name].bytes)


def _agrees(form: Agreement) -> bool:
    return form.largest_difference <= LARGEST_DIFFERENCE and form.same_answers >= LEAST_SAME


def may_ship(form: Agreement, plain: Agreement) -> bool:
    """Return whether a form may stand for the plain float32 one: see `LARGEST_DIFFERENCE`."""
    return (
        _agrees(form)
        and plain.accuracy_62 - form.accuracy_62 < LARGEST_LOSS
        and plain.accuracy_26 - form.accuracy_26 < LARGEST_LOSS
        and form.milliseconds <= SLOWER * plain.milliseconds
    )


def tflite(model: Any, kind: str, training: Contents = ()) -> bytes:
    """Return a Keras model (TensorFlow backend) as a LiteRT file that takes and gives float32.

    Args:
        model: Takes (n, ...); so does the file, 1 at a time unless resized.
        kind: "float32"; "float16" weights; or "int8" weights and activations.
        training: What int8's ranges are measured on.
    """
    import keras
    import tensorflow as tf

    form, shape = form_of(model), model.input_shape[1:]

    class Flat(keras.layers.Layer):
        """Flatten without reading the batch's size at run time, which would cost a fifth."""

        def call(self, x: Any) -> Any:
            return tf.reshape(x, (-1, math.prod(x.shape[1:])))

    def as_flat(layer: Any) -> Any:
        if isinstance(layer, keras.layers.Flatten):
            return Flat(name=layer.name)
        return type(layer).from_config(layer.get_config())

    def converted() -> bytes:
        flat = keras.models.clone_model(model, clone_function=as_flat)
        flat.set_weights(model.get_weights())
        call = tf.function(
            lambda inputs: flat(inputs, training=False),
            input_signature=[tf.TensorSpec((None, *shape), tf.float32, name=form)],
        )
        converter = tf.lite.TFLiteConverter.from_concrete_functions([call.get_concrete_function()])
        if kind != "float32":
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
        if kind == "float16":
            converter.target_spec.supported_types = [tf.float16]
        elif kind == "int8":
            converter.representative_dataset = lambda: (
                [level_of(content, form).reshape(1, *shape)] for content in training
            )
        return bytes(converter.convert())

    return _quietly(converted)


def write_onnx(model: Any, path: Path) -> None:
    """Write a Keras model as ONNX, any number of characters at a time."""
    model(np.zeros((1, *model.input_shape[1:]), np.float32))  # Keras exports what was called once
    _quietly(lambda: model.export(path, format="onnx", verbose=False))


def _quietly(work: Callable[[], _T]) -> _T:
    """Do what warns of other libraries' futures, and prints."""
    with warnings.catch_warnings(), silent_stderr():
        warnings.simplefilter("ignore")
        return work()


def _card_figures(evaluation: Evaluation) -> dict[str, Any]:
    of = figures(evaluation)
    names = ("sources", "writers", "photos", "alphabets", "unknown", "confused")
    return {name: of[name] for name in names}


def _together(data: Path, paths: Path, also: Sequence[Path]) -> dict[str, Any]:
    """Return the figures of the shipped ink network and this one of paths, asked together."""
    return _card_figures(evaluate(data, None, also, paths=paths, together=True))


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `export`."""
    parser.add_argument(
        "--run", type=Path, required=True, help="folder that fit wrote", dest="folder"
    )
    parser.add_argument("--data", type=Path, required=True, help="folder of training data")
    parser.add_argument(
        "--also",
        type=Path,
        nargs="*",
        default=[],
        metavar="FILE",
        help="further files that were looked at, for the validation figures",
    )
    parser.add_argument("--out", type=Path, default=Path("models"), help="default models")
    parser.add_argument(
        "--test", action="store_true", help="measure the test split too, for the last figure"
    )
    parser.add_argument("--date", help="YYYY-MM-DD on the card; default today")
    parser.add_argument("--note", default="", help="a sentence for the card")


def run(options: argparse.Namespace) -> None:
    """Export as the options say."""
    o = options
    path = export(o.folder, o.data, o.out, o.also, test=o.test, date=o.date, note=o.note)
    content = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    print(card.forms_table(content))
    print(f"Wrote {path} and its .keras, .onnx and .json; the card is {path.with_suffix('.md')}.")
