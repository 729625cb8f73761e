"""Drawing a `View` onto its frame."""
