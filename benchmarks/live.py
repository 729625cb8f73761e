"""The speed of the main job: `python -m benchmarks.live` prints the table.

Clips are made by `generator/` with a fixed seed, 1280x720 at 30 frames a second, and read by the
real program in processes of their own, without a display; the overlay is drawn in every figure.
"""

from __future__ import annotations

import argparse
import itertools
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from generator.air_clip import air_clip_frames
from generator.letters import letter_strokes
from generator.paper_clip import paper_clip_frames
from generator.video import write_clip
from hcr_live.frame import Box, Frame
from hcr_live.options import LiveOptions, ModeChoice

_SEED = 20261121
_FPS = 30
_WARM_UP = 15  # frames of a run that do not count: models load, the page is searched first


@dataclass
class Watch:
    """A window that looks at the clock and shows nothing."""

    shown: list[float] = field(default_factory=list)

    def show(self, image: NDArray[np.uint8]) -> None:
        """Note when a picture was ready."""
        self.shown.append(time.perf_counter())

    def poll(self, seconds: float = 0.0) -> str | None:
        """No key is ever pressed."""

    def dragged(self) -> Box | None:
        """The mouse rests."""

    def close(self) -> None:
        """Nothing to close."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--measure", choices=tuple(_MEASURES), help=argparse.SUPPRESS)
    parser.add_argument("--clip", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.measure:
        print(json.dumps(_MEASURES[arguments.measure](arguments.clip)))
        return
    with tempfile.TemporaryDirectory() as folder:
        air, paper = Path(folder) / "air.mp4", Path(folder) / "paper.mp4"
        write_clip(air, _air_frames(), _FPS)
        write_clip(paper, _paper_frames(), _FPS)
        _print_table(air, paper)


def _air_frames() -> Iterator[tuple[NDArray[np.uint8], float]]:
    rng = np.random.default_rng(_SEED)
    return air_clip_frames([letter_strokes(c, rng) for c in "LIVE"], seed=_SEED, fps=_FPS)


def _paper_frames() -> Iterator[tuple[NDArray[np.uint8], float]]:
    rng = np.random.default_rng(_SEED)
    line = [letter_strokes(c, rng) for c in "HELLO"]
    return islice(paper_clip_frames([line], seed=_SEED, fps=_FPS), 10 * _FPS)


def _print_table(air: Path, paper: Path) -> None:
    starts = [_measure("start", air)["seconds"] for _ in range(5)]
    files = {
        (mode, clip.stem): _measure(f"file {mode}", clip)
        for mode, clip in (("air", air), ("paper", paper), ("auto", air), ("auto", paper))
    }
    cameras = {clip.stem: _measure(f"camera {clip.stem}", clip) for clip in (air, paper)}
    recording = {clip.stem: _measure("recording", clip) for clip in (air, paper)}
    network = _measure("network", air)

    def row(name: str, value: float, target: str = "", remark: str = "") -> None:
        print(f"{name:56} {value:8.2f}  {target:13} {remark}")

    row("process start to first annotated frame, s, median of 5", np.median(starts), "at most 1.5")
    for (mode, clip), run in files.items():
        target = "at least 90" if mode != "auto" else ""
        row(f"{clip} clip, mode {mode}, frames a second", run["fps"], target, repr(run["text"]))
    for clip, run in cameras.items():
        name = f"{clip}, processing of a frame, p95, ms"
        row(name, run["p95"], "at most 15", f"p50 {run['p50']:.1f}")
    row("resident memory, peak, MB", max(r["memory"] for r in files.values()), "at most 350")
    for clip, run in recording.items():
        name = f"{clip}, recorded at 720p30 in real time, frames a second"
        row(name, run["fps"], "at least 30", f"{run['dropped']} dropped")
    remark = f"p95 {network['p95']:.2f}"
    row("network alone, one character, ms, median", network["p50"], "at most 0.5", remark)
    row("network alone, 16 in a batch, ms, median", network["batch"], "at most 6")
    row("both networks, one character of the air, ms, median", network["strokes"])


def _measure(what: str, clip: Path) -> dict[str, Any]:
    """Run one measure in a process of its own, so that its start and memory are its own."""
    command = [sys.executable, "-m", "benchmarks.live", "--measure", what, "--clip", str(clip)]
    answer = subprocess.run(command, check=True, capture_output=True, text=True)
    values: dict[str, Any] = json.loads(answer.stdout.splitlines()[-1])
    return values


def _start(clip: Path) -> dict[str, Any]:
    """From the start of a fresh process to its first annotated frame, in mode auto."""
    code = (
        "import time\n"
        "from hcr_live.live import run\n"
        "from hcr_live.options import LiveOptions\n"
        "class First:\n"
        "    def show(self, image): print(time.monotonic(), flush=True)\n"
        "    def poll(self, seconds=0.0): return 'q'\n"
        "    def dragged(self): return None\n"
        "    def close(self): pass\n"
        f"run(LiveOptions(source={str(clip)!r}), window=First())\n"
    )
    begin = time.monotonic()
    answer = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True
    )
    return {"seconds": float(answer.stdout.splitlines()[0]) - begin}


def _file(mode: ModeChoice) -> Callable[[Path], dict[str, Any]]:
    """A clip as fast as it goes."""

    def measure(clip: Path) -> dict[str, Any]:
        from hcr_live import live

        watch = Watch()
        with tempfile.TemporaryDirectory() as folder:
            events = Path(folder) / "events.jsonl"
            options = LiveOptions(source=str(clip), mode=mode, events=events)
            # A clock that is far ahead: the loop never waits for the clip's own pace.
            live.run(options, window=watch, clock=itertools.count(0, 1e6).__next__)
            end = json.loads(events.read_text().splitlines()[-1])
        shown = watch.shown[_WARM_UP:]
        return {
            "fps": (len(shown) - 1) / (shown[-1] - shown[0]),
            "memory": _peak_memory(),
            "text": end["text"],
        }

    return measure


def _camera(mode: ModeChoice) -> Callable[[Path], dict[str, Any]]:
    """The same clip from a camera, in real time: from a frame's arrival until it is drawn."""

    def measure(clip: Path) -> dict[str, Any]:
        from hcr_live import live

        watch = Watch()
        taken: list[float] = []
        with _fake_camera(clip, taken):
            options = LiveOptions(mode=mode, max_seconds=10, mirror=False)
            live.run(options, window=watch)
        spent = (np.array(watch.shown) - np.array(taken[: len(watch.shown)]))[_WARM_UP:] * 1000
        return {
            "p50": float(np.percentile(spent, 50)),
            "p95": float(np.percentile(spent, 95)),
            "memory": _peak_memory(),
        }

    return measure


class _PacedCapture:
    """Stands in for `cv2.VideoCapture`: a clip in real time, over and over."""

    def __init__(self, images: list[NDArray[Any]], fps: float) -> None:
        self._images, self._fps = images, fps
        self._begin, self._count = time.perf_counter(), 0

    def isOpened(self) -> bool:
        return True

    def set(self, *_: Any) -> bool:
        return True

    def get(self, *_: Any) -> float:
        return self._fps

    def grab(self) -> bool:
        self._count += 1
        time.sleep(max(0.0, self._begin + self._count / self._fps - time.perf_counter()))
        return True

    def retrieve(self) -> tuple[bool, NDArray[Any]]:
        return True, self._images[self._count % len(self._images)].copy()

    def release(self) -> None:
        pass


@contextmanager
def _fake_camera(clip: Path, taken: list[float] | None = None) -> Iterator[None]:
    """Let the program open a camera that films the clip; note when it took each frame."""
    import av

    from hcr_live import sources
    from hcr_live.sources.camera import CameraSource

    with av.open(str(clip)) as container:
        decoded = islice(container.decode(video=0), 300)
        images = [np.ascontiguousarray(frame.to_ndarray(format="bgr24")) for frame in decoded]

    class Camera(CameraSource):
        def read(self, timeout: float = 0.1) -> Frame | None:
            frame = super().read(timeout)
            if frame is not None and taken is not None:
                taken.append(time.perf_counter())
            return frame

    def open_fake(*_: Any, **__: Any) -> CameraSource:
        return Camera(0, factory=lambda *_: _PacedCapture(images, _FPS))

    before, sources.open_source = sources.open_source, open_fake
    try:
        yield
    finally:
        sources.open_source = before


def _recording(clip: Path) -> dict[str, Any]:
    """A camera that gives 720p30 in real time, read and recorded for ten seconds."""
    import av

    from hcr_live import live

    with tempfile.TemporaryDirectory() as folder, _fake_camera(clip):
        target = Path(folder) / "out.mp4"
        options = LiveOptions(record=target, window=False, max_seconds=10)
        live.run(options)
        with av.open(str(target)) as container:
            times = [frame.time for frame in container.decode(video=0)]
    return {
        "fps": (len(times) - 1) / (times[-1] - times[0]),
        "dropped": int((np.rint(np.diff(times) * _FPS) - 1).clip(0).sum()),
    }


def _network(_: Path) -> dict[str, Any]:
    """One character, 16 in a batch, and strokes for both, normalisation included."""
    from hcr_live.classifier import Classifier
    from hcr_live.ink.render import render_strokes

    classifier = Classifier()
    strokes = letter_strokes("R", np.random.default_rng(_SEED))
    ink = render_strokes(strokes)

    def spent(work: Callable[[], object]) -> list[float]:
        milliseconds = []
        for _repeat in range(500):
            begin = time.perf_counter()
            work()
            milliseconds.append((time.perf_counter() - begin) * 1000)
        return milliseconds

    one = spent(lambda: classifier.probabilities([ink]))
    return {
        "p50": float(np.median(one)),
        "p95": float(np.percentile(one, 95)),
        "batch": float(np.median(spent(lambda: classifier.probabilities([ink] * 16)))),
        "strokes": float(np.median(spent(lambda: classifier.stroke_probabilities([strokes])))),
    }


def _peak_memory() -> float:
    """Peak resident memory of this process in MB."""
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1024 * 1024 if sys.platform == "darwin" else 1024)


_MEASURES: dict[str, Callable[[Path], dict[str, Any]]] = {
    "start": _start,
    "file air": _file("air"),
    "file paper": _file("paper"),
    "file auto": _file("auto"),
    "camera air": _camera("air"),
    "camera paper": _camera("paper"),
    "recording": _recording,
    "network": _network,
}

if __name__ == "__main__":
    main()
