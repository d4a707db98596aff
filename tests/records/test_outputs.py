"""What an exporter wrote."""

from __future__ import annotations

from pathlib import Path

from fas_core.records.outputs import Exported, Verification


def test_the_size_is_that_of_all_files(tmp_path: Path) -> None:
    (tmp_path / "model.xml").write_bytes(b"12345")
    (tmp_path / "model.bin").write_bytes(b"123")
    verification = Verification(4, "dev", 0.0, 0.0)
    assert Exported(tmp_path / "model.xml", verification).size == 5
    assert Exported(tmp_path / "model.xml", verification, (tmp_path / "model.bin",)).size == 8
