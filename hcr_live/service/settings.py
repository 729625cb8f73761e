"""What the service was asked to be, as one value that its worker processes are handed."""

from __future__ import annotations

from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path

SHARED_FIGURES = "PROMETHEUS_MULTIPROC_DIR"
"""The environment variable by which `prometheus_client` finds what worker processes share."""


@dataclass(frozen=True)
class Settings:
    """Where the service listens, whom it answers, and how much of anything it takes.

    Attributes:
        host: Name or address to listen on.
        port: TCP port; 0 for any free one.
        workers: Processes that share the port.
        token: What a client must show as a bearer, "" for nobody must.
        origins: Web origins (scheme://host[:port], or "*") besides its own whose pages may use
            the service.
        model: Another network (.tflite) than the shipped one.
        body_bytes: Longest body of a request.
        strokes_bytes: Longest body of pen strokes.
        points: Most points of the strokes of a character.
        body_seconds: Longest time that a request's head, and its body, may take to arrive.
        held_bytes: Most bytes of bodies in memory at a time, all requests of a worker together.
        pixels: Most pixels of a picture, known from its header, before it is decoded.
        waiting: Most characters that wait to be read; more are answered 429.
        pictures: Most whole pictures that wait to be read.
        answer_seconds: Longest time that a picture may wait and be read.
        sockets: Most connections to a worker at a time.
        connections: Most live connections to a worker at a time.
        frame_bytes: Longest picture of a live connection.
        frame_pixels: Most pixels of a picture of a live connection.
        frames_a_second: Most pictures a second that one live connection may send.
        idle_seconds: A live connection that sends nothing for so long is closed.
    """

    host: str = "127.0.0.1"
    port: int = 8000
    workers: int = 1
    token: str = field(default="", repr=False)
    origins: tuple[str, ...] = ()
    model: Path | None = None
    body_bytes: int = 16 << 20
    strokes_bytes: int = 1 << 20
    points: int = 10_000
    body_seconds: float = 20.0
    held_bytes: int = 256 << 20
    pixels: int = 50_000_000
    waiting: int = 512
    pictures: int = 32
    answer_seconds: float = 60.0
    sockets: int = 1000
    connections: int = 16
    frame_bytes: int = 4 << 20
    frame_pixels: int = 4_000_000
    frames_a_second: float = 120.0
    idle_seconds: float = 60.0


def is_loopback(host: str) -> bool:
    """Return whether only this machine reaches what listens there; names count as what they say."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
