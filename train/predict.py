"""Read one picture of one character, and save it with the answer on it."""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from hcr_live.alphabet import ALPHABETS
from hcr_live.errors import HcrError
from hcr_live.overlay.canvas import GREEN, Canvas
from hcr_live.reading import Character

_SMALLEST = 480
_LARGEST = 1280


def predict(
    path: Path, alphabet: str = "letters", model: Path | None = None
) -> tuple[NDArray[np.uint8], Character, int]:
    """Read the character in a picture, the way the program reads pictures.

    Args:
        path: A photo of paper, a scan, or the crop of one character, dark on light or light on
            dark.
        alphabet: One of `hcr_live.alphabet.ALPHABETS`.
        model: A .tflite file; None for the shipped network.

    Returns:
        The picture, uint8 (h, w, 3) BGR; its character, the largest where there are several; how
        many there are.

    Raises:
        HcrError: If it is no picture, or there is no character in it.
    """
    from hcr_live.recognizer import Recognizer
    from hcr_live.sources.images import load_image

    image = load_image(path)
    found = Recognizer(alphabet, min_confidence=0.0, model=model).read(image).characters
    if not found:
        raise HcrError(
            f"There is no character in {path}: write darker or larger, or cut the picture closer."
        )
    return image, max(found, key=lambda one: one.box.w * one.box.h), len(found)


def picture(image: NDArray[np.uint8], character: Character) -> NDArray[np.uint8]:
    """Return the image with the character boxed and `Prediction: K` below it.

    Args:
        image: uint8 (h, w, 3) BGR; scaled so that its longer side is from 480 to 1280 pixels.
        character: What `predict` read in it.

    Returns:
        uint8 (h', w', 3) BGR.
    """
    longest = max(image.shape[:2])
    scale = min(max(longest, _SMALLEST), _LARGEST) / longest
    method = cv2.INTER_NEAREST if scale > 1 else cv2.INTER_AREA
    shown = cv2.resize(image, None, fx=scale, fy=scale, interpolation=method)
    missing = max(0, _SMALLEST - shown.shape[1])
    unit = max(shown.shape[1], _SMALLEST) / _SMALLEST
    band = round(64 * unit)
    shown = cv2.copyMakeBorder(
        shown,
        0,
        band,
        missing // 2,
        missing - missing // 2,
        cv2.BORDER_CONSTANT,
        value=(32, 32, 32),
    )
    canvas = Canvas(shown, unit)
    x, y, w, h = (round(value * scale) for value in character.box)
    canvas.outlined_box(x + missing // 2, y, w, h, GREEN)
    text = f"Prediction: {character.text}"
    base = canvas.height - canvas.px(20)
    end = canvas.text(text, canvas.px(16), base, canvas.px(34), weight="bold")
    canvas.text(percent(character.confidence), end + canvas.px(24), base, canvas.px(26))
    return shown


def percent(confidence: float) -> str:
    """Return a confidence for reading, cut to a tenth of a point."""
    return f"{int(confidence * 1000 + 1e-6) / 10:.1f} %"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `predict`."""
    parser.add_argument("image", type=Path, metavar="IMAGE", help="a photo, a scan or a crop")
    parser.add_argument("--model", type=Path, help="a .tflite file; default: the shipped one")
    parser.add_argument(
        "--alphabet", choices=ALPHABETS, default="letters", help="default letters, case folded"
    )
    parser.add_argument(
        "--out", type=Path, metavar="FILE", help="default: prediction.png in this folder"
    )


def run(options: argparse.Namespace) -> None:
    """Read the picture, print the answer, save it, and show it where there is a display."""
    image, character, count = predict(options.image, options.alphabet, options.model)
    print(f"Prediction: {character.text}   confidence {percent(character.confidence)}")
    best = ", ".join(f"{text} {percent(value)}" for text, value in character.candidates)
    print(f"Best three: {best}")
    if count > 1:
        print(
            f"{count} characters were found, this is the largest:"
            f" python main.py read {options.image} reads all."
        )
    shown = picture(image, character)
    out = options.out or Path("prediction.png")
    _save(shown, out)
    print(f"Wrote {out}")
    _show(shown)


def _save(image: NDArray[np.uint8], path: Path) -> None:
    try:
        encoded, content = cv2.imencode(path.suffix or ".png", image)
    except cv2.error:
        encoded = False
    if not encoded:
        raise HcrError(f"Cannot write {path}: choose a name that ends in .png or .jpg.")
    try:
        path.write_bytes(content.tobytes())
    except OSError as error:
        raise HcrError(f"Cannot write {path}: {error.strerror}.") from error


def _show(image: NDArray[np.uint8]) -> None:
    """Show a picture until a key is pressed; nothing happens where there is no display."""
    from hcr_live.sinks.window import OpenCVWindow

    try:
        window = OpenCVWindow(image.shape[1], image.shape[0])
    except HcrError:
        return
    print("Press a key in the window to close it.")
    window.show(image)
    while window.poll(0.1) is None:
        pass
    window.close()
