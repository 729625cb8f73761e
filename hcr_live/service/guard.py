"""What no request passes unless it is allowed: pure ASGI, before anything is routed."""

from __future__ import annotations

import hmac
from urllib.parse import urlsplit

import anyio
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hcr_live.service.problems import Problem, busy
from hcr_live.service.settings import Settings, is_loopback

_SECURITY = {
    "content-security-policy": (
        "default-src 'self'; img-src 'self' blob: data:; media-src 'self' blob:;"
        " worker-src 'self' blob:; object-src 'none'; base-uri 'none'; form-action 'none';"
        " frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "permissions-policy": "camera=(self), microphone=(), geolocation=()",
}


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
        guarded = _is_guarded(scope["path"])

        async def send_securely(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(_SECURITY)
                headers.setdefault("cache-control", "no-store" if guarded else "no-cache")
            await send(message)

        parts: list[bytes] = []
        try:
            headers = Headers(scope=scope)
            self._check(headers, guarded)
            await self._collect(headers, receive, parts)
            await self._app(scope, _receive_of(b"".join(parts), receive), send_securely)
        except Problem as problem:
            # What is left of the body is not worth reading.
            problem.headers["Connection"] = "close"
            await problem.response()(scope, receive, send_securely)
        finally:
            self._held -= sum(map(len, parts))

    def _check(self, headers: Headers, guarded: bool) -> None:
        settings = self._settings
        if not host_is_allowed(headers, settings):
            raise Problem(
                403,
                "Without a token the service is known as localhost only: ask for that, set a token,"
                " or see --allow-origin.",
            )
        if not origin_is_allowed(headers, settings):
            raise Problem(403, "Pages of that origin may not use the service: see --allow-origin.")
        if guarded and not token_is_right(bearer(headers), settings):
            raise Problem(
                401,
                "The service wants its token: send it as 'Authorization: Bearer TOKEN'.",
                {"WWW-Authenticate": "Bearer"},
            )
        if headers.get("content-encoding", "identity").lower() != "identity":
            raise Problem(415, "A compressed body is not read: send it without Content-Encoding.")

    async def _collect(self, headers: Headers, receive: Receive, parts: list[bytes]) -> None:
        """Append the parts of the body, as far as there is room and time."""
        longest = self._settings.body_bytes
        announced = headers.get("content-length", "")
        if announced.isdecimal() and int(announced) > longest:
            raise _too_long(longest)
        if not announced and "transfer-encoding" not in headers:
            return
        length, more = 0, True
        try:
            with anyio.fail_after(self._settings.body_seconds):
                while more:
                    message = await receive()
                    if message["type"] != "http.request":
                        raise Problem(400, "The body ended early.")
                    part, more = message.get("body", b""), message.get("more_body", False)
                    parts.append(part)
                    length += len(part)
                    self._held += len(part)
                    if length > longest:
                        raise _too_long(longest)
                    if self._held > self._settings.held_bytes:
                        raise busy()
        except TimeoutError:
            raise Problem(408, "The body took too long to arrive: send it again.") from None


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
