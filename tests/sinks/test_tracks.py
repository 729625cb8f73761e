"""Sound of another file, and subtitles, in a recording."""

import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import av
import pytest

from hcr_live.sinks.recorder import Recorder
from hcr_live.sinks.subtitles import Cue
from hcr_live.sinks.tracks import SoundTrack, add_subtitles
from hcr_live.sources.base import EndOfSource
from hcr_live.sources.video import VideoSource
from tests.tones import (
    picture_brightens,
    sound_begins,
    sound_packets,
    subtitles_of,
    write_flash,
)

ROOT = Path(__file__).parents[2]


def copy(source, target, *, frames=None):
    """Record a video anew, with its sound; only the first frames if so many are given."""
    video = VideoSource(source)
    sound = SoundTrack(source, video.zero + Fraction(video.begin))
    recorder = Recorder(
        target,
        video.info.width,
        video.info.height,
        wait=True,
        begin=video.begin,
        tracks=(sound,),
    )
    count = 0
    try:
        while frames is None or count < frames:
            frame = video.read(timeout=10)
            recorder.write(frame.image, frame.time)
            count += 1
    except EndOfSource:
        pass
    recorder.close(whole=frames is None)
    video.close()
    assert (recorder.error, sound.error) == ("", "")
    return count


def codecs(path):
    with av.open(str(path)) as container:
        return [stream.codec_context.name for stream in container.streams]


def times(path):
    with av.open(str(path)) as container:
        return [frame.time for frame in container.decode(video=0)]


def length(path):
    """Seconds until the sound ends."""
    with av.open(str(path)) as container:
        last = list(container.decode(audio=0))[-1]
        return last.time + last.samples / last.sample_rate


@pytest.mark.parametrize(
    ("name", "codec"),
    [("clip.mp4", "aac"), ("clip.mkv", "flac"), ("clip.mov", "alac"), ("clip.mkv", "ac3")],
)
def test_sound_that_mp4_takes_is_copied(tmp_path, name, codec):
    source, target = tmp_path / name, tmp_path / "out.mp4"
    write_flash(source, codec)
    copy(source, target)
    assert codecs(target) == ["h264", codec]
    assert sound_packets(target) == sound_packets(source)
    assert times(target) == pytest.approx(times(source), abs=1e-3)
    assert sound_begins(target) == pytest.approx(sound_begins(source), abs=2e-3)
    assert sound_begins(target) == pytest.approx(picture_brightens(target), abs=0.01)


@pytest.mark.parametrize(
    ("name", "codec", "rate"),
    [
        ("clip.mov", "pcm_s16le", 44_100),
        ("clip.avi", "pcm_u8", 22_050),
        ("clip.mkv", "pcm_s16le", 6_000),  # AAC knows no such rate
        ("clip.ts", "mp2", 48_000),
    ],
)
def test_other_sound_is_encoded_and_stays_in_time(tmp_path, name, codec, rate):
    source, target = tmp_path / name, tmp_path / "out.mp4"
    write_flash(source, codec, rate=rate)
    copy(source, target)
    assert codecs(target) == ["h264", "aac"]
    apart = sound_begins(source) - picture_brightens(source)
    assert sound_begins(target) - picture_brightens(target) == pytest.approx(apart, abs=2e-3)
    assert length(target) == pytest.approx(length(source) - times(source)[0], abs=0.08)


def test_broadcast_aac_becomes_what_mp4_wants(tmp_path):
    source, target = tmp_path / "clip.ts", tmp_path / "out.mp4"
    write_flash(source, "aac")
    copy(source, target)
    # The head that each packet had is gone: 7 bytes.
    assert [len(p) for p in sound_packets(target)] == [len(p) - 7 for p in sound_packets(source)]
    assert sound_begins(target) == pytest.approx(picture_brightens(target), abs=0.01)


@pytest.mark.parametrize("codec", ["aac", "pcm_s16le"])
def test_a_file_that_begins_late_begins_at_once(tmp_path, codec):
    source, target = tmp_path / "clip.mkv", tmp_path / "out.mp4"
    write_flash(source, codec, delay=5.0)
    copy(source, target)
    assert times(source)[0] == pytest.approx(5.0)
    assert times(target)[0] == pytest.approx(0.0, abs=0.03)
    assert sound_begins(target) == pytest.approx(picture_brightens(target), abs=0.01)


def test_all_sound_is_kept_with_its_language_and_beyond_the_pictures(tmp_path):
    one, source, target = (tmp_path / name for name in ("one.mp4", "two.mkv", "out.mp4"))
    write_flash(one, "aac", seconds=2.0)
    with av.open(str(one)) as read, av.open(str(source), "w") as container:
        routes = {}
        for language in ("deu", "eng"):
            stream = container.add_stream_from_template(read.streams.audio[0])
            stream.metadata["language"] = language
            routes.setdefault(1, []).append(stream)
        routes[0] = [container.add_stream_from_template(read.streams.video[0])]
        for packet in read.demux():
            if packet.size and (packet.stream.index == 1 or packet.pts * packet.time_base < 0.7):
                for stream in routes[packet.stream.index]:
                    packet.stream = stream
                    container.mux(packet)
    copy(source, target)
    with av.open(str(target)) as container:
        assert [s.language for s in container.streams.audio] == ["deu", "eng"]
    assert times(target)[-1] < 0.75
    assert length(target) == pytest.approx(2.0, abs=0.06)


def test_a_run_that_is_stopped_has_no_sound_beyond_its_pictures(tmp_path):
    source, target = tmp_path / "clip.mp4", tmp_path / "out.mp4"
    write_flash(source, "aac")
    assert copy(source, target, frames=21) == 21
    assert length(target) == pytest.approx(21 / 30, abs=0.05)


def test_a_video_without_sound_has_none(tmp_path):
    source, target = tmp_path / "clip.mp4", tmp_path / "out.mp4"
    write_flash(tmp_path / "loud.mp4")
    with av.open(str(tmp_path / "loud.mp4")) as read, av.open(str(source), "w") as container:
        stream = container.add_stream_from_template(read.streams.video[0])
        for packet in read.demux(video=0):
            if packet.size:
                packet.stream = stream
                container.mux(packet)
    copy(source, target)
    assert codecs(target) == ["h264"]
    assert times(target) == pytest.approx(times(source), abs=1e-3)


def test_damaged_sound_does_not_end_the_recording(tmp_path):
    source, target = tmp_path / "clip.ts", tmp_path / "out.mp4"
    write_flash(source, "aac")
    content = bytearray(source.read_bytes())
    broken = sound_packets(source)[20]
    at = content.index(broken[:60])
    content[at : at + 20] = bytes(20)
    source.write_bytes(content)
    count = copy(source, target)
    assert count == len(times(target))
    assert len(sound_packets(target)) > 50


CUES = [Cue(0.5, 1.0, "H"), Cue(1.0, 2.25, "HI\nÄ"), Cue(3.0, 3.9, "A")]


@pytest.mark.parametrize("codec", ["aac", "pcm_s16le"])
def test_cues_are_shown_when_they_should_be_and_change_nothing_else(tmp_path, codec):
    source, target = tmp_path / "clip.mov", tmp_path / "out.mp4"
    write_flash(source, codec, seconds=4.0)
    copy(source, target)
    before = (times(target), sound_packets(target), sound_begins(target))
    add_subtitles(target, CUES)
    assert codecs(target) == ["h264", "aac", "mov_text"]
    found = subtitles_of(target)
    assert [text for _, _, text in found] == [cue.text for cue in CUES]
    for (begin, end, _), cue in zip(found, CUES, strict=True):
        assert (begin, end) == pytest.approx((cue.begin, cue.end), abs=2e-3)
    assert times(target) == pytest.approx(before[0], abs=1e-4)
    assert sound_packets(target) == before[1]
    assert sound_begins(target) == pytest.approx(before[2], abs=1e-4)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["clip.mov", "out.mp4"]


FULL = """
import resource, signal, sys
from pathlib import Path
from hcr_live.sinks.subtitles import Cue
from hcr_live.sinks.tracks import add_subtitles
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (6_000, resource.RLIM_INFINITY))
try:
    add_subtitles(Path(sys.argv[1]), [Cue(0.5, 1.0, "H")])
except Exception as error:
    print(type(error).__name__, error)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no file size limit to stand for the disk")
def test_a_full_disk_leaves_the_file_without_them(tmp_path):
    source, target = tmp_path / "clip.mp4", tmp_path / "out.mp4"
    write_flash(source, "aac", seconds=3.0)
    copy(source, target)
    before = target.read_bytes()
    assert len(before) > 6_000
    done = subprocess.run(
        [sys.executable, "-c", FULL, str(target)], cwd=ROOT, capture_output=True, text=True
    )
    assert done.stdout.startswith(f"HcrError {target} lacks its own subtitles: File too large")
    assert target.read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["clip.mp4", "out.mp4"]
