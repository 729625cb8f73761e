import numpy as np
import pytest

from hcr_live.alphabet import CLASSES
from hcr_live.errors import HcrError
from train.data import load


def save(path, labels, **more):
    images = np.full((len(labels), 16, 8), 255, np.uint8)
    arrays = {"image": images, "label": np.array(list(labels)), "writer": np.full(len(labels), -1)}
    np.savez(path, **(arrays | more))


def characters(one):
    return "".join(CLASSES[label] for label in one.labels)


def test_folds_and_blank_images(tmp_path):
    images = np.full((4, 16, 8), 255, np.uint8)
    images[1] = 0
    path = tmp_path / "images_ocr_letters.npz"
    save(path, "abcd", image=images, fold=np.array([0, 1, 8, 9], np.int8))
    (one,) = load(path)
    assert characters(one.split("train")) == "ac"
    assert characters(one.split("validation")) == "d"
    assert isinstance(one.contents, np.ndarray)  # one block


def test_ones_of_alphadigits_are_left_out(tmp_path):
    save(tmp_path / "images_alphadigits.npz", "01A1Z" * 4)
    (one,) = load(tmp_path)
    assert characters(one.split("train")) == "0AZ" * 4


def test_any_images(tmp_path):
    save(tmp_path / "mine.npz", "ab" * 10, writer=np.arange(20) % 5)
    (one,) = load(tmp_path)
    assert one.name == "mine"
    assert set(one.split("validation").writers.tolist()) == {4}
    assert len(one.split("train")) == 16


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"image": np.zeros((2, 16, 8), np.float32)}, "not uint8"),
        ({"image": np.zeros((2, 16, 8, 3), np.uint8)}, "not uint8"),
        ({"image": np.zeros((1, 16, 8), np.uint8)}, "1 images have 2 labels"),
        ({"writer": np.zeros(3)}, "labels"),
        ({"label": np.array(["A", "é"])}, "label 2"),
        ({"label": np.array([{}, 1], object)}, r"mine\.npz"),
    ],
)
def test_bad_arrays(tmp_path, change, message):
    path = tmp_path / "mine.npz"
    save(path, "ab", **change)
    with pytest.raises(HcrError, match=message):
        load(path)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 hello", b"hello"])
def test_bad_files(tmp_path, content):
    path = tmp_path / "mine.npz"
    path.write_bytes(content)
    with pytest.raises(HcrError, match=r"mine\.npz"):
        load(path)


def test_other_arrays_are_named(tmp_path):
    np.savez(tmp_path / "mine.npz", a=np.zeros(1), b=np.zeros(1))
    with pytest.raises(HcrError, match="its arrays are a, b"):
        load(tmp_path / "mine.npz")
