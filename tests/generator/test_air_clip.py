import hashlib
from pathlib import Path

import av
import numpy as np
import pytest

import generator.air_clip
from generator.air_clip import air_clip_frames, idle_hand_frames, place_strokes
from generator.background import background
from generator.letters import letter_strokes
from generator.video import write_clip
from hcr_live.errors import HcrError

SMALL = {"width": 320, "height": 240, "size": 100}


def test_the_pictures_of_hands_are_those_that_were_vendored() -> None:
    folder = Path(generator.air_clip.__file__).parent / "hands"
    lines = [line.split() for line in (folder / "SHA256SUMS").read_text().splitlines()]
    assert len(lines) == 36
    for digest, name in lines:
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == digest


def test_strokes_are_placed_inside_the_frame_with_their_aspect() -> None:
    strokes = letter_strokes("H")
    [placed] = place_strokes([strokes], **SMALL)
    points = np.concatenate(placed)
    assert points.min() > 0
    assert (points.max(axis=0) < (320, 240)).all()
    before, after = np.ptp(np.concatenate(strokes), axis=0), np.ptp(points, axis=0)
    assert after[0] / after[1] == pytest.approx(before[0] / before[1], rel=1e-3)


def test_a_clip_is_seeded_and_keeps_its_rate() -> None:
    clips = [
        list(air_clip_frames([letter_strokes("L")], seed=seed, fps=20, **SMALL))
        for seed in (1, 1, 2)
    ]
    times = [time for _, time in clips[0]]
    assert np.diff(times) == pytest.approx(1 / 20)
    assert all(image.shape == (240, 320, 3) for image, _ in clips[0])
    assert np.array_equal(clips[0][30][0], clips[1][30][0])
    assert not np.array_equal(clips[0][30][0], clips[2][30][0])


def test_a_camera_that_faces_the_writer_sees_everything_flipped() -> None:
    plain, mirrored = (
        [
            image
            for image, _ in air_clip_frames(
                [letter_strokes("L")], seed=1, fps=10, mirrored=mirrored, **SMALL
            )
        ]
        for mirrored in (False, True)
    )
    assert np.array_equal(plain[12], mirrored[12][:, ::-1])


def test_an_idle_hand_is_filmed_as_long_as_asked() -> None:
    frames = list(idle_hand_frames(1.5, fps=20, **SMALL))
    assert len(frames) == 30
    with pytest.raises(HcrError, match="'wave'"):
        next(iter(idle_hand_frames(1, pose="wave")))


def test_backgrounds_are_bright_or_dark_as_asked() -> None:
    for seed in range(6):
        bright, dark = (
            background(64, 48, np.random.default_rng(seed), light).mean() for light in (True, False)
        )
        assert bright > 110 > dark


def test_a_clip_keeps_irregular_times(tmp_path: Path) -> None:
    times = [0.0, 0.033, 0.07, 0.2, 0.21, 0.5]
    frames = ((np.full((48, 64, 3), 40 * i, np.uint8), time) for i, time in enumerate(times))
    assert write_clip(tmp_path / "clip.mp4", frames, 30) == 6
    with av.open(str(tmp_path / "clip.mp4")) as container:
        decoded = list(container.decode(video=0))
    assert [frame.time for frame in decoded] == pytest.approx(times, abs=1e-4)
    levels = [frame.to_ndarray(format="bgr24").mean() for frame in decoded]
    assert levels == pytest.approx([40 * i for i in range(6)], abs=4)
