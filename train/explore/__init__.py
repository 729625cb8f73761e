"""Look at data: counts, imbalance, samples, mean images, duplicates, likely label errors.

Writes pictures (.png), tables (.csv) and one page, index.html, that holds them all.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from hcr_live.alphabet import CLASSES
from hcr_live.errors import HcrError
from train.data.characters import SPLITS, CharacterSet

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from train.explore.page import Section

SAMPLE = 20_000
"""Characters that are looked at one by one, where not told otherwise."""

_SHOWN = 96
_MOST_SOURCES = 12
_SIDE = 32


def explore(
    title: str, sets: Sequence[CharacterSet], out: Path, limit: int = SAMPLE, seed: int = 1
) -> Path:
    """Write figures, tables and the page of some data.

    Args:
        title: Of the page.
        sets: With one character or more in all.
        out: Folder, made if it is not there.
        limit: Counts and exact duplicates are of all characters; everything else is of at most so
            many, chosen so that small classes and sources are whole.
        seed: Of the choice.

    Returns:
        The page.

    Raises:
        HcrError: If there is no character, the limit makes no sense, or nothing can be written.
    """
    from tqdm import tqdm

    from train.explore.page import html_page
    from train.explore.together import sample, table_of

    if limit < 1:
        raise HcrError(f"The sample is {limit} characters: it must be at least 1.")
    table = _with_few_sources(table_of(sets))
    if table.empty:
        raise HcrError(f"There is no character in {title}: nothing to explore.")
    chosen = sample(table, limit, seed)
    try:
        out.mkdir(parents=True, exist_ok=True)
        with tqdm(total=5, desc="exploring", unit="part") as bar:
            sections = []
            for part in (_counts, _samples, _copies, _nearly_equal, _likely_errors):
                sections.append(part(sets, table, chosen, out, seed))
                bar.update()
        page = out / "index.html"
        page.write_text(html_page(f"Characters of {title}", sections), encoding="utf-8")
    except OSError as error:
        raise HcrError(f"Cannot write to {out}: {error.strerror}.") from error
    return page


def _counts(
    sets: Sequence[CharacterSet], table: pd.DataFrame, chosen: pd.DataFrame, out: Path, seed: int
) -> Section:
    import pandas as pd

    from train.explore import figures
    from train.explore.findings import counts_of, imbalance
    from train.explore.page import Section

    counts = counts_of(table)
    counts.to_csv(out / "counts.csv", index_label="class")
    columns = {name: counts[name] for name in counts if counts[name].any()}
    columns["all"] = counts.sum(axis=1)
    splits = pd.crosstab(table["source"], table["split"])
    splits = splits.rename(columns=dict(enumerate(SPLITS))).rename_axis(None)
    splits = splits.rename_axis(None, axis="columns")
    known = table[table["writer"] >= 0]
    splits["writers known"] = known.groupby("source", observed=False)["writer"].nunique()
    pictures = [
        (_saved(figures.count_bars(counts), out / "counts.png"), "Characters of each class"),
        (_saved(figures.count_boxes(counts), out / "boxes.png"), "Spread of the counts"),
    ]
    text = (
        f"All {len(table):,} characters. Ratio is the largest class over the smallest that occurs; "
        "evenness is Pielou's (1966), the entropy of the classes over its largest value: 1 where "
        "all classes are equal. The command balance evens them out."
    )
    figures_of = pd.DataFrame({name: imbalance(column) for name, column in columns.items()}).T
    return Section("Counts and imbalance", text, (figures_of, splits), pictures)


def _samples(
    sets: Sequence[CharacterSet], table: pd.DataFrame, chosen: pd.DataFrame, out: Path, seed: int
) -> Section:
    from train.explore import figures
    from train.explore.page import Section
    from train.explore.together import pictures

    images = pictures(sets, chosen, _SIDE)
    sources = [name for name in chosen["source"].cat.categories if (chosen["source"] == name).any()]
    parts = {name: chosen["source"] == name for name in sources}
    if len(sources) > 1:
        parts = {"all sources": chosen["label"] > -1} | parts
    saved = []
    for number, (name, part) in enumerate(parts.items()):
        rows = chosen[part]
        end = f"{number:02d}_{re.sub(r'[^A-Za-z0-9-]+', '_', name)}.png"
        sheet = figures.sample_sheet(sets, rows, seed)
        means = figures.mean_sheet(images[part.to_numpy()], rows["label"].to_numpy())
        saved.append((_saved(sheet, out / f"samples_{end}"), f"Samples of {name}"))
        saved.append((_saved(means, out / f"means_{end}"), f"Mean image of each class, {name}"))
    text = (
        f"{_of(chosen, table)} Each is cropped to its ink, aspect kept. A blurred mean is a class "
        "that is written in many ways; a sharp one may be a single hand or a font. In brackets: "
        f"how many the mean is of. {int((~images.any(axis=(1, 2))).sum())} are blank."
    )
    return Section("Samples and mean images", text, (), saved)


def _copies(
    sets: Sequence[CharacterSet], table: pd.DataFrame, chosen: pd.DataFrame, out: Path, seed: int
) -> Section:
    import pandas as pd

    from train.explore import figures
    from train.explore.findings import copies, copy_figures
    from train.explore.page import Section
    from train.explore.together import pictures

    found = copies(sets, table)
    _readable(found).to_csv(out / "copies.csv", index_label="position")
    saved = []
    groups = found.groupby("group", sort=True)
    contradictory = found[groups["label"].transform("nunique") > 1] if len(found) else found
    if len(contradictory):
        by_group = contradictory.groupby("group", sort=True)
        firsts = by_group.head(1).head(_SHOWN)
        labels = by_group["label"].agg(lambda column: "".join(CLASSES[c] for c in column.unique()))
        names = [" ".join(labels[group]) for group in firsts["group"]]
        figure = figures.tiles(pictures(sets, firsts, 64), names)
        about = f"Labels that one and the same content has: {len(firsts)} of {len(labels)}"
        saved.append((_saved(figure, out / "copies.png"), about))
    text = (
        f"Of all {len(table):,} characters, byte for byte. Copies under several labels contradict "
        "each other; copies in several splits make what is measured look better than it is. "
        "Every one is in copies.csv."
    )
    by_source = {"all": copy_figures(found)} | {
        name: copy_figures(part) for name, part in found.groupby("source", observed=True)
    }
    return Section("Exact duplicates", text, (pd.DataFrame(by_source).T,), saved)


def _nearly_equal(
    sets: Sequence[CharacterSet], table: pd.DataFrame, chosen: pd.DataFrame, out: Path, seed: int
) -> Section:
    import numpy as np

    from train.explore import figures
    from train.explore.findings import NEARLY_EQUAL, nearly_equal
    from train.explore.page import Section
    from train.explore.together import pictures

    title = "Near duplicates"
    if len(chosen) < 2:
        return Section(title, "Too few characters to compare.")
    pairs = nearly_equal(sets, chosen)
    ones, others = table.loc[pairs["one"]], table.loc[pairs["other"]]
    both = [_readable(rows).reset_index(drop=True) for rows in (ones, others)]
    both[0].join(both[1].add_suffix("_other")).join(pairs["correlation"]).to_csv(
        out / "near_duplicates.csv", index=False
    )
    saved = []
    if len(pairs):
        shown = min(_SHOWN, len(pairs))
        images = np.concatenate(
            [pictures(sets, rows.head(shown), 64) for rows in (ones, others)], axis=2
        )
        letters = [[CLASSES[c] for c in rows["label"].head(shown)] for rows in (ones, others)]
        names = [
            f"{one}  {other}  {correlation:.3f}"
            for one, other, correlation in zip(
                *letters, pairs["correlation"].head(shown), strict=True
            )
        ]
        about = f"The {shown} most alike of {len(pairs)} pairs"
        saved.append((_saved(figures.tiles(images, names), out / "near_duplicates.png"), about))
    apart = int((ones["split"].to_numpy() != others["split"].to_numpy()).sum())
    text = (
        f"{_of(chosen, table)} Each is compared with the one nearest to it in principal components "
        f"of its picture ({_SIDE}x{_SIDE}); pairs whose pixels correlate by {NEARLY_EQUAL} or more "
        f"are listed: {len(pairs):,}, of which {apart:,} lie in different splits. Plain strokes "
        "(I, l, 1) are alike by nature: look before dropping any. All are in near_duplicates.csv."
    )
    return Section(title, text, (), saved)


def _likely_errors(
    sets: Sequence[CharacterSet], table: pd.DataFrame, chosen: pd.DataFrame, out: Path, seed: int
) -> Section:
    import pandas as pd

    from train.explore import figures
    from train.explore.findings import ALIKE, features, likely_errors
    from train.explore.page import Section
    from train.explore.together import pictures

    title = "Likely label errors"
    if chosen["label"].nunique() < 2:
        return Section(title, "There is only one class: nothing to confuse it with.")
    found, right = likely_errors(features(sets, chosen), chosen["label"].to_numpy())
    rows = chosen.iloc[found["place"]]
    listed = _readable(rows).assign(
        likely=[CLASSES[c] for c in found["likely"]],
        probability=found["probability"].to_numpy(),
        margin=found["margin"].to_numpy(),
    )
    listed.to_csv(out / "likely_errors.csv", index_label="position", float_format="%.4f")
    saved = []
    if len(found):
        names = [
            f"{CLASSES[given]} \N{RIGHTWARDS ARROW} {CLASSES[likely]} {margin:.2f}"
            for given, likely, margin in found[["given", "likely", "margin"]]
            .head(_SHOWN)
            .itertuples(index=False)
        ]
        figure = figures.tiles(pictures(sets, rows.head(_SHOWN), 64), names)
        about = f"The {len(names)} likeliest of {len(found)}: label given, label likely, margin"
        saved.append((_saved(figure, out / "likely_errors.png"), about))
    text = (
        f"{_of(chosen, table)} Found by confident learning (Northcutt, Jiang and Chuang, JAIR 70, "
        "2021): the 15 characters nearest to one, in principal components of what the network sees "
        "of it, vote on its label, never the character itself; it is listed where another class "
        "gets at least the votes that are usual for that class, and more than the label given. "
        f"The vote itself is right for {right:.1%}, so many of these are only unusual writing: "
        "look before mending any. Classes of one shape count as one, since the ink can't tell "
        f"them apart: {', '.join(ALIKE)}. All are in likely_errors.csv."
    )
    looked = chosen.groupby("source", observed=True).size()
    listed_of = rows.groupby("source", observed=True).size().reindex(looked.index, fill_value=0)
    by_source = pd.DataFrame({"looked at": looked, "likely wrong": listed_of})
    by_source["percent"] = 100 * by_source["likely wrong"] / by_source["looked at"]
    return Section(title, text, (by_source.rename_axis(None),), saved)


def _with_few_sources(table: pd.DataFrame) -> pd.DataFrame:
    """Return the table with its smallest sources under one name, where there are too many to draw.

    Their `set` and `row` still say where each character is.
    """
    sizes = table["source"].value_counts()
    rest = set(sizes.index[_MOST_SOURCES - 1 :])
    if len(sizes) <= _MOST_SOURCES:
        return table
    name = f"{len(rest)} smaller sources"
    lumped = table["source"].map(lambda one: name if one in rest else one).astype("category")
    return table.assign(source=lumped)


def _readable(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the rows with characters for labels and names for splits."""
    return rows.drop(columns="set").assign(
        label=[CLASSES[c] for c in rows["label"]], split=[SPLITS[s] for s in rows["split"]]
    )


def _of(chosen: pd.DataFrame, table: pd.DataFrame) -> str:
    if len(chosen) == len(table):
        return f"Of all {len(table):,} characters."
    return (
        f"Of {len(chosen):,} of the {len(table):,} characters, drawn at random, small classes and "
        "sources whole (--sample changes it)."
    )


def _saved(figure: Figure, path: Path) -> Path:
    figure.savefig(path)
    return path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `explore`."""
    parser.add_argument("data", type=Path, help="file or folder of characters")
    parser.add_argument("--out", type=Path, required=True, help="folder of the page and figures")
    parser.add_argument(
        "--sample",
        type=int,
        default=SAMPLE,
        help=f"characters looked at one by one, default {SAMPLE}; counts are always of all",
    )
    parser.add_argument("--seed", type=int, default=1, help="default 1")


def run(options: argparse.Namespace) -> None:
    """Explore as the options say."""
    from train.data import load

    page = explore(options.data.name, load(options.data), options.out, options.sample, options.seed)
    print(f"Wrote {page}: open it in a browser")
