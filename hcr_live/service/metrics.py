"""Figures for Prometheus, right with one worker process and with several."""

from __future__ import annotations

import os
import time
from pathlib import Path

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hcr_live.service.settings import SHARED_FIGURES

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
        disable_created_metrics()
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

    def answered(self, endpoint: str, status: int, seconds: float) -> None:
        """Count an answer."""
        self.requests.labels(endpoint, status).inc()
        self.seconds.labels(endpoint).observe(seconds)

    def text(self) -> bytes:
        """Return all figures of all workers in Prometheus' text format."""
        folder = os.environ.get(SHARED_FIGURES)
        if not folder:
            return generate_latest(self._registry)
        _forget_the_dead(Path(folder))
        registry = CollectorRegistry()
        MultiProcessCollector(registry)
        return generate_latest(registry)


class Measure:
    """Counts and times the answers of an ASGI application, those that were refused included."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass one request on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started, status = time.perf_counter(), 500

        async def send_and_note(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, send_and_note)
        finally:
            # Addresses that are none would make a row each.
            route = getattr(scope.get("route"), "path", "none")
            self._metrics.answered(route, status, time.perf_counter() - started)


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
