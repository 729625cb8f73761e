import cv2
import numpy as np
import pytest

from train.__main__ import main
from train.augment.contact_sheet import contact_sheet, negatives_sheet
from train.data import load


def test_a_sheet_a_source_and_the_negatives(data_folder, tmp_path):
    arguments = ["augment", "--data", str(data_folder), "--rows", "2"]
    assert main([*arguments, "--out", str(tmp_path / "one")]) == 0
    assert main([*arguments, "--out", str(tmp_path / "same")]) == 0
    assert main([*arguments, "--out", str(tmp_path / "other"), "--seed", "2"]) == 0
    sources = {one.name for one in load(data_folder)}
    written = {path.name: path.read_bytes() for path in (tmp_path / "one").iterdir()}
    assert set(written) == {f"{name}.png" for name in sources} | {"negatives.png"}
    for name, content in written.items():
        assert (tmp_path / "same" / name).read_bytes() == content
        assert (tmp_path / "other" / name).read_bytes() != content
        assert cv2.imdecode(np.frombuffer(content, np.uint8), 0).std() > 20


def test_a_row_for_each_character_and_other_classes_first(data_folder):
    strokes = next(one for one in load(data_folder) if one.name == "chars74k")
    rng = np.random.default_rng(0)
    two, all_of_it = (contact_sheet(strokes, rng, rows) for rows in (2, 1000))
    assert two.shape[1] == all_of_it.shape[1]
    header = 2 * two.shape[0] - contact_sheet(strokes, rng, 4).shape[0]
    assert all_of_it.shape[0] == header + (two.shape[0] - header) // 2 * len(strokes)
    assert negatives_sheet(strokes, rng, 2).shape[0] == two.shape[0]


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        (["--data", "nowhere"], "nowhere"),
        (["--rows", "0"], "--rows"),
        (["--seed", "-1"], "--seed"),
    ],
)
def test_bad_options_are_told_in_a_sentence(data_folder, tmp_path, capsys, changed, sentence):
    arguments = ["augment", "--data", str(data_folder), "--out", str(tmp_path / "out"), *changed]
    assert main(arguments) == 2
    assert sentence in capsys.readouterr().err.splitlines()[-1]


def test_a_file_where_the_folder_should_be(data_folder, tmp_path, capsys):
    (tmp_path / "out").write_text("mine")
    assert main(["augment", "--data", str(data_folder), "--out", str(tmp_path / "out")]) == 2
    assert "--out" in capsys.readouterr().err
    assert (tmp_path / "out").read_text() == "mine"
