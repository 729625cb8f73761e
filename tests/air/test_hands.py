from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from generator.air_clip import (
    Rest,
    Wander,
    Write,
    air_clip_frames,
    idle_hand_frames,
    move_frames,
    place_strokes,
)
from generator.letters import letter_strokes
from hcr_live import resources
from hcr_live.air import hands as module
from hcr_live.air.hands import HandDetector
from hcr_live.air.pen import Pen, as_writer_sees, glide
from hcr_live.errors import HcrError

ROOT = Path(__file__).parents[2]


def test_the_shipped_model_is_googles() -> None:
    path = resources.model_path(module.MODEL_NAME)
    assert hashlib.sha256(path.read_bytes()).hexdigest() == module.MODEL_SHA256
    assert path.with_suffix(".sha256").read_text().split()[0] == module.MODEL_SHA256


def test_a_damaged_model_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    damaged = tmp_path / module.MODEL_NAME
    damaged.write_bytes(b"not a model")
    monkeypatch.setattr(module, "model_path", lambda name: damaged)
    with pytest.raises(HcrError, match="damaged"):
        HandDetector()


def test_it_starts_without_tensorflow_audio_or_a_word_and_leaves_both_importable() -> None:
    program = """
import sys
from hcr_live.air.hands import HandDetector
import numpy as np
detector = HandDetector()
detector.detect(np.zeros((480, 640, 3), np.uint8), 0.0)
print(sorted({"tensorflow", "sounddevice"} & set(sys.modules)))
"""
    answer = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert answer.stdout == "[]\n"
    assert answer.stderr == ""


def test_a_module_hidden_from_mediapipe_that_was_there_stays(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    marker = type(sys)("tensorflow")
    monkeypatch.setitem(sys.modules, "tensorflow", marker)
    module._import_mediapipe()
    assert sys.modules["tensorflow"] is marker


def test_frames_of_one_millisecond_and_a_clip_that_starts_again_do_no_harm() -> None:
    detector = HandDetector()
    image = np.zeros((120, 160, 3), np.uint8)
    for time in (5.0, 5.0001, 5.0002, 0.0, 0.0001):
        assert detector.detect(image, time) == ()
    detector.close()
    detector.close()
    with pytest.raises(HcrError, match="closed"):
        detector.detect(image, 6.0)


@pytest.mark.parametrize("shape", [(1, 1), (3, 2000), (720, 405)])
def test_frames_of_any_shape_are_valid(shape: tuple[int, int]) -> None:
    detector = HandDetector()
    assert detector.detect(np.full((*shape, 3), 90, np.uint8), 0.0) == ()
    detector.close()


@pytest.mark.parametrize(
    ("character", "seed", "fps", "mirrored", "up", "down"),
    [
        ("E", 1, 30, False, "open", "point"),
        ("S", 2, 24, True, "fist", "point"),
        ("L", 3, 24, False, "open", "pinch"),
        ("X", 4, 20, True, "fist", "pinch"),
    ],
)
def test_a_written_clip_gives_the_strokes_that_were_drawn(
    character: str, seed: int, fps: float, mirrored: bool, up: str, down: str
) -> None:
    """The whole way: pictures, MediaPipe, pose, pen."""
    size = {"width": 640, "height": 480, "size": 240, "pen": down}
    drawn = letter_strokes(character, np.random.default_rng(seed))
    [placed] = place_strokes([drawn], **size)
    detector, pen = HandDetector(), Pen()
    frames = air_clip_frames(
        [drawn], seed=seed, fps=fps, mirrored=mirrored, pen_up=up, pause=0.9, **size
    )
    updates = [pen.step(detector.detect(image, time), time) for image, time in frames]
    detector.close()
    strokes = [stroke for u in [*updates, pen.flush()] for stroke in u.ended]
    found = [glide(stroke[:, :2], 2.0) for stroke in strokes]
    assert len(found) == len(drawn)

    a = np.concatenate(placed)
    b = np.concatenate(as_writer_sees(found, mirrored))
    b = b + (a.min(axis=0) + a.max(axis=0) - b.min(axis=0) - b.max(axis=0)) / 2
    away = np.hypot(*(a[:, None] - b[None]).transpose(2, 0, 1))
    assert max(away.min(axis=0).mean(), away.min(axis=1).mean()) < 0.04 * np.ptp(a[:, 1])


@pytest.mark.parametrize("pose", ["open", "fist", "thumbs_up"])
def test_a_hand_that_does_not_point_writes_nothing(pose: str) -> None:
    detector, pen = HandDetector(), Pen()
    updates = [
        pen.step(detector.detect(image, time), time)
        for image, time in idle_hand_frames(
            2.0, pose=pose, seed=4, fps=24, width=640, height=480, size=220
        )
    ]
    detector.close()
    assert any(update.tip is not None for update in updates)
    assert not [u for u in [*updates, pen.flush()] if u.ended or u.writing is not None]


def test_a_hand_that_enters_does_not_take_the_pen_from_the_one_that_writes() -> None:
    size = {"width": 640, "height": 480, "size": 200}
    [placed] = place_strokes([letter_strokes("N", np.random.default_rng(1))], **size)
    moves, second = [Write(placed), Rest(0.9)], [Rest(1.2), Wander(6.0, "open", 0.75, 0.95)]
    detector, pen = HandDetector(), Pen()
    frames = move_frames(moves, seed=1, fps=20, second=second, **size)
    updates = [pen.step(detector.detect(image, time), time) for image, time in frames]
    detector.close()
    ended = [stroke for update in [*updates, pen.flush()] for stroke in update.ended]
    assert len(ended) == len(placed)
    assert max(stroke[:, 0].max() for stroke in ended) < max(s[:, 0].max() for s in placed) + 40


def test_a_hand_that_is_hidden_is_not_found_but_another_is() -> None:
    size = {"width": 640, "height": 480, "size": 200}
    moves, second = [Wander(3.0, "open", 0.2, 0.3)], [Wander(3.0, "open", 0.75, 0.85)]
    image = [image for image, _ in move_frames(moves, seed=2, fps=10, second=second, **size)][20]
    before = image.copy()
    detector = HandDetector()
    times = iter(np.arange(20) / 20)
    [first] = detector.detect(image, next(times))
    # It takes a frame to see that the first one is gone.
    [other] = [hand for _ in range(2) for hand in detector.detect(image, next(times), first)]
    assert abs(float(first.landmarks[0, 0] - other.landmarks[0, 0])) > 200
    [same] = detector.detect(image, next(times))
    assert np.abs(same.landmarks - other.landmarks).max() < 20
    detector.close()
    assert np.array_equal(image, before)
