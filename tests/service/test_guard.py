"""What the service lets in: how much, how slowly, from where, with which token."""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Iterator

import httpx
import pytest

from hcr_live.service.settings import Settings
from tests.service.conftest import Service, base64, drawn, running
from tests.service.test_refusals import assert_problem

PAGE = "https://letters.example"
GOOD = {"image": base64(drawn("K"))}


@pytest.fixture(scope="module")
def narrow() -> Iterator[Service]:
    """A service with a token, another origin, and little patience."""
    settings = Settings(
        port=0,
        token="open-sesame",
        origins=(PAGE,),
        body_bytes=50_000,
        held_bytes=120_000,
        body_seconds=0.4,
        sockets=8,
        pixels=40_000,
    )
    with running(settings) as service:
        service.http.headers["authorization"] = "Bearer open-sesame"
        yield service


def talk(port: int, *parts: bytes, pause: float = 0.0) -> bytes:
    """Send bytes as they are, slowly if asked to, and return all that comes back."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        with contextlib.suppress(ConnectionError):  # the service need not hear the end
            for part in parts:
                connection.sendall(part)
                time.sleep(pause)
        answer = b""
        with contextlib.suppress(ConnectionError):
            while part := connection.recv(65536):
                answer += part
    return answer


def head(length: str, **more: str) -> bytes:
    lines = [
        "POST /v1/character HTTP/1.1",
        "Host: localhost",
        "Authorization: Bearer open-sesame",
        "Content-Type: application/json",
        length,
        *(f"{name}: {value}" for name, value in more.items()),
    ]
    return "\r\n".join([*lines, "", ""]).encode()


# Who


@pytest.mark.parametrize("path", ["/v1/model", "/metrics", "/v1/nothing"])
@pytest.mark.parametrize(
    "given", ["", "Bearer", "Bearer open", "Basic open-sesame", "Bearer Ω", "open-sesame"]
)
def test_the_token_is_wanted(narrow: Service, path: str, given: str):
    answer = narrow.http.get(path, headers={"authorization": given.encode()})
    assert_problem(answer, 401, "token")
    assert answer.headers["www-authenticate"] == "Bearer"


def test_the_token_opens(narrow: Service):
    assert narrow.http.get("/v1/model").status_code == 200
    assert narrow.post("/v1/character", GOOD).json()["text"] == "K"


@pytest.mark.parametrize("path", ["/", "/docs", "/openapi.json", "/healthz", "/readyz"])
def test_page_description_and_probes_need_no_token(narrow: Service, path: str):
    answer = httpx.get(f"http://127.0.0.1:{narrow.port}{path}")
    assert answer.status_code == 200


def test_pages_of_elsewhere_are_refused(service: Service, narrow: Service):
    for origin in ("https://evil.example", "null", "http://localhost:1", "file://"):
        for each in (service, narrow):
            assert_problem(each.post("/v1/character", GOOD, origin=origin), 403, "origin")
    assert service.post("/v1/character", GOOD, origin=PAGE).status_code == 403
    own = f"http://127.0.0.1:{service.port}"
    assert service.post("/v1/character", GOOD, origin=own).status_code == 200


def test_pages_that_are_allowed_may_read_the_answer(narrow: Service):
    answer = narrow.post("/v1/character", GOOD, origin=PAGE)
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == PAGE
    asked = {
        "origin": PAGE,
        "access-control-request-method": "POST",
        "access-control-request-headers": "authorization,content-type",
    }
    answer = httpx.options(f"http://127.0.0.1:{narrow.port}/v1/read", headers=asked)
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == PAGE


def test_nobody_else_is_told_that_he_may(service: Service):
    answer = service.http.get("/healthz", headers={"origin": f"http://127.0.0.1:{service.port}"})
    assert not [name for name in answer.headers if name.startswith("access-control")]


@pytest.mark.parametrize(
    "host",
    ["evil.example", "localhost.evil.example", "127.0.0.1.nip.example", "127.0.evil.example"],
)
def test_without_a_token_a_strange_name_is_refused(service: Service, narrow: Service, host: str):
    assert_problem(service.http.get("/healthz", headers={"host": host}), 403, "localhost")
    assert narrow.http.get("/healthz", headers={"host": host}).status_code == 200


def test_answers_tell_browsers_to_be_careful(service: Service):
    for path in ("/", "/docs", "/v1/model", "/nothing"):
        headers = service.http.get(path).headers
        assert "default-src 'self'" in headers["content-security-policy"]
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
    assert service.http.get("/v1/model").headers["cache-control"] == "no-store"
    assert "server" not in headers


# How much


def test_a_body_may_be_so_long(narrow: Service):
    assert narrow.post("/v1/character", b"x" * 50_000).status_code == 400
    assert_problem(narrow.post("/v1/character", b"x" * 50_001), 413, "50000 bytes")


def test_a_body_of_unknown_length_is_counted(narrow: Service):
    chunk = b"2710\r\n" + b"x" * 10_000 + b"\r\n"
    answer = talk(narrow.port, head("Transfer-Encoding: chunked"), *[chunk] * 20)
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b"50000 bytes" in answer


def test_a_body_that_is_announced_too_long_is_not_waited_for(narrow: Service):
    answer = talk(narrow.port, head("Content-Length: 99999999999"))
    assert answer.startswith(b"HTTP/1.1 413 ")


def test_bodies_share_the_memory(narrow: Service):
    with contextlib.ExitStack() as stack:
        for _ in range(3):
            connection = socket.create_connection(("127.0.0.1", narrow.port), timeout=20)
            stack.enter_context(connection)
            connection.sendall(head("Content-Length: 50000") + b"x" * 40_000)
        answer = narrow.post("/v1/character", b"x" * 50_000)
    assert_problem(answer, 429, "later" if "later" in answer.text else "again")
    assert narrow.post("/v1/character", GOOD).status_code == 200


def test_pixels_are_counted_before_they_are_decoded(narrow: Service):
    large = base64(drawn("K", side=201))
    assert_problem(narrow.post("/v1/character", {"image": large}), 413, "201x201", "40000")


def test_a_head_may_be_so_long(narrow: Service):
    answer = talk(narrow.port, b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"x" * 70_000)
    assert answer.startswith(b"HTTP/1.1 431 ")


def test_connections_are_counted(narrow: Service):
    with contextlib.ExitStack() as stack:
        answers = []
        for _ in range(12):
            connection = socket.create_connection(("127.0.0.1", narrow.port), timeout=20)
            stack.enter_context(connection)
            connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
            with contextlib.suppress(ConnectionError):
                answers.append(connection.recv(1000)[:12])
    assert answers[0] == b"HTTP/1.1 200"
    assert answers[-1] in (b"HTTP/1.1 429", b"")
    assert len([answer for answer in answers if answer == b"HTTP/1.1 200"]) <= 8


# How slowly


def test_a_slow_body_is_not_waited_for(narrow: Service):
    answer = talk(narrow.port, head("Content-Length: 100"), *[b"x"] * 8, pause=0.1)
    assert answer.startswith(b"HTTP/1.1 408 ")


def test_a_body_that_never_comes_is_not_waited_for(narrow: Service):
    assert talk(narrow.port, head("Content-Length: 100")).startswith(b"HTTP/1.1 408 ")


@pytest.mark.parametrize(
    "parts",
    [[b""], [b"GET / HT"], [b"G"] + [b"x"] * 8, [b"\r\n"] * 8, [b"GET / HTTP/1.1\r\nX: y\r\n"]],
)
def test_a_head_that_never_ends_is_not_waited_for(narrow: Service, parts: list[bytes]):
    talk(narrow.port, *parts, pause=0.1)  # returns when the service hangs up
    assert narrow.http.get("/healthz").status_code == 200


# What is no HTTP


@pytest.mark.parametrize(
    "content",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(200),
        b"GARBAGE\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabc",
        b"GET \xff\xfe HTTP/1.1\r\nHost: localhost\r\n\r\n",
        bytes(range(256)) * 20,
    ],
)
def test_what_is_no_http_is_refused(narrow: Service, content: bytes):
    answer = talk(narrow.port, content)
    assert answer[:12] in (b"HTTP/1.1 400", b"HTTP/1.1 404")
    assert b"application/problem+json" in answer


def test_a_bad_chunk_is_refused(narrow: Service):
    answer = talk(narrow.port, head("Transfer-Encoding: chunked"), b"zz\r\nxx\r\n")
    assert answer.startswith(b"HTTP/1.1 4")


def test_who_hangs_up_early_does_no_harm(narrow: Service):
    body = b"x" * 40_000
    for sent in (b"", b"PO", head("Content-Length: 40000"), head("Content-Length: 40000") + body):
        for _ in range(5):
            with socket.create_connection(("127.0.0.1", narrow.port)) as connection:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
                connection.sendall(sent)
    for _ in range(3):  # their memory is given back, their places are free
        assert narrow.post("/v1/character", b"x" * 50_000).status_code == 400
