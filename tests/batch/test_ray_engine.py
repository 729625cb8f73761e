"""The engine of many machines, on a real cluster of two nodes on this one."""

import json
import os
import subprocess
import sys
import time
import zipfile
from itertools import chain

import pytest

from hcr_live.batch.ray_engine import blocks_of, parts_of, tasks_of_parts
from hcr_live.batch.sources import tasks_of
from hcr_live.cli import main
from tests.batch.pictures import character_image, png, write_characters
from tests.conftest import ROOT


@pytest.fixture(scope="module")
def characters(tmp_path_factory):
    folder = tmp_path_factory.mktemp("characters")
    write_characters(folder, "KETRAWLMNO" * 4)
    (folder / "7.png").write_bytes(b"damaged")
    with zipfile.ZipFile(folder / "8-more.zip", "w") as archive:
        for number, label in enumerate("KET" * 100):
            archive.writestr(f"{number}.png", png(character_image(label, number % 9)))
    return folder


@pytest.fixture
def cluster(monkeypatch):
    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    pytest.importorskip("ray.data")
    from ray.cluster_utils import Cluster

    # Nodes as Ray starts them, but for what watches them and shows how they are.
    lean = {"include_dashboard": False, "no_monitor": True, "include_log_monitor": False}
    started = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, **lean})
    yield started
    started.shutdown()


def command(*arguments):
    return [sys.executable, str(ROOT / "main.py"), "read", *map(str, arguments), "--character"]


def run(*arguments, folder):
    return subprocess.run(
        command(*arguments), capture_output=True, text=True, cwd=folder, timeout=120, check=False
    )


def readers_of(node):
    """The actors that read on a node."""
    raylet = node.all_processes["raylet"][0].process.pid
    found = subprocess.run(
        ["ps", "--ppid", str(raylet), "-o", "args="], capture_output=True, text=True, check=False
    )
    return found.stdout.count("_Reader")


def test_a_killed_node_loses_nothing_and_repeats_nothing(characters, cluster, tmp_path):
    node = cluster.add_node(num_cpus=1)
    cluster.wait_for_nodes()
    given = [str(characters)] * 8
    whole, out = tmp_path / "whole.jsonl", tmp_path / "out.jsonl"
    assert run(*given, "--jobs", 1, "--out", whole, folder=tmp_path).returncode == 1
    total = len(whole.read_bytes().splitlines())
    said = tmp_path / "said.txt"
    with said.open("wb") as file:
        program = subprocess.Popen(
            command(*given, "--engine", "ray", "--address", cluster.address, "--out", out),
            stdout=file,
            stderr=file,
        )
        try:
            written = 0
            while program.poll() is None and (written < total // 6 or not readers_of(node)):
                time.sleep(0.05)
                written = len(out.read_bytes().splitlines()) if out.exists() else 0
            assert program.poll() is None, said.read_text()
            assert written < total * 3 // 4
            cluster.remove_node(node, allow_graceful=False)
            assert program.wait(timeout=200) == 1, said.read_text()
        finally:
            program.kill()
    assert out.read_bytes() == whole.read_bytes()
    assert f"8 of {total}" in said.read_text()
    assert said.read_text().count("\n") == 9  # nothing of what Ray tells itself


def test_a_cluster_goes_on_with_what_this_computer_began(characters, cluster, tmp_path):
    whole = tmp_path / "whole.jsonl"
    assert run(characters, "--out", whole, folder=tmp_path).returncode == 1
    out = tmp_path / "out.jsonl"
    out.write_bytes(whole.read_bytes())
    journal = (tmp_path / "whole.jsonl.journal").read_bytes().splitlines(keepends=True)
    (tmp_path / "out.jsonl.journal").write_bytes(b"".join(journal[:3]))
    done = json.loads(journal[2])["done"]
    assert 40 < done < 340  # in the middle of the archive
    ray = ["--engine", "ray", "--address", cluster.address]
    again = run(characters, "--out", out, "--resume", *ray, folder=tmp_path)
    assert again.returncode == 1, again.stderr
    assert out.read_bytes() == whole.read_bytes()

    # From an address to an address; the rows name pictures as they were given.
    address = f"file://{tmp_path / 'far.parquet'}"
    far = run(f"file://{characters}", "--out", address, *ray, folder=tmp_path)
    assert far.returncode == 1, far.stderr
    from pyarrow.parquet import read_table

    rows = [json.loads(line) for line in whole.read_bytes().splitlines()]
    found = read_table(tmp_path / "far.parquet").to_pylist()
    assert [row["text"] for row in found] == [row.get("text") for row in rows]
    assert [row["source"] for row in found] == [f"file://{row['source']}" for row in rows]
    assert [bool(row["error"]) for row in found] == ["error" in row for row in rows]
    assert not (tmp_path / "far.parquet.rows.jsonl").exists()
    twice = run(f"file://{characters}", "--out", address, *ray, folder=tmp_path)
    assert twice.returncode == 2
    assert "exists" in twice.stderr

    missing = run(characters, "--model", tmp_path / "no.tflite", *ray, folder=tmp_path)
    assert missing.returncode == 2
    assert "no.tflite" in missing.stderr
    assert missing.stderr.count("\n") == 1


@pytest.mark.parametrize("size", [7, 64, 1000])
@pytest.mark.parametrize("done", [0, 5, 40, 41, 339, 340])
def test_parts_of_files_are_all_of_their_pictures(characters, size, done):
    expected = [task.source for task in tasks_of([characters, "no.png*"])]
    assert len(expected) == 341
    passed = []
    parts = list(parts_of([characters, "no.png*"], size, done=done, passed=passed.append))
    blocks = list(blocks_of(parts, size))
    assert list(chain(*blocks)) == parts
    tasks = [list(tasks_of_parts(block, every=1.0)) for block in blocks]
    assert max(map(len, tasks)) <= size
    assert passed + [task.source for task in chain(*tasks)] == expected
    assert len(passed) == done


def test_a_picture_that_ends_its_process_each_time_gets_an_error(tmp_path):
    script = tmp_path / "reads.py"
    script.write_text(
        "import os, sys\n"
        "from hcr_live.batch.ray_engine import _Reader\n"
        "from hcr_live.batch.task import BatchSettings, Result, Task\n"
        "reader = _Reader(BatchSettings(), 1.0, sys.argv[2], sys.argv[3])\n"
        "def read(tasks):\n"
        "    if any(task.source == 'bad' for task in tasks): os._exit(9)\n"
        "    return [Result(task.source, {'text': 'A'}) for task in tasks]\n"
        "reader._read = read\n"
        "tasks = [Task(each) for each in ('one', 'bad', 'two')]\n"
        "print([bool(result.error) for result in reader._results(tasks)])\n"
    )
    from hcr_live import __version__

    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TMPDIR": str(tmp_path)}
    arguments = [sys.executable, str(script), "--", __version__, "0" * 32]
    tries = [
        subprocess.run(arguments, capture_output=True, text=True, env=environment, check=False)
        for _ in range(4)
    ]
    assert [each.returncode for each in tries] == [9, 9, 9, 0]
    assert tries[-1].stdout == "[False, True, False]\n"
    assert list(tmp_path.glob("hcr-live-*")) == []


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["--engine", "ray", "--address", "127.0.0.1:1"], "127.0.0.1:1"),
        (["--engine", "ray", "--address", "somewhere"], "host:port"),
        (["--address", "127.0.0.1:6379"], "--engine ray"),
        (["--engine", "ray", "--annotate", "seen"], "--annotate"),
        (["--out", "xx://bucket/a.jsonl"], "xx://bucket"),
    ],
)
def test_a_wrong_option_is_one_sentence(
    characters, tmp_path, monkeypatch, capsys, arguments, named
):
    monkeypatch.chdir(tmp_path)
    if "ray" in arguments:
        pytest.importorskip("ray.data")
    assert main(["read", str(characters), *arguments]) == 2
    error = capsys.readouterr().err
    assert named in error
    assert error.count("\n") == 1


def test_without_ray_it_says_how_to_install_it(characters, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "ray", None)
    assert main(["read", str(characters), "--engine", "ray"]) == 2
    error = capsys.readouterr().err
    assert 'pip install "ray[data]"' in error
    assert error.count("\n") == 1
