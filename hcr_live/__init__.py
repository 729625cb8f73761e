"""Live handwriting recognition, from a camera to letters on the video window."""

from hcr_live.errors import HcrError
from hcr_live.reading import Character, Prediction, Reading
from hcr_live.recognizer import Recognizer

__version__ = "0.1.0"

__all__ = ["Character", "HcrError", "Prediction", "Reading", "Recognizer", "__version__"]
