"""The service on a thread of the tests, asked over real HTTP."""

from __future__ import annotations

import json
import threading
import time
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import cv2
import httpx
import numpy as np
import pytest
import uvicorn
from numpy.typing import NDArray

from generator.letters import letter_strokes
from hcr_live.ink.render import render_strokes
from hcr_live.serve import listen, server_config
from hcr_live.service.settings import Settings


@dataclass(frozen=True)
class Service:
    """A service that runs, and a client that keeps its connections."""

    port: int
    http: httpx.Client

    def post(self, path: str, body: Any, **headers: str) -> httpx.Response:
        """Ask with JSON; bytes are sent as they are."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.http.post(
            path, content=content, headers={"content-type": "application/json"} | headers
        )


@contextmanager
def running(settings: Settings) -> Iterator[Service]:
    """Run a service on a free port until the block ends."""
    listener = listen(settings)
    port = listener.getsockname()[1]
    server = uvicorn.Server(server_config(settings))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        while not server.started and thread.is_alive():
            time.sleep(0.01)
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30) as http:
            yield Service(port, http)
    finally:
        server.should_exit = True
        thread.join()


@pytest.fixture(scope="session")
def service() -> Iterator[Service]:
    """A service as it is without options."""
    with running(Settings(port=0)) as service:
        yield service


def drawn(character: str, seed: int = 1, side: int = 96) -> NDArray[np.uint8]:
    """A handwritten character, black on white, uint8 (side, side)."""
    ink = render_strokes(letter_strokes(character, np.random.default_rng(seed)), 2 * side // 3)
    h, w = ink.shape
    image = np.full((side, side), 255, np.uint8)
    top, left = (side - h) // 2, (side - w) // 2
    image[top : top + h, left : left + w] -= ink
    return image


def encoded(image: NDArray[np.uint8], ending: str = ".png") -> bytes:
    """The content of an image file."""
    return cv2.imencode(ending, image)[1].tobytes()


def base64(image: NDArray[np.uint8] | bytes) -> str:
    """An image as JSON takes it."""
    content = image if isinstance(image, bytes) else encoded(image)
    return b64encode(content).decode()
