"""Drawing a `View` onto its frame."""

from hcr_live.overlay.annotate import annotate, annotate_reading
from hcr_live.overlay.layout import compose

__all__ = ["annotate", "annotate_reading", "compose"]
