import threading

import cv2
import pytest

from hcr_live.errors import HcrError
from hcr_live.sources import EndOfSource, SourceState
from hcr_live.sources.camera import CameraSource, list_cameras, no_camera_advice
from tests.sources.fake_camera import FakeCamera


class Camera:
    """A `CameraSource` over a fake camera, and the pauses it made."""

    def __init__(self, fake: FakeCamera, **options) -> None:
        self.fake = fake
        self.pauses: list[float] = []
        self._stop = threading.Event()
        self.source = CameraSource(
            0, factory=fake.open, platform="linux", clock=fake.clock, pause=self.pause, **options
        )

    def pause(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self._stop.wait(0.001)


@pytest.fixture
def open_camera():
    opened = []

    def start(fake: FakeCamera, *, first: int = 1, **options) -> Camera:
        fake.push(first)
        camera = Camera(fake, **options)
        opened.append(camera.source)
        return camera

    yield start
    for source in opened:
        source.close()


def wait_for(condition) -> None:
    for _ in range(5000):
        if condition():
            return
        threading.Event().wait(0.001)
    raise AssertionError("it did not happen")


def grey_of(frame) -> int:
    return int(frame.image[0, 0, 0])


def test_frames_carry_the_capture_clock_from_the_first_frame_on(open_camera):
    camera = open_camera(FakeCamera())
    frames = [camera.source.read(timeout=5)]
    for grey, after in ((2, 0.033), (3, 0.040), (4, 0.5)):
        camera.fake.push(grey, after)
        frames.append(camera.source.read(timeout=5))
    assert [grey_of(frame) for frame in frames] == [1, 2, 3, 4]
    assert [frame.index for frame in frames] == [0, 1, 2, 3]
    assert [frame.time for frame in frames] == pytest.approx([0, 0.033, 0.073, 0.573])


def test_what_the_camera_really_gives_is_told_not_what_was_asked_for(open_camera):
    camera = open_camera(FakeCamera(size=(800, 600), fps=25.0), width=1920, height=1080, fps=60)
    info = camera.source.info
    assert (info.name, info.width, info.height, info.fps, info.live) == (
        "camera 0", 800, 600, 25.0, True,
    )  # fmt: skip
    asked = dict(camera.fake.settings)
    assert asked[cv2.CAP_PROP_FRAME_WIDTH] == 1920
    assert asked[cv2.CAP_PROP_FRAME_HEIGHT] == 1080
    assert asked[cv2.CAP_PROP_FPS] == 60
    assert asked[cv2.CAP_PROP_FOURCC] == cv2.VideoWriter.fourcc(*"MJPG")


@pytest.mark.parametrize("stated", [0.0, -1.0, 180_000.0, float("nan")])
def test_a_nonsense_rate_is_measured(stated):
    fake = FakeCamera(fps=stated)
    for grey in range(20):
        fake.push(grey, after=0.05)
    camera = Camera(fake)
    camera.source.close()
    assert camera.source.info.fps == pytest.approx(20, rel=0.01)


def test_a_slow_reader_gets_the_newest_frame_and_the_rest_is_counted(open_camera):
    camera = open_camera(FakeCamera())
    camera.source.read(timeout=5)
    for grey in range(2, 12):
        camera.fake.push(grey)
    camera.fake.wait_until_idle()
    frame = camera.source.read(timeout=5)
    assert (grey_of(frame), frame.index) == (11, 10)
    assert camera.source.dropped == 9
    assert camera.source.read(timeout=0) is None


def test_a_stall_is_said_and_ends_by_itself(open_camera):
    camera = open_camera(FakeCamera())
    camera.source.read(timeout=5)
    assert (camera.source.state, camera.source.notice) == (SourceState.RUNNING, "")
    camera.fake.clock.now += 2.5
    assert camera.source.state is SourceState.STALLED
    assert camera.source.notice == "Camera 0 stopped giving pictures: trying to reopen it."
    assert camera.source.read(timeout=0) is None
    wait_for(lambda: camera.fake.released >= 1)
    camera.fake.push(9)
    frame = camera.source.read(timeout=5)
    assert grey_of(frame) == 9
    assert frame.time > 2.5
    assert (camera.source.state, camera.source.notice) == (SourceState.RUNNING, "")


def test_an_unplugged_camera_is_reopened_with_growing_pauses_and_time_goes_on(open_camera):
    camera = open_camera(FakeCamera())
    before = camera.source.read(timeout=5)
    camera.fake.plugged = False
    camera.fake.clock.now += 1.5
    wait_for(lambda: camera.source.state is SourceState.STALLED and camera.fake.released)
    wait_for(lambda: camera.pauses.count(5.0) >= 2)
    long_ones = [pause for pause in camera.pauses if pause >= 0.5]
    assert long_ones[:6] == [0.5, 1.0, 2.0, 4.0, 5.0, 5.0]
    camera.fake.clock.now += 60
    camera.fake.plugged = True
    camera.fake.push(7)
    after = camera.source.read(timeout=5)
    assert grey_of(after) == 7
    assert after.index == before.index + 1
    assert after.time > before.time + 60
    assert camera.source.state is SourceState.RUNNING


def test_a_broken_picture_is_passed_over(open_camera):
    camera = open_camera(FakeCamera())
    camera.source.read(timeout=5)
    camera.fake.push(2, broken=True)
    camera.fake.push(3)
    assert grey_of(camera.source.read(timeout=5)) == 3
    assert camera.source.state is SourceState.RUNNING


def test_closing_releases_the_camera_and_ends_the_source(open_camera):
    camera = open_camera(FakeCamera())
    camera.source.close()
    camera.source.close()
    assert camera.fake.released == 1
    assert camera.source.state is SourceState.ENDED
    with pytest.raises(EndOfSource):
        camera.source.read()


def test_the_next_backend_is_tried_where_one_does_not_open():
    fake = FakeCamera(backends=(cv2.CAP_MSMF,))
    fake.push(1)
    source = CameraSource(0, factory=fake.open, platform="win32", clock=fake.clock)
    source.close()
    assert fake.opened_by == [cv2.CAP_DSHOW, cv2.CAP_MSMF]


@pytest.mark.parametrize(
    ("platform", "answers", "check"),
    [
        ("win32", ["DSHOW: did not open", "MSMF: did not open"], "Privacy & security"),
        ("darwin", ["AVFOUNDATION: did not open"], "Privacy & Security"),
        ("linux", ["V4L2: there is no /dev/video7", "ANY: did not open"], "group 'video'"),
    ],
)
def test_where_none_opens_one_sentence_says_what_each_answered(platform, answers, check):
    with pytest.raises(HcrError) as caught:
        CameraSource(7, factory=FakeCamera().open, platform=platform)
    message = str(caught.value)
    for part in (*answers, check, "Camera 7", "python main.py cameras", "--source demo"):
        assert part in message
    assert "\n" not in message


def test_a_camera_that_opens_but_shows_nothing_is_named(capfd):
    class Dark:
        def isOpened(self):
            return True

        def grab(self):
            return False

        def set(self, what, value):
            return True

        def release(self):
            pass

    with pytest.raises(HcrError, match="V4L2: opened, but gave no picture"):
        CameraSource(0, factory=lambda number, backend: Dark(), platform="linux")
    assert capfd.readouterr() == ("", "")


def test_opening_has_a_time_limit():
    answered = threading.Event()

    def hang(number, backend):
        answered.wait(30)
        return FakeCamera().open(1, backend)

    try:
        with pytest.raises(HcrError, match="gave no picture within"):
            CameraSource(0, factory=hang, platform="linux", open_seconds=0.05)
    finally:
        answered.set()


def test_a_number_that_no_camera_has(capfd):
    with pytest.raises(HcrError, match="Camera 63 does not open"):
        CameraSource(63)
    with pytest.raises(HcrError, match="start at 0"):
        CameraSource(-1)
    assert capfd.readouterr() == ("", "")


def test_cameras_are_listed_with_the_platforms_names_and_real_sizes(tmp_path):
    for number, index, name in ((0, 0, "HD Webcam"), (1, 1, "HD Webcam"), (4, 0, "Gone")):
        folder = tmp_path / f"video{number}"
        folder.mkdir()
        (folder / "index").write_text(f"{index}\n")
        (folder / "name").write_text(f"{name}\n")
    fake = FakeCamera(size=(320, 240), fps=15.0)
    (camera,) = list_cameras(factory=fake.open, platform="linux", devices=tmp_path)
    assert (camera.number, camera.name, camera.backend) == (0, "HD Webcam", "V4L2")
    assert (camera.width, camera.height, camera.fps) == (320, 240, 15.0)
    assert str(camera) == "0: HD Webcam, 320x240 at 15 frames a second (V4L2)"
    assert fake.released == 1


def test_no_camera_is_an_empty_list_and_advice(tmp_path):
    fake = FakeCamera()
    fake.plugged = False
    for platform in ("linux", "darwin", "win32"):
        assert list_cameras(factory=fake.open, platform=platform, devices=tmp_path) == []
        assert "--source demo" in no_camera_advice(platform)
