"""The speed of the main job: `python -m benchmarks.live` prints the table.

Clips are made by `generator/` with a fixed seed, 1280x720 at 30 frames a second, and read by the
real program in processes of their own, without a display; the overlay is drawn in every figure.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
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
    on_air, on_paper = _measure("air", air), _measure("paper", paper)
    auto = [_measure("auto", clip) for clip in (air, paper)]
    recording = _measure("recording", paper)
    network = _measure("network", air)
    rows = [
        ("process start to first annotated frame, median of 5, s", np.median(starts), "1.5", ""),
        ("air clip, frames a second", on_air["fps"], "90", on_air["text"]),
        ("paper clip, frames a second", on_paper["fps"], "90", on_paper["text"]),
        ("air, processing of a frame, p95, ms", on_air["p95"], "15", f"p50 {on_air['p50']:.1f}"),
        (
            "paper, processing of a frame, p95, ms",
            on_paper["p95"],
            "15",
            f"p50 {on_paper['p50']:.1f}",
        ),
        ("air clip in mode auto, frames a second", auto[0]["fps"], "", f"p95 {auto[0]['p95']:.1f}"),
        (
            "paper clip in mode auto, frames a second",
            auto[1]["fps"],
            "",
            f"p95 {auto[1]['p95']:.1f}",
        ),
        (
            "resident memory, peak, MB",
            max(run["memory"] for run in (on_air, on_paper, *auto)),
            "350",
            "",
        ),
        (
            "recording 720p30 in real time, frames a second",
            recording["fps"],
            "30",
            f"dropped {recording['dropped']}",
        ),
        ("network alone, one character, ms, median", network["p50"], "0.5", ""),
    ]
    for name, value, target, remark in rows:
        print(f"{name:58} {value:8.2f}  {target and 'target ' + target:12} {remark}")


def _measure(what: str, clip: Path) -> dict[str, Any]:
    """Run one measure in a process of its own, so that its start and memory are its own."""
    command = [sys.executable, "-m", "benchmarks.live", "--measure", what, "--clip", str(clip)]
    answer = subprocess.run(command, check=True, capture_output=True, text=True)
    values: dict[str, Any] = json.loads(answer.stdout.splitlines()[-1])
    return values


def _start(clip: Path) -> dict[str, Any]:
    """From the start of a fresh process of main.py to its first annotated frame."""
    with tempfile.TemporaryDirectory() as folder:
        begin = time.monotonic()
        code = (
            "import sys, time\n"
            "from hcr_live.live import run\n"
            "from hcr_live.options import LiveOptions\n"
            "class First:\n"
            "    def show(self, image): print(time.monotonic(), flush=True); self.key = 'q'\n"
            "    def poll(self, seconds=0.0): return 'q'\n"
            "    def close(self): pass\n"
            f"run(LiveOptions(source={str(clip)!r}), window=First())\n"
        )
        answer = subprocess.run(
            [sys.executable, "-c", code], check=True, capture_output=True, text=True
        )
        del folder
    return {"seconds": float(answer.stdout.splitlines()[0]) - begin}


def _live(mode: ModeChoice) -> Callable[[Path], dict[str, Any]]:
    """A clip as fast as it goes."""

    def measure(clip: Path) -> dict[str, Any]:
        from hcr_live import live, sources

        taken: list[float] = []
        open_source = sources.open_source

        def open_watched(*args: Any, **kwargs: Any) -> Any:
            source = open_source(*args, **kwargs)
            read = source.read

            def watched(timeout: float = 0.1) -> Any:
                frame = read(timeout)
                taken.append(time.perf_counter())
                return frame

            source.read = watched  # type: ignore[method-assign]
            return source

        sources.open_source = open_watched
        watch = Watch()
        with tempfile.TemporaryDirectory() as folder:
            events = Path(folder) / "events.jsonl"
            # A clock that is far ahead: the loop never waits for the clip's own pace.
            clock = iter(range(0, 10**12, 10**6)).__next__
            live.run(
                LiveOptions(source=str(clip), mode=mode, events=events), window=watch, clock=clock
            )
            end = json.loads(events.read_text().splitlines()[-1])
        shown = np.array(watch.shown)
        spent = (shown - np.array(taken[: len(shown)]))[_WARM_UP:] * 1000
        return {
            "fps": (len(shown) - 1 - _WARM_UP) / (shown[-1] - shown[_WARM_UP]),
            "p50": float(np.percentile(spent, 50)),
            "p95": float(np.percentile(spent, 95)),
            "memory": _peak_memory(),
            "text": end["text"],
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


def _recording(clip: Path) -> dict[str, Any]:
    """A camera that gives 720p30 in real time, read and recorded for ten seconds."""
    import av

    from hcr_live import live, sources
    from hcr_live.sources.camera import CameraSource

    with av.open(str(clip)) as container:
        decoded = islice(container.decode(video=0), 60)
        images = [np.ascontiguousarray(frame.to_ndarray(format="bgr24")) for frame in decoded]

    def open_fake(*_: Any, **__: Any) -> CameraSource:
        return CameraSource(0, factory=lambda *_: _PacedCapture(images, _FPS))

    sources.open_source = open_fake
    with tempfile.TemporaryDirectory() as folder:
        target, events = Path(folder) / "out.mp4", Path(folder) / "events.jsonl"
        options = LiveOptions(record=target, events=events, window=False, max_seconds=10)
        live.run(options)
        end = json.loads(events.read_text().splitlines()[-1])
        with av.open(str(target)) as container:
            times = [frame.time for frame in container.decode(video=0)]
    return {
        "fps": (len(times) - 1) / (times[-1] - times[0]),
        "dropped": end["dropped"] + end["frames"] - len(times),
        "memory": 0.0,
    }


def _network(_: Path) -> dict[str, Any]:
    """One character through normalisation and network."""
    from hcr_live.classifier import Classifier
    from hcr_live.ink.render import render_strokes

    classifier = Classifier()
    ink = render_strokes(letter_strokes("R", np.random.default_rng(_SEED)))
    spent = []
    for _repeat in range(500):
        begin = time.perf_counter()
        classifier.probabilities([ink])
        spent.append((time.perf_counter() - begin) * 1000)
    return {"p50": float(np.median(spent))}


def _peak_memory() -> float:
    """Peak resident memory of this process in MB."""
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1024 * 1024 if sys.platform == "darwin" else 1024)


_MEASURES: dict[str, Callable[[Path], dict[str, Any]]] = {
    "start": _start,
    "air": _live("air"),
    "paper": _live("paper"),
    "auto": _live("auto"),
    "recording": _recording,
    "network": _network,
}

if __name__ == "__main__":
    main()
