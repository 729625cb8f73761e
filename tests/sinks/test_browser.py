"""A recording plays in a browser: Chromium loads, plays and shows it."""

from __future__ import annotations

import json
import queue
import shutil
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from hcr_live.sinks.recorder import Recorder

_PAGE = b"""<!doctype html><video id="v" src="/recording.mp4" muted></video><script>
const v = document.getElementById("v");
const tell = what => fetch("/result", {method: "POST", body: JSON.stringify(what)});
v.onerror = () => tell({error: v.error.message});
v.onended = () => {
  const c = document.createElement("canvas");
  [c.width, c.height] = [v.videoWidth, v.videoHeight];
  c.getContext("2d").drawImage(v, 0, 0);
  const pixel = [...c.getContext("2d").getImageData(5, 5, 1, 1).data];
  tell({width: v.videoWidth, height: v.videoHeight, duration: v.duration,
        end: v.currentTime, pixel});
};
v.play();
</script>"""


def play_in_chromium(recording: Path, profile: Path) -> dict:
    """Play a file to its end; return what the page saw of it."""
    results: queue.Queue[dict] = queue.Queue()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            is_video = self.path == "/recording.mp4"
            content = recording.read_bytes() if is_video else _PAGE
            self.send_response(200)
            self.send_header("Content-Type", "video/mp4" if is_video else "text/html")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(204)
            self.end_headers()
            results.put(json.loads(body))

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    browser = subprocess.Popen(
        [
            *("chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic"),
            *("--no-first-run", "--disable-background-networking", "--disable-component-update"),
            *("--disable-sync", "--disable-dev-shm-usage", f"--user-data-dir={profile}"),
            f"http://127.0.0.1:{server.server_port}/",
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        return results.get(timeout=60)
    finally:
        browser.kill()
        browser.wait()
        server.shutdown()
        server.server_close()


@pytest.mark.skipif(shutil.which("chromium") is None, reason="chromium is not installed")
def test_a_recording_plays_in_a_browser(tmp_path):
    path = tmp_path / "recording.mp4"
    blue = np.full((240, 320, 3), (200, 60, 30), np.uint8)  # BGR
    with Recorder(path, 320, 240, wait=True) as recorder:
        for number in range(30):
            recorder.write(blue, number / 15)
    seen = play_in_chromium(path, tmp_path / "profile")
    assert (seen["width"], seen["height"]) == (320, 240)
    assert seen["duration"] == pytest.approx(2.0, abs=0.1)
    assert seen["end"] == pytest.approx(seen["duration"], abs=0.1)
    assert seen["pixel"][:3] == pytest.approx([30, 60, 200], abs=12)
