"""Where frames come from: cameras, video files, streams, images. Each yields `Frame`s."""

from hcr_live.sources.base import EndOfSource, Source, SourceInfo, SourceState
from hcr_live.sources.open import open_source

__all__ = ["EndOfSource", "Source", "SourceInfo", "SourceState", "open_source"]
