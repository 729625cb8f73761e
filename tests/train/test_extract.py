"""From a photo of a sheet to a folder of labelled characters."""

from __future__ import annotations

import io
from functools import cache
from pathlib import Path

import cv2
import numpy as np
import pytest

from generator.letters import letter_strokes
from generator.sheet import SheetStyle, background_image, sheet_image
from hcr_live.alphabet import CLASSES
from hcr_live.errors import HcrError
from hcr_live.recognizer import Recognizer
from tests.fakes import FakeWindow
from tests.paper.drawn import lines_of_strokes
from tests.train.test_sheet import printed
from train.__main__ import main
from train.data import load
from train.extract.ask import ask_key_name
from train.extract.printed import find_form, read_form
from train.sheet.drawing import draw_page
from train.sheet.form import CELL, Page, cells_of

SCALE = 8.0
"""Pixels of a millimetre of a drawn page."""

BLUE_PEN = (110, 45, 25)
PENCIL = (105, 105, 105)


@cache
def page_picture(page):
    """The empty page, uint8 (h, w, 3)."""
    file = io.BytesIO()
    draw_page(page).savefig(file, dpi=SCALE * 25.4)
    return cv2.imdecode(np.frombuffer(file.getvalue(), np.uint8), cv2.IMREAD_COLOR)


def filled_in(page, rng, pen=0.6, colour=BLUE_PEN, height=9.0, leave=(), reach=0.0, picture=None):
    """The page with each target written into its cell, but for the cells of `leave`."""
    picture = (page_picture(page) if picture is None else picture).copy()
    for number, cell in enumerate(cells_of(page)):
        if number in leave:
            continue
        strokes = letter_strokes(cell.target, rng)
        points = np.concatenate(strokes)
        middle = (points.min(axis=0) + points.max(axis=0)) / 2
        at = np.array([cell.x, cell.y]) + CELL / 2 + rng.uniform(-1, 1, 2) * (0.8 + reach)
        for stroke in strokes:
            path = ((stroke - middle) * height + at) * SCALE
            cv2.polylines(
                picture,
                [np.rint(path * 16).astype(np.int32)],
                False,
                colour,
                max(1, round(pen * SCALE)),
                cv2.LINE_AA,
                4,
            )
    return picture


def photographed(picture, rng, megapixels=3.0, tilt=(20.0, 10.0), turn=0.0, bend=0.0, shadow=0.4):
    """A hand-held photo of a sheet on a desk: a pinhole camera, a shadow, blur, noise.

    `tilt` and `turn` are degrees; `bend` is by how many millimetres the page's middle rises.
    """
    height, width = picture.shape[:2]
    if bend:
        rise = bend * SCALE * np.sin(np.linspace(0, np.pi, height, dtype=np.float32))[:, None]
        x, y = np.meshgrid(*(np.arange(n, dtype=np.float32) for n in (width, height)))
        picture = cv2.remap(
            picture, x + rise, y + rise / 2, cv2.INTER_LINEAR, borderValue=[255] * 3
        )
    corners = np.array([(0, 0), (width, 0), (width, height), (0, height)], np.float64)
    flat = np.column_stack([corners - (width / 2, height / 2), np.zeros(4)]) / height
    spin = np.radians([*tilt, turn])
    for axis, angle in zip(((1, 0, 0), (0, 1, 0), (0, 0, 1)), spin, strict=True):
        flat = flat @ cv2.Rodrigues(np.array(axis) * angle)[0].T
    seen = flat[:, :2] / (flat[:, 2:] + 1.8)
    frame = np.sqrt(megapixels * 1e6 * np.array([3 / 4, 4 / 3]))
    if np.ptp(seen[:, 0]) > np.ptp(seen[:, 1]):
        frame = frame[::-1]
    size = tuple(np.rint(frame).astype(int).tolist())
    seen -= (seen.min(axis=0) + seen.max(axis=0)) / 2
    seen = seen * (0.94 * frame / np.ptp(seen, axis=0)).min() + frame / 2
    density = float(np.sqrt(cv2.contourArea(seen.astype(np.float32)) / (width * height)))
    if density < 0.8:
        picture = cv2.resize(picture, None, fx=density, fy=density, interpolation=cv2.INTER_AREA)
        corners *= np.divide(picture.shape[1::-1], (width, height))
    view = cv2.getPerspectiveTransform(corners.astype(np.float32), seen.astype(np.float32))
    desk = background_image("wood", size, rng)
    inside = cv2.warpPerspective(np.full(picture.shape[:2], 255, np.uint8), view, size)
    desk[inside > 127] = cv2.warpPerspective(picture, view, size)[inside > 127]
    photo = desk.astype(np.float32)
    x, y = (np.linspace(-1, 1, length, dtype=np.float32) for length in size)
    angle = rng.uniform(0, 2 * np.pi)
    across = np.float32(np.cos(angle)) * x + np.float32(np.sin(angle)) * y[:, None]
    light = (1 + 0.15 * across) * (1 - shadow / (1 + np.exp(-12 * (across - 0.2))))
    photo *= 0.85 * light[..., None]
    photo = cv2.GaussianBlur(photo, (0, 0), 0.7)
    photo += 4 * rng.standard_normal(photo.shape[:2], np.float32)[..., None]
    return np.clip(photo, 0, 255, out=photo).astype(np.uint8)


def as_read(sheet):
    """How many of a sheet's labels the shipped network reads, large and small letters as one."""
    rows = Recognizer().classify([one.ink for one in sheet.cut_outs])
    read = [CLASSES[column] for column in rows.argmax(axis=1)]
    return sum(
        one.label.upper() == guess.upper() for one, guess in zip(sheet.cut_outs, read, strict=True)
    )


def targets(page):
    return [cell.target for cell in cells_of(page)]


def save(path, image):
    cv2.imwrite(str(path), image, [cv2.IMWRITE_JPEG_QUALITY, 85])
    return str(path)


def listed(folder):
    return [row.split(",") for row in (folder / "labels.csv").read_text().splitlines()[1:]]


PHOTOS = {
    "small, 30 degrees": ({"pen": 0.6}, {"megapixels": 0.8, "tilt": (30, 0)}),
    "pencil, upside down, 12 megapixels": (
        {"colour": PENCIL, "pen": 0.5},
        {"megapixels": 12, "tilt": (-20, 22), "turn": 180},
    ),
    "bent, sideways, writing over the marks": (
        {"reach": 2.0},
        {"megapixels": 3, "tilt": (20, -15), "turn": 95, "bend": 2.5},
    ),
    "marker, deep shadow": (
        {"pen": 1.5, "height": 10},
        {"megapixels": 2, "tilt": (5, -25), "turn": 170, "shadow": 0.6},
    ),
}


@pytest.mark.parametrize("case", PHOTOS)
def test_every_character_of_a_photographed_form(case):
    filling, taking = PHOTOS[case]
    rng = np.random.default_rng(len(case))
    page = Page("all", 2, "a4", writer=7)
    left_empty = (0, 50, 123)
    picture = filled_in(page, rng, leave=left_empty, **filling)
    sheet = read_form(photographed(picture, rng, **taking), "photo")
    expected = [one for n, one in enumerate(targets(page)) if n not in left_empty]
    assert [one.label for one in sheet.cut_outs] == expected
    assert (sheet.writer, sheet.page, sheet.empty, sheet.hidden) == ("7", 1, 3, 0)
    assert as_read(sheet) >= 0.9 * len(expected)


def test_the_printed_pdf_filled_in_and_scanned(tmp_path):
    pdf = tmp_path / "forms.pdf"
    assert main(["sheet", "--out", str(pdf), "--alphabet", "upper", "--repeats", "1"]) == 0
    empty = printed(pdf)[0]
    page = Page("upper", 1)
    scan = filled_in(page, np.random.default_rng(2), picture=empty)
    sheet = read_form(cv2.resize(scan, None, fx=0.7, fy=0.7, interpolation=cv2.INTER_AREA), "scan")
    assert [one.label for one in sheet.cut_outs] == targets(page)
    assert as_read(sheet) >= 24


@pytest.mark.parametrize(("megapixels", "bend"), [(0.8, 2.0), (3.0, 3.0)])
def test_nothing_printed_is_taken_for_writing(megapixels, bend):
    page = Page("all", 2)
    rng = np.random.default_rng(3)
    photo = photographed(page_picture(page), rng, megapixels, tilt=(25, -15), bend=bend)
    sheet = read_form(photo, "photo")
    assert sheet.cut_outs == ()
    assert sheet.empty == len(cells_of(page))


def test_what_leaves_its_cell_is_kept_whole():
    page = Page("digits", 1)
    cell = cells_of(page)[3]
    picture = page_picture(page).copy()
    # From the middle of the cell across the bracket in its lower right corner: 9.3 mm each way.
    ends = [(np.array([cell.x, cell.y]) + at) * SCALE for at in ((5.5, 5.5), (14.3, 14.3))]
    first, last = (tuple(np.rint(end).astype(int).tolist()) for end in ends)
    cv2.line(picture, first, last, BLUE_PEN, round(0.6 * SCALE), cv2.LINE_AA)
    (one,) = read_form(picture, "scan").cut_outs
    assert one.label == cell.target
    assert cv2.connectedComponents(one.ink)[0] == 2  # in one piece
    assert max(one.ink.shape) == pytest.approx(9.3 * SCALE, rel=0.05)


def test_boxes_below_a_thumb_are_no_writing():
    page = Page("upper", 2)
    rng = np.random.default_rng(6)
    photo = photographed(filled_in(page, rng), rng, tilt=(10, 10))
    height, width = photo.shape[:2]
    tip, base = (round(0.7 * width), round(0.4 * height)), (round(0.95 * width), height)
    cv2.line(photo, tip, base, (110, 140, 190), width // 9, cv2.LINE_AA)
    sheet = read_form(cv2.GaussianBlur(photo, (0, 0), 0.8), "photo")
    assert sheet.hidden >= 1
    assert len(sheet.cut_outs) + sheet.hidden + sheet.empty == len(cells_of(page))
    assert as_read(sheet) >= 0.9 * len(sheet.cut_outs)


def test_half_covered_boxes_are_left_out():
    page = Page("upper", 2)
    rng = np.random.default_rng(8)
    picture = filled_in(page, rng)
    cells = cells_of(page)
    covered = (4, 17, 30, 45)
    for number, (x, y) in zip(covered, ((0, 0.5), (0.5, 1), (1, 0.4), (0.4, 0)), strict=True):
        at = np.array([cells[number].x + x * CELL, cells[number].y + y * CELL]) * SCALE
        cv2.circle(picture, np.rint(at).astype(int), round(6 * SCALE), (120, 150, 205), -1)
    photo = photographed(picture, rng, megapixels=1.5)
    sheet = read_form(photo, "photo")
    form = find_form(cv2.cvtColor(photo, cv2.COLOR_BGR2GRAY), "photo")
    seen = [one.place.tolist() for one in sheet.cut_outs]
    missing = [n for n, cell in enumerate(cells) if form.place(cell).tolist() not in seen]
    assert set(covered) <= set(missing)
    assert len(missing) == sheet.hidden <= 8  # a neighbour of one may be touched
    assert as_read(sheet) >= 0.9 * len(sheet.cut_outs)


def test_a_shadow_with_a_razor_sharp_edge():
    page = Page("upper", 2)
    rng = np.random.default_rng(9)
    photo = photographed(filled_in(page, rng), rng, megapixels=1.5, shadow=0.1)
    height, width = photo.shape[:2]
    shadow = np.array([(0, 0), (0.8 * width, 0), (0.2 * width, height), (0, height)])
    dark = cv2.fillPoly(np.ones((height, width)), [np.rint(shadow).astype(np.int32)], 0.4)
    sheet = read_form((photo * dark[..., None]).astype(np.uint8), "photo")
    assert [one.label for one in sheet.cut_outs] == targets(page)
    assert as_read(sheet) >= 0.95 * len(sheet.cut_outs)


def scribbled(picture, cell, rng):
    """Scribble over a cell of a page, up and down."""
    across = np.linspace(1, CELL - 1, 10)
    down = np.where(np.arange(10) % 2, 2.0, CELL - 2) + rng.uniform(-1, 1, 10)
    path = (np.stack([cell.x + across, cell.y + down], axis=1) * SCALE).astype(np.int32)
    cv2.polylines(picture, [path], False, BLUE_PEN, round(0.6 * SCALE), cv2.LINE_AA)


def test_what_is_scribbled_over_does_not_count(tmp_path, capsys):
    page = Page("upper", 1, writer=3)
    rng = np.random.default_rng(10)
    picture = filled_in(page, rng)
    for number in (2, 9, 20):
        scribbled(picture, cells_of(page)[number], rng)
    photo = save(tmp_path / "page.jpg", photographed(picture, rng, megapixels=1.5))
    assert main(["extract", photo, "--out", str(tmp_path / "mine")]) == 0
    expected = [one for number, one in enumerate(targets(page)) if number not in (2, 9, 20)]
    assert [row[1] for row in listed(tmp_path / "mine")] == expected
    assert "0 cells empty, 3 crossed out" in capsys.readouterr().out


@pytest.mark.parametrize("bend", [8.0, 14.0])
def test_a_page_that_is_not_flat_gives_nothing_wrong(bend):
    page = Page("upper", 2)
    picture = filled_in(page, np.random.default_rng(7))
    height, width = picture.shape[:2]
    # The marks stay where they are, what is between them does not.
    rise = bend * SCALE * np.sin(np.linspace(0, np.pi, height)) ** 2
    y, x = np.indices((height, width), np.float32)
    rolled = cv2.remap(picture, (x + rise[:, None]).astype(np.float32), y, cv2.INTER_LINEAR)
    if bend > 10:
        with pytest.raises(HcrError, match="bent or covered too much"):
            read_form(rolled, "photo")
        return
    sheet = read_form(rolled, "photo")
    assert sheet.hidden > 5
    assert as_read(sheet) >= 0.9 * len(sheet.cut_outs) > 20


def test_marks_may_be_hidden_but_not_half_of_them():
    page = Page("upper", 2, "letter", writer=300)
    rng = np.random.default_rng(4)
    photo = photographed(filled_in(page, rng), rng, tilt=(10, 15))
    corner = photo.copy()
    corner[: len(corner) // 6, : len(corner) // 6] = (120, 150, 200)
    sheet = read_form(corner, "photo")
    assert (sheet.writer, sheet.page) == ("300", 1)
    assert len(sheet.cut_outs) > 40
    top = photo.copy()
    top[: len(top) // 5] = (120, 150, 200)
    with pytest.raises(HcrError, match=r"Only 3 of the six marks .* in photo"):
        read_form(top, "photo")
    with pytest.raises(HcrError, match=r"Several pages .* in photo"):
        read_form(np.hstack([photo, photo]), "photo")


@pytest.fixture(scope="module")
def two_forms(tmp_path_factory):
    """Photos of the forms of writers 1 and 2, ten digits each, two cells of writer 2 empty."""
    folder = tmp_path_factory.mktemp("forms")
    for writer, empty in ((1, ()), (2, (4, 5))):
        rng = np.random.default_rng(writer)
        picture = filled_in(Page("digits", 1, writer=writer), rng, leave=empty)
        save(folder / f"{writer}.jpg", photographed(picture, rng, megapixels=2))
    return folder


def test_the_folder_is_training_data(two_forms, tmp_path, capsys):
    out = tmp_path / "mine"
    assert main(["extract", str(two_forms), "--out", str(out)]) == 0
    said = capsys.readouterr().out
    assert "1.jpg: 10 characters of writer 1, page 1 of the form, 0 cells empty" in said
    assert "2.jpg: 8 characters of writer 2, page 1 of the form, 2 cells empty" in said
    (characters,) = load(out)
    assert "".join(CLASSES[label] for label in characters.labels) == "012345678901236789"
    assert characters.writers.tolist() == [1] * 10 + [2] * 8
    rows = Recognizer().classify(list(characters.contents))
    assert (rows.argmax(axis=1) == characters.labels).mean() >= 0.8
    overview = cv2.imread(str(out / "contact-sheet.png"))
    assert overview.shape[0] > 2 * 92
    assert (overview < 60).all(axis=2).any()  # ink


def test_a_page_is_added_once_and_a_copy_as_another_writer(two_forms, tmp_path, capsys):
    out, first = tmp_path / "mine", str(two_forms / "1.jpg")
    assert main(["extract", first, "--out", str(out)]) == 0
    assert main(["extract", first, "--out", str(out)]) == 2
    assert "both page 1 of writer 1" in capsys.readouterr().err
    assert len(listed(out)) == 10
    assert main(["extract", first, "--out", str(out), "--writer", "5"]) == 0
    assert {row[2] for row in listed(out)} == {"1", "5"}
    assert (out / "contact-sheet-2.png").is_file()
    assert len(load(out)[0]) == 20


def test_a_writer_may_have_a_name(two_forms, tmp_path):
    out = tmp_path / "mine"
    for who, photo in (("Zoë", "1.jpg"), ("max", "2.jpg")):
        command = ["extract", str(two_forms / photo), "--out", str(out), "--writer", who]
        assert main(command) == 0
    assert {row[2] for row in listed(out)} == {"Zoë", "max"}
    (characters,) = load(out)
    assert np.bincount(characters.writers).tolist() == [10, 8]


def test_a_full_disk_leaves_what_was_there(two_forms, tmp_path, monkeypatch, capsys):
    out = tmp_path / "mine"
    assert main(["extract", str(two_forms / "1.jpg"), "--out", str(out)]) == 0
    before = {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}
    write = Path.write_bytes

    def write_until_full(path, content):
        if "writer2-00014" in path.name:
            raise OSError(28, "No space left on device")
        return write(path, content)

    monkeypatch.setattr(Path, "write_bytes", write_until_full)
    assert main(["extract", str(two_forms / "2.jpg"), "--out", str(out)]) == 2
    assert "No space left on device" in capsys.readouterr().err
    after = {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}
    assert after == before


def test_a_row_that_was_deleted_makes_nothing_overwritten(two_forms, tmp_path):
    out = tmp_path / "mine"
    command = ["extract", str(two_forms / "1.jpg"), "--out", str(out), "--writer"]
    assert main([*command, "1"]) == 0
    table = out / "labels.csv"
    kept = table.read_text().splitlines()[:-4]
    before = {path: path.read_bytes() for path in out.rglob("writer*.png")}
    kept = [row.replace(",1,1,", ",1,2,") for row in kept]  # as if it had been another page
    table.write_text("\ufeff" + "\n".join(kept) + "\n", encoding="utf-8")  # as Excel saves it
    assert main([*command, "1"]) == 0
    assert len(listed(out)) == 6 + 10
    assert len(list(out.rglob("writer*.png"))) == 20
    assert all(path.read_bytes() == content for path, content in before.items())


@pytest.fixture
def plain(tmp_path):
    """A photo of three lines of our own writing."""
    lines = lines_of_strokes("RAKE\nBOLD\nMIX7", 3)
    image = sheet_image(lines, seed=3, style=SheetStyle(), size=(1280, 960)).image
    return save(tmp_path / "plain.jpg", image)


def test_a_plain_sheet_with_its_labels_in_a_file(plain, tmp_path):
    labels = tmp_path / "labels.txt"
    labels.write_text("\ufeffR A K E\r\n\r\nBOLD\r\nMI X7\r\n", encoding="utf-8")
    out = tmp_path / "mine"
    assert main(["extract", plain, "--labels", str(labels), "--out", str(out)]) == 0
    assert "".join(row[1] for row in listed(out)) == "RAKEBOLDMIX7"
    (characters,) = load(out)
    read = Recognizer("alnum").classify(list(characters.contents)).argmax(axis=1)
    assert (read == characters.labels).sum() >= 10


def test_plain_sheets_any_way_up_each_by_a_new_writer(plain, tmp_path):
    sideways = save(tmp_path / "sideways.jpg", np.rot90(cv2.imread(plain)).copy())
    over = save(tmp_path / "over.jpg", np.rot90(cv2.imread(plain), 2).copy())
    out = tmp_path / "mine"
    command = ["extract", plain, sideways, over, "--labels", "RAKE BOLD MIX7", "--out", str(out)]
    assert main(command) == 0
    rows = listed(out)
    assert "".join(row[1] for row in rows) == 3 * "RAKEBOLDMIX7"
    assert [row[2] for row in rows] == ["1"] * 12 + ["2"] * 12 + ["3"] * 12
    (characters,) = load(out)
    read = Recognizer("alnum").classify(list(characters.contents)).argmax(axis=1)
    assert (read == characters.labels).sum() >= 30


def test_a_count_that_does_not_match_is_refused_and_shown(plain, tmp_path, capsys):
    out = tmp_path / "mine"
    assert main(["extract", plain, "--labels", "RAKE\\nBOL\\nMIX7", "--out", str(out)]) == 2
    error = capsys.readouterr().err
    assert "12 characters were found, 11 labels given (line 2 has 4, not 3)" in error
    assert [path.name for path in out.iterdir()] == ["contact-sheet.png"]
    # As many in all, but not line by line: every label between would be wrong.
    assert main(["extract", plain, "--labels", "RAKEB\\nOLD\\nMIX7", "--out", str(out)]) == 2
    assert "line 1 has 4, not 5, line 2 has 4, not 3" in capsys.readouterr().err
    assert main(["extract", plain, "--labels", "RAKE\\nBOLD\\nMIX7", "--out", str(out)]) == 0


def test_asked_one_by_one(plain, tmp_path, monkeypatch):
    keys = ["enter", None, "x", "backspace", "?", "a", " ", "enter", "escape"]
    window = FakeWindow({picture: key for picture, key in enumerate(keys) if key})
    monkeypatch.setattr("train.extract.open_window", lambda: window)
    out = tmp_path / "mine"
    assert main(["extract", plain, "--ask", "--alphabet", "upper", "--out", str(out)]) == 0
    # R accepted; x taken back, then a said; K left out; E accepted; the rest was not reached.
    assert [row[1] for row in listed(out)] == ["R", "a", "E"]
    assert len(window.pictures) == len(keys)
    assert (window.pictures[0] != window.pictures[2]).any()


def test_stopped_at_once_nothing_is_written(plain, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("train.extract.open_window", lambda: FakeWindow({0: "close"}))
    out = tmp_path / "mine"
    assert main(["extract", plain, "--ask", "--out", str(out)]) == 2
    assert "nothing was written" in capsys.readouterr().err
    assert not list(out.iterdir())


@pytest.mark.parametrize(
    ("code", "name"),
    [
        *((13, "enter"), (0x1FF0D, "enter"), (ord("a"), "a"), (0x10000 + ord("A"), "A")),
        *((8, "backspace"), (0xFF1B, "escape"), (32, " ")),
        *((-1, None), (0xFF51, None), (0xE4, None)),
    ],
)
def test_keys_keep_their_case(code, name):
    assert ask_key_name(code) == name
    with_shift = name.upper() if name and len(name) == 1 else name
    assert ask_key_name(code, shifted=True) == with_shift


@pytest.mark.parametrize(
    ("sheet", "more", "message"),
    [
        ("none.jpg", [], "There is no file"),
        ("text.jpg", [], "cannot be read as an image"),
        ("form.pdf", [], "is a PDF"),
        ("white.png", [], "No mark of the printed form is seen"),
        ("white.png", ["--labels", "ABC"], "No handwriting is found"),
        ("white.png", ["--labels", "A\u00c4"], "'\u00c4', which is none of"),
        ("white.png", ["--labels", "  "], "--labels is empty"),
        ("white.png", ["--labels", "none.txt"], "There is no file none.txt"),
        ("white.png", ["--labels", "A", "--writer", "-2"], "--writer must be a number or a"),
        ("white.png", ["--labels", "A", "--writer", "../x"], "--writer must be a number or a"),
    ],
)
def test_bad_input_gets_one_sentence(sheet, more, message, tmp_path, capsys):
    (tmp_path / "text.jpg").write_text("no picture")
    (tmp_path / "form.pdf").write_bytes(b"%PDF-1.4")
    cv2.imwrite(str(tmp_path / "white.png"), np.full((600, 600), 250, np.uint8))
    assert main(["extract", str(tmp_path / sheet), "--out", str(tmp_path / "mine"), *more]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1


def test_places_that_are_not_written_to(plain, tmp_path, capsys):
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos/holiday.jpg").write_bytes(b"precious")
    (tmp_path / "data").mkdir()
    (tmp_path / "data/labels.csv").write_text("file,label\na.png,A\n")
    for place, message in (
        ("photos", "holds something else already"),
        ("data", "holds something else already"),
        ("plain.jpg", "Cannot write"),
        ("plain.jpg/mine", "Cannot write"),
    ):
        out = str(tmp_path / place)
        assert main(["extract", plain, "--labels", "RAKEBOLDMIX7", "--out", out]) == 2
        assert message in capsys.readouterr().err
    assert (tmp_path / "data/labels.csv").read_text() == "file,label\na.png,A\n"


def test_labels_for_a_form(two_forms, tmp_path, capsys):
    command = ["extract", str(two_forms / "1.jpg"), "--labels", "ABC"]
    assert main([*command, "--out", str(tmp_path / "mine")]) == 2
    assert "leave out --labels" in capsys.readouterr().err
