import numpy as np
import pytest

from generator.letters import letter_strokes
from hcr_live.alphabet import CLASSES
from train.data import CharacterSet
from train.explore.together import fitted, ink_at, one_size, pictures, sample, table_of


def character_set(name, contents, labels="", splits=None):
    columns = [CLASSES.index(c) for c in labels] or [10] * len(contents)
    return CharacterSet(
        name,
        np.array(columns, np.int16),
        contents,
        np.arange(len(contents), dtype=np.int32),
        np.zeros(len(contents), np.uint8) if splits is None else np.array(splits, np.uint8),
    )


def bar(height, width):
    image = np.zeros((30, 40), np.uint8)
    image[5 : 5 + height, 7 : 7 + width] = 200
    return image


def test_the_table_says_where_every_character_is():
    one = character_set("one", np.stack([bar(9, 3), bar(3, 9)]), "AB")
    other = character_set("other", [tuple(letter_strokes("C"))], "C")
    table = table_of([one, other, one])
    assert table["source"].tolist() == ["one", "one", "other", "one", "one"]
    assert table["set"].tolist() == [0, 0, 1, 2, 2]
    assert table["row"].tolist() == [0, 1, 0, 0, 1]
    assert "".join(CLASSES[c] for c in table["label"]) == "ABCAB"
    assert ink_at([one, other], 1, 0).any()
    assert len(table_of([])) == 0


@pytest.mark.parametrize(("height", "width"), [(20, 10), (4, 24), (1, 1)])
def test_ink_is_centred_and_fills_the_picture(height, width):
    picture = fitted(bar(height, width), 64)
    ys, xs = np.nonzero(picture)
    longest = max(height, width)
    assert np.ptp(ys) + 1 == pytest.approx(56 * height / longest, abs=1)
    assert np.ptp(xs) + 1 == pytest.approx(56 * width / longest, abs=1)
    assert (ys.min() + ys.max() + 1) / 2 == pytest.approx(32, abs=1)
    assert (xs.min() + xs.max() + 1) / 2 == pytest.approx(32, abs=1)


def test_no_ink_is_a_black_picture():
    assert not fitted(np.zeros((5, 9), np.uint8), 32).any()


def test_pictures_of_images_and_strokes():
    sets = [
        character_set("one", [bar(9, 3), bar(3, 9)[:20]]),
        character_set("other", [tuple(letter_strokes("C"))]),
    ]
    table = table_of(sets)
    images = pictures(sets, table.iloc[[2, 0]], 32)
    assert images.shape == (2, 32, 32)
    assert np.array_equal(images[1], fitted(bar(9, 3), 32))
    assert one_size(sets) is None
    assert one_size([character_set("one", np.stack([bar(9, 3)]))]) == (30, 40)


def test_a_sample_keeps_small_groups_whole():
    blank = np.zeros((1, 1), np.uint8)
    sets = [
        character_set("small", [blank] * 7, "AAABBBB"),
        character_set("large", np.zeros((500, 1, 1), np.uint8), "A" * 400 + "B" * 100),
    ]
    table = table_of(sets)
    chosen = sample(table, 57, seed=1)
    assert len(chosen) == 57
    counts = chosen.groupby(["source", "label"], observed=True).size()
    assert counts.loc["small"].tolist() == [3, 4]
    assert counts.loc["large"].tolist() == [25, 25]
    assert chosen.index.is_monotonic_increasing
    assert sample(table, 57, seed=1).equals(chosen)
    assert sample(table, 1000, seed=1) is table
