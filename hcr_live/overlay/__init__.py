"""Drawing a `View` onto its frame."""

from hcr_live.overlay.annotate import annotate, annotate_reading

__all__ = ["annotate", "annotate_reading"]
