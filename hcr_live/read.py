"""The command `read`: still images in, text out."""

from __future__ import annotations

import csv
import json
import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hcr_live.errors import HcrError
from hcr_live.events import reading_fields
from hcr_live.options import ReadOptions
from hcr_live.reading import Reading
from hcr_live.recognizer import Recognizer

CSV_COLUMNS = ("source", "number", "text", "confidence", "x", "y", "w", "h", "candidates")


def run(options: ReadOptions) -> int:
    """Read every image and print what is written on them.

    Returns:
        The exit status: 0; 1 where a file of a folder, or some of the files, could not be read.

    Raises:
        HcrError: If the only image, or the model, can't be used.
    """
    from hcr_live.sources.images import load_image

    paths, failed = _image_paths(options.images)
    if options.annotate is not None:
        _make_folder(options.annotate)
    recognizer = Recognizer(
        options.alphabet, min_confidence=options.min_confidence, model=options.model
    )
    readings: list[tuple[str, Reading]] = []
    taken: set[Path] = set()
    for path in paths:
        try:
            image = load_image(path)
            reading = recognizer.read(image, options.region)
            if options.annotate is not None:
                _write_annotated(_free_target(options.annotate, path, taken), image, reading)
        except HcrError as error:
            failed += 1
            print(f"hcr_live: {error}", file=sys.stderr)
            continue
        readings.append((str(path), reading))
        if options.format == "text":
            _print_text(path, reading, titled=len(paths) > 1)
    if options.format == "json":
        rows = [reading_fields(source, reading) for source, reading in readings]
        print(json.dumps(rows, indent=2, ensure_ascii=False))
    elif options.format == "csv":
        _print_csv(readings)
    if failed and not readings:
        return 2
    return 1 if failed else 0


def _image_paths(given: tuple[Path, ...]) -> tuple[list[Path], int]:
    """Replace each folder by its images; return them and how many folders gave none.

    Raises:
        HcrError: If nothing is left.
    """
    from hcr_live.sources.images import list_images

    paths: list[Path] = []
    failures: list[HcrError] = []
    for path in given:
        try:
            paths += list_images(path) if path.is_dir() else [path]
        except OSError as error:
            failures.append(HcrError(f"Cannot read {path}: {error.strerror}."))
        except HcrError as error:
            failures.append(error)
    if not paths:
        raise failures[0]
    for failure in failures:
        print(f"hcr_live: {failure}", file=sys.stderr)
    return paths, len(failures)


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise HcrError(f"Cannot make the folder {folder}: {error.strerror}.") from error


def _free_target(folder: Path, source: Path, taken: set[Path]) -> Path:
    """Return where the annotated copy goes; pictures of one name get numbers."""
    number, target = 1, folder / f"{source.stem}-annotated.png"
    while target in taken:
        number += 1
        target = folder / f"{source.stem}-annotated-{number}.png"
    taken.add(target)
    return target


def _write_annotated(target: Path, image: NDArray[np.uint8], reading: Reading) -> None:
    """Write a copy of the picture with boxes and letters.

    Raises:
        HcrError: If it can't be written.
    """
    import cv2

    from hcr_live.overlay import annotate_reading

    encoded, content = cv2.imencode(".png", annotate_reading(image, reading))
    try:
        if not encoded:
            raise OSError(0, "it can't be encoded as PNG")
        target.write_bytes(content.tobytes())
    except OSError as error:
        raise HcrError(f"Cannot write {target}: {error.strerror}.") from error


def _print_text(path: Path, reading: Reading, *, titled: bool) -> None:
    if titled:
        print(f"{path}:")
    if reading.text:
        print(reading.text, flush=True)
    if reading.joined:
        print(
            f"hcr_live: Joined writing in {path} is not read: write the letters apart.",
            file=sys.stderr,
        )
    elif not reading.text:
        print(f"hcr_live: No writing found in {path}.", file=sys.stderr)


def _print_csv(readings: list[tuple[str, Reading]]) -> None:
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(CSV_COLUMNS)
    for source, reading in readings:
        for number, character in enumerate(reading.characters):
            candidates = " ".join(f"{text}:{value:.4f}" for text, value in character.candidates)
            writer.writerow(
                (
                    source,
                    number,
                    character.text,
                    f"{character.confidence:.4f}",
                    *character.box,
                    candidates,
                )
            )
