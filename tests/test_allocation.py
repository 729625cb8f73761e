import platform
import subprocess
import sys

import pytest

_PAGES = """
import resource, sys
import numpy as np
from hcr_live.allocation import keep_freed_memory

if sys.argv[1] == "kept":
    keep_freed_memory()
for turn in range(12):
    if turn == 2:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    pictures = [np.full((720, 1280), turn, np.uint8) for _ in range(3)]
    del pictures
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="an option of glibc")
def test_pictures_reuse_the_memory_of_those_before():
    pages = {
        how: int(subprocess.check_output([sys.executable, "-c", _PAGES, how], text=True))
        for how in ("as it comes", "kept")
    }
    assert pages["kept"] * 10 < pages["as it comes"]
