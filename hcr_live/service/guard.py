"""What no request passes unless it is allowed: pure ASGI, before anything is routed."""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hcr_live.service.problems import Problem
from hcr_live.service.settings import Settings

_SECURITY = {
    "content-security-policy": (
        "default-src 'self'; img-src 'self' blob: data:; media-src 'self' blob:;"
        " worker-src 'self' blob:; object-src 'none'; base-uri 'none'; form-action 'none';"
        " frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "permissions-policy": "camera=(self), microphone=(), geolocation=()",
    "cross-origin-opener-policy": "same-origin",
}
_LOOPBACK = {"localhost", "127.0.0.1", "::1"}


def is_loopback(host: str) -> bool:
    """Return whether only this machine reaches what listens there."""
    return host in _LOOPBACK or (host.startswith("127.") and host.count(".") == 3)


def token_is_right(given: str, settings: Settings) -> bool:
    """Compare a token with the service's in constant time; any will do where there is none."""
    return not settings.token or hmac.compare_digest(given.encode(), settings.token.encode())


def bearer(headers: Headers) -> str:
    """Return the token of the Authorization header, "" without one."""
    scheme, _, token = headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def origin_is_allowed(headers: Headers, settings: Settings) -> bool:
    """Return whether a request comes from no page, a page of this service, or an allowed one."""
    origin = headers.get("origin")
    if origin is None or "*" in settings.origins or origin in settings.origins:
        return True
    return urlsplit(origin).netloc == headers.get("host")


def host_is_allowed(headers: Headers, settings: Settings) -> bool:
    """Return whether the service goes by the name that it was called.

    Without a token only names of this machine will do: any page's own name can be made to point
    here (DNS rebinding), and the browser then takes us for that page's own server.
    """
    if settings.token:
        return True
    host = urlsplit("//" + headers.get("host", "")).hostname or ""
    known = {urlsplit(origin).hostname for origin in settings.origins}
    return is_loopback(host) or host == settings.host or host in known


class Guard:
    """Refuses what is too large, too slow or not allowed, and collects the rest's bodies.

    Args:
        app: What answers the requests that pass; it gets the body in one piece.
        settings: The limits.
    """

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._settings = settings
        self._held = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; live connections look after themselves once the origin is right."""
        if scope["type"] == "http":
            await self._http(scope, receive, send)
        elif scope["type"] == "websocket":
            await self._websocket(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _websocket(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope)
        settings = self._settings
        if host_is_allowed(headers, settings) and origin_is_allowed(headers, settings):
            await self._app(scope, receive, send)
        else:
            await receive()
            await send({"type": "websocket.close", "code": 1008, "reason": "origin refused"})

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_securely(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _SECURITY.items():
                    headers.setdefault(name, value)
                headers.setdefault("cache-control", "no-store")
            await send(message)

        try:
            headers = Headers(scope=scope)
            self._check(scope, headers)
            with self._room() as room:
                body = await self._body(headers, receive, room)
                await self._app(scope, _receive_of(body, receive), send_securely)
        except Problem as problem:
            # What is left of the body is not worth reading.
            problem.headers["Connection"] = "close"
            await problem.response()(scope, receive, send_securely)

    def _check(self, scope: Scope, headers: Headers) -> None:
        settings = self._settings
        if not host_is_allowed(headers, settings):
            raise Problem(403, "The service does not go by that name here: ask for localhost.")
        if not origin_is_allowed(headers, settings):
            raise Problem(403, "Pages of that origin may not use the service: see --allow-origin.")
        if _is_guarded(scope["path"]) and not token_is_right(bearer(headers), settings):
            raise Problem(
                401,
                "The service wants its token: send it as 'Authorization: Bearer TOKEN'.",
                {"WWW-Authenticate": "Bearer"},
            )
        if headers.get("content-encoding", "identity").lower() != "identity":
            raise Problem(415, "A compressed body is not read: send it without Content-Encoding.")

    @contextmanager
    def _room(self) -> Iterator[_Room]:
        """Give back what a body took of the memory for all of them."""
        room = _Room(self)
        try:
            yield room
        finally:
            self._held -= room.taken

    async def _body(self, headers: Headers, receive: Receive, room: _Room) -> bytes:
        announced = headers.get("content-length", "")
        if announced.isdecimal() and int(announced) > self._settings.body_bytes:
            raise _too_long(self._settings.body_bytes)
        if not announced and "transfer-encoding" not in headers:
            return b""
        try:
            return await asyncio.wait_for(self._collect(receive, room), self._settings.body_seconds)
        except asyncio.TimeoutError:
            raise Problem(408, "The body took too long to arrive: send it again.") from None

    async def _collect(self, receive: Receive, room: _Room) -> bytes:
        parts: list[bytes] = []
        while True:
            message = await receive()
            if message["type"] != "http.request":
                raise Problem(400, "The body ended early.")
            part = message.get("body", b"")
            parts.append(part)
            room.take(len(part))
            if not message.get("more_body", False):
                return parts[0] if len(parts) == 1 else b"".join(parts)

    def hold(self, count: int) -> None:
        """Take so many bytes of the memory for all bodies.

        Raises:
            Problem: 429 if there is no room.
        """
        self._held += count
        if self._held > self._settings.held_bytes:
            raise Problem(
                429, "Too many large bodies at once: try again in a second.", {"Retry-After": "1"}
            )

    @property
    def longest(self) -> int:
        """Bytes of the longest body."""
        return self._settings.body_bytes


class _Room:
    """What one body takes of the memory."""

    def __init__(self, guard: Guard) -> None:
        self._guard = guard
        self.taken = 0

    def take(self, count: int) -> None:
        self.taken += count
        self._guard.hold(count)
        if self.taken > self._guard.longest:
            raise _too_long(self._guard.longest)


def _too_long(longest: int) -> Problem:
    return Problem(413, f"The body is longer than {longest} bytes: send a smaller image.")


def _is_guarded(path: str) -> bool:
    """Return whether a path needs the token: all but the page, the description and the probes."""
    return path == "/metrics" or path.startswith("/v1/")


def _receive_of(body: bytes, receive: Receive) -> Receive:
    """Return a `receive` that gives the body in one piece, then what else comes."""
    waiting = [body]

    async def receive_body() -> Message:
        if waiting:
            return {"type": "http.request", "body": waiting.pop(), "more_body": False}
        return await receive()

    return receive_body
