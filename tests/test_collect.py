"""Training data from sheets that are held up: frames and keys in, a folder for training out."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from generator.sheet import SheetStyle, background_image, sheet_image
from generator.video import write_clip
from hcr_live.alphabet import CLASSES
from hcr_live.classifier import Classifier
from hcr_live.cli import main
from hcr_live.collect import run
from hcr_live.options import CollectOptions
from tests.conftest import ROOT
from tests.fakes import FakeSource, FakeWindow, frames
from tests.paper.drawn import lines_of_strokes
from tests.train.test_extract import filled_in, listed
from train.data import load
from train.extract.collector import Collector
from train.extract.printed import read_form
from train.sheet.form import Page

SIZE = (1280, 720)
FPS = 8.0
SKIN = (120, 150, 200)
DIGITS = Page("digits", 1, writer=4)


@pytest.fixture(scope="module")
def room():
    return background_image("room", SIZE, np.random.default_rng(2))


def held_up(picture, room, seconds, seed=0, turn=90.0, at=(0.0, 0.0), blur=0.7):
    """Frames of a page in an unsteady hand: `at` is by how many pixels it is off the middle."""
    rng = np.random.default_rng(seed)
    small = cv2.resize(picture, None, fx=0.35, fy=0.35, interpolation=cv2.INTER_AREA)
    height, width = small.shape[:2]
    corners = np.array([(0, 0), (width, 0), (width, height), (0, height)], np.float32)
    spin = cv2.getRotationMatrix2D((0, 0), -turn, 1.0)[:, :2]
    seen = (corners - (width / 2, height / 2)) @ spin.T
    seen *= 0.9 * min(np.divide(SIZE, np.ptp(seen, axis=0)))
    seen[:2] *= 0.95  # one edge is farther away
    seen += np.divide(SIZE, 2) + at
    images = []
    for _ in range(round(seconds * FPS)):
        here = (seen + rng.normal(0, 1.0, 2)).astype(np.float32)
        view = cv2.getPerspectiveTransform(corners, here)
        image = room.copy()
        cv2.warpPerspective(small, view, SIZE, image, borderMode=cv2.BORDER_TRANSPARENT)
        image = cv2.GaussianBlur(image, (0, 0), blur).astype(np.float32)
        image += 3 * rng.standard_normal(image.shape[:2], np.float32)[..., None]
        images.append(np.clip(image, 0, 255).astype(np.uint8))
    return images


@pytest.fixture(scope="module")
def form(room):
    """A form of writer 4 with ten digits, for one and a half seconds."""
    return held_up(filled_in(DIGITS, np.random.default_rng(1)), room, 1.5)


@pytest.fixture(scope="module")
def plain():
    """A sheet with three lines of our own writing."""
    lines = lines_of_strokes("RAKE\nBOLD\nMIX7", 3)
    style = SheetStyle(height=0.85, thumb=False)
    return sheet_image(lines, seed=3, style=style, size=SIZE).image


def labels_of(sheet):
    return "".join(one.label for one in sheet.cut_outs)


def collect(frames_, *keys, collector=None, **options):
    """Step through frames; `keys` are pressed one after the other whenever one is needed."""
    if collector is None:
        collector = Collector("clip.mp4", Classifier().probabilities, **options)
    left, kept = list(keys), []
    for frame in frames_:
        collector.step(frame)
        while collector.waiting and left:
            assert collector.picture().shape == (720, 1280, 3) or collector._questions
            collector.press(left.pop(0))
        if collector.waiting or collector.finished:
            break
    while (one := collector.kept()) is not None:
        kept.append(one[0])
    return collector, kept


def test_a_form_is_taken_once_it_is_steady_and_kept_once_it_is_confirmed(form, room):
    collector, kept = collect(frames([*[room] * 3, *form], FPS))
    assert collector.waiting
    assert not kept
    collector.press("enter")
    sheet, _ = collector.kept()
    assert labels_of(sheet) == "0123456789"
    assert (sheet.writer, sheet.page, sheet.hidden) == ("4", 1, 0)
    digits = Classifier().probabilities([one.ink for one in sheet.cut_outs])[:, :10]
    assert (digits.argmax(axis=1) == range(10)).sum() >= 9


def test_the_picture_shows_outline_boxes_and_count(form):
    collector = Collector("clip.mp4", Classifier().probabilities)
    shown = []
    for frame in frames(form[:4], FPS):
        collector.step(frame)
        shown.append(collector.picture())
    assert shown[0].shape == (720, 1280, 3)
    inside = shown[3][44:652, 100:1180].astype(int)
    green = (inside[..., 1] > inside[..., 2] + 60) & (inside[..., 1] > inside[..., 0] + 60)
    cyan = (inside[..., 0] > 200) & (inside[..., 2] < 140) & (inside[..., 1] > 180)
    assert green.sum() > 1000
    assert cyan.sum() > 1000
    assert (shown[3][-68:-60] != shown[0][-68:-60]).any()  # the time until it is taken


def test_again_takes_another_picture(form):
    _, kept = collect(frames(form * 2, FPS), "r", "enter")
    assert [labels_of(sheet) for sheet in kept] == ["0123456789"]
    assert kept[0].name > "clip.mp4 at 1.0 s"


@pytest.mark.parametrize("blur", [2.1, 2.5, 4.0])
def test_a_blurred_form_is_not_taken(form, blur):
    blurred = [cv2.GaussianBlur(image, (0, 0), blur) for image in form]
    collector, kept = collect(frames(blurred, FPS))
    assert not collector.waiting
    assert not kept
    assert collector.hint


def test_the_sharpest_picture_is_taken(form):
    images = [cv2.GaussianBlur(image, (0, 0), 1.2) for image in form]
    images[6] = form[6]
    _, kept = collect(frames(images, FPS), by_hand=False)
    assert [sheet.name for sheet in kept] == [f"clip.mp4 at {6 / FPS:.1f} s"]


def test_a_form_with_covered_boxes_waits_for_a_key(form):
    one = read_form(form[0], "frame").cut_outs[3]
    images = [image.copy() for image in form]
    for image in images:
        cv2.circle(image, np.rint(one.place.mean(axis=0)).astype(int), 30, SKIN, -1, cv2.LINE_AA)
    collector, _ = collect(frames(images, FPS))
    assert not collector.waiting
    assert "Boxes covered" in collector.hint
    collector.press(" ")
    collector.press("enter")
    sheet, _ = collector.kept()
    assert sheet.hidden >= 1
    assert len(sheet.cut_outs) + sheet.hidden == 10


def test_a_form_half_out_of_the_picture_says_so(room):
    images = held_up(filled_in(DIGITS, np.random.default_rng(1)), room, 0.5, at=(500, 0))
    collector, _ = collect(frames(images, FPS))
    assert not collector.waiting
    assert "of the six marks" in collector.hint


def test_plain_sheets_with_labels(plain):
    labels = ["RAKE", "BOLD", "MIX7"]
    empty = np.full_like(plain, 90)
    shown = [plain] * 9 + [empty] * 2 + [plain] * 9
    collector, kept = collect(frames(shown, FPS), "enter", "enter", labels=labels)
    assert [labels_of(sheet) for sheet in kept] == ["RAKEBOLDMIX7"] * 2
    # What stays in view is not taken twice.
    collector, kept = collect(frames([plain] * 20, FPS), "enter", "enter", labels=labels)
    assert len(kept) == 1
    assert "next sheet" in collector.hint
    collector.press(" ")
    assert collector.waiting


def test_a_count_that_does_not_match_is_a_hint(plain):
    collector, _ = collect(frames([plain] * 9, FPS), labels=["RAKE", "BOL", "MIX7"])
    assert "12 characters were found, 11 labels given (line 2 has 4, not 3)" in collector.hint
    collector.press(" ")  # shows what was cut out
    assert collector.waiting
    collector.press("enter")
    assert not collector.waiting
    assert collector.kept() is None
    assert not collector.finished


def test_without_labels_each_character_is_asked_for(plain):
    keys = ["enter", "x", "backspace", "a", " ", *["enter"] * 9]
    _, kept = collect(frames([plain] * 12, FPS), *keys, "enter", alphabet="upper")
    (sheet,) = kept
    assert labels_of(sheet)[:3] == "RaE"
    assert len(sheet.cut_outs) == 11


@pytest.mark.parametrize("keys", [("enter", "a", "close"), ("enter", "a", "escape", "q")])
def test_answers_are_kept_whatever_ends_it(plain, keys):
    collector, _ = collect(frames([plain] * 12, FPS), *keys, alphabet="upper")
    assert collector.finished
    collector.finish()
    kept = collector.kept()
    if keys[-1] == "close":
        assert labels_of(kept[0]) == "Ra"
    else:
        assert kept is None  # shown, and stopped without


class Live(FakeSource):
    """A camera that is lost, or anything else that a script says."""

    def __init__(self, script):
        super().__init__(script, live=True)


def at_source(monkeypatch, script, live=True):
    source = Live(script) if live else FakeSource(script)
    monkeypatch.setattr("hcr_live.sources.open_source", lambda *_, **__: source)


@pytest.mark.parametrize("trouble", ["Ctrl-C", "lost", "full disk"])
def test_what_was_kept_is_on_disk_whatever_ends_it(form, room, tmp_path, monkeypatch, trouble):
    out = tmp_path / "mine"
    other = held_up(filled_in(Page("digits", 1, writer=5), np.random.default_rng(2)), room, 1.5)
    script = [*frames(form, FPS)]
    if trouble == "Ctrl-C":
        script.append(KeyboardInterrupt())
    elif trouble == "lost":
        script += [None, None, KeyboardInterrupt()]
    else:
        script += frames(other, FPS, start=2.0)
        write = Path.write_bytes

        def full(path, content):
            if "writer5-00013" in path.name:
                raise OSError(28, "No space left on device")
            return write(path, content)

        monkeypatch.setattr(Path, "write_bytes", full)
    at_source(monkeypatch, script)
    arguments = ["collect", "--out", str(out), "--no-window"]
    assert main(arguments) == {"Ctrl-C": 0, "lost": 1, "full disk": 2}[trouble]
    assert [row[1] for row in listed(out)] == list("0123456789")
    assert len(list(out.rglob("writer*.png"))) == 10
    assert len(list(out.glob("contact-sheet*.png"))) == 1
    (characters,) = load(out)
    assert set(characters.writers.tolist()) == {4}


def test_from_a_clip_to_training_data_over_two_sessions(form, tmp_path, capsys):
    clip = tmp_path / "form.mp4"
    write_clip(clip, ((frame.image, frame.time) for frame in frames(form, FPS)), FPS)
    out = tmp_path / "mine"
    command = ["collect", "--source", str(clip), "--out", str(out), "--no-window"]
    assert main(command) == 0
    said = capsys.readouterr().out
    assert "10 characters of writer 4, page 1 of the form" in said
    assert f"{out} has 10 characters of 10 classes" in said
    assert f"python -m train personalise {out}" in said
    before = {path: path.read_bytes() for path in out.rglob("*.png")}
    assert main(command) == 2
    assert "Page 1 of writer 4 is in" in capsys.readouterr().err
    assert main([*command, "--writer", "anna"]) == 0
    assert all(path.read_bytes() == content for path, content in before.items())
    (characters,) = load(out)
    assert "".join(CLASSES[label] for label in characters.labels) == 2 * "0123456789"
    assert len(set(characters.writers.tolist())) == 2


def test_in_the_window(plain, tmp_path, monkeypatch, capsys):
    empty = np.full_like(plain, 90)
    shown = [plain] * 9 + [empty] * 2 + [plain] * 9
    at_source(monkeypatch, [*frames(shown, FPS), KeyboardInterrupt()])
    window = FakeWindow(dict.fromkeys(range(9, 60), "enter"))
    out = tmp_path / "mine"
    assert run(CollectOptions(out, labels="RAKE BOLD MIX7"), window=window) == 0
    rows = listed(out)
    assert "".join(row[1] for row in rows) == 2 * "RAKEBOLDMIX7"
    assert {row[2] for row in rows} == {"1"}  # one person's session
    assert "has 24 characters of 12 classes, 24 of them new" in capsys.readouterr().out
    assert all(picture.shape == (720, 1280, 3) for picture in window.pictures)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--source", "missing.mp4", "--no-window"], "There is no file missing.mp4"),
        (["--source", "97", "--no-window"], "amera 97"),
        (["--no-window", "--ask"], "leave out --no-window"),
        (["--no-window", "--labels", "?"], "none of 0-9 A-Z a-z"),
        (["--no-window", "--writer", "a/b"], "--writer must be"),
        (["--no-window", "--width", "0"], "'0'"),
    ],
)
def test_bad_options_get_one_sentence(arguments, message, tmp_path, capsys):
    assert main(["collect", "--out", str(tmp_path / "mine"), *arguments]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1


@pytest.mark.parametrize(("labels", "why"), [([], "give --labels"), (["--labels", "A"], "Hold up")])
def test_nothing_to_collect_says_why(room, tmp_path, monkeypatch, capsys, labels, why):
    at_source(monkeypatch, frames([np.full_like(room, 90)] * 3), live=False)
    assert main(["collect", "--no-window", "--out", str(tmp_path / "mine"), *labels]) == 2
    assert why in capsys.readouterr().err


def test_pictures_are_for_extract(room, tmp_path, capsys):
    cv2.imwrite(str(tmp_path / "scan.png"), room)
    command = ["collect", "--source", str(tmp_path / "scan.png"), "--out", str(tmp_path / "mine")]
    assert main([*command, "--no-window"]) == 2
    assert f"python -m train extract {tmp_path / 'scan.png'}" in capsys.readouterr().err


def test_collecting_loads_no_tensorflow(tmp_path):
    program = "import sys; from hcr_live.cli import main; main(sys.argv[1:]);" + (
        "print([name for name in sys.modules if name.split('.')[0] in ('tensorflow', 'keras')])"
    )
    command = ["collect", "--source", "no.mp4", "--out", str(tmp_path), "--no-window"]
    answer = subprocess.run(
        [sys.executable, "-c", program, *command],
        capture_output=True,
        text=True,
        timeout=60,
        cwd=ROOT,
        check=False,
    )
    assert answer.stdout.strip() == "[]"
