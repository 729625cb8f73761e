"""What a client is told that asked for something wrong: problem details (RFC 9457) as JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from http import HTTPStatus

from starlette.responses import Response

MEDIA_TYPE = "application/problem+json"


class Problem(Exception):
    """A request that is answered with a status of 400 or above, and one sentence.

    Args:
        status: The HTTP status.
        detail: What was wrong and what to do, one sentence.
        headers: Of the answer, such as Retry-After.
    """

    def __init__(self, status: int, detail: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.headers = dict(headers or {})

    @property
    def title(self) -> str:
        """The status in words."""
        return HTTPStatus(self.status).phrase

    def response(self) -> Response:
        """Return the answer."""
        fields = {"type": "about:blank", "title": self.title, "status": self.status}
        content = json.dumps(fields | {"detail": self.detail}).encode()
        return Response(content, self.status, self.headers, MEDIA_TYPE)


def busy() -> Problem:
    """Return what is answered while too much waits to be read."""
    return Problem(429, "Too much waits to be read: try again in a second.", {"Retry-After": "1"})
