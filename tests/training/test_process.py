"""Device, precision and memory of training."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from fas_core.config.train import TrainConfig
from fas_core.errors import ConfigError
from fas_core.training.process import accelerator_for

GLIBC = pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another C library than glibc")
PAGE_FAULTS = """
import resource, statistics, sys
import torch
from fas_core.training.process import keep_freed_memory

changed = keep_freed_memory() if sys.argv[1] == "keep" else None
layers = torch.nn.Sequential(torch.nn.Conv2d(3, 32, 3), torch.nn.ReLU(), torch.nn.Conv2d(32, 32, 1))
images, counts = torch.zeros(16, 3, 150, 150), []
for _ in range(6):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    layers(images).sum().backward()
    counts.append(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
print(changed, int(statistics.median(counts)))
"""


def count_page_faults(mode: str, **environment: str) -> tuple[str, int]:
    """What `keep_freed_memory` returned, and the page faults of a training step in a new process."""
    inherited = {
        name: value for name, value in os.environ.items() if not name.startswith(("MALLOC_", "GLIBC_"))
    }
    command = [sys.executable, "-c", PAGE_FAULTS, mode]
    output = subprocess.run(
        command, env=inherited | environment, check=True, capture_output=True, text=True
    ).stdout.split()
    return output[0], int(output[1])


@GLIBC
def test_a_step_takes_no_new_pages_from_the_system() -> None:
    """Its activations are 45 MB each."""
    default, keeping = count_page_faults("default"), count_page_faults("keep")
    assert (default[0], keeping[0]) == ("None", "True")
    assert default[1] > 100  # also where a page is of 2 MB
    assert keeping[1] < default[1] / 10


KEPT = """
import torch
from fas_core.training.process import keep_freed_memory, release_freed_memory

def resident():
    return int(open("/proc/self/statm").read().split()[1]) * 4096 / 1e6

keep_freed_memory()
before = resident()
blocks = [torch.ones(5_000_000) for _ in range(20)]  # 400 MB
del blocks
kept = resident()
release_freed_memory()
print(kept - before, resident() - before)
"""


@GLIBC
def test_kept_memory_is_returned_when_it_is_released() -> None:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("MALLOC_")}
    output = subprocess.run(
        [sys.executable, "-c", KEPT], env=inherited, check=True, capture_output=True, text=True
    )
    kept, released = map(float, output.stdout.split())
    assert kept > 350
    assert released < 50


HUGE = """
import torch
from fas_core.training.process import keep_freed_memory, release_freed_memory

def huge():
    lines = open("/proc/self/smaps_rollup").read().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("AnonHugePages")) / 1e3

keep_freed_memory()
for _ in range(2):  # again after they were released
    blocks = [torch.ones(5_000_000) for _ in range(20)]  # 400 MB
    print(huge())
    del blocks
    release_freed_memory()
"""
PAGES = Path("/sys/kernel/mm/transparent_hugepage/enabled")


@GLIBC
@pytest.mark.skipif(
    not PAGES.is_file() or "[never]" in PAGES.read_text(), reason="the system has no huge pages"
)
def test_kept_memory_is_in_huge_pages() -> None:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("MALLOC_")}
    output = subprocess.run(
        [sys.executable, "-c", HUGE], env=inherited, check=True, capture_output=True, text=True
    )
    assert min(map(float, output.stdout.split())) > 300


@GLIBC
@pytest.mark.parametrize(
    ("name", "value"), [("MALLOC_MMAP_MAX_", "65536"), ("GLIBC_TUNABLES", "glibc.malloc.mmap_max=65536")]
)
def test_environment_variables_take_precedence(name: str, value: str) -> None:
    assert count_page_faults("keep", **{name: value})[0] == "False"


@GLIBC
def test_releasing_memory_writes_none_where_the_environment_fills_it() -> None:
    """With MALLOC_PERTURB_, each allocated byte is written: half of the machine's memory would be used."""
    script = """
import resource
from fas_core.training.process import release_freed_memory
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
release_freed_memory()
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1e3)
"""
    variables = {**os.environ, "MALLOC_PERTURB_": "85"}
    output = subprocess.run([sys.executable, "-c", script], env=variables, check=True, capture_output=True)
    assert float(output.stdout) < 100


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device here")
def test_a_device_that_is_not_available_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"train\.device: 'cuda' is not available"):
        accelerator_for(TrainConfig(device="cuda"))


def test_half_precision_on_a_cpu_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"train\.amp: fp16 needs an accelerator"):
        accelerator_for(TrainConfig(device="cpu", amp="fp16"))


def test_more_processes_than_accelerators_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torch.accelerator.is_available", lambda: True)
    monkeypatch.setattr("torch.accelerator.device_count", lambda: 1)
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "2")
    with pytest.raises(ConfigError, match="processes here: 2, accelerators: 1: start one process for each"):
        accelerator_for(TrainConfig(device="auto"))


def test_each_accelerator_has_its_own_precision() -> None:
    precisions = [
        accelerator_for(TrainConfig(device="cpu", amp=amp)).mixed_precision for amp in ("bf16", "fp32")
    ]
    assert precisions == ["bf16", "no"]
    assert accelerator_for(TrainConfig(device="cpu")).device.type == "cpu"
