import cv2
import numpy as np
import pytest

from generator.letters import letter_strokes
from hcr_live.alphabet import CLASSES
from hcr_live.errors import HcrError
from hcr_live.ink.normalise import network_input
from hcr_live.ink.render import render_strokes
from train.data import load


def drawing(label):
    """White on black, as the program draws."""
    return np.pad(render_strokes(letter_strokes(label), size=60), 12)


def on_paper(label):
    """Grey ink on paper that is much darker on one side."""
    ink = drawing(label).astype(np.float32) / 255
    light = np.linspace(235, 130, ink.shape[1])[None]
    noise = np.random.default_rng(3).normal(0, 2, ink.shape)
    return np.clip(light * (1 - 0.6 * ink) + noise, 0, 255).astype(np.uint8)


def save(path, image):
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), image)


def characters(one):
    return "".join(CLASSES[label] for label in one.labels)


def test_folders_are_named_by_character_or_style(tmp_path):
    for name in ("7", "K", "t", "upper_A", "lower_a", "digit_3", "Lower-B", "UPPER_x"):
        save(tmp_path / "mine" / name / "one.png", drawing("T"))
    (one,) = load(tmp_path)
    assert one.name == "mine"
    assert sorted(characters(one)) == sorted("7KtAa3bX")
    assert set(one.writers.tolist()) == {-1}


def test_ink_on_paper_and_on_black_becomes_the_same_input(tmp_path):
    save(tmp_path / "A" / "black.png", drawing("A"))
    save(tmp_path / "A" / "paper.jpg", on_paper("A"))
    save(tmp_path / "A" / "photo.jpg", cv2.resize(on_paper("A"), None, fx=9, fy=9))
    transparent = np.zeros((*drawing("A").shape, 4), np.uint8)
    transparent[..., 3] = drawing("A")
    save(tmp_path / "A" / "transparent.png", transparent)
    (one,) = load(tmp_path)
    assert len(one) == 4
    wanted = network_input(drawing("A"))
    for content in one.contents:
        assert content.dtype == np.uint8
        assert max(content.shape) <= 512
        assert np.abs(network_input(content) - wanted).mean() < 0.03


def test_small_soft_images_stay_as_they_are(tmp_path):
    image = cv2.resize(drawing("K"), (28, 28), interpolation=cv2.INTER_AREA)
    save(tmp_path / "K" / "small.png", image)
    save(tmp_path / "K" / "small_on_white.png", 255 - image)
    (one,) = load(tmp_path)
    np.testing.assert_array_equal(one.contents[0], image)
    inputs = [network_input(content) for content in one.contents]
    assert np.abs(inputs[0] - inputs[1]).mean() < 0.03


def test_blank_images_are_left_out_and_named(tmp_path, caplog):
    save(tmp_path / "A" / "1.png", drawing("A"))
    save(tmp_path / "A" / "blank.png", np.full((40, 40), 255, np.uint8))
    (one,) = load(tmp_path)
    assert len(one) == 1
    assert "blank.png" in caplog.text


def test_every_tenth_is_validation_without_writers(tmp_path):
    for number in range(20):
        save(tmp_path / "A" / f"{number:02}.png", drawing("A"))
    (one,) = load(tmp_path)
    assert np.flatnonzero(one.splits).tolist() == [9, 19]


def test_the_table_decides_and_gives_writers(tmp_path):
    rows = ["file,label,writer"]
    names = ["anna", "bob", "cem", "dan", "eva"]
    for number in range(12):
        save(tmp_path / "A" / f"{number}.png", drawing("A"))
        rows.append(f"A/{number}.png,{'Aa'[number % 2]},{names[number % 5]}")
    save(tmp_path / "A" / "not listed.png", drawing("A"))
    (tmp_path / "labels.csv").write_text("\n".join(rows))
    for path in (tmp_path, tmp_path / "labels.csv"):
        (one,) = load(path)
        assert characters(one) == "Aa" * 6
        assert one.writers.tolist() == [number % 5 for number in range(12)]
        assert set(one.split("validation").writers.tolist()) == {4}  # eva


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("name,label\nA/1.png,A", "columns file and label"),
        ("", "columns file and label"),
        ("file,label\nA/1.png,A\nA/1.png,AB", "line 3: the label 'AB'"),
        ("file,label\nA/1.png,", "line 2: the label ''"),
        ("file,label\nA/1.png", "line 2: the label ''"),
        ("file,label\nA/2.png,A", "line 2: there is no file 'A/2.png'"),
        ("file,label\n", "no images with ink"),
    ],
)
def test_a_wrong_table(tmp_path, table, message):
    save(tmp_path / "A" / "1.png", drawing("A"))
    (tmp_path / "labels.csv").write_text(table)
    with pytest.raises(HcrError, match=message):
        load(tmp_path)


def test_empty_class_folders_and_damaged_images(tmp_path):
    (tmp_path / "A").mkdir()
    with pytest.raises(HcrError, match="no images with ink"):
        load(tmp_path)
    (tmp_path / "A" / "broken.png").write_bytes(b"\x89PNG hello")
    with pytest.raises(HcrError, match=r"broken\.png"):
        load(tmp_path)


def test_images_without_class_folders(tmp_path):
    save(tmp_path / "scan.png", drawing("A"))
    with pytest.raises(HcrError, match="folders of images named by character"):
        load(tmp_path)
