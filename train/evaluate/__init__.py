"""Measure a network on writers that it never saw, as the program runs it."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `evaluate`."""
    parser.add_argument("--data", type=Path, required=True, help="folder or file of training data")
    parser.add_argument(
        "--also",
        type=Path,
        nargs="*",
        default=[],
        metavar="FILE",
        help="further files or folders, every character of which is unseen",
    )
    parser.add_argument(
        "--model", type=Path, help="a .tflite, .keras or .onnx file; default: the shipped one"
    )
    parser.add_argument(
        "--together",
        action="store_true",
        help="read pen strokes by both networks, as the program does in the air",
    )
    parser.add_argument(
        "--split",
        choices=("validation", "test"),
        default="validation",
        help="default validation; test is for the last figure",
    )
    parser.add_argument(
        "--out", type=Path, metavar="FOLDER", help="write report.html, figures.json and PNGs there"
    )


def run(options: argparse.Namespace) -> None:
    """Evaluate as the options say, print the tables, and write the report."""
    from train.evaluate.evaluation import evaluate, figures
    from train.evaluate.report import terminal_text, write_report

    if options.split == "test":
        print(
            "The test split is for the last figure: touch it once, and choose nothing by it.",
            file=sys.stderr,
        )
    evaluation = evaluate(
        options.data, options.model, options.also, options.split, together=options.together
    )
    print(terminal_text(figures(evaluation)))
    if options.out is None:
        print("\nAdd --out FOLDER for the figures and the page.")
    else:
        print(f"\nWrote {write_report(evaluation, options.out)}")
