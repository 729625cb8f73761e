from dataclasses import replace

import numpy as np
import pytest

from hcr_live.alphabet import CLASSES
from hcr_live.ink.normalise import SIDE
from hcr_live.ink.path import CHANNELS, POINTS, path_input
from train import dataset
from train.data import load
from train.dataset import (
    NOTHING,
    REPEATS,
    SHARES,
    Mixture,
    Renderer,
    class_counts,
    plain_arrays,
)

MIXTURE = Mixture(per_class=10, nothing=0.1)


@pytest.fixture(scope="module")
def sets(data_folder):
    return load(data_folder)


@pytest.fixture(scope="module")
def rounds(sets):
    with Renderer(sets, MIXTURE, processes=1) as renderer:
        return renderer.size, [renderer.round((1, number)) for number in (0, 0, 1)]


def test_a_round_is_balanced_whatever_the_sources_are(rounds):
    size, (one, *_) = rounds
    assert one.inputs.dtype == np.uint8
    assert one.inputs.shape == (len(one.labels), SIDE, SIDE)
    assert size == len(one.labels)
    counts = {
        CLASSES[label]: int((one.labels == label).sum())
        for label in set(one.labels[one.labels >= 0])
    }
    present = {"A", "K", "T", "X", "a", "z", "7", "L", "5", "b", "1"}
    drawn = {c: SHARES.get(CLASSES.index(c), 1) * REPEATS.get(CLASSES.index(c), 1) for c in present}
    assert counts == {c: round(10 * times) for c, times in drawn.items()}
    assert (one.labels == NOTHING).mean() == pytest.approx(0.1, abs=0.01)
    assert one.inputs.any(axis=(1, 2)).mean() > 0.99


def test_paths_are_drawn_of_pen_strokes_alone(sets):
    with Renderer(sets, MIXTURE, processes=1, form="path") as renderer:
        one, again, other = (renderer.round((1, number)) for number in (0, 0, 1))
    assert one.inputs.dtype == np.float16
    assert one.inputs.shape == (len(one.labels), POINTS, CHANNELS)
    assert {CLASSES[label] for label in set(one.labels) - {NOTHING}} == set("AKTXaz7")
    assert one.inputs.any(axis=(1, 2)).all()
    assert np.isfinite(one.inputs).all()
    np.testing.assert_array_equal(one.inputs, again.inputs)
    assert not np.array_equal(one.inputs, other.inputs)
    written = [one for one in sets if one.name == "chars74k"]
    plain = plain_arrays(written, "path")
    np.testing.assert_array_equal(plain.inputs[0], path_input(written[0].contents[0]).astype("f2"))


def test_the_seed_decides(rounds):
    _, (one, again, other) = rounds
    np.testing.assert_array_equal(one.inputs, again.inputs)
    np.testing.assert_array_equal(one.labels, again.labels)
    assert not np.array_equal(one.inputs, other.inputs)


def test_processes_and_rendering_ahead_do_not_change_a_round(sets):
    few = [one for one in sets if one.name == "nvfp"]
    mixture = Mixture(per_class=60, nothing=0.2)  # more than one job
    with Renderer(few, mixture, processes=2) as renderer:
        waiting = [renderer.ahead((4, number)) for number in (0, 1)]
        ahead = [wait() for wait in waiting]
    with Renderer(few, mixture, processes=1) as renderer:
        for number, arrays in enumerate(ahead):
            np.testing.assert_array_equal(arrays.inputs, renderer.round((4, number)).inputs)


def test_validation_writers_are_never_rendered(sets):
    held_out = [one.split("validation") for one in sets]
    with Renderer(held_out, Mixture(per_class=5, nothing=0), processes=1) as renderer:
        assert len(renderer.round((0,)).labels) == 0


@pytest.mark.parametrize("name", ["air", "mixed", "camera", "wear"])
def test_a_share_of_0_switches_an_ingredient_off(sets, name, monkeypatch):
    used = set()

    def spy(module, function):
        real = getattr(module, function)
        monkeypatch.setattr(
            module, function, lambda *given: (used.add((module, function)), real(*given))[1]
        )

    of = {
        "air": (dataset.air, "vary"),
        "mixed": (dataset.strokes, "mixed"),
        "camera": (dataset.camera, "photograph"),
        "wear": (dataset.ink, "degrade"),
    }
    for place in of.values():
        spy(*place)
    strokes = [one for one in sets if one.name == "chars74k"]
    mixture = Mixture(per_class=12, nothing=0, air=0.5, mixed=0.5, camera=0.5, wear=0.5)
    Renderer(strokes, mixture, processes=1).round((5,))
    assert used == set(of.values())
    used.clear()
    Renderer(strokes, replace(mixture, **{name: 0}), processes=1).round((5,))
    assert used == set(of.values()) - {of[name]}


def test_a_large_set_does_not_fill_the_memory(sets, monkeypatch):
    mnist = next(one for one in sets if one.name == "mnist")
    monkeypatch.setattr(dataset, "_MOST", 3)
    kept = dataset._capped(mnist.chosen(np.zeros(50, int)), np.random.default_rng(0))
    assert len(kept) == 3


def test_plain_arrays_are_the_characters_as_they_are(sets):
    few = sets[0].chosen(np.arange(3))
    arrays = plain_arrays([few])
    np.testing.assert_array_equal(arrays.labels, few.labels)
    assert arrays.inputs.any(axis=(1, 2)).all()
    assert plain_arrays([]).inputs.shape == (0, SIDE, SIDE)


def test_counts_are_of_training_characters(sets):
    assert class_counts(sets)["A"] == 3  # 5 writers, 2 of them for validation
