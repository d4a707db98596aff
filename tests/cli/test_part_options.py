"""The options of an engine, before anything is scored."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

Fas = Callable[..., Result]
ENGINE = ("--engine", "ray", "--into", "parts")


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
    for flag in ("--csv", "--save-annotated", "--explain"):
        result = fas("predict", mean_model(), "photos.csv", *ENGINE, flag, "out")
        assert "leave --csv, --save-annotated and --explain out" in result.stderr
    for flags in (("--subsets",), ("--data", "more.csv")):
        result = fas("eval", mean_model(), "--data", "photos.csv", *ENGINE, *flags)
        assert "--engine scores one data set" in result.stderr
