import http.server
import os
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from hcr_live.errors import HcrError
from hcr_live.sources import EndOfSource, open_source
from hcr_live.sources import open as opening
from tests.sources.clips import write_clip


def test_importing_the_sources_loads_neither_opencv_nor_pyav():
    code = "import sys, hcr_live.sources; print({'cv2', 'av'} & set(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "set()"


@pytest.mark.parametrize(
    ("spec", "says"),
    [
        ("nowhere.mp4", "There is no file nowhere.mp4"),
        ("", "The source is empty"),
        ("-3", "There is no camera -3"),
        ("gopher://host/clip", "no address of a video"),
        ("http://", "no address of a video"),
        ("a\0b", "Cannot read|There is no file"),
    ],
)
def test_what_cannot_be_opened_is_said_in_one_sentence(spec, says, capfd):
    with pytest.raises(HcrError, match=says) as caught:
        open_source(spec)
    assert "\n" not in str(caught.value)
    assert capfd.readouterr() == ("", "")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_pipe_does_not_hang(tmp_path):
    os.mkfifo(tmp_path / "pipe.mp4")
    with pytest.raises(HcrError, match="neither a file nor a folder"):
        open_source(str(tmp_path / "pipe.mp4"))


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read all")
def test_no_permission(tmp_path):
    (tmp_path / "locked").mkdir(mode=0)
    with pytest.raises(HcrError, match="Permission denied"):
        open_source(str(tmp_path / "locked"))


def test_demo_is_the_bundled_clip(tmp_path, monkeypatch):
    clip = write_clip(tmp_path / "demo.mp4")
    monkeypatch.setattr(opening, "asset_path", lambda name: tmp_path / name)
    source = open_source("demo")
    source.close()
    assert source.info.name == "demo"
    assert clip.exists()


def test_a_file_address_is_a_path(tmp_path):
    clip = write_clip(tmp_path / "my clip.mp4")
    source = open_source(clip.as_uri())
    source.close()
    assert source.info.width == 96


def test_an_address_where_nobody_answers_hides_the_password():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, not listening: refused at once
        port = taken.getsockname()[1]
        with pytest.raises(HcrError, match="refused") as caught:
            open_source(f"http://me:secret@127.0.0.1:{port}/video")
    assert "secret" not in str(caught.value)
    assert f"127.0.0.1:{port}/video" in str(caught.value)


class _Files(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


def test_a_clip_on_a_web_server_is_read_in_lock_step(tmp_path, monkeypatch):
    write_clip(tmp_path / "clip.mp4")
    monkeypatch.chdir(tmp_path)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Files) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            source = open_source(f"http://127.0.0.1:{server.server_port}/clip.mp4")
            assert not source.info.live
            indices = []
            with pytest.raises(EndOfSource):
                _collect(source, indices)
        finally:
            server.shutdown()
            thread.join()
    assert indices == list(range(20))


def _collect(source, indices):
    while True:
        frame = source.read(timeout=10)
        indices.append(frame.index)


class _Camera(http.server.BaseHTTPRequestHandler):
    """A network camera: JPEG pictures without end, as phone apps send them."""

    pictures = 3

    def log_message(self, *_):
        pass

    def do_GET(self):
        import cv2
        import numpy as np

        self.send_response(200)
        self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=picture")
        self.end_headers()
        jpeg = cv2.imencode(".jpg", np.full((48, 64, 3), 99, np.uint8))[1].tobytes()
        head = f"--picture\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n"
        try:
            while not self.server.over.wait(0.01):
                self.wfile.write(head.encode() + jpeg + b"\r\n")
        except OSError:
            pass


def test_a_network_camera_is_live():
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Camera) as server:
        server.over = threading.Event()
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            source = open_source(f"http://127.0.0.1:{server.server_port}/video")
            assert (source.info.live, source.info.width, source.info.height) == (True, 64, 48)
            first, second = source.read(timeout=10), source.read(timeout=10)
            source.close()
        finally:
            server.over.set()
            server.shutdown()
            thread.join()
    assert first.time < second.time
    assert abs(int(second.image[10, 10, 0]) - 99) < 3
