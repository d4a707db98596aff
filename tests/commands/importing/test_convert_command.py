"""`fas config convert` as a user types it: what it prints, writes and refuses."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from click.testing import Result

from fas_core.config.load import load_recipe
from fas_core.registry import registry

Fas = Callable[..., Result]
Write = Callable[..., Path]


def test_the_flags_of_the_published_command_override_the_file(
    fas: Fas, write_config: Write, tmp_path: Path
) -> None:
    old = write_config(epochs=150, batch_size=64, base_lr=0.5)
    flags = "--b 32 --lr 0.01 --every-decay 60 --fl-gamma 3"
    result = fas("config", "convert", old, "-o", tmp_path / "new.yaml", *flags.split())
    assert result.exit_code == 0, result.output
    train = load_recipe(str(tmp_path / "new.yaml"), registry()).train
    assert (train.batch_size, train.lr, train.every_decay, train.epochs) == (32, 0.01, 60, 150)


def test_what_is_left_out_is_named(fas: Fas, write_config: Write) -> None:
    old = write_config(print_freq=10, save_path="x_depth", warmup=5, teacher="big")
    old.write_text(old.read_text() + "extra: {a: 1}\n")
    result = fas("config", "convert", old)
    assert result.exit_code == 0
    assert result.stderr == f"warning: {old}: unknown, and left out: extra, teacher, warmup\n"
    assert "# Left out, unknown: extra, teacher, warmup.\n" in result.stdout
    assert "# Left out, without counterpart in a recipe: print_freq, save_path.\n" in result.stdout
    document = json.loads(fas("config", "convert", old, "--json").stdout)
    assert document["recipe"] == yaml.safe_load(result.stdout)
    assert document["left_out"]["unknown"] == ["extra", "teacher", "warmup"]


def test_an_assumed_modality_is_a_warning_and_a_comment(
    fas: Fas, write_config: Write, tmp_path: Path
) -> None:
    result = fas("config", "convert", write_config())
    assert result.stderr.startswith(f"warning: {tmp_path / 'old.yaml'}: names no modality: depth is assumed")
    assert "# Modality: depth, assumed, as the published program had it" in result.stdout
    old = write_config(save_path="checkpoints/FeatherNetB_bs32-ir")
    written = fas("config", "convert", old, "-o", tmp_path / "new.yaml")
    assert (written.stderr, written.exit_code) == ("", 0)
    assert "written, modality ir" in written.stdout
    document = json.loads(fas("config", "convert", old, "--json").stdout)
    assert document["modality"] == {"name": "ir", "reason": "by the names in it or of it"}


def test_what_is_printed_is_a_recipe(fas: Fas, write_config: Write, tmp_path: Path) -> None:
    old = write_config(epochs=7)
    printed = tmp_path / "printed.yaml"
    printed.write_text(fas("config", "convert", old).stdout)
    assert fas("config", "convert", old, "-o", tmp_path / "new.yaml").exit_code == 0
    assert load_recipe(str(printed), registry()) == load_recipe(str(tmp_path / "new.yaml"), registry())


@pytest.mark.parametrize(
    ("common", "model", "message"),
    [
        (
            {"arch": "shufflenetv2_1"},
            None,
            "common.arch: no backbone is called 'shufflenetv2_1' (known: cdcn,",
        ),
        ({"arch": 3}, None, "common.arch: must name a network: 3"),
        ({"epochs": 0}, None, "train.epochs: must be >= 1: 0"),
        ({"base_lr": "fast"}, None, "train.lr: must be a number: 'fast'"),
        ({"policy": "poly"}, None, "train.schedule.name: schedule 'poly': no plugin provides it"),
        ({}, {"n_class": 3}, "model.n_class: 3: there are two classes, attack and live"),
        ({}, {"layers": 3}, "model.backbone.layers: unknown key"),
        ({}, [1], "model: must be a mapping: [1]"),
    ],
)
def test_a_mistake_is_one_line_and_writes_nothing(
    fas: Fas, write_config: Write, tmp_path: Path, common: dict[str, object], model: object, message: str
) -> None:
    old = write_config(model, **common)
    result = fas("config", "convert", old, "-o", tmp_path / "new.yaml")
    assert result.exit_code == 2
    assert len(result.stderr.splitlines()) == 1
    assert f"{old}: {message}" in result.stderr
    assert not (tmp_path / "new.yaml").exists()


def test_files_that_are_none_are_refused(fas: Fas, write_config: Write, tmp_path: Path) -> None:
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text("train: {lr: 0.1}\n")
    assert "no 'common:' block" in fas("config", "convert", recipe).stderr
    assert "cannot be read" in fas("config", "convert", tmp_path / "absent.yaml").stderr
    result = fas("config", "convert", write_config(), "-o", recipe)
    assert result.exit_code == 2
    assert "exists already" in result.stderr
    assert recipe.read_text() == "train: {lr: 0.1}\n"


def test_to_train_by_an_old_file_is_answered_with_what_to_do(fas: Fas, write_config: Write) -> None:
    old = write_config(epochs=7)
    refused = fas("config", "show", old)
    assert refused.exit_code == 2
    assert f"`fas config convert {old} -o NEW.yaml` makes a recipe" in refused.stderr
    absent = fas("config", "show", "cfgs/FeatherNetB-32.yaml")
    assert absent.exit_code == 2
    assert "did you mean 'feathernet-b-32'?" in absent.stderr
