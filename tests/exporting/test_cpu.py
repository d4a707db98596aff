"""The CPU as Linux describes it."""

from __future__ import annotations

import pytest

from fas_core.exporting import cpu
from fas_core.exporting.cpu import Cpu, describe_cpu, parse_cpuinfo

EPYC = """processor\t: 0
vendor_id\t: AuthenticAMD
model name\t: AMD EPYC 9B14
flags\t\t: fpu sse4_2 avx avx2 avx512f avx512_vnni

processor\t: 1
model name\t: another
flags\t\t: amx_tile
"""
ARM = "processor\t: 0\nFeatures\t: fp asimd asimddp i8mm\nCPU implementer\t: 0x41\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (EPYC, Cpu("AMD EPYC 9B14", ("AVX2", "AVX-512", "VNNI"))),
        (
            EPYC.replace("avx512_vnni", "avx_vnni avx512_vnni amx_tile").replace("avx512f ", ""),
            Cpu("AMD EPYC 9B14", ("AVX2", "VNNI", "AMX")),
        ),
        (ARM, Cpu("aarch64", ("NEON", "dot product", "int8 matrix product"))),
        ("", Cpu("aarch64", ())),
    ],
)
def test_the_first_cpu_of_linux(text: str, expected: Cpu) -> None:
    assert parse_cpuinfo(text, "aarch64") == expected


def test_where_there_is_no_such_file_features_are_not_known(
    monkeypatch: pytest.MonkeyPatch, tmp_path
) -> None:
    monkeypatch.setattr(cpu, "CPUINFO", tmp_path / "none")
    found = describe_cpu()
    assert found.features is None
    assert "is not known on" in found.text()


def test_in_words() -> None:
    assert Cpu("A", ("AVX2", "VNNI")).text() == "A: AVX2, VNNI"
    assert Cpu("A", ()).text() == "A: no instructions that speed up networks"
