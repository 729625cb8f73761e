"""A run to the shipped files: .keras, .tflite, and the card that is written from the run."""

from __future__ import annotations

import argparse
import datetime
import hashlib
import json
import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hcr_live.alphabet import CLASSES, get_alphabet
from hcr_live.classifier import MODEL, Classifier
from hcr_live.errors import HcrError
from train.data import load, source_of
from train.dataset import ink_of, plain_arrays
from train.evaluate.evaluation import evaluate, figures
from train.evaluate.report import markdown_table
from train.fit import RUN_FILE, WEIGHTS_FILE, predictions, validation_sets


def export(
    run: Path,
    data: Path,
    out: Path,
    also: list[Path] | None = None,
    date: str | None = None,
    note: str = "",
) -> Path:
    """Write the network and its card, and return the .tflite file's path.

    Args:
        run: Folder that `fit` wrote.
        data: Folder of training data, for the validation figures.
        out: Folder of the result, four files of one name: .keras, .tflite, .md, .json.
        also: Further unseen stroke files to measure on.
        date: YYYY-MM-DD on the card; default today.
        note: A sentence for the card, under the training commands.

    Raises:
        HcrError: If the run can't be read, or the converted network answers otherwise.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    import keras

    try:
        report = json.loads((run / RUN_FILE).read_text())
        runs = _runs(report)
        network = keras.models.load_model(run / WEIGHTS_FILE, compile=False)
    except (OSError, ValueError, KeyError) as error:
        raise HcrError(f"{run} is not the folder of a finished fit: {error}.") from error
    held_out = validation_sets(load(data))
    out.mkdir(parents=True, exist_ok=True)
    target = out / MODEL
    arrays = plain_arrays(held_out)
    temperature = _temperature(predictions(network, arrays.inputs), arrays.labels)
    logits = network.get_layer("logits")
    logits.set_weights([weight / temperature for weight in logits.get_weights()])
    content = _converted(network)
    # The old card would not fit the new file.
    target.with_suffix(".json").unlink(missing_ok=True)
    target.write_bytes(content)
    network.save(target.with_suffix(".keras"))
    difference = _difference(network, arrays.inputs, Classifier(target), held_out)
    if difference > 0.01:
        raise HcrError(
            f"The converted network differs from {run} by {difference:.3f}: not written."
        )
    card = {
        "model": target.stem,
        "date": date or datetime.date.today().isoformat(),
        "sha256": hashlib.sha256(content).hexdigest(),
        "bytes": len(content),
        "parameters": int(network.count_params()),
        "classes": CLASSES,
        "note": note,
        "commands": [_command(one, number) for number, one in enumerate(runs, 1)],
        "temperature": temperature,
        "largest_difference_from_keras": difference,
        "figures": figures(evaluate(data, target, also or [])),
        "runs": runs,
    }
    target.with_suffix(".json").write_text(json.dumps(card, indent=1) + "\n", encoding="utf-8")
    target.with_suffix(".md").write_text(_markdown(card), encoding="utf-8")
    return target


def _temperature(probabilities: NDArray[np.float32], labels: NDArray[np.int16]) -> float:
    """Return what to divide the logits by, so that confidences mean what they say.

    The tenth with the least mean log loss of folded letters (Guo et al., ICML 2017); 1.0 where
    there is no letter.
    """
    letters = get_alphabet("letters")
    asked = letters.folding[labels].sum(axis=1) > 0
    if not asked.any():
        return 1.0
    wanted = letters.folding[labels[asked]].astype(bool)
    losses: dict[float, float] = {}
    for tenths in range(6, 16):
        scaled = np.maximum(probabilities[asked], 1e-9) ** (10 / tenths)
        answers = letters.project(scaled / scaled.sum(axis=1, keepdims=True))
        losses[tenths / 10] = float(-np.log(np.maximum(answers[wanted], 1e-9)).mean())
    return min(losses, key=losses.__getitem__)


def _converted(network: Any) -> bytes:
    """Return the network as a LiteRT file with float32 weights."""
    import tensorflow as tf

    from hcr_live.ink.normalise import SIDE

    call = tf.function(
        lambda ink: network(ink, training=False),
        input_signature=[tf.TensorSpec((1, SIDE, SIDE, 1), tf.float32, name="ink")],
    )
    converter = tf.lite.TFLiteConverter.from_concrete_functions([call.get_concrete_function()])
    content: bytes = converter.convert()
    return content


def _difference(
    network: Any, inputs: NDArray[np.uint8], classifier: Classifier, sets: list[Any]
) -> float:
    """Return the largest difference of a probability between the two forms."""
    inks = [ink_of(content) for one in sets for content in one.contents]
    ours = classifier.probabilities(inks)
    return float(np.abs(ours - predictions(network, inputs)).max()) if len(ours) else 0.0


def _runs(report: dict[str, Any] | None) -> list[dict[str, Any]]:
    """Return the reports of the run and of those it went on from, first one first."""
    runs: list[dict[str, Any]] = []
    while report is not None:
        runs.insert(0, report)
        report = runs[0].pop("before")
    for one in runs:
        for name in ("data", "out", "fonts", "start"):  # folders are the reader's own
            del one["plan"][name]
    return runs


def _command(report: dict[str, Any], number: int) -> str:
    """Return the command of the run of that number, with the folders by what they hold."""
    parts = [f"python -m train fit --data DATA --out RUN{number}"]
    if any(source.startswith("font:") for source in report["sources"]):
        parts.append("--fonts FONTS")
    if number > 1:
        parts.append(f"--start RUN{number - 1}/{WEIGHTS_FILE}")
    parts += [f"--{name.replace('_', '-')} {value}" for name, value in report["plan"].items()]
    return " ".join(parts)


def _markdown(card: dict[str, Any]) -> str:
    run = card["runs"][-1]
    sources = dict.fromkeys(source_of(name) for name in run["sources"])
    rows = [f"| {one.title} | {one.licence} | {one.split} |" for one in sources if one]
    fonts = sorted(s.partition(":")[2] for s in run["sources"] if s.startswith("font:"))
    versions = ", ".join(f"{name} {version}" for name, version in run["versions"].items())
    return f"""# {card["model"]}

Reads one handwritten character: 62 classes, 0-9 A-Z a-z. Written by `python -m train export`.

- Date: {card["date"]}
- Files: `{card["model"]}.keras`, `{card["model"]}.tflite` ({card["bytes"]:,} bytes, SHA-256
  `{card["sha256"]}`)
- Parameters: {card["parameters"]:,}; input: `hcr_live.ink.normalise.network_input`
- Largest difference of a probability between the two files on the validation writers:
  {card["largest_difference_from_keras"]:.6f}
- Logits divided by {card["temperature"]} (calibrated on the validation writers' folded letters)
- Best epoch of the last run: {run["best_epoch"]} of {run["plan"]["epochs"]}, chosen on the
  validation writers; seed {run["plan"]["seed"]}; {versions}

## Training

```
{chr(10).join(card["commands"])}
python -m train export --run RUN{len(card["runs"])} --data DATA
```

DATA holds the files below, FONTS the .woff files. {card["note"]}

| data | licence | split |
|---|---|---|
{chr(10).join(rows)}

Fonts (SIL Open Font License 1.1): {", ".join(fonts) or "none"}.

## Validation figures

Measured on the .tflite file through `hcr_live.classifier.Classifier`, cut to a tenth of a point.
`accuracy_26`: letters, case folded; `accuracy_62`: every class with case; `accuracy_10`: digits
in the digit alphabet; `capitals_26`: the capitals among the letters; `sure_26`: letters read right
with a confidence of at least 0.5; `below_half`: ink that is no character and stays below it.

{markdown_table(card["figures"]["sources"])}

The epoch was chosen on the validation writers of Chars74K and Omniglot: their figures are a little
flattered. The made ink of the last row is of the kinds that training uses.

## Limits

- One upright, separated character at a time; Latin letters and digits, no accents or signs.
- Size is normalised away: c C, o O 0, s S, v V, w W, x X, z Z, and 1 I l look alike. Choose an
  alphabet, and fold the case where you can.
- Few writers (about 120 hands and {len(fonts)} fonts), mostly adults, tablets and pens.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `export`."""
    parser.add_argument(
        "--run", type=Path, required=True, help="folder that fit wrote", dest="folder"
    )
    parser.add_argument("--data", type=Path, required=True, help="folder of training data")
    parser.add_argument("--also", type=Path, nargs="*", default=[], help="unseen stroke files")
    parser.add_argument("--out", type=Path, default=Path("models"), help="default models")
    parser.add_argument("--date", help="YYYY-MM-DD on the card; default today")
    parser.add_argument("--note", default="", help="a sentence for the card")


def run(options: argparse.Namespace) -> None:
    """Export as the options say."""
    o = options
    print(f"Wrote {export(o.folder, o.data, o.out, o.also, o.date, o.note)}")
