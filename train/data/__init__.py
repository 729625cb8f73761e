"""Loaders: each source of handwriting becomes a `CharacterSet`, split by writer."""

from train.data.characters import (
    SPLITS,
    UNKNOWN_WRITER,
    CharacterSet,
    Ink,
    Split,
    Strokes,
)
from train.data.fonts import load_fonts
from train.data.hershey import load_hershey
from train.data.recognise import load
from train.data.sources import SOURCES, Source, source_of
from train.data.strokes import load_strokes

__all__ = [
    "SOURCES",
    "SPLITS",
    "UNKNOWN_WRITER",
    "CharacterSet",
    "Ink",
    "Source",
    "Split",
    "Strokes",
    "load",
    "load_fonts",
    "load_hershey",
    "load_strokes",
    "source_of",
]
