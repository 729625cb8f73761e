import argparse
import re

import cv2
import numpy as np
import pandas as pd
import pytest

from hcr_live.errors import HcrError
from tests.train.explore.test_findings import letters
from tests.train.explore.test_together import character_set
from train import explore


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    text = "AEK7" * 12
    images = letters(text)
    images[4] = images[0]
    images[8] = images[1]  # an E under the label A
    sets = [
        character_set("one <b>", images, text),
        character_set("two/2", [images[2], *letters("Ka", 1)], "KKa", [2, 0, 0]),
    ]
    return explore.explore("made letters", sets, tmp_path_factory.mktemp("out") / "new", limit=50)


def test_everything_is_written(page):
    names = {path.name for path in page.parent.iterdir()}
    assert names >= {"counts.png", "boxes.png", "copies.png", "likely_errors.png", "counts.csv"}
    assert names >= {"copies.csv", "near_duplicates.csv", "likely_errors.csv", "index.html"}
    for kind in ("samples", "means"):
        assert {
            f"{kind}_00_all_sources.png",
            f"{kind}_01_one_b_.png",
            f"{kind}_02_two_2.png",
        } <= names
    for path in page.parent.glob("*.png"):
        image = cv2.imread(str(path))
        assert image.std() > 5, path


def test_the_page_is_one_file_and_says_what_was_sampled(page):
    html = page.read_text(encoding="utf-8")
    sources = re.findall(r'<img[^>]*src="([^"]{0,22})', html)
    assert len(sources) == len(list(page.parent.glob("*.png")))
    assert set(sources) == {"data:image/png;base64,"}
    assert not re.search(r"<link|<script|https?:", html)
    assert "Of 50 of the 51 characters" in html
    assert "All 51 characters" in html
    assert "one &lt;b&gt;" in html
    assert "<b>" not in html
    assert "Northcutt" in html


def test_tables_say_where_things_are(page):
    copies = pd.read_csv(page.parent / "copies.csv")
    assert len(copies) == 6  # two of A, E as E and A, K in both sources
    pair = copies[copies["row"].isin([1, 8]) & (copies["source"] == "one <b>")]
    assert pair["label"].tolist() == ["E", "A"]
    assert pair["group"].nunique() == 1
    counts = pd.read_csv(page.parent / "counts.csv", index_col="class")
    assert counts.loc["K"].tolist() == [12, 2]
    assert len(counts) == 62


@pytest.mark.parametrize("text", ["A", "AA", "ABC"])
def test_the_smallest_sets(tmp_path, text):
    page = explore.explore("few", [character_set("one", letters(text), text)], tmp_path)
    assert "Likely label errors" in page.read_text(encoding="utf-8")


def test_many_sources_are_drawn_as_a_few(tmp_path):
    sets = [character_set(f"font {n:02d}", letters("AB", n), "AB") for n in range(20)]
    sets.append(character_set("large", letters("AB" * 3), "AB" * 3))
    page = explore.explore("fonts", sets, tmp_path)
    counts = pd.read_csv(tmp_path / "counts.csv", index_col="class")
    assert len(counts.columns) == 12
    assert counts.loc["A"].sum() == 23
    assert "10 smaller sources" in page.read_text(encoding="utf-8")


def command(*arguments):
    parser = argparse.ArgumentParser()
    explore.add_arguments(parser)
    explore.run(parser.parse_args([str(argument) for argument in arguments]))


def test_the_command(data_folder, tmp_path, capsys):
    command(data_folder, "--out", tmp_path / "out", "--sample", 20)
    assert f"Wrote {tmp_path / 'out' / 'index.html'}" in capsys.readouterr().out


def test_bad_input_is_refused(data_folder, tmp_path):
    with pytest.raises(HcrError, match="no file or folder"):
        command(tmp_path / "nothing", "--out", tmp_path / "out")
    with pytest.raises(HcrError, match="at least 1"):
        command(data_folder, "--out", tmp_path / "out", "--sample", 0)
    empty = character_set("one", np.zeros((0, 2, 2), np.uint8))
    with pytest.raises(HcrError, match="no character in nothing"):
        explore.explore("nothing", [empty], tmp_path / "out")
    (tmp_path / "file").touch()
    with pytest.raises(HcrError, match="Cannot write"):
        command(data_folder, "--out", tmp_path / "file" / "out")
