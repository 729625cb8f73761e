"""The limits that only the connection itself can keep: how many, and how long for a head."""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from hcr_live.service.problems import Problem
from hcr_live.service.settings import Settings

_LONGEST_HEAD = 64 << 10


class LimitedProtocol(HttpToolsProtocol):
    """uvicorn's HTTP/1.1, without endless heads, endless waits or endless connections.

    Args:
        limits: How many connections, and how long a head may take.
        options: What uvicorn says when it makes one.
    """

    def __init__(self, *, limits: Settings, **options: Any) -> None:
        super().__init__(**options)
        self._limits = limits
        self._is_head = True
        self._head = 0
        self._late: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Refuse one too many, and wait for the first request only so long."""
        super().connection_made(transport)
        if len(self.connections) > self._limits.sockets:
            self._refuse(Problem(429, "Too many connections: try again in a second."))
        else:
            self._expect_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the timer."""
        self._head_is_there()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Count the bytes of a head, from its first one on."""
        if self.transport.is_closing():
            return
        if self._is_head:
            self._expect_head()
            self._head += len(data)
        super().data_received(data)
        if self._is_head and self._head > _LONGEST_HEAD:
            self._refuse(Problem(431, f"The request's head is longer than {_LONGEST_HEAD} bytes."))

    def on_headers_complete(self) -> None:
        """From here on the guard looks after the request."""
        self._is_head = False
        self._head_is_there()
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """What comes next is the head of another request."""
        self._is_head, self._head = True, 0
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        """Answer what is no HTTP as any other bad request."""
        self._refuse(Problem(400, "That is no HTTP request."))

    def _expect_head(self) -> None:
        if self._late is None:
            seconds = self._limits.body_seconds
            self._late = self.loop.call_later(seconds, self.timeout_keep_alive_handler)

    def _head_is_there(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None

    def _refuse(self, problem: Problem) -> None:
        response = problem.response()
        lines = [f"HTTP/1.1 {problem.status} {problem.title}".encode()]
        lines += [name + b": " + value for name, value in response.raw_headers]
        lines += [b"connection: close", b"", bytes(response.body)]
        self.transport.write(b"\r\n".join(lines))
        self.transport.close()
