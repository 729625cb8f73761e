import numpy as np
import pytest

from hcr_live.alphabet import CLASSES
from hcr_live.errors import HcrError
from tests.train.data.files import corner_images, write_az
from train.data import SPLITS, load


@pytest.fixture
def path(tmp_path):
    return tmp_path / "A_Z Handwritten Data.csv"


@pytest.mark.parametrize("header", ["0,0.1", "label", ""])
@pytest.mark.parametrize("newline", ["\r\n", "\n"])
def test_rows_with_and_without_a_header(path, header, newline):
    labels = [number % 26 for number in range(50)]
    write_az(path, labels, header, newline)
    (letters,) = load(path)
    assert letters.name == "az"
    assert [CLASSES[label] for label in letters.labels[:26]] == list(CLASSES[10:36])
    np.testing.assert_array_equal(letters.contents, corner_images(50))
    assert letters.contents.dtype == np.uint8
    assert [len(letters.split(name)) for name in SPLITS] == [32, 8, 10]
    again = load(path)[0]
    np.testing.assert_array_equal(again.splits, letters.splits)


def test_more_rows_than_are_read_at_once(path):
    write_az(path, [3] * 20)
    lines = path.read_text().splitlines()
    path.write_text("\n".join([*lines, *lines[1:] * 249]))
    (letters,) = load(path)
    assert len(letters) == 5000
    np.testing.assert_array_equal(letters.contents, np.tile(corner_images(20), (250, 1, 1)))


def change(path, line, text):
    lines = path.read_text().splitlines()
    lines[line - 1] = text(lines[line - 1])
    path.write_text("\n".join(lines) + "\n")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (lambda line: line[: len(line) // 2], "line 5 has [0-9]+ values"),
        (lambda line: line + ",0", "line 5 has 786 values"),
        (lambda line: "26" + line[1:], "line 5: the label '26' is not 0 to 25"),
        (lambda line: "-1" + line[1:], "line 5: the label '-1'"),
        (lambda line: "A" + line[1:], "line 5: the label 'A'"),
        (lambda line: line[:-1] + "256", "line 5: the pixel '256' is not 0 to 255"),
        (lambda line: line[:-1] + "white", "line 5: the pixel 'white'"),
        (lambda line: line[:-1], "line 5: the pixel ''"),
    ],
)
def test_a_bad_line_is_named(path, text, message):
    write_az(path, [1] * 6)
    change(path, 5, text)
    with pytest.raises(HcrError, match=message) as raised:
        load(path)
    assert path.name in str(raised.value)


def test_a_file_that_is_cut_off_at_its_end(path):
    write_az(path, [1] * 6)
    path.write_bytes(path.read_bytes()[:-700])
    with pytest.raises(HcrError, match=r"line 7 has [0-9]+ values"):
        load(path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "no rows"),
        ("a,b\n1,2\n", "line 1 has 2 values"),
        ("\x00\x01\xff", "line 1 has 1 value"),
    ],
)
def test_another_kind_of_csv(path, content, message):
    path.write_text(content, encoding="latin-1")
    with pytest.raises(HcrError, match=message):
        load(path)


def test_digits_are_not_taken_for_letters(tmp_path):
    path = tmp_path / "mnist_train.csv"
    write_az(path, [1, 2], "label")
    with pytest.raises(HcrError, match="idx"):
        load(path)
