"""A full disk, a folder that cannot be written and a full output end a command with one line and exit code 2;
files of earlier commands stay whole."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import cv2
import numpy as np
import pytest
from click.testing import CliRunner
from faults.counts import count
from faults.injection import run

from fas_core.atomic import is_temporary
from fas_core.cli import main

EARLIER = b"written before\n"

QUICK = {
    "eval": "eval {run} --data {faces} --split test --scores {out}/scores.csv",
    "predict": "predict {model} {faces}/test --csv {out}/scores.csv",
    "annotated": "predict {model} {faces}/test/live/00.png --save-annotated {out}/copies",
    "film": "predict {model} {videos} --no-detect --save-annotated {out}/copies --annotated-video",
    "report": "report {scores} -o {out}/report.html --threshold fixed:0.5",
    "split": "data split {faces} --by sample -o {out}/manifest.csv",
    "crop": "data crop {faces} {out}/crops",
    "frames": "data frames {videos} {out}/frames",
    "ensemble": "ensemble {scores} {others} --threshold fixed:0.5 -o {out}/ensemble.csv",
    "show": "data show {faces} -o {out}/sheet.png",
    "export": "export {run} -o {out}/model.onnx",
    "calibrate": "calibrate {model} {faces}/test/live --no-detect -o {out}/model.onnx",
    "train": "train {recipe} --runs {out}/runs --epochs 1",
}
SLOW = {
    "make": "data make {out}/simulated --set size=48 --set subjects=9",
    "torch": "export {run} --format torch -o {out}/model.pt2",
    "openvino": "export {run} --format openvino -o {out}/model.xml",
    "triton": "export {run} --format triton -o {out}/triton",
}
COMMANDS = {**QUICK, **SLOW}
NAMES = [*QUICK, *(pytest.param(name, marks=pytest.mark.long) for name in SLOW)]
FASTER = [
    pytest.param(name, marks=pytest.mark.long) if name in ("export", *SLOW) else name for name in COMMANDS
]
"""An export takes half a minute: on a full disk alone, but for `tox -e long`."""


@pytest.fixture(scope="module")
def inputs(
    trained: Path, faces: Path, recipe_file: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Path]:
    """What the commands read, by its name in them."""
    folder = tmp_path_factory.mktemp("inputs")
    paths = {"run": trained, "faces": faces, "recipe": recipe_file, "videos": folder / "videos"}
    paths |= {name: folder / f"{name}.csv" for name in ("scores", "others")} | {
        "model": folder / "model.onnx"
    }
    for name in ("scores", "others"):
        shutil.copy(trained / "scores" / "test.csv", paths[name])
    assert CliRunner().invoke(main, ["export", str(trained), "-o", str(paths["model"]), "-q"]).exit_code == 0
    paths["videos"].mkdir()
    writer = cv2.VideoWriter(str(paths["videos"] / "a.avi"), cv2.VideoWriter_fourcc(*"MJPG"), 10, (64, 48))
    for level in (50, 100, 150):
        writer.write(np.full((48, 64, 3), level, np.uint8))
    writer.release()
    return paths


@pytest.fixture
def full_disk(tmp_path: Path) -> Iterator[Path]:
    """A small file system without a free page, that holds a folder of earlier files."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k", "fas", disk], check=False, capture_output=True
    )
    if mounted.returncode:
        pytest.skip(f"no file system can be mounted here: {mounted.stderr.decode().strip()}")
    try:
        _write_earlier_files(disk)
        with suppress(OSError), (disk / "filler").open("wb", buffering=0) as file:
            while file.write(bytes(1024)):
                pass
        yield disk
    finally:
        subprocess.run(["umount", disk], check=True)


def _write_earlier_files(folder: Path) -> None:
    for name in ("scores.csv", "report.html", "model.onnx", "sheet.png", "ensemble.csv"):
        (folder / name).write_bytes(EARLIER)


def check_command(name: str, inputs: dict[str, Path], out: Path, max_bytes: int | None = None) -> str:
    """Run a command whose output cannot be written; return the line that says so."""
    words = [word.format(out=out, **inputs) for word in f"{COMMANDS[name]} -q".split()]
    code, _ = run(words, inputs["videos"], max_bytes=max_bytes)
    count("full disks")
    output = inputs["videos"].with_name("output.txt").read_text()
    assert code == 2, output
    assert "Traceback" not in output
    errors = [line for line in output.splitlines() if "cannot be " in line]
    assert len(errors) == 1, output
    assert errors[0].startswith("error: "), output
    assert output.endswith(f"{errors[0]}\n"), output
    return errors[0]


def check_earlier_files(out: Path) -> None:
    for path in out.glob("*.*"):
        assert path.is_dir() or path.read_bytes() == EARLIER, path
    assert [path for path in out.rglob("*") if is_temporary(path.name)] == []


@pytest.mark.parametrize("name", NAMES)
def test_a_full_disk(name: str, inputs: dict[str, Path], full_disk: Path) -> None:
    line = check_command(name, inputs, full_disk)
    assert ("is the disk full?" if name in ("film", "openvino") else "No space left on device") in line
    check_earlier_files(full_disk)


@pytest.mark.parametrize("name", FASTER)
def test_a_limit_of_the_file_size(name: str, inputs: dict[str, Path], tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    _write_earlier_files(out)
    line = check_command(name, inputs, out, max_bytes=300)
    assert ("is the disk full?" if name in ("film", "openvino") else "File too large") in line
    check_earlier_files(out)


@pytest.mark.parametrize("name", FASTER)
def test_a_file_where_the_folder_should_be(name: str, inputs: dict[str, Path], tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(EARLIER)
    check_command(name, inputs, tmp_path / "file" / "out")
    assert (tmp_path / "file").read_bytes() == EARLIER


@pytest.mark.parametrize("name", FASTER)
def test_a_read_only_file_system(name: str, inputs: dict[str, Path], tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "ro,size=64k", "fas", disk]
    if (mounted := subprocess.run(command, check=False, capture_output=True)).returncode:
        pytest.skip(f"no file system can be mounted here: {mounted.stderr.decode().strip()}")
    try:
        assert "Read-only file system" in check_command(name, inputs, disk)
    finally:
        subprocess.run(["umount", disk], check=True)


@pytest.mark.parametrize(
    "arguments",
    [
        ["predict", "{model}", "{faces}/test", "--csv", "/dev/full"],
        ["report", "{scores}", "-o", "/dev/full", "--threshold", "fixed:0.5", "-q"],
    ],
)
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
def test_a_full_device_as_a_file(arguments: list[str], inputs: dict[str, Path]) -> None:
    code, _ = run([word.format(**inputs) for word in arguments], inputs["videos"])
    output = inputs["videos"].with_name("output.txt").read_text()
    assert (code, output) == (2, "error: /dev/full: cannot be written: No space left on device\n")
    assert Path("/dev/full").is_char_device()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["--version"],
        ["eval", "--help"],
        ["plugins", "list"],
        ["plugins", "list", "--json"],
        ["eval", "{run}"],
        ["serve", "{model}", "--port", "0"],
        ["predict", "{model}", "{faces}/test", "--json"],
    ],
)
def test_full_stdout(arguments: list[str], inputs: dict[str, Path]) -> None:
    command = [sys.executable, "-m", "fas_core", *(word.format(**inputs) for word in arguments)]
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith("error: ")
    assert done.stderr.endswith(": cannot be written: No space left on device\n")
    assert done.stderr.count("\n") == 1


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
def test_full_stderr() -> None:
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run([sys.executable, "-m", "fas_core", "train", "none"], stderr=full, check=False)
    assert done.returncode == 2


def test_a_pipe_that_its_reader_has_closed(inputs: dict[str, Path]) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, "-m", "fas_core", "eval", str(inputs["run"])]
    try:
        done = subprocess.run(command, stdout=writing, stderr=subprocess.PIPE, check=False)
    finally:
        os.close(writing)
    assert (done.returncode, done.stderr) == (141, b"")
