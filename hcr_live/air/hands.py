"""The edge to MediaPipe: hands and their landmarks in a frame."""

from __future__ import annotations

import math
import sys
import weakref
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from hcr_live.errors import HcrError
from hcr_live.quiet import silent_stderr
from hcr_live.resources import model_path, verified

MODEL_NAME = "hand_landmarker.task"
MODEL_SHA256 = "fbc2a30080c3c557093b5ddfc334698132eb341044ccee322ccf8bcf3607cde1"

_LONGEST_SIDE = 640
"""Larger frames are halved or more: the model looks at 192 and 224 pixels anyway."""

_STEP = 0.5
"""Where no hand is known, the square that is looked at moves on by this share of its side."""

_SEARCH_AFTER = 0.5
_SEARCH_INTERVAL = 0.06
"""Once no hand was seen for the first, the search (as dear as tracking) runs only this often, s."""

_CONFIDENCE = 0.3
"""Below MediaPipe's 0.5: a missed hand costs a stroke, a false one makes no writing pose."""

_MARGIN = 0.25
"""A hand is painted over by so much more than its landmarks' box, in parts of its longer side."""

_PALE_RGB = (
    0.5 * np.eye(3)[::-1] + 0.5 * np.array([0.114, 0.587, 0.299])  # half colour, half grey
).astype(np.float32)
"""BGR to RGB of half the colour: on strongly yellow skin MediaPipe misses every third hand."""


@dataclass(frozen=True, eq=False)
class Hand:
    """One hand of one frame.

    Attributes:
        landmarks: float32 (21, 2), pixels of the unmirrored frame, x right, y down; 0 is the
            wrist, 4, 8, 12, 16, 20 the fingertips from the thumb on (the order of MediaPipe).
        handedness: "Left" or "Right", as MediaPipe guesses it.
        score: How sure that guess is, in [0, 1].
    """

    landmarks: NDArray[np.float32]
    handedness: str
    score: float


class HandDetector:
    """MediaPipe's HandLandmarker (Zhang et al., MediaPipe Hands, 2020) in VIDEO mode."""

    def __init__(self) -> None:
        """Load the model and run it once, so that the first frame is not late.

        Raises:
            HcrError: If the model or MediaPipe is missing, damaged or does not start.
        """
        path = verified(model_path(MODEL_NAME), MODEL_SHA256)
        with silent_stderr():
            self._mediapipe = _import_mediapipe()
            vision = self._mediapipe.tasks.vision
            options = vision.HandLandmarkerOptions(
                # By its path: MediaPipe copies a buffer several times, 20 MB in all.
                base_options=self._mediapipe.tasks.BaseOptions(model_asset_path=str(path)),
                running_mode=vision.RunningMode.VIDEO,
                num_hands=1,
                min_hand_detection_confidence=_CONFIDENCE,
                min_hand_presence_confidence=_CONFIDENCE,
            )
            try:
                landmarker = vision.HandLandmarker.create_from_options(options)
            except (RuntimeError, ValueError) as error:
                raise HcrError(
                    f"MediaPipe cannot start the hand model ({error}): install the package again."
                ) from error
            self._landmarker = landmarker
            self._close = weakref.finalize(self, _release, landmarker)
            self._last_milliseconds = -1
            self._centre: NDArray[np.floating] | None = None  # of the hand, in pixels
            self._wide = False  # whether a square holds all of the frame
            self._turn = 0
            self._tracks = False
            self._seen = self._searched = float("-inf")
            self.detect(np.zeros((90, 160, 3), np.uint8), 0.0)
            self._searched = float("-inf")

    def detect(
        self, image: NDArray[np.uint8], time: float, hidden: Hand | None = None
    ) -> tuple[Hand, ...]:
        """Find the hand of the next frame of a clip: the one of the frame before, if it is there.

        Args:
            image: uint8 (height, width, 3), BGR, unmirrored.
            time: Seconds, increasing from call to call, any origin.
            hidden: A hand that is painted over, so that another one is found.

        Returns:
            The hand, or none.

        Raises:
            HcrError: If the detector was closed.
        """
        if not self._close.alive:
            raise HcrError("The hand detector was closed: make a new one.")
        # Time runs back where a source starts again; then nothing of before counts.
        if time < self._searched:
            self._seen = self._searched = float("-inf")
        if time - self._seen > _SEARCH_AFTER and time - self._searched < _SEARCH_INTERVAL:
            return ()
        self._searched = time
        if time - self._seen > _SEARCH_AFTER:
            self._centre = None
        hands = self._look(image, time, hidden)
        if not hands and self._tracks:
            # The tracker alone lost a quick hand: now the search sees this frame, too.
            hands = self._look(image, time, hidden)
        self._tracks = bool(hands)
        if hands:
            landmarks = hands[0].landmarks
            self._centre = (landmarks.min(axis=0) + landmarks.max(axis=0)) / 2
            self._seen = time
        return hands

    def _look(self, image: NDArray[np.uint8], time: float, hidden: Hand | None) -> tuple[Hand, ...]:
        """Look at a square of the image around where the hand was, else at one after the other.

        The search sees 192 x 192 pixels of whatever it is given: in the whole of a wide frame a
        hand at arm's length is a third of the time too small for it.
        """
        shape = np.array(image.shape[1::-1])
        side = int(shape.max() if self._wide else shape.min())
        if self._wide:
            corner = (shape - side) / 2
        elif self._centre is None:
            steps = math.ceil((shape.max() - side) / (_STEP * side)) + 1
            self._turn += 1
            corner = (shape - side) * ((self._turn % steps) / max(steps - 1, 1))
        else:
            corner = (self._centre - side / 2).astype(np.float64)
        # A square that goes with the hand keeps it where the tracker, which assumes that nothing
        # moves, expects it.
        x, y = (int(edge) for edge in np.rint(corner))
        square = _square(image, x, y, side, min(1.0, _LONGEST_SIDE / float(shape.max())))
        low = np.array([x, y], np.float32)
        if hidden is not None:
            _paint_over(square, (hidden.landmarks - low) / np.float32(side))
        picture = self._mediapipe.Image(image_format=self._mediapipe.ImageFormat.SRGB, data=square)
        # MediaPipe refuses a time that does not grow, so frames of the same millisecond move on.
        self._last_milliseconds = max(self._last_milliseconds + 1, round(time * 1000))
        result = self._landmarker.detect_for_video(picture, self._last_milliseconds)
        self._wide ^= not result.hand_landmarks
        return tuple(
            Hand(
                landmarks=np.array([(p.x, p.y) for p in points], np.float32) * side + low,
                handedness=handedness[0].category_name,
                score=float(handedness[0].score),
            )
            for points, handedness in zip(result.hand_landmarks, result.handedness, strict=True)
        )

    def close(self) -> None:
        """Free the model; may be called twice."""
        self._close()


def _square(image: NDArray[np.uint8], x: int, y: int, side: int, scale: float) -> NDArray[np.uint8]:
    """Return a square of an image, scaled and paled, RGB; beyond the border it is black."""
    height, width = image.shape[:2]
    left, top = max(x, 0), max(y, 0)
    part = image[
        top : max(top + 1, min(y + side, height)), left : max(left + 1, min(x + side, width))
    ]
    size = max(1, round(side * scale))
    across, down = min(round((left - x) * scale), size - 1), min(round((top - y) * scale), size - 1)
    shape = (
        min(max(1, round(part.shape[1] * scale)), size - across),
        min(max(1, round(part.shape[0] * scale)), size - down),
    )
    small = cv2.resize(part, shape, interpolation=cv2.INTER_LINEAR) if scale < 1 else part
    square = np.zeros((size, size, 3), np.uint8)
    square[down : down + shape[1], across : across + shape[0]] = cv2.transform(small, _PALE_RGB)
    return square


def _paint_over(image: NDArray[np.uint8], points: NDArray[np.float32]) -> None:
    """Fill the box of a hand, with a margin; its points are in parts of the image's size."""
    points = points * image.shape[1::-1]
    low, high = points.min(axis=0), points.max(axis=0)
    margin = _MARGIN * (high - low).max()
    left, top = np.maximum(low - margin, 0).astype(int)
    right, bottom = np.maximum(high + margin, 0).astype(int)
    image[top:bottom, left:right] = 128


def _release(landmarker: Any) -> None:
    """Close a landmarker, also while Python exits: then its worker thread is gone already."""
    try:
        landmarker.close()
    except RuntimeError:
        # Its destructor would try once more, later, and print a traceback.
        landmarker._handle = None


def _import_mediapipe() -> Any:
    """Import MediaPipe without what it drags in but we never use.

    It imports TensorFlow wherever that is installed, for decorators of its documentation (some
    3 s and 700 MB), and sounddevice, which opens the audio system. Both imports are optional to
    it, so they are made to fail while it loads; the program itself may import either at any time.
    """
    hidden: list[str] = []
    for name in ("tensorflow", "sounddevice"):
        if name not in sys.modules:
            hidden.append(name)
            sys.modules[name] = None  # type: ignore[assignment]
    try:
        import mediapipe

        return mediapipe
    except ImportError as error:
        raise HcrError(
            f"MediaPipe cannot be imported ({error}): pip install -r requirements.txt."
        ) from error
    finally:
        for name in hidden:
            del sys.modules[name]
