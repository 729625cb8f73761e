"""The command `read` on many pictures: formats, bad files, interruptions."""

import csv
import json
import os
import signal
import subprocess
import sys
import time

import pytest

from hcr_live.cli import main
from tests.batch.pictures import png, word_image, write_characters
from tests.conftest import ROOT


@pytest.fixture(scope="module")
def characters(tmp_path_factory):
    folder = tmp_path_factory.mktemp("characters")
    write_characters(folder, "KETRAWLMNO" * 4)
    (folder / "7.png").write_bytes(b"damaged")
    (folder / "31.png").write_bytes(b"")
    return folder


def read(*arguments):
    return main(["read", *map(str, arguments)])


def rows(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_a_row_a_picture_bad_files_at_the_end_and_in_the_status(characters, tmp_path, capsys):
    out = tmp_path / "out.jsonl"
    assert read(characters, "--character", "--out", out) == 1
    found = rows(out)
    assert [row["source"] for row in found] == [str(characters / f"{n}.png") for n in range(40)]
    labels = ["" if "error" in row else row["text"] for row in found]
    expected = list("KETRAWLMNO" * 4)
    expected[7] = expected[31] = ""
    assert labels == expected
    said = capsys.readouterr()
    assert said.out == ""
    assert "2 of 40" in said.err
    assert "7.png" in said.err
    assert "31.png" in said.err


def test_status_where_all_or_none_can_be_read(characters, tmp_path):
    good = characters / "0.png"
    assert read(good, "--character", "--out", tmp_path / "good.jsonl") == 0
    assert read(characters / "7.png", "--character", "--out", tmp_path / "bad.jsonl") == 2


def test_whole_pictures_to_every_format(tmp_path, capsys):
    parquet = pytest.importorskip("pyarrow.parquet")
    folder = tmp_path / "words"
    folder.mkdir()
    for number, word in enumerate(["KET", "RAW"]):
        (folder / f"{number}.png").write_bytes(png(word_image(word)))
    (folder / "bad.png").write_bytes(b"bad")
    capsys.readouterr()
    assert read(folder, "--format", "csv") == 1
    printed = capsys.readouterr().out
    for suffix in ("jsonl", "csv", "parquet"):
        assert read(folder, "--out", tmp_path / f"out.{suffix}") == 1
    found = rows(tmp_path / "out.jsonl")
    assert [row.get("text") for row in found] == ["KET", "RAW", None]
    assert (tmp_path / "out.csv").read_text() == printed
    table = list(csv.DictReader(printed.splitlines()))
    assert "".join(row["text"] for row in table) == "KETRAW"
    columns = parquet.read_table(tmp_path / "out.parquet").to_pylist()
    assert [row["text"] for row in columns] == ["KET", "RAW", None]
    assert [row["source"] for row in columns] == [row["source"] for row in found]
    assert [c["box"] for c in columns[1]["characters"]] == [
        c["box"] for c in found[1]["characters"]
    ]
    assert columns[2]["error"] == found[2]["error"]


def test_json_is_printed_as_one_list(tmp_path, capsys):
    for word in ("KET", "RAW"):
        (tmp_path / f"{word}.png").write_bytes(png(word_image(word)))
    assert read(tmp_path, "--format", "json") == 0
    printed = capsys.readouterr().out
    found = json.loads(printed)
    assert [row["text"] for row in found] == ["KET", "RAW"]
    assert printed == json.dumps(found, indent=2, ensure_ascii=False) + "\n"


@pytest.mark.parametrize("suffix", ["jsonl", "csv"])
def test_a_killed_run_goes_on_without_loss_or_repetition(characters, tmp_path, suffix):
    given = [str(characters)] * 30
    whole, out = tmp_path / f"whole.{suffix}", tmp_path / f"out.{suffix}"
    assert read(*given, "--character", "--jobs", 1, "--out", whole) == 1
    command = [sys.executable, str(ROOT / "main.py"), "read", *given, "--character"]
    command += ["--jobs", "2", "--out", str(out)]
    said = tmp_path / "said.txt"
    with said.open("wb") as file:
        process = subprocess.Popen(command, stdout=file, stderr=file)
        while process.poll() is None and not (out.exists() and out.stat().st_size > 8_000):
            time.sleep(0.002)
        process.kill()
        assert process.wait() == -signal.SIGKILL, said.read_text()
    assert 0 < out.stat().st_size < whole.stat().st_size
    again = subprocess.run([*command, "--resume"], capture_output=True, text=True, check=False)
    assert again.returncode == 1
    assert out.read_bytes() == whole.read_bytes()
    assert "60 of 1200" in again.stderr  # those of the killed run are named as well
    assert again.stderr.count("7.png") == 30


def test_torn_last_lines_are_cut_off(characters, tmp_path):
    whole, out = tmp_path / "whole.jsonl", tmp_path / "out.jsonl"
    given = [characters] * 4
    assert read(*given, "--character", "--out", whole) == 1
    assert read(*given, "--character", "--out", out) == 1
    journal = tmp_path / "out.jsonl.journal"
    content = journal.read_bytes()
    journal.write_bytes(content[:-9])
    with out.open("ab") as file:
        file.write(b'{"source": "tor')
    assert read(*given, "--character", "--out", out, "--resume") == 1
    assert out.read_bytes() == whole.read_bytes()
    assert journal.read_bytes() == content
    # The output lost more than its journal knows, as a failing disk may leave it.
    os.truncate(out, 9000)
    assert read(*given, "--character", "--out", out, "--resume") == 1
    assert out.read_bytes() == whole.read_bytes()


def test_what_is_written_is_not_read_again(characters, tmp_path, monkeypatch):
    from hcr_live.batch import reader

    out = tmp_path / "out.jsonl"
    given = [characters / f"{number}.png" for number in range(5)]
    assert read(*given, "--character", "--out", out) == 0
    monkeypatch.setattr(reader, "_picture", lambda task, **how: pytest.fail(f"read {task.source}"))
    assert read(*given, "--character", "--out", out, "--resume") == 0
    assert len(rows(out)) == 5


@pytest.mark.parametrize("interrupted", [False, True])
def test_parquet_goes_on_as_well_and_leaves_nothing_behind(characters, tmp_path, interrupted):
    parquet = pytest.importorskip("pyarrow.parquet")
    out = tmp_path / "out.parquet"
    arguments = (characters, "--character", "--out", out)
    if interrupted:
        lines = tmp_path / "lines.jsonl"
        assert read(characters, "--character", "--out", lines) == 1
        # As a run leaves it that is killed before the rows become Parquet.
        lines.rename(tmp_path / "out.parquet.rows.jsonl")
        (tmp_path / "lines.jsonl.journal").rename(tmp_path / "out.parquet.journal")
        (tmp_path / "out.parquet.unfinished").write_bytes(b"PAR1")
        assert read(*arguments, "--resume") == 1
    else:
        assert read(*arguments) == 1
    assert parquet.read_table(out).num_rows == 40
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "out.parquet",
        "out.parquet.journal",
    ]
    before = out.read_bytes()
    assert read(*arguments, "--resume") == 1
    assert out.read_bytes() == before


def test_a_run_goes_on_only_as_it_was_begun(characters, tmp_path, capsys):
    out = tmp_path / "out.jsonl"
    files = [tmp_path / "a.png", tmp_path / "c.png"]
    for path in files:
        path.write_bytes((characters / "0.png").read_bytes())
    assert read(tmp_path, "--character", "--out", out) == 0
    before = out.read_bytes()
    for arguments, named in [
        ((tmp_path, "--character", "--out", out), "--resume"),
        ((tmp_path, "--out", out, "--resume"), "--character"),
        ((tmp_path, "--character", "--out", out, "--resume", "--alphabet", "all"), "--alphabet"),
        ((files[0], "--character", "--out", out, "--resume"), "input"),
    ]:
        assert read(*arguments) == 2
        error = capsys.readouterr().err
        assert named in error
        assert error.count("\n") == 1
    files[0].rename(tmp_path / "b.png")
    assert read(tmp_path, "--character", "--out", out, "--resume") == 2
    assert "renamed" in capsys.readouterr().err
    assert out.read_bytes() == before


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["--out", "out.txt"], ".jsonl"),
        (["--out", "no/such/out.jsonl"], "no/such"),
        (["--resume"], "--out"),
        (["--jobs", "0"], "'0'"),
        (["--every", "-1"], "-1"),
        (["--character", "--annotate", "seen"], "--annotate"),
        (["--out", "out.jsonl", "--model", "missing.tflite"], "missing.tflite"),
    ],
)
def test_a_wrong_option_is_one_sentence(
    characters, tmp_path, monkeypatch, capsys, arguments, named
):
    monkeypatch.chdir(tmp_path)
    assert read(characters, *arguments) == 2
    error = capsys.readouterr().err
    assert named in error
    assert error.count("\n") == 1


def test_copies_of_one_name_get_numbers(tmp_path):
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "x.png").write_bytes(png(word_image("KET")))
    assert read(tmp_path / "a", tmp_path / "b", "--annotate", tmp_path / "seen") == 0
    names = sorted(path.name for path in (tmp_path / "seen").iterdir())
    assert names == ["x-annotated-2.png", "x-annotated.png"]
