import gzip

import numpy as np
import pytest

from hcr_live.alphabet import CLASSES
from hcr_live.errors import HcrError
from tests.train.data.files import corner_images, write_idx, write_pair
from train.data import SPLITS, load
from train.data.idx import read_idx


@pytest.mark.parametrize("ending", ["", ".gz"])
def test_mnist_splits(tmp_path, ending):
    write_pair(tmp_path, "train", corner_images(36), np.arange(36) % 10, ending)
    write_pair(tmp_path, "t10k", corner_images(5), [9, 8, 7, 6, 5], ending)
    (digits,) = load(tmp_path)
    assert digits.contents.dtype == np.uint8
    np.testing.assert_array_equal(digits.contents[:36], corner_images(36))
    assert [len(digits.split(name)) for name in SPLITS] == [33, 3, 5]
    assert [CLASSES[label] for label in digits.split("test").labels] == list("98765")
    assert digits.split("validation").labels.tolist() == [3, 4, 5]
    assert set(digits.writers.tolist()) == {-1}


def test_mnist_unpacked_beside_packed_is_read_once(tmp_path):
    for ending in ("", ".gz"):
        write_pair(tmp_path, "train", corner_images(12), [1] * 12, ending)
    assert [len(one) for one in load(tmp_path)] == [12]


def test_mnist_of_keras(tmp_path):
    np.savez(
        tmp_path / "mnist.npz",
        x_train=corner_images(24),
        y_train=np.arange(24) % 10,
        x_test=corner_images(2),
        y_test=np.array([3, 4]),
    )
    (digits,) = load(tmp_path / "mnist.npz")
    assert digits.name == "mnist"
    assert [len(digits.split(name)) for name in SPLITS] == [22, 2, 2]
    assert digits.split("test").labels.tolist() == [3, 4]


def test_images_without_labels_name_what_is_missing(tmp_path):
    write_idx(tmp_path / "train-images-idx3-ubyte.gz", corner_images(3))
    with pytest.raises(HcrError, match="no train-labels-idx1-ubyte"):
        load(tmp_path)


def test_files_that_do_not_belong_together(tmp_path):
    write_pair(tmp_path, "train", corner_images(3), [1, 2])
    with pytest.raises(HcrError, match=r"has 3 images.* are 2"):
        load(tmp_path)


def test_a_label_that_is_no_digit(tmp_path):
    write_pair(tmp_path, "train", corner_images(2), [1, 10])
    with pytest.raises(HcrError, match="label 2, '10'"):
        load(tmp_path)


def damaged(content, damage):
    if damage == "cut gzip":
        return gzip.compress(content)[:-30]
    if damage == "cut":
        return gzip.compress(content[:-1])
    if damage == "long":
        return gzip.compress(content + b"\0")
    if damage == "magic":
        return gzip.compress(b"\0\0\x08\x01" + content[4:])
    if damage == "huge":
        return gzip.compress(content[:4] + b"\xff" * 4 + content[8:])
    return {"empty": b"", "no gzip": content, "short header": gzip.compress(content[:9])}[damage]


@pytest.mark.parametrize(
    "damage",
    ["cut gzip", "cut", "long", "magic", "huge", "empty", "no gzip", "short header"],
)
def test_damaged_files_are_named(tmp_path, damage):
    path = tmp_path / "train-images-idx3-ubyte.gz"
    images = np.random.default_rng(0).integers(0, 256, (9, 28, 28), np.uint8)
    content = b"\0\0\x08\x03" + np.array(images.shape, ">u4").tobytes() + images.tobytes()
    path.write_bytes(gzip.compress(content))
    np.testing.assert_array_equal(read_idx(path, 3), images)
    path.write_bytes(damaged(content, damage))
    with pytest.raises(HcrError, match=path.name) as raised:
        read_idx(path, 3)
    assert ("cut off" in str(raised.value)) == damage.startswith("cut")


def test_a_cut_file_without_gzip_is_named(tmp_path):
    path = tmp_path / "labels-idx1-ubyte"
    write_idx(path, np.arange(9))
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(HcrError, match="cut off"):
        read_idx(path, 1)
