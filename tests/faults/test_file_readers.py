"""Mutated archives, videos, databases and lists of digests give a right result or a FasError of one line."""

from __future__ import annotations

from pathlib import Path
from zlib import crc32

import pytest
from faults.file_readers import READERS
from faults.mutation import mutations, run_reader
from faults.text_readers import restructure

ALL = pytest.mark.parametrize("name", READERS)
FEW, MANY = 40, 2000
"""Mutations of bytes, and as many of values in YAML and JSON."""
STRUCTURED = ("model.yaml of a public model", "catalogue", "verification")


@ALL
def test_valid_files_are_read(name: str, tmp_path: Path) -> None:
    originals, read = READERS[name](tmp_path)
    for original in originals:
        read(original)


def check_mutations(name: str, folder: Path, count: int, seed: int) -> None:
    originals, read = READERS[name](folder)
    inputs = list(mutations(originals, count, seed))
    if name in STRUCTURED:
        inputs += restructure(originals, count, seed)
    assert run_reader(read, inputs) == []


@ALL
def test_mutated_files_are_read_or_refused(name: str, tmp_path: Path) -> None:
    check_mutations(name, tmp_path, FEW, crc32(name.encode()))


@pytest.mark.long
@ALL
def test_many_mutated_files_are_read_or_refused(name: str, tmp_path: Path) -> None:
    check_mutations(name, tmp_path, MANY, crc32(name.encode()) + 1)
