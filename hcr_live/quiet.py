"""Keep libraries' own chatter off the terminal: the user shall see one sentence."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
from collections.abc import Iterator

_STDERR = 2
_lock = threading.Lock()
_silencers = 0
_kept: int | None = None
_log_silencers = 0
_log_level = 0


@contextlib.contextmanager
def silent_opencv_log() -> Iterator[None]:
    """Turn OpenCV's log off for a while; threads may overlap, as in `silent_stderr`."""
    global _log_silencers, _log_level
    import cv2

    logging = cv2.utils.logging
    with _lock:
        _log_silencers += 1
        if _log_silencers == 1:
            _log_level = logging.getLogLevel()
            logging.setLogLevel(logging.LOG_LEVEL_SILENT)
    try:
        yield
    finally:
        with _lock:
            _log_silencers -= 1
            if _log_silencers == 0:
                logging.setLogLevel(_log_level)


@contextlib.contextmanager
def silent_stderr() -> Iterator[None]:
    """Send file descriptor 2 nowhere for a while: native libraries print there directly.

    For short work only, as it concerns the whole process. Several threads may overlap: the
    last to leave restores it.
    """
    global _silencers, _kept
    with _lock:
        _silencers += 1
        if _silencers == 1:
            _kept = _redirect()
    try:
        yield
    finally:
        with _lock:
            _silencers -= 1
            if _silencers == 0 and _kept is not None:
                os.dup2(_kept, _STDERR)
                os.close(_kept)
                _kept = None


def _redirect() -> int | None:
    """Point file descriptor 2 to nowhere; return a copy of what it was, None without a console."""
    try:
        if sys.stderr is not None:
            sys.stderr.flush()
        kept = os.dup(_STDERR)
    except (OSError, ValueError):
        return None
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, _STDERR)
    os.close(nowhere)
    return kept
