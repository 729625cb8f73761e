import json
import subprocess
import sys

import numpy as np
import pytest

from hcr_live.alphabet import CLASSES
from hcr_live.errors import HcrError
from train.__main__ import main
from train.data import load
from train.dataset import NOTHING
from train.fit import best_epoch, fit, plateau_rate, targets, validation_sets
from train.plan import Plan, class_weights, plan_of

RUNS = """
import sys
from pathlib import Path
from keras import Sequential, layers
from train import fit, networks
from train.__main__ import main

# Quick, and with all that a resumed run must not forget: dropout, averages, moments.
networks.NETWORKS["compact"] = lambda: Sequential([
    layers.Input((32, 32, 1)), layers.Conv2D(4, 4, 4), layers.BatchNormalization(),
    layers.Flatten(), layers.Dropout(0.5), layers.Dense(62, name="logits"), layers.Softmax(),
])
data, folder = map(Path, sys.argv[1:])
options = ("--epochs 4 --passes 2 --per-class 8 --batch 24 --processes 1 --camera 0"
           " --mixup 0.2 --schedule plateau").split()

class Stops(fit.tqdm):  # in the middle of the second round's first epoch
    def update(self, n=1):
        super().update(n)
        if self.n == 12:
            raise KeyboardInterrupt

def command(name, *more):
    return main(["fit", "--data", str(data), "--out", str(folder / name), *options, *more])

assert command("unbroken") == 0
real, fit.tqdm = fit.tqdm, Stops
assert command("broken") == 130
assert (folder / "broken" / "checkpoint-0002.weights.h5").exists()
assert command("broken", "--seed", "2") == 2
fit.tqdm = real
assert command("broken") == 0
assert command("broken") == 0
networks.NETWORKS["path"] = lambda: Sequential([
    layers.Input((96, 6)), layers.Conv1D(4, 5, 4), layers.Flatten(),
    layers.Dense(62, name="logits"), layers.Softmax(),
])
assert command("of paths", "--network", "path") == 0
"""

PARTS = """
import json
import sys
from pathlib import Path
import keras
import numpy as np
from hcr_live.alphabet import CLASSES
from hcr_live.errors import HcrError
from train import fit, networks
from train.dataset import Arrays
from train.plan import Plan

folder = Path(sys.argv[1])
rng = np.random.default_rng(0)
arrays = Arrays(rng.integers(0, 255, (40, 32, 32), np.uint8), rng.integers(0, 62, 40).astype("i2"))
material = fit.Material(40, lambda number: arrays, arrays, {})
course = fit._Course(Plan(Path("."), Path("."), batch=20, average=0.8), material, [])
variables = course.network.trainable_variables
average = None
for inputs, wanted in list(course._batches(0))[:5]:
    course.network.train_on_batch(inputs, wanted)
    now = [keras.ops.convert_to_numpy(v).copy() for v in variables]
    average = average or now
    average = [0.8 * a + 0.2 * n for a, n in zip(average, now)]
now = course.network.get_weights()
averaged = course._averaged_weights()
for kept, before in zip(course.network.get_weights(), now):
    np.testing.assert_array_equal(kept, before)
course.averaged.set_weights(averaged)
for ours, theirs in zip(average, course.averaged.trainable_variables):
    np.testing.assert_allclose(ours, keras.ops.convert_to_numpy(theirs), atol=1e-5)
assert any(np.abs(a - n).max() > 1e-4 for a, n in zip(averaged, now))

inputs = arrays.inputs[:8]
plain = fit.predictions(course.averaged, inputs)
fit._expect_as_usual(course.averaged)
adjusted = fit.predictions(course.averaged, inputs)
often = np.array([2.0 if c.isdigit() else 1.0 for c in CLASSES])
expected = plain / often
np.testing.assert_allclose(adjusted, expected / expected.sum(axis=1, keepdims=True), atol=1e-5)

course.averaged.save(folder / "model.keras")
(folder / "weights.json").write_text(json.dumps({"A": 2}))
plan = Plan(Path("."), folder, teacher=folder, distillation=0.75, smoothing=0,
            class_weights=folder / "weights.json")
pupil = fit._Course(plan, material, [])
labels = np.array([10, 11, -1], "i2")
few = Arrays(arrays.inputs[:3], labels)
wanted = pupil._wanted(few)
said = fit.predictions(course.averaged, few.inputs)
blended = 0.25 * fit.targets(labels, 0) + 0.75 * said
np.testing.assert_allclose(wanted, blended * [[2], [1], [1]], atol=1e-5)
assert fit.told(plan)["class_weights"] == {"A": 2}
for bad, words in ((folder / "no.keras", "no.keras"), (folder / "weights.json", "weights.json")):
    try:
        fit._teacher(bad, pupil.network)
    except HcrError as error:
        assert words in str(error)
    else:
        raise AssertionError(bad)

network = networks.compact()
assert network.output_shape == (None, 62)
assert 2 * network.count_params() < 2_000_000  # with weights of two bytes
assert networks.large().output_shape == (None, 62)
seed = networks.seed()
filters = [layer.filters for layer in seed.layers if isinstance(layer, keras.layers.Conv2D)]
assert filters == [75, 50, 25]
"""


def in_a_process(code, *arguments):
    """In a process of its own: importing Keras here would weigh on every later test."""
    done = subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    return done


@pytest.fixture(scope="module")
def runs(data_folder, tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs")
    return folder, in_a_process(RUNS, data_folder, folder)


def report_of(folder):
    return json.loads((folder / "run.json").read_text())


def test_a_broken_run_goes_on_to_the_very_weights_of_an_unbroken_one(runs):
    folder, done = runs
    import h5py  # comes with Keras; reads the weights without it

    def weights(name):
        found = {}
        import io
        import zipfile

        content = zipfile.ZipFile(folder / name / "model.keras").read("model.weights.h5")
        with h5py.File(io.BytesIO(content)) as file:
            file.visititems(
                lambda path, item: (
                    found.update({path: item[()]}) if isinstance(item, h5py.Dataset) else None
                )
            )
        return found

    one, other = weights("unbroken"), weights("broken")
    assert len(one) == 8
    for path, values in one.items():
        np.testing.assert_array_equal(values, other[path])
    kept = [report_of(folder / name) for name in ("unbroken", "broken")]
    for report in kept:
        for row in report["history"]:
            del row["seconds"]
    assert kept[0]["history"] == kept[1]["history"]
    assert "Stopped: the same command goes on where it was." in done.stderr
    assert "Going on after epoch 2 of 4." in done.stderr


def test_a_run_is_a_folder_that_tells_all_of_itself(runs, data_folder):
    folder, done = runs
    report = report_of(folder / "broken")
    assert report["finished"]
    assert report["plan"]["data"] == str(data_folder)
    assert report["plan"]["seed"] == 1
    assert len(report["history"]) == 4
    assert 1 <= report["best_epoch"] <= 4
    assert {"python", "keras", "numpy"} < set(report["versions"])
    assert report["data"]["sources"]["chars74k"]["validation"] == 13
    assert report["data"]["samples"]["A"] == 3
    names = {path.name for path in (folder / "broken").iterdir()}
    assert names == {"run.json", "model.keras", "log.csv", "tensorboard"}  # no checkpoint is left
    lines = (folder / "broken" / "log.csv").read_text().splitlines()
    assert len(lines) == 5
    assert lines[0].startswith("epoch,loss,validation_loss,accuracy_62")
    assert "complete" in done.stderr  # the same command once more


def test_a_network_of_paths_learns_from_pen_strokes_and_single_line_fonts(runs):
    folder, _ = runs
    report = report_of(folder / "of paths")
    assert set(report["sources"]) == {"chars74k", "hershey:rowmans", "hershey:cursive"}
    assert len(report["history"]) == 4
    assert report["history"][-1]["loss"] < report["history"][0]["loss"]
    assert "accuracy_26" in report["history"][-1]


def test_another_configuration_does_not_overwrite_a_run(runs):
    assert "another configuration (--seed 1, not 2)" in runs[1].stderr


def test_averages_targets_with_a_teacher_and_the_networks(tmp_path):
    in_a_process(PARTS, tmp_path)


def test_targets():
    rows = targets(np.array([0, 61, NOTHING], np.int16), 0.05)
    np.testing.assert_allclose(rows.sum(axis=1), 1, rtol=1e-5)
    assert rows[0].argmax() == 0
    assert rows[1, 61] == pytest.approx(0.95 + 0.05 / 62)
    np.testing.assert_allclose(rows[2], 1 / 62)


def test_the_epoch_that_reads_validation_writers_best_is_kept():
    history = [
        {"accuracy_62": 0.5, "accuracy_26": 0.8},
        {"accuracy_62": 0.7, "accuracy_26": 0.9},
        {"accuracy_62": 0.7, "accuracy_26": 0.9},
        {"accuracy_62": 0.7, "accuracy_26": 0.8},
    ]
    assert best_epoch(history) == 3
    assert best_epoch(history, choose=False) == 4
    assert best_epoch([]) == 0


def test_the_rate_is_halved_when_the_loss_stays_where_it_is():
    history = [{"loss": loss} for loss in (3.0, 2.0, 2.0, 2.1, 2.2, 1.0, 1.1)]
    assert [plateau_rate(1.0, history[:count]) for count in (0, 2, 4, 5, 7)] == [1, 1, 1, 0.5, 0.5]


def test_the_test_split_chooses_nothing(data_folder):
    sets = load(data_folder)
    assert [one.name for one in validation_sets(sets)] == ["chars74k"]
    others = [one for one in sets if one.name == "mnist"]
    assert sum(map(len, validation_sets(others))) == (others[0].splits == 1).sum()


def test_class_weights_are_read(tmp_path):
    path = tmp_path / "weights.json"
    path.write_text('{"A": 1.5}')
    weights = class_weights(path)
    assert weights[CLASSES.index("A")] == 1.5
    assert weights.sum() == pytest.approx(62.5)


@pytest.mark.parametrize(
    "content", ['{"AB": 1}', '{"A": -1}', "[1]", "{", '{"A": "x"}', '{"?": 1}']
)
def test_class_weights_without_sense_are_refused(tmp_path, content):
    (tmp_path / "weights.json").write_text(content)
    with pytest.raises(HcrError, match="class weights"):
        class_weights(tmp_path / "weights.json")


@pytest.mark.parametrize(
    "change",
    [
        {"epochs": 0},
        {"per_class": 0},
        {"nothing": 1.0},
        {"nothing": -0.1},
        {"camera": 1.5},
        {"learning_rate": 0.0},
        {"learning_rate": float("nan")},
        {"schedule": "linear"},
        {"network": "huge"},
    ],
)
def test_plans_without_sense_are_refused(data_folder, tmp_path, change):
    with pytest.raises(HcrError):
        fit(Plan(data_folder, tmp_path / "run", **change))
    assert not (tmp_path / "run").exists()


def test_what_is_said_comes_before_the_recipe():
    import argparse

    said = argparse.Namespace(data="d", out="o", network="seed", batch=7, run=print)
    plan = plan_of(said)
    assert (plan.batch, plan.epochs, plan.smoothing) == (7, 5, 0.0)


def test_the_command_line_says_what_is_wrong(tmp_path, data_folder, capsys):
    def complaint(data, *more):
        assert main(["fit", "--data", str(data), "--out", str(tmp_path / "run"), *more]) == 2
        return capsys.readouterr().err

    assert "nowhere" in complaint(tmp_path / "nowhere")
    assert "no network" not in complaint(data_folder, "--network", "tiny")
    (tmp_path / "run").mkdir(exist_ok=True)
    (tmp_path / "run" / "run.json").write_text("{}")
    assert "damaged" in complaint(data_folder)
    assert "Cannot write" in complaint(data_folder, "--out", str(tmp_path / "run" / "run.json"))
