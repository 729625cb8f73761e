"""Live handwriting recognition, from a camera to letters on the video window."""

__version__ = "0.1.0"
