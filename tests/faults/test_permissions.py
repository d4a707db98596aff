"""Files and folders that the user may not read: a row with its reason, or one line that names the file."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

CAPABILITIES = "-dac_override,-dac_read_search"
"""By which root reads what nobody may."""

REASONS = ("Permission denied", "is not readable")


@pytest.fixture
def prefix(tmp_path: Path) -> list[str]:
    """Words before a command by which file modes hold for it, also where the tests run as root."""
    words: list[str] = []
    if os.geteuid() == 0:
        if shutil.which("setpriv") is None:
            pytest.skip("root reads all files, and there is no setpriv")
        words = ["setpriv", f"--bounding-set={CAPABILITIES}", f"--inh-caps={CAPABILITIES}"]
    (tmp_path / "secret").write_text("text")
    (tmp_path / "secret").chmod(0)
    if subprocess.run([*words, "cat", tmp_path / "secret"], capture_output=True, check=False).returncode == 0:
        pytest.skip("this file system or user knows no modes")
    return words


@pytest.fixture
def photos(faces: Path, tmp_path: Path) -> Iterator[Path]:
    """Three live photos, one of which nobody may read, and an attack in such a folder."""
    root = tmp_path / "photos"
    (root / "live").mkdir(parents=True)
    (root / "attack" / "print").mkdir(parents=True)
    for name in ("00.png", "01.png", "02.png"):
        shutil.copy(faces / "test" / "live" / name, root / "live")
    shutil.copy(faces / "test" / "attack" / "print" / "00.png", root / "attack" / "print")
    (root / "live" / "01.png").chmod(0)
    yield root
    for folder in root.rglob("*"):
        folder.chmod(0o700)


def run_fas(prefix: list[str], *arguments: object) -> subprocess.CompletedProcess[str]:
    command = [*prefix, sys.executable, "-m", "fas_core", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_an_unreadable_photo_is_a_row(
    prefix: list[str], photos: Path, mean_model: Callable[..., Path]
) -> None:
    done = run_fas(prefix, "predict", mean_model(), "--no-detect", photos, "--json")
    assert done.returncode == 0, done.stderr
    rows = {Path(row["input"]).name: row for row in json.loads(done.stdout)["rows"]}
    assert "Permission denied" in rows["01.png"]["reason"]
    assert rows["02.png"]["verdict"] == "live"
    done = run_fas(prefix, "data", "check", photos)
    assert done.returncode == 1
    assert f"error: {photos}/live/01.png: cannot be read: Permission denied" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("name", "command"),
    [
        ("model.onnx", "predict {path} photos"),
        ("scores.csv", "score {path}"),
        ("run", "eval {path}"),
        ("run/best.safetensors", "export run"),
        ("run/recipe.yaml", "eval run"),
        ("photos/attack", "data check photos"),
        ("photos/attack", "eval run --data photos"),
    ],
)
def test_an_unreadable_input_is_a_line(
    prefix: list[str],
    photos: Path,
    trained: Path,
    mean_model: Callable[..., Path],
    tmp_path: Path,
    name: str,
    command: str,
) -> None:
    mean_model()
    shutil.copytree(trained, tmp_path / "run")
    shutil.copy(trained / "scores" / "test.csv", tmp_path / "scores.csv")
    path = tmp_path / name
    mode = path.stat().st_mode
    path.chmod(0)
    words = [str(tmp_path / word) if (tmp_path / word).exists() else word for word in command.split()]
    done = run_fas(prefix, *[str(path) if word == "{path}" else word for word in words])
    path.chmod(mode)
    assert done.returncode in (1, 2), done.stdout + done.stderr
    errors = [line for line in done.stderr.splitlines() if "error: " in line]
    assert any(str(path) in line and any(text in line for text in REASONS) for line in errors), done.stderr
    assert "Traceback" not in done.stderr
