import numpy as np
import pytest

from hcr_live.alphabet import CLASSES
from hcr_live.errors import HcrError
from tests.train.data.files import corner_images, write_emnist
from train.data import SPLITS, load, source_of

# What the mapping files of NIST say: label, then the character code.
MERGED = {0: 48, 9: 57, 10: 65, 35: 90, 36: 97, 38: 100, 42: 104, 43: 110, 44: 113, 46: 116}
MAPPINGS = {
    "byclass": {0: 48, 10: 65, 35: 90, 36: 97, 61: 122},
    "bymerge": MERGED,
    "balanced": MERGED,
    "letters": {1: 65, 2: 66, 26: 90},
    "digits": {0: 48, 9: 57},
    "mnist": {0: 48, 9: 57},
}


def write_mat(path, split, train_labels, test_labels, writers=None):
    from scipy.io import savemat

    parts = {}
    for kind, labels in (("train", train_labels), ("test", test_labels)):
        # One image a row, its pixels column by column.
        images = corner_images(len(labels)).transpose(0, 2, 1).reshape(-1, 784)
        parts[kind] = {"images": images, "labels": np.array(labels, np.uint8)[:, None]}
        if writers is not None:
            parts[kind]["writers"] = np.resize(np.array(writers, np.uint16), (len(labels), 1))
    mapping = np.array(sorted(MAPPINGS[split].items()), np.uint8)
    savemat(path, {"dataset": parts | {"mapping": mapping}}, do_compression=True)


@pytest.mark.parametrize("split", MAPPINGS)
@pytest.mark.parametrize("form", ["idx", "idx.gz", "mat"])
def test_labels_are_what_the_mapping_says_and_images_upright(tmp_path, split, form):
    labels = list(MAPPINGS[split]) * 2
    if form == "mat":
        path = tmp_path / f"emnist-{split}.mat"
        write_mat(path, split, labels, labels[:3])
    else:
        ending = form.removeprefix("idx")
        write_emnist(tmp_path, split, labels, labels[:3], ending)
        path = tmp_path / f"emnist-{split}-test-labels-idx1-ubyte{ending}"
    for given in (path, tmp_path):
        (characters,) = load(given)
        assert characters.name == f"emnist-{split}"
        expected = [chr(MAPPINGS[split][label]) for label in (*labels, *labels[:3])]
        assert [CLASSES[label] for label in characters.labels] == expected
        images = np.concatenate([corner_images(len(labels)), corner_images(3)])
        np.testing.assert_array_equal(characters.contents, images)
        train = len(labels) - min(3, len(labels) // 2)
        sizes = [len(characters.split(name)) for name in SPLITS]
        assert sizes == [train, len(labels) - train, 3]
    assert source_of(characters.name).title.startswith("EMNIST")


def test_the_writers_of_a_mat_file_are_kept_apart(tmp_path):
    path = tmp_path / "emnist-letters.mat"
    write_mat(path, "letters", [1, 2] * 15, [3] * 4, writers=[7, 8, 9, 10, 11])
    (characters,) = load(path)
    assert set(characters.split("train").writers.tolist()) == {7, 8, 9, 10}
    assert set(characters.split("validation").writers.tolist()) == {11}
    assert len(characters.split("test")) == 4


def test_two_splits_share_images(tmp_path):
    write_emnist(tmp_path, "letters", [1, 2], [3])
    write_emnist(tmp_path, "balanced", [1, 2], [3])
    with pytest.raises(HcrError, match="share images"):
        load(tmp_path)
    (one,) = load(tmp_path / "emnist-letters-train-images-idx3-ubyte.gz")
    assert one.name == "emnist-letters"


def test_the_same_split_in_both_forms(tmp_path):
    write_emnist(tmp_path, "letters", [1, 2], [3])
    write_mat(tmp_path / "emnist-letters.mat", "letters", [1, 2], [3])
    with pytest.raises(HcrError, match="two sets called emnist-letters"):
        load(tmp_path)


def test_a_label_out_of_range_is_named(tmp_path):
    write_emnist(tmp_path, "letters", [1, 27], [3])
    with pytest.raises(HcrError, match="label 2 is 27, not 1 to 26"):
        load(tmp_path)


def test_a_test_file_that_is_missing(tmp_path):
    write_emnist(tmp_path, "digits", [1, 2], [3])
    (tmp_path / "emnist-digits-test-images-idx3-ubyte.gz").unlink()
    with pytest.raises(HcrError, match="no emnist-digits-test-images-idx3-ubyte"):
        load(tmp_path)


@pytest.mark.parametrize("damage", ["cut", "no mat", "empty", "other variables"])
def test_damaged_mat_files_are_named(tmp_path, damage):
    from scipy.io import savemat

    path = tmp_path / "emnist-digits.mat"
    if damage == "other variables":
        savemat(path, {"data": np.zeros(3)})
    else:
        write_mat(path, "digits", [1, 2] * 20, [3])
        content = path.read_bytes()
        path.write_bytes(
            {"cut": content[: len(content) // 2], "no mat": b"hello" * 99, "empty": b""}[damage]
        )
    with pytest.raises(HcrError, match=r"emnist-digits\.mat"):
        load(path)


def test_a_mat_file_of_another_kind(tmp_path):
    (tmp_path / "results.mat").write_bytes(b"hello")
    with pytest.raises(HcrError, match="none of the known kinds"):
        load(tmp_path / "results.mat")
