"""The service, measured over real HTTP: `python -m benchmarks.serve` prints the table.

`python main.py serve` runs as a process of its own on a free port of this machine. What asks it
shares the processors with it, so it is kept lean: prepared bytes over connections that stay open.
Characters and clips are made by `generator/` with a fixed seed.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from base64 import b64encode
from collections import Counter
from collections.abc import Callable, Coroutine, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from itertools import cycle, islice
from pathlib import Path
from types import TracebackType
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.malformed import Answer, attempt, attempts
from benchmarks.table import p95, print_row
from generator.air_clip import air_clip_frames
from generator.letters import letter_strokes
from generator.paper_clip import paper_clip_frames
from hcr_live.errors import HcrError
from hcr_live.ink.render import render_strokes

_ROOT = Path(__file__).parent.parent
_SEED = 20261121
_FPS = 30
_SIZE = (640, 480)
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_WARM_UP = 50
"""Answers that do not count."""
_WARM_UP_SECONDS = 2.0
_CLIENTS = 32
_LIVE_CLIENTS = 8
_AT_A_TIME = 16
_LONGEST_START = 60.0
_LONGEST_END = 20.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    told = "only these: " + ", ".join(repr(name) for name in _ROWS)
    parser.add_argument("--rows", nargs="+", choices=tuple(_ROWS), metavar="ROW", help=told)
    parser.add_argument("--workers", type=int, default=1, help="processes of the service")
    parser.add_argument("--cores", type=int, help="processors that the service may use (Linux)")
    parser.add_argument("--count", type=int, help="requests of a row instead of its own number")
    parser.add_argument("--seconds", type=float, help="length of a row instead of its own")
    parser.add_argument("--kinds", action="store_true", help="say what each malformed kind got")
    arguments = parser.parse_args()
    try:
        _measure(arguments)
    except HcrError as error:
        sys.exit(f"error: {error}")


def _measure(arguments: argparse.Namespace) -> None:
    told = f"workers: {arguments.workers}, cores: {arguments.cores or os.cpu_count()}"
    print(f"{'figure':56} {'measured':>8}  {'wanted':13} {told}")
    for name in arguments.rows or list(_ROWS):
        _ROWS[name](arguments)


# The service


class Service:
    """The program's `serve` as a process, from its start until it is ready, to its end.

    Args:
        arguments: `workers` and `cores` of the command line.

    Attributes:
        port: Where it listens.
        seconds_to_ready: From the start of the process to the first good answer of `/readyz`.

    Raises:
        HcrError: If it ends, or is not ready within a minute.
    """

    def __init__(self, arguments: argparse.Namespace) -> None:
        self.port = _free_port()
        self._said = tempfile.TemporaryFile()  # noqa: SIM115
        command = [sys.executable, str(_ROOT / "main.py"), "serve", "--port", str(self.port)]
        begin = time.perf_counter()
        self._process = subprocess.Popen(
            [*command, "--workers", str(arguments.workers)],
            cwd=_ROOT,
            stdout=self._said,
            stderr=self._said,
        )
        if arguments.cores:
            os.sched_setaffinity(self._process.pid, range(arguments.cores))
        while not self._is_ready():
            self.seconds_to_ready = time.perf_counter() - begin
            if self._process.poll() is not None or self.seconds_to_ready > _LONGEST_START:
                said = self.close()
                raise HcrError(
                    f"The service did not become ready: {said[-300:] or 'it said nothing'}"
                )
            time.sleep(0.005)
        self.seconds_to_ready = time.perf_counter() - begin
        self._processes = self.processes()

    def __enter__(self) -> Service:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> str:
        """Ask it to stop, end it if it does not, and return what it printed."""
        self._process.terminate()
        try:
            self._process.wait(_LONGEST_END)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        with self._said as said:
            said.seek(0)
            return said.read().decode(errors="replace").strip()

    def processes(self) -> set[int]:
        """Return the ids of its process and of those that it started; only its own off Linux."""
        found, waiting = set(), [self._process.pid]
        while waiting:
            each = waiting.pop()
            found.add(each)
            with suppress(OSError):
                for task in Path(f"/proc/{each}/task").iterdir():
                    waiting += map(int, (task / "children").read_text().split())
        return found

    def crashes(self) -> int:
        """Return how many of its processes are gone, and 1 more if it no longer answers."""
        return len(self._processes - self.processes()) + (not self._is_ready())

    def memory(self) -> float:
        """Return the resident memory of its processes in MB, 0 where that cannot be told."""
        pages = 0
        for each in self.processes():
            with suppress(OSError):
                pages += int(Path(f"/proc/{each}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 2**20 if pages else 0.0

    def _is_ready(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=10) as connection:
                connection.sendall(_head("GET", "/readyz"))
                return connection.recv(64).split(b" ")[1:2] == [b"200"]
        except OSError:
            return False


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _head(method: str, path: str, kind: str = "application/json", length: int = 0) -> bytes:
    return (
        f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: {kind}\r\n"
        f"Content-Length: {length}\r\n\r\n"
    ).encode()


def _run(work: Coroutine[Any, Any, Any]) -> Any:
    """Run on the loop that the service uses, too, where it is installed: it costs less."""
    try:
        import uvloop
    except ImportError:
        return asyncio.run(work)
    return uvloop.run(work)


# Characters


@dataclass(frozen=True)
class Question:
    """A request that is ready to be sent, and the right answer."""

    sent: bytes
    label: str


@dataclass
class Asked:
    """What came of many requests.

    Attributes:
        spent: Milliseconds from sending to the whole answer, of each that was answered 200.
        right: Those that named the right character.
        others: How many were answered otherwise, or not.
        seconds: How long all of it took.
    """

    spent: list[float] = field(default_factory=list)
    right: int = 0
    others: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0

    def remark(self) -> str:
        """Return what else is to be said."""
        failed = ", ".join(f"{count} {what}" for what, count in self.others.items())
        share = 100 * self.right / max(1, len(self.spent))
        return f"{len(self.spent)} answers, {share:.1f} % right, {failed or 'no error'}"

    def percentile(self, share: float) -> float:
        """Return a percentile of `spent`."""
        return float(np.percentile(self.spent, share)) if self.spent else float("nan")


async def _ask(port: int, questions: Iterable[Question], asked: Asked) -> None:
    """Send one request after the other over one connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        for question in questions:
            begin = time.perf_counter()
            writer.write(question.sent)
            head = await reader.readuntil(b"\r\n\r\n")
            at = head.lower().index(b"content-length:") + len(b"content-length:")
            body = await reader.readexactly(int(head[at : head.index(b"\r\n", at)]))
            spent = time.perf_counter() - begin
            if head[9:12] == b"200":
                asked.spent.append(1000 * spent)
                asked.right += json.loads(body)["text"] == question.label
            else:
                asked.others[head[9:12].decode()] += 1
    except (OSError, EOFError, ValueError) as error:
        asked.others[type(error).__name__] += 1
    finally:
        writer.close()


def _one_client(port: int, questions: list[Question], count: int) -> Asked:
    asked = Asked()

    async def work() -> None:
        await _ask(port, islice(cycle(questions), _WARM_UP), Asked())
        await _ask(port, islice(cycle(questions), count), asked)

    _run(work())
    return asked


def _many_clients(port: int, questions: list[Question], seconds: float) -> Asked:
    """Have 32 clients ask for some time, each its next question once it has an answer."""
    asked = Asked()

    def until(end: float, start: int) -> Iterator[Question]:
        for question in islice(cycle(questions), start, None):
            if time.perf_counter() >= end:
                return
            yield question

    async def ask_all(seconds: float, asked: Asked) -> None:
        end = time.perf_counter() + seconds
        clients = (_ask(port, until(end, 7 * i), asked) for i in range(_CLIENTS))
        await asyncio.gather(*clients)

    async def work() -> None:
        await ask_all(min(1.0, seconds), Asked())
        begin = time.perf_counter()
        await ask_all(seconds, asked)
        asked.seconds = time.perf_counter() - begin

    _run(work())
    return asked


@cache
def _characters(kind: str) -> list[tuple[bytes, str]]:
    """Return PNGs of single letters and their labels, 28 to 200 pixels wide and high."""
    rng = np.random.default_rng(_SEED)
    labels = [label for label in _LETTERS for _ in range(10)]
    made = []
    for label in rng.permutation(labels):
        ink = render_strokes(letter_strokes(str(label), rng))
        image = _photo(ink, rng) if kind == "simulated photo" else _plain(ink, rng)
        made.append((cv2.imencode(".png", image)[1].tobytes(), str(label)))
    return made


def _plain(ink: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Return black ink in the middle of a white square."""
    height, width = ink.shape
    room = round(max(ink.shape) * float(rng.uniform(1.2, 1.6)))
    top, left = (room - height) // 2, (room - width) // 2
    sides = (top, room - height - top, left, room - width - left)
    image = cv2.copyMakeBorder(255 - ink, *sides, cv2.BORDER_CONSTANT, value=255)
    side = int(rng.integers(28, 201))
    return cv2.resize(image, (side, side), interpolation=cv2.INTER_AREA)


def _photo(ink: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Return the ink as the camera model photographs it, in three channels."""
    from train.augment.camera import take

    while True:
        photo = take(ink, rng, float(rng.uniform(0.2, 1)))
        assert photo is not None
        if not photo.sheet:
            break
    height, width = photo.image.shape
    scale = min(1.0, 200 / max(height, width))
    size = (max(28, round(width * scale)), max(28, round(height * scale)))
    return cv2.cvtColor(
        cv2.resize(photo.image, size, interpolation=cv2.INTER_AREA), cv2.COLOR_GRAY2BGR
    )


def _as_json(content: bytes, label: str) -> Question:
    body = json.dumps({"image": b64encode(content).decode(), "alphabet": "letters"}).encode()
    return Question(_head("POST", "/v1/character", length=len(body)) + body, label)


def _as_form(content: bytes, label: str) -> Question:
    head = b'--x7f\r\nContent-Disposition: form-data; name="image"; filename="a.png"\r\n\r\n'
    body = head + content + b"\r\n--x7f--\r\n"
    kind = "multipart/form-data; boundary=x7f"
    return Question(_head("POST", "/v1/character", kind, len(body)) + body, label)


_KINDS: tuple[tuple[str, str, Callable[[bytes, str], Question]], ...] = (
    ("plain ink", "plain ink", _as_json),
    ("simulated photo", "simulated photo", _as_json),
    ("plain ink, as a form", "plain ink", _as_form),
)


def _print_one_client(arguments: argparse.Namespace) -> None:
    with Service(arguments) as service:
        for title, kind, question in _KINDS:
            questions = [question(*each) for each in _characters(kind)]
            asked = _one_client(service.port, questions, arguments.count or 2000)
            name = f"character, one client, {title}, ms"
            print_row(f"{name}, p50", asked.percentile(50), "at most 5", asked.remark())
            print_row(f"{name}, p99", asked.percentile(99), "at most 15")


def _print_many_clients(arguments: argparse.Namespace) -> None:
    with Service(arguments) as service:
        for title, kind, question in _KINDS:
            questions = [question(*each) for each in _characters(kind)]
            asked = _many_clients(service.port, questions, arguments.seconds or 15)
            rate = len(asked.spent) / asked.seconds
            name = f"character, {_CLIENTS} clients, {title}"
            print_row(f"{name}, answers/s", rate, "at least 400", asked.remark())
            wanted, median = "at most 150", f"p50 {asked.percentile(50):.1f}"
            print_row(f"{name}, ms, p99", asked.percentile(99), wanted, median)


# Live


@dataclass
class LiveRun:
    """What one live client saw.

    Attributes:
        sent: When each frame was sent, seconds.
        answered: Number of the frame and when its answer had come.
        dropped: How many the service says it dropped.
        text: The text at the end.
        ended: Whether the service said good-bye when it was asked to.
        trouble: What went wrong, or "".
    """

    sent: list[float] = field(default_factory=list)
    answered: list[tuple[int, float]] = field(default_factory=list)
    dropped: int = 0
    text: str = ""
    ended: bool = False
    trouble: str = ""

    def _counted(self) -> list[tuple[int, float]]:
        return [each for each in self.answered if each[1] > self.sent[0] + _WARM_UP_SECONDS]

    def spent(self) -> list[float]:
        """Return milliseconds from sent to answered, the first two seconds left out."""
        return [1000 * (at - self.sent[number]) for number, at in self._counted()]

    def rate(self) -> float:
        """Return answers a second, the first two seconds left out."""
        counted = self._counted()
        return (len(counted) - 1) / (counted[-1][1] - counted[0][1]) if len(counted) > 1 else 0.0


async def _film(port: int, frames: list[bytes], mode: str, seconds: float, paced: bool) -> LiveRun:
    """Show a clip to the service, over and over.

    Args:
        port: Of the service.
        frames: JPEGs, 30 a second.
        mode: As `--mode`.
        seconds: How long.
        paced: At the clip's pace, as a camera does, or the next frame once there is an answer.
    """
    from websockets.asyncio.client import connect
    from websockets.exceptions import WebSocketException

    run = LiveRun()
    answer = asyncio.Event()

    async def listen(socket: Any) -> None:
        async for message in socket:
            at = time.perf_counter()
            event = json.loads(message)
            if event["event"] == "view":
                run.answered.append((event["frame"], at))
                run.dropped = event["dropped"]
                answer.set()
            elif event["event"] == "end":
                run.text, run.dropped, run.ended = event["text"], event["dropped"], True
            elif event["event"] == "error":
                run.trouble = event["detail"]

    async def show(socket: Any) -> None:
        begin = time.perf_counter()
        for number, frame in enumerate(cycle(frames)):
            if paced:
                await asyncio.sleep(begin + number / _FPS - time.perf_counter())
            elif number:
                await answer.wait()
                answer.clear()
            now = time.perf_counter()
            if now - begin >= seconds:
                break
            await socket.send(json.dumps({"type": "frame", "time": round(number / _FPS, 3)}))
            run.sent.append(time.perf_counter())
            await socket.send(frame)
        await socket.send(json.dumps({"type": "end"}))

    try:
        address = f"ws://127.0.0.1:{port}/v1/live"
        # As a browser does: no pings of its own.
        async with connect(address, compression=None, max_size=None, ping_interval=None) as socket:
            await socket.send(json.dumps({"type": "start", "mode": mode}))
            listening = asyncio.create_task(listen(socket))
            await asyncio.wait_for(asyncio.gather(show(socket), listening), seconds + _LONGEST_END)
    except (OSError, TimeoutError, WebSocketException, KeyError, ValueError) as error:
        run.trouble = run.trouble or f"{type(error).__name__}: {error}"
    return run


@cache
def _clip(kind: str) -> list[bytes]:
    """Return JPEGs of 640x480 that can be shown over and over."""
    rng = np.random.default_rng(_SEED)
    width, height = _SIZE
    if kind == "paper":
        line = [letter_strokes(c, rng) for c in "HELLO"]
        made = paper_clip_frames([line], seed=_SEED, fps=_FPS, seconds=5, size=_SIZE)
    else:
        letters = [letter_strokes(c, rng) for c in "LIVE"]
        made = air_clip_frames(letters, seed=_SEED, fps=_FPS, width=width, height=height, size=220)
    quality = (cv2.IMWRITE_JPEG_QUALITY, 80)
    frames = [cv2.imencode(".jpg", image, quality)[1].tobytes() for image, _ in made]
    # A sheet that sways goes back the way it came; a hand starts anew.
    return frames + frames[-2:0:-1] if kind == "paper" else frames


def _print_live(arguments: argparse.Namespace) -> None:
    seconds = arguments.seconds or 15
    for clip, mode in (("paper", "paper"), ("air", "air"), ("paper", "auto"), ("air", "auto")):
        for paced in (True, False):
            with Service(arguments) as service:
                run: LiveRun = _run(_film(service.port, _clip(clip), mode, seconds, paced))
            pace = f"{_FPS} a second" if paced else "one by one"
            name = f"live, {clip}, mode {mode}, {pace}"
            wanted, remark = ("at least 30", "at most 35") if paced else ("", ""), _remark(run)
            print_row(f"{name}, answers/s", run.rate(), wanted[0], remark)
            spent = run.spent() or [float("nan")]
            median = f"p50 {np.median(spent):.1f}"
            print_row(f"{name}, ms, p95", p95(spent), wanted[1], median)


def _remark(run: LiveRun) -> str:
    said = (
        f"{len(run.answered)} of {len(run.sent)} answered, {run.dropped} dropped, {run.text!r:.30}"
    )
    return f"{said} {run.trouble}".strip()


def _print_live_clients(arguments: argparse.Namespace) -> None:
    """Eight clients at once, every other one in the air, and the service's memory."""
    seconds = arguments.seconds or 300
    clips = [("paper", "air")[i % 2] for i in range(_LIVE_CLIENTS)]
    memory: list[tuple[float, float]] = []

    async def watch(service: Service) -> None:
        begin = time.perf_counter()
        while True:
            memory.append((time.perf_counter() - begin, service.memory()))
            await asyncio.sleep(min(1.0, seconds / 50))

    async def work(service: Service) -> list[LiveRun]:
        watching = asyncio.create_task(watch(service))
        films = (_film(service.port, _clip(clip), "auto", seconds, True) for clip in clips)
        runs = await asyncio.gather(*films)
        watching.cancel()
        return runs

    with Service(arguments) as service:
        runs: list[LiveRun] = _run(work(service))
        crashes = service.crashes()
    alive = sum(run.ended and not run.trouble for run in runs)
    trouble = next((run.trouble for run in runs if run.trouble), "")
    name = f"live, {_LIVE_CLIENTS} clients for {seconds:g} s"
    print_row(f"{name}, alive at the end", alive, f"{_LIVE_CLIENTS}", trouble)
    print_row(f"{name}, crashes", crashes, "0")
    rates = [run.rate() for run in runs]
    remark = f"from {min(rates):.1f} to {max(rates):.1f} a client"
    print_row(f"{name}, answers/s", sum(rates), "", remark)
    spent = [each for run in runs for each in run.spent()] or [float("nan")]
    print_row(f"{name}, ms, p95", p95(spent), "", f"p50 {np.median(spent):.1f}")
    sent, answered, dropped = (
        sum(counts)
        for counts in zip(
            *((len(run.sent), len(run.answered), run.dropped) for run in runs), strict=True
        )
    )
    print_row(f"{name}, frames dropped", dropped, "", f"{answered} of {sent} answered")
    # "After the first minute" of five; of a shorter run after as large a part of it.
    settled = [value for at, value in memory if at >= min(60.0, seconds / 5)] or [memory[-1][1]]
    few = max(1, len(settled) // 20)
    before, after = np.median(settled[:few]), np.median(settled[-few:])
    remark = f"from {before:.0f} to {after:.0f} MB, peak {max(memory, key=lambda m: m[1])[1]:.0f}"
    growth = 100 * (after / before - 1) if before else float("nan")
    print_row(f"{name}, growth of memory, %", growth, "within 5", remark)


# Start, and what is not to harm


def _print_start(arguments: argparse.Namespace) -> None:
    seconds = []
    for _ in range(min(5, arguments.count or 5)):
        with Service(arguments) as service:
            seconds.append(service.seconds_to_ready)
    remark = f"median of {len(seconds)}, longest {max(seconds):.2f}"
    print_row("start to ready, s", float(np.median(seconds)), "at most 1.5", remark)


def _print_malformed(arguments: argparse.Namespace) -> None:
    count = arguments.count or 10_000
    with Service(arguments) as service:
        description = _description(service.port)
        made = attempts(description, count, _SEED)
        found: list[tuple[str, Answer]] = []
        memory: list[float] = []

        async def work() -> None:
            for at_once in iter(lambda: list(islice(made, _AT_A_TIME)), []):
                answers = await asyncio.gather(*(attempt(service.port, one) for one in at_once))
                found.extend((one.kind, got) for one, got in zip(at_once, answers, strict=True))
                memory.append(service.memory())

        begin = time.perf_counter()
        _run(work())
        spent = time.perf_counter() - begin
        crashes = service.crashes()
    statuses = Counter(answer.status for _, answer in found)
    said = ", ".join(f"{statuses[status]} {_say(status)}" for status in sorted(statuses))
    name = f"malformed, {count} requests"
    wrong = sum(n for status, n in statuses.items() if status >= 500)
    print_row(f"{name}, 5xx", wrong, "0", said)
    print_row(
        f"{name}, not answered within 30 s", statuses[-1], "0", f"{count / spent:.0f} a second"
    )
    bare = Counter(kind for kind, got in found if 400 <= got.status < 500 and not got.explained)
    remark = ", ".join(f"{n} {kind}" for kind, n in bare.most_common())
    print_row(f"{name}, 4xx without problem JSON", sum(bare.values()), "", remark)
    print_row(f"{name}, crashes", crashes, "0")
    # Buffers of the first requests stay; what counts is whether more and more do.
    fifths = [max(part) for part in np.array_split(memory, min(5, len(memory)))]
    remark = ", ".join(f"{value:.0f}" for value in fifths) + " MB, the most in each fifth"
    print_row(f"{name}, growth after the first fifth, MB", fifths[-1] - fifths[0], "0", remark)
    if arguments.kinds:
        for kind in dict.fromkeys(kind for kind, _ in found):
            got = Counter(_say(answer.status) for each, answer in found if each == kind)
            print(f"  {kind:54} " + ", ".join(f"{n} {what}" for what, n in sorted(got.items())))


def _say(status: int) -> str:
    return {0: "hung up", -1: "no answer"}.get(status, str(status))


def _description(port: int) -> dict[str, Any]:
    from urllib.request import urlopen

    with urlopen(f"http://127.0.0.1:{port}/openapi.json", timeout=30) as answer:
        description: dict[str, Any] = json.load(answer)
    return description


_ROWS: dict[str, Callable[[argparse.Namespace], None]] = {
    "start": _print_start,
    "one client": _print_one_client,
    "32 clients": _print_many_clients,
    "live": _print_live,
    "8 live clients": _print_live_clients,
    "malformed": _print_malformed,
}

if __name__ == "__main__":
    main()
