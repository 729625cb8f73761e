import numpy as np

from generator.letters import letter_strokes
from train.augment import air
from train.augment.paths import length, unit


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
