"""PublishedCheckpoint cfgs/*.yaml, typed anew, as recipes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from attrs import evolve

from fas_core.config.load import load_recipe
from fas_core.config.recipe import Recipe
from fas_core.errors import ConfigError
from fas_core.registry import registry
from fas_plugins.commands.importing.convert import convert_config

Write = Callable[..., Path]

COMMANDS: dict[str, tuple[str, int, int, dict[str, Any]]] = {  # arch, epochs, batch, the command's flags
    "fishnet150-32": ("fishnet150", 100, 32, {"train.every_decay": 30, "loss.gamma": 2}),
    "mobilenetv2": ("moilenetv2", 200, 32, {"train.every_decay": 40, "loss.gamma": 2}),
    "mobilelitenet54-32": ("MobileLiteNet54", 200, 32, {"train.every_decay": 60, "loss.gamma": 3}),
    "mobilelitenet54-se-64": ("MobileLiteNet54_se", 200, 64, {"train.every_decay": 60, "loss.gamma": 3}),
    "feathernet-a-32": ("FeatherNetA", 200, 32, {"train.every_decay": 60, "loss.gamma": 3}),
    "feathernet-b-32": ("FeatherNetB", 150, 32, {"train.every_decay": 60, "loss.gamma": 3}),
}


def convert(old: Path, **overrides: Any) -> Recipe:
    """The recipe of a run with the converted file."""
    new = old.parent / "new.yaml"
    new.write_text(convert_config(old, registry(), overrides).to_yaml(old.name))
    return load_recipe(str(new), registry())


@pytest.mark.parametrize("name", COMMANDS)
def test_a_published_command_becomes_its_shipped_recipe(write_config: Write, name: str) -> None:
    arch, epochs, batch, flags = COMMANDS[name]
    common = {"workers": 1, "policy": "step", "base_lr": 0.01, "momentum": 0.9, "weight_decay": 0.0001}
    old = write_config(
        arch=arch, epochs=epochs, batch_size=batch, print_freq=10, save_path="checkpoints/x", **common
    )
    recipe = convert(old, **{"train.batch_size": batch, "train.lr": 0.01, **flags})
    shipped = load_recipe(name, registry())
    assert recipe.train.workers == 1
    assert evolve(recipe, train=evolve(recipe.train, workers=shipped.train.workers)) == shipped


def test_values_that_are_not_set_are_the_programs_defaults(write_config: Write) -> None:
    train = convert(write_config()).train
    assert (train.lr, train.epochs, train.batch_size, train.every_decay) == (0.1, 200, 32, 40)
    assert (train.momentum, train.weight_decay, train.seed) == (0.9, 1e-4, 14)


def test_the_program_used_lr_and_not_base_lr(write_config: Write) -> None:
    assert convert(write_config(lr=0.02, base_lr=0.01)).train.lr == 0.02


def test_the_networks_own_arguments_are_backbone_options(write_config: Write) -> None:
    block = {"n_class": 2, "width_mult": 0.5, "input_size": 96, "dropout": 0.1}
    model = convert(write_config(block, arch="moilenetv2")).model
    assert (model.backbone.options.width, model.backbone.options.dropout) == (0.5, 0.1)  # type: ignore[union-attr]
    assert model.input_size == 96


def test_keys_without_counterpart_are_named(write_config: Write) -> None:
    converted = convert_config(write_config(print_freq=10, teacher="big"), registry())
    assert (converted.elsewhere, converted.unknown) == (("print_freq",), ("teacher",))
    text = converted.to_yaml("old.yaml")
    assert text.startswith("# Converted from old.yaml.\n")
    assert yaml.safe_load(text) == converted.tree


def test_three_classes_are_refused(write_config: Write) -> None:
    with pytest.raises(ConfigError, match=r"model\.n_class: 3: there are two classes"):
        convert_config(write_config({"n_class": 3}), registry())


@pytest.mark.parametrize(
    ("name", "common", "modality"),
    [
        ("FeatherNetB-32-ir.yaml", {}, "ir"),
        ("MobileLiteNetB-32-ir.yaml", {"save_path": "checkpoints/MobileLiteNetB_bs32-ir"}, "ir"),
        ("a.yaml", {"save_path": "checkpoints/FeatherNetB_bs32-ir"}, "ir"),
        ("a.yaml", {"phase_ir": True}, "ir"),
        ("FeatherNetB-color.yaml", {}, "rgb"),
        ("FeatherNetB-32-depth.yaml", {}, "depth"),
        ("FeatherNetB-32.yaml", {}, "depth"),
        ("first.yaml", {"phase_ir": False}, "depth"),
    ],
)
def test_the_modality_is_that_of_the_names(
    write_config: Write, tmp_path: Path, name: str, common: dict[str, Any], modality: str
) -> None:
    old = write_config(**common).rename(tmp_path / name)
    converted = convert_config(old, registry())
    assert converted.modality == modality
    assumed = "assumed" in converted.reason
    assert assumed is (name in ("FeatherNetB-32.yaml", "first.yaml"))
    recipe = convert(old)
    assert recipe.modalities == (modality,)
    # The published program normalised every modality alike.
    depth = load_recipe("feathernet-b-32", registry()).model.normalize["depth"]
    assert recipe.model.normalize[modality] == depth


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("FeatherNet-modal-fusion.yaml", "use the shipped recipe feathernet-modal-fusion"),
        ("FeatherNetB-ir-depth.yaml", "is named after depth and ir: say which by --set"),
    ],
)
def test_names_of_several_modalities_are_refused_until_one_is_chosen(
    write_config: Write, tmp_path: Path, name: str, message: str
) -> None:
    old = write_config().rename(tmp_path / name)
    with pytest.raises(ConfigError, match=message):
        convert_config(old, registry())
    converted = convert_config(old, registry(), {"modalities": ["depth"]})
    assert (converted.modality, converted.reason) == ("depth", "")
