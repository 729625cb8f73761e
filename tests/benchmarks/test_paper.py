import json
import zipfile
from pathlib import Path

import cv2
import numpy as np
import pytest

from benchmarks import paper
from benchmarks.handwriting import CROPS, Handwriting, lifted, load_crops, written
from generator.kinds import KINDS
from generator.writing import OnLine
from hcr_live.errors import HcrError
from hcr_live.frame import Box


def crop_of(label: str, ink: tuple[int, int, int] = (60, 60, 60)) -> np.ndarray:
    """Draw a crop as the data has them: cream paper with a blue rule in a white square."""
    image = np.full((56, 56, 3), 255, np.uint8)
    image[8:48, 10:46] = (215, 240, 245)
    image[40:42, 10:46] = (215, 150, 110)
    cv2.putText(image, label, (18, 40), cv2.FONT_HERSHEY_SIMPLEX, 0.9, ink, 2, cv2.LINE_AA)
    return image


@pytest.fixture
def data(tmp_path: Path) -> Path:
    path = tmp_path / CROPS
    path.parent.mkdir()
    rows = ["name\tlabel\tsource\tnote"]
    with zipfile.ZipFile(path, "w") as archive:
        for label, note in (("A", ""), ("7", ""), ("b", ""), ("Q", "copy of another crop")):
            name = f"{label}/1.png"
            archive.writestr(name, cv2.imencode(".png", crop_of(label))[1].tobytes())
            rows.append(f"{name}\t{label}\tsomewhere\t{note}")
        archive.writestr("list.tsv", "\n".join(rows))
    return tmp_path


def test_marked_crops_are_left_out(data: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    assert [crop.label for crop in load_crops(data)] == ["A", "7", "b"]
    with pytest.raises(HcrError, match="No crops in"):
        load_crops(tmp_path_factory.mktemp("empty"))


def test_ink_is_lifted_off_its_paper_and_rule() -> None:
    ink = lifted(crop_of("T"))
    assert ink is not None
    assert ink.max() > 200
    # The rule would be as wide as the paper, 36 pixels, and 2 pixels high.
    assert ink.shape[1] < 24
    assert 14 < ink.shape[0] < 24
    assert lifted(np.full((56, 56, 3), 255, np.uint8)) is None


def test_a_sheet_is_written_by_one_person(tmp_path: Path) -> None:
    path = tmp_path / "strokes.json"
    entries = [
        {"label": label, "writer": writer, "strokes": [[[0, 0], [writer, 9]]]}
        for label in "AB"
        for writer in (3, 5)
    ]
    path.write_text(json.dumps(entries))
    hand = Handwriting(path, None, "ABC")
    assert hand.labels == "AB"
    rng = np.random.default_rng(0)
    for _ in range(6):
        draw = hand.somebody(rng)
        widths = set()
        for label in "ABAB":
            character = draw(label, rng)
            assert isinstance(character, OnLine)
            widths.add(float(character.content[0][1, 0]))
        assert len(widths) == 1
    with pytest.raises(HcrError, match="none of the characters"):
        Handwriting(path, None, "XYZ")


def test_texts_have_the_length_that_is_asked_for() -> None:
    hand = Handwriting(None, None, "AB1")
    rng = np.random.default_rng(0)
    for count in (1, 20, 60):
        lines = hand.text(rng, count)
        assert sum(len(line.replace(" ", "")) for line in lines) == count
        drawn = written(lines, hand.somebody(rng), rng)
        for line, characters in zip(lines, drawn, strict=True):
            assert [c == " " for c in line] == [character is None for character in characters]


def test_boxes_are_paired_one_to_one() -> None:
    truth = [Box(0, 0, 20, 30), Box(30, 0, 20, 30), Box(60, 0, 20, 30)]
    found = [Box(31, 2, 18, 28), Box(2, 1, 19, 28), Box(3, 3, 10, 10), Box(58, 0, 100, 90)]
    assert paper.matched(truth, found) == {0: 1, 1: 0}


def test_errors_count_what_is_wrong_lost_and_added() -> None:
    outcome = paper.Outcome(truth="AB 01\nC", read="AB O1 C")
    assert outcome.errors() == (1, 5)
    assert outcome.errors(alike=True) == (0, 5)
    assert outcome.errors(spaces=True)[1] == 7
    assert outcome.errors(spaces=True)[0] >= 2


def test_a_kind_alone_gives_the_same_sheets() -> None:
    task = paper.Task("kinds", 1000 * list(KINDS).index("felt"), "felt")
    (text, *_), (again, *_) = paper._composed(task), paper._composed(task)
    assert text == again
    assert 20 <= len(paper._bare("".join(text))) <= 60


def test_rows_are_read_and_printed(
    capsys: pytest.CaptureFixture[str], data: Path, tmp_path: Path
) -> None:
    sheet = paper.Task("kinds", 1000 * list(KINDS).index("felt"), "felt", examples=tmp_path / "out")
    scene = paper.Task("scenes", 0, "room")
    crop = paper.Task("crops", 0, data=data)
    for task in (sheet, scene, crop):
        row = paper._ROWS[task.row]
        row.show(task.row, [(task, paper._run(task))])
    out = capsys.readouterr().out
    assert "kinds, character error rate" in out
    assert "scenes, characters shown                                     0.00" in out
    assert "crops, letters right" in out
    assert [path.name.startswith("kinds_felt_0_") for path in (tmp_path / "out").iterdir()] == [
        True
    ]
