import numpy as np
import pytest

from hcr_live.alphabet import CLASSES
from hcr_live.errors import HcrError
from tests.train.data.files import write_strokes
from train.data import load, load_strokes

LINE = [[[0, 0], [5, 9]], [[1, 2, 0.5], [3, 4, 0.6]]]


@pytest.mark.parametrize("name", ["mine.json", "mine.json.gz"])
def test_any_pen_strokes(tmp_path, name):
    entries = [("Aa7"[number % 3], number // 3, LINE) for number in range(30)]
    write_strokes(tmp_path / name, entries)
    (one,) = load(tmp_path)
    assert one.name == "mine"
    assert "".join(CLASSES[label] for label in one.labels) == "Aa7" * 10
    assert set(one.split("validation").writers.tolist()) == {4, 9}
    assert [path.shape for path in one.contents[0]] == [(2, 2), (2, 2)]
    assert one.contents[0][1].dtype == np.float32
    np.testing.assert_array_equal(one.contents[0][1], [[1, 2], [3, 4]])
    assert len(load_strokes(tmp_path / name).split("validation")) == 30


def test_one_writer_gives_every_tenth(tmp_path):
    write_strokes(tmp_path / "mine.json", [("A", None, LINE)] * 20)
    (one,) = load(tmp_path)
    assert set(one.writers.tolist()) == {-1}
    assert np.flatnonzero(one.splits).tolist() == [9, 19]


def test_the_splits_and_defects_of_known_sources(tmp_path):
    write_strokes(
        tmp_path / "strokes_omniglot_latin.json.gz",
        [("l", writer, LINE) for writer in range(1, 21)],
    )
    write_strokes(tmp_path / "strokes_uci_trajectories.json.gz", [("l", 0, LINE)] * 20)
    np.savez(
        tmp_path / "images_omniglot_latin.npz",
        image=np.full((1, 9, 9), 255, np.uint8),
        label=np.array(["l"]),
        writer=np.array([17]),
    )
    omniglot, uci = load(tmp_path)  # the images are the strokes, drawn
    assert omniglot.split("train").writers.tolist() == [*range(1, 15), 16]
    assert omniglot.split("validation").writers.tolist() == [17, 18, 19, 20]
    assert len(uci.split("train")) == 20
    (drawn,) = load(tmp_path / "images_omniglot_latin.npz")
    assert len(drawn.split("validation")) == 1


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("[]", "no list of characters"),
        ('{"label": "A"}', "no list of characters"),
        ('[{"label": "A", "strokes": [[[0, 0]]]}, 3]', "character 2 has no label"),
        ('[{"label": "A", "writer": 1}]', "character 1 has no strokes"),
        ('[{"label": "AB", "strokes": [[[0, 0]]]}]', "label 1, 'AB'"),
        ('[{"label": ["A"], "strokes": [[[0, 0]]]}]', "label 1"),
        ('[{"label": "A", "strokes": []}]', "character 1 has no points"),
        ('[{"label": "A", "strokes": [[[0, NaN]]]}]', "character 1 has no points, or one that"),
        ('[{"label": "A", "strokes": [[0, 1]]}]', "strokes of character 1"),
        ('[{"label": "A", "strokes": [[[0, 1], [2]]]}]', "strokes of character 1"),
        ('[{"label": "A", "strokes": 7}]', "strokes of character 1"),
        ('[{"label": "A"', r"mine\.json"),
        ("\x80\xff", r"mine\.json"),
    ],
)
def test_bad_files_name_the_character(tmp_path, content, message):
    path = tmp_path / "mine.json"
    path.write_text(content, encoding="latin-1")
    with pytest.raises(HcrError, match=message):
        load(path)
