"""The kinds of sheet that people hold up, by name, and random ones of the ordinary kinds."""

from __future__ import annotations

import numpy as np

from generator.sheet import SheetStyle

_BLUE, _RED = (130, 55, 25), (45, 40, 165)

KINDS: dict[str, SheetStyle] = {
    "plain": SheetStyle(writing=0.1),
    "ruled": SheetStyle(writing=0.1, ruling="ruled", paper="cream", ink=_BLUE),
    "squared": SheetStyle(writing=0.1, ruling="squared", tilt=-5),
    "dotted": SheetStyle(writing=0.1, ruling="dotted", tilt=4),
    "punched": SheetStyle(writing=0.1, ruling="ruled", margin=True, holes=True, tilt=3),
    "coloured": SheetStyle(writing=0.1, paper="pink", ink=_BLUE, tilt=8),
    "kraft": SheetStyle(writing=0.1, paper="kraft", pen="felt"),
    "white on white": SheetStyle(writing=0.1, background="table", tilt=6, shadow=0.1),
    "pencil": SheetStyle(writing=0.1, pen="pencil", shadow=0.3, background="dark desk"),
    "felt": SheetStyle(writing=0.1, pen="felt", ink=_RED, tilt=-8),
    "marker": SheetStyle(writing=0.12, pen="marker", tilt=5),
    "blackboard": SheetStyle(writing=0.09, paper="blackboard", pen="chalk", background="wall"),
    "blackboard fills": SheetStyle(writing=0.09, paper="green board", pen="chalk", height=1.25,
                                   aspect=1.8),
    "whiteboard": SheetStyle(writing=0.1, paper="whiteboard", pen="felt", ink=_BLUE, glare=0.25,
                             background="wall", height=0.85),
    "dark card": SheetStyle(writing=0.1, paper="dark card", pen="white gel", tilt=10),
    "dark on dark": SheetStyle(writing=0.1, paper="navy", pen="white gel", background="dark desk"),
    "tablet": SheetStyle(writing=0.1, paper="tablet", pen="white gel", glare=0.2, shadow=0.05),
    "tilted 30": SheetStyle(writing=0.1, tilt=30),
    "tilted -45": SheetStyle(writing=0.1, tilt=-45, height=0.65, ruling="ruled"),
    "upside down": SheetStyle(writing=0.1, tilt=180),
    "upside down, tilted": SheetStyle(writing=0.1, tilt=160, ruling="ruled"),
    "perspective": SheetStyle(writing=0.1, perspective=0.14, tilt=8),
    "folded": SheetStyle(writing=0.1, fold=0.7, tilt=5),
    "stained": SheetStyle(writing=0.1, stain=True, paper="cream"),
    "hair": SheetStyle(writing=0.1, hair=True),
    "headline": SheetStyle(writing=0.09, printed="headline", ruling="ruled"),
    "small print": SheetStyle(writing=0.09, printed="small"),
    "glare": SheetStyle(writing=0.1, glare=0.5, pen="felt"),
    "hard shadow": SheetStyle(writing=0.1, hard_shadow=0.55),
    "dark": SheetStyle(writing=0.1, shadow=0.75, noise=6),
    "fingers": SheetStyle(writing=0.09, fingers=4, thumb=True),
    "out of the frame": SheetStyle(writing=0.09, centre=(0.6, 0.58), height=0.95, aspect=1.5),
    "fills the frame": SheetStyle(writing=0.09, height=1.25, aspect=1.8, ruling="ruled"),
    "small in the frame": SheetStyle(writing=0.12, height=0.45, background="bookshelf"),
    "curved": SheetStyle(writing=0.1, curve=0.8),
    "skewed": SheetStyle(writing=0.1, slope=6),
    "uneven": SheetStyle(writing=0.1, spacing=0.32, uneven=0.16),
    "narrow": SheetStyle(writing=0.1, spacing=0.14, uneven=0.05),
    "touching": SheetStyle(writing=0.1, touching=0.2),
    "blurred": SheetStyle(writing=0.1, blur=2.2),
    "shaken": SheetStyle(writing=0.1, shake=6),
    "noisy": SheetStyle(writing=0.1, noise=11, shadow=0.5),
}  # fmt: skip
"""One plain example of each kind."""


def ordinary_style(rng: np.random.Generator) -> SheetStyle:
    """Return a sheet as it is usually held: perspective, shadow, lines, a thumb, blur, noise."""

    def pick(*values: str) -> str:
        return str(rng.choice(values))

    return SheetStyle(
        paper=pick("white", "white", "white", "cream", "cream", "grey", "yellow", "blue", "pink"),
        ruling=pick("plain", "plain", "ruled", "ruled", "squared", "dotted"),
        margin=bool(rng.random() < 0.2),
        pen=pick("pencil", "ballpoint", "ballpoint", "felt", "marker"),
        ink=((35, 32, 30), _BLUE, _RED)[int(rng.choice(3, p=[0.5, 0.4, 0.1]))],
        background=pick("wood", "room", "bookshelf", "gradient", "wall", "table", "dark desk"),
        height=float(rng.uniform(0.65, 0.92)),
        aspect=float(rng.uniform(1.0, 1.5)),
        centre=(float(rng.uniform(0.45, 0.55)), float(rng.uniform(0.47, 0.53))),
        tilt=float(rng.uniform(-12, 12)),
        perspective=float(rng.uniform(0, 0.08)),
        shadow=float(rng.uniform(0, 0.5)),
        blur=float(rng.uniform(0.3, 1.3)),
        noise=float(rng.uniform(1, 6)),
        thumb=bool(rng.random() < 0.6),
        writing=float(rng.uniform(0.07, 0.12)),
        spacing=float(rng.uniform(0.22, 0.4)),
        uneven=float(rng.uniform(0.02, 0.08)),
        slope=float(rng.normal(0, 1.2)),
        curve=float(rng.normal(0, 0.15)),
    )
