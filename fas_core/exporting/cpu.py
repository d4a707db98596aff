"""What this machine's CPU is, and which of its instructions speed up networks, as the system says."""

from __future__ import annotations

import platform
from pathlib import Path

from attrs import frozen

CPUINFO = Path("/proc/cpuinfo")

FEATURES = {
    "avx2": "AVX2",
    "avx512f": "AVX-512",
    "avx_vnni": "VNNI",
    "avx512_vnni": "VNNI",
    "amx_tile": "AMX",
    "asimd": "NEON",
    "asimddp": "dot product",
    "i8mm": "int8 matrix product",
    "sve": "SVE",
    "sme": "SME",
}
"""By Linux's names, of Intel's and AMD's CPUs and of ARM's."""


@frozen
class Cpu:
    """A CPU.

    Args:
        name: as its maker calls it, or its architecture.
        features: the values of `FEATURES` that it has; None where the operating system does not tell.
    """

    name: str
    features: tuple[str, ...] | None

    def text(self) -> str:
        """Return e.g. `AMD EPYC 9B14: AVX2, AVX-512, VNNI`."""
        if self.features is None:
            return f"{self.name}: what it supports is not known on {platform.system()}"
        return f"{self.name}: {', '.join(self.features) or 'no instructions that speed up networks'}"


def describe_cpu() -> Cpu:
    """Return this machine's CPU."""
    name = platform.processor() or platform.machine() or "a CPU"
    if not CPUINFO.is_file():
        return Cpu(name, None)
    return parse_cpuinfo(CPUINFO.read_text(encoding="utf-8", errors="replace"), name)


def parse_cpuinfo(text: str, name: str) -> Cpu:
    """Read the first CPU of Linux's /proc/cpuinfo; `name` is for those whose name it does not have."""
    first = text.strip().partition("\n\n")[0]
    pairs = (line.partition(":") for line in first.splitlines())
    values = {key.strip().lower(): value.strip() for key, _, value in pairs}
    flags = (values.get("flags") or values.get("features") or "").split()
    features = dict.fromkeys(title for flag, title in FEATURES.items() if flag in flags)
    return Cpu(values.get("model name") or name, tuple(features))
