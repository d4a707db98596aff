"""Shared options on commands of one line: the arguments that each decorator passes on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result

from fas_core import ConfigError, DataError
from fas_core.cli import options, reading_options, recipe_options
from fas_core.console import console
from fas_core.evaluation.groups import EvaluationOptions
from fas_core.scores.files import Reading

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]


def invoke(decorator: Decorator, *flags: str) -> tuple[Result, dict[str, Any]]:
    """Return the result of a command with these options, and the arguments that it was called with."""
    arguments: dict[str, Any] = {}

    @click.command()
    @decorator
    def command(**values: Any) -> None:
        arguments.update(values)

    return CliRunner().invoke(command, flags), arguments


def read_arguments(decorator: Decorator, *flags: str) -> dict[str, Any]:
    result, arguments = invoke(decorator, *flags)
    assert result.exit_code == 0, result.output
    return arguments


@pytest.mark.usefixtures("all_replicates")
@pytest.mark.parametrize(
    ("decorator", "flags", "expected"),
    [
        (options.workers_option, (), {"workers": None}),
        (options.workers_option, ("--workers", "3"), {"workers": 3}),
        (options.evaluation_workers_option, (), {"workers": 2}),
        (options.evaluation_workers_option, ("-j", "1"), {"workers": 1}),
        (options.threshold_option, (), {"threshold": None}),
        (options.threshold_option, ("--threshold", "apcer:0.05"), {"threshold": "apcer:0.05"}),
        (options.fixed_threshold_option, ("--threshold", "fixed:0.5"), {"threshold": "fixed:0.5"}),
        (options.aggregate_option, ("--aggregate", "video:max"), {"aggregate": "video:max"}),
        (options.replicates_option, (), {"replicates": 1000}),
        (options.replicates_option, ("--replicates", "0"), {"replicates": 0}),
        (options.metric_option, (), {"metrics": ()}),
        (options.metric_option, ("--metric", "hter", "--metric", "eer"), {"metrics": ("hter", "eer")}),
        (options.detector_option, ("--detector", "yunet.onnx"), {"detector": "yunet.onnx"}),
        (options.margin_option, (), {"margin": None}),
        (options.align_option, ("--align",), {"align": True}),
        (options.margin_option, ("--margin", "3"), {"margin": 3.0}),
        (options.external_model_option, ("--foreign", "terms.yaml"), {"external": Path("terms.yaml")}),
    ],
)
def test_an_option_is_one_argument(
    decorator: Decorator, flags: tuple[str, ...], expected: dict[str, object]
) -> None:
    assert read_arguments(decorator, *flags) == expected


@pytest.mark.parametrize(
    ("decorator", "flags"),
    [
        (options.workers_option, ("-j", "0")),
        (options.evaluation_workers_option, ("-j", "many")),
        (options.replicates_option, ("--replicates", "-1")),
        (options.margin_option, ("--margin", "3.1")),
        (options.margin_option, ("--margin", "-0.1")),
        (options.evaluation_options, ("--group-by", "score")),
        (reading_options.reading_options, ("--positive", "spoof")),
        (reading_options.reading_options, ("--delimiter", ",")),
        (recipe_options.recipe_options, ("--amp", "fp8")),
        (recipe_options.recipe_options, ("--epochs", "1.5")),
    ],
)
def test_a_value_out_of_range_ends_with_2(decorator: Decorator, flags: tuple[str, ...]) -> None:
    result, arguments = invoke(decorator, *flags)
    assert (result.exit_code, arguments) == (2, {})
    assert flags[0] in result.output


@pytest.mark.parametrize(
    ("flags", "json", "quiet"), [((), False, False), (("--json",), True, False), (("-q",), False, True)]
)
def test_output_options_set_the_console(
    monkeypatch: pytest.MonkeyPatch, flags: tuple[str, ...], json: bool, quiet: bool
) -> None:
    monkeypatch.setattr(console, "json", not json)
    monkeypatch.setattr(console, "quiet", False)
    assert read_arguments(options.output_options, *flags) == {}
    assert (console.json, console.quiet) == (json, quiet)


@pytest.mark.usefixtures("all_replicates")
def test_evaluation_options_are_one_argument() -> None:
    assert read_arguments(options.evaluation_options) == {"evaluation": EvaluationOptions()}
    flags = ("--group-by", "species", "--replicates", "9", "--metric", "bpcer_ap:0.02")
    assert read_arguments(options.evaluation_options, *flags) == {
        "evaluation": EvaluationOptions(9, "species", ("bpcer_ap:0.02",))
    }


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        ((), Reading()),
        (("--positive", "attack"), Reading(label_one="attack", high_score="attack")),
        (
            ("--positive", "attack", "--high-score", "live"),
            Reading(label_one="attack", high_score="live"),
        ),
        (("--label-one", "attack"), Reading(label_one="attack")),
        (("--delimiter", "tab", "--header"), Reading(delimiter="\t", header=True)),
        (("--delimiter", "blank", "--no-header"), Reading(delimiter=" ", header=False)),
        (("--column", "score=p=live", "--column", "id=1"), Reading(columns={"score": "p=live", "id": "1"})),
        (("--column", "label="), Reading(columns={"label": ""})),
    ],
)
def test_reading_options_are_one_argument(flags: tuple[str, ...], expected: Reading) -> None:
    assert read_arguments(reading_options.reading_options, *flags) == {"reading": expected}


@pytest.mark.parametrize("columns", [("score",), ("age=3",), ("=3",), ("score=1", "score=2")])
def test_a_column_names_a_known_role_once(columns: tuple[str, ...]) -> None:
    flags = [text for column in columns for text in ("--column", column)]
    result, _ = invoke(reading_options.reading_options, *flags)
    assert isinstance(result.exception, ConfigError)
    assert result.exception.message.startswith(f"--column {columns[-1]!r}: must be ROLE=NAME, each ROLE once")


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        ((), {}),
        (("--b", "16", "--lr", "0.5"), {"train.batch_size": 16, "train.lr": 0.5}),
        (("--threshold", "fixed:0.5"), {"threshold": "fixed:0.5"}),
        (("--amp", "bf16", "--input_size", "64"), {"train.amp": "bf16", "model.input_size": 64}),
        (
            ("--set", "loss.name=focal", "--set", "train.lr=[1]"),
            {"loss.name": "focal", "train.lr": [1]},
        ),
        (("--set", "train.lr=1", "--lr", "2"), {"train.lr": 2.0}),
        (("--data", "synthetic"), {"data": {"name": "synthetic"}}),
        (("--data", "folder:photos"), {"data": {"name": "folder", "root": "photos"}}),
    ],
)
def test_recipe_options_are_overrides_by_path(flags: tuple[str, ...], expected: dict[str, object]) -> None:
    assert read_arguments(recipe_options.recipe_options, *flags) == {"overrides": expected}


def test_data_come_before_sets_and_sets_before_flags() -> None:
    flags = ("--lr", "1", "--set", "data.root=elsewhere", "--data", "synthetic")
    overrides = read_arguments(recipe_options.recipe_options, *flags)["overrides"]
    assert list(overrides) == ["data", "data.root", "train.lr"]


def test_every_recipe_flag_is_in_the_help_with_its_path() -> None:
    result, _ = invoke(recipe_options.recipe_options, "--help")
    text = " ".join(result.output.split())
    for path, (names, *_) in recipe_options.RECIPE_FLAGS.items():
        assert f"[{path}]" in text
        assert all(name in text for name in names)


def test_wrong_recipe_options_are_errors_of_one_line() -> None:
    result, _ = invoke(recipe_options.recipe_options, "--set", "train.lr")
    assert isinstance(result.exception, ConfigError)
    assert result.exception.message == "--set 'train.lr': must read KEY=VALUE, e.g. train.lr=0.02"
    result, _ = invoke(recipe_options.recipe_options, "--data", "syntetic")
    assert isinstance(result.exception, DataError)
    assert "synthetic" in result.exception.message


@pytest.mark.parametrize(("text", "expected"), [("nan", 2), ("-nan", 2), ("inf", 2), ("1.5", 0), ("4", 2)])
def test_a_range_of_numbers_has_no_nan(text: str, expected: int) -> None:
    @click.command()
    @options.margin_option
    def command(margin: float) -> None:
        click.echo(margin)

    result = CliRunner().invoke(command, [f"--margin={text}"])
    assert result.exit_code == expected
