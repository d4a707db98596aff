"""Memory that training frees is kept: the kernel has no pages to clear again."""

from __future__ import annotations

import os
import platform
import subprocess
import sys

import pytest

pytestmark = pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="it is about glibc")
FAULTS = """
import resource, statistics, sys
import torch
from fas_core.training.memory import keep_freed_memory

done = keep_freed_memory() if sys.argv[1] == "keep" else None
layers = torch.nn.Sequential(torch.nn.Conv2d(3, 32, 3), torch.nn.ReLU(), torch.nn.Conv2d(32, 32, 1))
images, counts = torch.zeros(16, 3, 150, 150), []
for _ in range(6):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    layers(images).sum().backward()
    counts.append(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
print(done, int(statistics.median(counts)))
"""


def faults(how: str, **environment: str) -> tuple[str, int]:
    told = {name: value for name, value in os.environ.items() if not name.startswith(("MALLOC_", "GLIBC_"))}
    command = [sys.executable, "-c", FAULTS, how]
    said = subprocess.run(
        command, env=told | environment, check=True, capture_output=True, text=True
    ).stdout.split()
    return said[0], int(said[1])


def test_a_step_takes_no_pages_from_the_system_once_it_has_them() -> None:
    """Its activations are 45 MB each."""
    plain, kept = faults("plain"), faults("keep")
    assert (plain[0], kept[0]) == ("None", "True")
    assert plain[1] > 100  # also where a page is of 2 MB
    assert kept[1] < plain[1] / 10


def test_the_environment_has_the_last_word() -> None:
    assert faults("keep", MALLOC_MMAP_MAX_="65536")[0] == "False"
    assert faults("keep", GLIBC_TUNABLES="glibc.malloc.mmap_max=65536")[0] == "False"
