from __future__ import annotations

import asyncio
import subprocess
import sys
from collections import Counter
from pathlib import Path

import cv2
import numpy as np
import pytest

from benchmarks import malformed, serve
from benchmarks.malformed import Answer, Attempt, attempt, attempts

ROOT = Path(__file__).parent.parent.parent
DESCRIPTION = {
    "paths": {
        "/v1/character": {
            "post": {
                "requestBody": {
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/A"}}}
                }
            }
        },
        "/healthz": {"get": {}},
    },
    "components": {
        "schemas": {
            "A": {
                "properties": {
                    "image": {"type": "string"},
                    "alphabet": {"enum": ["letters", "all"]},
                    "region": {"anyOf": [{"type": "array"}, {"type": "null"}], "default": None},
                }
            }
        }
    },
}


def test_a_small_run_prints_its_rows() -> None:
    command = [
        sys.executable,
        "-m",
        "benchmarks.serve",
        "--count",
        "60",
        "--seconds",
        "4",
        "--kinds",
    ]
    rows = ("one client", "8 live clients", "malformed")
    run = subprocess.run(
        [*command, "--rows", *rows], capture_output=True, text=True, cwd=ROOT, timeout=300
    )
    assert run.returncode == 0, run.stderr
    values = {
        line[:56].strip(): float(line[57:65])
        for line in run.stdout.splitlines()[1:]
        if not line.startswith("  ")
    }
    assert values["character, one client, plain ink, ms, p50"] > 0
    assert values["character, one client, simulated photo, ms, p99"] > 0
    assert values["live, 8 clients for 4 s, alive at the end"] == 8
    assert values["live, 8 clients for 4 s, crashes"] == 0
    assert values["malformed, 60 requests, 5xx"] == 0
    assert values["malformed, 60 requests, crashes"] == 0
    assert "60 answers, 100.0 % right, no error" in run.stdout
    assert "from the description" in run.stdout


def test_a_service_that_does_not_start_is_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "main.py").write_text("raise SystemExit('no such thing')")
    monkeypatch.setattr(serve, "_ROOT", tmp_path)
    monkeypatch.setattr(sys, "argv", ["serve", "--rows", "start"])
    with pytest.raises(SystemExit, match="did not become ready: no such thing"):
        serve.main()


def test_characters_are_of_the_sizes_they_are_said_to_be() -> None:
    for kind in ("plain ink", "simulated photo"):
        images = [
            cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
            for content, _ in serve._characters(kind)[:40]
        ]
        sides = [side for image in images for side in image.shape[:2]]
        assert min(sides) >= 28
        assert max(sides) <= 200
        assert all(np.ptp(image) > 20 for image in images)


def test_requests_are_of_every_kind_and_the_same_each_time() -> None:
    made = list(attempts(DESCRIPTION, 400, seed=1))
    assert made == list(attempts(DESCRIPTION, 400, seed=1))
    kinds = Counter(one.kind for one in made)
    assert 200 < kinds["from the description"] < 280
    assert len(kinds) >= 14
    described = [one.sent for one in made if one.kind == "from the description"]
    assert any(b'"alphabet": "letters", "region": null}' in sent for sent in described)
    assert len(set(described)) > 150


@pytest.mark.parametrize(
    ("says", "answer"),
    [
        (b"HTTP/1.1 500 Oh\r\n\r\n", Answer(500)),
        (b"HTTP/1.1 422 No\r\nContent-Type: application/problem+json\r\n\r\n", Answer(422, True)),
        (b"", Answer(0)),
        (b"HTTP/1.1 101 Yes\r\n\r\n" + b"\x81\x02{}" + b"\x88\x02\x03\xf3", Answer(500)),
        (
            b"HTTP/1.1 101 Yes\r\n\r\n" + b"\x81\x7e\x00\x02\x03\xf3" + b"\x88\x02\x03\xe8",
            Answer(101),
        ),
        (None, Answer(-1)),
    ],
)
def test_what_comes_back_is_told_apart(
    says: bytes | None, answer: Answer, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def serve_one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        if says is None:
            await reader.read()
        else:
            writer.write(says)
        writer.close()

    async def ask() -> Answer:
        async with await asyncio.start_server(serve_one, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            return await attempt(port, Attempt("any", b"GET / HTTP/1.1\r\n\r\n"))

    if says is None:
        monkeypatch.setattr(malformed, "_PATIENCE", 0.2)
    assert asyncio.run(ask()) == answer
