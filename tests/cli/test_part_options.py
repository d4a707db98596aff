"""The options of an engine, and what is printed of a job in parts; this process stands for the cluster."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import numpy as np
import pytest
from click.testing import Result

from fas_core.inference.parts import Part, PartWorker

Fas = Callable[..., Result]
ENGINE = ("--engine", "ray", "--into", "parts")


@pytest.fixture
def _in_process(monkeypatch: pytest.MonkeyPatch) -> None:
    def run(worker: PartWorker, parts: Iterable[Part], workers: int | None) -> Iterator[int]:
        return map(worker, parts)

    monkeypatch.setattr("fas_core.cli.part_options.require", lambda *_: None)
    monkeypatch.setattr("fas_core.inference.ray_engine.run_on_ray", run)


@pytest.fixture
def manifest(tmp_path: Path, save: Callable[..., Path]) -> Path:
    """A dark attack and a bright live photo, each with a box."""
    lines = ["path,label,box"]
    for label, level in enumerate((51, 204)):
        path = save(tmp_path / f"{level}.png", np.full((8, 8, 3), level, np.uint8))
        lines.append(f"{path},{label},0 0 8 8")
    (tmp_path / "manifest.csv").write_text("\n".join(lines) + "\n")
    return tmp_path / "manifest.csv"


@pytest.mark.usefixtures("_in_process")
def test_verdicts_are_counted(
    fas: Fas, mean_model: Callable[..., Path], manifest: Path, tmp_path: Path
) -> None:
    predict = ("predict", mean_model(), manifest, "--engine", "ray", "--into", tmp_path / "parts")
    result = fas(*predict)
    assert result.exit_code == 0
    assert result.stdout.splitlines() == [
        "1 live, 1 attack; accepted when score >= 0.5 (fixed:0.5)",
        f"2 samples in 1 part: {tmp_path / 'parts'}",
    ]
    document = json.loads(fas(*predict, "--json").stdout)
    assert document["counts"] == {"live": 1, "attack": 1, "uncertain": 0, "not scored": 0}
    assert (document["samples"], document["parts"], document["kept"]) == (2, 1, 1)
    assert fas(*predict, "--fail-on-attack").exit_code == 3


@pytest.mark.usefixtures("_in_process")
def test_what_could_not_be_scored_is_an_exit_code(
    fas: Fas, mean_model: Callable[..., Path], tmp_path: Path
) -> None:
    (tmp_path / "missing.csv").write_text(f"path\n{tmp_path}/none.png\n")
    result = fas("predict", mean_model(), tmp_path / "missing.csv", *ENGINE[:3], tmp_path / "parts")
    assert result.exit_code == 1
    assert result.stdout.startswith("1 not scored; ")


@pytest.mark.usefixtures("_in_process")
def test_an_evaluation_prints_what_one_process_prints(
    fas: Fas, mean_model: Callable[..., Path], manifest: Path, tmp_path: Path
) -> None:
    evaluate = ("eval", mean_model(), "--data", manifest, "--replicates", "0", "--json")
    alone = fas(*evaluate)
    shared = fas(*evaluate, "--engine", "ray", "--into", tmp_path / "parts")
    assert (shared.exit_code, shared.stdout) == (0, alone.stdout)
    assert f"2 samples in 1 part: {tmp_path / 'parts'}" in shared.stderr


@pytest.mark.parametrize("command", ["predict", "eval"])
@pytest.mark.parametrize(
    ("flags", "problem"),
    [
        (("--into", "parts"), "belong to --engine: give --engine ray"),
        (("--part-rows", "64"), "belong to --engine: give --engine ray"),
        (("--predictors", "2"), "belong to --engine: give --engine ray"),
        (("--engine", "ray"), "writes Parquet parts: give --into FOLDER"),
    ],
)
def test_options_that_need_each_other(
    command: str, flags: tuple[str, ...], problem: str, fas: Fas, mean_model: Callable[..., Path]
) -> None:
    data = ("--data", "photos.csv") if command == "eval" else ("photos.csv",)
    result = fas(command, mean_model(), *data, *flags)
    assert result.exit_code == 2
    assert problem in result.stderr


def test_ray_that_is_not_installed(
    fas: Fas, mean_model: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    result = fas("predict", mean_model(), "photos.csv", *ENGINE)
    assert result.exit_code == 2
    assert result.stderr == "error: this needs ray: pip install 'fas-core[ray]'\n"


def test_outputs_of_one_process_are_refused(
    fas: Fas, mean_model: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fas_core.cli.part_options.require", lambda *_: None)
    for flag, value in (
        ("--csv", "out"),
        ("--save-annotated", "out"),
        ("--explain", "out"),
        ("--aggregate", "video"),
    ):
        result = fas("predict", mean_model(), "photos.csv", *ENGINE, flag, value)
        assert "leave --csv, --save-annotated, --explain and --aggregate out" in result.stderr
    for flags in (("--subsets",), ("--data", "more.csv")):
        result = fas("eval", mean_model(), "--data", "photos.csv", *ENGINE, *flags)
        assert "--engine scores one data set" in result.stderr
