"""Clips with sound: a tone that is on while the picture is white."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

_FPS, _SAMPLES = 30, 1024


def write_flash(
    path: Path,
    codec: str = "aac",
    *,
    seconds: float = 1.5,
    flash: tuple[float, float] = (0.5, 1.0),
    rate: int = 44_100,
    delay: float = 0.0,
    video: str = "libx264",
) -> None:
    """Write a dark clip, 64x48, that is white, and has a tone, from one time to another.

    Args:
        path: Where to; its ending says the format.
        codec: Of the sound.
        seconds: How long it is.
        flash: From when to when it is white and loud.
        rate: Samples a second.
        delay: Seconds at which it begins.
        video: Codec of the pictures.
    """
    with av.open(str(path), "w") as container:
        pictures = container.add_stream(video, rate=_FPS)
        pictures.width, pictures.height, pictures.pix_fmt = 64, 48, "yuv420p"
        sound = container.add_stream(codec, rate=rate, layout="mono")
        done = 0
        for frame in tone(seconds, flash, rate, delay):
            container.mux(sound.encode(frame))
            while done / _FPS < frame.time - delay:
                is_white = flash[0] <= done / _FPS < flash[1]
                image = np.full((48, 64, 3), 255 if is_white else 20, np.uint8)
                picture = av.VideoFrame.from_ndarray(image, format="bgr24")
                picture.pts = done + round(delay * _FPS)
                picture.time_base = Fraction(1, _FPS)
                container.mux(pictures.encode(picture))
                done += 1
        container.mux(pictures.encode(None))
        container.mux(sound.encode(None))


def add_tone(video: Path, target: Path, codec: str = "aac", rate: int = 44_100) -> None:
    """Write a copy of a video, pictures untouched, with a tone all through."""
    with av.open(str(video)) as source, av.open(str(target), "w") as container:
        pictures = container.add_stream_from_template(source.streams.video[0])
        sound = container.add_stream(codec, rate=rate, layout="mono")
        seconds = source.duration / av.time_base
        for frame in tone(seconds, (0.0, seconds), rate):
            container.mux(sound.encode(frame))
        container.mux(sound.encode(None))
        for packet in source.demux(video=0):
            if packet.size:
                packet.stream = pictures
                container.mux(packet)


def tone(
    seconds: float, loud: tuple[float, float], rate: int, delay: float = 0.0
) -> Iterator[av.AudioFrame]:
    """Yield 440 Hz, mono, silent outside of `loud`."""
    times = np.arange(round(rate * seconds)) / rate
    wave = np.sin(2 * np.pi * 440 * times) * ((loud[0] <= times) & (times < loud[1]))
    for first in range(0, len(wave), _SAMPLES):
        part = np.ascontiguousarray(wave[None, first : first + _SAMPLES] / 2, np.float32)
        frame = av.AudioFrame.from_ndarray(part, format="fltp", layout="mono")
        frame.sample_rate, frame.time_base = rate, Fraction(1, rate)
        frame.pts = first + round(delay * rate)
        yield frame


def sound_begins(path: Path) -> float:
    """Return the time of the first loud sample."""
    with av.open(str(path)) as container:
        for frame in container.decode(audio=0):
            resampled = av.AudioResampler(format="fltp", layout="mono").resample(frame)[0]
            loud = np.flatnonzero(np.abs(resampled.to_ndarray()[0]) > 0.1)
            if len(loud):
                return float(frame.time + loud[0] / frame.sample_rate)
    raise AssertionError("there is no tone")


def picture_brightens(path: Path) -> float:
    """Return the time of the first white picture."""
    with av.open(str(path)) as container:
        for frame in container.decode(video=0):
            if frame.to_ndarray(format="gray").mean() > 128:
                return float(frame.time)
    raise AssertionError("there is no white picture")


def sound_packets(path: Path) -> list[bytes]:
    """Return the encoded sound."""
    with av.open(str(path)) as container:
        return [bytes(packet) for packet in container.demux(audio=0) if packet.size]


def subtitles_of(path: Path) -> list[tuple[float, float, str]]:
    """Return the cues of an MP4 file's own track: begin, end, text."""
    with av.open(str(path)) as container:
        found = []
        for packet in container.demux(subtitles=0):
            content = bytes(packet)
            text = content[2 : 2 + int.from_bytes(content[:2], "big")].decode()
            if text:
                begin = float(packet.pts * packet.time_base)
                end = begin + float(packet.duration * packet.time_base)
                found.append((begin, end, text))
    return found
