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
from train.data import CharacterSet, Ink, Strokes

NOTHING = -1
"""The label of ink that is no character."""

WEIGHTS = {
    "chars74k": 5.0,
    "omniglot_latin": 2.0,
    "uci_trajectories": 1.0,
    "ocr_letters": 0.7,
    "alphadigits": 1.0,
    "nvfp": 0.7,
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


def ink_of(content: Strokes | Ink) -> Ink:
    """Return a character's ink as it is, strokes drawn with the usual pen."""
    return render_strokes(content) if isinstance(content, tuple) else content


def plain_arrays(sets: Sequence[CharacterSet]) -> Arrays:
    """Return all characters of the sets as they are, without augmentation."""
    inputs = [_bytes(network_input(ink_of(content))) for one in sets for content in one.contents]
    labels = [np.zeros(0, np.int16), *(one.labels for one in sets)]
    shape = (len(inputs), SIDE, SIDE)
    return Arrays(np.asarray(inputs, np.uint8).reshape(shape), np.concatenate(labels))


class Renderer:
    """Draws augmented arrays from training samples; close it or use it in a `with`.

    Args:
        sets: Only their training characters are drawn.
        processes: How many to render in; 1 is this one.
    """

    def __init__(self, sets: Sequence[CharacterSet], processes: int = 2) -> None:
        self._pools = _Pools(sets)
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
    """The training characters by class and source, each as its set's number and its row."""

    def __init__(self, sets: Sequence[CharacterSet]) -> None:
        self._sets = [one.split("train") for one in sets]
        pools: defaultdict[int, defaultdict[str, list[tuple[int, int]]]]
        pools = defaultdict(lambda: defaultdict(list))
        for number, one in enumerate(self._sets):
            for row, label in enumerate(one.labels.tolist()):
                pools[label][one.name.partition(":")[0]].append((number, row))
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
        content = self._draw(label, rng)
        if isinstance(content, tuple):
            hand = air if rng.random() < 0.35 else strokes
            drawn = ink.draw(hand.vary(content, rng), rng)
        else:
            drawn = ink.vary(content, rng)
        return ink.degrade(drawn, rng) if rng.random() < 0.35 else drawn

    def _draw(self, label: int, rng: np.random.Generator) -> Strokes | Ink:
        sources = self._of[label]
        weights = np.array([WEIGHTS.get(name, 1.0) for name in sources])
        name = list(sources)[int(rng.choice(len(sources), p=weights / weights.sum()))]
        number, row = sources[name][int(rng.integers(len(sources[name])))]
        return self._sets[number].contents[row]


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


def class_counts(sets: Sequence[CharacterSet]) -> dict[str, int]:
    """Return how many training characters each class has."""
    labels = np.concatenate([one.split("train").labels for one in sets])
    counts = np.bincount(labels, minlength=len(CLASSES)).tolist()
    return dict(zip(CLASSES, counts, strict=True))
