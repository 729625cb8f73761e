import numpy as np
import pytest

from hcr_live.alphabet import CLASSES
from hcr_live.ink.normalise import SIDE
from train.data import load
from train.dataset import NOTHING, Renderer, plain_arrays


@pytest.fixture(scope="module")
def samples(data_folder):
    return load(data_folder)


def test_rounds_are_balanced_and_seeded(samples):
    with Renderer(samples, processes=1) as renderer:
        one = renderer.arrays(per_class=10, nothing=0.1, seed=(1, 0))
        again = renderer.arrays(per_class=10, nothing=0.1, seed=(1, 0))
        other = renderer.arrays(per_class=10, nothing=0.1, seed=(1, 1))
    assert one.inputs.dtype == np.uint8
    assert one.inputs.shape == (len(one.labels), SIDE, SIDE)
    present = {"A", "K", "T", "X", "a", "z", "7", "L", "5", "b", "1"}
    counts = {
        CLASSES[label]: int((one.labels == label).sum())
        for label in set(one.labels[one.labels >= 0])
    }
    assert counts == {c: 14 if c.isupper() else 10 for c in present}
    assert (one.labels == NOTHING).mean() == pytest.approx(0.1, abs=0.01)
    np.testing.assert_array_equal(one.inputs, again.inputs)
    np.testing.assert_array_equal(one.labels, again.labels)
    assert not np.array_equal(one.inputs, other.inputs)
    assert one.inputs.any(axis=(1, 2)).mean() > 0.99


def test_processes_do_not_change_the_arrays(samples):
    few = [s for s in samples if s.name == "nvfp"]
    arrays = []
    for processes in (1, 2):
        with Renderer(few, processes) as renderer:
            arrays.append(renderer.arrays(per_class=3, nothing=0.2, seed=(4,)))
    np.testing.assert_array_equal(arrays[0].inputs, arrays[1].inputs)


def test_validation_writers_are_never_rendered(samples):
    held_out = [s.split("validation") for s in samples]
    with Renderer(held_out, processes=1) as renderer:
        assert len(renderer.arrays(per_class=5, nothing=0.0, seed=(0,)).labels) == 0


def test_plain_arrays_are_the_samples_as_they_are(samples):
    arrays = plain_arrays(samples)
    np.testing.assert_array_equal(arrays.labels, np.concatenate([s.labels for s in samples]))
    assert len(arrays.inputs) == len(arrays.labels)
    assert plain_arrays([]).inputs.shape == (0, SIDE, SIDE)
