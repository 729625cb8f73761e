"""Makes the bundled demo clip: a held sheet, then air-writing. `python -m generator.demo`."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from generator.air_clip import air_clip_frames
from generator.letters import letter_strokes
from generator.paper_clip import paper_clip_frames
from generator.sheet import SheetStyle
from generator.video import write_clip

ON_PAPER, IN_THE_AIR = "HELLO", "WORLD"
"""What the demo says."""

_SEED = 11
_FPS = 30
_PAPER_SECONDS = 4.5
_FADE_FRAMES = 15


def demo_frames() -> Iterator[tuple[NDArray[np.uint8], float]]:
    """Yield the demo's frames, uint8 (720, 1280, 3) BGR, and their times in seconds."""
    rng = np.random.default_rng(_SEED)
    style = SheetStyle(
        paper="cream",
        ruling="ruled",
        pen="marker",
        background="room",
        height=0.62,
        aspect=1.7,
        tilt=-5.0,
        perspective=0.05,
        shadow=0.3,
        thumb=True,
    )
    line = [letter_strokes(character, rng) for character in ON_PAPER]
    paper = paper_clip_frames([line], seed=_SEED, fps=_FPS, seconds=_PAPER_SECONDS, style=style)
    written = [letter_strokes(character, rng) for character in IN_THE_AIR]
    air = air_clip_frames(written, seed=_SEED, fps=_FPS, size=340, light=True)
    number, last = 0, np.zeros((720, 1280, 3), np.uint8)
    for image, _ in paper:
        yield image, number / _FPS
        number, last = number + 1, image
    for count, (image, _) in enumerate(air, 1):
        share = min(1.0, count / _FADE_FRAMES)
        shown = image if share == 1 else cv2.addWeighted(image, share, last, 1 - share, 0)
        yield shown, number / _FPS
        number += 1


def main() -> None:
    """Write the clip."""
    parser = argparse.ArgumentParser(description=__doc__)
    default = Path(__file__).parent.parent / "hcr_live" / "assets" / "demo.mp4"
    parser.add_argument("--out", type=Path, default=default, help="where to; default %(default)s")
    out: Path = parser.parse_args().out
    count = write_clip(out, demo_frames(), _FPS, quality=27)
    print(f"{out}: {count} frames, {out.stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
