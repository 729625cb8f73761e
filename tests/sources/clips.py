"""Writes the clips that the tests read: every frame says its number by its grey value."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

WIDTH, HEIGHT = 96, 64


def picture(number: int) -> np.ndarray:
    """A grey picture of its number, with a white corner at the top left."""
    image = np.full((HEIGHT, WIDTH, 3), 10 + 7 * number % 200, np.uint8)
    image[: HEIGHT // 4, : WIDTH // 4] = 255
    return image


def write_clip(
    path: Path,
    times: Sequence[float] = tuple(i / 30 for i in range(20)),
    *,
    codec: str = "libx264",
    pixel_format: str = "yuv420p",
    faststart: bool = True,
    noise: bool = False,
    ticks: int = 1000,
) -> Path:
    options = {"movflags": "faststart"} if faststart and path.suffix == ".mp4" else {}
    random = np.random.default_rng(0)
    with av.open(str(path), "w", options=options) as container:
        stream = container.add_stream(codec, rate=30)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, pixel_format
        stream.codec_context.time_base = Fraction(1, ticks)
        for number, time in enumerate(times):
            image = picture(number)
            if noise:
                image = random.integers(0, 255, image.shape, dtype=np.uint8)
            frame = av.VideoFrame.from_ndarray(image, format="bgr24")
            frame.pts, frame.time_base = round(time * ticks), Fraction(1, ticks)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def turn_by_metadata(path: Path) -> None:
    """Tell an MP4 to be shown turned by 90 degrees clockwise, as phones held upright do."""
    content = bytearray(path.read_bytes())
    matrix = content.index(b"tkhd") + 4 + 40  # version 0: the matrix is 40 bytes in
    one, last = 1 << 16, 1 << 30
    content[matrix : matrix + 36] = struct.pack(">9i", 0, one, 0, -one, 0, 0, HEIGHT << 16, 0, last)
    path.write_bytes(content)


def silent_audio(path: Path) -> Path:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=8000)
        frame = av.AudioFrame(format="fltp", layout="mono", samples=1024)
        frame.rate = 8000
        for plane in frame.planes:
            plane.update(bytes(plane.buffer_size))
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path
