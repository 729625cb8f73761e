import itertools

import numpy as np
import pytest

from hcr_live.errors import HcrError
from hcr_live.sources import EndOfSource, SourceState, open_source
from hcr_live.sources.video import VideoSource
from tests.sources.clips import HEIGHT, WIDTH, picture, silent_audio, turn_by_metadata, write_clip


def read_all(source):
    frames = []
    while True:
        try:
            frame = source.read(timeout=10)
        except EndOfSource:
            return frames
        assert frame is not None
        frames.append(frame)


def test_every_frame_comes_once_in_order_at_its_own_time(tmp_path):
    source = VideoSource(write_clip(tmp_path / "clip.mp4"))
    frames = read_all(source)
    assert [frame.index for frame in frames] == list(range(20))
    assert [frame.time for frame in frames] == pytest.approx([i / 30 for i in range(20)], abs=1e-3)
    for number, frame in enumerate(frames):
        assert frame.image.dtype == np.uint8
        assert np.abs(frame.image.astype(int) - picture(number)).mean() < 4
        assert not frame.still
    assert (source.info.width, source.info.height) == (WIDTH, HEIGHT)
    assert source.info.fps == pytest.approx(30, rel=0.01)
    assert not source.info.live
    assert (source.state, source.dropped, source.notice) == (SourceState.ENDED, 0, "")


@pytest.mark.parametrize("ending", ["mp4", "mkv", "ts"])
def test_variable_rate_keeps_the_clips_own_times(tmp_path, ending):
    times = [0, 0.033, 0.066, 0.4, 0.41, 0.7, 1.5, 1.533]
    source = VideoSource(write_clip(tmp_path / f"clip.{ending}", times))
    assert [frame.time for frame in read_all(source)] == pytest.approx(times, abs=2e-3)


def test_equal_times_are_moved_apart(tmp_path):
    # Matroska counts milliseconds, so two frames 0.4 ms apart get the same time.
    times = [0, 0.1, 0.1004, 0.2]
    path = write_clip(tmp_path / "clip.mkv", times, codec="ffv1", ticks=10_000)
    got = [frame.time for frame in read_all(VideoSource(path))]
    assert got == pytest.approx(times, abs=2e-3)
    assert all(later > earlier for earlier, later in itertools.pairwise(got))


def test_a_clip_of_a_phone_held_upright_is_turned(tmp_path):
    path = write_clip(tmp_path / "clip.mp4", faststart=False)
    turn_by_metadata(path)
    source = VideoSource(path)
    frame = source.read()
    source.close()
    assert (source.info.width, source.info.height) == (HEIGHT, WIDTH)
    assert frame.image.shape == (WIDTH, HEIGHT, 3)
    # Turned clockwise the white corner of the top left comes to the top right.
    assert frame.image[5, -5].min() > 200
    assert frame.image[5, 5].max() < 100


@pytest.mark.parametrize("pixel_format", ["yuv444p", "yuv422p10le", "gray", "bgr0", "yuv410p"])
def test_unusual_pixel_formats_become_bgr(tmp_path, pixel_format):
    source = VideoSource(write_clip(tmp_path / "clip.mkv", codec="ffv1", pixel_format=pixel_format))
    frames = read_all(source)
    assert np.abs(frames[7].image.astype(int) - picture(7)).mean() < 5


@pytest.mark.parametrize("ending", ["mp4", "mkv"])
def test_a_truncated_video_is_read_as_far_as_it_goes_and_said_to_be_so(tmp_path, ending):
    path = write_clip(tmp_path / f"clip.{ending}", [i / 30 for i in range(60)], noise=True)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) * 6 // 10])
    source = VideoSource(path)
    frames = read_all(source)
    assert 25 < len(frames) < 40
    assert source.notice == f"{path} ends early: read as far as it goes, {len(frames)} frames."


def test_damage_in_the_middle_does_not_end_the_clip(tmp_path):
    path = write_clip(tmp_path / "clip.mp4", [i / 30 for i in range(60)], noise=True)
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 8000] = bytes(i * 7 % 256 for i in range(8000))
    path.write_bytes(content)
    source = VideoSource(path)
    frames = read_all(source)
    assert frames[-1].time == pytest.approx(59 / 30, abs=0.05)
    assert "damaged in places" in source.notice


def test_what_is_decoded_ahead_is_bounded(tmp_path):
    source = VideoSource(write_clip(tmp_path / "clip.mp4", [i / 30 for i in range(90)]))
    frames = [source.read(timeout=10)]
    assert source._queue.maxsize <= 4
    frames += read_all(source)
    assert len(frames) == 90


def test_closing_early_ends_the_thread(tmp_path):
    source = VideoSource(write_clip(tmp_path / "clip.mp4", [i / 30 for i in range(90)]))
    source.read()
    source.close()
    source.close()
    assert not source._thread.is_alive()
    with pytest.raises(EndOfSource):
        source.read()


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("text.mp4", b"Dear diary, this is no video.\n" * 50, "cannot be read as a video"),
        ("notes.txt", b"Dear diary, this is no video.\n" * 50, "no picture"),
        ("zero.mp4", b"", "empty"),
        ("zero.png", b"", "empty"),
        ("noise.mp4", bytes(range(256)) * 40, "cannot be read as a video"),
    ],
)
def test_what_is_no_video_is_named_in_one_sentence(tmp_path, name, content, says, capfd):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(HcrError, match=says) as caught:
        open_source(str(path))
    assert name in str(caught.value)
    assert capfd.readouterr() == ("", "")


def test_a_video_cut_before_its_index_is_refused(tmp_path):
    path = write_clip(tmp_path / "clip.mp4", faststart=False)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 3])
    with pytest.raises(HcrError, match="cut off before its index"):
        open_source(str(path))


def test_sound_alone_has_no_picture(tmp_path):
    with pytest.raises(HcrError, match="no picture"):
        open_source(str(silent_audio(tmp_path / "sound.m4a")))
