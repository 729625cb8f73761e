"""Cut handwritten characters out of photos or scans, for training.

A page of the printed form (`python -m train sheet`) says itself what is written on it. Of any other
sheet, give what is written as --labels, or be asked one by one with --ask. The folder that it
writes is read by `fit --data`; look at its contact sheet first.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from hcr_live.alphabet import ALPHABETS
from hcr_live.errors import HcrError
from train.extract.cutout import Sheet

if TYPE_CHECKING:
    from hcr_live.sinks.window import Window
    from train.extract.plain import Probabilities


def open_window() -> Window:
    """Return the window that --ask asks in."""
    from train.extract.ask import AskWindow

    return AskWindow()


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `extract`."""
    parser.add_argument(
        "sheets",
        nargs="+",
        type=Path,
        metavar="SHEET",
        help="photos or scans, or folders of them",
    )
    add_sheet_arguments(parser)


def add_sheet_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what `extract` and the program's `collect` ask alike."""
    parser.add_argument(
        "--out",
        type=Path,
        required=True,
        metavar="FOLDER",
        help="new, empty, or written by this command: then the characters are added",
    )
    parser.add_argument(
        "--labels",
        metavar="TEXT_OR_FILE",
        help="what is written on each sheet that is no form; spaces and new lines do not count",
    )
    parser.add_argument("--ask", action="store_true", help="ask for each character in a window")
    parser.add_argument(
        "--writer",
        metavar="WHO",
        help="number or name of the person; default: the form's number, or a new one for plain "
        "sheets",
    )
    parser.add_argument(
        "--alphabet", choices=ALPHABETS, default="all", help="what --ask suggests, default all"
    )
    parser.add_argument("--model", type=Path, help="a .tflite file; default: the shipped one")


def run(options: argparse.Namespace) -> None:
    """Extract, ask if told to, write the folder.

    Raises:
        HcrError: If a picture, the labels or the folder is no good, or the number of characters
            is not that of the labels.
    """
    from hcr_live.classifier import Classifier
    from train.extract.contact_sheet import agree
    from train.extract.folder import (
        add_sheets,
        check_writer,
        contact_sheet_path,
        open_folder,
        with_writers,
    )
    from train.extract.labels import read_labels
    from train.extract.plain import guesses_of

    check_writer(options.writer)
    labels = read_labels(options.labels) if options.labels is not None else []
    paths = _pictures(options.sheets)
    probabilities = Classifier(options.model).probabilities
    sheets = [_read(path, probabilities, labels, options.ask) for path in paths]
    known = open_folder(options.out)
    sheets = with_writers(sheets, known, options.writer)
    guesses = [guesses_of(sheet, probabilities, options.alphabet) for sheet in sheets]
    overview = contact_sheet_path(options.out)
    _refuse_mismatch(sheets, guesses, labels, overview)
    if options.ask:
        sheets, guesses = _ask(sheets, guesses)
    entries = add_sheets(options.out, known, sheets, guesses)
    for sheet in sheets:
        print(said(sheet))
    pairs = zip([e.label for e in entries], [g for read in guesses for g in read], strict=True)
    same = sum(agree(label, guess) for label, guess in pairs)
    people = len({entry.writer for entry in entries})
    print(
        f"Wrote {len(entries)} characters of {people} {'writer' if people == 1 else 'writers'}"
        f" to {options.out}; the network reads {same} of them as labelled (case and O, 0, I, l, 1"
        " aside)."
    )
    print(
        f"Look at {overview}, then: python -m train personalise {options.out}, or with more data:"
        f" python -m train fit --data {options.out} --out RUN"
    )


def _pictures(paths: Sequence[Path]) -> list[Path]:
    from hcr_live.sources.images import list_images

    return [one for path in paths for one in (list_images(path) if path.is_dir() else [path])]


def _read(path: Path, probabilities: Probabilities, labels: Sequence[str], asked: bool) -> Sheet:
    from hcr_live.sources.images import load_image
    from train.extract.crossed_out import without_crossed_out
    from train.extract.plain import labelled, read_plain
    from train.extract.printed import read_form

    if path.suffix.lower() == ".pdf":
        raise HcrError(f"{path} is a PDF: give a photo or a scan of the page, as JPEG or PNG.")
    image = load_image(path)
    try:
        sheet = read_form(image, path.name)
    except HcrError:
        if not labels and not asked:
            raise
        sheet = None  # so it need be no form
    if sheet is None:
        if not labels and not asked:
            raise HcrError(
                f"No mark of the printed form is seen in {path}: give --labels or --ask for a"
                " plain sheet, or take the whole page, flat and sharp."
            )
        sheet = labelled(read_plain(image, path.name, probabilities, labels), labels)
    elif labels:
        raise HcrError(f"{path} is a printed form, which says what is on it: leave out --labels.")
    else:
        sheet = without_crossed_out(sheet, probabilities)
    if not sheet.cut_outs:
        raise HcrError(f"No handwriting is found in {path}: write darker, or take it closer.")
    return sheet


def _refuse_mismatch(
    sheets: Sequence[Sheet],
    guesses: Sequence[Sequence[str]],
    labels: Sequence[str],
    overview: Path,
) -> None:
    from train.extract.contact_sheet import contact_sheet
    from train.extract.folder import save_png
    from train.extract.labels import difference

    wrong = [
        f"{sheet.name}: {how}" for sheet in sheets if labels and (how := difference(sheet, labels))
    ]
    if wrong:
        save_png(overview, contact_sheet(sheets, guesses))
        raise HcrError(f"{'; '.join(wrong)}: {overview} shows what was cut out.")


def _ask(
    sheets: Sequence[Sheet], guesses: Sequence[Sequence[str]]
) -> tuple[list[Sheet], list[list[str]]]:
    """Return what the user said of each character.

    Raises:
        HcrError: If nothing is left, or there is no display.
    """
    from train.extract.ask import ask

    inks = [one.ink for sheet in sheets for one in sheet.cut_outs]
    answers = ask(inks, suggestions(sheets, guesses), open_window())
    if not any(answers):
        raise HcrError("Stopped before the first character: nothing was written.")
    return answered(sheets, guesses, answers)


def suggestions(sheets: Sequence[Sheet], guesses: Sequence[Sequence[str]]) -> list[str]:
    """Return what to suggest for each character: its label, or what the network reads."""
    return [
        one.label or guess
        for sheet, own in zip(sheets, guesses, strict=True)
        for one, guess in zip(sheet.cut_outs, own, strict=True)
    ]


def answered(
    sheets: Sequence[Sheet], guesses: Sequence[Sequence[str]], answers: Sequence[str]
) -> tuple[list[Sheet], list[list[str]]]:
    """Return what the user said of each character: those left out and those not reached are gone.

    Args:
        sheets: What was cut out.
        guesses: What the network reads, for each sheet.
        answers: What `Questions` has: labels in the same order, "" for one to leave out.
    """
    left = iter(answers)
    kept_sheets, kept_guesses = [], []
    for sheet, own in zip(sheets, guesses, strict=True):
        kept = [
            (replace(one, label=answer), guess)
            for one, guess in zip(sheet.cut_outs, own, strict=True)
            if (answer := next(left, ""))
        ]
        if kept:
            kept_sheets.append(replace(sheet, cut_outs=tuple(one for one, _ in kept)))
            kept_guesses.append([guess for _, guess in kept])
    return kept_sheets, kept_guesses


def said(sheet: Sheet) -> str:
    """Return what came off a sheet, for the terminal."""
    text = f"{sheet.name}: {len(sheet.cut_outs)} characters of writer {sheet.writer}"
    if sheet.page is not None:
        text += f", page {sheet.page} of the form, {sheet.empty} cells empty"
    if sheet.hidden:
        text += f", {sheet.hidden} cells covered or not wholly in the picture"
    if sheet.crossed_out:
        text += f", {sheet.crossed_out} crossed out"
    return text
