"""The command line of training: from data to the network that the program ships."""

from __future__ import annotations

import argparse
import importlib
import sys

from hcr_live.errors import HcrError

COMMANDS = {
    "augment": "train.augment.contact_sheet",
    "fetch": "train.data.fetch",
    "balance": "train.balance",
    "explore": "train.explore",
    "fit": "train.fit",
    "reproduce": "train.reproduce",
    "evaluate": "train.evaluate",
    "export": "train.export",
    "predict": "train.predict",
    "sheet": "train.sheet",
    "extract": "train.extract",
    "personalise": "train.personalise",
}
"""A command and its module, with `add_arguments(parser)`, `run(options)`, and help as docstring."""


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m train", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, module_name in COMMANDS.items():
        module = importlib.import_module(module_name)
        about = (module.__doc__ or "").strip()
        one = commands.add_parser(name, help=about.splitlines()[0], description=about)
        module.add_arguments(one)
        one.set_defaults(run=module.run)
    return parser


def main(arguments: list[str] | None = None) -> int:
    """Run one sub-command and return the exit status: 0, 2 for bad input, 130 for Ctrl-C."""
    options = _parser().parse_args(arguments)
    try:
        options.run(options)
    except HcrError as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("Stopped.", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
