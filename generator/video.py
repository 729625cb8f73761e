"""The clip writer of the generator."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

_TICKS = 90_000
"""The time base, 1/90,000 s, keeps irregular times exact to 11 microseconds."""


def write_clip(
    path: Path, frames: Iterable[tuple[NDArray[np.uint8], float]], fps: float, quality: int = 20
) -> int:
    """Write frames with their own times as H.264 in MP4, over what was there.

    Args:
        path: The file to write.
        frames: (image, time): uint8 (height, width, 3) BGR, even sides, all of one size; seconds,
            strictly increasing, steps may be irregular.
        fps: The nominal rate that the file names, frames a second.
        quality: x264's constant rate factor: 18 looks lossless, 28 is small.

    Returns:
        The number of frames written.
    """
    count = 0
    with av.open(str(path), "w", format="mp4", options={"movflags": "+faststart"}) as container:
        stream = container.add_stream("libx264", rate=Fraction(fps).limit_denominator(1001))
        stream.pix_fmt = "yuv420p"
        stream.options = {"crf": str(quality), "preset": "veryfast"}
        stream.codec_context.time_base = Fraction(1, _TICKS)
        for image, time in frames:
            if count == 0:
                stream.height, stream.width = image.shape[:2]
            picture = av.VideoFrame.from_ndarray(np.ascontiguousarray(image), format="bgr24")
            picture.pts = round(time * _TICKS)
            picture.time_base = Fraction(1, _TICKS)
            container.mux(stream.encode(picture))
            count += 1
        container.mux(stream.encode(None))
    return count
