import numpy as np
import pytest

from hcr_live.air.pen import PenSettings
from hcr_live.air.pose import (
    palm_length,
    pen_tip,
    pinch_point,
    pinch_score,
    pointing_score,
    pose_of,
)
from tests.air.recorded import landmarks, tightened

SETTINGS = PenSettings()
POSES = ("point", "open", "fist", "pinch", "victory", "thumb")


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("turn", [-75, -30, 0, 30, 75])
@pytest.mark.parametrize("palm", [20, 100, 400])
def test_only_the_pointing_hand_points(palm: float, turn: float, mirrored: bool) -> None:
    def score(pose: str) -> float:
        return pointing_score(landmarks(pose, palm, turn, mirrored))

    assert score("point") > SETTINGS.down_score + 0.05
    for pose in set(POSES) - {"point"}:
        assert score(pose) < SETTINGS.up_score - 0.05


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("turn", [-40, -20, 0, 20, 40])
@pytest.mark.parametrize("palm", [20, 100, 400])
def test_only_the_pinching_hand_pinches(palm: float, turn: float, mirrored: bool) -> None:
    def score(pose: str) -> float:
        return pinch_score(landmarks(pose, palm, turn, mirrored))

    assert score("pinch") > SETTINGS.pinch_down_score + 0.05
    for pose in set(POSES) - {"pinch"}:
        assert score(pose) < SETTINGS.pinch_up_score - 0.05


def test_a_pinch_is_clearer_the_nearer_the_tips_are() -> None:
    scores = [pinch_score(tightened(landmarks("pinch"), part)) for part in (-0.6, 0, 0.4, 0.8)]
    assert scores == sorted(scores)
    assert scores[0] < SETTINGS.pinch_up_score
    assert scores[-1] > SETTINGS.pinch_down_score + 0.25


def test_the_other_fingers_may_be_stretched_in_a_pinch() -> None:
    ok = landmarks("open")
    pinch = landmarks("pinch")
    ok[:9] = tightened(pinch, 0.6)[:9]
    assert pose_of(ok) == "pinch"


def test_a_folded_index_finger_near_the_thumb_is_a_fist() -> None:
    fist = landmarks("point")
    # Folded as the others beside it are, the thumb across them.
    fist[6:9] = fist[10:13] - fist[9] + fist[5]
    fist[4] = (fist[8] + fist[7]) / 2
    assert pose_of(fist) == "fist"


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("turn", [-40, -20, 0, 20, 40])
@pytest.mark.parametrize("pose", POSES)
def test_each_pose_is_named_whatever_the_tilt(pose: str, turn: float, mirrored: bool) -> None:
    assert pose_of(landmarks(pose, 150, turn, mirrored)) == pose


def test_a_thumb_that_points_aside_or_down_is_not_up() -> None:
    for turn in (90, 180, 270):
        assert pose_of(landmarks("thumb", turn=turn)) != "thumb"


def test_a_half_folded_hand_has_no_name() -> None:
    between = (landmarks("open") + landmarks("fist")) / np.float32(2)
    assert pose_of(between) == "other"


def test_the_pinch_point_is_between_the_tips() -> None:
    pinch = landmarks("pinch")
    assert pinch_point(pinch) == pytest.approx((pinch[4] + pinch[8]) / 2, abs=3)


def test_a_finger_that_points_down_does_not_write() -> None:
    assert pointing_score(landmarks("point", turn=180)) < SETTINGS.up_score


def test_a_hand_that_hangs_does_not_pinch() -> None:
    assert pinch_score(landmarks("pinch", turn=180)) < SETTINGS.pinch_up_score


def test_two_raised_fingers_do_not_write() -> None:
    victory = landmarks("point")
    victory[10:13] = victory[6:9] + np.float32([25, 0])
    assert pointing_score(victory) < SETTINGS.up_score


def test_the_palm_keeps_its_length_when_the_hand_changes_pose() -> None:
    lengths = [palm_length(landmarks(pose)) for pose in ("point", "open", "pinch")]
    assert max(lengths) < 1.1 * min(lengths)


def test_the_pen_is_the_outer_end_of_the_finger() -> None:
    straight = landmarks("point")
    straight[8] = straight[7] + (straight[7] - straight[6]) * 0.8
    assert pen_tip(straight) == pytest.approx(straight[8])
    folded = straight.copy()
    folded[8] = folded[6]
    assert pen_tip(folded) == pytest.approx(folded[7])


def test_a_hand_without_extent_is_no_error() -> None:
    nothing = np.zeros((21, 2), np.float32)
    assert pointing_score(nothing) < SETTINGS.down_score
    assert np.isfinite(pinch_score(nothing))
    assert pose_of(nothing) not in ("point", "open", "victory", "thumb")
