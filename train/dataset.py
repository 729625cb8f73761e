"""Samples to arrays: balanced, augmented, rendered and normalised, in several processes."""

from __future__ import annotations

import multiprocessing
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from hcr_live.alphabet import CLASSES
from hcr_live.ink.normalise import SIDE, network_input
from hcr_live.ink.render import render_strokes
from train.augment import air, ink, negatives, strokes
from train.data import Sample

NOTHING = -1
"""The label of ink that is no character."""

WEIGHTS = {
    "strokes_chars74k.json.gz": 5.0,
    "strokes_omniglot_latin.json.gz": 2.0,
    "strokes_uci_trajectories.json.gz": 1.0,
    "images_ocr_letters.npz": 0.7,
    "images_alphadigits.npz": 1.0,
    "images_nvfp.npz": 0.7,
    "mnist": 3.0,
    "font": 3.5,
}
"""How often a class draws from each source that has it: by worth, not by size."""

SHARES = {label: 1.4 for label, c in enumerate(CLASSES) if c.isupper()} | {CLASSES.index("l"): 0.5}
"""How often a class is drawn, where not once: people mostly write capitals to be read singly, so
a bare upright line is rather an I than an l."""

_CHUNK = 400


@dataclass(frozen=True, eq=False)
class Arrays:
    """What the network is fitted to.

    Attributes:
        inputs: uint8 (n, SIDE, SIDE): `network_input` times 255.
        labels: int16 (n,): columns of `CLASSES` or `NOTHING`.
    """

    inputs: NDArray[np.uint8]
    labels: NDArray[np.int16]


def ink_of(sample: Sample) -> NDArray[np.uint8]:
    """Return the sample's ink as it is, strokes drawn with the usual pen."""
    if isinstance(sample.content, tuple):
        return render_strokes(sample.content)
    return sample.content


def plain_arrays(samples: Sequence[Sample]) -> Arrays:
    """Return the samples as they are, without augmentation."""
    inputs = [_bytes(network_input(ink_of(sample))) for sample in samples]
    labels = [sample.label for sample in samples]
    shape = (len(inputs), SIDE, SIDE)
    return Arrays(np.asarray(inputs, np.uint8).reshape(shape), np.asarray(labels, np.int16))


class Renderer:
    """Draws augmented arrays from training samples; close it or use it in a `with`.

    Args:
        samples: Training samples; validation ones are left out.
        processes: How many to render in; 1 is this one.
    """

    def __init__(self, samples: Sequence[Sample], processes: int = 2) -> None:
        self._pools = _Pools(samples)
        self._workers = None
        if processes > 1:
            # A forked process inherits OpenCV's thread pool without its threads, and hangs.
            context = multiprocessing.get_context("spawn")
            self._workers = context.Pool(processes, _start, (self._pools,))

    def arrays(self, per_class: int, nothing: float, seed: Sequence[int]) -> Arrays:
        """Return one round, shuffled.

        Args:
            per_class: Samples of each class that has any, times its `SHARES`.
            nothing: Share of `NOTHING` in the result, in [0, 1).
            seed: The same seed gives the same arrays, whatever the number of processes.
        """
        counts = [round(per_class * SHARES.get(label, 1.0)) for label in self._pools.classes]
        labels = np.repeat(np.asarray(self._pools.classes, np.int16), counts)
        extra = round(len(labels) * nothing / (1 - nothing))
        labels = np.concatenate([labels, np.full(extra, NOTHING, np.int16)])
        np.random.default_rng([*seed, 0]).shuffle(labels)
        chunks = [labels[at : at + _CHUNK] for at in range(0, len(labels), _CHUNK)]
        jobs = [(chunk, (*seed, 1, number)) for number, chunk in enumerate(chunks)]
        if self._workers is None:
            parts = [self._pools.render(*job) for job in jobs]
        else:
            parts = self._workers.starmap(_render, jobs, chunksize=4)
        return Arrays(np.concatenate([np.zeros((0, SIDE, SIDE), np.uint8), *parts]), labels)

    def close(self) -> None:
        """End the processes."""
        if self._workers is not None:
            self._workers.close()
            self._workers.join()
            self._workers = None

    def __enter__(self) -> Renderer:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class _Pools:
    """The training samples by class and source."""

    def __init__(self, samples: Sequence[Sample]) -> None:
        pools: defaultdict[int, defaultdict[str, list[Sample]]]
        pools = defaultdict(lambda: defaultdict(list))
        for sample in samples:
            if not sample.validation:
                pools[sample.label][sample.source.partition(":")[0]].append(sample)
        self.classes = sorted(pools)
        self._of = {label: dict(sources) for label, sources in pools.items()}

    def render(self, labels: NDArray[np.int16], seed: tuple[int, ...]) -> NDArray[np.uint8]:
        rng = np.random.default_rng(seed)
        inputs = np.zeros((len(labels), SIDE, SIDE), np.uint8)
        for row, label in enumerate(labels):
            inputs[row] = _bytes(network_input(self._ink(int(label), rng)))
        return inputs

    def _ink(self, label: int, rng: np.random.Generator) -> NDArray[np.uint8]:
        if label == NOTHING:
            glyphs = [ink_of(self._draw(int(rng.choice(self.classes)), rng)) for _ in range(4)]
            return negatives.no_character(glyphs, rng)
        content = self._draw(label, rng).content
        if isinstance(content, tuple):
            hand = air if rng.random() < 0.35 else strokes
            drawn = ink.draw(hand.vary(content, rng), rng)
        else:
            drawn = ink.vary(content, rng)
        return ink.degrade(drawn, rng) if rng.random() < 0.35 else drawn

    def _draw(self, label: int, rng: np.random.Generator) -> Sample:
        sources = self._of[label]
        weights = np.array([WEIGHTS.get(name, 1.0) for name in sources])
        name = list(sources)[int(rng.choice(len(sources), p=weights / weights.sum()))]
        return sources[name][int(rng.integers(len(sources[name])))]


_shared: _Pools | None = None


def _start(pools: _Pools) -> None:
    global _shared
    _shared = pools
    cv2.setNumThreads(1)


def _render(labels: NDArray[np.int16], seed: tuple[int, ...]) -> NDArray[np.uint8]:
    assert _shared is not None
    return _shared.render(labels, seed)


def _bytes(level: NDArray[np.float32]) -> NDArray[np.uint8]:
    return np.rint(level * 255).astype(np.uint8)


def class_counts(samples: Sequence[Sample]) -> dict[str, int]:
    """Return how many samples each character has."""
    counts = np.bincount([sample.label for sample in samples], minlength=len(CLASSES))
    return dict(zip(CLASSES, counts.tolist(), strict=True))
