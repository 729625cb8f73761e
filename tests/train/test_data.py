import shutil

import numpy as np
import pytest

from hcr_live.alphabet import CLASSES
from hcr_live.errors import HcrError
from train.data import load, load_fonts, load_strokes


def test_sources_labels_and_splits(data_folder):
    samples = load(data_folder)
    strokes = [s for s in samples if s.source.startswith("strokes")]
    assert len(strokes) == 34  # K/45 is left out: a stray tick
    assert sum(s.validation for s in strokes) == 13  # volunteers 45 and 54
    assert all(path.shape[1] == 2 for s in strokes for path in s.content)
    drawn = [s for s in samples if s.source == "images_nvfp.npz"]
    assert [CLASSES[s.label] for s in drawn] == ["L", "5", "a", "b"]
    digits = [s for s in samples if s.source == "mnist"]
    assert [(CLASSES[s.label], s.content.shape, s.validation) for s in digits] == [
        ("1", (28, 28), False),
        ("1", (28, 28), False),
        ("1", (28, 28), True),
        ("1", (28, 28), True),
    ]


def test_any_stroke_file_is_unseen(data_folder):
    samples = load_strokes(data_folder / "strokes_chars74k.json.gz")
    assert len(samples) == 35
    assert all(s.validation for s in samples)


def test_a_folder_without_data(tmp_path):
    with pytest.raises(HcrError, match="No training data"):
        load(tmp_path)


def test_a_cut_off_file_is_named(data_folder, tmp_path):
    name = "strokes_chars74k.json.gz"
    (tmp_path / name).write_bytes((data_folder / name).read_bytes()[:200])
    with pytest.raises(HcrError, match=name):
        load(tmp_path)


def test_a_label_out_of_range_is_refused(data_folder, tmp_path):
    with np.load(data_folder / "images_nvfp.npz") as arrays:
        content = dict(arrays)
    content["label"] = np.array(list("l5é?"))
    np.savez(tmp_path / "images_nvfp.npz", **content)
    with pytest.raises(HcrError, match="none of 0-9 A-Z a-z"):
        load(tmp_path)


def test_a_broken_idx_file_is_refused(data_folder, tmp_path):
    shutil.copytree(data_folder / "mnist", tmp_path / "mnist")
    name = "train-images-idx3-ubyte.gz"
    (tmp_path / "mnist" / name).write_bytes(
        (tmp_path / "mnist" / "train-labels-idx1-ubyte.gz").read_bytes()
    )
    with pytest.raises(HcrError, match="mnist"):
        load(tmp_path)


def test_no_fonts_and_bad_fonts(tmp_path):
    with pytest.raises(HcrError, match="No fonts"):
        load_fonts(tmp_path)
    (tmp_path / "bad.woff").write_bytes(b"not a font")
    with pytest.raises(HcrError, match=r"bad\.woff"):
        load_fonts(tmp_path)
