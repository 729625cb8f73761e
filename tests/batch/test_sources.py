import io
import tarfile
import zipfile

import numpy as np
import pytest

from generator.video import write_clip
from hcr_live.batch.sources import count_of, page_picture, tasks_of
from tests.batch.pictures import character_image, png, word_image, write_characters

pypdfium2 = pytest.importorskip("pypdfium2")


def write_zip(path, members):
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)


def write_tar(path, members):
    with tarfile.open(path, "w:gz") as archive:
        for name, content in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))


def write_pdf(path, sizes):
    document = pypdfium2.PdfDocument.new()
    for width, height in sizes:
        document.new_page(width, height)
    document.save(path)
    document.close()


def sources(*given, **how):
    return [task.source for task in tasks_of(given, **how)]


def test_a_folder_is_read_as_people_count_without_what_is_no_picture(tmp_path):
    write_characters(tmp_path, "ABCDEFGHIJK")
    (tmp_path / "notes.txt").write_text("not this")
    (tmp_path / ".hidden.png").write_bytes(b"nor this")
    (tmp_path / "inner").mkdir()
    assert sources(tmp_path) == [str(tmp_path / f"{number}.png") for number in range(11)]


def test_a_glob_goes_into_folders(tmp_path):
    write_characters(tmp_path / "a" / "b", "AB")
    write_characters(tmp_path / "c", "A")
    found = sources(f"{tmp_path}/**/*.png")
    assert found == [str(tmp_path / name) for name in ("a/b/0.png", "a/b/1.png", "c/0.png")]


def test_a_file_whose_name_looks_like_a_glob_is_that_file(tmp_path):
    (tmp_path / "a[1].png").write_bytes(png(character_image("A")))
    assert sources(tmp_path / "a[1].png") == [str(tmp_path / "a[1].png")]


@pytest.mark.parametrize(("name", "write"), [("a.zip", write_zip), ("a.tar.gz", write_tar)])
def test_an_archive_gives_its_images_in_its_order(tmp_path, name, write):
    image = png(character_image("A"))
    write(
        tmp_path / name,
        {"b/2.png": image, "a.txt": b"x", "__MACOSX/._2.png": b"x", "a.png": b"no image"},
    )
    tasks = list(tasks_of([tmp_path / name]))
    assert [task.source for task in tasks] == [
        f"{tmp_path / name}/b/2.png",
        f"{tmp_path / name}/a.png",
    ]
    assert tasks[0].content == image


def test_pages_of_a_pdf_are_drawn_as_they_would_be_scanned(tmp_path):
    write_pdf(tmp_path / "a.pdf", [(595, 842), (842, 595)])
    tasks = list(tasks_of([tmp_path / "a.pdf"]))
    assert [task.source for task in tasks] == [
        f"{tmp_path / 'a.pdf'}#page=1",
        f"{tmp_path / 'a.pdf'}#page=2",
    ]
    page = page_picture(tasks[1].path, tasks[1].page)
    assert page.shape == (1240, 1755, 3)
    assert page.min() == 255


def test_a_page_of_any_size_fits_the_memory(tmp_path):
    write_pdf(tmp_path / "poster.pdf", [(14_000, 7_000)])
    assert page_picture(str(tmp_path / "poster.pdf"), 0).shape == (2000, 4000, 3)


def test_a_video_gives_a_frame_every_so_many_seconds(tmp_path):
    frames = [(np.full((120, 160, 3), 10 * n, np.uint8), n / 10) for n in range(25)]
    write_clip(tmp_path / "a.mp4", frames, 10)
    tasks = list(tasks_of([tmp_path / "a.mp4"], every=0.5))
    assert [task.source.rpartition("=")[2] for task in tasks] == [
        "0.000",
        "0.500",
        "1.000",
        "1.500",
        "2.000",
    ]
    assert [round(float(task.content.mean()), -1) for task in tasks] == [0, 50, 100, 150, 200]
    assert count_of([tmp_path / "a.mp4"], every=0.5) == 5


def test_what_cannot_be_opened_keeps_its_place_and_says_why(tmp_path):
    write_characters(tmp_path / "good", "A")
    image = png(word_image("KET"))
    write_tar(tmp_path / "cut.tgz", {f"{number}.png": image for number in range(9)})
    content = (tmp_path / "cut.tgz").read_bytes()
    (tmp_path / "cut.tgz").write_bytes(content[: len(content) // 2])
    for name in ("bad.zip", "bad.pdf", "bad.mp4"):
        (tmp_path / name).write_bytes(b"nothing of the kind")
    (tmp_path / "empty").mkdir()
    names = ["bad.zip", "good", "bad.pdf", "no.png*", "bad.mp4", "empty", "cut.tgz", "no.zip"]
    tasks = list(tasks_of([tmp_path / name for name in names]))
    failed = [task.source.rpartition("/")[2] for task in tasks if task.error]
    assert failed == ["bad.zip", "bad.pdf", "no.png*", "bad.mp4", "empty", "cut.tgz", "no.zip"]
    assert all(task.error.endswith(".") and "\n" not in task.error for task in tasks if task.error)
    assert tasks[1].source == str(tmp_path / "good" / "0.png")


def test_a_locked_member_stops_no_other(tmp_path):
    image = png(character_image("A"))
    write_zip(tmp_path / "a.zip", {"one.png": image, "two.png": image})
    content = bytearray((tmp_path / "a.zip").read_bytes())
    for mark, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.find(mark) + at] |= 1  # the first is said to be encrypted
    (tmp_path / "a.zip").write_bytes(content)
    one, two = tasks_of([tmp_path / "a.zip"])
    assert "one.png" in one.error
    assert "encrypted" in one.error
    assert two.content == image


def test_what_is_not_wanted_is_passed_over_unread(tmp_path):
    write_zip(tmp_path / "a.zip", {"one.png": b"x", "two.png": b"y"})
    write_characters(tmp_path / "b", "AB")
    given = [tmp_path / "a.zip", tmp_path / "b"]
    asked = []

    def second_half(source):
        asked.append(source)
        return len(asked) > 2

    assert sources(*given, wanted=second_half) == [str(tmp_path / "b" / f"{n}.png") for n in (0, 1)]
    assert asked == sources(*given)
    assert count_of(given) == 4
