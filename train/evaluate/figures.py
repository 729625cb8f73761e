"""Figures of an evaluation, each a matplotlib `Figure`: nothing here opens a window."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hcr_live.ink.normalise import network_input
from train.evaluate.measures import (
    LEAST_CONFIDENCE,
    Answers,
    confusion,
    coverage_curve,
    reliability,
)

_BLUE, _ORANGE, _GREY = "#2b6cb0", "#dd6b20", "#a0aec0"
_PALE = "#bcd4ec"
_FEW = 10


def _figure(width: float, height: float) -> Any:
    # Not pyplot: it keeps every figure and may look for a display.
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained", dpi=110)


def confusion_figure(answers: Answers) -> Any:
    """Return the confusion matrix, each row in shares of its true label, mistakes numbered."""
    labels = answers.alphabet.labels
    counts = confusion(answers)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    side = 3 + 0.19 * len(labels)
    figure = _figure(side + 0.8, side)
    axes = figure.subplots()
    # The square root shows a mistake of one in a hundred beside hits of 99 in a hundred.
    image = axes.imshow(np.sqrt(shares), cmap="Blues", vmin=0, vmax=1)
    ticks = np.arange(len(labels))
    axes.set_xticks(ticks, labels, fontsize=8)
    axes.set_yticks(ticks, labels, fontsize=8)
    axes.tick_params(top=True, labeltop=True, length=0)
    axes.set_xlabel("answered")
    axes.set_ylabel("true")
    for row, column in zip(*np.nonzero(counts), strict=True):
        if row != column:
            colour = "white" if shares[row, column] > 0.35 else "black"
            text = str(counts[row, column])
            axes.text(column, row, text, ha="center", va="center", fontsize=5.5, color=colour)
    bar = figure.colorbar(image, ax=axes, shrink=0.6)
    steps = np.array([0, 0.01, 0.05, 0.25, 0.5, 1])
    bar.set_ticks(np.sqrt(steps), labels=[f"{step * 100:g} %" for step in steps])
    bar.set_label("of the true label")
    return figure


def reliability_figure(sources: Mapping[str, Answers]) -> Any:
    """Return a reliability diagram a source (Guo et al., ICML 2017), shares of answers below."""
    from matplotlib.ticker import PercentFormatter

    columns = min(4, len(sources))
    rows = -(-len(sources) // columns)
    figure = _figure(max(5.0, 0.6 + 3 * columns), 0.3 + 3.9 * rows)
    grid = figure.subplots(
        2 * rows, columns, squeeze=False, sharex=True, height_ratios=[3, 1] * rows
    )
    for place in range(rows * columns):
        diagram, histogram = grid[
            2 * (place // columns) : 2 * (place // columns) + 2, place % columns
        ]
        if place >= len(sources):
            diagram.axis("off")
            histogram.axis("off")
            continue
        name, answers = list(sources.items())[place]
        of = reliability(answers.confidences, answers.right)
        middles = (np.arange(len(of.counts)) + 0.5) / len(of.counts)
        width = 0.92 / len(of.counts)
        filled = of.counts > 0
        diagram.plot([0, 1], [0, 1], color=_GREY, linestyle="--", linewidth=1)
        for chosen, colour, name_of in (
            (filled & (of.counts >= _FEW), _BLUE, "accuracy"),
            (filled & (of.counts < _FEW), _PALE, f"accuracy, under {_FEW} answers"),
        ):
            diagram.bar(middles[chosen], of.accuracies[chosen], width, color=colour, label=name_of)
        diagram.plot(
            middles[filled], of.confidences[filled], "_", color=_ORANGE, markersize=11,
            markeredgewidth=2, label="mean confidence",
        )  # fmt: skip
        diagram.set(xlim=(0, 1), ylim=(0, 1.02))
        diagram.set_title(f"{name[:32]}\n{len(answers.rows):,} answers", fontsize=8)
        diagram.yaxis.set_major_formatter(PercentFormatter(1))
        histogram.set(yscale="log", ylim=(5e-4, 1), xlabel="confidence")
        histogram.bar(middles, of.counts / max(of.counts.sum(), 1), width, color=_GREY)
        histogram.set_yticks([0.001, 0.01, 0.1, 1], ["0.1 %", "1 %", "10 %", "100 %"], fontsize=7)
        histogram.xaxis.set_major_formatter(PercentFormatter(1))
        histogram.tick_params(labelbottom=True)
        if place == 0:
            figure.legend(
                *diagram.get_legend_handles_labels(), loc="outside upper left", ncols=3, fontsize=7
            )
        if place % columns == 0:
            diagram.set_ylabel("right")
            histogram.set_ylabel("of answers")
    return figure


def coverage_figure(sources: Mapping[str, Answers]) -> Any:
    """Return the accuracy of the most confident share of the answers, a line a source."""
    from matplotlib.ticker import PercentFormatter

    figure = _figure(8, 4.6)
    axes = figure.subplots()
    for name, answers in sources.items():
        curve = coverage_curve(answers.confidences, answers.right)
        # The first few answers say little: a single mistake among ten is 10 %.
        shares = np.arange(1, len(curve) + 1) / len(curve)
        shown = shares >= 0.1
        axes.plot(shares[shown], curve[shown], label=name)
    axes.axvline(0.9, color=_GREY, linestyle=":", linewidth=1)
    axes.set(xlabel="share of the answers that is kept, the most confident first", ylabel="right")
    axes.xaxis.set_major_formatter(PercentFormatter(1))
    axes.yaxis.set_major_formatter(PercentFormatter(1))
    axes.set_xlim(0.1, 1)
    axes.grid(alpha=0.3)
    axes.legend(fontsize=8, loc="lower left")
    return figure


def unknown_figure(characters: NDArray[np.float32], negatives: NDArray[np.float32]) -> Any:
    """Return how confident the answers to characters and to ink that is none are."""
    from matplotlib.ticker import PercentFormatter

    figure = _figure(8, 3.4)
    axes = figure.subplots()
    edges = np.linspace(0, 1, 41)
    for confidences, colour, name in (
        (characters, _BLUE, "characters"),
        (negatives, _ORANGE, "no characters"),
    ):
        weights = np.full(len(confidences), 1 / max(len(confidences), 1))
        axes.hist(
            confidences, edges, weights=weights, color=colour, alpha=0.65,
            label=f"{name} ({len(confidences):,})",
        )  # fmt: skip
    axes.axvline(LEAST_CONFIDENCE, color="black", linestyle=":", linewidth=1)
    axes.set(xlabel="confidence of the answer", ylabel="of its kind", xlim=(0, 1), yscale="log")
    axes.xaxis.set_major_formatter(PercentFormatter(1))
    axes.yaxis.set_major_formatter(lambda share, _: f"{share * 100:g} %")
    axes.legend(fontsize=8)
    return figure


def writers_figure(writers: Mapping[str, Mapping[str, float]], key: str) -> Any:
    """Return the accuracy of each writer of a source, the worst first.

    Args:
        writers: Figures by writer, `source_row` each.
        key: Which figure.
    """
    from matplotlib.ticker import PercentFormatter

    shown = sorted((row[key], writer) for writer, row in writers.items() if key in row)
    figure = _figure(max(4.0, 1.5 + 0.28 * len(shown)), 3)
    axes = figure.subplots()
    values = [value for value, _ in shown]
    axes.bar(np.arange(len(shown)), values, color=_BLUE)
    axes.set_xticks(np.arange(len(shown)), [writer for _, writer in shown], fontsize=8)
    axes.yaxis.set_major_formatter(PercentFormatter(1))
    axes.set(xlabel="writer", ylabel="right", ylim=(max(0.0, min(values) - 0.1), 1))
    axes.grid(axis="y", alpha=0.3)
    axes.set_axisbelow(True)
    return figure


def errors_sheet(
    inks: Sequence[NDArray[np.uint8]], captions: Sequence[str], columns: int = 10
) -> Any:
    """Return the inks as the network sees them, each over its caption.

    Args:
        inks: uint8 (h, w), at least one.
        captions: One each; short.
        columns: Of the sheet.
    """
    rows = -(-len(inks) // columns)
    figure = _figure(1.15 * columns, 1.5 * rows)
    grid = figure.subplots(rows, columns, squeeze=False).ravel()
    for axes in grid:
        axes.axis("off")
    for axes, ink, caption in zip(grid, inks, captions, strict=False):
        axes.imshow(1 - network_input(ink), cmap="gray", vmin=0, vmax=1)
        axes.set_title(caption, fontsize=7)
    return figure
