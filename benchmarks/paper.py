"""Paper, read right or wrong: `python -m benchmarks.paper` prints the table.

Sheets are drawn by `generator/` with a fixed seed from our own strokes, those of `--strokes`, or
the ink of the photos in the folder `--data` (which also are a row of their own), and read by the
program as `read` and the live window do.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache, partial
from itertools import product
from multiprocessing import get_context
from pathlib import Path
from typing import Any, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.handwriting import Handwriting, load_crops, written
from benchmarks.table import align, p95, print_row
from generator.kinds import KINDS, ordinary_style
from generator.paper_clip import paper_clip_pictures
from generator.scenes import SCENES, draw_scene
from generator.sheet import SheetStyle, sheet_image
from hcr_live.errors import HcrError
from hcr_live.frame import Box, Frame

_SEED = 20261121
_LABELS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_CLIP_SECONDS, _SCENE_SECONDS, _FPS = 6.0, 3.0, 30.0
_WARM_UP = 30
_FOLD = str.maketrans("OI", "01")
_FILMED = "filmed"
"""A kind of scene: frames of the clips in the data folder, real hands over a desk."""


@dataclass(frozen=True)
class Task:
    """One picture or clip to be made and read; small, for it travels to another process.

    Attributes:
        row: Of the table.
        index: Number within the row: with the row, all that chance decides.
        kind: Key of `KINDS` or `SCENES`, or "" for an ordinary sheet.
        strokes: See `--strokes`.
        data: See `--data`.
        examples: Folder that wrong pictures are written to, or None.
    """

    row: str
    index: int
    kind: str = ""
    strokes: Path | None = None
    data: Path | None = None
    examples: Path | None = None

    def rng(self) -> np.random.Generator:
        """Return its own source of chance, whichever other tasks there are."""
        return np.random.default_rng([_SEED, list(_ROWS).index(self.row), self.index])


@dataclass
class Outcome:
    """What came of a task.

    Attributes:
        tags: What the sheet was like, for the breakdown.
        truth: The text on it.
        read: The text that was read.
        located: Boxes of characters that were shown.
        found: Those of them that are where one was written.
        shown_right: Those of `found` with the right label.
        changes: For each character of a clip: how often its label changed once it had settled.
        spent: Milliseconds of each frame or reading.
        computed: Of that, what the processor was at work for: what a busy machine leaves as it is.
    """

    tags: dict[str, str] = field(default_factory=dict)
    truth: str = ""
    read: str = ""
    located: int = 0
    found: int = 0
    shown_right: int = 0
    changes: list[int] = field(default_factory=list)
    spent: list[float] = field(default_factory=list)
    computed: list[float] = field(default_factory=list)

    def errors(self, *, spaces: bool = False, alike: bool = False) -> tuple[int, int]:
        """Return wrong, lost and added characters, and how many there are.

        Args:
            spaces: Whether spaces and line ends count, too.
            alike: Whether O and 0, and I and 1, are one.
        """
        truth, read = (self.truth, self.read) if spaces else map(_bare, (self.truth, self.read))
        if alike:
            truth, read = truth.translate(_FOLD), read.translate(_FOLD)
        return sum(one != other for one, other in align(truth, read)), len(truth)


Done: TypeAlias = list[tuple[Task, Outcome]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, help="a folder with validate/paper_crops.zip")
    parser.add_argument("--strokes", type=Path, help="a file of pen strokes (docs/data.md)")
    told = "only these: " + ", ".join(repr(name) for name in _ROWS)
    parser.add_argument("--rows", nargs="+", choices=tuple(_ROWS), metavar="ROW", help=told)
    parser.add_argument("--kinds", nargs="+", metavar="KIND", help="only these kinds of a row")
    parser.add_argument(
        "--count", type=int, help="pictures or clips of a row, of each of its kinds"
    )
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes at a time")
    parser.add_argument("--examples", type=Path, help="a folder to put pictures read wrong into")
    arguments = parser.parse_args()
    try:
        _measure(arguments)
    except HcrError as error:
        sys.exit(f"error: {error}")


def _measure(arguments: argparse.Namespace) -> None:
    """Print the table, row by row, or only some rows."""
    Handwriting(arguments.strokes, arguments.data, _LABELS)  # a wrong path is told at once
    print(f"{'figure':56} {'measured':>8}  {'wanted':13}")
    with ProcessPoolExecutor(max(1, arguments.jobs), mp_context=get_context("spawn")) as pool:
        for name in arguments.rows or list(_ROWS):
            row = _ROWS[name]
            if row.needs_data and arguments.data is None:
                continue
            tasks = list(_tasks(name, arguments))
            if row.alone:  # nothing runs beside what is timed
                outcomes: Iterable[Outcome] = map(_run, tasks)
            else:
                outcomes = pool.map(_run, tasks, chunksize=row.chunk)
            row.show(name, list(zip(tasks, _with_bar(outcomes, name, len(tasks)), strict=True)))


def _with_bar(outcomes: Iterable[Outcome], name: str, count: int) -> Iterator[Outcome]:
    from tqdm import tqdm

    yield from tqdm(outcomes, name, count, leave=False, disable=None)


def _tasks(name: str, arguments: argparse.Namespace) -> Iterator[Task]:
    row = _ROWS[name]
    count = row.count if arguments.count is None else arguments.count
    kinds = [kind for kind in row.kinds if not arguments.kinds or kind in arguments.kinds]
    if arguments.data is None and _FILMED in kinds:
        kinds.remove(_FILMED)
    if name == "crops":
        total = len(load_crops(arguments.data))
        chosen = np.random.default_rng(_SEED).permutation(total)[: arguments.count or total]
        pairs: Iterable[tuple[int, str]] = ((int(index), "") for index in chosen)
    else:
        # By kind's number in the whole row: a kind alone gives the same pictures.
        places = ((row.kinds.index(kind), kind) for kind in kinds)
        pairs = (
            (place * 1000 + turn, kind) for (place, kind), turn in product(places, range(count))
        )
    for index, kind in pairs:
        yield Task(name, index, kind, arguments.strokes, arguments.data, arguments.examples)


def _run(task: Task) -> Outcome:
    cv2.setNumThreads(1)
    return _ROWS[task.row].run(task)


@cache
def _handwriting(strokes: Path | None, data: Path | None, labels: str) -> Handwriting:
    return Handwriting(strokes, data, labels)


@cache
def _recognizer(alphabet: str) -> Any:
    from hcr_live.recognizer import Recognizer

    return Recognizer(alphabet)


def _crop(task: Task) -> Outcome:
    """One photo of a character: read with three alphabets, "" where nothing is seen."""
    assert task.data is not None
    crop = load_crops(task.data)[task.index]
    read = {name: _recognizer(name).read(crop.image).text for name in ("letters", "alnum", "all")}
    return Outcome(tags=read, truth=crop.label)


def _simulated_crop(task: Task) -> Outcome:
    """One character that the camera model photographs."""
    from hcr_live.ink.render import render_strokes
    from train.augment.camera import take

    rng = task.rng()
    hand = _handwriting(task.strokes, task.data, _LETTERS)
    label = hand.labels[task.index % len(hand.labels)]
    character: Any = hand.somebody(rng)(label, rng)
    content = getattr(character, "content", character)
    ink = content if isinstance(content, np.ndarray) else render_strokes(content)
    photo = take(ink, rng, float(rng.uniform(0.2, 1)))
    assert photo is not None
    image = cv2.cvtColor(photo.image, cv2.COLOR_GRAY2BGR)
    return Outcome(tags={"letters": _recognizer("letters").read(image).text}, truth=label)


def _composed(task: Task) -> tuple[list[str], list[Any], SheetStyle, int]:
    """Return the text of a sheet, its characters, its style and its seed."""
    rng = task.rng()
    hand = _handwriting(task.strokes, task.data, _LABELS)
    text = hand.text(rng, int(rng.integers(20, 61)))
    lines = written(text, hand.somebody(rng), rng)
    style = KINDS[task.kind] if task.kind else ordinary_style(rng)
    return text, lines, style, int(rng.integers(2**31))


def _sheet(task: Task) -> Outcome:
    """One still photo of a sheet."""
    text, lines, style, seed = _composed(task)
    picture = sheet_image(lines, seed=seed, style=style)
    reading = _recognizer("alnum").read(picture.image)
    labels = _bare("\n".join(text))
    boxes = [character.box for character in reading.characters]
    pairs = matched(picture.boxes, boxes)
    right = sum(reading.characters[j].text == labels[i] for i, j in pairs.items())
    outcome = Outcome(
        _tags(style),
        "\n".join(text),
        reading.text,
        located=len(boxes),
        found=len(pairs),
        shown_right=right,
    )
    if task.examples is not None:
        image = picture.image.copy()
        for index, box in enumerate(boxes):
            pair = next((i for i, j in pairs.items() if j == index), None)
            good = pair is not None and reading.characters[index].text == labels[pair]
            _mark(image, box, reading.characters[index].text, good)
        errors, length = outcome.errors()
        _keep(task, image, f"{100 * errors / length:03.0f}")
    return outcome


def _tags(style: SheetStyle) -> dict[str, str]:
    """Return what may make a sheet hard, in a few words each."""
    return {
        "paper": style.paper,
        "ruling": style.ruling,
        "pen": style.pen,
        "background": style.background,
        "shadow": "deep" if style.shadow > 0.3 else "slight",
        "blur": "strong" if style.blur > 0.9 else "slight",
        "thumb": "thumb" if style.thumb else "none",
        "writing": "small" if style.writing and style.writing < 0.09 else "large",
    }


def matched(truth: Sequence[Box], found: Sequence[Box]) -> dict[int, int]:
    """Pair boxes one to one, the best overlaps first; truth's index to found's.

    A pair overlaps by half of what both cover, or the found box has its centre in the true one
    and is no more than twice as wide or high.
    """
    scores = []
    for (i, a), (j, b) in product(enumerate(truth), enumerate(found)):
        w = min(a.x + a.w, b.x + b.w) - max(a.x, b.x)
        h = min(a.y + a.h, b.y + b.h) - max(a.y, b.y)
        if w <= 0 or h <= 0:
            continue
        share = w * h / (a.w * a.h + b.w * b.h - w * h)
        inside = 0 <= b.x + b.w / 2 - a.x <= a.w and 0 <= b.y + b.h / 2 - a.y <= a.h
        if share >= 0.5 or (inside and b.w <= 2 * a.w and b.h <= 2 * a.h):
            scores.append((share, i, j))
    pairs: dict[int, int] = {}
    for _, i, j in sorted(scores, reverse=True):
        if i not in pairs and j not in pairs.values():
            pairs[i] = j
    return pairs


def _clip(task: Task) -> Outcome:
    """One hand-held clip through a session, and how often its labels changed."""
    text, lines, style, seed = _composed(task)
    clip = paper_clip_pictures(lines, seed=seed, fps=_FPS, seconds=_CLIP_SECONDS, style=style)
    session = _session("alnum")
    labels = _bare("\n".join(text))
    said: list[list[str]] = [[] for _ in labels]
    image = None
    for index, (picture, at) in enumerate(clip):
        view, _ = session.step(Frame(picture.image, index, at))
        image = picture.image
        marks = [mark for mark in view.marks if mark.settled]
        for i, j in matched(picture.boxes, [mark.box for mark in marks]).items():
            label = marks[j].prediction.text
            if not said[i] or said[i][-1] != label:
                said[i].append(label)
    session.finish()
    if task.examples is not None and image is not None:
        _keep(task, image, f"{session.text!r}"[:60].replace("/", ""))
    return Outcome(
        _tags(style),
        "\n".join(text),
        session.text,
        changes=[max(0, len(labels) - 1) for labels in said],
    )


class _NoHands:
    """Looks for no hands: no clip of these shows one."""

    at_once = 1

    def wait_until_ready(self) -> None:
        pass

    def look(self, frame: Frame) -> None:
        pass

    def found(self) -> None:
        return None

    def close(self) -> None:
        pass


def _session(alphabet: str) -> Any:
    from hcr_live.classifier import Classifier
    from hcr_live.session import Session

    session = Session(Classifier(), _NoHands(), mode="paper", alphabet=alphabet)
    session.warm_up()
    return session


def _scene(task: Task) -> Outcome:
    """A photo of a scene without writing."""
    image = _scene_image(task)
    reading = _recognizer("letters").read(image)
    if reading.text and task.examples is not None:
        for character in reading.characters:
            _mark(image, character.box, character.text, good=False)
        _keep(task, image, f"{len(reading.characters)}")
    return Outcome({"kind": task.kind}, read=reading.text, located=len(reading.characters))


def _scene_image(task: Task) -> NDArray[np.uint8]:
    if task.kind != _FILMED:
        return draw_scene(task.kind, seed=int(task.rng().integers(2**31)))
    assert task.data is not None
    clips = sorted(task.data.glob("validate/clips/*.mp4"))
    if not clips:
        raise HcrError(f"No clips in {task.data}/validate/clips: leave out the kind '{_FILMED}'.")
    turn = task.index % 1000
    capture = cv2.VideoCapture(str(clips[turn % len(clips)]))
    capture.set(cv2.CAP_PROP_POS_FRAMES, 40 + 25 * (turn // len(clips)))
    seen, image = capture.read()
    if not seen:
        raise HcrError(f"{clips[0].parent} has no {turn + 1} frames to show: give a lower --count.")
    return np.asarray(image, np.uint8)


def _scene_clip(task: Task) -> Outcome:
    """The same before a camera that moves a little."""
    rng = task.rng()
    scene = _scene_image(task)
    session = _session("letters")
    shown = 0
    for index in range(round(_SCENE_SECONDS * _FPS)):
        at = index / _FPS
        shift = np.array([[1, 0, 8 * np.sin(2 * at)], [0, 1, 6 * np.cos(1.7 * at)]])
        size = (scene.shape[1], scene.shape[0])
        image = cv2.warpAffine(scene, shift, size, borderMode=cv2.BORDER_REPLICATE)
        noise = rng.normal(0, 3, (72, 128, 3)).astype(np.int8)
        grain = np.tile(noise, (10, 10, 1))[: size[1], : size[0]]
        image = cv2.add(image, grain, dtype=cv2.CV_8U)
        _, events = session.step(Frame(image.astype(np.uint8, copy=False), index, at))
        shown += sum(event["event"] == "character" for event in events)
    session.finish()
    if shown and task.examples is not None:
        _keep(task, scene, f"{shown}")
    return Outcome({"kind": task.kind}, read=session.text, located=shown)


def _photo_of_40(task: Task, size: tuple[int, int]) -> tuple[Any, Any]:
    rng = task.rng()
    hand = _handwriting(task.strokes, task.data, _LABELS)
    lines = written(hand.text(rng, 40), hand.somebody(rng), rng)
    style = SheetStyle(writing=0.09, height=0.85, ruling="ruled", thumb=True, tilt=4, shadow=0.3)
    return lines, style


def _frame_time(task: Task) -> Outcome:
    """Milliseconds of each frame of a hand-held sheet with 40 characters."""
    lines, style = _photo_of_40(task, (1280, 720))
    clip = paper_clip_pictures(lines, seed=task.index, fps=_FPS, seconds=5, style=style)
    frames = [Frame(picture.image, index, at) for index, (picture, at) in enumerate(clip)]
    session = _session("alnum")
    outcome = Outcome()
    for frame in frames:
        with _timed(outcome):
            session.step(frame)
    outcome.read = session.text
    return outcome


def _photo_time(task: Task) -> Outcome:
    """Milliseconds to read a photo of 12 megapixels, five times."""
    lines, style = _photo_of_40(task, (4000, 3000))
    image = sheet_image(lines, seed=task.index, size=(4000, 3000), style=style).image
    recognizer = _recognizer("alnum")
    recognizer.read(image[:720, :1280])
    outcome = Outcome()
    for _ in range(5):
        with _timed(outcome):
            recognizer.read(image)
    return outcome


@contextmanager
def _timed(outcome: Outcome) -> Iterator[None]:
    """Note how long something takes."""
    begin, computed = time.perf_counter(), time.process_time()
    yield
    outcome.computed.append(1000 * (time.process_time() - computed))
    outcome.spent.append(1000 * (time.perf_counter() - begin))


def _mark(image: NDArray[np.uint8], box: Box, text: str, good: bool) -> None:
    colour = (60, 170, 40) if good else (40, 40, 230)
    cv2.rectangle(image, (box.x, box.y), (box.x + box.w, box.y + box.h), colour, 1)
    cv2.putText(image, text, (box.x, box.y - 2), cv2.FONT_HERSHEY_SIMPLEX, 0.5, colour, 1)


def _keep(task: Task, image: NDArray[np.uint8], said: str) -> None:
    assert task.examples is not None
    task.examples.mkdir(parents=True, exist_ok=True)
    name = f"{task.row} {task.kind} {task.index % 1000} {said}.png".replace(",", "")
    cv2.imwrite(str(task.examples / name.replace("  ", " ").replace(" ", "_")), image)


def _bare(text: str) -> str:
    return text.replace(" ", "").replace("\n", "")


def _share(part: float, whole: float) -> float:
    return 100 * part / max(1, whole)


def _show_crops(name: str, done: Done) -> None:
    letters = [outcome for _, outcome in done if outcome.truth.isalpha()]
    right = sum(o.tags["letters"] == o.truth.upper() for o in letters)
    several = sum(len(_bare(o.tags["letters"])) != 1 for o in letters)
    remark = f"{right} of {len(letters)}, {several} not read as one character"
    print_row(f"{name}, letters right, %", _share(right, len(letters)), "at least 96", remark)
    for alphabet, title in (("alnum", "36 classes"), ("all", "62 classes")):
        if all(alphabet in o.tags for _, o in done):
            right = sum(
                o.tags[alphabet] == (o.truth.upper() if alphabet == "alnum" else o.truth)
                for _, o in done
            )
            print_row(f"{name}, {title}, % right", _share(right, len(done)))
    _print_mistakes([(o.truth.upper(), o.tags["letters"]) for o in letters])


def _show_sheets(name: str, done: Done, *, by_kind: bool, most: float = 5) -> None:
    outcomes = [outcome for _, outcome in done]
    wanted = "" if by_kind else f"at most {most:g}"
    print_row(f"{name}, character error rate, %", _rate(outcomes), wanted, f"{len(done)} of them")
    print_row(f"{name}, the same, O as 0 and I as 1", _rate(outcomes, alike=True))
    print_row(f"{name}, the same, with spaces and line ends", _rate(outcomes, spaces=True))
    if any(o.located for o in outcomes):
        truth = sum(len(_bare(o.truth)) for o in outcomes)
        located, found = (sum(getattr(o, key) for o in outcomes) for key in ("located", "found"))
        right = sum(o.shown_right for o in outcomes)
        aim = "" if by_kind else "at least 98"
        print_row(f"{name}, found: recall, %", _share(found, truth), aim)
        print_row(f"{name}, found: precision, %", _share(found, located), aim)
        wanted = "" if by_kind else "at least 95"
        print_row(f"{name}, of what is shown right, %", _share(right, located), wanted)
    changes = [count for o in outcomes for count in o.changes]
    if changes:
        remark = f"{sum(c > 1 for c in changes)} of {len(changes)} more than once"
        print_row(f"{name}, changes of a settled label, most", max(changes), "at most 1", remark)
    pairs = [pair for o in outcomes for pair in align(_bare(o.truth), _bare(o.read))]
    _print_mistakes(pairs)
    groups: dict[str, list[Outcome]] = {}
    for task, outcome in done:
        tags = {"kind": task.kind} if by_kind else outcome.tags
        for key, value in tags.items():
            groups.setdefault(f"{key} {value}" if not by_kind else value, []).append(outcome)
    # Kinds from the worst on; what sheets have in common side by side.
    for group in sorted(groups, key=lambda g: (-_rate(groups[g]), g) if by_kind else (0.0, g)):
        _print_group(group, groups[group])


def _print_mistakes(pairs: Iterable[tuple[str, str]]) -> None:
    """Print what is most often read as something else, is not read, or is read out of nothing."""
    common = Counter(pair for pair in pairs if pair[0] != pair[1]).most_common(14)
    said = ", ".join(
        f"{one or 'nothing'} as {other or 'nothing'} {n}" for (one, other), n in common
    )
    print("  " + said.replace("\n", "/"))


def _print_group(group: str, members: Sequence[Outcome]) -> None:
    truth = sum(len(_bare(o.truth)) for o in members)
    located, found = (sum(getattr(o, key) for o in members) for key in ("located", "found"))
    said = f"recall {_share(found, truth):5.1f}, precision {_share(found, located):5.1f}"
    said = f"alike {_rate(members, alike=True):5.1f}, {said}" if located else ""
    print(f"  {group:54} {_rate(members):8.2f}  {said}, {len(members)} of them")


def _rate(outcomes: Iterable[Outcome], **how: bool) -> float:
    errors, lengths = zip(*(outcome.errors(**how) for outcome in outcomes), strict=True)
    return _share(sum(errors), sum(lengths))


def _show_scenes(name: str, done: Done) -> None:
    count = sum(outcome.located for _, outcome in done)
    bad = sum(bool(outcome.located) for _, outcome in done)
    print_row(f"{name}, characters shown", count, "0", f"in {bad} of {len(done)}")
    for kind in dict.fromkeys(task.kind for task, _ in done):
        members = [outcome for task, outcome in done if task.kind == kind]
        bad = sum(bool(outcome.located) for outcome in members)
        texts = " / ".join(o.read.replace("\n", " ")[:30] for o in members if o.read)
        said = f"in {bad} of {len(members)}" + (f": {texts}" if bad else "")
        print(f"  {kind:54} {sum(o.located for o in members):8d}  {said[:160]}")


def _show_speed(name: str, done: Done, *, target: str, median: bool) -> None:
    [(_, outcome)] = done
    of, which = (np.median, "median of 5") if median else (p95, "p95")
    spent, computed = outcome.spent, outcome.computed
    if not median:
        spent, computed = spent[_WARM_UP:], computed[_WARM_UP:]
    remark = f"p50 {np.median(spent):.1f}; of the processor {of(computed):.1f}"
    print_row(f"{name}, ms, {which}", float(of(spent)), target, remark)


@dataclass(frozen=True)
class Row:
    """A row of the table.

    Attributes:
        run: Does one task.
        show: Prints the figures.
        count: How many tasks, of each kind.
        kinds: "" for no kinds.
        needs_data: Left out without `--data`.
        alone: Whether nothing else may run beside it.
        chunk: Tasks that a process is handed at a time.
    """

    run: Callable[[Task], Outcome]
    show: Callable[[str, Done], None]
    count: int
    kinds: tuple[str, ...] = ("",)
    needs_data: bool = False
    alone: bool = False
    chunk: int = 1


_ROWS: dict[str, Row] = {
    "crops": Row(_crop, _show_crops, 0, needs_data=True, chunk=40),
    "simulated crops": Row(_simulated_crop, _show_crops, 520, chunk=20),
    "sheets": Row(_sheet, partial(_show_sheets, by_kind=False), 60),
    "kinds": Row(_sheet, partial(_show_sheets, by_kind=True), 3, tuple(KINDS)),
    "clips": Row(_clip, partial(_show_sheets, by_kind=False, most=4), 12),
    "scenes": Row(_scene, _show_scenes, 6, (*SCENES, _FILMED)),
    "scenes live": Row(_scene_clip, _show_scenes, 1, (*SCENES, _FILMED)),
    "frame of 40 characters": Row(
        _frame_time, partial(_show_speed, target="at most 15", median=False), 1, alone=True
    ),
    "photo of 12 megapixels": Row(
        _photo_time, partial(_show_speed, target="at most 1000", median=True), 1, alone=True
    ),
}

if __name__ == "__main__":
    main()
