import argparse
import json

import numpy as np
import pytest

from generator.letters import letter_strokes
from hcr_live.alphabet import CLASSES
from hcr_live.errors import HcrError
from hcr_live.ink.render import render_strokes
from train import balance
from train.balance import choose, class_weights, compare, overlap, pixels, reduced, write
from train.data import CharacterSet, load
from train.explore.together import fitted, table_of

COUNTS = {"A": 240, "O": 400, "I": 30, "S": 160}


def handwriting(counts, name="made", seed=0, side=16, held_out=0):
    """Return letters of many shapes, uint8 (n, side, side), the last ones of each held out."""
    rng = np.random.default_rng(seed)
    images, labels, splits = [], [], []
    for letter, count in counts.items():
        for number in range(count):
            ink = render_strokes(letter_strokes(letter, rng), size=60, pen=rng.uniform(0.05, 0.15))
            moved = np.roll(fitted(ink, side), rng.integers(-1, 2, 2), axis=(0, 1))
            images.append(moved)
            labels.append(CLASSES.index(letter))
            splits.append(int(number >= count - held_out))
    return CharacterSet(
        name,
        np.array(labels, np.int16),
        np.stack(images),
        np.full(len(labels), -1, np.int32),
        np.array(splits, np.uint8),
    )


@pytest.fixture(scope="module")
def letters():
    one = handwriting(COUNTS)
    return [one], table_of([one])


def counts_of(labels):
    return {CLASSES[c]: int(n) for c, n in zip(*np.unique(labels, return_counts=True), strict=True)}


def labels_of(letters):
    return letters[1]["label"].to_numpy()


@pytest.mark.parametrize(
    ("method", "per_class", "wanted"),
    [
        ("undersample", None, {"A": 30, "I": 30, "O": 30, "S": 30}),
        ("undersample", 200, {"A": 200, "I": 30, "O": 200, "S": 160}),
        ("oversample", None, {"A": 400, "I": 400, "O": 400, "S": 400}),
        ("oversample", 200, {"A": 240, "I": 200, "O": 400, "S": 200}),
    ],
)
def test_random_sampling_reaches_the_counts(letters, method, per_class, wanted):
    labels = labels_of(letters)
    rows = choose(labels, method, per_class=per_class)
    assert counts_of(labels[rows]) == wanted
    assert method == "oversample" or len(np.unique(rows)) == len(rows)
    assert method == "undersample" or len(np.unique(rows)) == len(labels)
    again = choose(labels, method, per_class=per_class)
    other = choose(labels, method, per_class=per_class, seed=2)
    assert np.array_equal(rows, again)
    assert not np.array_equal(rows, other)


@pytest.mark.parametrize("version", [1, 2, 3])
def test_chunks_select_what_near_miss_selects_at_once(letters, monkeypatch, version):
    from imblearn.under_sampling import NearMiss

    labels, features = labels_of(letters), pixels(*letters).astype(np.float32)
    whole = NearMiss(version=version, n_neighbors_ver3=12)
    whole.fit_resample(features, labels)
    monkeypatch.setattr(balance, "_CHUNK", 150)
    rows = choose(labels, f"nearmiss{version}", features.astype(np.uint8), candidates=12)
    assert np.array_equal(rows, np.sort(whole.sample_indices_))
    assert counts_of(labels[rows]) == dict.fromkeys("AIOS", 30)


def test_near_miss_1_takes_the_nearest():
    features = np.array([[0], [1], [5], [2], [9], [3]], np.float32)
    labels = np.array([10, 10, 11, 11, 11, 11], np.int16)
    assert choose(labels, "nearmiss1", features, neighbours=1).tolist() == [0, 1, 3, 5]


@pytest.mark.parametrize(("method", "least"), [("nearmiss1", 0.85), ("nearmiss2", 0.85)])
def test_the_reduced_space_selects_nearly_the_same(letters, method, least):
    table = compare(*letters, method, dimensions=48)
    assert list(table.index) == ["A", "O", "S"]
    assert (table["kept"] == 30).all()
    assert table["overlap"].mean() > least > 4 * table["by_chance"].mean()


def test_more_dimensions_agree_more_and_all_agree_wholly(letters):
    few, many = (compare(*letters, "nearmiss2", d)["overlap"].mean() for d in (2, 48))
    assert few < many
    assert compare(*letters, "nearmiss1", 256)["overlap"].min() > 0.96


def test_reduced_distances_are_nearly_those_of_the_pixels(letters):
    sets, table = letters
    is_smallest = table["label"].to_numpy() == CLASSES.index("I")
    full, space = pixels(sets, table).astype(np.float32), reduced(sets, table, 24, 1)
    assert space.shape == (len(table), 26)

    def distances(points):
        gaps = points[~is_smallest][:, None] - points[is_smallest][None]
        return np.sqrt((gaps**2).sum(axis=-1))

    error = np.abs(distances(space) / distances(full) - 1)
    without = np.abs(distances(space[:, :-2]) / distances(full) - 1)
    assert error.mean() < 0.03
    assert error.mean() < without.mean() / 2


def test_overlap_counts_shared_of_either():
    labels = np.array([10, 10, 10, 10, 11], np.int16)
    one, other = np.array([0, 1, 2, 4]), np.array([1, 2, 3, 4])
    assert overlap(one, other, labels) == {"A": 0.5, "B": 1.0}


def test_weights_make_every_class_count_the_same():
    labels = np.repeat(np.array([10, 11, 12], np.int16), [10, 20, 70])
    weights = class_weights(labels)
    assert weights == pytest.approx({"A": 100 / 30, "B": 100 / 60, "C": 100 / 210})


@pytest.mark.parametrize(
    ("method", "options", "message"),
    [
        ("smote", {}, "Unknown method 'smote'"),
        ("undersample", {"per_class": 400}, "No class has more than 400"),
        ("undersample", {"per_class": 0}, "at least 1"),
        ("oversample", {"per_class": 30}, "adds none"),
        ("nearmiss1", {"per_class": 20}, "keeps the smallest class whole"),
        ("nearmiss3", {"neighbours": 31}, "31 neighbours"),
        ("nearmiss3", {"candidates": 0}, "0 candidates"),
    ],
)
def test_what_makes_no_sense_is_refused(letters, method, options, message):
    with pytest.raises(HcrError, match=message):
        choose(labels_of(letters), method, pixels(*letters), **options)


@pytest.mark.parametrize(
    ("labels", "message"), [([], "no character"), ([10, 10], "only the class A")]
)
def test_less_than_two_classes_are_refused(labels, message):
    with pytest.raises(HcrError, match=message):
        choose(np.array(labels, np.int16), "undersample")
    with pytest.raises(HcrError, match=message):
        class_weights(np.array(labels, np.int16))


def test_too_many_dimensions_are_refused(letters):
    with pytest.raises(HcrError, match=r"257 dimensions.*1 to 256"):
        reduced(*letters, 257, 1)


def test_characters_of_any_size_are_written_fitted(tmp_path):
    images = handwriting({"A": 3}, side=20)
    strokes = CharacterSet(
        "strokes",
        np.array([11, 12], np.int16),
        [tuple(letter_strokes(c)) for c in "BC"],
        np.array([7, 8], np.int32),
        np.zeros(2, np.uint8),
    )
    sets = [images, strokes]
    table = table_of(sets)
    assert pixels(sets, table).shape == (5, 28 * 28)
    write(tmp_path / "mixed.npz", sets, table.iloc[[4, 0, 3, 3]])
    with np.load(tmp_path / "mixed.npz") as arrays:
        assert arrays["image"].shape == (4, 64, 64)
        assert "".join(arrays["label"]) == "CABB"
        assert arrays["writer"].tolist() == [8, -1, 7, 7]
        assert arrays["source"].tolist() == ["strokes", "made", "strokes", "strokes"]
        assert arrays["row"].tolist() == [1, 0, 0, 0]
        for image in arrays["image"]:
            ys, xs = np.nonzero(image)
            assert max(np.ptp(ys), np.ptp(xs)) + 1 == pytest.approx(56, abs=1)


def command(*arguments):
    parser = argparse.ArgumentParser()
    balance.add_arguments(parser)
    balance.run(parser.parse_args([str(argument) for argument in arguments]))


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    path = tmp_path_factory.mktemp("balance") / "letters.npz"
    one = handwriting({"A": 60, "I": 12, "O": 90})
    write(path, [one], table_of([one]))
    return path


def test_the_command_balances_what_is_trained_on_only(file, tmp_path, capsys):
    before = load(file)[0]
    out = tmp_path / "new" / "balanced.npz"
    command(file, "--method", "nearmiss1", "--out", out, "--dimensions", 16, "--compare")
    training = before.split("train")
    fewest = min(counts_of(training.labels).values())
    with np.load(out) as arrays:
        is_training = arrays["split"] == 0
        assert counts_of(
            np.array([CLASSES.index(c) for c in arrays["label"][is_training]])
        ) == dict.fromkeys("AIO", fewest)
        assert (~is_training).sum() == len(before) - len(training)
        assert np.array_equal(arrays["image"], before.contents[arrays["row"]])
        assert len(np.unique(arrays["row"])) == len(arrays["row"])
    printed = capsys.readouterr().out
    assert "mean overlap" in printed
    assert f"{len(training)}" in printed


def test_what_is_written_is_read_back(file, tmp_path):
    out = tmp_path / "more.npz"
    command(file, "--method", "oversample", "--out", out)
    before, after = load(file)[0], load(out)[0]
    with np.load(out) as arrays:
        rows, is_training = arrays["row"], arrays["split"] == 0
    assert np.array_equal(after.contents, before.contents[rows])
    assert np.array_equal(after.labels, before.labels[rows])
    most = max(counts_of(before.split("train").labels).values())
    assert counts_of(after.labels[is_training]) == dict.fromkeys("AIO", most)


def test_the_command_writes_weights(file, tmp_path, capsys):
    command(file, "--method", "weights", "--out", tmp_path / "weights.json")
    weights = json.loads((tmp_path / "weights.json").read_text())
    assert weights == class_weights(load(file)[0].split("train").labels)
    assert weights["I"] > weights["A"] > weights["O"]
    assert "weight" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--method", "weights", "--out", "w.npz"], "must end in .json"),
        (["--method", "undersample", "--out", "w.json"], "must end in .npz"),
        (["--method", "undersample", "--out", "w.npz", "--compare"], "are for NearMiss"),
        (["--method", "nearmiss1", "--out", "w.npz", "--per-class", "9999"], "No class has more"),
    ],
)
def test_options_that_do_not_fit_are_refused(file, tmp_path, monkeypatch, arguments, message):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(HcrError, match=message):
        command(file, *arguments)
    assert not list(tmp_path.iterdir())


def test_the_data_is_not_overwritten(file):
    with pytest.raises(HcrError, match="the data itself"):
        command(file, "--method", "undersample", "--out", file)


def test_a_place_that_can_not_be_written_is_named(file, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(HcrError, match="Cannot write"):
        command(file, "--method", "undersample", "--out", tmp_path / "file" / "out.npz")
