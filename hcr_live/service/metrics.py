"""Figures for Prometheus, right with one worker process and with several."""

from __future__ import annotations

import os
from pathlib import Path

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

FOLDER = "PROMETHEUS_MULTIPROC_DIR"
"""The environment variable with the folder through which worker processes share their figures."""

_SECONDS = (0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)


class Metrics:
    """The figures of one worker.

    Attributes:
        requests: Answers, by endpoint and status.
        seconds: How long requests took, by endpoint.
        characters: Single characters read, of pictures and strokes.
        live: Live connections now.
        frames: Frames of live connections, by what became of them: read or dropped.
    """

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        of = self._registry
        self.requests = Counter("hcr_live_requests", "Answers", ("endpoint", "status"), registry=of)
        self.seconds = Histogram(
            "hcr_live_request_seconds",
            "From a request's head to its answer",
            ("endpoint",),
            buckets=_SECONDS,
            registry=of,
        )
        self.characters = Counter("hcr_live_characters", "Single characters read", registry=of)
        self.live = Gauge(
            "hcr_live_live_connections",
            "Live connections now",
            multiprocess_mode="livesum",
            registry=of,
        )
        self.frames = Counter(
            "hcr_live_frames", "Frames of live connections", ("result",), registry=of
        )

    def text(self) -> bytes:
        """Return all figures of all workers in Prometheus' text format."""
        folder = os.environ.get(FOLDER)
        if not folder:
            return generate_latest(self._registry)
        _forget_the_dead(Path(folder))
        registry = CollectorRegistry()
        MultiProcessCollector(registry)
        return generate_latest(registry)


def _forget_the_dead(folder: Path) -> None:
    """Drop what workers that ended left of figures that hold only now."""
    for file in folder.glob("gauge_live*.db"):
        number = int(file.stem.rpartition("_")[2])
        try:
            os.kill(number, 0)
        except ProcessLookupError:
            mark_process_dead(number, str(folder))
        except OSError:
            continue
