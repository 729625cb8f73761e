import shutil

import numpy as np
import pytest

from hcr_live.alphabet import CLASSES
from hcr_live.errors import HcrError
from train.data import SPLITS, load, load_fonts, load_strokes


def by_name(folder):
    return {one.name: one for one in load(folder)}


def characters(one):
    return "".join(CLASSES[label] for label in one.labels)


def test_sources_labels_writers_and_splits(data_folder):
    sets = by_name(data_folder)
    assert list(sets) == ["nvfp", "mnist", "chars74k"]
    strokes = sets["chars74k"]
    assert len(strokes) == 34  # K/45 is left out: a stray tick
    assert all(path.shape[1] == 2 for content in strokes.contents for path in content)
    assert set(strokes.split("train").writers.tolist()) == {0, 1, 44}
    assert set(strokes.split("validation").writers.tolist()) == {45, 54}
    assert characters(sets["nvfp"]) == "L5ab"
    assert sets["nvfp"].writers.tolist() == [-1] * 4
    digits = sets["mnist"]
    assert digits.contents.shape == (48, 28, 28)
    assert characters(digits) == "1" * 48
    assert [len(digits.split(name)) for name in SPLITS] == [22, 2, 24]


def test_one_file_is_enough(data_folder):
    (strokes,) = load(data_folder / "strokes_chars74k.json.gz")
    assert strokes.name == "chars74k"
    (digits,) = load(data_folder / "mnist" / "train-labels-idx1-ubyte.gz")
    assert digits.name == "mnist"


def test_any_stroke_file_is_unseen(data_folder):
    strokes = load_strokes(data_folder / "strokes_chars74k.json.gz")
    assert len(strokes.split("validation")) == len(strokes) == 35


def test_a_folder_without_data(tmp_path):
    with pytest.raises(HcrError, match="No training data"):
        load(tmp_path)
    (tmp_path / "notes.xyz").write_text("hello")
    with pytest.raises(HcrError, match=r"Of no such kind: notes\.xyz"):
        load(tmp_path)
    with pytest.raises(HcrError, match=r"notes\.xyz is none of"):
        load(tmp_path / "notes.xyz")
    with pytest.raises(HcrError, match="no file or folder"):
        load(tmp_path / "nowhere")


def test_what_is_not_recognised_is_said(data_folder, tmp_path, caplog):
    shutil.copy(data_folder / "images_nvfp.npz", tmp_path)
    (tmp_path / "notes.xyz").write_text("hello")
    (tmp_path / "README.md").write_text("about")
    assert [one.name for one in load(tmp_path)] == ["nvfp"]
    assert "notes.xyz" in caplog.text
    assert "README" not in caplog.text


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


def test_no_fonts_and_bad_fonts(tmp_path):
    with pytest.raises(HcrError, match="No fonts"):
        load_fonts(tmp_path)
    (tmp_path / "bad.woff").write_bytes(b"not a font")
    with pytest.raises(HcrError, match=r"bad\.woff"):
        load_fonts(tmp_path)
