"""The C library's memory during training on a CPU."""

from __future__ import annotations

import ctypes
import os
import platform

M_TRIM_THRESHOLD, M_MMAP_MAX = -1, -4
"""Parameters of glibc's mallopt(3)."""


def keep_freed_memory() -> bool:
    """Have glibc keep what is freed for what is needed next, until the process ends.

    Of itself it takes every block of more than 32 MiB, as a layer's activations are, from the system and
    returns it when it is freed, so that the kernel clears the same pages again in every step: 30 to 40 % of
    the time of training FeatherNets (`benchmarks/training.py`). The process stays as large as it once was.

    Returns:
        Whether it was done: not under other C libraries, nor where an environment variable `MALLOC_...` or
        `GLIBC_TUNABLES` says how memory is to be had.
    """
    told = any(name.startswith("MALLOC_") or name == "GLIBC_TUNABLES" for name in os.environ)
    if told or platform.libc_ver()[0] != "glibc":
        return False
    mallopt = ctypes.CDLL(None).mallopt
    return bool(mallopt(M_MMAP_MAX, 0) and mallopt(M_TRIM_THRESHOLD, -1))
