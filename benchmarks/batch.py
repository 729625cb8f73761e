"""Batches, measured as a user has them read: `python -m benchmarks.batch` prints the table.

`python main.py read` runs as a process of its own, from its start to its end, on files that
`generator/` draws with a fixed seed into a temporary folder.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.serve import _photo, _plain
from benchmarks.table import align, error_rate, print_row
from generator.letters import letter_strokes
from generator.sheet import SheetStyle, sheet_image
from hcr_live.errors import HcrError
from hcr_live.ink.render import render_strokes

_ROOT = Path(__file__).parent.parent
_SEED = 20261121
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_DRAWN = 1040
"""Characters that are drawn; more files are copies of these."""
_DRAWN_PHOTOS, _DRAWN_SHEETS = 260, 20
_LONGEST = 1800.0

Draw = Callable[[NDArray[np.uint8], np.random.Generator], NDArray[np.uint8]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    told = "only these: " + ", ".join(repr(name) for name in _ROWS)
    parser.add_argument("--rows", nargs="+", choices=tuple(_ROWS), metavar="ROW", help=told)
    parser.add_argument("--jobs", type=int, default=2, help="processes that read")
    parser.add_argument("--count", type=int, help="pictures of a row instead of its own number")
    arguments = parser.parse_args()
    print(f"{'figure':56} {'measured':>8}  {'wanted':13} processes: {arguments.jobs}")
    with tempfile.TemporaryDirectory(prefix="hcr-batch-") as folder:
        for name in arguments.rows or list(_ROWS):
            show, count = _ROWS[name]
            try:
                show(
                    Path(folder) / name.replace(" ", "-"), arguments.count or count, arguments.jobs
                )
            except HcrError as error:
                sys.exit(f"error: {error}")


# Pictures


def characters(folder: Path, count: int, draw: Draw = _plain) -> Path:
    """Write so many PNGs of single letters, 28 to 200 pixels wide and high; `0-K.png` shows a K."""
    folder.mkdir(parents=True)
    rng = np.random.default_rng(_SEED)
    contents = []
    for number in range(min(count, _DRAWN if draw is _plain else _DRAWN_PHOTOS)):
        label = _LETTERS[number % len(_LETTERS)]
        image = draw(render_strokes(letter_strokes(label, rng)), rng)
        contents.append((label, cv2.imencode(".png", image)[1].tobytes()))
    for number in range(count):
        label, content = contents[number % len(contents)]
        (folder / f"{number}-{label}.png").write_bytes(content)
    return folder


def sheets(folder: Path, count: int, style: SheetStyle) -> tuple[Path, list[str]]:
    """Write so many JPEGs of sheets, 40 characters on 1280x720; return their texts as well."""
    folder.mkdir(parents=True)
    rng = np.random.default_rng(_SEED)
    drawn = []
    for number in range(min(count, _DRAWN_SHEETS)):
        lines = ["".join(rng.choice(list(_LETTERS), 8)) for _ in range(5)]
        strokes = [[letter_strokes(label, rng) for label in line] for line in lines]
        image = sheet_image(strokes, seed=number, size=(1280, 720), style=style).image
        content = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 92])[1].tobytes()
        drawn.append(("".join(lines), content))
    for number in range(count):
        (folder / f"{number}.jpg").write_bytes(drawn[number % len(drawn)][1])
    return folder, [drawn[number % len(drawn)][0] for number in range(count)]


# Runs


@dataclass(frozen=True)
class Run:
    """A run of the program.

    Attributes:
        seconds: From the start of the process to its end.
        memory: Resident memory of all its processes together, MB, a few times a second.
        status: Its exit status.
    """

    seconds: float
    memory: list[float]
    status: int


def read(
    folder: Path, out: Path, *options: str, jobs: int = 2, until: Callable[[], bool] | None = None
) -> Run:
    """Have the program read a folder.

    Args:
        folder: With the pictures.
        out: Where the rows go.
        options: Further ones.
        jobs: Processes.
        until: Ends it with SIGKILL once this holds.

    Raises:
        HcrError: If it failed.
    """
    command = [sys.executable, str(_ROOT / "main.py"), "read", str(folder), "--out", str(out)]
    memory: list[float] = []
    with tempfile.TemporaryFile() as said:
        begin = time.perf_counter()
        process = subprocess.Popen(
            [*command, "--jobs", str(jobs), *options], stdout=said, stderr=said
        )
        while process.poll() is None:
            if time.perf_counter() - begin > _LONGEST or (until is not None and until()):
                process.kill()
            memory.append(_memory(process.pid))
            with suppress(subprocess.TimeoutExpired):
                process.wait(0.2 if until is None else 0.01)
        seconds = time.perf_counter() - begin
        said.seek(0)
        if process.returncode > 0:
            raise HcrError(said.read().decode(errors="replace").strip()[-300:])
    return Run(seconds, memory, process.returncode)


def rows(out: Path) -> list[tuple[str, str]]:
    """Return source and text of each line that was written."""
    with out.open(encoding="utf-8") as file:
        each = [json.loads(line) for line in file]
    return [(row["source"], row.get("text", "")) for row in each]


def _memory(process: int) -> float:
    """Return the resident memory in MB of a process and of those it started; 0 off Linux."""
    pages, waiting = 0, [process]
    while waiting:
        each = waiting.pop()
        with suppress(OSError):
            pages += int(Path(f"/proc/{each}/statm").read_text().split()[1])
            for task in Path(f"/proc/{each}/task").iterdir():
                waiting += map(int, (task / "children").read_text().split())
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def _right(found: Sequence[tuple[str, str]]) -> float:
    return 100 * sum(Path(source).stem[-1] == text for source, text in found) / max(1, len(found))


# Rows of the table


def _show_characters(folder: Path, count: int, jobs: int) -> None:
    for title, draw in (("plain ink", _plain), ("simulated photo", _photo)):
        some = count if draw is _plain else max(1, count // 10)
        kind = characters(folder / title, some, draw)
        run = read(kind, folder / f"{title}.jsonl", "--character", jobs=jobs)
        found = rows(folder / f"{title}.jsonl")
        remark = f"{len(found)} in {run.seconds:.1f} s with its start, {_right(found):.1f} % right"
        wanted = "at least 3000" if draw is _plain else ""
        print_row(f"single characters, {title}, a second", some / run.seconds, wanted, remark)


def _show_sheets(folder: Path, count: int, jobs: int) -> None:
    styles = (
        ("blank paper", SheetStyle(writing=0.09, height=0.9)),
        ("photo", SheetStyle(writing=0.09, height=0.85, ruling="ruled", tilt=4, shadow=0.3)),
    )
    for title, style in styles:
        kind, texts = sheets(folder / title, count, style)
        run = read(kind, folder / f"{title}.jsonl", jobs=jobs)
        pairs = []
        for text, (_, said) in zip(texts, rows(folder / f"{title}.jsonl"), strict=True):
            pairs += align(text, said.replace("\n", "").replace(" ", ""))
        remark = f"{count} in {run.seconds:.1f} s with its start, errors {error_rate(pairs):.1f} %"
        name = f"sheets of 40 characters, {title}, a second"
        print_row(name, count / run.seconds, "at least 100", remark)


def _show_processes(folder: Path, count: int, jobs: int) -> None:
    kind = characters(folder / "pictures", count)
    spent = [
        read(kind, folder / f"{n}.jsonl", "--character", jobs=n).seconds for n in (1, max(2, jobs))
    ]
    remark = f"{spent[0]:.1f} and {spent[1]:.1f} s for {count} characters, with their start"
    print_row(f"{max(2, jobs)} processes against 1", spent[0] / spent[1], "at least 1.8", remark)


def _show_memory(folder: Path, count: int, jobs: int) -> None:
    kind = characters(folder / "pictures", count)
    run = read(kind, folder / "out.jsonl", "--character", jobs=jobs)
    early = max(run.memory[: max(1, len(run.memory) // 5)])
    name = f"memory, {count} files, all processes, MB"
    print_row(f"{name}, peak", max(run.memory), "at most 700", f"{run.seconds:.1f} s")
    # What is loaded first stays; what counts is whether more and more does.
    growth = max(0.0, run.memory[-2] - early) if len(run.memory) > 1 else 0.0
    print_row(f"{name}, growth", growth, "flat", f"from {early:.0f}, peak of the first fifth")


def _show_resume(folder: Path, count: int, jobs: int) -> None:
    kind = characters(folder / "pictures", count)
    out, whole = folder / "out.jsonl", folder / "whole.jsonl"
    read(kind, whole, "--character", jobs=jobs)
    # Killed where a third, then two thirds, are written.
    kept = []
    for share in (1, 2):
        size = whole.stat().st_size * share // 3
        run = read(
            kind,
            out,
            *("--character", "--resume"),
            jobs=jobs,
            until=lambda size=size: out.exists() and out.stat().st_size >= size,  # type: ignore[misc]
        )
        if run.status != -9:
            raise HcrError("The run ended before it was killed: give a higher --count.")
        kept.append(len(out.read_bytes().splitlines()))
    read(kind, out, "--character", "--resume", jobs=jobs)
    sources, expected = ([source for source, _ in rows(path)] for path in (out, whole))
    remark = f"{count} pictures, killed after {kept[0]} and {kept[1]}"
    name = "kill -9 twice, then --resume"
    print_row(f"{name}, lost", len(set(expected) - set(sources)), "0", remark)
    print_row(f"{name}, twice", len(sources) - len(set(sources)), "0")
    differing = int(out.read_bytes() != whole.read_bytes())
    print_row(f"{name}, files that differ from one go", differing, "0")


def _show_ray(folder: Path, count: int, jobs: int) -> None:
    few, many = characters(folder / "few", count // 10), characters(folder / "many", count)

    def seconds(kind: Path, *options: str) -> float:
        out = kind.with_name(f"{kind.name}-{len(options)}.jsonl")
        return read(kind, out, "--character", *options, jobs=jobs).seconds

    ray = ("--engine", "ray")
    local, own = seconds(many), seconds(many, *ray)
    remark = f"{own:.1f} and {local:.1f} s for {count} characters, with their start"
    print_row("Ray against local processes, times", own / local, "at most 1.3", remark)
    with _running_ray(jobs) as address:
        joined = (*ray, "--address", address)
        running_few = seconds(few, *joined)  # first: by then all of the cluster has come up
        running = seconds(many, *joined)
    remark = f"{running:.1f} s: where Ray is running, as on a cluster"
    print_row("Ray that is running against local processes", running / local, "at most 1.3", remark)
    later, local_later = running - running_few, local - seconds(few)
    remark = f"{later:.1f} and {local_later:.1f} s for the last {count - count // 10}"
    print_row("Ray against local processes, once begun", later / local_later, "", remark)
    whole = many.with_name("many-0.jsonl").read_bytes()
    differing = sum(many.with_name(f"many-{n}.jsonl").read_bytes() != whole for n in (2, 4))
    print_row("Ray, files that differ from the local one", differing, "0")


@contextmanager
def _running_ray(jobs: int) -> Iterator[str]:
    """Give the address of a cluster of this machine alone."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    program = [sys.executable, "-c", "import ray.scripts.scripts as ray; ray.main()"]
    options = ["--include-dashboard=false", "--disable-usage-stats", f"--num-cpus={jobs}"]
    ray = subprocess.Popen(
        [*program, "start", "--head", "--block", f"--port={port}", *options],
        env=os.environ | {"RAY_AUTH_MODE": "disabled"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        assert ray.stdout is not None
        for line in ray.stdout:
            if "--block" in line:  # the last thing it says, once it is ready
                break
        yield f"127.0.0.1:{port}"
    finally:
        ray.terminate()
        ray.wait()


_ROWS: dict[str, tuple[Callable[[Path, int, int], None], int]] = {
    "characters": (_show_characters, 20_000),
    "sheets": (_show_sheets, 400),
    "processes": (_show_processes, 20_000),
    "memory": (_show_memory, 100_000),
    "resume": (_show_resume, 6_000),
    "ray": (_show_ray, 20_000),
}

if __name__ == "__main__":
    main()
