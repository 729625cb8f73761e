"""The model card: what a network is, where it comes from, what it can and cannot do.

Written from the run's own report and from measured figures, never by hand.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from hcr_live.errors import HcrError
from train.data import source_of
from train.evaluate.report import LEGEND, markdown_table, percent, photo_parts

_PLACES = {"fonts": "FONTS", "teacher": "TEACHER", "class_weights": "WEIGHTS"}
_HIDDEN = frozenset({"data", "out", "fonts", "teacher"})
"""Settings that name places on the trainer's machine: they stay off the card."""


_LOOKS_AT = {
    "ink": {
        "by": " by its ink",
        "input": "(n, 32, 32, 1) in [0, 1], of `hcr_live.ink.normalise.network_input`",
        "from": "ink",
        "limit": "It sees no order of strokes: in the air, where ways between strokes are ink, the"
        "\n  network of paths is asked as well.",
    },
    "path": {
        "by": " by the way of the pen",
        "input": "(n, 96, 6), of `hcr_live.ink.path.path_input`",
        "from": "strokes",
        "limit": "Strokes in an unusual order or direction are read worse: so the network that"
        " sees\n  ink is asked as well.",
    },
}
"""What differs between the cards of a network that sees ink and one that sees paths."""


def read_run(path: Path) -> dict[str, Any]:
    """Return the report that `fit` wrote, under `teacher` that of its teacher if it is there.

    Raises:
        HcrError: If there is none, or it is not of a finished run.
    """
    try:
        report = json.loads(path.read_text(encoding="utf-8"))
        teacher = report["plan"].get("teacher")
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise HcrError(
            f"{path.parent} is not the folder of a fit: its {path.name} is missing or damaged."
        ) from error
    if not report.get("finished", True):
        raise HcrError(f"The run in {path.parent} was interrupted: give its fit command again.")
    if teacher:
        folder = Path(teacher) if Path(teacher).is_dir() else Path(teacher).parent
        if (folder / path.name).is_file():
            report["teacher"] = read_run(folder / path.name)
    return dict(report)


def training(report: Mapping[str, Any]) -> dict[str, Any]:
    """Return the training part of a card: `commands`, `fonts` and `runs`, a teacher's run first.

    Args:
        report: What `read_run` returned.
    """
    runs: list[dict[str, Any]] = []
    commands: list[str] = []
    current: Any = report
    while current:
        commands.insert(0, _command(current["plan"], "TEACHER" if runs else "RUN"))
        plan = {name: value for name, value in current["plan"].items() if name not in _HIDDEN}
        run = {name: value for name, value in current.items() if name != "teacher"}
        runs.insert(0, run | {"plan": plan})
        current = current.get("teacher")
    names = report.get("sources", [])
    fonts = sorted(name.partition(":")[2] for name in names if name.startswith("font:"))
    return {"commands": commands, "fonts": fonts, "runs": runs}


def _command(plan: Mapping[str, Any], out: str) -> str:
    """Return the command of a run, every option said, places by what they hold."""
    parts = [f"python -m train fit --data DATA --out {out}"]
    for name, value in plan.items():
        shown = _PLACES.get(name, value)
        if value is not None and name not in ("data", "out"):
            parts.append(f"--{name.replace('_', '-')} {shown}")
    return " ".join(parts)


def markdown(card: Mapping[str, Any]) -> str:
    """Return the card, as `export` put it together, as a Markdown page."""
    name = card["model"]
    run = card["runs"][-1]
    plan = run["plan"]
    fonts = card["fonts"]
    versions = ", ".join(f"{tool} {version}" for tool, version in run.get("versions", {}).items())
    commands = "\n".join(card["commands"])
    looks_at = _LOOKS_AT[card["looks_at"]]
    return f"""# {name}

Reads one handwritten character{looks_at["by"]}: 62 classes, 0-9 A-Z a-z. Written by
`python -m train export`.

- Date: {card["date"]}
- `{name}.tflite`: {card["bytes"]:,} bytes, {card["form"]}, SHA-256 `{card["sha256"]}`
- Parameters: {card["parameters"]:,}
- Input: float32 {looks_at["input"]}; output: float32 (n, 62), probabilities in the order
  0-9 A-Z a-z

## Intended use

To read single upright characters that people write on paper or in the air before a camera, in the
hcr_live program: as a toy, for teaching, to type without a keyboard. Not to identify a writer, and
not where a misread character does harm: forms, cheques, exams, medicine.

## Training

```
{commands}
python -m train export --run RUN --data DATA
```

DATA is the folder of the files below, FONTS that of the fonts (docs/data.md says how to put them
together).{" " * bool(card["note"])}{card["note"]}

{chr(10).join(_facts(run, plan, versions))}

| data | licence | split | address |
|---|---|---|---|
{chr(10).join(_sources(run.get("sources", [])))}

Fonts (SIL Open Font License 1.1), {len(fonts)}: {", ".join(fonts) or "none"}.

## The files beside the Keras network

On {card["inks_compared"]:,} real characters of the validation split, from {looks_at["from"]} to
answer. The smallest LiteRT form is shipped that differs by at most 0.01, gives 99.9 % the same
answers, loses less than 0.1 point and is not slower; 62 and 26 are accuracies on these characters.

{forms_table(card)}

## Calibration

The logits are divided by {card["temperature"]}, fitted to the validation writers' letters (Guo
et al., ICML 2017): the validation figures' ECE is of the very writers that it was fitted to.
{_other_writers(card["other_writers"])}

## Validation figures: looked at while choosing

{LEGEND}

{_figures(card["validation"])}

The epoch and the settings were chosen by these writers and files, so their figures are a little
flattered. The ink that is no character is made by the code that also makes it for training.
{_both(card["together"]) if card["together"] else ""}
## Test figures: touched once

{_figures(card["test"]) if card["test"] else "Not measured for this network."}

## Limits

- One upright, separated character at a time; Latin letters and digits, no accents or signs.
- Size is normalised away: c C, o O 0, s S, v V, w W, x X, z Z, and 1 I l look alike. Choose an
  alphabet, and fold the case where you can.
- {looks_at["limit"]}
- Few writers ({len(fonts)} fonts beside them), mostly adults with tablets and pens: children's,
  old people's and left-handed writing were not measured.
"""


def _facts(run: Mapping[str, Any], plan: Mapping[str, Any], versions: str) -> Iterator[str]:
    """Yield a line for each thing that the run's report tells."""
    if run.get("best_epoch") is not None:
        epochs = plan.get("epochs", len(run.get("history", [])))
        yield (f"- Best epoch: {run['best_epoch']} of {epochs}, chosen on the validation writers")
    if plan.get("seed") is not None:
        yield f"- Seed: {plan['seed']}"
    if run.get("seconds"):
        yield f"- Time: {math.ceil(run['seconds'] / 60)} minutes"
    for key, title in (("backend", "Backend"), ("hardware", "Hardware")):
        if run.get(key):
            yield f"- {title}: {run[key]}"
    if versions:
        yield f"- {versions}"


def _sources(names: list[str]) -> Iterator[str]:
    """Yield a row a source; of fonts, and of a source's parts, one together."""
    rows = {}
    for name in names:
        source = source_of(name)
        if source is None:
            rows[name] = f"| {name} | its owner's | as the run chose | |"
        else:
            rows[source.title] = (
                f"| {source.title} | {source.licence} | {source.split} | {source.address} |"
            )
    yield from (row for _, row in sorted(rows.items(), key=lambda item: item[0].casefold()))


def forms_table(card: Mapping[str, Any]) -> str:
    """Return the forms and how each agrees with the Keras network, as a Markdown table."""
    lines = [
        "| form | bytes | largest difference | same answers | 62 | 26 | one character |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    for name, form in card["forms"].items():
        shipped = " (shipped)" if name == card["form"] else ""
        lines.append(
            f"| {name}{shipped} | {form['bytes']:,} | {form['largest_difference']:.6f}"
            f" | {percent('same_answers', form['same_answers'])}"
            f" | {percent('accuracy_62', form['accuracy_62'])}"
            f" | {percent('accuracy_26', form['accuracy_26'])}"
            f" | {form['milliseconds']:.2f} ms |"
        )
    return "\n".join(lines)


def _other_writers(row: Mapping[str, float]) -> str:
    if not row:
        return ""
    return (
        "With a temperature from one half of the writers and the other half's confidences, so that"
        " nobody is measured with a temperature that saw them: calibration error"
        f" {percent('calibration_error', row['calibration_error'])}, accuracy of the 90 % most"
        f" confident {percent('accuracy_90', row['accuracy_90'])}."
    )


def _both(of: Mapping[str, Any]) -> str:
    return f"""
## Both networks, as the program reads pen strokes

The answers of the shipped network that sees ink and of this one, taken together
(`hcr_live.classifier.together`), on the same characters:

{_figures(of)}
"""


def _figures(of: Mapping[str, Any]) -> str:
    alphabets = {f"{size} classes": row for size, row in of["alphabets"].items()}
    return "\n\n".join(
        (
            markdown_table(of["sources"]),
            *photo_parts(of["photos"]),
            "All sources together:",
            markdown_table(alphabets, "alphabet"),
            "Ink that is no character; rejected: its confidence is below 0.5, as the program asks:",
            markdown_table({"made up": of["unknown"]}, "ink"),
        )
    )
