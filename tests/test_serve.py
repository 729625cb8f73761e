from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from hcr_live.cli import main
from hcr_live.errors import HcrError
from hcr_live.options import ServeOptions
from hcr_live.serve import settings_of
from tests.conftest import ROOT
from tests.service.conftest import base64, drawn


@contextmanager
def program(*arguments: str, **environment: str) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """Start `main.py serve` on a free port; yield its address."""
    process = subprocess.Popen(
        [sys.executable, str(ROOT / "main.py"), "serve", "--port", "0", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **environment},
    )
    try:
        assert process.stdout is not None
        found = re.search(r"http://\S+", process.stdout.readline())
        assert found
        yield found[0], process
    finally:
        process.send_signal(signal.SIGINT)
        _, error = process.communicate(timeout=30)
    assert "Traceback" not in error


def test_several_workers_answer_and_their_figures_add_up(tmp_path: Path):
    body = {"image": base64(drawn("K"))}
    token = {"authorization": "Bearer sesame"}
    with program("--workers", "2", HCR_LIVE_TOKEN="sesame", TMPDIR=str(tmp_path)) as (url, _):
        texts = []
        for _ in range(8):  # each on a connection of its own, so that either worker may take it
            answer = httpx.post(f"{url}/v1/character", json=body, headers=token, timeout=60)
            texts.append(answer.json()["text"])
        figures = httpx.get(f"{url}/metrics", headers=token, timeout=60).text
        assert httpx.get(f"{url}/metrics", timeout=60).status_code == 401
    assert texts == ["K"] * 8
    assert "hcr_live_characters_total 8.0" in figures
    assert 'hcr_live_requests_total{endpoint="/v1/character",status="200"} 8.0' in figures
    assert not list(tmp_path.iterdir())  # what they shared is gone


def test_it_ends_when_asked_to():
    with program() as (url, process):
        assert httpx.get(f"{url}/readyz", timeout=60).json() == {"status": "ready"}
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=30) == 130


def test_an_open_address_needs_a_token(monkeypatch: pytest.MonkeyPatch, capsys):
    monkeypatch.delenv("HCR_LIVE_TOKEN", raising=False)
    for host in ("0.0.0.0", "::", "192.168.1.2", "example.org", ""):
        assert main(["serve", "--host", host]) == 2
        error = capsys.readouterr().err
        assert "HCR_LIVE_TOKEN" in error
        assert error.count("\n") == 1
    monkeypatch.setenv("HCR_LIVE_TOKEN", "sesame")
    assert settings_of(ServeOptions(host="0.0.0.0")).token == "sesame"


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1", "127.1.2.3"])
def test_this_machine_needs_none(monkeypatch: pytest.MonkeyPatch, host: str):
    monkeypatch.delenv("HCR_LIVE_TOKEN", raising=False)
    assert settings_of(ServeOptions(host=host)).token == ""


def test_the_token_of_a_file_counts_and_is_not_shown(tmp_path: Path):
    file = tmp_path / "token"
    file.write_text(" sesame\n")
    settings = settings_of(ServeOptions(host="0.0.0.0", token_file=file))
    assert settings.token == "sesame"
    assert "sesame" not in repr(settings)
    file.write_text("\n")
    with pytest.raises(HcrError, match="empty"):
        settings_of(ServeOptions(token_file=file))
    file.write_text("Ω mega")
    with pytest.raises(HcrError, match="token"):
        settings_of(ServeOptions(token_file=file))
    with pytest.raises(HcrError, match="Cannot read"):
        settings_of(ServeOptions(token_file=tmp_path / "none"))


def test_a_port_that_is_taken_is_one_sentence(capsys):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        assert main(["serve", "--port", port]) == 2
    error = capsys.readouterr().err
    assert f"port {port}" in error
    assert error.count("\n") == 1


def test_a_missing_network_is_one_sentence(tmp_path: Path, capsys):
    assert main(["serve", "--port", "0", "--model", str(tmp_path / "none.tflite")]) == 2
    error = capsys.readouterr().err
    assert "none.tflite" in error
    assert error.count("\n") == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ["--port", "65536"],
        ["--port", "-1"],
        ["--workers", "0"],
        ["--allow-origin", "example.org"],
        ["--allow-origin", "https://example.org/page"],
        ["--host"],
        ["here"],
    ],
)
def test_wrong_arguments_are_one_sentence(arguments: list[str], capsys):
    assert main(["serve", *arguments]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_options_may_stand_in_a_file(tmp_path: Path, capsys):
    config = tmp_path / "serve.toml"
    config.write_text("host = '0.0.0.0'\nallow-origin = 'https://a.example, https://b.example'\n")
    assert main(["serve", "--config", str(config)]) == 2
    assert "0.0.0.0" in capsys.readouterr().err
