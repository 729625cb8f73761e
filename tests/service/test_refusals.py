"""Whatever is wrong with a request, its answer is a 4xx whose problem says what."""

from __future__ import annotations

import gzip
import json
import struct
import zlib
from typing import Any

import cv2
import httpx
import numpy as np
import pytest

from tests.service.conftest import Service, base64, drawn, encoded

GOOD = base64(drawn("K"))
PNG = encoded(drawn("K"))
JPEG = encoded(drawn("K"), ".jpg")
READERS = ("/v1/character", "/v1/read")


def assert_problem(answer: httpx.Response, status: int, *words: str) -> None:
    """The answer is that problem, in one sentence."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert set(problem) == {"type", "title", "status", "detail"}
    assert problem["status"] == status
    assert problem["detail"].endswith(".")
    assert "Traceback" not in problem["detail"]
    assert "/work" not in problem["detail"]
    for word in words:
        assert word in problem["detail"]


def png(width: int, height: int) -> bytes:
    """A PNG whose header gives a size that its few bytes of pixels do not have."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    parts = [b"\x89PNG\r\n\x1a\n"]
    for kind, data in ((b"IHDR", header), (b"IDAT", zlib.compress(bytes(99))), (b"IEND", b"")):
        parts += [struct.pack(">I", len(data)), kind + data]
        parts.append(struct.pack(">I", zlib.crc32(kind + data)))
    return b"".join(parts)


def jpeg(width: int, height: int) -> bytes:
    """A JPEG whose header gives another size than it has."""
    at = JPEG.index(b"\xff\xc0") + 5
    return JPEG[:at] + struct.pack(">HH", height, width) + JPEG[at + 4 :]


def webp(width: int, height: int) -> bytes:
    """A WebP whose extended header gives another size than it has."""
    size = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    chunk = b"VP8X" + struct.pack("<I", 10) + bytes(4) + size
    inside = encoded(cv2.cvtColor(drawn("K"), cv2.COLOR_GRAY2BGR), ".webp")[12:]
    return b"RIFF" + struct.pack("<I", 4 + len(chunk + inside)) + b"WEBP" + chunk + inside


def gif(width: int, height: int) -> bytes:
    return b"GIF89a" + struct.pack("<HH", width, height) + bytes(20)


def bmp(width: int, height: int) -> bytes:
    return b"BM" + bytes(12) + struct.pack("<Iii", 40, width, -height) + bytes(28)


NOISE = np.random.default_rng(0).bytes(5000)
PICTURES: dict[str, tuple[bytes, int, str]] = {
    "truncated PNG": (PNG[:120], 422, "damaged"),
    "PNG of a header": (PNG[:20], 422, "header"),
    "JPEG of a header": (JPEG[:10], 422, "header"),
    "JPEG that ends in its frame": (JPEG[: JPEG.index(b"\xff\xc0") + 6], 422, "header"),
    "JPEG of two bytes": (b"\xff\xd8", 422, "header"),
    "JPEG of nothing but markers": (b"\xff\xd8" + b"\xff" * 5000, 422, "header"),
    "JPEG with noise for pixels": (b"\xff\xd8\xff\xe0" + NOISE, 422, ""),
    "JPEG of a thousand scans": (JPEG[:-2] + b"\xff\xda" * 1000, 422, "scans"),
    "60,000x60,000 PNG": (png(60_000, 60_000), 413, "60000x60000"),
    "60,000x60,000 JPEG": (jpeg(60_000, 60_000), 413, "60000x60000"),
    "16,384x16,384 WebP": (webp(16_384, 16_384), 413, "16384x16384"),
    "60,000x60,000 GIF": (gif(60_000, 60_000), 413, "60000x60000"),
    "60,000x60,000 BMP": (bmp(60_000, 60_000), 413, "60000x60000"),
    "BMP of more than 32 bits": (bmp(-(2**31), -(2**31) + 1), 413, ""),
    "PNG whose pixels are missing": (png(5000, 5000), 422, "damaged"),
    "PNG without a pixel": (png(0, 0), 422, ""),
    "JPEG without a pixel": (jpeg(0, 0), 422, ""),
    "noise": (NOISE, 415, "JPEG"),
    "one byte": (b"x", 415, "JPEG"),
    "text": (b"K" * 999, 415, "JPEG"),
    "HTML": (b"<!doctype html><img src=file:///etc/passwd>", 415, "JPEG"),
    "SVG": (b'<svg xmlns="http://www.w3.org/2000/svg"/>', 415, "JPEG"),
    "PDF": (b"%PDF-1.7\n" + NOISE, 415, "JPEG"),
    "TIFF": (encoded(drawn("K"), ".tiff"), 415, "JPEG"),
    "HEIC": (b"\0\0\0\x18ftypheic" + NOISE, 415, "HEIC"),
    "gzip": (gzip.compress(PNG), 415, "JPEG"),
    "RIFF that is no picture": (b"RIFF\0\0\0\0WAVE" + NOISE, 415, "JPEG"),
    "WebP of a header": (b"RIFF\0\0\0\0WEBPVP8 ", 422, "header"),
    "WebP of noise": (b"RIFF\0\0\0\0WEBPVP8 " + b"\1\0" * 20, 422, ""),
}


@pytest.mark.parametrize("path", READERS)
@pytest.mark.parametrize("name", PICTURES)
def test_a_bad_picture(service: Service, path: str, name: str):
    content, status, word = PICTURES[name]
    assert_problem(service.post(path, {"image": base64(content)}), status, word)
    assert_problem(service.http.post(path, files={"image": content}), status, word)


def test_a_picture_of_nothing_but_specks_is_no_failure(service: Service):
    specks = (np.indices((2000, 2000)).sum(0) // 5 % 2 * 255).astype(np.uint8)
    for path in READERS:
        answer = service.post(path, {"image": base64(specks)})
        assert answer.status_code in (200, 422)


def test_a_picture_that_breaks_off_is_read_as_far_as_it_goes_or_refused(service: Service):
    for length in range(2, len(JPEG), 97):
        answer = service.post("/v1/character", {"image": base64(JPEG[:length])})
        assert answer.status_code in (200, 422)


BODIES: dict[str, tuple[Any, int, str]] = {
    "no body": (b"", 400, "JSON"),
    "no JSON": (b"image=K", 400, "JSON"),
    "half of a JSON": (b'{"image": "', 400, "JSON"),
    "two JSONs": (b"{}{}", 400, "JSON"),
    "no UTF-8": (b'{"image": "\xff\xfe"}', 400, "JSON"),
    "half of a pair": (b'{"image": "\\ud800"}', 400, "JSON"),
    "a NUL": (b'{"image": "\x00"}', 400, "JSON"),
    "UTF-16": ('{"image": "' + GOOD + '"}').encode("utf-16"),
    "a list": ([], 422, "The body"),
    "a number": (3, 422, "The body"),
    "null": (None, 422, "The body"),
    "no image": ({}, 422, "image"),
    "an empty image": ({"image": ""}, 422, "image"),
    "an image of a number": ({"image": 3}, 422, "image"),
    "an image of null": ({"image": None}, 422, "image"),
    "an image in a list": ({"image": [GOOD]}, 422, "image"),
    "no base64": ({"image": "K!"}, 400, "base64"),
    "a cut base64": ({"image": GOOD[:-7]}, 400, "base64"),
    "padding in the middle": ({"image": GOOD[:8] + "=" + GOOD[8:]}, 400, "base64"),
    "letters beyond ASCII": ({"image": "Ωμέγα" * 30}, 400, "base64"),
    "emoji": ({"image": "✍️🏽"}, 400, "base64"),
    "spaces": ({"image": " \n "}, 415, "JPEG"),
    "an address": ({"image": "http://localhost/k.png"}, 400, "base64"),
    "a path": ({"image": "/etc/passwd.png"}, 400, "base64"),
    "a data URL without base64": ({"image": "data:image/png,abc"}, 400, "data URL"),
    "a data URL without content": ({"image": "data:image/png;base64,"}, 415, "JPEG"),
    "a data URL without a comma": ({"image": "data:image/png;base64"}, 400, "data URL"),
    "a wrong alphabet": ({"image": GOOD, "alphabet": "greek"}, 422, "alphabet"),
    "an alphabet of null": ({"image": GOOD, "alphabet": None}, 422, "alphabet"),
    "an alphabet of another case": ({"image": GOOD, "alphabet": "Letters"}, 422, "alphabet"),
    "a region outside": ({"image": GOOD, "region": [500, 500, 20, 20]}, 422, "region"),
    "a region without area": ({"image": GOOD, "region": [5, 5, 0, 0]}, 422, "region"),
    "a region of three": ({"image": GOOD, "region": [5, 5, 10]}, 422, "region"),
    "a negative region": ({"image": GOOD, "region": [-5, 5, 10, 10]}, 422, "region"),
    "a region of text": ({"image": GOOD, "region": "0,0,9,9"}, 422, "region"),
    "a region of halves": ({"image": GOOD, "region": [0.5, 0, 50, 50]}, 422, "region"),
    "a huge region": ({"image": GOOD, "region": [0, 0, 10**30, 10]}, 422, "region"),
    "a field too many": ({"image": GOOD, "colour": "red"}, 422, "colour"),
    "a field of Unicode": ({"image": GOOD, "😀" * 500: 1}, 422, "😀"),
    "deep JSON": (b'{"image":' + b"[" * 100_000 + b"]" * 100_000 + b"}", 413, "lists"),
    "less deep JSON": (b'{"image":' + b"[" * 90 + b"]" * 90 + b"}", 422, "image"),
    "a broad JSON": (b'{"image":[' + b"[]," * 100_000 + b"[]]}", 413, "lists"),
    "a hundred thousand fields": (
        json.dumps({f"x{i}": 1 for i in range(100_000)}).encode(),
        413,
        "fields",
    ),
    "a huge JSON": (b'{"image":"' + b"A" * (17 << 20) + b'"}', 413, "longer"),
    "a huge number": (b'{"image":' + b"9" * 100_000 + b"}", 400, "JSON"),
}
BODIES["UTF-16"] = (BODIES["UTF-16"], 400, "JSON")


@pytest.mark.parametrize("path", READERS)
@pytest.mark.parametrize("name", BODIES)
def test_a_bad_body(service: Service, path: str, name: str):
    body, status, word = BODIES[name]
    assert_problem(service.post(path, body), status, word)


@pytest.mark.parametrize(
    "value", [b"-0.1", b"1.1", b"NaN", b"Infinity", b"1e400", b'"0.5"', b"null", b"true", b"[]"]
)
def test_a_wrong_confidence(service: Service, value: bytes):
    body = b'{"image":"' + GOOD.encode() + b'","min_confidence":' + value + b"}"
    assert_problem(service.post("/v1/read", body), 422, "min_confidence")


STROKES: dict[str, tuple[Any, int, str]] = {
    "no strokes": ({}, 422, "strokes"),
    "null": ({"strokes": None}, 422, "strokes"),
    "a point instead of strokes": ({"strokes": [1, 2]}, 422, "strokes"),
    "points instead of strokes": ({"strokes": [[1, 2]]}, 422, "strokes"),
    "points of three numbers": ({"strokes": [[[1, 2, 3]]]}, 422, "strokes"),
    "points of one number": ({"strokes": [[[1]]]}, 422, "strokes"),
    "points of text": ({"strokes": [[["1", "2"]]]}, 422, "strokes"),
    "points of null": ({"strokes": [[[None, None]]]}, 422, "strokes"),
    "NaN": (b'{"strokes":[[[NaN,1],[2,3]]]}', 422, "strokes"),
    "infinity": (b'{"strokes":[[[Infinity,1],[2,3]]]}', 422, "strokes"),
    "minus infinity": (b'{"strokes":[[[-Infinity,1],[2,3]]]}', 422, "strokes"),
    "beyond any number": (b'{"strokes":[[[1e999,1],[2,3]]]}', 422, "strokes"),
    "hardly a number": ({"strokes": [[[1e300, -1e300], [2, 3]]]}, 422, "strokes"),
    "a million points": (b'{"strokes":[[' + b"[1,2]," * 10**6 + b"[1,2]]]}", 413, "longer"),
    "many points": ({"strokes": [[[i, i] for i in range(11_000)]]}, 413, "points"),
    "many brackets": (b'{"strokes":[' + b"[]," * 300_000 + b"[]]}", 413, "lists"),
    "a wrong alphabet": ({"strokes": [[[1, 2]]], "alphabet": "Ω"}, 422, "alphabet"),
    "an image": ({"image": GOOD}, 422, "strokes"),
    "thousands of wrong points": ({"strokes": [[["x", "y"]] * 9000]}, 422, "strokes"),
    "thousands of fields": ({f"x{i}": 1 for i in range(50_000)}, 413, "fields"),
}


@pytest.mark.parametrize("name", STROKES)
def test_bad_strokes(service: Service, name: str):
    body, status, word = STROKES[name]
    assert_problem(service.post("/v1/strokes", body), status, word)


@pytest.mark.parametrize(
    "kind", ["", "text/plain", "application/octet-stream", "image/png", "application/xml", "x" * 99]
)
def test_a_wrong_content_type(service: Service, kind: str):
    for path in (*READERS, "/v1/strokes"):
        answer = service.http.post(path, content=PNG, headers={"content-type": kind})
        assert_problem(answer, 415, "application/json")


def test_a_compressed_body(service: Service):
    bomb = gzip.compress(bytes(1 << 24))
    for encoding in ("gzip", "deflate", "br", "gzip, gzip", "anything"):
        assert_problem(
            service.post("/v1/read", bomb, **{"content-encoding": encoding}), 415, "compressed"
        )


FORMS: dict[str, tuple[str, bytes, int, str]] = {
    "without a boundary": ("multipart/form-data", b"--x\r\n", 400, "form-data"),
    "of noise": ("multipart/form-data; boundary=x", NOISE, 400, "form-data"),
    "of nothing": ("multipart/form-data; boundary=x", b"", 400, "form-data"),
    "that ends early": (
        "multipart/form-data; boundary=x",
        b'--x\r\nContent-Disposition: form-data; name="image"; filename="a"\r\n\r\n' + PNG,
        400,
        "form-data",
    ),
    "without names": (
        "multipart/form-data; boundary=x",
        b"--x\r\nContent-Disposition: form-data\r\n\r\nK\r\n--x--\r\n",
        422,
        "image",
    ),
    "with a huge name": (
        "multipart/form-data; boundary=x",
        b'--x\r\nContent-Disposition: form-data; name="'
        + b"n" * 10**6
        + b'"\r\n\r\nK\r\n--x--\r\n',
        400,
        "form-data",
    ),
    "with a huge boundary": ("multipart/form-data; boundary=" + "x" * 5000, b"--x", 400, ""),
}


@pytest.mark.parametrize("name", FORMS)
def test_a_bad_form(service: Service, name: str):
    kind, body, status, word = FORMS[name]
    for path in READERS:
        answer = service.http.post(path, content=body, headers={"content-type": kind})
        assert_problem(answer, status, word)


def test_a_form_of_many_fields(service: Service):
    fields = {f"x{i}": "1" for i in range(5000)}
    answer = service.http.post("/v1/read", files={"image": PNG}, data=fields)
    assert_problem(answer, 413, "fields")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("region", "1,2,3"),
        ("region", "a,b,c,d"),
        ("region", "[" * 900),
        ("region", "0,0,NaN,9"),
        ("min_confidence", "much"),
        ("min_confidence", "NaN"),
        ("alphabet", "7"),
        ("alphabet", ""),
        ("colour", "red"),
    ],
)
def test_a_wrong_field_of_a_form(service: Service, field: str, value: str):
    answer = service.http.post("/v1/read", files={"image": PNG}, data={field: value})
    assert_problem(answer, 422, field)


def test_addresses_that_are_none(service: Service):
    for path in ("/v2", "/v1/", "/v1/character/", "/page/../app.py", "/%00", "/page/%2e%2e/app.py"):
        assert_problem(service.http.get(path), 404, "/docs")
    answer = service.http.get("/v1/read")
    assert_problem(answer, 405, "/docs")
    assert answer.headers["allow"] == "POST"
    assert_problem(service.http.request("DELETE", "/healthz"), 405, "/docs")
