"""The command `read`: still images in, text out."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Iterator
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

    paths = list(_image_paths(options.images))
    if options.annotate is not None:
        _make_folder(options.annotate)
    recognizer = Recognizer(
        options.alphabet, min_confidence=options.min_confidence, model=options.model
    )
    readings: list[tuple[str, Reading]] = []
    failed = 0
    for path in paths:
        try:
            image = load_image(path)
            reading = recognizer.read(image)
            if options.annotate is not None:
                _write_annotated(options.annotate, path, image, reading)
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


def _image_paths(given: tuple[Path, ...]) -> Iterator[Path]:
    """Replace each folder by its images.

    Raises:
        HcrError: If a folder has none.
    """
    from hcr_live.sources.images import list_images

    for path in given:
        if path.is_dir():
            yield from list_images(path)
        else:
            yield path


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise HcrError(f"Cannot make the folder {folder}: {error.strerror}.") from error


def _write_annotated(folder: Path, path: Path, image: NDArray[np.uint8], reading: Reading) -> None:
    """Write a copy of the picture with boxes and letters.

    Raises:
        HcrError: If it can't be written.
    """
    import cv2

    from hcr_live.overlay import annotate_reading

    target = folder / f"{path.stem}-annotated.png"
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
    else:
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
