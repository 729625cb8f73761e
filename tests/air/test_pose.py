import numpy as np
import pytest

from hcr_live.air.pen import PenSettings
from hcr_live.air.pose import palm_length, pen_tip, pointing_score
from tests.air.recorded import landmarks

SETTINGS = PenSettings()


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("turn", [-75, -30, 0, 30, 75])
@pytest.mark.parametrize("palm", [20, 100, 400])
def test_only_the_pointing_hand_points(palm: float, turn: float, mirrored: bool) -> None:
    def score(pose: str) -> float:
        return pointing_score(landmarks(pose, palm, turn, mirrored))

    assert score("point") > SETTINGS.down_score + 0.05
    for pose in ("open", "fist", "pinch"):
        assert score(pose) < SETTINGS.up_score - 0.05


def test_a_finger_that_points_down_does_not_write() -> None:
    assert pointing_score(landmarks("point", turn=180)) < SETTINGS.up_score


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
    assert pointing_score(np.zeros((21, 2), np.float32)) < SETTINGS.down_score
