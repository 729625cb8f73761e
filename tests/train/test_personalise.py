import json
import subprocess
import sys

import cv2
import numpy as np
import pytest

from generator.letters import letter_strokes
from hcr_live.alphabet import CLASSES
from hcr_live.classifier import Classifier
from hcr_live.errors import HcrError
from hcr_live.ink.render import render_strokes
from hcr_live.resources import model_path
from train.__main__ import main
from train.personalise import Head, held_back, largest_share, personalise, wanted_of

MIRRORED = "NRE7"
"""As some write who are learning to; the shipped network takes them for others."""

OTHERS = "ABDHKMTXabdg2"


def written(label, rng):
    """Return ink of our person's character, each a little otherwise."""
    ink = render_strokes(letter_strokes(label, rng), size=60)
    return np.ascontiguousarray(ink[:, ::-1]) if label in MIRRORED else ink


def write_folder(folder, labels, count, seed=0):
    rng = np.random.default_rng(seed)
    for label in labels:
        kind = "digit" if label.isdigit() else "upper" if label.isupper() else "lower"
        (folder / f"{kind}_{label}").mkdir(parents=True)
        for number in range(count):
            ink = np.pad(written(label, rng), 24)
            cv2.imwrite(str(folder / f"{kind}_{label}" / f"{number}.png"), ink)
    return folder


@pytest.fixture(scope="module")
def personal(tmp_path_factory):
    """In a process of its own: importing TensorFlow here would weigh on every later test."""
    folder = tmp_path_factory.mktemp("personal")
    mine = write_folder(folder / "mine", MIRRORED + OTHERS, 8)
    command = ["-m", "train", "personalise", str(mine), "--out", str(folder / "me.tflite")]
    options = ["--per-class", "15", "--processes", "1", "--date", "2026-01-02"]
    done = subprocess.run(
        [sys.executable, *command, *options], capture_output=True, text=True, timeout=600
    )
    assert done.returncode == 0, done.stderr
    return folder, done


def test_a_peculiar_hand_is_learned_and_nothing_else_lost(personal):
    folder, done = personal
    rng = np.random.default_rng(99)
    labels = [label for label in MIRRORED for _ in range(8)]
    inks = [written(label, rng) for label in labels]

    def right(path=None):
        answers = Classifier(path).probabilities(inks).argmax(axis=1)
        return sum(CLASSES[a] == label for a, label in zip(answers, labels, strict=True))

    assert right(folder / "me.tflite") >= right() + 12
    of = json.loads((folder / "me.json").read_text())["personal"]
    assert of["after"]["yours"]["accuracy_36"] > of["before"]["yours"]["accuracy_36"]
    for name in ("accuracy_62", "accuracy_26", "accuracy_10"):
        assert of["after"]["made up"][name] >= of["before"]["made up"][name] - 0.0031
    assert of["rejected_after"] >= of["rejected_before"] - 0.0031
    assert "yours, before" in done.stdout
    assert "made up, after" in done.stdout


def test_five_files_that_belong_together(personal):
    folder, _ = personal
    names = {path.name for path in folder.iterdir() if path.is_file()}
    assert names == {f"me.{suffix}" for suffix in ("keras", "tflite", "onnx", "json", "md")}
    card = json.loads((folder / "me.json").read_text())
    shipped = json.loads(model_path("hcr62.json").read_text())
    assert card.keys() >= {"model", "sha256", "classes", "form", "forms", "looks_at"}
    assert card["classes"] == shipped["classes"]
    assert card["temperature"] == shipped["temperature"]
    assert card["personal"]["from"] == "hcr62"
    assert "2026-01-02" in (folder / "me.md").read_text()
    (folder / "me.tflite").write_bytes((folder / "me.tflite").read_bytes()[:-1])
    with pytest.raises(HcrError, match="damaged"):
        Classifier(folder / "me.tflite")


def test_held_back_is_about_a_quarter_and_never_all_of_a_class():
    labels = np.repeat(np.arange(62, dtype=np.int16), [1, 2] * 31)
    held = held_back(labels, 1)
    counts = np.bincount(labels[~held], minlength=62)
    assert counts.min() == 1
    assert 5 < held.sum() < 26
    assert held_back(np.zeros(40, np.int16), 1).sum() == 10
    assert (held_back(labels, 1) == held).all()
    assert (held_back(labels, 2) != held).any()


def test_classes_of_one_shape_keep_their_odds():
    labels = np.array([CLASSES.index(label) for label in "cAO"], np.int16)
    answers = np.full((3, 62), 0.1 / 62, np.float32)
    for row, pair in enumerate(("cC", "AR", "0O")):
        answers[row, [CLASSES.index(one) for one in pair]] += (0.6, 0.3)
    wanted = wanted_of(labels, answers)
    np.testing.assert_allclose(wanted.sum(axis=1), 1, atol=1e-5)

    def odds(row, one, other):
        return wanted[row, CLASSES.index(one)] / wanted[row, CLASSES.index(other)]

    assert odds(0, "c", "C") == pytest.approx(2, rel=0.02)
    assert odds(2, "0", "O") == pytest.approx(2, rel=0.02)
    assert odds(1, "A", "R") > 5


def test_weights_go_back_until_the_base_characters_hold():
    before = {"accuracy_26": 0.98, "rejected": 0.9}

    def figures(share):
        return {"accuracy_26": 0.98 - 0.006 * share, "rejected": 0.95}

    assert largest_share(figures, before) == 0.5
    assert largest_share(lambda share: before, before) == 1
    assert largest_share(lambda share: {"accuracy_26": 0.98, "rejected": 0.5}, before) == 0
    one, other = (Head(np.full((2, 62), k, np.float32), np.zeros(62, np.float32)) for k in (1, 3))
    assert one.towards(other, 0.5).weights[0, 0] == 2


def test_bad_folders(tmp_path):
    out = tmp_path / "me.tflite"
    empty = tmp_path / "empty"
    empty.mkdir()
    broken = write_folder(tmp_path / "broken", "AB", 6)
    (broken / "upper_A" / "0.png").write_bytes(b"no picture")
    labels = write_folder(tmp_path / "labels", "AB", 6)
    (labels / "labels.csv").write_text("file,label\nupper_A/0.png,?\n")
    for folder, said in (
        (empty, "No training data"),
        (tmp_path / "nowhere", "no file or folder"),
        (write_folder(tmp_path / "one", "A", 20), "of one kind alone"),
        (write_folder(tmp_path / "few", "AB", 3), "has 6 characters"),
        (write_folder(tmp_path / "once", "ABDEFGHKLMNR", 1), "each character once"),
        (broken, "0.png"),
        (labels, "none of 0-9 A-Z a-z"),
    ):
        with pytest.raises(HcrError, match=said):
            personalise(folder, out)
    assert not out.exists()


def test_bad_places(tmp_path, capsys):
    mine = write_folder(tmp_path / "mine", "AB", 6)
    (tmp_path / "me.md").write_text("mine")
    with pytest.raises(HcrError, match=r"me\.md is there already"):
        personalise(mine, tmp_path / "me.tflite")
    with pytest.raises(HcrError, match=r"NAME\.tflite"):
        personalise(mine, tmp_path / "me.keras")
    with pytest.raises(HcrError, match="Cannot write"):
        personalise(mine, tmp_path / "me.md" / "me.tflite")
    with pytest.raises(HcrError, match="no Keras network"):
        personalise(mine, tmp_path / "you.tflite", model=tmp_path / "hcr62.keras")
    with pytest.raises(HcrError, match="needs characters of both splits"):
        personalise(mine, tmp_path / "you.tflite", data=write_folder(tmp_path / "d", "A", 6))
    assert main(["personalise", str(mine), "--per-class", "1"]) == 2
    assert "--per-class is 1" in capsys.readouterr().err
