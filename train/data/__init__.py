"""Loaders: each source of handwriting becomes a `CharacterSet`, split by writer."""

from train.data.corpus import FILES, Sample, Strokes, load, load_fonts, load_strokes

__all__ = ["FILES", "Sample", "Strokes", "load", "load_fonts", "load_strokes"]
