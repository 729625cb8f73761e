from itertools import pairwise

import pytest

from hcr_live.mode import AutoMode


def modes(looks: list[bool], fps: float) -> list[str]:
    state, seen = AutoMode(), []
    for number, writing in enumerate(looks):
        state = state.step(writing, number / fps)
        seen.append(state.mode)
    return seen


def changes(seen: list[str]) -> int:
    return sum(a != b for a, b in pairwise(seen))


@pytest.mark.parametrize("fps", [10, 15, 30, 60])
def test_a_writing_hand_means_air_and_its_absence_paper_again(fps):
    second = int(fps)
    seen = modes([False] * second + [True] * second + [False] * 3 * second, fps)
    assert seen[second - 1] == "paper"
    assert seen[2 * second - 1] == "air"
    assert seen[-1] == "paper"
    assert changes(seen) == 2


def test_a_passing_pose_changes_nothing():
    assert set(modes(([False] * 10 + [True] * 3) * 5, 30)) == {"paper"}


def test_pauses_between_letters_do_not_flip_the_mode():
    seen = modes([True] * 30 + ([False] * 40 + [True] * 5) * 4, 30)
    assert changes(seen) <= 1
    assert seen[-1] == "air"
