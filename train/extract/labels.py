"""What the user says is written: text or a text file, and whether it fits what was found."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from hcr_live.alphabet import CLASSES
from hcr_live.errors import HcrError
from train.extract.cutout import Sheet


def read_labels(text_or_file: str) -> list[str]:
    r"""Return the lines of labels, without spaces, without empty lines.

    Args:
        text_or_file: The text itself (`\n` may part its lines), or the name of a text file.

    Raises:
        HcrError: If the file can't be read, or there is a character that no network knows.
    """
    text = text_or_file
    path = Path(text_or_file)
    try:
        if path.is_file():
            text = path.read_text(encoding="utf-8-sig")
        elif path.suffix.lower() in (".txt", ".text", ".csv", ".md"):
            raise HcrError(f"There is no file {path}: check the path of --labels.")
    except (OSError, ValueError) as error:
        # Long text is no name of a file; other errors are of a file that is there.
        if "\0" not in text and len(text) < 200:
            reason = getattr(error, "strerror", None) or "it is no text in UTF-8"
            raise HcrError(f"Cannot read {path}: {reason}; give --labels a text file.") from error
    lines = ["".join(line.split()) for line in text.replace("\\n", "\n").splitlines()]
    for number, line in enumerate(lines, 1):
        for character in line:
            if character not in CLASSES:
                raise HcrError(
                    f"Line {number} of --labels holds {character!r}, which is none of 0-9 A-Z a-z:"
                    " leave it out, on the sheet as well."
                )
    lines = [line for line in lines if line]
    if not lines:
        raise HcrError("--labels is empty: give the characters that are written, in their order.")
    return lines


def difference(sheet: Sheet, labels: Sequence[str]) -> str:
    """Say how what was found differs from the labels in number; "" if it does not."""
    found = len(sheet.cut_outs)
    expected = sum(len(line) for line in labels)
    lines = Counter(one.line for one in sheet.cut_outs)
    counts = [lines[number] for number in sorted(lines)]
    by_line = ""
    if len(counts) == len(labels) > 1:
        wrong = [
            f"line {number} has {count}, not {len(line)}"
            for number, (count, line) in enumerate(zip(counts, labels, strict=True), 1)
            if count != len(line)
        ]
        by_line = ", ".join(wrong)
    elif len(labels) > 1:
        by_line = f"{len(counts)} lines, not {len(labels)}"
    if found == expected and (len(counts) != len(labels) or not by_line):
        return ""
    said = f"{found} characters were found, {expected} labels given"
    return f"{said} ({by_line})" if by_line else said
