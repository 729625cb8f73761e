from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pytest

from generator.letters import letter_strokes
from hcr_live.air.characters import Characters, CharacterSettings, CharactersUpdate, Judge, Stroke
from hcr_live.air.pen import as_writer_sees, glide
from hcr_live.alphabet import get_alphabet
from hcr_live.classifier import Classifier

PALM = 100.0
WIDTH = 1280
LETTERS = get_alphabet("letters")
Group = Sequence[Stroke]


@pytest.fixture(scope="module")
def classifier() -> Classifier:
    return Classifier()


def judge_of(classifier: Classifier, mirrored: bool) -> Judge:
    def judge(groups: Sequence[Group]) -> np.ndarray:
        paths = [[glide(stroke[:, :2], 0.05 * PALM) for stroke in group] for group in groups]
        seen = [as_writer_sees(path, mirrored) for path in paths]
        return LETTERS.project(classifier.stroke_probabilities(seen))

    return judge


def written(
    text: str, rng: np.random.Generator, *, beside: bool, mirrored: bool = False
) -> list[list[Stroke]]:
    """For each letter its strokes, as a camera at 30 frames a second sees them."""
    height = rng.uniform(1.2, 3) * PALM
    pause = (0.2, 0.5) if beside else (0.95, 1.6)
    x, time = 150.0, 0.5
    letters = []
    for character in text:
        drawn = letter_strokes(character, rng)
        size = height * np.exp(rng.normal(0, 0.06))
        corner = (x, 150 + rng.normal(0, 0.05) * height)
        left = min(stroke[:, 0].min() for stroke in drawn)
        strokes = []
        for stroke in drawn:
            path = (stroke - (left, 0)) * size + corner
            seconds = 0.2 + 0.25 * len(path) / 50
            frames = max(3, round(seconds * 30))
            at = np.linspace(0, len(path) - 1, frames)
            seen = [np.interp(at, np.arange(len(path)), path[:, k]) for k in (0, 1)]
            if mirrored:
                seen[0] = WIDTH - 1 - seen[0]
            times = time + np.arange(frames) / 30
            strokes.append(np.column_stack([*seen, times]).astype(np.float32))
            time = times[-1] + rng.uniform(0.15, 0.4)
        time = times[-1] + rng.uniform(*pause)
        letters.append(strokes)
        if beside:
            right = max(stroke[:, 0].max() for stroke in drawn) - left
            x = corner[0] + (right + rng.uniform(0.12, 0.5)) * size
    return letters


def film(strokes: Group, rest: float = 1.0) -> Iterator[tuple[list[Stroke], Stroke | None, float]]:
    """What a pen that needs two frames to see that it went up tells of each frame."""
    waiting = list(strokes)
    for time in np.arange(0, strokes[-1][-1, 2] + rest, 1 / 30):
        ended = [stroke for stroke in waiting if stroke[-1, 2] < time - 0.06]
        waiting = waiting[len(ended) :]
        begun = waiting[0][waiting[0][:, 2] <= time] if waiting else ()
        yield ended, begun if len(begun) else None, float(time)


def run(
    characters: Characters, strokes: Group, rest: float = 1.0
) -> list[tuple[float, CharactersUpdate]]:
    return [
        (time, characters.step(ended, writing, time, PALM))
        for ended, writing, time in film(strokes, rest)
    ]


def finished(updates: list[tuple[float, CharactersUpdate]]) -> list[Group]:
    return [group for _, update in updates for group in update.finished]


def same(groups: Sequence[Group], letters: Sequence[Group]) -> bool:
    return [[id(s) for s in group] for group in groups] == [[id(s) for s in g] for g in letters]


def flat(letters: Sequence[Group]) -> list[Stroke]:
    return [stroke for letter in letters for stroke in letter]


def never_asked(groups: Sequence[Group]) -> np.ndarray:
    raise AssertionError(f"{len(groups)} groups were judged")


def line(
    start: tuple[float, float], end: tuple[float, float], time: float, seconds: float = 0.3
) -> Stroke:
    at = np.linspace(0, 1, 10)[:, None]
    path = np.array(start) + at * (np.array(end) - start)
    return np.column_stack([path, time + seconds * at]).astype(np.float32)


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("beside", [True, False])
def test_words_are_cut_into_their_letters(
    classifier: Classifier, beside: bool, mirrored: bool
) -> None:
    judge = judge_of(classifier, mirrored)
    words, right = 0, 0
    for seed in range(8):
        rng = np.random.default_rng([seed, beside, mirrored])
        text = "".join(rng.choice(LETTERS.labels, rng.integers(3, 9)))
        letters = written(text, rng, beside=beside, mirrored=mirrored)
        found = finished(run(Characters(CharacterSettings(), judge, mirrored), flat(letters)))
        words += 1
        right += same(found, letters)
    assert right >= words - 1


@pytest.mark.parametrize("text", ["HI", "IH", "KIN", "LIMIT", "FILM", "HILL", "MINT", "III"])
def test_upright_lines_are_stems_where_what_follows_makes_a_letter_of_them(
    classifier: Classifier, text: str
) -> None:
    letters = [
        strokes[:1] if character == "I" else strokes
        for character, strokes in zip(
            text, written(text, np.random.default_rng(3), beside=True), strict=True
        )
    ]
    characters = Characters(CharacterSettings(), judge_of(classifier, False))
    assert same(finished(run(characters, flat(letters))), letters)


def test_who_pauses_after_every_letter_is_not_cut_within_one() -> None:
    """A wide N whose stem stands a little apart is an I and a V, but for the writer's habit."""

    def judge(groups: Sequence[Group]) -> np.ndarray:
        sure = {1: 0.99, 2: 0.98, 3: 0.97}
        return np.array([[sure[len(group)], 1 - sure[len(group)]] for group in groups])

    def wide_n(time: float) -> list[Stroke]:
        ends = [((200, 100), (200, 300)), ((224, 100), (320, 300)), ((320, 300), (440, 100))]
        return [line(*way, time + 0.5 * k) for k, way in enumerate(ends)]

    alone = Characters(CharacterSettings(), judge)
    assert [len(group) for group in finished(run(alone, wide_n(0.5)))] == [1, 2]
    habitual = Characters(CharacterSettings(), judge)
    before = [line((200, 100), (200, 300), 0.5 + 1.5 * k) for k in range(3)]
    groups = finished(run(habitual, [*before, *wide_n(5.0)]))
    assert [len(group) for group in groups] == [1, 1, 1, 3]


def test_writing_on_to_the_right_ends_a_letter_without_a_pause(classifier: Classifier) -> None:
    letters = written("COS", np.random.default_rng(1), beside=True)
    updates = run(Characters(CharacterSettings(), judge_of(classifier, False)), flat(letters))
    first_at = next(time for time, update in updates if update.finished)
    assert letters[0][-1][-1, 2] < first_at < letters[2][0][0, 2]


def test_nothing_waits_longer_than_the_pause(classifier: Classifier) -> None:
    letters = written("MINK", np.random.default_rng(2), beside=True)
    settings = CharacterSettings(pause=0.6)
    updates = run(Characters(settings, judge_of(classifier, False)), flat(letters))
    end = letters[-1][-1][-1, 2]
    *_, (last_at, last) = [(time, update) for time, update in updates if update.finished]
    assert last.finished[-1][-1] is letters[-1][-1]
    assert last_at == pytest.approx(end + 0.6, abs=1 / 29)
    pauses = [update.pause for time, update in updates if end + 0.06 < time < last_at]
    assert pauses == sorted(pauses)
    assert 0 < pauses[0] < 0.3
    assert 0.9 < pauses[-1] < 1
    assert updates[-1][1].pause == 0
    assert not updates[-1][1].strokes


def test_a_stroke_that_begins_far_off_ends_the_character_while_it_is_drawn() -> None:
    first = line((100, 100), (100, 300), 0.0)
    second = line((420, 100), (420, 300), 0.5)
    updates = run(Characters(CharacterSettings(), never_asked), [first, second])
    ended_at = next(time for time, update in updates if update.finished)
    assert second[0, 2] <= ended_at < second[-1, 2]
    assert same(finished(updates), [[first], [second]])


def test_the_strokes_in_progress_and_the_one_being_drawn_are_told(classifier: Classifier) -> None:
    [letter] = written("H", np.random.default_rng(0), beside=False)
    updates = run(Characters(CharacterSettings(), judge_of(classifier, False)), letter)
    during = [
        update for time, update in updates if letter[1][2, 2] < time < letter[1][-1, 2] + 0.05
    ]
    assert during
    assert all(len(update.strokes) == 2 and update.pause == 0 for update in during)
    assert all(update.strokes[0] is letter[0] for update in during)


def test_one_character_alone_is_never_judged() -> None:
    stroke = line((100, 100), (100, 300), 0.0)
    found = finished(run(Characters(CharacterSettings(), never_asked), [stroke]))
    assert same(found, [[stroke]])


@pytest.mark.parametrize(
    ("length", "seconds", "counts"),
    [(60.0, 0.3, True), (40.0, 0.3, False), (5.0, 0.3, False), (5.0, 0.05, False)],
)
def test_what_is_too_short_is_no_character(length: float, seconds: float, counts: bool) -> None:
    stroke = line((100, 100), (100, 100 + length), 0.0, seconds)
    updates = run(Characters(CharacterSettings(), never_asked), [stroke])
    assert len(finished(updates)) == counts
    assert not updates[-1][1].strokes


@pytest.mark.parametrize(("seconds", "kept"), [(0.3, True), (0.05, False)])
def test_a_dot_counts_where_the_finger_rested(
    classifier: Classifier, seconds: float, kept: bool
) -> None:
    stem = line((100, 150), (100, 350), 0.0)
    dot = line((100, 100), (104, 103), 0.6, seconds)
    characters = Characters(CharacterSettings(), judge_of(classifier, False))
    found = finished(run(characters, [stem, dot]))
    assert same(found, [[stem, dot] if kept else [stem]])


def test_undo_takes_back_the_last_stroke_in_progress(classifier: Classifier) -> None:
    characters = Characters(CharacterSettings(), judge_of(classifier, False))
    stem = line((100, 100), (100, 300), 0.0)
    wrong = line((100, 200), (200, 120), 0.5)
    bars = [line((100, 100), (220, 100), 1.0), line((100, 200), (200, 200), 1.5)]
    assert not characters.undo()
    characters.step([stem], None, 0.4, PALM)
    characters.step([wrong], None, 0.9, PALM)
    assert characters.undo()
    for bar in bars:
        characters.step([bar], None, float(bar[-1, 2]) + 0.1, PALM)
    assert same(characters.flush(), [[stem, *bars]])
    assert not characters.undo()


def test_flush_ends_all_that_is_in_progress(classifier: Classifier) -> None:
    letters = written("HAT", np.random.default_rng(4), beside=True)
    characters = Characters(CharacterSettings(), judge_of(classifier, False))
    updates = run(characters, flat(letters), rest=0.1)
    assert same([*finished(updates), *characters.flush()], letters)
    assert characters.flush() == ()


def test_nothing_written_gives_nothing() -> None:
    update = Characters(CharacterSettings(), never_asked).step((), None, 0.0, 0.0)
    assert (update.strokes, update.finished, update.pause) == ((), (), 0.0)
