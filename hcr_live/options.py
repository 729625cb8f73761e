"""The options of `live` and `read`, as values."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from hcr_live.frame import Box

ModeChoice = Literal["auto", "paper", "air"]
MODES: tuple[ModeChoice, ...] = ("auto", "paper", "air")

PenChoice = Literal["auto", "point", "pinch", "space"]
"""How the pen of the air is held: by pointing or pinching, whichever a hand does; by one of these;
by a key."""
PENS: tuple[PenChoice, ...] = ("auto", "point", "pinch", "space")

Layout = Literal["overlay", "side-by-side", "picture-in-picture"]
LAYOUTS: tuple[Layout, ...] = ("overlay", "side-by-side", "picture-in-picture")

ExcerptFormat = Literal["gif", "webp"]
EXCERPT_FORMATS: tuple[ExcerptFormat, ...] = ("gif", "webp")

ReadFormat = Literal["text", "json", "csv"]
READ_FORMATS: tuple[ReadFormat, ...] = ("text", "json", "csv")

EngineChoice = Literal["local", "ray"]
ENGINES: tuple[EngineChoice, ...] = ("local", "ray")


KEYS: tuple[tuple[str, str], ...] = (
    ("m", "mode: auto, paper, air"),
    ("a", "alphabet"),
    ("r", "record on / off"),
    ("s", "snapshot, with what was read beside it"),
    ("g", "the last seconds as an animated picture"),
    ("space", "add a space"),
    ("backspace", "delete the last character"),
    ("c", "clear the text"),
    ("u", "take back the last edit"),
    ("1 2 3", "take a suggested word"),
    ("f", "mirror on / off"),
    ("mouse", "drag: read only there; click: everywhere"),
    ("h", "this help"),
    ("q, Esc", "quit"),
)
"""What the window's keys do."""


@dataclass(frozen=True)
class LiveOptions:
    """What `live` was asked to do; `python main.py live --help` says what each means."""

    source: str = "0"
    mode: ModeChoice = "auto"
    alphabet: str = "letters"
    pen: PenChoice = "auto"
    language: str = "en"
    record: Path | None = None
    overwrite: bool = False
    layout: Layout = "overlay"
    title: str = ""
    excerpt_seconds: float = 5.0
    excerpt_format: ExcerptFormat = "gif"
    virtual_camera: bool = False
    speak: bool = False
    type: bool = False
    clipboard: bool = False
    events: Path | None = None
    window: bool = True
    mirror: bool | None = None
    width: int | None = None
    height: int | None = None
    fps: float | None = None
    region: Box | None = None
    min_confidence: float = 0.5
    max_seconds: float | None = None
    model: Path | None = None
    config: Path | None = None


@dataclass(frozen=True)
class ReadOptions:
    """What `read` was asked to do."""

    images: tuple[Path | str, ...]
    alphabet: str = "letters"
    format: ReadFormat = "text"
    out: Path | str | None = None
    resume: bool = False
    character: bool = False
    engine: EngineChoice = "local"
    address: str | None = None
    jobs: int | None = None
    every: float = 1.0
    annotate: Path | None = None
    region: Box | None = None
    min_confidence: float = 0.5
    model: Path | None = None
    config: Path | None = None


@dataclass(frozen=True)
class AnnotateOptions:
    """What `annotate` was asked to do."""

    video: str
    out: Path
    overwrite: bool = False
    layout: Layout = "overlay"
    title: str = ""
    mode: ModeChoice = "auto"
    alphabet: str = "letters"
    pen: PenChoice = "auto"
    language: str = "en"
    mirror: bool = False
    region: Box | None = None
    min_confidence: float = 0.5
    model: Path | None = None
    config: Path | None = None


@dataclass(frozen=True)
class CollectOptions:
    """What `collect` was asked to do."""

    out: Path
    source: str = "0"
    labels: str | None = None
    ask: bool = False
    writer: str | None = None
    alphabet: str = "all"
    window: bool = True
    mirror: bool | None = None
    width: int | None = None
    height: int | None = None
    fps: float | None = None
    model: Path | None = None
    config: Path | None = None


@dataclass(frozen=True)
class ReplayOptions:
    """What `replay` was asked to do."""

    file: Path
    alphabet: str | None = None
    language: str = "en"
    events: Path | None = None
    min_confidence: float = 0.5
    model: Path | None = None
    config: Path | None = None


@dataclass(frozen=True)
class ServeOptions:
    """What `serve` was asked to do."""

    host: str = "127.0.0.1"
    port: int = 8000
    workers: int = 1
    token_file: Path | None = None
    allow_origin: tuple[str, ...] = ()
    model: Path | None = None
    config: Path | None = None
