"""What a run of `fit` is told: its options, their defaults, and what makes no sense."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hcr_live.alphabet import CLASSES
from hcr_live.errors import HcrError
from train.dataset import Mixture

SCHEDULES = ("cosine", "plateau", "constant")


@dataclass(frozen=True)
class Plan:
    """What a run is told; saved with it. The options of `fit` are these fields."""

    data: Path
    out: Path
    fonts: Path | None = None
    network: str = "compact"
    teacher: Path | None = None
    class_weights: Path | None = None
    epochs: int = 60
    passes: int = 3
    per_class: int = Mixture.per_class
    nothing: float = Mixture.nothing
    air: float = Mixture.air
    mixed: float = Mixture.mixed
    camera: float = Mixture.camera
    wear: float = Mixture.wear
    batch: int = 256
    learning_rate: float = 3e-3
    schedule: str = "cosine"
    weight_decay: float = 1e-3
    smoothing: float = 0.05
    mixup: float = 0.0
    distillation: float = 0.7
    average: float = 0.998
    patience: int = 0
    seed: int = 1
    processes: int = 2


HELP = {
    "fonts": "folder of handwriting fonts (.woff, .ttf); single-line fonts come with them",
    "network": "seed, compact, large, or path, which sees the way of the pen",
    "teacher": "an earlier run's folder or .keras file to learn from",
    "class_weights": 'JSON file of what errors cost: {"A": 1.2}',
    "epochs": "passes over a round",
    "passes": "epochs until the next round takes over",
    "per_class": "characters of a class in a round",
    "nothing": "share of ink that is no character",
    "air": "share of strokes drawn in the air",
    "mixed": "share of strokes between two people's versions",
    "camera": "share of paper that the camera model photographs",
    "wear": "share of the rest that is worn",
    "batch": "characters a step",
    "learning_rate": "the highest of the schedule",
    "schedule": "cosine (with a warm-up), plateau (halved) or constant",
    "weight_decay": "of AdamW; 0 is Adam",
    "smoothing": "label smoothing",
    "mixup": "mixup's alpha; 0 is off",
    "distillation": "share of the teacher's word in the targets",
    "average": "momentum of the weights' moving average; 0 is off",
    "patience": "epochs without a better one until it stops; 0 is never",
    "seed": "of data, initial weights and order",
    "processes": "to render in, beside training; 1 renders in between",
}
"""What the fields of `Plan` mean, where it is not plain."""

RECIPES: dict[str, dict[str, Any]] = {
    "seed": {
        "epochs": 5,
        "passes": 1,
        "batch": 128,
        "learning_rate": 1e-3,
        "schedule": "constant",
        "weight_decay": 0.0,
        "smoothing": 0.0,
        "average": 0.0,
    },
    "compact": {},
    "path": {
        "epochs": 20,
        "passes": 2,
        "per_class": 600,
        "air": 0.75,
        "batch": 128,
        "learning_rate": 2e-3,
    },
    "large": {"epochs": 120, "per_class": 1600, "batch": 512, "learning_rate": 2e-3},
}
"""The defaults of a network where they are not those of `Plan`."""


def check(plan: Plan) -> None:
    """Refuse what makes no sense.

    Raises:
        HcrError: If an option is unknown or out of its range, or a file can't be read.
    """
    from train.networks import NETWORKS

    if plan.network not in NETWORKS:
        raise HcrError(f"Unknown network '{plan.network}': choose one of {', '.join(NETWORKS)}.")
    if plan.schedule not in SCHEDULES:
        raise HcrError(f"Unknown schedule '{plan.schedule}': one of {', '.join(SCHEDULES)}.")
    for name in ("epochs", "passes", "per_class", "batch", "processes"):
        if getattr(plan, name) < 1:
            raise HcrError(f"{flag(name)} is {getattr(plan, name)}: it must be at least 1.")
    for name in ("air", "mixed", "camera", "wear", "distillation"):
        if not 0 <= getattr(plan, name) <= 1:
            raise HcrError(f"{flag(name)} is {getattr(plan, name)}: it must be from 0 to 1.")
    for name in ("nothing", "smoothing", "average"):
        if not 0 <= getattr(plan, name) < 1:
            raise HcrError(f"{flag(name)} is {getattr(plan, name)}: it must be in [0, 1).")
    for name in ("learning_rate", "weight_decay", "mixup", "patience", "seed"):
        value = getattr(plan, name)
        if not 0 <= value < np.inf or (name == "learning_rate" and not value):
            raise HcrError(f"{flag(name)} is {value}: it must be a positive number.")
    class_weights(plan.class_weights)


def told(plan: Plan) -> dict[str, Any]:
    """Return the plan as JSON takes it, class weights in full."""
    result = {k: str(v) if isinstance(v, Path) else v for k, v in asdict(plan).items()}
    if plan.class_weights is not None:
        result["class_weights"] = json.loads(plan.class_weights.read_text(encoding="utf-8"))
    return result


def class_weights(path: Path | None) -> NDArray[np.float32]:
    """Return float32 (62,): what an error in each class costs, 1 where the file does not say.

    Raises:
        HcrError: If the file can't be read, or holds another class or a weight below 0.
    """
    weights = np.ones(len(CLASSES), np.float32)
    if path is None:
        return weights
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
        for name, weight in said.items():
            if len(name) != 1 or not 0 <= float(weight) < np.inf:
                raise ValueError(f"{name!r}: {weight!r}")
            weights[CLASSES.index(name)] = weight
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise HcrError(
            f'Cannot read the class weights {path} ({error}): it must be like {{"A": 1.2}}.'
        ) from error
    return weights


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add an option for each field of `Plan`."""
    parser.add_argument("--data", type=Path, required=True, help="folder or file of characters")
    parser.add_argument("--out", type=Path, required=True, help="folder of the run")
    for one in fields(Plan)[2:]:
        default = one.default
        text = HELP[one.name]
        others = {name: r[one.name] for name, r in RECIPES.items() if one.name in r}
        told = "".join(f", {name} {value}" for name, value in others.items())
        parser.add_argument(
            flag(one.name),
            type=Path if default is None else type(default),
            default=argparse.SUPPRESS,
            help=text if default is None else f"{text} (default {default}{told})",
        )


def plan_of(options: argparse.Namespace) -> Plan:
    """Return the plan that options make: what is said, else the network's recipe."""
    said = {k: v for k, v in vars(options).items() if k in Plan.__dataclass_fields__}
    return Plan(**(RECIPES.get(said.get("network", Plan.network), {}) | said))


def flag(name: str) -> str:
    """Return the option of a field."""
    return f"--{name.replace('_', '-')}"
