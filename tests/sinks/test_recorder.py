import itertools
import subprocess
import sys
import threading
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from hcr_live.errors import HcrError
from hcr_live.sinks import recorder as recording
from hcr_live.sinks.recorder import Recorder, check_recording_path

ROOT = Path(__file__).parents[2]
RED, GREEN, BLUE = (0, 0, 255), (0, 255, 0), (255, 0, 0)


def picture(number, width=320, height=240):
    image = np.full((height, width, 3), 60, np.uint8)
    image[: height // 3, : width // 3] = RED
    image[: height // 3, -(width // 3) :] = GREEN
    image[-(height // 3) :, : width // 3] = BLUE
    cv2.putText(image, str(number), (width // 3, height // 2), 0, 1.0, (255, 255, 255), 2)
    return image


def record(path, times, width=320, height=240, **options):
    with Recorder(path, width, height, wait=True, **options) as recorder:
        for number, time in enumerate(times):
            recorder.write(picture(number, width, height), time)
    assert recorder.error == ""
    assert recorder.dropped == 0


def frames_of(path):
    with av.open(str(path)) as container:
        decoded = list(container.decode(video=0))
    return [(frame.time, frame.to_ndarray(format="bgr24")) for frame in decoded]


def test_the_file_is_h264_that_browsers_play_with_the_true_times(tmp_path):
    times = [5.0, 5.033, 5.066, 5.5, 5.51, 7.25]
    record(tmp_path / "clip.mp4", times)
    with av.open(str(tmp_path / "clip.mp4")) as container:
        stream = container.streams.video[0]
        assert (stream.codec_context.name, stream.pix_fmt) == ("h264", "yuv420p")
        assert (stream.width, stream.height, stream.frames) == (320, 240, 6)
        assert container.duration / av.time_base >= 2.25
    got = [time for time, _ in frames_of(tmp_path / "clip.mp4")]
    assert got == pytest.approx([time - 5.0 for time in times], abs=1e-4)


def test_it_shows_what_was_written(tmp_path):
    record(tmp_path / "clip.mp4", [i / 30 for i in range(10)])
    for number, (_, image) in enumerate(frames_of(tmp_path / "clip.mp4")):
        assert cv2.PSNR(image, picture(number)) > 25
        for (y, x), colour in (((20, 20), RED), ((20, 300), GREEN), ((220, 20), BLUE)):
            assert np.abs(image[y, x].astype(int) - colour).max() < 12


def test_a_closed_file_has_the_index_of_an_ordinary_mp4(tmp_path):
    record(tmp_path / "clip.mp4", [i / 30 for i in range(60)])
    content = (tmp_path / "clip.mp4").read_bytes()
    boxes, position = [], 0
    while position < len(content):
        size = int.from_bytes(content[position : position + 4], "big")
        boxes.append(content[position + 4 : position + 8])
        if size == 1:  # a 64-bit size follows
            size = int.from_bytes(content[position + 8 : position + 16], "big")
        position += size
    assert boxes[0] == b"ftyp"
    assert boxes[-1] == b"moov"
    assert b"moof" not in boxes


def test_times_that_stand_still_are_moved_on(tmp_path):
    record(tmp_path / "clip.mp4", [1.0, 1.0, 1.0, 0.5, 2.0])
    times = [time for time, _ in frames_of(tmp_path / "clip.mp4")]
    assert len(times) == 5
    assert all(later > earlier for earlier, later in itertools.pairwise(times))
    assert times[-1] == pytest.approx(1.0, abs=1e-3)


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ((321, 241), (322, 242)),
        ((1, 1), (16, 16)),
        ((12_000, 90), (4096, 30)),
        ((64, 48), (64, 48)),
    ],
)
def test_any_size_gets_an_even_one_that_players_take(tmp_path, size, expected):
    record(tmp_path / "clip.mp4", [0, 1 / 30], *size)
    image = frames_of(tmp_path / "clip.mp4")[0][1]
    assert image.shape[1::-1] == expected


def test_a_picture_of_another_size_is_fitted_in(tmp_path):
    with Recorder(tmp_path / "clip.mp4", 320, 240, wait=True) as recorder:
        recorder.write(picture(0), 0.0)
        recorder.write(np.full((480, 160, 3), 255, np.uint8), 1.0)
    (_, _), (_, image) = frames_of(tmp_path / "clip.mp4")
    assert image.shape == (240, 320, 3)
    assert image[120, 160].min() > 240
    assert image[120, 20].max() < 15


def test_the_picture_may_be_changed_after_writing(tmp_path):
    with Recorder(tmp_path / "clip.mp4", 320, 240, wait=True) as recorder:
        canvas = picture(0)
        for number in range(20):
            canvas[:] = 10 * number
            recorder.write(canvas, number / 30)
        canvas[:] = 255
    levels = [image.mean() for _, image in frames_of(tmp_path / "clip.mp4")]
    assert levels == pytest.approx([10 * number for number in range(20)], abs=4)


@pytest.fixture
def slow_encoder(monkeypatch):
    """Keeps the encoder from starting until the test says so."""
    go = threading.Event()
    encode = Recorder._encode

    def wait_then_encode(self):
        go.wait(30)
        encode(self)

    monkeypatch.setattr(Recorder, "_encode", wait_then_encode)
    yield go
    go.set()


def test_live_pictures_are_dropped_and_counted_when_the_encoder_is_behind(tmp_path, slow_encoder):
    recorder = Recorder(tmp_path / "clip.mp4", 64, 64)
    for number in range(100):
        recorder.write(picture(number, 64, 64), number / 30)
    kept = 100 - recorder.dropped
    assert 8 <= kept <= 64
    slow_encoder.set()
    recorder.close()
    assert len(frames_of(tmp_path / "clip.mp4")) == kept


def test_a_file_waits_for_the_encoder_and_loses_nothing(tmp_path, slow_encoder):
    recorder = Recorder(tmp_path / "clip.mp4", 64, 64, wait=True)
    threading.Timer(0.05, slow_encoder.set).start()
    for number in range(100):
        recorder.write(picture(number, 64, 64), number / 30)
    recorder.close()
    assert recorder.dropped == 0
    assert len(frames_of(tmp_path / "clip.mp4")) == 100


def test_closing_twice_and_writing_afterwards_do_no_harm(tmp_path):
    recorder = Recorder(tmp_path / "clip.mp4", 320, 240)
    recorder.write(picture(0), 0.0)
    recorder.close()
    recorder.close()
    recorder.write(picture(1), 1.0)
    assert len(frames_of(tmp_path / "clip.mp4")) == 1


def test_an_exception_in_the_loop_leaves_a_finished_file(tmp_path):
    def loop():
        with Recorder(tmp_path / "clip.mp4", 320, 240, wait=True) as recorder:
            for number in range(10):
                recorder.write(picture(number), number / 30)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        loop()
    assert len(frames_of(tmp_path / "clip.mp4")) == 10


def test_no_picture_leaves_no_file(tmp_path):
    Recorder(tmp_path / "clip.mp4", 320, 240).close()
    assert not (tmp_path / "clip.mp4").exists()


def test_an_existing_file_is_replaced_only_when_told(tmp_path):
    path = tmp_path / "clip.mp4"
    path.write_bytes(b"holiday")
    with pytest.raises(HcrError, match="--overwrite"):
        Recorder(path, 320, 240)
    assert path.read_bytes() == b"holiday"
    record(path, [0, 1 / 30], overwrite=True)
    assert len(frames_of(path)) == 2


@pytest.mark.parametrize(
    ("name", "says"),
    [("clip.avi", "end in .mp4"), ("clip", "end in .mp4"), ("nowhere/clip.mp4", "no folder")],
)
def test_outputs_that_cannot_be(tmp_path, name, says):
    for attempt in (check_recording_path, lambda path: Recorder(path, 320, 240)):
        with pytest.raises(HcrError, match=says):
            attempt(tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_is_no_recording(tmp_path):
    (tmp_path / "clip.mp4").mkdir()
    with pytest.raises(HcrError, match="is a folder"):
        check_recording_path(tmp_path / "clip.mp4", overwrite=True)


def test_a_file_that_cannot_be_made_is_said_at_once(tmp_path, monkeypatch):
    def refuse(*_, **__):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("builtins.open", refuse)
    with pytest.raises(HcrError, match="Permission denied"):
        recording._create(tmp_path / "clip.mp4", False)


KILLED = """
import sys
import numpy as np
from hcr_live.sinks.recorder import Recorder
random = np.random.default_rng(0)
recorder = Recorder(sys.argv[1], 320, 240, wait=True)
for number in range(10_000):
    image = random.integers(0, 255, (240, 320, 3), dtype=np.uint8)
    recorder.write(image, number / 30)
    if number == 150:
        print("written", flush=True)
        sys.stdin.read()
"""


def test_a_killed_process_leaves_a_file_that_plays(tmp_path):
    path = tmp_path / "clip.mp4"
    process = subprocess.Popen(
        [sys.executable, "-c", KILLED, str(path)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert process.stdout.readline() == b"written\n"
    process.kill()
    process.communicate()
    times = [time for time, _ in frames_of(path)]
    # What waited in the queue and the last fragment of half a second are lost.
    assert len(times) > 100
    assert times == pytest.approx([number / 30 for number in range(len(times))], abs=1e-3)


DISK_FULL = """
import resource, signal, sys
import numpy as np
from hcr_live.sinks.recorder import Recorder
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), resource.RLIM_INFINITY))
random = np.random.default_rng(0)
with Recorder(sys.argv[1], 320, 240, wait=True) as recorder:
    for number in range(int(sys.argv[3])):
        image = np.full((240, 320, 3), number % 256, np.uint8)
        if sys.argv[4] == "noise":
            image = random.integers(0, 255, image.shape, dtype=np.uint8)
        recorder.write(image, number / 30)
print(recorder.error)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no file size limit to stand for the disk")
@pytest.mark.parametrize(("limit", "count"), [(3_000_000, 150), (1_000_000, 33)])
def test_a_full_disk_stops_the_recording_with_a_sentence_and_what_is_there_plays(
    tmp_path, limit, count
):
    path = tmp_path / "clip.mp4"
    done = subprocess.run(
        [sys.executable, "-c", DISK_FULL, str(path), str(limit), str(count), "noise"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.startswith(f"The recording {path} stopped: File too large")
    assert done.stderr == ""
    assert path.stat().st_size <= limit
    assert len(frames_of(path)) >= 10


def test_an_index_that_does_not_fit_leaves_the_fragments(tmp_path):
    """The disk is full exactly when the file is finished: its head must stay as it was."""
    whole = tmp_path / "whole.mp4"
    with Recorder(whole, 320, 240, wait=True) as recorder:
        for number in range(60):
            recorder.write(np.full((240, 320, 3), number, np.uint8), number / 30)
    limit = whole.read_bytes().rindex(b"moov") + 100
    path = tmp_path / "clip.mp4"
    done = subprocess.run(
        [sys.executable, "-c", DISK_FULL, str(path), str(limit), "60", "plain"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "stopped" in done.stdout
    assert len(frames_of(path)) == 60
