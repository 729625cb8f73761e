import hashlib
import io
import socket
import threading
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest

from hcr_live.errors import HcrError
from tests.train.data.files import corner_images, write_az, write_emnist, write_pair
from train.__main__ import main
from train.data import fetch, load


class Server(ThreadingHTTPServer):
    """Serves bytes by path, as badly as it is told.

    Attributes:
        files: Contents by path.
        cuts: So many answers end half-way.
        ranges: Whether a range is answered with a range.
        asked: The path and the range of each request.
    """

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.files, self.cuts, self.ranges, self.asked = {}, 0, True, []

    @property
    def address(self):
        return f"http://127.0.0.1:{self.server_port}/"


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        server, wanted = self.server, self.headers.get("Range")
        server.asked.append((self.path, wanted))
        content = server.files.get(self.path)
        if content is None:
            self.send_error(404)
            return
        start = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted and server.ranges else 0
        if start >= len(content) > 0 and start:
            self.send_response(416)
            self.send_header("Content-Range", f"bytes */{len(content)}")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(content) - start))
        self.end_headers()
        rest = content[start:]
        if server.cuts:
            server.cuts -= 1
            rest = rest[: len(rest) // 2]
        self.wfile.write(rest)

    def log_message(self, *_):
        pass


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")


@pytest.fixture
def server():
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


CONTENT = np.random.default_rng(0).bytes(900_000)
SUM = hashlib.sha256(CONTENT).hexdigest()


def test_a_cut_connection_is_gone_on_with(server, tmp_path):
    server.files["/a.bin"] = CONTENT
    server.cuts = 3
    fetch.download(server.address + "a.bin", tmp_path / "a.bin", SUM)
    assert (tmp_path / "a.bin").read_bytes() == CONTENT
    assert [wanted for _, wanted in server.asked] == [
        None,
        "bytes=450000-",
        "bytes=675000-",
        "bytes=787500-",
    ]
    assert list(tmp_path.iterdir()) == [tmp_path / "a.bin"]


def test_an_earlier_run_is_gone_on_with(server, tmp_path):
    server.files["/a.bin"] = CONTENT
    (tmp_path / "a.bin.part").write_bytes(CONTENT[:123_456])
    fetch.download(server.address + "a.bin", tmp_path / "a.bin", SUM)
    assert server.asked == [("/a.bin", "bytes=123456-")]
    assert (tmp_path / "a.bin").read_bytes() == CONTENT


def test_a_server_that_knows_no_ranges(server, tmp_path):
    server.files["/a.bin"] = CONTENT
    server.ranges = False
    (tmp_path / "a.bin.part").write_bytes(b"x" * 123_456)
    fetch.download(server.address + "a.bin", tmp_path / "a.bin", SUM)
    assert (tmp_path / "a.bin").read_bytes() == CONTENT


@pytest.mark.parametrize("part", [CONTENT, CONTENT + b"more"])
def test_a_part_that_is_whole_or_too_long(server, tmp_path, part):
    server.files["/a.bin"] = CONTENT
    (tmp_path / "a.bin.part").write_bytes(part)
    fetch.download(server.address + "a.bin", tmp_path / "a.bin", SUM)
    assert (tmp_path / "a.bin").read_bytes() == CONTENT


def test_what_is_there_is_not_asked_for(server, tmp_path):
    (tmp_path / "a.bin").write_bytes(CONTENT)
    fetch.download(server.address + "a.bin", tmp_path / "a.bin", SUM)
    assert server.asked == []


def test_wrong_content_is_deleted(server, tmp_path):
    server.files["/a.bin"] = b"<html>moved</html>"
    with pytest.raises(HcrError, match="SHA-256"):
        fetch.download(server.address + "a.bin", tmp_path / "a.bin", SUM)
    assert list(tmp_path.iterdir()) == []


def test_a_missing_file_says_what_to_do_by_hand(server, tmp_path):
    with pytest.raises(HcrError, match=r"404.*in a browser to .*a\.bin"):
        fetch.download(server.address + "a.bin", tmp_path / "a.bin", SUM)


def test_no_server_says_what_to_do_by_hand(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    (tmp_path / "a.bin.part").write_bytes(b"x")
    with pytest.raises(HcrError, match=r"check the network.*in a browser to .*a\.bin"):
        fetch.download(f"http://127.0.0.1:{port}/a.bin", tmp_path / "a.bin", SUM)
    assert (tmp_path / "a.bin.part").read_bytes() == b"x"  # to go on with


def test_an_address_without_sense(tmp_path):
    with pytest.raises(HcrError, match="Cannot download hello"):
        fetch.download("hello", tmp_path / "a.bin", SUM)


@pytest.fixture
def emnist(server, tmp_path):
    """The server has EMNIST's archive; returns the sums of what is in it."""
    folder = tmp_path / "gzip"
    write_emnist(folder, "letters", [1, 2, 3, 4], [5, 6])
    write_emnist(folder, "digits", [1, 2, 3, 4], [5, 6])
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as packed:
        for path in folder.iterdir():
            packed.write(path, f"gzip/{path.name}")
    server.files["/gzip.zip"] = archive.getvalue()
    return {
        f"gzip/{path.name}": hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.iterdir()
    }


def test_one_split_of_emnist_is_unpacked(server, emnist, tmp_path):
    server.cuts = 1
    out = tmp_path / "data"
    folder = fetch.fetch_emnist(out, "letters", server.address, emnist)
    assert len(list(folder.iterdir())) == 4
    assert [(one.name, len(one)) for one in load(out)] == [("emnist-letters", 6)]
    asked = len(server.asked)
    fetch.fetch_emnist(out, "letters", server.address, emnist)
    assert len(server.asked) == asked


def test_other_content_in_the_archive_is_refused(server, emnist, tmp_path):
    sums = emnist | {"gzip/emnist-letters-test-labels-idx1-ubyte.gz": "0" * 64}
    with pytest.raises(HcrError, match=r"not the archive of EMNIST.*test-labels"):
        fetch.fetch_emnist(tmp_path / "data", "letters", server.address, sums)
    assert not (tmp_path / "data" / "gzip.zip").exists()


def test_a_page_instead_of_the_archive_is_refused(server, emnist, tmp_path):
    server.files["/gzip.zip"] = b"<html>please log in</html>"
    with pytest.raises(HcrError, match="not the archive of EMNIST"):
        fetch.fetch_emnist(tmp_path / "data", "letters", server.address, emnist)


def test_mnist_on_the_command_line(server, tmp_path, capsys, monkeypatch):
    write_pair(tmp_path / "made", "train", corner_images(12), [1] * 12)
    write_pair(tmp_path / "made", "t10k", corner_images(2), [2] * 2)
    sums = {}
    for path in (tmp_path / "made").iterdir():
        server.files[f"/{path.name}"] = path.read_bytes()
        sums[f"mnist/{path.name}"] = hashlib.sha256(path.read_bytes()).hexdigest()
    monkeypatch.setattr(fetch, "known_sums", lambda: sums)
    out = tmp_path / "data"
    assert main(["fetch", "mnist", "--out", str(out), "--address", server.address]) == 0
    assert f"Wrote {out / 'mnist'}" in capsys.readouterr().out
    assert [(one.name, len(one)) for one in load(out)] == [("mnist", 14)]
    assert main(["fetch", "mnist", "--out", str(out / "mnist" / next(iter(sums))[6:])]) == 2
    assert "Cannot write" in capsys.readouterr().err


def test_az_says_where_it_is_and_unpacks_what_was_put_there(tmp_path, capsys):
    arguments = ["fetch", "az", "--out", str(tmp_path)]
    assert main(arguments) == 2
    assert "kaggle.com/datasets" in capsys.readouterr().err
    (tmp_path / "made").mkdir()
    write_az(tmp_path / "made" / "made.csv", [0, 1])
    with zipfile.ZipFile(tmp_path / "archive.zip", "w") as packed:
        packed.write(
            tmp_path / "made" / "made.csv", "A_Z Handwritten Data/A_Z Handwritten Data.csv"
        )
    (tmp_path / "made" / "made.csv").unlink()
    assert main(arguments) == 0
    assert "A_Z Handwritten Data.csv" in capsys.readouterr().out
    assert [(one.name, len(one)) for one in load(tmp_path)] == [("az", 2)]


def test_the_known_sums():
    sums = fetch.known_sums()
    assert len(sums) == 34
    assert {len(digest) for digest in sums.values()} == {64}
    for split in ("byclass", "bymerge", "balanced", "letters", "digits", "mnist"):
        assert sum(f"gzip/emnist-{split}-" in name for name in sums) == 4
        assert f"matlab/emnist-{split}.mat" in sums
