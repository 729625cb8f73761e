"""The command line of training."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from hcr_live.errors import HcrError
from train.fit import Plan, fit


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m train", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    one = commands.add_parser("fit", help="train the network")
    one.add_argument("--data", type=Path, required=True, help="folder of training data")
    one.add_argument("--out", type=Path, required=True, help="folder of the run")
    one.add_argument("--fonts", type=Path, help="folder of handwriting fonts (.woff, .ttf)")
    one.add_argument("--start", type=Path, help="model.keras of an earlier run to go on from")
    for name, kind in (
        ("epochs", int),
        ("rounds", int),
        ("per-class", int),
        ("nothing", float),
        ("batch", int),
        ("learning-rate", float),
        ("smoothing", float),
        ("seed", int),
        ("processes", int),
    ):
        default = getattr(Plan, name.replace("-", "_"))
        one.add_argument(f"--{name}", type=kind, default=default, help=f"default {default}")
    two = commands.add_parser("evaluate", help="accuracy on the validation writers")
    two.add_argument("--data", type=Path, required=True, help="folder of training data")
    two.add_argument("--also", type=Path, nargs="*", default=[], help="unseen stroke files")
    two.add_argument("--model", type=Path, help="a .tflite file; default: the shipped one")
    three = commands.add_parser("export", help="write .keras, .tflite and the model card")
    three.add_argument("--run", type=Path, required=True, help="folder that fit wrote")
    three.add_argument("--data", type=Path, required=True, help="folder of training data")
    three.add_argument("--also", type=Path, nargs="*", default=[], help="unseen stroke files")
    three.add_argument("--out", type=Path, default=Path("models"), help="default models")
    three.add_argument("--date", help="YYYY-MM-DD on the card; default today")
    three.add_argument("--note", default="", help="a sentence for the card")
    return parser


def main(arguments: list[str] | None = None) -> int:
    """Run one sub-command and return the exit status."""
    options = vars(_parser().parse_args(arguments))
    command = options.pop("command")
    try:
        if command == "fit":
            print(f"Wrote {fit(Plan(**options))}")
        elif command == "evaluate":
            from train.evaluate import evaluate, table

            print(table(evaluate(**options)))
        else:
            from train.export import export

            print(f"Wrote {export(**options)}")
    except HcrError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
