import numpy as np

from generator.letters import letter_strokes
from train.augment import air
from train.augment.paths import joined, length, unit


def test_in_the_air_a_character_is_mostly_one_line_with_the_ways_between_as_ink():
    written = tuple(np.asarray(path, np.float32) for path in letter_strokes("T"))
    rng = np.random.default_rng(8)
    varied = [air.vary(written, rng) for _ in range(100)]
    single = [paths for paths in varied if len(paths) == 1]
    assert 60 <= len(single) <= 90
    ink_drawn = sum(length(path) for path in unit(written))
    longer = [sum(length(p) for p in unit(paths)) > 1.1 * ink_drawn for paths in single]
    assert np.mean(longer) > 0.6


def test_a_ring_in_the_air_stays_open_or_overlaps_but_stays_a_ring():
    angle = np.linspace(0, 2 * np.pi, 80)
    ring = (np.column_stack([np.cos(angle), np.sin(angle)]).astype(np.float32),)
    rng = np.random.default_rng(9)
    around = []
    for _ in range(60):
        path = np.concatenate(air.vary(ring, rng))
        heading = np.unwrap(np.arctan2(*(path - path.mean(axis=0)).T[::-1]))
        around.append(abs(heading[-1] - heading[0]) / (2 * np.pi))
    assert 0.7 < np.median(around) < 1.2
    assert np.ptp(around) > 0.1


def test_the_stem_of_a_d_may_stick_out_beyond_its_bowl():
    stem = np.array([[0, 0], [0, 1]], np.float32)
    turn = np.linspace(-np.pi / 2, np.pi / 2, 40)
    bowl = np.column_stack([0.6 * np.cos(turn), 0.5 + 0.5 * np.sin(turn)]).astype(np.float32)
    rng = np.random.default_rng(4)
    beyond = []
    for _ in range(80):
        points = np.concatenate(air.vary((stem, bowl), rng))
        left = points[:, 0] < points[:, 0].min() + 0.2 * np.ptp(points[:, 0])
        right = points[:, 0] > points[:, 0].min() + 0.6 * np.ptp(points[:, 0])
        beyond.append(np.ptp(points[left, 1]) / np.ptp(points[right, 1]))
    assert np.quantile(beyond, 0.2) < 1.5 < np.quantile(beyond, 0.98)


def test_the_way_back_over_a_line_is_beside_it():
    stem = np.column_stack([np.zeros(41), np.linspace(0, 1, 41)]).astype(np.float32)
    bar = np.array([[0.02, 0.0], [0.8, 0.0]], np.float32)
    rng = np.random.default_rng(2)
    exact = joined([stem, bar], rng, back=1.0)
    loops = [joined([stem, bar], rng, back=1.0, loop=0.06) for _ in range(40)]
    wide = [float(np.abs(line[41:81, 0]).max()) for line in loops]
    assert np.abs(exact[41:81, 0]).max() < 0.03
    assert 0.02 < np.median(wide) < 0.12
