"""Defaults for the command line from a TOML file."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from hcr_live.errors import HcrError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

_NOT_IN_FILES = {"help", "config", "images", "file", "version"}


def read_config(path: Path, parser: argparse.ArgumentParser) -> dict[str, Any]:
    """Read the defaults for a command's options from a TOML file.

    Args:
        path: The file; its keys are the option names, with dashes or underscores:
            `mode = "air"`, `min-confidence = 0.7`, `no-window = true`.
        parser: The command's parser: it says which keys exist and checks each value as it
            would on the command line.

    Returns:
        Destination to value, for `parser.set_defaults`.

    Raises:
        HcrError: If the file can't be read, is not TOML, or has an unknown key or wrong value.
    """
    try:
        table = tomllib.loads(path.read_bytes().decode())
    except OSError as error:
        raise HcrError(f"Cannot read the config file {path}: {error.strerror}.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise HcrError(f"The config file {path} is not valid TOML: {error}.") from error
    actions = _actions(parser)
    defaults: dict[str, Any] = {}
    for key, value in table.items():
        name = key.replace("_", "-")
        if name not in actions:
            known = ", ".join(sorted(actions))
            raise HcrError(f"Unknown key '{key}' in the config file {path}: known are {known}.")
        action = actions[name]
        defaults[action.dest] = _checked(parser, action, name, value, path)
    return defaults


def _actions(parser: argparse.ArgumentParser) -> dict[str, argparse.Action]:
    return {
        option[2:]: action
        for action in parser._actions
        if action.dest not in _NOT_IN_FILES
        for option in action.option_strings
        if option.startswith("--")
    }


def _checked(
    parser: argparse.ArgumentParser, action: argparse.Action, name: str, value: Any, path: Path
) -> Any:
    """Convert a value as the command line would."""
    where = f"'{name}' in the config file {path}"
    if action.nargs == 0:
        if not isinstance(value, bool):
            raise HcrError(f"{where} must be true or false, not {value!r}.")
        return value != name.startswith("no-")
    if isinstance(value, (bool, list, dict)):
        raise HcrError(f"{where} must be a number or a string, not {value!r}.")
    convert = action.type if callable(action.type) else str
    try:
        converted = convert(str(value))
    except (argparse.ArgumentTypeError, ValueError) as error:
        raise HcrError(f"{where} is wrong: {error}.") from error
    if action.choices is not None and converted not in action.choices:
        raise HcrError(f"{where} must be one of {', '.join(action.choices)}, not {value!r}.")
    return converted
