"""Drawing a `View` onto its frame."""

from hcr_live.overlay.annotate import KEYS, annotate, annotate_reading

__all__ = ["KEYS", "annotate", "annotate_reading"]
