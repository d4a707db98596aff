"""Mutated text and tables give a result or a FasError of one line, within limits of memory and time."""

from __future__ import annotations

from pathlib import Path
from zlib import crc32

import pytest
from faults.mutation import mutations, run_reader
from faults.text_readers import READERS, restructure

ALL = pytest.mark.parametrize("name", READERS)


@ALL
def test_valid_files_are_read(name: str, tmp_path: Path) -> None:
    reader = READERS[name]
    read = reader.prepare(tmp_path)
    for original in reader.originals:
        read(original)


@ALL
def test_mutated_files_are_read_or_refused(name: str, tmp_path: Path) -> None:
    reader = READERS[name]
    seed = crc32(name.encode())
    inputs = [*mutations(reader.originals, 30, seed), *restructure(reader.originals, 30, seed)]
    assert run_reader(reader.prepare(tmp_path), inputs) == []


@pytest.mark.long
@ALL
def test_many_mutated_files_are_read_or_refused(name: str, tmp_path: Path) -> None:
    reader = READERS[name]
    seed = crc32(name.encode()) + 1
    inputs = [*mutations(reader.originals, 3000, seed), *restructure(reader.originals, 1000, seed)]
    assert run_reader(reader.prepare(tmp_path), inputs) == []
