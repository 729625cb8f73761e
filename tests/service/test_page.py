"""The page in a real browser: headless Chromium with a camera that shows our own clips."""

from __future__ import annotations

import base64
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest

from generator.air_clip import air_clip_frames
from generator.letters import letter_strokes
from generator.paper_clip import paper_clip_frames
from generator.sheet import SheetStyle, sheet_image

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
expect = playwright.expect

ROOT = Path(__file__).parents[2]
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium")

PATIENCE = 60_000
"""Milliseconds for what a busy machine takes its time for."""

QUIET_BROWSER = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
DESK = {"width": 1280, "height": 800}
PHONE = {"width": 390, "height": 844}


@contextmanager
def serving(port: int = 0, token: str = "") -> Iterator[tuple[str, Callable[[], None]]]:
    """Run the service; yield its address and what ends it at once."""
    environment = {**os.environ, "HCR_LIVE_TOKEN": token}
    process = subprocess.Popen(
        [sys.executable, str(ROOT / "main.py"), "serve", "--port", str(port)],
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
    )
    assert process.stdout is not None

    def kill() -> None:
        process.send_signal(signal.SIGKILL)
        process.wait()

    with process.stdout:
        try:
            address = re.search(r"http://\S+", process.stdout.readline())
            assert address
            yield address[0], kill
        finally:
            kill()


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with serving() as (address, _):
        yield address


@pytest.fixture(scope="module")
def driver() -> Iterator[Any]:
    expect.set_options(timeout=PATIENCE)
    with playwright.sync_playwright() as started:
        yield started
    expect.set_options(timeout=5_000)


Open = Callable[..., AbstractContextManager[Any]]


@pytest.fixture
def open_page(driver: Any) -> Open:
    """Return what opens a page; on leaving it, nothing may have gone wrong, or gone elsewhere."""

    @contextmanager
    def opened(
        address: str,
        *,
        camera: Path | None = None,
        allowed: bool = True,
        size: dict[str, int] = DESK,
        dark: bool = False,
        arguments: tuple[str, ...] = (),
        errors: str = "",
    ) -> Iterator[Any]:
        flags = [*QUIET_BROWSER, "--use-fake-device-for-media-stream", *arguments]
        if camera is not None:
            flags.append(f"--use-file-for-fake-video-capture={camera}")
        flags.append("--use-fake-ui-for-media-stream" if allowed else "--deny-permission-prompts")
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=flags)
        try:
            context = browser.new_context(
                viewport=size,
                color_scheme="dark" if dark else "light",
                is_mobile=size is PHONE,
                has_touch=size is PHONE,
                permissions=["clipboard-read", "clipboard-write"] if allowed else [],
            )
            page = context.new_page()
            page.set_default_timeout(PATIENCE)
            asked: list[str] = []
            wrong: list[str] = []
            page.on("request", lambda request: asked.append(request.url))
            page.on("websocket", lambda websocket: asked.append(websocket.url))
            page.on(
                "console",
                lambda said: said.type == "error" and wrong.append(said.text),
            )
            page.on("pageerror", lambda error: wrong.append(str(error)))
            page.goto(address)
            yield page
            host = re.sub(r"^http://|[/#].*$", "", address)
            assert not [
                url for url in asked if not re.match(rf"(http|ws)://{host}/|blob:|data:", url)
            ]
            assert not [line for line in wrong if not (errors and re.search(errors, line))]
        finally:
            browser.close()

    return opened


def write_mjpeg(path: Path, frames: Iterable[tuple[np.ndarray, float]]) -> Path:
    """Write a clip as Chromium's fake camera takes it: JPEGs one after the other, 30 a second."""
    with path.open("wb") as file:
        for image, _ in frames:
            file.write(cv2.imencode(".jpg", image)[1].tobytes())
    return path


@pytest.fixture(scope="module")
def sheet_camera(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """RAKE on a sheet that is held up, over and over."""
    rng = np.random.default_rng(5)
    line = [letter_strokes(character, rng) for character in "RAKE"]
    frames = paper_clip_frames([line], seed=5, seconds=3, size=(640, 480))
    return write_mjpeg(tmp_path_factory.mktemp("camera") / "sheet.mjpeg", frames)


@pytest.fixture(scope="module")
def air_camera(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A hand that writes O, V, Z in the air, over and over, by a camera that faces it.

    Slowly and with a fist between them, so that it is read at few frames a second, too.
    """
    letters = [letter_strokes(character) for character in "OVZ"]
    frames = air_clip_frames(
        letters, seed=3, width=640, height=480, size=220, mirrored=True, pace=1.5, pen_up="fist"
    )
    return write_mjpeg(tmp_path_factory.mktemp("camera") / "air.mjpeg", frames)


@pytest.fixture(scope="module")
def photo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sheet with HELLO and WORLD on it."""
    rng = np.random.default_rng(5)
    lines = [[letter_strokes(c, rng) for c in word] for word in ("HELLO", "WORLD")]
    style = SheetStyle(background="wood", height=0.7)
    path = tmp_path_factory.mktemp("photo") / "photo.jpg"
    assert cv2.imwrite(str(path), sheet_image(lines, seed=4, style=style).image)
    return path


def text_of(page: Any) -> Any:
    return page.locator("#text-value")


def draw(page: Any, character: str, size: float = 180) -> None:
    """Write a character on the pad with the mouse."""
    pad = page.locator("#pad").bounding_box()
    left, top = pad["x"] + 0.3 * pad["width"], pad["y"] + 30
    for stroke in letter_strokes(character):
        points = stroke[:, :2] * size + (left, top)
        page.mouse.move(*points[0])
        page.mouse.down()
        for point in points[1:]:
            page.mouse.move(*point)
        page.mouse.up()


def test_letters_held_up_become_text_that_can_be_edited_and_copied(open_page, server, sheet_camera):
    with open_page(server, camera=sheet_camera) as page:
        page.get_by_role("button", name="Start the camera").click()
        expect(text_of(page)).to_have_text("RAKE")
        expect(page.locator("#glyph")).to_have_text(re.compile("[RAKE]"))
        expect(page.locator("#bars li")).to_have_count(3)
        page.get_by_role("button", name="Copy").click()
        expect(page.get_by_role("button", name="Copied")).to_be_visible()
        assert page.evaluate("navigator.clipboard.readText()") == "RAKE"
        for button, text in (
            ("Delete", "RAK"),
            ("Undo", "RAKE"),
            ("Clear", ""),
            ("Undo", "RAKE"),
        ):
            page.get_by_role("button", name=button, exact=True).click()
            expect(text_of(page)).to_have_text(text)
        page.get_by_role("button", name="Stop", exact=True).click()
        expect(page.get_by_role("button", name="Start the camera")).to_be_visible()
        expect(text_of(page)).to_have_text("RAKE")


NEXT_ANSWER = """() => new Promise(resolve => new MutationObserver(resolve).observe(
  document.getElementById("state"), {childList: true}))"""
"""The line of figures changes twice a second, with an answer."""


def stage_of(page: Any) -> np.ndarray:
    """Return what the stage shows, uint8 (480, 640, 3) BGR."""
    url = page.evaluate("document.getElementById('picture').toDataURL()")
    data = np.frombuffer(base64.b64decode(url.partition(",")[2]), np.uint8)
    return cv2.resize(cv2.imdecode(data, cv2.IMREAD_COLOR), (640, 480))


def test_the_stage_shows_the_picture_mirrored_with_green_boxes_on_it(
    open_page, server, sheet_camera
):
    scene = cv2.imdecode(np.frombuffer(sheet_camera.read_bytes(), np.uint8), cv2.IMREAD_COLOR)
    green = np.array((138, 224, 79))  # BGR of a settled box
    with open_page(server, camera=sheet_camera) as page:
        page.get_by_role("button", name="Start the camera").click()
        expect(text_of(page)).to_have_text("RAKE")
        for mirrored in (True, False):
            mirror = page.get_by_role("button", name="Mirror")
            expect(mirror).to_have_attribute("aria-pressed", str(mirrored).lower())
            page.evaluate(NEXT_ANSWER)
            shown, flipped = stage_of(page), cv2.flip(scene, 1)
            likely, unlikely = (flipped, scene) if mirrored else (scene, flipped)
            assert cv2.norm(shown, likely) < 0.7 * cv2.norm(shown, unlikely)
            assert (np.abs(shown.astype(int) - green).max(axis=2) < 30).sum() > 100
            mirror.click()


def test_letters_written_in_the_air_become_text(open_page, server, air_camera):
    with open_page(server, camera=air_camera, size=PHONE) as page:
        page.get_by_role("radio", name="Air").check()
        page.get_by_role("button", name="Start the camera").click()
        expect(text_of(page)).to_contain_text("OVZ", timeout=3 * PATIENCE)
        expect(page.locator("#state")).to_contain_text("Air")


def test_a_drawing_is_read_and_added(open_page, server):
    with open_page(server) as page:
        page.get_by_role("tab", name="Draw").click()
        draw(page, "K")
        expect(page.locator("#bars button")).to_have_count(5)
        best = page.locator("#bars button").first
        expect(best).to_have_accessible_name(re.compile("^Add K, [0-9]+ %$"))
        page.get_by_role("button", name="Undo stroke").click()
        expect(best).not_to_have_accessible_name(re.compile("^Add K"))
        page.get_by_role("button", name="Clear drawing").click()
        expect(page.locator("#bars button")).to_have_count(0)
        for character in "KE":
            draw(page, character)
            page.get_by_role("button", name=f"Add {character}", exact=True).click()
        expect(text_of(page)).to_have_text("KE")
        page.get_by_label("Alphabet").select_option("digits")
        draw(page, "O")
        page.get_by_role("button", name="Add 0", exact=True).click()
        expect(text_of(page)).to_have_text("KE0")
        page.get_by_role("button", name="Undo", exact=True).click()
        expect(text_of(page)).to_have_text("KE")


def test_a_finger_draws(open_page, server):
    with open_page(server, size=PHONE) as page:
        page.get_by_role("tab", name="Draw").tap()
        pad = page.locator("#pad").bounding_box()
        touch = page.context.new_cdp_session(page)
        for stroke in letter_strokes("T"):
            points = stroke[:, :2] * 150 + (pad["x"] + 100, pad["y"] + 40)
            for kind, at in [("touchStart", points[0]), *(("touchMove", p) for p in points[1:])]:
                place = [{"x": float(at[0]), "y": float(at[1])}]
                touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": place})
            touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
        page.get_by_role("button", name="Add T", exact=True).click()
        expect(text_of(page)).to_have_text("T")


def test_a_picture_is_read(open_page, server, photo):
    with open_page(server) as page:
        page.get_by_role("tab", name="Picture").click()
        page.set_input_files("#file", photo)
        expect(text_of(page)).to_have_text("HELLO\nWORLD")
        expect(page.locator("#letters button")).to_have_text(list("HELLOWORLD"))
        page.locator("#letters button").first.click()
        expect(page.locator("#glyph")).to_have_text("H")
        expect(page.locator("#still")).to_be_visible()


def test_a_dropped_and_a_pasted_picture_are_read_too(open_page, server, photo):
    give = """([bytes, name]) => {
      const data = new DataTransfer();
      data.items.add(new File([new Uint8Array(bytes)], "photo.jpg", {type: "image/jpeg"}));
      const event = name === "drop"
        ? new DragEvent("drop", {bubbles: true, cancelable: true, dataTransfer: data})
        : new ClipboardEvent("paste", {bubbles: true, clipboardData: data});
      document.body.dispatchEvent(event);
    }"""
    with open_page(server) as page:
        for times, way in enumerate(("drop", "paste"), 1):
            page.evaluate(give, [list(photo.read_bytes()), way])
            expect(text_of(page)).to_have_text("\n".join(["HELLO\nWORLD"] * times))


def test_a_file_that_is_no_picture_is_told(open_page, server, tmp_path):
    no_picture = tmp_path / "notes.jpg"
    no_picture.write_text("These are notes.")
    with open_page(server, errors="415") as page:
        page.get_by_role("tab", name="Picture").click()
        page.set_input_files("#file", no_picture)
        expect(page.locator("#picture-said")).to_contain_text("not in a format that is read")
        expect(text_of(page)).to_have_text("")


def test_what_is_added_here_and_what_the_server_writes_are_one_text(open_page, server):
    with open_page(server) as page:
        steps = page.evaluate("""async () => {
          const { Text } = await import("/page/text.js");
          const text = new Text();
          const seen = [];
          const server = (...asked) => seen.push([text.value, ...asked]);
          text.setLive("CA", "air"); text.add("T"); text.setLive("CAS", "air"); server();
          server(text.undo()); text.setLive("CA", "air"); server(text.undo());
          text.add("T"); server(text.delete()); server(text.delete());
          text.add("B"); server(text.clear()); text.setLive("", "air"); server();
          server(text.undo()); text.setLive("CA", "air"); server();
          text.resume(true); server(); text.setLive("C", "air"); server();
          text.clear(); text.setLive("", "air"); text.setLive("HI", "paper");
          text.resume(true); text.setLive("H", "paper"); text.setLive("HI", "paper"); server();
          text.setLive("HI\\nYOU", "paper"); server();
          text.resume(false); text.setLive("HI", "paper"); server();
          return seen;
        }""")
    assert steps == [
        ["CATS"],
        ["CATS", True],  # the server's S is the last edit
        ["CA", False],
        ["CA", False],  # T is deleted here,
        ["CA", True],  # A by the server
        ["", True],
        [""],
        ["B", True],  # ours is back, and the server's is to come
        ["CAB"],
        ["CAB"],  # the connection is lost: nothing else is
        ["CABC"],
        ["HI"],  # the same sheet as before
        ["HI\nYOU"],
        ["HI\nYOU\nHI"],  # another one
    ]


def test_a_refused_camera_shows_help_and_what_works_without(open_page, server):
    with open_page(server, allowed=False) as page:
        page.get_by_role("button", name="Start the camera").click()
        expect(page.get_by_role("heading", name="The browser keeps the camera off")).to_be_focused()
        expect(page.locator("#help-steps li")).to_have_count(2)
        expect(page.locator("#help-steps")).to_contain_text("reload the page")
        page.get_by_text("In another browser").click()
        for browser in ("Safari on iPhone", "Firefox", "Chrome on Android"):
            expect(page.locator("#help-others")).to_contain_text(browser)
        page.get_by_role("button", name="Draw instead").click()
        draw(page, "L")
        page.get_by_role("button", name="Add L", exact=True).click()
        expect(text_of(page)).to_have_text("L")


def test_without_https_the_help_says_so_and_the_token_is_asked_for(open_page):
    with serving(token="open-sesame-0123456789") as (address, _):
        elsewhere = re.sub("127.0.0.1|localhost", "reader.test", address)
        rules = ("--host-resolver-rules=MAP reader.test 127.0.0.1",)
        with open_page(elsewhere, arguments=rules, errors="401") as page:
            page.get_by_role("button", name="Start the camera").click()
            expect(page.get_by_role("heading", name="needs a safe address")).to_be_visible()
            expect(page.locator("#help-steps")).to_contain_text("https")
            page.get_by_role("button", name="Draw instead").click()
            draw(page, "L")
            page.get_by_label("Token", exact=True).fill("wrong")
            page.keyboard.press("Enter")
            expect(page.get_by_text("That token was not the right one.")).to_be_visible()
            page.get_by_label("Token", exact=True).fill("open-sesame-0123456789")
            page.get_by_role("button", name="Use it").click()
            expect(page.get_by_role("button", name="Add L", exact=True)).to_be_enabled()


def test_a_token_in_the_address_opens_and_is_taken_out_of_it(open_page, sheet_camera):
    with serving(token="sesame-0123456789") as (address, _):
        with open_page(f"{address}/#sesame-0123456789", camera=sheet_camera) as page:
            page.get_by_role("button", name="Start the camera").click()
            expect(text_of(page)).to_have_text("RAKE")
            assert page.url == f"{address}/"
        with open_page(f"{address}/#wrong", camera=sheet_camera) as page:
            page.get_by_role("button", name="Start the camera").click()
            page.get_by_label("Token", exact=True).fill("sesame-0123456789")
            page.keyboard.press("Enter")
            expect(text_of(page)).to_have_text("RAKE")


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def test_a_lost_connection_is_told_and_comes_back_with_the_text_kept(open_page, sheet_camera):
    port = free_port()
    with (
        serving(port) as (address, kill),
        open_page(address, camera=sheet_camera, errors="WebSocket|ERR_CONNECTION") as page,
    ):
        page.get_by_role("button", name="Start the camera").click()
        expect(text_of(page)).to_have_text("RAKE")
        kill()
        expect(page.locator("#lost")).to_contain_text("your text is kept")
        expect(text_of(page)).to_have_text("RAKE")
        with serving(port):
            expect(page.locator("#lost")).to_be_hidden(timeout=PATIENCE)
            expect(page.locator("#state")).to_contain_text("Paper")
            # The same sheet, read once more by another session, is not more text.
            page.get_by_role("tab", name="Draw").click()
            draw(page, "L")
            page.get_by_role("button", name="Add L", exact=True).click()
            expect(text_of(page)).to_have_text("RAKEL")


def test_a_recording_is_downloaded_and_plays(open_page, server, sheet_camera, tmp_path):
    with open_page(server, camera=sheet_camera) as page:
        page.get_by_role("button", name="Start the camera").click()
        expect(text_of(page)).to_have_text("RAKE")
        page.get_by_role("button", name="Record", exact=True).click()
        expect(page.locator("#state")).to_contain_text(re.compile("0:0[2-9]"))
        with page.expect_download() as download:
            page.get_by_role("button", name="Stop recording").click()
        file = tmp_path / download.value.suggested_filename
        download.value.save_as(file)
        expect(page.locator("#saved")).to_contain_text(file.name)
        expect(page.get_by_role("button", name="Record", exact=True)).to_be_visible()
    with av.open(str(file)) as container:
        frames = [frame.to_ndarray(format="bgr24") for frame in container.decode(video=0)]
    assert len(frames) >= 5
    height, width = frames[0].shape[:2]
    assert width / height == pytest.approx(640 / 480, abs=0.02)
    caption = frames[-1][-height // 8 :]  # the text on a dark ground
    assert caption.max() > 200
    assert np.median(caption) < np.median(frames[-1][: height // 2])


def test_all_by_keyboard(open_page, server, sheet_camera):
    def tab_to(page: Any, name: str) -> None:
        """Press Tab until an element has the focus, which must be seen."""
        for _ in range(40):
            page.keyboard.press("Tab")
            focused = page.locator(":focus")
            if focused.count() and focused.get_attribute("id") == name:
                assert (
                    page.evaluate("getComputedStyle(document.activeElement).outlineWidth") == "3px"
                )
                return
        raise AssertionError(f"Tab never comes to {name}")

    with open_page(server, camera=sheet_camera) as page:
        tab_to(page, "start-camera")
        page.keyboard.press("Enter")
        expect(text_of(page)).to_have_text("RAKE")
        tab_to(page, "stop")
        page.keyboard.press("Space")
        expect(page.get_by_role("button", name="Start the camera")).to_be_visible()
        tab_to(page, "delete")
        page.keyboard.press("Enter")
        expect(text_of(page)).to_have_text("RAK")
        page.locator("#tab-camera").focus()
        page.keyboard.press("ArrowLeft")
        expect(page.get_by_role("tab", name="Draw")).to_be_focused()
        expect(page.locator("#panel-draw")).to_be_visible()
        expect(page.locator("#panel-camera")).to_be_hidden()


def test_a_screen_reader_hears_the_text_once(open_page, server, sheet_camera):
    watch = """() => {
      window.heard = [];
      const line = document.getElementById("announcer");
      new MutationObserver(() => heard.push(line.textContent)).observe(line, {childList: true});
    }"""
    with open_page(server, camera=sheet_camera) as page:
        page.evaluate(watch)
        page.get_by_role("button", name="Start the camera").click()
        expect(page.locator("#announcer")).to_contain_text("Text: RAKE")
        expect(page.locator("#announcer")).to_have_attribute("aria-live", "polite")
        page.get_by_role("button", name="Clear").click()
        expect(page.locator("#announcer")).to_contain_text("The text is empty.")
        heard = page.evaluate("heard")
    assert [line for line in heard if line.startswith("Text:")] == ["Text: RAKE"]


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_everything_fits_and_can_be_hit(open_page, server, sheet_camera, photo, size):
    small = """() => [
      ...document.querySelectorAll("button, select, .segments label, label.button, a")]
      .filter(it => it.checkVisibility() && !it.closest(".skip"))
      .map(it => [it.textContent.trim() || it.id, it.getBoundingClientRect()])
      .filter(([, box]) => box.width < 44 || box.height < 44)
      .map(([name, box]) => `${name}: ${box.width} x ${box.height}`)"""
    wide = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
    with open_page(server, camera=sheet_camera, size=size, dark=size is PHONE) as page:
        for tab in ("Draw", "Picture", "Camera"):
            page.get_by_role("tab", name=tab).click()
            if tab == "Draw":
                draw(page, "K", size=120)
                expect(page.locator("#bars button")).to_have_count(5)
            elif tab == "Picture":
                page.set_input_files("#file", photo)
                expect(text_of(page)).to_contain_text("WORLD")
            else:
                page.get_by_role("button", name="Start the camera").click()
                expect(page.locator("#state")).to_be_visible()
            assert page.evaluate(small) == []
            assert not page.evaluate(wide)


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_colours_have_enough_contrast(open_page, server, dark):
    """At least 4.5 to 1 (WCAG 2.2, 1.4.3), by the colours that the style gives."""
    pairs = """() => {
      const style = getComputedStyle(document.documentElement);
      const read = name => {
        const probe = document.createElement("i");
        probe.style.color = style.getPropertyValue(name);
        document.body.append(probe);
        const rgb = getComputedStyle(probe).color.match(/[0-9.]+/g).map(Number);
        probe.remove();
        return rgb;
      };
      return [["--ink", "--ground"], ["--ink", "--surface"], ["--soft", "--ground"],
        ["--soft", "--surface"], ["--soft", "--sunk"], ["--ink", "--raised"],
        ["--accent", "--surface"], ["--accent", "--accent-soft"], ["--accent-ink", "--accent"],
        ["--red", "--surface"], ["--warm", "--surface"]]
        .map(pair => [pair.join(" on "), ...pair.map(read)]);
    }"""

    def luminance(colour: list[float]) -> float:
        parts = np.array(colour[:3]) / 255
        linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
        return float(linear @ (0.2126, 0.7152, 0.0722))

    with open_page(server, dark=dark) as page:
        found = page.evaluate(pairs)
    for name, front, back in found:
        dim, bright = sorted((luminance(front), luminance(back)))
        assert (bright + 0.05) / (dim + 0.05) >= 4.5, name
