import numpy as np
import pytest

from train.data.characters import CharacterSet, usual_splits, writers_of


def test_writers_are_numbered():
    assert writers_of([3, "4", None, "", -1, 3]).tolist() == [3, 4, -1, -1, -1, 3]
    assert writers_of(["bob", "anna", None, "bob", 7]).tolist() == [2, 1, -1, 2, 0]
    assert writers_of([]).tolist() == []


def test_every_fifth_writer_is_validation():
    writers = np.array([10, 20, 30, 40, 50, 50, -1, 60], np.int32)
    assert usual_splits(writers).tolist() == [0, 0, 0, 0, 1, 1, 0, 0]


def test_rows_are_chosen_from_blocks_and_lists():
    labels = np.array([0, 1, 2], np.int16)
    writers = np.array([5, 6, 7], np.int32)
    splits = np.array([0, 1, 2], np.uint8)
    images = np.arange(12, dtype=np.uint8).reshape(3, 2, 2)
    for contents in (images, list(images)):
        one = CharacterSet("mine", labels, contents, writers, splits)
        chosen = one.chosen(np.array([2, 0]))
        assert chosen.labels.tolist() == [2, 0]
        assert [content.tolist() for content in chosen.contents] == images[[2, 0]].tolist()
        assert one.chosen(labels > 0).writers.tolist() == [6, 7]
        assert one.split("validation").writers.tolist() == [6]
    with pytest.raises(ValueError, match="differ in length"):
        CharacterSet("mine", labels[:2], images, writers, splits)
