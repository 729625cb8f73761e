"""Characters to arrays: balanced, augmented, rendered and normalised, in other processes."""

from __future__ import annotations

import multiprocessing
import signal
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from hcr_live.alphabet import CLASSES
from hcr_live.ink.normalise import SIDE, network_input
from hcr_live.ink.path import CHANNELS, POINTS, path_input
from hcr_live.ink.render import render_strokes
from train.augment import air, camera, ink, negatives, strokes
from train.data import CharacterSet, Ink, Strokes
from train.distribute import ALONE, Workers

NOTHING = -1
"""The label of ink that is no character."""

Form: TypeAlias = Literal["ink", "path"]
"""What a network sees of a character: its image, or the way of the pen."""

SHAPES: dict[Form, tuple[int, int]] = {"ink": (SIDE, SIDE), "path": (POINTS, CHANNELS)}
"""Of one of `Arrays.inputs`."""

WEIGHTS = {
    "chars74k": 5.0,
    "omniglot_latin": 2.0,
    "uci_trajectories": 1.0,
    "ocr_letters": 0.7,
    "alphadigits": 1.0,
    "nvfp": 0.7,
    "mnist": 10.0,
    "font": 3.5,
    "hershey": 0.7,
}
"""How often a class draws from each source that has it: by worth, not by size."""

SHARES = {CLASSES.index("l"): 0.5}
"""How often a class is expected, where not once: a bare upright line that stands alone is rather an
I than an l. All else alike: which letters are written more often depends on what is read."""

REPEATS = {CLASSES.index(digit): 2.0 for digit in "0123456789"}
"""How often a class is drawn beyond what is expected of it: there are hundreds of hands' digits to
learn from. `fit` takes it out of the network's bias again."""

AS_IT_IS = {"mnist": 0.5}
"""How often a source's character is left alone, where not never: MNIST varies enough by itself."""

_CHUNK = 200
# Of a class and source, so that a set of a million does not fill the memory of every process.
_MOST = 6000


@dataclass(frozen=True, eq=False)
class Arrays:
    """What the network is fitted to.

    Attributes:
        inputs: uint8 (n, side, side), `network_input` times 255; of paths float16
            (n, points, channels), `path_input`.
        labels: int16 (n,): columns of the network's outputs or `NOTHING`.
    """

    inputs: NDArray[Any]
    labels: NDArray[np.int16]


@dataclass(frozen=True)
class Mixture:
    """What a round is made of; a share of 0 switches an ingredient off.

    Attributes:
        per_class: Characters of each class that has any, times its `SHARES` and
            `REPEATS`.
        nothing: Share of ink that is no character, in [0, 1).
        air: Share of the strokes that are drawn in the air, the rest on paper.
        mixed: Share of the strokes that lie between two people's versions.
        camera: Share of what is on paper that goes through the camera model.
        wear: Share of the rest that is worn cheaply.
    """

    per_class: int = 400
    nothing: float = 0.1
    air: float = 0.5
    mixed: float = 0.3
    camera: float = 0.4
    wear: float = 0.3


def ink_of(content: Strokes | Ink) -> Ink:
    """Return a character's ink as it is, strokes drawn with the usual pen."""
    return render_strokes(content) if isinstance(content, tuple) else content


def of_form(sets: Sequence[CharacterSet], form: Form) -> list[CharacterSet]:
    """Return the sets that can be shown in a form: of paths those of pen strokes alone."""
    return [one for one in sets if form == "ink" or _is_strokes(one)]


def _is_strokes(characters: CharacterSet) -> bool:
    return all(isinstance(content, tuple) for content in characters.contents)


def level_of(content: Strokes | Ink, form: Form) -> NDArray[np.float32]:
    """Return what a network of the form sees of a character, float32 of `SHAPES`."""
    return network_input(ink_of(content)) if form == "ink" else path_input(list(content))


def input_of(content: Strokes | Ink, form: Form) -> NDArray[Any]:
    """Return what `Arrays.inputs` has of a character as it is."""
    level = level_of(content, form)
    return np.rint(level * 255).astype(np.uint8) if form == "ink" else level.astype(np.float16)


def plain_arrays(sets: Sequence[CharacterSet], form: Form = "ink") -> Arrays:
    """Return all characters of the sets as they are, without augmentation."""
    inputs = [input_of(content, form) for one in sets for content in one.contents]
    labels = [np.zeros(0, np.int16), *(one.labels for one in sets)]
    return Arrays(_stacked(inputs, form), np.concatenate(labels))


class Renderer:
    """Draws rounds of augmented arrays; close it or use it in a `with`.

    Args:
        sets: Only their training characters are drawn.
        mixture: What a round is made of.
        processes: How many to render in, beside this one; 1 is this one.
        form: Of the inputs; as paths only pen strokes are drawn.
        workers: Who share the work, and each get the whole round.
    """

    def __init__(
        self,
        sets: Sequence[CharacterSet],
        mixture: Mixture,
        processes: int = 2,
        form: Form = "ink",
        workers: Workers = ALONE,
    ) -> None:
        self._pools = _Pools(of_form(sets, form), mixture, form)
        self._mixture, self._others = mixture, workers
        self._workers = None
        if processes > 1:
            # A forked process inherits OpenCV's thread pool without its threads, and hangs.
            context = multiprocessing.get_context("spawn")
            self._workers = context.Pool(processes, _start, (self._pools,))

    @property
    def size(self) -> int:
        """How many inputs a round has."""
        return len(self._labels((0,)))

    def round(self, seed: Sequence[int]) -> Arrays:
        """Return one round, shuffled.

        Args:
            seed: The same seed gives the same arrays, whatever the number of processes.
        """
        return self.ahead(seed)()

    def ahead(self, seed: Sequence[int]) -> Callable[[], Arrays]:
        """Begin to render a round, and return a function that waits for it and returns it.

        Rendering goes on in the other processes meanwhile; without any, it waits for the call.
        """
        labels = self._labels(seed)
        chunks = [labels[at : at + _CHUNK] for at in range(0, len(labels), _CHUNK)]
        jobs = [(chunk, (*seed, 1, number)) for number, chunk in enumerate(chunks)]
        jobs = jobs[self._others.number :: self._others.count]
        if self._workers is None:
            return lambda: self._joined([self._pools.render(*job) for job in jobs], labels)
        rendering = self._workers.starmap_async(_render, jobs, chunksize=1)
        return lambda: self._joined(rendering.get(), labels)

    def _joined(self, parts: list[NDArray[Any]], labels: NDArray[np.int16]) -> Arrays:
        parts = self._others.gathered(parts)
        return Arrays(np.concatenate([_stacked([], self._pools.form), *parts]), labels)

    def close(self) -> None:
        """End the processes, whatever they are rendering."""
        if self._workers is not None:
            self._workers.terminate()
            self._workers.join()
            self._workers = None

    def __enter__(self) -> Renderer:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _labels(self, seed: Sequence[int]) -> NDArray[np.int16]:
        classes, mixture = self._pools.classes, self._mixture
        counts = [
            round(mixture.per_class * SHARES.get(label, 1.0) * REPEATS.get(label, 1.0))
            for label in classes
        ]
        labels = np.repeat(np.asarray(classes, np.int16), counts)
        extra = round(len(labels) * mixture.nothing / (1 - mixture.nothing))
        labels = np.concatenate([labels, np.full(extra, NOTHING, np.int16)])
        np.random.default_rng([*seed, 0]).shuffle(labels)
        return labels


class _Pools:
    """The training characters by class and source, each as its set's number and its row."""

    def __init__(self, sets: Sequence[CharacterSet], mixture: Mixture, form: Form) -> None:
        self._mixture, self.form = mixture, form
        rng = np.random.default_rng(0)
        self._sets = [_capped(one.split("train"), rng) for one in sets]
        pools: defaultdict[int, defaultdict[str, list[tuple[int, int]]]]
        pools = defaultdict(lambda: defaultdict(list))
        for number, one in enumerate(self._sets):
            for row, label in enumerate(one.labels.tolist()):
                pools[label][one.name.partition(":")[0]].append((number, row))
        self.classes = sorted(pools)
        self._of = {label: dict(sources) for label, sources in pools.items()}

    def render(self, labels: NDArray[np.int16], seed: tuple[int, ...]) -> NDArray[Any]:
        rng = np.random.default_rng(seed)
        draw = self._ink if self.form == "ink" else self._path
        return _stacked([input_of(draw(int(label), rng), self.form) for label in labels], self.form)

    def _path(self, label: int, rng: np.random.Generator) -> Strokes:
        of = self._mixture
        if label == NOTHING:
            some = [self._written(int(rng.choice(self.classes)), rng) for _ in range(3)]
            return negatives.no_path(some, rng)
        content = strokes.reordered(self._written(label, rng), rng)
        return (air if rng.random() < of.air else strokes).vary(content, rng)

    def _written(self, label: int, rng: np.random.Generator) -> Strokes:
        """Return a character's strokes, at times between two people's versions."""
        _, (content, other) = self._drawn(label, rng)
        assert isinstance(content, tuple)
        assert isinstance(other, tuple)
        return self._between(content, other, rng)

    def _between(self, one: Strokes, other: Strokes, rng: np.random.Generator) -> Strokes:
        return strokes.mixed(one, other, rng) if rng.random() < self._mixture.mixed else one

    def _ink(self, label: int, rng: np.random.Generator) -> Ink:
        of = self._mixture
        if label == NOTHING:
            glyphs = [self._plain(int(rng.choice(self.classes)), rng) for _ in range(4)]
            return negatives.no_character(glyphs, rng)
        name, (content, other) = self._drawn(label, rng)
        if rng.random() < AS_IT_IS.get(name, 0.0):
            return ink_of(content)
        on_paper = True
        if isinstance(content, tuple):
            if isinstance(other, tuple):
                content = self._between(content, other, rng)
            on_paper = rng.random() >= of.air
            varied = (strokes if on_paper else air).vary(content, rng)
            drawn = ink.draw(varied, rng)
        else:
            drawn = ink.vary(content, rng)
        if on_paper and rng.random() < of.camera:
            return camera.photograph(drawn, rng)
        return ink.degrade(drawn, rng) if rng.random() < of.wear else drawn

    def _plain(self, label: int, rng: np.random.Generator) -> Ink:
        return ink_of(self._drawn(label, rng)[1][0])

    def _drawn(self, label: int, rng: np.random.Generator) -> tuple[str, list[Strokes | Ink]]:
        """Return a source and two of its characters, which may be the same."""
        sources = self._of[label]
        weights = np.array([WEIGHTS.get(name, 1.0) for name in sources])
        name = list(sources)[int(rng.choice(len(sources), p=weights / weights.sum()))]
        places = [sources[name][k] for k in rng.integers(len(sources[name]), size=2)]
        return name, [self._sets[number].contents[row] for number, row in places]


def _capped(one: CharacterSet, rng: np.random.Generator) -> CharacterSet:
    """Return the set with at most `_MOST` characters of a class, chosen at random."""
    if len(one) <= _MOST:
        return one
    order = rng.permutation(len(one))
    kept = [order[one.labels[order] == label][:_MOST] for label in np.unique(one.labels)]
    return one.chosen(np.sort(np.concatenate(kept)))


_shared: _Pools | None = None


def _start(pools: _Pools) -> None:
    global _shared
    _shared = pools
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the process that waits for us
    cv2.setNumThreads(1)


def _render(labels: NDArray[np.int16], seed: tuple[int, ...]) -> NDArray[Any]:
    assert _shared is not None
    return _shared.render(labels, seed)


def _stacked(inputs: Sequence[NDArray[Any]], form: Form) -> NDArray[Any]:
    """Return the inputs as one array, also where there are none."""
    return np.stack(inputs) if inputs else np.zeros((0, *SHAPES[form]), np.uint8)


def class_counts(sets: Sequence[CharacterSet]) -> dict[str, int]:
    """Return how many training characters each class has."""
    labels = np.concatenate([one.split("train").labels for one in sets])
    counts = np.bincount(labels, minlength=len(CLASSES)).tolist()
    return dict(zip(CLASSES, counts, strict=True))
