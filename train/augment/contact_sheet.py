"""Draw contact sheets of every step of augmentation: hand, air, pen, wear, camera, negatives.

One PNG for each source of handwriting in DATA, a row for each character, and one of ink that is no
character. Look at them before training: whoever cannot read a letter there cannot ask a network to.
"""

from __future__ import annotations

import argparse
import re
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from hcr_live.alphabet import CLASSES
from hcr_live.errors import HcrError
from hcr_live.ink.normalise import network_input
from hcr_live.ink.render import render_strokes
from train.augment import air, camera, ink, negatives, strokes
from train.data.characters import CharacterSet, Ink

Image = NDArray[np.uint8]
Cells = list[tuple[str, Image | None]]

SEVERITIES = (0.3, 0.6, 1.0)
"""Of the photos: a good one, a usual one, a bad one."""

_SIDE = 96
_GAP = 6
_GROUND = 70
_NEGATIVES_ACROSS = 14


def contact_sheet(
    characters: CharacterSet, rng: np.random.Generator, rows: int = 14
) -> NDArray[np.uint8]:
    """Return a sheet of random characters, all steps of each side by side.

    From left to right: the source; another hand, twice; the air; a pen; wear; then three photos,
    each with the ink that the paper path finds in it (nothing where the letter is lost) and the
    network's input; the last photo's crop as others may hand it over, and the input of that; and
    what training gets. Only photos of strokes have been through hand and pen before.

    Args:
        characters: Of one source; not empty.
        rng: The random generator.
        rows: The most characters, of different classes while there are enough.

    Returns:
        uint8 (h, w), grey.
    """
    order = rng.permutation(len(characters))
    first = np.sort(np.unique(characters.labels[order], return_index=True)[1])
    chosen = [*order[first].tolist(), *np.delete(order, first).tolist()]
    table = []
    for row in chosen[:rows]:
        cells = _steps(characters, row, rng)
        table.append(np.hstack([_cell(image) for _, image in cells]))
    names = np.hstack([_headline(name) for name, _ in cells])
    return np.vstack([names, *table])


def negatives_sheet(
    characters: CharacterSet, rng: np.random.Generator, rows: int = 14
) -> NDArray[np.uint8]:
    """Return a sheet of ink that is no character, each beside the network's input.

    Args:
        characters: To take pieces of words from; not empty.
        rng: The random generator.
        rows: So many lines.

    Returns:
        uint8 (h, w), grey.
    """
    table = []
    for _ in range(rows):
        cells = []
        for _ in range(_NEGATIVES_ACROSS // 2):
            picked = rng.integers(len(characters), size=4).tolist()
            glyphs = [_as_it_is(characters, row) for row in picked]
            nothing = negatives.no_character(glyphs, rng)
            cells += [_cell(nothing), _cell(_input(nothing))]
        table.append(np.hstack(cells))
    names = np.hstack([_headline("no character"), _headline("input")] * (_NEGATIVES_ACROSS // 2))
    return np.vstack([names, *table])


def _as_it_is(characters: CharacterSet, row: int) -> Ink:
    content = characters.contents[row]
    return render_strokes(content) if isinstance(content, tuple) else content


def _steps(characters: CharacterSet, row: int, rng: np.random.Generator) -> Cells:
    """Return the steps of one character: what each is, and its picture, None for nothing."""
    content = characters.contents[row]
    plain = _as_it_is(characters, row)
    cells: Cells = [(f"{characters.name}", _labelled(plain, CLASSES[characters.labels[row]]))]
    if isinstance(content, tuple):
        hands = [strokes.vary(content, rng) for _ in range(2)]
        cells += [("hand", render_strokes(hand)) for hand in hands]
        cells.append(("air", render_strokes(air.vary(content, rng))))
        drawn = ink.draw(hands[0], rng)
    else:
        drawn = ink.vary(plain, rng)
        cells += [("hand", drawn), ("hand", ink.vary(plain, rng)), ("air", None)]
    cells += [("pen", drawn), ("wear", ink.degrade(drawn, rng))]
    for severity in SEVERITIES:
        photo = camera.take(drawn, rng, severity)
        found = camera.read_paper(photo) if photo else None
        cells.append((f"photo {severity}", photo.image if photo else None))
        cells += [("paper path", found), ("input", _input(found))]
    plainly = camera.read_plainly(photo, rng) if photo else None
    trained = camera.photograph(drawn, rng)
    cells += [("plainly", plainly), ("input", _input(plainly))]
    return [*cells, ("training", trained), ("input", _input(trained))]


def _input(image: Ink | None) -> Image | None:
    if image is None:
        return None
    return np.rint(network_input(image) * 255).astype(np.uint8)


def _labelled(image: Image, label: str) -> Image:
    """Return the image on a white-framed cell with its label in a corner."""
    cell = _fitted(image, _SIDE - 20)
    cell = np.pad(cell, ((20, 0), (20, 0)), constant_values=_GROUND)
    cv2.putText(cell, label, (2, 18), cv2.FONT_HERSHEY_DUPLEX, 0.6, 200, 1, cv2.LINE_AA)
    return cell


def _fitted(image: Image, side: int) -> Image:
    """Return the image in the middle of a grey square, as large as it fits."""
    h, w = image.shape
    scale = side / max(h, w)
    size = (max(1, round(w * scale)), max(1, round(h * scale)))
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_NEAREST
    square = np.full((side, side), _GROUND, np.uint8)
    y, x = (side - size[1]) // 2, (side - size[0]) // 2
    square[y : y + size[1], x : x + size[0]] = cv2.resize(image, size, interpolation=method)
    return square


def _cell(image: Image | None) -> Image:
    empty = np.full((_SIDE, _SIDE), _GROUND, np.uint8)
    return np.pad(
        empty if image is None else _fitted(image, _SIDE),
        ((0, _GAP), (0, _GAP)),
        constant_values=_GROUND,
    )


def _headline(text: str) -> Image:
    strip = np.full((24, _SIDE + _GAP), _GROUND, np.uint8)
    cv2.putText(strip, text[:14], (2, 16), cv2.FONT_HERSHEY_SIMPLEX, 0.42, 255, 1, cv2.LINE_AA)
    return strip


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `augment`."""
    parser.add_argument("--data", type=Path, required=True, help="file or folder of training data")
    parser.add_argument("--out", type=Path, required=True, help="folder for the PNG files")
    parser.add_argument("--rows", type=int, default=14, help="characters a sheet, default 14")
    parser.add_argument("--seed", type=int, default=1, help="default 1")


def run(options: argparse.Namespace) -> None:
    """Draw the sheets as the options say.

    Raises:
        HcrError: If the data or the folder for the sheets is no good.
    """
    from tqdm import tqdm

    from train.data import load

    if options.rows < 1:
        raise HcrError(f"--rows must be at least 1, not {options.rows}.")
    if options.seed < 0:
        raise HcrError(f"--seed must not be negative, not {options.seed}.")
    sets = [part for one in load(options.data) if len(part := one.split("train"))]
    if not sets:
        raise HcrError(f"{options.data} has nothing to train on: all of it is for validation.")
    for number, characters in enumerate(tqdm(sets, "sheets", unit="sheet")):
        rng = np.random.default_rng([options.seed, number])
        sheet = contact_sheet(characters, rng, options.rows)
        name = re.sub(r"[^\w.-]+", "_", characters.name)
        _write(options.out / f"{name}.png", sheet)
    rng = np.random.default_rng([options.seed, len(sets)])
    _write(options.out / "negatives.png", negatives_sheet(sets[0], rng, options.rows))
    print(f"Wrote {len(sets) + 1} sheets to {options.out}")


def _write(path: Path, image: Image) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(cv2.imencode(".png", image)[1].tobytes())
    except OSError as error:
        raise HcrError(f"Cannot write {path}: {error.strerror}. Give another --out.") from error
