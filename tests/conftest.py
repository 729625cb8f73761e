"""Clips that several tests read; made once a run, by the generator, with our own strokes."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from generator.air_clip import air_clip_frames
from generator.letters import letter_strokes
from generator.paper_clip import paper_clip_frames
from generator.video import write_clip

ROOT = Path(__file__).parent.parent

# What a shell starts in the background is deaf to Ctrl-C, and so is all that it starts.
signal.signal(signal.SIGINT, signal.default_int_handler)


@dataclass(frozen=True)
class Run:
    """What one run of the program left behind."""

    status: int
    out: str
    error: str
    events: list[dict[str, Any]]

    @property
    def text(self) -> str:
        """The text of the last event."""
        return self.events[-1]["text"]

    def of(self, kind: str) -> list[dict[str, Any]]:
        """The events of a kind."""
        return [event for event in self.events if event["event"] == kind]


def run_program(folder: Path, *arguments: str, timeout: float = 120) -> Run:
    """Run main.py without a window, as a user would, and collect its events."""
    events = folder / "events.jsonl"
    answer = subprocess.run(
        [sys.executable, str(ROOT / "main.py"), *arguments, "--no-window", "--events", str(events)],
        capture_output=True,
        text=True,
        timeout=timeout,
        cwd=folder,
        check=False,
    )
    lines = events.read_text().splitlines() if events.exists() else []
    return Run(answer.returncode, answer.stdout, answer.stderr, [json.loads(x) for x in lines])


@pytest.fixture(scope="session")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that the clips of this run lie in."""
    return tmp_path_factory.mktemp("clips")


@pytest.fixture(scope="session")
def air_clip(clips: Path) -> Path:
    """A hand that writes K, E, T in the air, 640x480 at 30 frames a second."""
    rng = np.random.default_rng(3)
    characters = [letter_strokes(c, rng) for c in "KET"]
    frames = air_clip_frames(characters, seed=3, fps=30, width=640, height=480, size=220)
    write_clip(clips / "air.mp4", frames, 30)
    return clips / "air.mp4"


@pytest.fixture(scope="session")
def paper_clip(clips: Path) -> Path:
    """A sheet with RAKE on it, held up for 2.5 seconds, 1280x720."""
    rng = np.random.default_rng(5)
    line = [letter_strokes(c, rng) for c in "RAKE"]
    write_clip(clips / "paper.mp4", paper_clip_frames([line], seed=5, fps=30, seconds=2.5), 30)
    return clips / "paper.mp4"
