"""Drawing a `View` onto its frame."""

from hcr_live.overlay.annotate import KEYS, annotate

__all__ = ["KEYS", "annotate"]
