import subprocess
import sys

import numpy as np
import pytest

from hcr_live.errors import HcrError
from train.__main__ import main
from train.data import CharacterSet
from train.reproduce import moved, student_split


def letters(side=28):
    labels = np.array([10, 11, 38, 5, 10, 12], np.int16)  # A B c 5 A C
    images = np.random.default_rng(0).integers(0, 255, (6, side, side), np.uint8)
    writers, splits = np.full(6, -1, np.int32), np.array([0, 1, 2, 0, 0, 1], np.uint8)
    return CharacterSet("az", labels, images, writers, splits)


def test_letters_by_split_case_folded():
    one = letters()
    split = student_split([one])
    assert {name: part.labels.tolist() for name, part in split.items()} == {
        "train": [0, 0],
        "validation": [1, 2],
        "test": [2],
    }
    np.testing.assert_array_equal(split["train"].inputs, one.contents[[0, 4]])


def test_other_sizes_are_refused():
    with pytest.raises(HcrError, match="28x28"):
        student_split([letters(side=20)])


def test_images_are_moved_a_little_and_left_alone():
    image = np.zeros((28, 28), np.uint8)
    image[9:19, 12:16] = 255
    images = np.repeat(image[None], 60, axis=0)
    results = moved(images, np.random.default_rng(1))
    assert (images == image).all()
    assert len({result.tobytes() for result in results}) == 60
    ys, xs = (np.array([np.nonzero(result > 128)[k].mean() for result in results]) for k in (0, 1))
    assert np.abs(ys - 13.5).max() < 3.4  # a tenth of the side, and half a pixel
    assert np.abs(xs - 13.5).max() < 3.4
    assert max(ys.std(), xs.std()) > 0.8
    areas = (results > 128).sum(axis=(1, 2))
    assert areas.min() > 28
    assert areas.max() < 56


def test_the_whole_recipe_on_a_small_csv(tmp_path):
    """In a process of its own: importing Keras here would weigh on every later test."""
    rng = np.random.default_rng(0)
    rows = []
    for label in list(range(26)) * 4:
        image = np.zeros((28, 28), int)
        image[4:24, 2 + label % 22 : 5 + label % 22] = 255
        image[4 + label % 18 : 7 + label % 18, 4:24] = rng.integers(150, 255)
        rows.append(",".join(map(str, [label, *image.ravel()])))
    header = ",".join(["0", *(f"0.{k}" for k in range(1, 785))])
    csv = tmp_path / "A_Z Handwritten Data.csv"
    csv.write_text("\n".join([header, *rows]) + "\n")
    out = tmp_path / "run"
    command = ["reproduce", str(csv), "--out", str(out), "--epochs", "1"]
    code = "import sys; from train.__main__ import main; sys.exit(main(sys.argv[1:]))"
    done = subprocess.run(
        [sys.executable, "-c", code, *command], capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    assert "| test accuracy | 0.9737 | 0." in done.stdout
    assert " train, " in done.stdout
    assert "same people" in done.stdout
    assert (out / "reproduce.md").read_text() == done.stdout
    assert (out / "model.keras").exists()


def test_a_wrong_path_is_one_sentence(tmp_path, capsys):
    missing = tmp_path / "A_Z.csv"
    assert main(["reproduce", str(missing), "--out", str(tmp_path / "run")]) == 2
    complaint = capsys.readouterr().err
    assert str(missing) in complaint
    assert "Traceback" not in complaint
