"""Keep the decoders' own chatter off the terminal: the user shall see one sentence."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator

_STDERR = 2
_lock = threading.Lock()


@contextlib.contextmanager
def silent_opencv_log() -> Iterator[None]:
    """Turn OpenCV's log off for a while."""
    import cv2

    level = cv2.utils.logging.getLogLevel()
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    try:
        yield
    finally:
        cv2.utils.logging.setLogLevel(level)


@contextlib.contextmanager
def silent_stderr() -> Iterator[None]:
    """Send file descriptor 2 nowhere for a while: libpng and libtiff print there directly.

    For short work only, as it concerns the whole process.
    """
    with _lock:
        try:
            kept = os.dup(_STDERR)
        except OSError:  # a program without a console
            yield
            return
        nowhere = os.open(os.devnull, os.O_WRONLY)
        try:
            os.dup2(nowhere, _STDERR)
            yield
        finally:
            os.dup2(kept, _STDERR)
            os.close(nowhere)
            os.close(kept)
