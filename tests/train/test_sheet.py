"""The printable form: its pages, its marks, its PDF."""

from __future__ import annotations

from collections import Counter
from itertools import combinations

import cv2
import numpy as np
import pypdfium2
import pytest

from hcr_live.alphabet import CLASSES
from train.__main__ import main
from train.extract.printed import read_form
from train.sheet.form import CELL, MARK, PAPERS, Page, cells_of, marks_of, page_of, pages_of

PAGES = [
    page
    for alphabet, repeats, paper, writer in (
        ("all", 2, "a4", 1),
        ("all", 8, "letter", 800),
        ("digits", 1, "a4", 97),
        ("letters", 5, "letter", 12),
    )
    for page in pages_of(alphabet, repeats, paper, writer)
]


def printed(path, scale=8 * 25.4 / 72):
    """The pages of a PDF as uint8 (h, w, 3) BGR; scale is pixels of a point, 8 a millimetre."""
    document = pypdfium2.PdfDocument(path)
    try:
        return [np.ascontiguousarray(one.render(scale=scale).to_numpy()) for one in document]
    finally:
        document.close()


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_a_page_is_known_by_its_marks_even_with_one_hidden(page):
    identities = [identity for identity, _, _ in marks_of(page)]
    assert len(set(identities)) == 6
    for seen in combinations(identities, 5):
        assert page_of(list(seen)) == page


def test_marks_of_two_pages_or_of_nothing_say_nothing():
    first, second = ([one for one, _, _ in marks_of(page)] for page in PAGES[1:3])
    assert page_of(first + second) is None
    assert page_of(first[:1]) is None
    assert page_of([]) is None
    assert page_of([582, 583, 586]) is None


def test_every_character_is_asked_for_as_often_as_told():
    pages = pages_of("all", 8, "letter", 3)
    assert [page.number for page in pages] == list(range(1, len(pages) + 1))
    asked = Counter(cell.target for page in pages for cell in cells_of(page))
    assert asked == dict.fromkeys(CLASSES, 8)


@pytest.mark.parametrize("paper", PAPERS)
def test_cells_and_marks_are_apart_and_on_the_paper(paper):
    page = Page("all", 8, paper)
    width, height = PAPERS[paper]
    boxes = [(cell.x, cell.y, CELL) for cell in cells_of(page)]
    boxes += [(x, y, MARK) for _, x, y in marks_of(page)]
    for x, y, side in boxes:
        assert min(x, y, width - x - side, height - y - side) >= 9
    for (x, y, side), (x2, y2, side2) in combinations(boxes, 2):
        assert max(x2 - x - side, x - x2 - side2, y2 - y - side, y - y2 - side2) >= 3


def test_the_pdf_has_a_page_a_writer_of_the_papers_size(tmp_path, capsys):
    pdf = tmp_path / "new folder/forms.pdf"
    command = ["sheet", "--out", str(pdf), "--paper", "letter", "--writers", "2"]
    assert main([*command, "--alphabet", "lower", "--repeats", "1"]) == 0
    assert "2 pages for 2 writers" in capsys.readouterr().out
    pages = printed(pdf, scale=2)
    assert len(pages) == 2
    for writer, picture in enumerate(pages, 1):
        assert picture.shape == (792 * 2, 612 * 2, 3)
        sheet = read_form(picture, "page")
        assert (sheet.writer, sheet.page, sheet.empty, sheet.cut_outs) == (str(writer), 1, 26, ())
        # A line of the print is on every side of each cell; its targets are there to read.
        assert cv2.countNonZero(255 - picture[120:-120, :, 0]) > 26 * 100
    again = tmp_path / "again.pdf"
    assert (
        main([*command[:2], str(again), *command[3:], "--alphabet", "lower", "--repeats", "1"]) == 0
    )
    assert again.read_bytes() == pdf.read_bytes()


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--writers", "0"], "--writers must be from 1 to 800, not 0"),
        (["--writers", "801"], "--writers must be from 1 to 800, not 801"),
        (["--repeats", "9"], "--repeats must be from 1 to 8, not 9"),
        (["--out", "form.png"], "ends in .pdf"),
        (["--out", "{}/file/forms.pdf"], "Cannot write"),
    ],
)
def test_bad_input_gets_one_sentence(more, message, tmp_path, capsys):
    (tmp_path / "file").touch()
    more = [word.format(tmp_path) for word in more]
    assert main(["sheet", "--out", str(tmp_path / "f.pdf"), *more]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
