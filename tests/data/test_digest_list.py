"""Lists of digests are those of sha256sum, whatever the files are called."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from fas_core import DataError
from fas_core.data.digest_list import (
    digest_list_path,
    find_changes,
    list_folder,
    read_digests,
    write_digests,
)

NAMES = [b"a.png", b"sub/b.png", b"two  spaces", b"line\nbreak", b"back\\slash", b"\\n", b"cr\r", b"gbk-\xd5"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "sub").mkdir()
    for name in NAMES:
        (tmp_path / os.fsdecode(name)).write_bytes(b"content of " + name)
    (tmp_path / ".hidden").write_bytes(b"")
    return tmp_path


def test_a_list_holds_every_file_and_is_verified(folder: Path) -> None:
    file = digest_list_path(folder)
    assert file == folder / "SHA256SUMS"
    assert write_digests(file, list_folder(folder), 2) == len(NAMES)
    digests = {os.fsencode(path.relative_to(folder)): digest for path, digest in read_digests(file).items()}
    assert digests == {name: hashlib.sha256(b"content of " + name).hexdigest() for name in NAMES}
    assert find_changes(file, 2) == []
    assert list_folder(folder) == list(read_digests(file))


def test_sha256sum_reads_a_list(folder: Path) -> None:
    if shutil.which("sha256sum") is None:
        pytest.skip("no sha256sum here")
    write_digests(digest_list_path(folder), list_folder(folder), 1)
    done = subprocess.run(["sha256sum", "--check", "--strict", "SHA256SUMS"], cwd=folder, capture_output=True)
    assert done.returncode == 0, done.stderr


def test_changed_and_missing_files_are_named(folder: Path) -> None:
    file = digest_list_path(folder)
    write_digests(file, list_folder(folder), 1)
    (folder / "a.png").write_bytes(b"Content of a.png")
    (folder / "sub" / "b.png").unlink()
    advice = "since SHA256SUMS was written: restore a copy of it, or make it again"
    assert find_changes(file, 1) == [
        f"{folder / 'a.png'}: changed {advice}",
        f"{folder / 'sub' / 'b.png'}: missing {advice}",
    ]


@pytest.mark.parametrize("text", ["no digest  a\n", f"{'0' * 64} a\n", f"{'0' * 64}  \0\n"])
def test_a_damaged_list(tmp_path: Path, text: str) -> None:
    (tmp_path / "SHA256SUMS").write_text(text)
    with pytest.raises(DataError, match="SHA256SUMS:1: not a line of sha256sum"):
        read_digests(tmp_path / "SHA256SUMS")
