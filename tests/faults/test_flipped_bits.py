"""One flipped bit in a file that `fas` wrote ends the command that reads it with a line, and exit code 2."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from faults.counts import count

from fas_core.cli import main

Fas = Callable[..., Result]

READERS = {
    "best.safetensors": "eval {run} --split test --replicates 0",
    "last.safetensors": "export {run} --weights last -o {out}.onnx",
    "state.pt": "train --resume {run} --epochs 9",
    "scores/dev.csv": "export {run} -o {out}.onnx",
    "scores/test.csv": "report {run} -o {out}.html",
    "results.json": "report {run} -o {out}.html",
    "model.onnx": "predict {run}/model.onnx {faces}/test",
    "model.xml": "predict {run}/model.xml {faces}/test",
    "model.bin": "predict {run}/model.xml {faces}/test",
    "ensemble.json": "ensemble {run} {other} --rule {run}/ensemble.json --replicates 0",
}
"""A file, and a command that reads it."""


@pytest.fixture(scope="module")
def run(trained: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of a trained run, with what is made of it."""
    path = tmp_path_factory.mktemp("flipped") / "run"
    shutil.copytree(trained, path)
    shutil.copytree(trained, path.with_name("other"))
    commands = [
        f"export {path}",
        f"ensemble {path} {path.with_name('other')} --rule weighted --replicates 0 -o {path}/ensemble.csv",
        *([f"export {path} --format openvino"] if find_spec("openvino") else []),
    ]
    for command in commands:
        result = CliRunner().invoke(main, [*command.split(), "-q"])
        assert result.exit_code == 0, result.output
    return path


def flip_bit(path: Path, share: float) -> None:
    """Flip one bit of a file, of a digit where it is text."""
    content = bytearray(path.read_bytes())
    position = int(share * len(content))
    if path.suffix in (".csv", ".json"):
        position = next(at for at in range(position, len(content)) if content[at - 1 : at + 1].isdigit())
    content[position] ^= 1
    path.write_bytes(content)
    count("flipped bits")


@pytest.mark.parametrize("name", READERS)
def test_a_flipped_bit(name: str, run: Path, faces: Path, tmp_path: Path, fas: Fas) -> None:
    path = run / name
    if not path.is_file():
        pytest.skip("openvino is not installed")
    original = path.read_bytes()
    words = READERS[name].format(run=run, other=run.with_name("other"), faces=faces, out=tmp_path / "out")
    try:
        flip_bit(path, 0.55)
        result = fas(*words.split(), "-q")
    finally:
        path.write_bytes(original)
    assert result.exit_code == 2, result.output
    lines = result.stderr.splitlines()
    assert len(lines) == 1, result.stderr
    named = path.with_suffix(".xml") if name == "model.bin" else path
    assert lines[0].startswith("error: ")
    assert f"{named}: " in lines[0]
    assert "again" in lines[0] or "restore" in lines[0]
    assert list(tmp_path.iterdir()) == []


def test_results_of_other_weights(run: Path, tmp_path: Path, fas: Fas) -> None:
    """As a kill between two writes of another training would leave them."""
    from fas_core.models.checkpoint import read_safetensors, save_weights

    mixed = tmp_path / "mixed"
    shutil.copytree(run, mixed)
    (mixed / "scores" / "digests.json").unlink()
    weights = read_safetensors(mixed / "best.safetensors")

    class Changed:
        def state_dict(self) -> object:
            return {name: value + 1 for name, value in weights.items()}

    save_weights(Changed(), mixed / "best.safetensors")  # type: ignore[arg-type]
    result = fas("report", mixed, "-o", tmp_path / "report.html")
    assert result.exit_code == 2, result.output
    assert "results.json: not the results of best.safetensors" in result.stderr
    assert f"fas train --resume {mixed}" in result.stderr
    rule = run / "ensemble.json"
    result = fas("ensemble", mixed, run.with_name("other"), "--rule", rule, "--replicates", 0)
    assert result.exit_code == 2, result.output
    assert (
        f"{rule}: was fitted to the scores of other weights than {mixed} now has: fit it again"
        in result.stderr
    )


def test_simulated_data(tmp_path: Path, fas: Fas) -> None:
    root = tmp_path / "simulated"
    small = ("--set", "size=48", "--set", "subjects=9", "--set", "shots=1")
    assert fas("data", "make", root, *small).exit_code == 0
    assert fas("data", "check", f"synthetic:{root}", "--verify", *small).exit_code == 0
    image = next(iter(sorted(root.rglob("*.jpg"))))
    flip_bit(image, 0.5)
    result = fas("data", "make", root, *small)
    assert result.exit_code == 2, result.output
    assert f"{image}: damaged since it was made: remove {root}" in result.stderr
