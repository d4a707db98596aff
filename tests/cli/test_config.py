"""`fas config`: what is shown is a recipe again; the published flags say the same as recipes."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import Result

import fas_core
from fas_core.config.load import DEFAULT, load_recipe, named_recipes
from fas_core.registry import registry

Fas = Callable[..., Result]


def shown(fas: Fas, *arguments: object) -> dict[str, Any]:
    result = fas("config", "show", *arguments, "--json")
    assert result.exit_code == 0, result.stderr
    tree: dict[str, Any] = json.loads(result.stdout)
    return tree


@pytest.mark.parametrize("name", named_recipes(registry()))
def test_what_is_shown_is_the_same_recipe(fas: Fas, name: str, tmp_path: Path) -> None:
    (tmp_path / "again.yaml").write_text(fas("config", "show", name).stdout)
    assert load_recipe(str(tmp_path / "again.yaml"), registry()) == load_recipe(name, registry())
    assert (
        shown(fas, name)
        == shown(fas, tmp_path / "again.yaml")
        == yaml.safe_load(fas("config", "show", name).stdout)
    )


def test_the_default_is_shown_with_every_default(fas: Fas) -> None:
    tree = shown(fas)
    assert tree == shown(fas, DEFAULT)
    assert set(tree["train"]) > {"lr", "momentum", "every_decay", "seed", "amp"}
    assert tree["data"]["name"] == "synthetic"


@pytest.mark.parametrize(
    ("flags", "path", "value"),
    [
        (["-b", "8"], "train.batch_size", 8),
        (["--b", "8"], "train.batch_size", 8),
        (["--batch-size", "8"], "train.batch_size", 8),
        (["--lr", "0.5"], "train.lr", 0.5),
        (["--lr", "1e-3"], "train.lr", 0.001),
        (["--every-decay", "7"], "train.every_decay", 7),
        (["--fl-gamma", "1.5"], "loss.gamma", 1.5),
        (["--epochs", "3"], "train.epochs", 3),
        (["-j", "0"], "train.workers", 0),
        (["--workers", "4"], "train.workers", 4),
        (["--input-size", "64"], "model.input_size", 64),
        (["--random-seed", "3"], "train.seed", 3),
        (["--momentum", "0"], "train.momentum", 0),
        (["--weight-decay", "0.1"], "train.weight_decay", 0.1),
        (["--device", "cpu"], "train.device", "cpu"),
        (["--amp", "bf16"], "train.amp", "bf16"),
        (["--threshold", "fixed:0.5"], "threshold", "fixed:0.5"),
        (["--data", "synthetic"], "data.name", "synthetic"),
        (["--set", "train.lr=0.02"], "train.lr", 0.02),
        (["--set", "train.lr=2e-2"], "train.lr", 0.02),
        (["--set", "modalities=[rgb]", "--set", "model.fusion=single"], "modalities", ["rgb"]),
        (["--set", "loss=cross_entropy", "--set", "loss.smoothing=0.1"], "loss.smoothing", 0.1),
        (["--set", "train.lr=0.25", "--lr", "0.5"], "train.lr", 0.5),
        (["--fl-gamma", "1.5", "--set", "loss=focal"], "loss.gamma", 1.5),
        (["--set", "model.normalize={rgb: {}}", "--set", "model.normalize={}"], "model.normalize", {}),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else str(value),
)
def test_flags_change_the_recipe(fas: Fas, flags: list[str], path: str, value: object) -> None:
    plain, tree = shown(fas), shown(fas, *flags)
    found: Any = tree
    for key in path.split("."):
        found = found[key]
    assert found == value
    if "--set" not in flags:  # and nothing but what they name
        section, _, key = path.partition(".")
        (tree[section] if key else tree).pop(key or section)
        (plain[section] if key else plain).pop(key or section)
        assert tree == plain


def test_the_readmes_command_removes_the_published_normalisation(fas: Fas) -> None:
    """The recipe has the values of CASIA-SURF's depth images, which are wrong for photos in RGB."""
    changes = ("--set", "modalities=[rgb]", "--set", "model.normalize={}")
    assert shown(fas, "feathernet-b-32")["model"]["normalize"] != {}
    assert shown(fas, "feathernet-b-32", *changes)["model"]["normalize"] == {}


def test_an_empty_mapping_of_a_child_recipe_is_shown(fas: Fas, tmp_path: Path) -> None:
    (tmp_path / "child.yaml").write_text("extends: feathernet-b-32\nmodel: {normalize: {}}\n")
    assert shown(fas, tmp_path / "child.yaml")["model"]["normalize"] == {}


def test_crops_that_do_not_fit_the_patches_are_warned_about_once(fas: Fas) -> None:
    patches = ("--set", "model.patches={grid: 3, share: 0.5}")
    for more in ((), ("--json",), ("-q",)):
        result = fas("config", "show", *patches, *more)
        assert result.exit_code == 0
        assert result.stderr.startswith("warning: augment.crop_scale [0.5, 1] does not fit model.patches: ")
        assert result.stderr.count("\n") == 1
    assert fas("config", "show", *patches, "--set", "augment.crop_scale=[0.1, 0.3]").stderr == ""
    assert fas("config", "show").stderr == ""


def test_data_by_folder(fas: Fas, faces: Path) -> None:
    assert shown(fas, "--data", faces)["data"] == {
        "name": "folder",
        "modalities": ["rgb", "depth", "ir"],
        "root": str(faces),
    }
    assert shown(fas, "--data", f"folder:{faces}")["data"]["root"] == str(faces)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nowhere"], "recipe 'nowhere': neither a shipped recipe nor a file (known: "),
        (["--set", "train.lr"], "--set 'train.lr': must read KEY=VALUE, e.g. train.lr=0.02"),
        (["--set", "trian.lr=1"], "recipe quickstart: trian: unknown key (did you mean 'train'?)"),
        (["--set", "train.lrr=1"], "recipe quickstart: train.lrr: unknown key (did you mean 'lr'?)"),
        (
            ["--set", "loss=focall"],
            "recipe quickstart: loss.name: loss 'focall': no plugin provides it (did you mean",
        ),
        (["--fl-gamma", "2", "--set", "loss=cross_entropy"], "recipe quickstart: loss.gamma: unknown key"),
        (
            ["--set", "train={}"],
            "recipe quickstart: train: {} sets nothing: leave it out, or set some of its keys",
        ),
        (
            ["--set", "data={}"],
            "recipe quickstart: data: must name a dataset, as NAME or {name: NAME, ...}: {}",
        ),
        (["--data", "nowhere"], "nowhere: neither a data set"),
        (["--batch-size", "1"], "recipe quickstart: train.batch_size: must be >= 2: 1"),
    ],
)
def test_mistakes_are_one_line(fas: Fas, arguments: list[str], message: str) -> None:
    result = fas("config", "show", *arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith(f"error: {message}")
    assert result.stderr.count("\n") == 1


def test_recipes_are_listed_with_what_they_are(fas: Fas) -> None:
    found = json.loads(fas("config", "list", "--json").stdout)
    assert set(found) == set(named_recipes(registry()))
    table = fas("config", "list").stdout
    for name, summary in found.items():
        (line,) = [line for line in table.splitlines() if line.startswith(f"{name} ")]
        assert line.split(maxsplit=3)[1:] == ["fas-core", fas_core.__version__, summary]


def test_the_schema_is_a_json_document(fas: Fas) -> None:
    assert json.loads(fas("config", "schema").stdout)["title"] == "fas recipe"
