"""Air-writing, read right or wrong: `python -m benchmarks.air` prints the table.

Clips are made by `generator/` with a fixed seed from our own strokes or those of `--strokes`,
every frame is a JPEG once, as a webcam's is, and read by the real program in mode auto.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, field
from functools import partial
from itertools import product
from multiprocessing import get_context
from pathlib import Path
from typing import Any, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.table import align, error_rate, p95, print_row
from generator.air_clip import (
    SKINS,
    Move,
    Rest,
    Wander,
    gesturing_moves,
    move_frames,
    word_moves,
)
from generator.letters import letter_strokes
from generator.sheet import scene_image
from generator.video import write_clip
from hcr_live.alphabet import CLASSES
from hcr_live.errors import HcrError
from hcr_live.frame import Frame
from hcr_live.view import View
from train.augment.paths import joined, unit

_SEED = 20261121
_CAPITALS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_SIZES = (200, 280, 360)
_RATES = (15.0, 20.0, 24.0, 30.0, 60.0)
_IDLE_SECONDS = 20.0
_WORDS = "CAT DOG SUN BOX KEY ZOO JAM FISH QUIZ HAND BLUE JUMP VERY HELLO WORLD HOUSE QUEEN MUSIC"
_LONG_WORDS = "FRIEND GARDEN WINDOW YELLOW PLANET KITCHEN MORNING PICTURE EXAMPLE ELEPHANT QUESTION"

Draw: TypeAlias = Callable[[str, np.random.Generator], list[NDArray[np.float32]]]


@dataclass(frozen=True, eq=False)
class Clip:
    """What is filmed, and what it says.

    Attributes:
        row: Of the table.
        text: What is written.
        moves: Of the hand; none for a scene without one.
        arguments: Of `move_frames`, or `kind`, `seed` and `fps` of a scene.
    """

    row: str
    text: str
    moves: tuple[Move, ...]
    arguments: dict[str, Any]

    def frames(self) -> Iterator[tuple[NDArray[np.uint8], float]]:
        """Yield (image, time)."""
        return move_frames(self.moves, **self.arguments) if self.moves else self._scene()

    def _scene(self) -> Iterator[tuple[NDArray[np.uint8], float]]:
        """A head that moves a little, or a room before a camera that does."""
        kind, seed, fps = (self.arguments[name] for name in ("kind", "seed", "fps"))
        scene = scene_image(kind, seed=seed)
        height, width = scene.shape[:2]
        rng = np.random.default_rng(seed)
        noise = rng.normal(0, 3, (height + 64, width + 64, 3)).astype(np.int8)
        for index in range(round(_IDLE_SECONDS * fps)):
            time = index / fps
            shift = np.array([[1, 0, 8 * np.sin(2 * time)], [0, 1, 6 * np.cos(1.7 * time)]])
            image = cv2.warpAffine(scene, shift, (width, height), borderMode=cv2.BORDER_REPLICATE)
            y, x = rng.integers(0, 64, 2)
            noisy = cv2.add(image, noise[y : y + height, x : x + width], dtype=cv2.CV_8U)
            yield noisy.astype(np.uint8, copy=False), time


@dataclass
class Outcome:
    """What the program made of a clip.

    Attributes:
        text: What it read.
        suggested: The same, the first suggestion taken for every word that had one.
        characters: How many characters it reported, on paper or in the air.
        late: For every letter that a pause ended: frames from the pause's end to the letter.
        seconds: How long the clip was.
    """

    text: str = ""
    suggested: str = ""
    characters: int = 0
    late: list[int] = field(default_factory=list)
    seconds: float = 0.0


Read: TypeAlias = list[tuple[Clip, Outcome]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a small sample of the clips")
    parser.add_argument("--strokes", type=Path, help="a file of pen strokes (docs/data.md)")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes at a time")
    told = "only these: " + ", ".join(repr(name) for name in _ROWS)
    parser.add_argument("--rows", nargs="+", choices=tuple(_ROWS), metavar="ROW", help=told)
    arguments = parser.parse_args()
    try:
        _measure(arguments.rows, arguments.strokes, arguments.quick, arguments.jobs)
    except HcrError as error:
        sys.exit(f"error: {error}")


def _measure(rows: Sequence[str] | None, strokes: Path | None, quick: bool, jobs: int) -> None:
    """Print the table, row by row, or only some rows."""
    names = rows or list(_ROWS)
    draw, letters = _source(strokes)
    clips = {name: _clips(name, draw, letters, quick) for name in names}
    late: list[int] = []
    # Fresh processes: MediaPipe's threads do not survive a fork.
    with ProcessPoolExecutor(max(1, jobs), mp_context=get_context("spawn")) as pool:
        for name in names:
            outcomes = _read_all(pool, clips[name])
            _ROWS[name].show(name, list(zip(clips[name], outcomes, strict=True)))
            late += [frames for outcome in outcomes for frames in outcome.late]
    if late:
        remark = f"{len(late)} letters, {100 * np.mean(np.array(late) <= 1):.1f} % within one"
        print_row("end of the pause to the letter, frames, p95", p95(late), "at most 1", remark)
    if rows is None:
        _print_speed(draw, letters)


def _source(path: Path | None) -> tuple[Draw, str]:
    """Return a function that draws a letter's strokes, and the letters it can draw."""
    if path is None:
        return letter_strokes, _CAPITALS
    from train.data.strokes import load_strokes

    found: dict[str, list[Any]] = {}
    characters = load_strokes(path)
    for label, strokes in zip(characters.labels, characters.contents, strict=True):
        found.setdefault(CLASSES[int(label)], []).append(strokes)
    letters = "".join(letter for letter in _CAPITALS if letter in found)
    if not letters:
        raise HcrError(f"{path} has no capital letters: give a file of strokes that has.")

    def draw(letter: str, rng: np.random.Generator) -> list[NDArray[np.float32]]:
        return list(found[letter][int(rng.integers(len(found[letter])))])

    return draw, letters


def _clips(name: str, draw: Draw, letters: str, quick: bool) -> list[Clip]:
    """Return the clips of a row, whichever others are made."""
    row = _ROWS[name]
    rng = np.random.default_rng([_SEED, list(_ROWS).index(name)])
    count = row.quick if quick else row.count
    return [row.make(name, draw, letters, index, rng) for index in range(count)]


def _letter(
    row: str,
    draw: Draw,
    letters: str,
    index: int,
    rng: np.random.Generator,
    *,
    pen: str = "point",
    in_one_line: bool = False,
    second: bool = False,
) -> Clip:
    """One letter; skins, sizes and backgrounds take turns, so that each meets all the letters."""
    turn, place = divmod(index, len(letters))
    letter = letters[place]
    conditions = list(product(range(len(SKINS)), _SIZES, (True, False)))
    skin, size, light = conditions[(7 * place + 5 * turn) % len(conditions)]
    strokes = draw(letter, rng)
    if in_one_line:
        strokes = [joined(unit(tuple(strokes)), rng)]
    moves = word_moves([[strokes]], size=size, pen=pen)
    arguments = _arguments(rng) | {"skin": skin, "size": size, "light": light, "pen": pen}
    if second:
        arguments["second"] = (Rest(0.5), Wander(1.5, "open", 0.7, 0.95), Wander(2, "fist", 0.6, 1))
    return Clip(row, letter, tuple(moves), arguments)


def _words(row: str, draw: Draw, letters: str, index: int, rng: np.random.Generator) -> Clip:
    """Two words, the letters in one place or side by side."""
    words = [word for word in f"{_WORDS} {_LONG_WORDS}".split() if set(word) <= set(letters)]
    if not words:
        raise HcrError("The strokes spell no word: leave 'words' out of --rows.")
    text = [str(word) for word in rng.choice(words, 2)]
    look: dict[str, Any] = {
        "size": int(rng.choice(_SIZES)),
        "pen": str(rng.choice(["point", "pinch"])),
        "left_handed": bool(rng.integers(2)),
    }
    strokes = [[draw(letter, rng) for letter in word] for word in text]
    moves = word_moves(strokes, in_place=index % 2 == 0, **look)
    arguments = _arguments(rng) | look | {"skin": int(rng.integers(len(SKINS)))}
    return Clip(row, " ".join(text), tuple(moves), arguments)


def _idle(row: str, draw: Draw, letters: str, index: int, rng: np.random.Generator) -> Clip:
    """Nobody writes."""
    kind = ("open palm", "gestures", "face", "room")[index % 4]
    if kind in ("face", "room"):
        seed = int(rng.integers(2**31))
        return Clip(row, "", (), {"kind": kind, "seed": seed, "fps": 30.0})
    moves = (
        [Wander(_IDLE_SECONDS, "open", 0.1, 0.8)]
        if kind == "open palm"
        else gesturing_moves(_IDLE_SECONDS, rng)
    )
    look = {"skin": int(rng.integers(len(SKINS))), "size": int(rng.choice(_SIZES))}
    return Clip(row, "", tuple(moves), _arguments(rng) | look)


def _arguments(rng: np.random.Generator) -> dict[str, Any]:
    return {
        "seed": int(rng.integers(2**31)),
        "fps": float(rng.choice(_RATES)),
        "pen_up": str(rng.choice(["open", "fist"])),
        "left_handed": bool(rng.integers(2)),
        "pace": float(rng.uniform(0.85, 1.3)),
    }


def _read_all(pool: ProcessPoolExecutor, clips: Sequence[Clip]) -> list[Outcome]:
    """Read the clips, each with a detector of its own; stderr tells of each."""
    tasks = {pool.submit(read_clip, clip): clip for clip in clips}
    for done, task in enumerate(as_completed(tasks), 1):
        clip, outcome = tasks[task], task.result()
        said = f"{clip.row} {done}/{len(clips)}: {clip.text!r} read {outcome.text!r}"
        wrong = outcome.text != clip.text or (not clip.text and outcome.characters)
        print(said, clip.arguments if wrong else "", file=sys.stderr, flush=True)
    return [task.result() for task in tasks]


def read_clip(clip: Clip) -> Outcome:
    """Let the program read a clip."""
    from hcr_live.air.hands import HandDetector
    from hcr_live.air.watcher import HandWatcher
    from hcr_live.classifier import Classifier
    from hcr_live.language.suggester import Suggester
    from hcr_live.session import Session

    cv2.setNumThreads(1)
    hands = HandWatcher(HandDetector)
    session = Session(Classifier(), hands, suggest=Suggester("en"))
    outcome = Outcome()
    suggested: dict[int, str] = {}
    pauses: list[tuple[float, float]] = []
    for index, (image, time) in enumerate(clip.frames()):
        outcome.seconds = time
        frame = Frame(_through_jpeg(image), index, time)
        view, events = session.step(frame)
        letters = [event for event in events if event["event"] == "character"]
        outcome.characters += len(letters)
        if letters and len(pauses) > 1:
            outcome.late += _lateness(pauses, time, clip.arguments["fps"])
        pauses = _grown(pauses, view, time)
        if view.suggestions:
            suggested[len(view.text.split()) - 1] = view.suggestions[0]
    outcome.characters += sum(event["event"] == "character" for event in session.finish())
    hands.close()
    words = session.text.split()
    outcome.text = " ".join(words)
    outcome.suggested = " ".join(suggested.get(k, word) for k, word in enumerate(words))
    return outcome


def _through_jpeg(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    jpeg = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 85])[1]
    return np.asarray(cv2.imdecode(jpeg, cv2.IMREAD_COLOR), np.uint8)


def _grown(pauses: list[tuple[float, float]], view: View, time: float) -> list[tuple[float, float]]:
    """Return (time, part of the pause) of the frames of the pause that runs now."""
    if view.pause >= 1:
        return pauses
    if pauses and view.pause <= pauses[-1][1]:
        pauses = []
    return [*pauses, (time, view.pause)] if view.pause > 0 else pauses


def _lateness(pauses: list[tuple[float, float]], time: float, fps: float) -> list[int]:
    """Return after how many frames the letter came; none if it came before the pause's end."""
    (before, less), (last, more) = pauses[-2:]
    end = last + (1 - more) * (last - before) / (more - less)
    return [math.ceil((time - end) * fps - 1e-3)] if time > end - 1e-3 else []


def _show_letters(name: str, read: Read, target: str = "") -> None:
    right = sum(clip.text == outcome.text for clip, outcome in read)
    print_row(f"{name}, % right", 100 * right / len(read), target, f"{right} of {len(read)}")


def _show_words(name: str, read: Read) -> None:
    pairs = [pair for clip, outcome in read for pair in align(clip.text, outcome.text)]
    print_row(
        "words, character error rate, %", error_rate(pairs), "at most 6", f"{len(read)} clips"
    )
    spaces = [pair for pair in pairs if " " in pair]
    right = sum(one == other for one, other in spaces)
    print_row("words, boundaries right, %", 100 * right / len(spaces), "at least 95")
    if any(outcome.suggested != outcome.text for _, outcome in read):
        pairs = [pair for clip, outcome in read for pair in align(clip.text, outcome.suggested)]
        print_row("the same, first suggestion taken, %", error_rate(pairs), "at most 2")


def _show_idle(name: str, read: Read) -> None:
    count = sum(outcome.characters for _, outcome in read)
    seconds = sum(outcome.seconds for _, outcome in read)
    remark = f"{count} in {seconds:.0f} s"
    print_row(f"{name}, characters in 10 minutes", 600 * count / seconds, "0", remark)


def _print_speed(draw: Draw, letters: str) -> None:
    """Print how long a frame takes from a camera that films a word, in real time."""
    rng = np.random.default_rng(_SEED)
    word = [draw(letter, rng) for letter in letters[:4]]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "air.mp4"
        write_clip(path, move_frames(word_moves([word]), seed=_SEED), 30)
        command = [sys.executable, "-m", "benchmarks.live", "--measure", "camera air"]
        answer = subprocess.run(
            [*command, "--clip", str(path)], check=True, capture_output=True, text=True
        )
    speed = json.loads(answer.stdout.splitlines()[-1])
    name = "processing of a frame at 1280x720, p95, ms"
    print_row(name, speed["p95"], "at most 12", f"p50 {speed['p50']:.1f}")


@dataclass(frozen=True)
class Row:
    """A row of the table: how its clips are made and shown, and how many there are."""

    make: Callable[[str, Draw, str, int, np.random.Generator], Clip]
    show: Callable[[str, Read], None]
    count: int
    quick: int


_ROWS: dict[str, Row] = {
    "letters": Row(_letter, partial(_show_letters, target="at least 95"), 208, 13),
    "pinched letters": Row(partial(_letter, pen="pinch"), _show_letters, 52, 4),
    "letters in one line": Row(partial(_letter, in_one_line=True), _show_letters, 52, 4),
    "letters beside a second hand": Row(partial(_letter, second=True), _show_letters, 26, 2),
    "words": Row(_words, _show_words, 40, 2),
    "nobody writes": Row(_idle, _show_idle, 30, 4),
}

if __name__ == "__main__":
    main()
