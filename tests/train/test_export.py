import json
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from generator.letters import letter_strokes
from hcr_live.classifier import Classifier, PathClassifier
from hcr_live.ink.render import render_strokes
from train.evaluate.forms import open_network
from train.export import (
    Agreement,
    agreement,
    at_temperature,
    fitted_temperature,
    may_ship,
    other_writers_figures,
)

PLAIN = Agreement(1_600_000, 0.0, 1.0, 0.80, 0.95, 0.5)

RUN = """
import json, sys
from pathlib import Path
import keras
import train.export
from train.__main__ import main

train.export.SLOWER = 100  # how busy this computer is must not matter
data, run, out, broken = sys.argv[1:]
keras.utils.set_random_seed(1)
model = keras.Sequential([
    keras.Input((32, 32, 1), name="ink"),
    keras.layers.Conv2D(8, 4, 4, activation="relu"),
    keras.layers.Flatten(),
    keras.layers.Dense(62, name="logits", kernel_initializer=keras.initializers.RandomNormal(0, 2)),
    keras.layers.Softmax(),
])
Path(run).mkdir()
model.save(Path(run, "model.keras"))
teacher = Path(run, "teacher")
teacher.mkdir()
plan = {"data": "/home/me/data", "network": "large", "teacher": None, "epochs": 2, "seed": 7}
(teacher / "run.json").write_text(json.dumps({"plan": plan, "sources": ["chars74k"]}))
plan = {"data": "/home/me/data", "fonts": "/home/me/fonts", "teacher": str(teacher), "epochs": 1}
report = {
    "plan": plan, "sources": ["chars74k", "font:kalam", "font:neucha"], "best_epoch": 1,
    "versions": {"keras": "3"}, "backend": "torch", "hardware": "gpu:0", "seconds": 61,
    "finished": True,
}
Path(run, "run.json").write_text(json.dumps(report))
export = ["export", "--run", run, "--data", data, "--out", out, "--date", "2026-01-02"]
assert main([*export, "--test"]) == 0
paths = keras.Sequential([
    keras.Input((96, 6), name="path"),
    keras.layers.Conv1D(8, 5, 4, activation="relu"),
    keras.layers.Flatten(),
    keras.layers.Dense(62, name="logits", kernel_initializer=keras.initializers.RandomNormal(0, 2)),
    keras.layers.Softmax(),
])
paths.save(Path(run, "model.keras"))
assert main(export) == 0
assert main(["evaluate", "--data", data, "--model", out + "/path62.onnx"]) == 0
assert main(["evaluate", "--data", data, "--together"]) == 0
assert main(["evaluate", "--data", data + "/images_nvfp.npz", "--together"]) == 2
inks = f"evaluate --data {data} --model {out}/hcr62"
assert main(f"{inks}.keras".split()) == 0
Path(broken).write_text("no network")
assert main(["evaluate", "--data", data, "--model", broken]) == 2
Path(run, "run.json").write_text(json.dumps(report | {"finished": False}))
assert main(export) == 2
Path(run, "run.json").unlink()
assert main(export) == 2
"""


@pytest.fixture(scope="module")
def exported(data_folder, tmp_path_factory):
    """In a process of its own: importing TensorFlow here would weigh on every later test."""
    folder = tmp_path_factory.mktemp("export")
    names = (data_folder, folder / "run", folder / "models", folder / "broken.keras")
    done = subprocess.run(
        [sys.executable, "-c", RUN, *map(str, names)], capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    return folder, done


def test_five_files_a_network_and_nothing_else(exported):
    folder, done = exported
    names = {path.name for path in (folder / "models").iterdir()}
    suffixes = ("keras", "tflite", "onnx", "json", "md")
    assert names == {f"{name}.{suffix}" for name in ("hcr62", "path62") for suffix in suffixes}
    assert "float16" in done.stdout
    assert "broken.keras: it is damaged" in done.stderr
    assert "was interrupted" in done.stderr
    assert "is not the folder of a fit" in done.stderr


def test_the_forms_answer_alike(exported):
    folder, _ = exported
    inks = [render_strokes([[[0, 0], [1, slope]]]) for slope in np.linspace(0, 3, 20)]
    inks.append(np.zeros((4, 4), np.uint8))
    lite = Classifier(folder / "models" / "hcr62.tflite").probabilities(inks)
    onnx = open_network(folder / "models" / "hcr62.onnx").read(inks)
    np.testing.assert_allclose(lite, onnx, atol=0.01)
    np.testing.assert_allclose(onnx.sum(axis=1), 1, atol=1e-4)
    assert np.ptp(onnx[:-1], axis=1).min() > 0.01
    np.testing.assert_allclose(onnx[-1], 1 / 62)


def test_the_forms_of_a_network_of_paths_answer_alike(exported):
    folder, done = exported
    strokes = [letter_strokes(letter) for letter in "ABCDEFGHIJ"] + [[[(1, 1)]]]
    lite = PathClassifier(folder / "models" / "path62.tflite").probabilities(strokes)
    onnx = open_network(folder / "models" / "path62.onnx").read(strokes)
    np.testing.assert_allclose(lite, onnx, atol=0.01)
    assert np.ptp(onnx[:-1], axis=1).min() > 0.01
    np.testing.assert_allclose(onnx[-1], 1 / 62)
    assert "No character of pen strokes in" in done.stderr


def test_the_card_of_a_network_of_paths_tells_of_both(exported):
    folder, _ = exported
    card = json.loads((folder / "models" / "path62.json").read_text())
    page = (folder / "models" / "path62.md").read_text()
    assert set(card["validation"]["sources"]) == {"chars74k"}
    assert card["validation"]["sources"] != card["together"]["sources"]
    assert "by the way of the pen" in page
    assert "## Both networks" in page


def test_the_card_tells_what_was_measured(exported):
    folder, _ = exported
    card = json.loads((folder / "models" / "hcr62.json").read_text())
    page = (folder / "models" / "hcr62.md").read_text()
    assert card["date"] == "2026-01-02"
    assert card["form"] == "float16"
    assert card["bytes"] == (folder / "models" / "hcr62.tflite").stat().st_size
    assert card["forms"]["float16"]["bytes"] == card["bytes"] < card["forms"]["float32"]["bytes"]
    assert card["forms"]["onnx"]["same_answers"] == 1.0
    assert set(card["validation"]["sources"]) >= {"chars74k"}
    assert set(card["test"]["sources"]) == {"mnist"}
    assert "volunteers 0-44 train, 45-54 validation" in page
    assert "SIL Open Font License" in page
    assert "2: kalam, neucha" in page
    assert page.index("Validation figures") < page.index("Test figures")
    assert card["commands"] == [
        "python -m train fit --data DATA --out TEACHER --network large --epochs 2 --seed 7",
        "python -m train fit --data DATA --out RUN --fonts FONTS --teacher TEACHER --epochs 1",
    ]
    assert "- Time: 2 minutes\n- Backend: torch\n- Hardware: gpu:0" in page


def test_no_place_of_this_computer_is_in_the_files(exported):
    folder, _ = exported
    for path in (folder / "models").iterdir():
        content = path.read_bytes()
        assert str(folder).encode() not in content
        assert b"/home/me" not in content


def answers(confidence, right, count=200):
    """Probabilities of A that are right in the share `right` of the characters, and labels."""
    probabilities = np.full((count, 62), (1 - confidence) / 61, np.float32)
    probabilities[:, 10] = confidence
    labels = np.where(np.arange(count) % 100 < 100 * right, 10, 11).astype(np.int16)
    return probabilities, labels


def test_temperature_makes_confidence_what_is_right():
    overconfident = answers(0.99, 0.8)
    temperature = fitted_temperature(*overconfident)
    assert temperature > 1
    calibrated = at_temperature(overconfident[0], temperature)
    np.testing.assert_allclose(calibrated.sum(axis=1), 1, rtol=1e-5)
    modest = answers(0.5, 0.9)
    assert fitted_temperature(*modest) < 1
    np.testing.assert_allclose(at_temperature(modest[0], 1.0), modest[0], rtol=1e-4)


def test_other_writers_never_see_their_own_temperature():
    overconfident, modest = answers(0.99, 0.8), answers(0.5, 0.9)
    probabilities = np.concatenate([overconfident[0], modest[0]])
    labels = np.concatenate([overconfident[1], modest[1]])
    halves = np.arange(len(labels)) < 200
    own = other_writers_figures(overconfident[0], overconfident[1], np.arange(200) % 2 == 0)
    other = other_writers_figures(probabilities, labels, halves)
    assert own["calibration_error"] < 0.1 < other["calibration_error"]
    assert other_writers_figures(np.eye(62, dtype=np.float32)[:3], np.arange(3), halves[:3]) == {}


@pytest.mark.parametrize(
    ("change", "ships"),
    [
        ({}, True),
        ({"largest_difference": 0.011}, False),
        ({"same_answers": 0.998}, False),
        ({"accuracy_62": 0.7989}, False),
        ({"accuracy_26": 0.9489}, False),
        ({"accuracy_62": 0.7991, "largest_difference": 0.009, "same_answers": 0.9991}, True),
        ({"milliseconds": 0.7}, False),
    ],
)
def test_what_may_be_shipped(change, ships):
    assert may_ship(replace(PLAIN, bytes=800_000, **change), PLAIN) is ships


def test_agreement_by_hand():
    wanted = np.zeros((2, 62), np.float32)
    wanted[:, 10] = 1
    found = wanted.copy()
    found[1, 10], found[1, 36] = 0.4, 0.6
    compared = agreement(found, wanted, np.array([10, 10], np.int16), 5, 0.1)
    assert compared == Agreement(5, pytest.approx(0.6), 0.5, 0.5, 1.0, 0.1)
