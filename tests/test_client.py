from __future__ import annotations

import asyncio
import os
import re
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import cv2
import numpy as np
import pytest

from generator.letters import letter_strokes
from generator.sheet import sheet_image
from hcr_live import HcrError, Recognizer
from hcr_live.client import AsyncClient, Client
from hcr_live.ink.render import render_strokes
from hcr_live.reading import Prediction, Reading

ROOT = Path(__file__).parent.parent
TOKEN = "a-long-secret"


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """A service that wants a token."""
    process = subprocess.Popen(
        [sys.executable, str(ROOT / "main.py"), "serve", "--port", "0"],
        env=os.environ | {"HCR_LIVE_TOKEN": TOKEN},
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    with process:
        assert process.stdout is not None
        line = process.stdout.readline()
        found = re.search(r"http://\S+:\d+", line)
        assert found is not None, line
        yield found[0]
        process.terminate()


@pytest.fixture(scope="module")
def client(url: str) -> Iterator[Client]:
    with Client(url, TOKEN) as client:
        yield client


@pytest.fixture(scope="module")
def sheet() -> np.ndarray:
    rng = np.random.default_rng(4)
    lines = [[letter_strokes(c, rng) for c in line] for line in ("HAT", "MILK")]
    return sheet_image(lines, seed=4).image


@pytest.fixture(scope="module")
def letter() -> np.ndarray:
    ink = render_strokes(letter_strokes("R", np.random.default_rng(7)))
    return cv2.copyMakeBorder(255 - ink, 12, 12, 12, 12, cv2.BORDER_CONSTANT, value=255)


def same(answer: Reading, own: Reading) -> bool:
    """Whether they say the same; a service rounds."""
    return (
        (answer.text, answer.lines, answer.joined) == (own.text, own.lines, own.joined)
        and [(c.text, c.box) for c in answer.characters]
        == [(c.text, c.box) for c in own.characters]
        and [c.confidence for c in answer.characters]
        == pytest.approx([c.confidence for c in own.characters], abs=1e-3)
    )


def test_a_picture_reads_as_the_library_reads_it(
    client: Client, sheet: np.ndarray, tmp_path: Path
) -> None:
    path = tmp_path / "sheet.png"
    cv2.imwrite(str(path), sheet)
    own = Recognizer("alnum").read(sheet)
    assert own.text == "HAT\nMILK"
    for picture in (path, str(path), path.read_bytes(), sheet):
        assert same(client.read(picture, alphabet="alnum"), own)
    assert isinstance(own.characters[0].box, type(client.read(sheet).characters[0].box))


def test_a_region_and_a_confidence_are_minded(client: Client, sheet: np.ndarray) -> None:
    boxes = [character.box for character in client.read(sheet).characters[:3]]
    left, top = min(b.x for b in boxes) - 12, min(b.y for b in boxes) - 12
    right, bottom = max(b.x + b.w for b in boxes) + 12, max(b.y + b.h for b in boxes) + 12
    region = (left, top, right - left, bottom - top)
    assert client.read(sheet, region=region).text == "HAT"
    assert client.read(sheet, min_confidence=1).characters == ()


def test_a_character_comes_with_every_probability(client: Client, letter: np.ndarray) -> None:
    own = Recognizer("all").read_character(letter)
    answer = client.character(letter, alphabet="all")
    assert isinstance(answer, Prediction)
    assert answer.text == own.text == "R"
    assert answer.confidence == pytest.approx(own.confidence, abs=1e-3)
    assert answer.candidates[0] == (answer.text, answer.confidence)
    assert dict(answer.probabilities) == pytest.approx(dict(own.probabilities), abs=1e-3)
    assert len(answer.probabilities) == 62
    assert client.character(np.full((60, 60), 255, np.uint8)) == Prediction("", 0.0)


def test_strokes_are_read(client: Client) -> None:
    strokes = letter_strokes("K", np.random.default_rng(2))
    answer = client.strokes(strokes)
    assert answer.text == Recognizer().read_strokes(strokes).text == "K"
    assert len(answer.probabilities) == 26
    with pytest.raises(HcrError, match="Stroke 1"):
        client.strokes([[(0, float("nan"))]])


def test_a_client_for_asyncio(url: str, sheet: np.ndarray, letter: np.ndarray) -> None:
    async def ask() -> tuple[Reading, Prediction, Prediction]:
        async with AsyncClient(url, TOKEN) as client:
            strokes = letter_strokes("K", np.random.default_rng(2))
            return await asyncio.gather(
                client.read(sheet), client.character(letter), client.strokes(strokes)
            )

    reading, character, strokes = asyncio.run(ask())
    assert (reading.text, character.text, strokes.text) == ("HAT\nMILK", "R", "K")


def test_a_refusal_is_said_in_the_services_words(
    client: Client, url: str, letter: np.ndarray, tmp_path: Path
) -> None:
    with pytest.raises(HcrError, match="alphabet"):
        client.character(letter, alphabet="runes")
    with pytest.raises(HcrError, match=r"[Ii]mage|picture"):
        client.read(b"no picture at all")
    with pytest.raises(HcrError, match=r"region|picture"):
        client.read(letter, region=(5000, 5000, 10, 10))
    for other in (None, "a-wrong-secret"):
        with Client(url, other) as stranger, pytest.raises(HcrError, match="token"):
            stranger.character(letter)
    with pytest.raises(HcrError, match="Cannot read the picture"):
        client.read(tmp_path / "nothing.png")
    with pytest.raises(HcrError, match="no image"):
        client.read(np.zeros(5))


@contextmanager
def listening(answer: Callable[[socket.socket], None]) -> Iterator[str]:
    """Something else than the service; `answer` has one connection."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                answer(connection)

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
        thread.join(30)
        assert not thread.is_alive()


def wait(connection: socket.socket) -> None:
    while connection.recv(65536):  # until the client gives up
        pass


def refuse(connection: socket.socket) -> None:
    connection.recv(65536)


def answer_html(connection: socket.socket) -> None:
    connection.recv(65536)
    connection.sendall(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 4\r\n\r\n<p/>")


def answer_other_json(connection: socket.socket) -> None:
    connection.recv(65536)
    connection.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{"text":1}')


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (wait, "did not answer within 0.5 seconds"),
        (refuse, r"The connection to .* broke"),
        (answer_html, r"status 502\) is not this service"),
        (answer_other_json, r"status 200\) is not this service"),
    ],
)
def test_what_is_no_service_is_said_in_one_sentence(
    answer: Callable[[socket.socket], None], sentence: str
) -> None:
    with listening(answer) as other, Client(other, timeout=0.5) as client:
        with pytest.raises(HcrError, match=sentence) as caught:
            client.strokes([[(0, 0), (0, 9)]])
        assert "\n" not in str(caught.value)


def test_nobody_there() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        free = f"http://127.0.0.1:{server.getsockname()[1]}"
    with Client(free) as client, pytest.raises(HcrError, match="Cannot reach the service"):
        client.strokes([[(0, 0), (0, 9)]])

    async def ask() -> None:
        async with AsyncClient(free) as client:
            await client.strokes([[(0, 0), (0, 9)]])

    with pytest.raises(HcrError, match="Cannot reach the service"):
        asyncio.run(ask())


@pytest.mark.parametrize(
    "url", ["", "localhost:8000", "ftp://host", "http://", "http://a:b", "//a"]
)
def test_what_is_no_address(url: str) -> None:
    with pytest.raises(HcrError, match="no address of a service"):
        Client(url)


@pytest.mark.parametrize("token", ["", "two words", "lïne", "a\r\nX: b"])
def test_what_is_no_token(token: str) -> None:
    with pytest.raises(HcrError, match="A token is one word"):
        Client("http://127.0.0.1:8000", token)


def test_httpx_is_asked_for_when_it_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    code = "import sys, hcr_live.client; sys.exit('httpx' in sys.modules or 'cv2' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT, timeout=60)
    monkeypatch.setitem(sys.modules, "httpx", None)
    with pytest.raises(HcrError, match="pip install httpx"):
        Client("http://127.0.0.1:8000")
