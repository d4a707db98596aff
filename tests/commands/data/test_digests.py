"""`fas data check --write-digests` and `--verify` through the command line."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

Fas = Callable[..., Result]


@pytest.fixture
def photos(faces: Path, tmp_path: Path) -> Path:
    shutil.copytree(faces, tmp_path / "photos")
    return tmp_path / "photos"


def test_a_changed_photo_is_named(fas: Fas, photos: Path) -> None:
    result = fas("data", "check", photos, "--write-digests")
    assert result.exit_code == 0, result.output
    count = sum(path.is_file() for path in photos.rglob("*")) - 1
    assert f"{photos}/SHA256SUMS: digests of {count} files" in result.output
    assert f"{count} of {count} files are unchanged" in fas("data", "check", photos, "--verify").output
    assert fas("data", "check", photos).exit_code == 0
    image = photos / "test" / "live" / "00.png"
    content = bytearray(image.read_bytes())
    content[-20] ^= 1
    image.write_bytes(content)
    result = fas("data", "check", photos, "--verify")
    assert result.exit_code == 1
    assert f"error: {image}: changed since SHA256SUMS was written" in result.output
    document = json.loads(fas("data", "check", photos, "--verify", "--json").stdout)
    assert document[str(photos)]["ok"] is False


def test_a_manifest_has_a_list_of_its_own(fas: Fas, photos: Path, tmp_path: Path) -> None:
    manifest = tmp_path / "split.csv"
    assert fas("data", "split", photos, "--by", "sample", "-o", manifest).exit_code == 0
    assert fas("data", "check", manifest, "--write-digests").exit_code == 0
    assert fas("data", "check", manifest, "--verify").exit_code == 0
    manifest.write_text(manifest.read_text().replace("live", "attack", 1))
    result = fas("data", "check", manifest, "--verify")
    assert result.exit_code == 1
    assert f"error: {manifest}: changed since split.csv.sha256 was written" in result.output


def test_without_a_list(fas: Fas, photos: Path) -> None:
    result = fas("data", "check", photos, "--verify")
    assert result.exit_code == 2
    assert f"no such list of digests: write it by `fas data check {photos} --write-digests`" in result.output
    assert fas("data", "check", photos, "--verify", "--write-digests").exit_code == 2
