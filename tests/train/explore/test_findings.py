import numpy as np
import pytest

from generator.letters import letter_strokes
from hcr_live.alphabet import CLASSES
from hcr_live.ink.render import render_strokes
from tests.train.explore.test_together import character_set
from train.explore.findings import (
    copies,
    copy_figures,
    counts_of,
    features,
    imbalance,
    likely_errors,
    nearly_equal,
)
from train.explore.together import fitted, table_of


def letters(text, seed=0):
    rng = np.random.default_rng(seed)
    inks = [render_strokes(letter_strokes(c, rng), size=50) for c in text]
    return np.stack([fitted(ink, 40) for ink in inks])


def test_counts_and_imbalance():
    blank = np.zeros((6, 1, 1), np.uint8)
    table = table_of([character_set("one", blank, "AAAABB"), character_set("two", blank, "cAAAA7")])
    counts = counts_of(table)
    assert counts.shape == (62, 2)
    assert counts.loc["A"].tolist() == [4, 4]
    assert counts["two"].sum() == 6
    figures = imbalance(counts["one"])
    assert figures["classes"] == 2
    assert figures["missing"] == "0-9 CDEFGHIJKLMNOPQRSTUVWXYZ a-z"
    assert (figures["largest"], figures["smallest"]) == ("A (4)", "B (2)")
    assert figures["ratio"] == 2
    assert figures["evenness"] == pytest.approx(0.9183, abs=1e-4)  # entropy of 1/3, 2/3 in bits
    assert imbalance(counts["one"][["A"]])["evenness"] == 1


def test_copies_are_found_across_sources_labels_and_splits():
    images = letters("ABCD")
    strokes = [tuple(letter_strokes("A"))]
    sets = [
        character_set("one", images, "ABCD"),
        character_set("two", [images[0], images[1].copy(), images[1]], "AXB", [0, 0, 2]),
        character_set("three", strokes * 2, "AA"),
        character_set("four", [images[2][:39]], "C"),  # other pixels
    ]
    found = copies(sets, table_of(sets))
    groups = {tuple(rows) for rows in found.groupby("group").groups.values()}
    assert groups == {(0, 4), (1, 5, 6), (7, 8)}
    assert copy_figures(found) == {
        "groups": 3,
        "superfluous": 4,
        "under several labels": 1,
        "in several sources": 2,
        "in several splits": 1,
    }


def test_no_copies():
    sets = [character_set("one", letters("AB"), "AB")]
    found = copies(sets, table_of(sets))
    assert len(found) == 0
    assert set(copy_figures(found).values()) == {0}


def test_a_slightly_changed_picture_is_nearly_equal():
    images = letters("ABEGKMQRSW" * 4)
    rng = np.random.default_rng(1)
    noisy = np.clip(images[3].astype(int) + rng.integers(-12, 12, (40, 40)), 0, 255)
    noisy[images[3] == 0] = 0
    moved = np.roll(images[7], 2, axis=1)
    sets = [
        character_set("one", images),
        character_set("two", [noisy.astype(np.uint8), moved, images[5]]),
    ]
    pairs = nearly_equal(sets, table_of(sets))
    assert {(3, 40), (7, 41)} == set(zip(pairs["one"], pairs["other"], strict=True))
    assert pairs["correlation"].between(0.98, 1.00001).all()
    assert pairs["correlation"].is_monotonic_decreasing


def test_wrong_labels_are_found_and_named():
    text = "ABEHKQRT" * 25
    images = letters(text)
    given = list(text)
    wrong = {5: "A", 40: "R", 77: "E", 123: "Q", 190: "T"}
    for place, label in wrong.items():
        given[place] = label
    sets = [character_set("one", images, "".join(given))]
    table = table_of(sets)
    found, right = likely_errors(features(sets, table), table["label"].to_numpy())
    assert right > 0.9
    assert set(found["place"]) <= set(wrong)
    assert len(found) >= 4
    for row in found.itertuples():
        assert (CLASSES[row.given], CLASSES[row.likely]) == (wrong[row.place], text[row.place])
    assert found["margin"].is_monotonic_decreasing


def test_a_label_of_the_same_shape_is_no_error():
    text = "SKO" * 30
    given = list(text)
    given[0], given[1], given[2] = "s", "k", "0"
    sets = [character_set("one", letters(text), "".join(given))]
    table = table_of(sets)
    found, _ = likely_errors(features(sets, table), table["label"].to_numpy())
    assert not set(found["place"]) & {0, 1, 2}
