"""The training process: its device, precision and memory."""

from __future__ import annotations

import ctypes
import os
import platform
from datetime import timedelta

import torch
from accelerate import Accelerator
from accelerate.state import AcceleratorState
from accelerate.utils import InitProcessGroupKwargs

from fas_core.config.train import TrainConfig
from fas_core.console import console
from fas_core.errors import ConfigError

M_TRIM_THRESHOLD, M_MMAP_MAX = -1, -4
"""Parameters of glibc's mallopt(3)."""

MADV_HUGEPAGE = 14
"""Advice of Linux's madvise(2)."""


def accelerator_for(config: TrainConfig) -> Accelerator:
    """Return the accelerator with the recipe's device and precision; `torchrun` gives each process a device.

    Processes that `torchrun` or `accelerate launch` started meet here.

    Raises:
        ConfigError: the device is not available, or does not support the precision; or there are more
            processes than accelerators.
    """
    kind = torch.device(config.device).type if config.device != "auto" else "auto"
    if kind not in ("auto", "cpu") and not getattr(torch, kind).is_available():
        raise ConfigError(f"train.device: {config.device!r} is not available here: use 'cpu' or 'auto'")
    if config.amp == "fp16" and (kind == "cpu" or not torch.accelerator.is_available()):
        raise ConfigError("train.amp: fp16 needs an accelerator: use 'bf16' or 'fp32' on a CPU")
    cpu = kind == "cpu" or (kind == "auto" and not torch.accelerator.is_available())
    processes, devices = int(os.environ.get("LOCAL_WORLD_SIZE", 1)), torch.accelerator.device_count()
    if not cpu and processes > devices:
        raise ConfigError(
            f"processes here: {processes}, accelerators: {devices}: start one process for each accelerator, "
            "or use --device cpu"
        )
    # accelerate keeps the precision of the process's first Accelerator, but each run has its own.
    AcceleratorState._reset_state()
    patience = InitProcessGroupKwargs(timeout=timedelta(seconds=config.peer_timeout))
    precision = "no" if config.amp == "fp32" else config.amp
    accelerator = Accelerator(mixed_precision=precision, cpu=cpu, kwargs_handlers=[patience])
    console.quiet |= not accelerator.is_main_process  # one process of many reports progress
    return accelerator


def keep_freed_memory() -> bool:
    """Make glibc keep freed memory for later allocations until the process ends, and use huge pages for it.

    By default glibc takes each block of more than 32 MiB, such as a layer's activations, from the system and
    returns it when it is freed; the kernel then clears the same pages again in every step, which takes 30 to
    40 % of the time of training FeatherNets on a CPU (`benchmarks/training.py`). The process stays as large
    as it has been at most, until `release_freed_memory`.

    Return False, with nothing changed, under other C libraries, and where an environment variable
    `MALLOC_...` or `GLIBC_TUNABLES` configures the allocator.
    """
    if not _may_set_up_allocator():
        return False
    libc = ctypes.CDLL(None)
    if not (libc.mallopt(M_MMAP_MAX, 0) and libc.mallopt(M_TRIM_THRESHOLD, -1)):
        return False
    _prepare_huge_pages(libc)
    return True


def release_freed_memory() -> None:
    """Return to the system what `keep_freed_memory` kept; nothing happens under other C libraries than glibc.

    Between training and scoring, which need blocks of other sizes: kept, those of both would add up.
    """
    if platform.libc_ver()[0] == "glibc":
        libc = ctypes.CDLL(None)
        libc.malloc_trim(0)
        if _may_set_up_allocator():
            _prepare_huge_pages(libc)


def _may_set_up_allocator() -> bool:
    """Return whether the C library is glibc, and no environment variable configures its allocator."""
    configured = any(name.startswith("MALLOC_") or name == "GLIBC_TUNABLES" for name in os.environ)
    return not configured and platform.libc_ver()[0] == "glibc"


def _prepare_huge_pages(libc: ctypes.CDLL) -> None:
    """Let the heap grow by addresses whose pages are huge, of 2 MB, once they are used; none is used yet.

    A layer reads and writes tens of megabytes several times. In pages of 4 kB, the processor looks up
    thousands of them each time, which takes up to half of the time of a batch norm. Where the system has no
    huge pages, or cannot give the addresses, nothing changes.
    """
    page = os.sysconf("SC_PAGE_SIZE")
    size = page * (os.sysconf("SC_PHYS_PAGES") // 2)
    libc.malloc.restype = ctypes.c_void_p
    block = libc.malloc(ctypes.c_size_t(size))
    if block:
        start = -(-block // page) * page  # advice is of whole pages
        libc.madvise(ctypes.c_void_p(start), ctypes.c_size_t(size - page), MADV_HUGEPAGE)
        libc.free(ctypes.c_void_p(block))
