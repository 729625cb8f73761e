"""Requests that are wrong in every way that we could think of, for `benchmarks.serve`.

A request is bytes, not what a library would let us send: half of what is wrong with requests is
wrong with their bytes. Most are made from the service's OpenAPI description: an operation's
example with something of it lost, exchanged or added; the others by hand.
"""

from __future__ import annotations

import asyncio
import gzip
import io
import json
import struct
import zipfile
import zlib
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from typing import Any

import cv2
import numpy as np

_PATIENCE = 30.0
_DESCRIBED = 0.6
_HUGE = 40_000_000
_WEBSOCKET_INTERNAL_ERROR = 1011


@dataclass(frozen=True)
class Attempt:
    """A request and how it is sent.

    Attributes:
        kind: What is wrong with it, in a word or two.
        sent: The bytes.
        frames: WebSocket frames that follow once the connection is one.
        hangs_up: The connection is closed at once, without waiting for an answer.
    """

    kind: str
    sent: bytes
    frames: bytes = b""
    hangs_up: bool = False


@dataclass(frozen=True)
class Answer:
    """What came of an attempt.

    Attributes:
        status: Of the answer, 500 for a WebSocket that failed inside; 0 where the connection
            was closed without one, -1 where nothing came in time.
        explained: Whether it is a problem JSON.
    """

    status: int
    explained: bool = False


async def attempt(port: int, one: Attempt) -> Answer:
    """Send a request on a connection of its own and wait for what the service makes of it."""
    try:
        return await asyncio.wait_for(_attempt(port, one), _PATIENCE)
    except TimeoutError:
        return Answer(-1)
    except OSError:  # it hung up while we were still sending
        return Answer(0)


async def _attempt(port: int, one: Attempt) -> Answer:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(one.sent)
        if one.hangs_up:
            await writer.drain()
            return Answer(0)
        # What refuses a large body may answer before all of it has been sent.
        sending = asyncio.ensure_future(writer.drain())
        try:
            head = await reader.readuntil(b"\r\n\r\n")
        except asyncio.IncompleteReadError as error:
            head = error.partial
        finally:
            sending.cancel()
            with suppress(asyncio.CancelledError, OSError):
                await sending
        words = head.split(b" ", 2)
        if len(words) < 2 or not words[1][:3].isdigit():
            return Answer(0)
        status = int(words[1][:3])
        if status == 101:
            writer.write(one.frames)
            internal = _WEBSOCKET_INTERNAL_ERROR in _closing_codes(await reader.read())
            return Answer(500 if internal else status)
        return Answer(status, b"application/problem+json" in head)
    finally:
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()


def _closing_codes(received: bytes) -> list[int]:
    """Return the codes of the close frames among what a WebSocket server sent (RFC 6455, 5.2)."""
    codes = []
    at = 0
    while at + 2 <= len(received):
        kind, length, begin = received[at] & 15, received[at + 1] & 127, at + 2
        if length == 126:
            length, begin = int.from_bytes(received[at + 2 : at + 4], "big"), at + 4
        elif length == 127:
            length, begin = int.from_bytes(received[at + 2 : at + 10], "big"), at + 10
        if kind == 8:
            codes.append(int.from_bytes(received[begin : begin + 2], "big"))
        at = begin + length
    return codes


def attempts(description: dict[str, Any], count: int, seed: int) -> Iterator[Attempt]:
    """Yield so many requests.

    Args:
        description: The service's OpenAPI description.
        count: How many.
        seed: Every choice.
    """
    rng = np.random.default_rng(seed)
    operations = list(_operations(description))
    by_hand = _by_hand(rng)
    shares = np.array([share for _, share, _ in by_hand])
    shares /= shares.sum()
    for _ in range(count):
        if rng.random() < _DESCRIBED:
            yield _described(operations, rng)
        else:
            kind, _, make = by_hand[int(rng.choice(len(by_hand), p=shares))]
            made = make()
            yield made if isinstance(made, Attempt) else Attempt(kind, made)


# From the description


@dataclass(frozen=True)
class _Operation:
    method: str
    path: str
    example: dict[str, Any] | None


def _operations(description: dict[str, Any]) -> Iterator[_Operation]:
    for path, methods in description["paths"].items():
        for method, said in methods.items():
            content = said.get("requestBody", {}).get("content", {})
            schema = content.get("application/json", {}).get("schema")
            example = None if schema is None else _example(schema, description)
            yield _Operation(method.upper(), path, example)


def _example(schema: dict[str, Any], description: dict[str, Any]) -> Any:
    """Return a value that the schema allows, as far as that can be told without much ado."""
    if "$ref" in schema:
        whole: Any = description
        for name in schema["$ref"].removeprefix("#/").split("/"):
            whole = whole[name]
        return _example(whole, description)
    if "default" in schema:
        return schema["default"]
    for choice in ("anyOf", "oneOf", "allOf"):
        if choice in schema:
            return _example(schema[choice][0], description)
    if "properties" in schema:
        values = {name: _example(of, description) for name, of in schema["properties"].items()}
        if "image" in values:
            values["image"] = _base64(_png(40, 40))
        if "strokes" in values:
            values["strokes"] = [[[0, 0], [0, 9]], [[0, 0], [5, 0]]]
        return values
    if "enum" in schema:
        return schema["enum"][0]
    simple = {"string": "letters", "number": 0.5, "integer": 1, "boolean": True, "null": None}
    return [] if schema.get("type") == "array" else simple.get(str(schema.get("type")))


_WRONG: tuple[Any, ...] = (
    None, True, 0, -1, 1e308, -0.0, 2**63, 10**400, "", " ", "\0", "letters\n", "ALL", "\ud800",
    "🖊" * 50, "a" * 10_000, "../../etc/passwd", "data:image/png;base64,", "data:,x", "====",
    [], [[]], [[[]]], [[[0]]], [[[0, 0, 0, 0]]], [[["x", "y"]]], [[[1e308, -1e308], [0, 1]]],
    [0, 0, 0, 0], [-5, -5, 10, 10], [0, 0, 10**9, 10**9], [1.5, 0, 3, 3], [1, 2, 3], list("abcd"),
    {}, {"": ""}, {"image": {"image": {}}}, [None], [0] * 5000, [[[0, 0]] * 3] * 300,
)  # fmt: skip
_WORDS = (b"NaN", b"Infinity", b"-Infinity", b"1e999", b"undefined", b"\xff\xfe", b"'a'", b"{]")
_TYPES = (
    "application/json", "text/plain", "multipart/form-data", "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=", "application/json; charset=utf-16", "image/png", "", "a/b/c",
)  # fmt: skip


def _described(operations: list[_Operation], rng: np.random.Generator) -> Attempt:
    operation = operations[int(rng.integers(len(operations)))]
    method, path, kind = operation.method, operation.path, "application/json"
    values = None if operation.example is None else dict(operation.example)
    if values is None:
        body = b"" if rng.random() < 0.5 else rng.bytes(int(rng.integers(1, 200)))
    else:
        names = list(values)
        for name in rng.choice(names, int(rng.integers(0, 3))):
            if rng.random() < 0.25:
                values.pop(name, None)
            else:
                values[name] = _WRONG[int(rng.integers(len(_WRONG)))]
        if rng.random() < 0.15:
            values["x" * int(rng.integers(0, 300))] = _WRONG[int(rng.integers(len(_WRONG)))]
        whole: Any = values if rng.random() < 0.9 else _WRONG[int(rng.integers(len(_WRONG)))]
        body = json.dumps(whole).encode()
        if rng.random() < 0.15:
            at = int(rng.integers(len(body)))
            body = body[:at] + _WORDS[int(rng.integers(len(_WORDS)))] + body[at:]
        if rng.random() < 0.15:
            kind = _TYPES[int(rng.integers(len(_TYPES)))]
    if rng.random() < 0.1:
        others = ("GET", "PUT", "DELETE", "PATCH", "OPTIONS", "HEAD", "TRACE", "POST")
        method = others[int(rng.integers(len(others)))]
    if rng.random() < 0.1:
        ends = ("/", "?", "?alphabet=%00", "/..", "%2f", "?" + "a=b&" * 200, ";x", "/%ff")
        path += ends[int(rng.integers(len(ends)))]
    return Attempt("from the description", _request(method, path, body, kind))


# By hand


def _by_hand(
    rng: np.random.Generator,
) -> list[tuple[str, float, Callable[[], bytes | Attempt]]]:
    """Return kinds, how often each is to be, and what makes one."""
    jpeg = bytes(cv2.imencode(".jpg", rng.integers(0, 255, (80, 80, 3), np.uint8))[1])
    picture = _png(60, 60)
    pixels = _png(20_000, 20_000)
    huge = json.dumps({"image": "A" * _HUGE}).encode()
    deep = b"[" * 100_000

    def path() -> str:
        return "/v1/character" if rng.random() < 0.5 else "/v1/read"

    def image(content: bytes) -> bytes:
        return _upload(path(), content) if rng.random() < 0.5 else _json(path(), _base64(content))

    def cut(content: bytes) -> bytes:
        return content[: int(rng.integers(1, len(content)))]

    def damaged(content: bytes) -> bytes:
        spoilt = np.frombuffer(content, np.uint8).copy()
        spoilt[rng.integers(0, len(spoilt), 8)] = rng.integers(0, 256, 8)
        return spoilt.tobytes()

    def noise() -> bytes:
        return rng.bytes(int(rng.integers(1, 3000)))

    def wrong_base64() -> bytes:
        text = _base64(picture)
        wrong = (
            text[:-1],
            text[:99] + "*" + text[100:],
            "data:image/png;base64" + text,
            text + "=",
        )
        return _json(path(), wrong[int(rng.integers(4))])

    def hang_up() -> Attempt:
        whole = image(picture)
        sent = whole[: int(rng.integers(1, len(whole) + 1))]
        return Attempt("abrupt disconnect", sent, hangs_up=True)

    def websocket() -> Attempt:
        made = (
            _frame(2, noise()),
            _frame(2, cut(jpeg)),
            _frame(2, b""),
            _frame(2, _png_header(60_000, 60_000)),
            _frame(1, noise()),
            _frame(1, cut(b'{"type": "start", "mode": "air", "alphabet": "letters"}')),
            _frame(1, b'{"type": "start", "mode": 5, "alphabet": [], "mirror": "x"}'),
            _frame(1, b'{"type": "set", "region": [0, 0, 1e400, -1]}'),
            _frame(1, b'{"type": "edit", "action": "accept", "number": 99999999999}'),
            _frame(1, b'{"type": "frame", "time": "yesterday"}'),
            _frame(1, deep),
            _frame(5, b"?"),
            noise(),
        )
        chosen = b"".join(made[int(i)] for i in rng.integers(0, len(made), 3))
        ending = _frame(1, b'{"type": "end"}') + _frame(8, b"\x03\xe8")
        hangs_up = rng.random() < 0.2
        return Attempt("WebSocket", _handshake(), chosen + ending, hangs_up)

    def travel() -> bytes:
        wanted = (
            "/../../etc/passwd", "/page/../../main.py", "/%2e%2e/%2e%2e/etc/passwd", "/page/%00",
            "/page/%2e%2e%2fapp.py", "/page//etc/passwd", "/page/..%5c..%5cmain.py", "/.git/config",
            "//etc/passwd", "/docs/../models/hcr62.json", "http://127.0.0.1:1/",
        )  # fmt: skip
        return _request("GET", wanted[int(rng.integers(len(wanted)))])

    def protocol() -> bytes:
        start = b"POST /v1/character HTTP/1.1\r\nHost: a\r\n"
        made = (
            noise() + b"\r\n\r\n",
            b"GET\r\n\r\n",
            b"GET / HTTP/9.9\r\n\r\n",
            start + b"Content-Length: -5\r\n\r\n",
            start + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef",
            start + b"Content-Length: 99999999999999999999999\r\n\r\n",
            start + b"Transfer-Encoding: chunked\r\n\r\nZZ\r\nabc\r\n0\r\n\r\n",
            start + b"Authorization: Bearer " + rng.bytes(20).replace(b"\n", b"") + b"\r\n\r\n",
            start + b"X: " + b"a" * 200_000 + b"\r\n\r\n",
            b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n",
            start + b"Expect: 100-continue\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\r\n\r\n",
        )
        return made[int(rng.integers(len(made)))]

    def form() -> bytes:
        kind, path = "multipart/form-data; boundary=x", "/v1/character"
        part = b'--x\r\nContent-Disposition: form-data; name="image"; filename="a.png"\r\n\r\n'
        other = b'--x\r\nContent-Disposition: form-data; name="alphabet"\r\n\r\nall\r\n'
        end = b"\r\n--x--\r\n"
        bodies = (
            part + picture,
            part + picture + b"\r\n" + part + picture + end,
            other * 3000 + b"--x--\r\n",
            part.replace(b'"image"', b'"' + b"i" * 5000 + b'"') + picture + end,
            part.replace(b"a.png", b"../../../etc/passwd\0") + picture + end,
            part.replace(b"form-data", b"attachment") + picture + end,
            other + b"--x--\r\n",
            other.replace(b"all", b"\xff\xfe") + part + picture + end,
            part + end,
            cut(part + picture + end),
            b"--x--\r\n",
            noise(),
        )
        return _request("POST", path, bodies[int(rng.integers(len(bodies)))], kind)

    def packed_body() -> bytes:
        said = b"Content-Encoding: gzip\r\n"
        return _request("POST", path(), _packed(), "application/json", said)

    return [
        ("truncated JPEG", 10, lambda: image(cut(jpeg))),
        ("damaged picture", 10, lambda: image(damaged(jpeg if rng.random() < 0.5 else picture))),
        ("header of 60,000 x 60,000 pixels", 10, lambda: image(_png_header(60_000, 60_000))),
        ("wrong base64", 10, wrong_base64),
        ("binary noise", 10, lambda: image(noise())),
        ("noise as body", 5, lambda: _request("POST", path(), noise(), "application/json")),
        ("deep JSON", 3, lambda: _request("POST", path(), deep, "application/json")),
        ("huge JSON", 0.3, lambda: _request("POST", path(), huge, "application/json")),
        ("packed JSON", 2, packed_body),
        ("zip bomb", 2, lambda: image(_archive())),
        ("400 megapixels in 400 kB", 1, lambda: image(pixels)),
        ("form", 10, form),
        ("abrupt disconnect", 10, hang_up),
        ("WebSocket", 6, websocket),
        ("path", 5, travel),
        ("protocol", 8, protocol),
    ]


@cache
def _packed() -> bytes:
    return gzip.compress(json.dumps({"image": "A" * _HUGE}).encode(), mtime=0)


@cache
def _archive() -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr(zipfile.ZipInfo("image.png"), bytes(_HUGE), zipfile.ZIP_DEFLATED)
    return content.getvalue()


def _request(
    method: str, path: str, body: bytes = b"", kind: str = "text/plain", more: bytes = b""
) -> bytes:
    head = (
        f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n"
        f"Content-Type: {kind}\r\nContent-Length: {len(body)}\r\n"
    )
    return head.encode() + more + b"\r\n" + body


def _json(path: str, image: str) -> bytes:
    return _request("POST", path, json.dumps({"image": image}).encode(), "application/json")


def _upload(path: str, content: bytes) -> bytes:
    head = b'--x7f\r\nContent-Disposition: form-data; name="image"; filename="a"\r\n\r\n'
    body = head + content + b"\r\n--x7f--\r\n"
    return _request("POST", path, body, "multipart/form-data; boundary=x7f")


def _base64(content: bytes) -> str:
    return b64encode(content).decode()


@cache
def _png(width: int, height: int) -> bytes:
    """Return a PNG of white pixels, packed as well as it goes."""
    packer = zlib.compressobj(9)
    row = b"\0" + b"\xff" * width
    rows = [packer.compress(row) for _ in range(height)]
    return _png_header(width, height) + _chunk(b"IDAT", b"".join([*rows, packer.flush()])) + _END


def _png_header(width: int, height: int) -> bytes:
    return b"\x89PNG\r\n\x1a\n" + _chunk(
        b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    )


def _chunk(name: bytes, content: bytes) -> bytes:
    checked = name + content
    return struct.pack(">I", len(content)) + checked + struct.pack(">I", zlib.crc32(checked))


_END = _chunk(b"IEND", b"")


def _handshake() -> bytes:
    return (
        b"GET /v1/live HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )


def _frame(kind: int, payload: bytes) -> bytes:
    """Return a WebSocket frame of a client; a mask of zeros leaves the payload as it is."""
    length = len(payload)
    if length < 126:
        size = bytes([0x80 | length])
    elif length < 1 << 16:
        size = b"\xfe" + length.to_bytes(2, "big")
    else:
        size = b"\xff" + length.to_bytes(8, "big")
    return bytes([0x80 | kind]) + size + bytes(4) + payload
