import hashlib
from itertools import pairwise
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

import generator.air_clip
from generator.air_clip import (
    Leave,
    Rest,
    Show,
    Wander,
    Write,
    air_clip_frames,
    gesturing_moves,
    idle_hand_frames,
    move_frames,
    place_strokes,
    place_word,
    word_moves,
)
from generator.background import background
from generator.letters import letter_strokes
from generator.video import write_clip
from hcr_live.air.hands import HandDetector
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


def blurred(image: np.ndarray) -> np.ndarray:
    return cv2.GaussianBlur(image, (0, 0), 3).astype(np.float32)


@pytest.mark.parametrize("pen", ["point", "pinch"])
@pytest.mark.parametrize("left_handed", [False, True])
def test_a_word_stands_side_by_side_within_the_frame(pen: str, left_handed: bool) -> None:
    rng = np.random.default_rng(1)
    word = [letter_strokes(character, rng) for character in "MOUNTAIN"]
    placed = place_word(word, **SMALL, pen=pen, left_handed=left_handed)
    ends = [(points.min(axis=0), points.max(axis=0)) for points in map(np.concatenate, placed)]
    for (_, before), (after, _) in pairwise(ends):
        assert after[0] > before[0]
    assert min(low.min() for low, _ in ends) > 0
    assert max(high[0] for _, high in ends) < 320
    assert max(high[1] for _, high in ends) < 240
    heights = [high[1] - low[1] for low, high in ends]
    assert heights == pytest.approx([heights[0]] * 8, rel=1e-2)


def test_words_are_parted_by_a_hand_that_leaves() -> None:
    words = [[letter_strokes(c) for c in word] for word in ("HI", "YOU")]
    for in_place in (True, False):
        moves = word_moves(words, in_place=in_place, **SMALL)
        kinds = "".join(type(move).__name__[0] for move in moves)
        assert kinds == "WRWR" + "L" + "WRWRWR"
    written = [
        np.concatenate(move.strokes)
        for move in word_moves(words, **SMALL)
        if isinstance(move, Write)
    ]
    centres = [(points.min(axis=0) + points.max(axis=0)) / 2 for points in written]
    assert np.ptp(centres, axis=0).max() < 0.01


def test_a_hand_that_left_is_out_of_sight() -> None:
    moves = [Show("open", 0.4), Leave(1.0), Show("fist", 0.4), Leave(1.0, aside=True)]
    frames = list(move_frames(moves, seed=2, fps=10, light=False, skin=1, **SMALL))
    empty = blurred(frames[0][0])
    seen = "".join("x" if np.abs(blurred(i) - empty).max() > 40 else "." for i, _ in frames)
    absent = [len(part) for part in seen.split("x") if part]
    assert len(absent) == 3
    assert min(absent[1:]) >= 10


def test_a_second_hand_comes_into_view() -> None:
    second = (Rest(0.5), Wander(2.0, "fist", 0.75, 0.9))
    [alone, both] = (
        [image for image, _ in move_frames([Rest(2.0)], seed=3, fps=5, second=other, **SMALL)]
        for other in ((), second)
    )
    assert len(alone) == len(both)
    changed = [
        np.abs(blurred(one) - blurred(other)).max(axis=(0, 2)) > 30
        for one, other in zip(alone, both, strict=True)
    ]
    assert not changed[0].any()
    assert changed[-3][180:].any()
    assert not changed[-3][:120].any()


@pytest.mark.parametrize("pen", ["point", "pinch"])
def test_mediapipe_sees_the_pen_where_it_writes(pen: str) -> None:
    landmarks = held(pen, pen=pen)
    tip = landmarks[8] if pen == "point" else (landmarks[4] + landmarks[8]) / 2
    palm = np.hypot(*(landmarks[9] - landmarks[0]))
    # Where `Show` holds a hand that comes from below.
    assert np.hypot(*(tip - (0.55 * 640, 0.5 * 360))) < 0.15 * palm


def test_mediapipe_sees_the_gestures() -> None:
    thumb, index, middle, ring, little = (4, 8, 12, 16, 20)

    victory = held("victory")
    reach = np.hypot(*(victory - victory[0]).T)
    assert min(reach[index], reach[middle]) > 1.3 * max(reach[ring], reach[little])

    up = held("thumbs_up")
    fingers = up[[index, middle, ring, little]]
    assert up[thumb, 1] < fingers[:, 1].min() - 0.4 * np.ptp(up[:, 1])


def held(pose: str, pen: str = "point") -> np.ndarray:
    """Return the landmarks that MediaPipe sees of a hand that holds a pose, the middle of some."""
    detector = HandDetector()
    clip = move_frames(
        [Show(pose, 1.0)], seed=1, fps=10, width=640, height=360, size=150, pen=pen, light=True
    )
    seen = []
    for image, time in clip:
        hands = detector.detect(image, time)
        if 1.0 <= time <= 1.6:
            seen += [hand.landmarks for hand in hands]
    detector.close()
    assert len(seen) >= 4
    return np.median(seen, axis=0)


def test_a_hand_that_talks_never_writes() -> None:
    moves = gesturing_moves(60, np.random.default_rng(1))
    assert sum(move.seconds for move in moves) >= 60
    assert {move.pose for move in moves} == {"open", "fist", "victory", "thumbs_up"}


def test_poses_without_a_picture_and_pens_that_are_none_are_refused() -> None:
    with pytest.raises(HcrError, match="'wave'"):
        next(iter(move_frames([Show("wave")], **SMALL)))
    with pytest.raises(HcrError, match="'fist'"):
        next(iter(move_frames([Rest()], pen="fist", **SMALL)))
