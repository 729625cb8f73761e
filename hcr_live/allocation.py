"""How the C library hands out memory."""

from __future__ import annotations

import ctypes
import sys

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
"""Names of glibc's mallopt(3)."""

_LARGEST, _KEPT = 32 << 20, 64 << 20
"""Bytes: blocks up to this size are used again, and so much is kept for them. A photo of 12
megapixels is larger and goes back at once."""


def keep_freed_memory() -> None:
    """Have this process keep the memory of pictures that it is done with, for the next ones.

    As it comes, glibc gives blocks of that size back to the system, which must clear some 2,000
    pages for each picture of 1280x720: a tenth of all the time that reading a sheet takes. Has no
    effect where the C library is another one.
    """
    if sys.platform != "linux":
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_MMAP_THRESHOLD, _LARGEST)
        mallopt(_TRIM_THRESHOLD, _KEPT)
