"""The figures of explore: each function returns a matplotlib figure, readable with 62 classes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from hcr_live.alphabet import CLASSES
from train.data.characters import CharacterSet
from train.explore.together import pictures

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

_DOTS = 100  # pixels of an inch
_SAMPLES = 14
_SAMPLE_SIDE = 40
_GAP = 2
_CAPTION = 18
_CAPTION_WIDTH = 88  # room for "A \N{RIGHTWARDS ARROW} B 0.99"
_SHEET_WIDTH = 1300


def count_bars(counts: pd.DataFrame) -> Figure:
    """Draw characters a class that occurs: bars of all, and below them a table of each source.

    Args:
        counts: A row a class, a column a source, as `counts_of` returns it.
    """
    import seaborn
    from matplotlib.colors import LogNorm
    from matplotlib.figure import Figure

    counts = counts[counts.sum(axis=1) > 0]
    sources = len(counts.columns)
    figure = Figure((18, 5.2 + 0.32 * sources), _DOTS, layout="constrained")
    bars, cells = figure.subplots(2, 1, height_ratios=[13, 1 + sources])
    total = counts.sum(axis=1)
    kind = ["digit" if c.isdigit() else "capital" if c.isupper() else "small" for c in total.index]
    seaborn.barplot(x=total.index, y=total.to_numpy(), hue=kind, ax=bars, errorbar=None)
    bars.set(yscale="log", ylabel="characters (log)", xlabel="", title="Characters a class")
    bars.set_ylim(bottom=1)
    bars.legend(loc="lower right", bbox_to_anchor=(1, 1), ncols=3, frameon=False)
    bars.margins(x=0.005)
    seaborn.heatmap(
        counts.T.where(counts.T > 0),
        ax=cells,
        norm=LogNorm(1, max(10, int(counts.to_numpy().max()))),
        cmap="crest",
        annot=counts.T.map(_short),
        fmt="",
        annot_kws={"size": 6.5},
        cbar=False,
        linewidths=0.5,
        xticklabels=True,
        yticklabels=True,
    )
    cells.set(xlabel="class", ylabel="")
    cells.tick_params(rotation=0)
    return figure


def count_boxes(counts: pd.DataFrame) -> Figure:
    """Draw how the counts of a source's classes spread: a box plot with every class a dot."""
    import pandas as pd
    from matplotlib.figure import Figure

    if len(counts.columns) > 1:
        counts = counts.assign(**{"all sources": counts.sum(axis=1)})
    long = counts.melt(var_name="source", value_name="characters")
    long = pd.DataFrame(long[long["characters"] > 0])
    figure = Figure((11, 1.6 + 0.45 * long["source"].nunique()), _DOTS, layout="constrained")
    axes = figure.subplots()
    axes.set_xscale("log")
    parts = {name: part["characters"] for name, part in long.groupby("source", sort=False)}
    axes.boxplot(
        list(parts.values()),
        positions=range(len(parts)),
        tick_labels=list(parts),
        orientation="horizontal",
        widths=0.8,
        showfliers=False,
        patch_artist=True,
        boxprops={"facecolor": "#9ecae1"},
    )
    rng = np.random.default_rng(0)
    for place, values in enumerate(parts.values()):
        aside = place + rng.uniform(-0.2, 0.2, len(values))
        axes.scatter(values, aside, s=9, color="#333333", alpha=0.6, zorder=3)
    axes.invert_yaxis()
    axes.set(xlabel="characters a class (log), classes that occur", ylabel="")
    axes.set_title("How evenly classes are filled: a dot a class")
    axes.grid(axis="x", alpha=0.3)
    return figure


def sample_sheet(sets: Sequence[CharacterSet], chosen: pd.DataFrame, seed: int) -> Figure:
    """Draw random characters of each class that occurs, a line a class, in two columns."""
    labels = sorted(chosen["label"].unique())
    lines = -(-len(labels) // 2)
    step = _SAMPLE_SIDE + _GAP
    width = step * (_SAMPLES + 1)
    canvas = np.full((lines * step, min(2, len(labels)) * width), 255, np.uint8)
    captions = []
    for number, label in enumerate(labels):
        of_class = chosen[chosen["label"] == label]
        rows = of_class.sample(min(_SAMPLES, len(of_class)), random_state=seed)
        left, top = number // lines * width, number % lines * step
        captions.append((left + step / 2, top + step / 2, CLASSES[label]))
        for place, picture in enumerate(pictures(sets, rows, _SAMPLE_SIDE), 1):
            _put(canvas, picture, left + place * step, top)
    return _drawn(canvas, captions, 15, "center")


def mean_sheet(images: NDArray[np.uint8], labels: NDArray[np.int16]) -> Figure:
    """Draw the mean picture of each class that occurs.

    Args:
        images: uint8 (n, side, side), white on black.
        labels: Columns of `CLASSES`, (n,).
    """
    columns = np.unique(labels)
    means = [np.rint(images[labels == c].mean(axis=0)).astype(np.uint8) for c in columns]
    names = [f"{CLASSES[c]} ({(labels == c).sum():,})" for c in columns]
    return tiles(np.stack(means).repeat(2, axis=1).repeat(2, axis=2), names)


def tiles(images: NDArray[np.uint8], names: Sequence[str]) -> Figure:
    """Draw pictures in lines, each with its name above it.

    Args:
        images: uint8 (n, h, w), white on black, n at least 1.
        names: n short texts.
    """
    count, height, width = images.shape
    step_x, step_y = max(width, _CAPTION_WIDTH) + 2 * _GAP, height + _CAPTION + _GAP
    across = min(count, _SHEET_WIDTH // step_x)
    canvas = np.full((-(-count // across) * step_y, across * step_x), 255, np.uint8)
    captions = []
    for number, (image, name) in enumerate(zip(images, names, strict=True)):
        left, top = number % across * step_x, number // across * step_y
        captions.append((left + step_x / 2, top + _CAPTION - 3, name))
        _put(canvas, image, left + (step_x - width) // 2, top + _CAPTION)
    return _drawn(canvas, captions, 9, "baseline")


def _short(count: int) -> str:
    return f"{count / 1000:.0f}k" if count >= 10_000 else str(count)


def _put(canvas: NDArray[np.uint8], picture: NDArray[np.uint8], left: int, top: int) -> None:
    """Copy a picture, dark on a light grey that shows its frame."""
    height, width = picture.shape
    paper = np.uint8(242)
    canvas[top : top + height, left : left + width] = paper - (picture * (paper / 255)).astype(
        np.uint8
    )


def _drawn(
    canvas: NDArray[np.uint8],
    captions: Sequence[tuple[float, float, str]],
    size: float,
    vertical: str,
) -> Figure:
    """Return a figure of the canvas, pixel by pixel, with centred captions."""
    from matplotlib.figure import Figure

    height, width = canvas.shape
    figure = Figure((width / _DOTS, height / _DOTS), _DOTS)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.imshow(
        canvas, cmap="gray", vmin=0, vmax=255, interpolation="none", extent=(0, width, height, 0)
    )
    axes.axis("off")
    for x, y, text in captions:
        axes.text(
            x, y, text, size=size, family="monospace", ha="center", va=vertical, parse_math=False
        )
    return figure
