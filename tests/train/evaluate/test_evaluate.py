import base64
import gzip
import json
import re

import numpy as np
import pytest

from generator.letters import letter_strokes
from hcr_live.alphabet import CLASSES
from hcr_live.errors import HcrError
from train.__main__ import main
from train.data import load
from train.evaluate.evaluation import ask_network, evaluate, figures, unseen
from train.evaluate.forms import open_network
from train.evaluate.photos import photo_rows
from train.evaluate.report import markdown_table, percent, write_report


class Guess:
    """A network that answers with what it is told, character after character."""

    name, form = "guess", "ink"

    def __init__(self, answers):
        self._answers = iter(answers)

    def read(self, characters):
        rows = np.full((len(characters), 62), 0.1 / 61, np.float32)
        for row in rows:
            answer = next(self._answers, None)
            row[:] = 1 / 62 if answer is None else row
            if answer is not None:
                row[CLASSES.index(answer)] = 0.9
        return rows


@pytest.fixture(autouse=True)
def _few_negatives(monkeypatch):
    monkeypatch.setattr("train.evaluate.evaluation._NEGATIVES", 20)


@pytest.fixture
def letters(tmp_path):
    """A file of two writers, each A, B, C in one hand; a file of training data and a folder."""
    rng = np.random.default_rng(0)
    entries = [
        {
            "label": label,
            "writer": writer,
            "strokes": [(s * 300).astype(int).tolist() for s in letter_strokes(label, rng)],
        }
        for writer in (3, 4)
        for label in "ABC"
    ]
    path = tmp_path / "ours.json.gz"
    path.write_bytes(gzip.compress(json.dumps(entries).encode()))
    return path


def test_figures_of_a_known_network(letters):
    evaluation = ask_network(Guess("ABDAbc"), load(letters), "validation")
    of = figures(evaluation)
    (row,) = of["sources"].values()
    assert row["samples"] == 6
    assert row["accuracy_26"] == pytest.approx(5 / 6)
    assert row["accuracy_62"] == pytest.approx(3 / 6)
    (writers,) = of["writers"].values()
    assert {writer: row["accuracy_26"] for writer, row in writers.items()} == {
        "3": pytest.approx(2 / 3),
        "4": 1.0,
    }
    assert of["confused"]["26"] == [("C", "D", 1)]
    assert of["unknown"]["rejected"] == 1.0  # the guesses had run out
    assert of["unknown"]["auroc"] == 1.0
    json.dumps(of)


def test_the_report_needs_no_other_file(letters, tmp_path):
    evaluation = ask_network(Guess("ABDABC"), load(letters), "validation")
    page = write_report(evaluation, tmp_path / "out" / "deep")
    text = page.read_text()
    pictures = re.findall(r'src="data:image/png;base64,([^"]+)"', text)
    names = {path.name for path in page.parent.glob("*.png")}
    assert len(pictures) == len(names) == 7
    assert {"confusion_26.png", "confusion_62.png", "reliability.png", "errors.png"} < names
    assert all(base64.b64decode(one).startswith(b"\x89PNG") for one in pictures)
    assert not re.search(r"(src|href)=\"(?!data:)", text)
    of = json.loads((page.parent / "figures.json").read_text())
    assert of["sources"] == figures(evaluation)["sources"]


def test_a_report_that_cannot_be_written(letters, tmp_path):
    evaluation = ask_network(Guess("ABCABC"), load(letters), "validation")
    (tmp_path / "file").write_text("")
    with pytest.raises(HcrError, match="Cannot write the report"):
        write_report(evaluation, tmp_path / "file")


def test_only_the_split_is_read(data_folder):
    validation = unseen(data_folder, "validation")
    strokes = next(one for one in validation if one.name == "chars74k")
    assert set(strokes.writers.tolist()) == {45, 54}
    tests = unseen(data_folder, "test")
    assert all((one.splits == 2).all() for one in tests)
    with pytest.raises(HcrError, match="test split"):
        evaluate(data_folder / "images_nvfp.npz", split="test")


def test_photos_are_of_the_strokes_alone_and_the_same_each_time(data_folder):
    validation = unseen(data_folder, "validation")
    network = open_network()
    rows = photo_rows(network, validation)
    assert list(rows) == ["fair light", "bad light"]
    strokes = sum(isinstance(content, tuple) for one in validation for content in one.contents)
    assert {row["samples"] for row in rows.values()} == {strokes}
    assert photo_rows(network, validation) == rows
    assert photo_rows(network, [one for one in validation if one.name == "mnist"]) == {}


def test_figures_are_never_flattered():
    assert percent("accuracy_26", 0.99999) == "99.9 %"
    assert percent("accuracy_26", 0.57) == "57.0 %"
    assert percent("calibration_error", 0.0101) == "1.1 %"
    assert percent("calibration_error", 0.02) == "2.0 %"
    table = markdown_table({"ours": {"samples": 12, "accuracy_62": 0.98765}})
    assert [cell.strip() for cell in table.splitlines()[-1].split("|")][1:-1] == [
        "ours",
        "12",
        "98.7 %",
    ]


def test_the_command(letters, tmp_path, capsys):
    out = tmp_path / "report"
    assert main(["evaluate", "--data", str(letters), "--split", "test", "--out", str(out)]) == 2
    errors = capsys.readouterr().err
    assert "touch it once" in errors
    assert "test split" in errors
    assert main(["evaluate", "--data", str(tmp_path / "none")]) == 2
    assert "none" in capsys.readouterr().err


def test_the_shipped_network_through_the_command(data_folder, letters, tmp_path, capsys):
    one = data_folder / "strokes_chars74k.json.gz"
    assert main(["evaluate", "--data", str(one), "--also", str(letters)]) == 0
    out = capsys.readouterr().out
    assert "chars74k" in out
    assert "ours" in out


@pytest.mark.parametrize("name", ["no.tflite", "no.keras", "no.onnx"])
def test_networks_that_are_not_there(letters, tmp_path, name):
    with pytest.raises(HcrError, match=name):
        evaluate(letters, tmp_path / name)


def test_a_file_that_is_no_network(letters, tmp_path):
    path = tmp_path / "text.onnx"
    path.write_text("no network")
    with pytest.raises(HcrError, match=r"text\.onnx: it is damaged"):
        evaluate(letters, path)
