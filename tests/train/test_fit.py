import json
import subprocess
import sys

import numpy as np
import pytest

from hcr_live.alphabet import CLASSES
from hcr_live.classifier import Classifier
from hcr_live.errors import HcrError
from hcr_live.ink.render import render_strokes
from train.__main__ import main
from train.evaluate.report import markdown_table
from train.fit import Plan, accuracy, fit, targets


def test_targets():
    rows = targets(np.array([0, 61, -1], np.int16), 0.05)
    np.testing.assert_allclose(rows.sum(axis=1), 1, rtol=1e-5)
    assert rows[0].argmax() == 0
    assert rows[1, 61] == pytest.approx(0.95 + 0.05 / 62)
    np.testing.assert_allclose(rows[2], 1 / 62)


def test_accuracy_folds_and_leaves_out():
    labels = np.array([CLASSES.index("A"), CLASSES.index("b")], np.int16)
    sure = np.zeros((2, 62), np.float32)
    sure[0, CLASSES.index("a")] = sure[1, CLASSES.index("b")] = 1
    assert accuracy(sure, labels) == {"accuracy_62": 0.5, "accuracy_26": 1.0}


def test_fit_and_export_end_to_end(data_folder, tmp_path):
    """In a process of its own: importing TensorFlow here would weigh on every later test."""
    run, out = tmp_path / "run", tmp_path / "models"
    commands = (
        f"fit --data {data_folder} --out {run} --epochs 2 --rounds 1 --per-class 6"
        " --batch 32 --processes 1",
        f"export --run {run} --data {data_folder} --out {out} --date 2026-01-02",
    )
    code = (
        "import sys; from train.__main__ import main;"
        "sys.exit(any(main(command.split()) for command in sys.argv[1:]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *commands], capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    report = json.loads((run / "run.json").read_text())
    assert len(report["history"]) == 2
    assert report["plan"]["seed"] == 1
    classifier = Classifier(out / "hcr62.tflite")
    row = classifier.probabilities([render_strokes([[[0, 0], [1, 1]]])])[0]
    assert row.sum() == pytest.approx(1, abs=1e-4)
    card = json.loads((out / "hcr62.json").read_text())
    assert card["date"] == "2026-01-02"
    assert "chars74k" in card["validation"]["sources"]
    page = (out / "hcr62.md").read_text()
    assert markdown_table(card["validation"]["sources"]) in page
    for text in (page, json.dumps(card)):
        assert str(tmp_path) not in text
        assert str(data_folder) not in text
    assert (out / "hcr62.keras").stat().st_size < 2_000_000


@pytest.mark.parametrize(
    "change", [{"epochs": 0}, {"per_class": 0}, {"nothing": 1.0}, {"nothing": -0.1}]
)
def test_plans_without_sense_are_refused(data_folder, tmp_path, change):
    with pytest.raises(HcrError):
        fit(Plan(data_folder, tmp_path, **change))


def test_the_command_line_says_what_is_wrong(tmp_path, capsys):
    assert main(["fit", "--data", str(tmp_path), "--out", str(tmp_path / "run")]) == 2
    assert "No training data" in capsys.readouterr().err
