"""`fas config convert`: published cfgs/*.yaml, typed anew, as recipes."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from attrs import evolve
from click.testing import Result

from fas_core.config.load import load_recipe
from fas_core.config.recipe import Recipe
from fas_core.registry import registry

Fas = Callable[..., Result]
Write = Callable[..., Path]

COMMANDS = {  # arch, epochs, batch, the command's flags
    "fishnet150-32": ("fishnet150", 100, 32, "--b 32 --lr 0.01 --every-decay 30 --fl-gamma 2"),
    "mobilenetv2": ("moilenetv2", 200, 32, "--b 32 --lr 0.01 --every-decay 40 --fl-gamma 2"),
    "mobilelitenet54-32": ("MobileLiteNet54", 200, 32, "--every-decay 60 -b 32 --lr 0.01 --fl-gamma 3"),
    "mobilelitenet54-se-64": (
        "MobileLiteNet54_se",
        200,
        64,
        "--b 64 --lr 0.01 --every-decay 60 --fl-gamma 3",
    ),
    "feathernet-a-32": ("FeatherNetA", 200, 32, "--b 32 --lr 0.01 --every-decay 60 --fl-gamma 3"),
    "feathernet-b-32": ("FeatherNetB", 150, 32, "--b 32 --lr 0.01 --every-decay 60 --fl-gamma 3"),
}


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """`write(arch="FeatherNetB", momentum=0.8, model={...})`: an old file with these keys."""

    def written(model: object = None, **common: object) -> Path:
        path = tmp_path / "old.yaml"
        blocks = {"common": {"arch": "FeatherNetB", **common}} | ({"model": model} if model else {})
        path.write_text(yaml.safe_dump(blocks))
        return path

    return written


def converted(fas: Fas, old: Path, *flags: str) -> Recipe:
    """The recipe that a run of the new file has."""
    new = old.parent / "new.yaml"
    result = fas("config", "convert", old, "-o", new, *flags)
    assert result.exit_code == 0, result.output
    return load_recipe(str(new), registry())


@pytest.mark.parametrize("name", COMMANDS)
def test_a_published_command_becomes_its_shipped_recipe(fas: Fas, write: Write, name: str) -> None:
    arch, epochs, batch, flags = COMMANDS[name]
    common = {"workers": 1, "policy": "step", "base_lr": 0.01, "momentum": 0.9, "weight_decay": 0.0001}
    old = write(
        arch=arch, epochs=epochs, batch_size=batch, print_freq=10, save_path="checkpoints/x", **common
    )
    found, shipped = converted(fas, old, *flags.split()), load_recipe(name, registry())
    assert found.train.workers == 1
    assert evolve(found, train=evolve(found.train, workers=shipped.train.workers)) == shipped


def test_what_is_not_said_is_the_programs_default(fas: Fas, write: Write) -> None:
    train = converted(fas, write()).train
    assert (train.lr, train.epochs, train.batch_size, train.every_decay) == (0.1, 200, 32, 40)
    assert (train.momentum, train.weight_decay, train.seed) == (0.9, 1e-4, 14)


def test_lr_is_what_the_program_took(fas: Fas, write: Write) -> None:
    assert converted(fas, write(lr=0.02, base_lr=0.01)).train.lr == 0.02


def test_the_networks_own_arguments(fas: Fas, write: Write) -> None:
    block = {"n_class": 2, "width_mult": 0.5, "input_size": 96, "dropout": 0.1}
    model = converted(fas, write(block, arch="moilenetv2")).model
    assert (model.backbone.options.width, model.backbone.options.dropout) == (0.5, 0.1)  # type: ignore[union-attr]
    assert model.input_size == 96


def test_what_is_left_out_is_named(fas: Fas, write: Write) -> None:
    old = write(print_freq=10, save_path="x", warmup=5, teacher="big")
    old.write_text(old.read_text() + "extra: {a: 1}\n")
    result = fas("config", "convert", old)
    assert result.exit_code == 0
    assert result.stderr == f"warning: {old}: unknown, and left out: extra, teacher, warmup\n"
    assert "# Left out, being unknown: extra, teacher, warmup.\n" in result.stdout
    assert "# Left out, being no matter of a recipe: print_freq, save_path.\n" in result.stdout
    document = json.loads(fas("config", "convert", old, "--json").stdout)
    assert document["recipe"] == yaml.safe_load(result.stdout)
    assert document["left_out"]["unknown"] == ["extra", "teacher", "warmup"]


def test_what_is_printed_is_a_recipe(fas: Fas, write: Write, tmp_path: Path) -> None:
    old = write(epochs=7)
    printed = tmp_path / "printed.yaml"
    printed.write_text(fas("config", "convert", old).stdout)
    assert load_recipe(str(printed), registry()) == converted(fas, old)


@pytest.mark.parametrize(
    ("common", "model", "message"),
    [
        (
            {"arch": "shufflenetv2_1"},
            None,
            "common.arch: no backbone here is 'shufflenetv2_1' (known: cdcn,",
        ),
        ({"arch": 3}, None, "common.arch: must name a network: 3"),
        ({"epochs": 0}, None, "train.epochs: must be >= 1: 0"),
        ({"base_lr": "fast"}, None, "train.lr: must be a number: 'fast'"),
        ({"policy": "poly"}, None, "train.schedule: must be one of 'step', 'cosine', 'constant': 'poly'"),
        ({}, {"n_class": 3}, "model.n_class: 3: there are two classes, attack and live"),
        ({}, {"layers": 3}, "model.backbone.layers: unknown key"),
        ({}, [1], "model: must be a mapping: [1]"),
    ],
)
def test_a_mistake_is_one_line_and_writes_nothing(
    fas: Fas, write: Write, tmp_path: Path, common: dict[str, object], model: object, message: str
) -> None:
    old = write(model, **common)
    result = fas("config", "convert", old, "-o", tmp_path / "new.yaml")
    assert result.exit_code == 2
    assert len(result.stderr.splitlines()) == 1
    assert f"{old}: {message}" in result.stderr
    assert not (tmp_path / "new.yaml").exists()


def test_files_that_are_none_are_refused(fas: Fas, write: Write, tmp_path: Path) -> None:
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text("train: {lr: 0.1}\n")
    assert "no 'common:' block" in fas("config", "convert", recipe).stderr
    assert "cannot be read" in fas("config", "convert", tmp_path / "absent.yaml").stderr
    result = fas("config", "convert", write(), "-o", recipe)
    assert result.exit_code == 2
    assert "is there already" in result.stderr
    assert recipe.read_text() == "train: {lr: 0.1}\n"


def test_to_train_by_an_old_file_is_answered_with_what_to_do(fas: Fas, write: Write) -> None:
    old = write(epochs=7)
    refused = fas("config", "show", old)
    assert refused.exit_code == 2
    assert f"`fas config convert {old} -o NEW.yaml` makes a recipe" in refused.stderr
    absent = fas("config", "show", "cfgs/FeatherNetB-32.yaml")
    assert absent.exit_code == 2
    assert "did you mean 'feathernet-b-32'?" in absent.stderr
