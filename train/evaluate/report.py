"""An evaluation as a table, as JSON, and as one HTML page that needs no other file."""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Callable, Mapping
from functools import partial
from html import escape
from io import BytesIO
from pathlib import Path
from typing import Any

from hcr_live.errors import HcrError
from train.dataset import ink_of
from train.evaluate.evaluation import Evaluation, figures
from train.evaluate.figures import (
    confusion_figure,
    coverage_figure,
    errors_sheet,
    reliability_figure,
    unknown_figure,
    writers_figure,
)
from train.evaluate.measures import Row, worst

PAGE_FILE = "report.html"
FIGURES_FILE = "figures.json"

COLUMNS = {
    "samples": "characters",
    "accuracy": "right",
    "accuracy_62": "62",
    "accuracy_36": "36",
    "accuracy_26": "26",
    "accuracy_10": "10",
    "capitals_26": "capitals",
    "sure": "sure",
    "accuracy_90": "top 90 %",
    "calibration_error": "ECE",
    "precision": "precision",
    "recall": "recall",
    "f1": "F1",
    "macro_f1": "macro F1",
    "auroc": "AUROC",
    "rejected": "rejected",
    "rejected_characters": "characters rejected",
}
"""A figure's name and its heading, in the order of a table."""

LEGEND = """62: every class with its case; 36: digits and letters, case folded; 26: letters, case
folded; 10: digits in the digit alphabet; capitals: the capitals among the letters, case folded.
In letters (in digits where a source has no letters): sure: right with a confidence of at least
0.5, what the program shows; top 90 %: accuracy of the 90 % most confident answers; ECE: expected
calibration error in 15 bins (Guo et al., 2017). Shares are cut to a tenth of a point, the ECE is
rounded up: never better than measured."""

PHOTOS = "Simulated photos of the strokes among them (train/augment/camera.py), inverted only:"

_ERRORS = 60
_SMALLER_IS_BETTER = ("calibration_error", "rejected_characters")

_STYLE = """body { font: 16px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto;
padding: 0 1rem; color: #1a202c; background: white }
h1, h2 { line-height: 1.2 } h2 { margin-top: 2.5rem }
table { border-collapse: collapse; font-size: 0.85rem; margin: 1rem 0; display: block;
overflow-x: auto }
th, td { padding: 0.2rem 0.6rem; text-align: right; border-bottom: 1px solid #e2e8f0;
white-space: nowrap }
th:first-child, td:first-child { text-align: left }
img { max-width: 100%; height: auto } p { color: #4a5568; max-width: 46rem }"""


def percent(name: str, value: float) -> str:
    """Return a named figure for reading: counts whole, shares in percent, never flattered.

    Shares are cut to a tenth of a point; where smaller is better they are rounded up.
    """
    if name == "samples":
        return f"{value:.0f}"
    tenths = value * 1000
    whole = math.ceil(tenths - 1e-6) if name in _SMALLER_IS_BETTER else math.floor(tenths + 1e-6)
    return f"{whole / 10:.1f} %"


def _cells(rows: Mapping[str, Row], first: str) -> list[list[str]]:
    names = [name for name in COLUMNS if any(name in row for row in rows.values())]
    lines = [[first, *(COLUMNS[name] for name in names)]]
    for title, row in rows.items():
        cells = [percent(name, row[name]) if name in row else "" for name in names]
        lines.append([title, *cells])
    return lines


def markdown_table(rows: Mapping[str, Row], first: str = "source") -> str:
    """Return named rows of figures as a Markdown table that is aligned as plain text, too."""
    cells = _cells(rows, first)
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = []
    for line in cells:
        head, *rest = line
        padded = [head.ljust(widths[0])]
        padded += [cell.rjust(width) for cell, width in zip(rest, widths[1:], strict=True)]
        lines.append(f"| {' | '.join(padded)} |")
    rule = ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]
    lines.insert(1, f"| {' | '.join(rule)} |")
    return "\n".join(lines)


def terminal_text(of: Mapping[str, Any]) -> str:
    """Return what `figures` returned as text for a terminal."""
    alphabets = {f"{size} classes": row for size, row in of["alphabets"].items()}
    parts = [
        f"{of['model']}, {of['split']} split",
        markdown_table(of["sources"]),
        LEGEND,
        *photo_parts(of["photos"]),
        "All sources together:",
        markdown_table(alphabets, "alphabet"),
        "Ink that is no character, rejected below a confidence of 0.5:",
        markdown_table({"made up": of["unknown"]}, "ink"),
    ]
    for size, pairs in of["confused"].items():
        if pairs:
            shown = ", ".join(
                f"{true} as {answered} {times}" for true, answered, times in pairs[:12]
            )
            parts.append(f"Most confused of {size}: {shown}.")
    return "\n\n".join(parts)


def photo_parts(rows: Mapping[str, Row]) -> list[str]:
    """Return a heading and a Markdown table, nothing where there are no photos."""
    return [PHOTOS, markdown_table(rows, "photos")] if rows else []


def write_report(evaluation: Evaluation, folder: Path) -> Path:
    """Write the figures as PNG and JSON, and the HTML page that holds all of them.

    Args:
        evaluation: What `evaluate` returned.
        folder: Made if it is not there; files of the same names are replaced.

    Returns:
        The page's path.

    Raises:
        HcrError: If the folder can't be written to.
    """
    of = figures(evaluation)
    drawn: dict[str, str] = {}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / FIGURES_FILE).write_text(json.dumps(of, indent=1) + "\n", encoding="utf-8")
        for name, draw in _pictures(evaluation, of).items():
            buffer = BytesIO()
            draw().savefig(buffer, format="png")
            (folder / f"{name}.png").write_bytes(buffer.getvalue())
            drawn[name] = base64.b64encode(buffer.getvalue()).decode()
        page = folder / PAGE_FILE
        page.write_text(_page(of, drawn), encoding="utf-8")
    except OSError as error:
        raise HcrError(f"Cannot write the report to {folder}: {error.strerror}.") from error
    return page


def _pictures(evaluation: Evaluation, of: Mapping[str, Any]) -> dict[str, Callable[[], Any]]:
    """Return the figures by file name, each drawn only when it is called."""
    answers = {name: one.answers for name, one in evaluation.sources.items()}
    answers = {name: one for name, one in answers.items() if len(one.rows)}
    pictures: dict[str, Callable[[], Any]] = {}
    if "26" in of["alphabets"]:
        pictures["confusion_26"] = lambda: confusion_figure(evaluation.ask("letters"))
    pictures["confusion_62"] = lambda: confusion_figure(evaluation.ask("all"))
    pictures["reliability"] = lambda: reliability_figure(answers)
    pictures["coverage"] = lambda: coverage_figure(answers)
    pictures["unknown"] = lambda: unknown_figure(
        evaluation.character_confidences, evaluation.negative_confidences
    )
    for name, rows in of["writers"].items():
        key = "accuracy_26" if any("accuracy_26" in row for row in rows.values()) else "accuracy_10"
        pictures[f"writers_{_file_name(name)}"] = partial(writers_figure, rows, key)
    if any(not one.right.all() for one in answers.values()):
        pictures["errors"] = lambda: _errors(evaluation)
    return pictures


def _file_name(text: str) -> str:
    return "".join(c if c.isalnum() or c in "._-" else "_" for c in text)


def _errors(evaluation: Evaluation) -> Any:
    found = []
    for name, one in evaluation.sources.items():
        answers = one.answers
        labels = answers.alphabet.labels
        for at in worst(answers, max(5, _ERRORS // len(evaluation.sources))):
            pair = f"{labels[answers.wanted[at]]} as {labels[answers.answered[at]]}"
            confidence = int(answers.confidences[at] * 100)
            ink = ink_of(one.characters.contents[int(answers.rows[at])])
            found.append((ink, f"{pair}  {confidence} %\n{name[:16]}"))
    return errors_sheet([ink for ink, _ in found], [caption for _, caption in found])


def _page(of: Mapping[str, Any], drawn: Mapping[str, str]) -> str:
    def section(title: str, text: str, *parts: str) -> str:
        return f"<h2>{escape(title)}</h2>\n<p>{escape(text)}</p>\n" + "\n".join(parts)

    def picture(name: str) -> str:
        source = f"data:image/png;base64,{drawn[name]}"
        return f'<img alt="{escape(name)}" src="{source}">' if name in drawn else ""

    alphabets = {f"{size} classes": row for size, row in of["alphabets"].items()}
    pairs = {
        size: ", ".join(f"{true} as {answered} ({times})" for true, answered, times in found)
        for size, found in of["confused"].items()
    }
    parts = [section("By source", LEGEND, _html_table(of["sources"], "source"))]
    if of["photos"]:
        parts.append(section("Simulated photos", PHOTOS, _html_table(of["photos"], "photos")))
    parts += [
        section(
            "By alphabet",
            "All sources together: each character counts once, so large sources weigh more.",
            _html_table(alphabets, "alphabet"),
        ),
    ]
    parts += [
        section(
            f"Confusion, {size} classes",
            "Rows are true labels, shares of a row by colour (on a square root scale), mistakes"
            f" by number. Most frequent: {pairs[size] or 'none'}.",
            picture(f"confusion_{size}"),
        )
        for size in of["classes"]
    ]
    parts += [
        section(
            "Calibration",
            "Of the answers with a confidence of 80 %, 80 % should be right: bars below the marks"
            " are overconfident, above them too modest. Below: how many answers a bin has.",
            picture("reliability"),
        ),
        section(
            "Coverage against accuracy",
            "What is right when only the most confident answers are kept; dotted: 90 % of them.",
            picture("coverage"),
        ),
        section(
            "Ink that is no character",
            "Scribbles, lines, shapes, pieces of words, noise (train/augment/negatives.py)."
            " AUROC: the chance that a character is answered with more confidence than such ink;"
            " rejected: below 0.5, the program's default (dotted).",
            _html_table({"made up": of["unknown"]}, "ink"),
            picture("unknown"),
        ),
    ]
    for name, rows in of["writers"].items():
        parts.append(
            section(
                f"By writer: {name}",
                "With few writers, the spread between them says more than their mean.",
                picture(f"writers_{_file_name(name)}"),
                _html_table(rows, "writer"),
            )
        )
    parts.append(
        section(
            "Worst errors",
            "The most confident mistakes of each source, as the network sees them: true as"
            " answered, confidence, source.",
            picture("errors"),
        )
    )
    for size, rows in of["classes"].items():
        text = "Precision: of what was answered so, how much was right. Recall: of what was so, how"
        parts.append(
            section(
                f"By class, {size} classes", f"{text} much was found.", _html_table(rows, "class")
            )
        )
    title = f"{of['model']}, {of['split']} split"
    return f"""<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{escape(title)}</title><style>{_STYLE}</style></head>
<body>
<h1>{escape(title)}</h1>
{chr(10).join(parts)}
</body></html>
"""


def _html_table(rows: Mapping[str, Row], first: str) -> str:
    head, *body = [[escape(cell) for cell in line] for line in _cells(rows, first)]
    lines = ["<tr>" + "".join(f"<td>{cell}</td>" for cell in line) + "</tr>" for line in body]
    top = "<tr>" + "".join(f"<th>{cell}</th>" for cell in head) + "</tr>"
    return f"<table>\n{top}\n{chr(10).join(lines)}\n</table>"
