"""Recipes as files: by name, extending each other, changed from the command line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from fas_core import ConfigError
from fas_core.config.components import BackboneChoice
from fas_core.config.load import (
    DEFAULT,
    load_recipe,
    merge,
    named_recipes,
    nest,
    parse_sets,
    to_plain,
    to_yaml,
)
from fas_core.config.recipe import Recipe
from fas_core.config.structure import structure
from fas_core.registry import Registry, registry


def load(path: Path | str, **overrides: Any) -> Recipe:
    return load_recipe(
        str(path), registry(), {key.replace("__", "."): value for key, value in overrides.items()}
    )


def refused(path: Path | str) -> str:
    with pytest.raises(ConfigError) as caught:
        load(path)
    return str(caught.value)


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("name", named_recipes(registry()))
def test_shipped_recipes_load_and_say_what_they_are(name: str) -> None:
    made = load(name)
    assert structure(to_plain(made, registry()), Recipe, registry(), name) == made
    assert named_recipes(registry())[name].summary


def test_the_default_is_three_modal_feathernet_on_simulated_data() -> None:
    made = load(DEFAULT)
    assert made.data.name == "synthetic"
    assert made.modalities == ("rgb", "depth", "ir")
    assert made.model.fusion.name == "concat_linear"


def test_extends_is_merged_over_a_shipped_recipe(tmp_path: Path) -> None:
    made = load(write(tmp_path / "mine.yaml", "extends: quickstart\ntrain: {lr: 0.5}\n"))
    parent = load("quickstart")
    assert made.train.lr == 0.5
    assert made.train.epochs == parent.train.epochs
    assert made.model == parent.model


def test_a_chain_is_relative_to_each_file(tmp_path: Path) -> None:
    (tmp_path / "base").mkdir()
    write(tmp_path / "base" / "root.yaml", "train: {lr: 0.5, epochs: 7}\nmodalities: [rgb]\n")
    write(tmp_path / "base" / "middle.yaml", "extends: root.yaml\ntrain: {epochs: 8}\n")
    made = load(write(tmp_path / "leaf.yaml", "extends: base/middle.yaml\nmodalities: [ir]\n"))
    assert (made.train.lr, made.train.epochs, made.modalities) == (0.5, 8, ("ir",))


def test_a_chain_that_ends_in_itself_is_refused(tmp_path: Path) -> None:
    write(tmp_path / "a.yaml", "extends: b.yaml\n")
    write(tmp_path / "b.yaml", "extends: a.yaml\n")
    message = refused(tmp_path / "a.yaml")
    assert (
        message
        == f"{tmp_path / 'a.yaml'}: extends itself through {tmp_path / 'a.yaml'} -> {tmp_path / 'b.yaml'}"
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("- a\n- b\n", "{path}: a recipe must be a mapping"),
        ("", "{path}: a recipe must be a mapping"),
        ("just text", "{path}: a recipe must be a mapping"),
        ("train: {lr: 1\nloss: focal\n", "{path}:2: not YAML: "),
        ("\ttrain: 1\n", "{path}:1: not YAML: "),
        ("train: {lr: 1}\nloss: focal\ntrain: {lr: 2}\n", "{path}:3: not YAML: 'train' is given twice"),
        ("train:\n  lr: 1\n  lr: 2\n", "{path}:3: not YAML: 'lr' is given twice"),
        ("? [a]\n: 1\n", "{path}:1: not YAML: found unhashable key"),
        ("a: !!python/object:os.system 1\n", "{path}:1: not YAML: could not determine a constructor"),
        ("extends: [a, b]\n", "{path}: extends: must name one recipe: ['a', 'b']"),
        (f"extends: {'x' * 300}\n", f"recipe '{'x' * 57}...': cannot be read: File name too long"),
        (
            "extends: quickstrat\n",
            "recipe 'quickstrat': neither a shipped recipe nor a file (did you mean 'quickstart'?)",
        ),
    ],
)
def test_files_that_are_no_recipes(tmp_path: Path, text: str, message: str) -> None:
    path = write(tmp_path / "x.yaml", text)
    found = refused(path)
    assert found.startswith(message.format(path=path))
    assert "\n" not in found


def test_bytes_that_are_no_text(tmp_path: Path) -> None:
    (tmp_path / "x.yaml").write_bytes(b"\xff\xfe\x00")
    assert refused(tmp_path / "x.yaml").startswith(f"{tmp_path / 'x.yaml'}: not a text file in UTF-8")


@pytest.mark.parametrize("name", ["nowhere.yaml", "."])
def test_a_recipe_that_is_nowhere(name: str) -> None:
    assert refused(name).startswith(f"recipe {name!r}: neither a shipped recipe nor a file (known: ")


def test_anchors_and_merge_keys_are_yaml_too(tmp_path: Path) -> None:
    text = (
        "loss: &focal {name: focal, gamma: 1}\nmodel: {normalize: {rgb: &n {std: [1, 1, 1]}, ir: {<<: *n}}}\n"
    )
    assert load(write(tmp_path / "x.yaml", text)).model.normalize["ir"].std == (1, 1, 1)


@pytest.mark.parametrize(
    ("base", "over", "merged"),
    [
        ({"a": {"b": 1, "c": 2}}, {"a": {"c": 3}}, {"a": {"b": 1, "c": 3}}),
        ({"a": {"b": 1}}, {"a": 5}, {"a": 5}),
        ({"a": [1, 2]}, {"a": [3]}, {"a": [3]}),
        ({}, {"a": {"b": 1}}, {"a": {"b": 1}}),
        # the same component keeps its options, another one does not inherit them
        ({"l": {"name": "x", "g": 1}}, {"l": {"g": 2}}, {"l": {"name": "x", "g": 2}}),
        ({"l": {"name": "x", "g": 1}}, {"l": {"name": "x", "h": 2}}, {"l": {"name": "x", "g": 1, "h": 2}}),
        ({"l": {"name": "x", "g": 1}}, {"l": {"name": "y"}}, {"l": {"name": "y"}}),
        ({"l": {"name": "x", "g": 1}}, {"l": "y"}, {"l": "y"}),
        ({"l": "x"}, {"l": {"g": 2}}, {"l": {"name": "x", "g": 2}}),
        ({"l": "x"}, {"l": {"name": "y", "g": 2}}, {"l": {"name": "y", "g": 2}}),
        # a backbone for each modality stands in the place of one for all, and the other way round
        (
            {"b": {"name": "net", "h": 1}},
            {"b": {"rgb": "net", "ir": {"name": "tiny"}}},
            {"b": {"rgb": "net", "ir": {"name": "tiny"}}},
        ),
        ({"b": {"rgb": "net", "ir": "tiny"}}, {"b": {"name": "net"}}, {"b": {"name": "net"}}),
        ({"b": {"rgb": "net", "ir": "tiny"}}, {"b": {"ir": "net"}}, {"b": {"rgb": "net", "ir": "net"}}),
        # an empty mapping replaces
        ({"n": {"rgb": {"m": 1}}}, {"n": {}}, {"n": {}}),
        ({"n": {"rgb": {"m": 1}, "ir": {"m": 2}}}, {"n": {"rgb": {}}}, {"n": {"rgb": {}, "ir": {"m": 2}}}),
        ({"a": 1}, {}, {"a": 1}),
        # options of listed components by their names; a whole list replaces the other
        (
            {"a": ["x", {"name": "y", "p": 1, "q": {"r": 2, "s": 3}}]},
            {"a": {"y": {"p": 5, "q": {"r": 4}}, "x": {"z": 6}}},
            {"a": [{"name": "x", "z": 6}, {"name": "y", "p": 5, "q": {"r": 4, "s": 3}}]},
        ),
        ({"a": ["x", {"name": "y"}]}, {"a": ["y"]}, {"a": ["y"]}),
        ({"a": []}, {"a": {"b": 1}}, {"a": {"b": 1}}),
        ({"a": {"b": 1}}, {"a": ["x"]}, {"a": ["x"]}),
    ],
)
def test_merging(base: dict[str, Any], over: dict[str, Any], merged: dict[str, Any]) -> None:
    before = repr((base, over))
    assert merge(base, over, {"net", "tiny"}) == merged
    assert repr((base, over)) == before


@pytest.mark.parametrize("change", [{"z": {"p": 1}}, {"y": 0.5}, {"x": {"p": 1}}, {"y": {"name": "x"}}])
def test_options_of_what_is_not_listed_once_are_refused(change: dict[str, Any]) -> None:
    message = r"^a is a list here \(x, y, x\): change an option of one, such as a\.x\.OPTION, or give a whole"
    with pytest.raises(ConfigError, match=message):
        merge({"a": ["x", {"name": "y"}, {"name": "x"}]}, {"a": change})


def test_a_changed_component_drops_the_old_ones_options(tmp_path: Path) -> None:
    path = write(tmp_path / "x.yaml", "extends: quickstart\nloss: cross_entropy\n")
    assert load(path).loss.options.smoothing == 0
    assert load("quickstart", loss__name="cross_entropy", loss__smoothing=0.1).loss.options.smoothing == 0.1
    assert load("quickstart", loss__gamma=1).loss.options.gamma == 1


def test_one_backbone_gives_way_to_one_for_each_modality(tmp_path: Path) -> None:
    each = "{rgb: feathernet_a, depth: {name: feathernet_b, head: linear}, ir: feathernet_b}"
    made = load(write(tmp_path / "x.yaml", f"extends: quickstart\nmodel: {{backbone: {each}}}\n"))
    assert isinstance(made.model.backbone, dict)
    assert [choice.name for choice in made.model.backbone.values()] == [
        "feathernet_a",
        "feathernet_b",
        "feathernet_b",
    ]


def test_options_without_a_name_are_the_default_components(tmp_path: Path) -> None:
    made = load(write(tmp_path / "x.yaml", "loss: {gamma: 1}\nmodel: {backbone: {head: linear}}\n"))
    assert (made.loss.name, made.loss.options.gamma) == ("focal", 1)
    assert isinstance(made.model.backbone, BackboneChoice)
    assert (made.model.backbone.name, made.model.backbone.options.head) == ("feathernet_b", "linear")


PER_MODALITY = """
model:
  backbone: {rgb: feathernet_a, depth: feathernet_b}
  normalize: {rgb: {mean: [0.1, 0.2, 0.3]}, depth: {std: [1, 1, 1]}}
  pretrained: {rgb: a.pth, depth: b.pth}
"""


@pytest.mark.parametrize("key", ["normalize", "pretrained"])
def test_an_empty_mapping_replaces_that_of_the_parent(tmp_path: Path, key: str) -> None:
    parent = write(tmp_path / "parent.yaml", PER_MODALITY)
    child = write(tmp_path / "child.yaml", f"extends: parent.yaml\nmodel: {{{key}: {{}}}}\n")
    for loaded in (load(child), load_recipe(str(parent), registry(), {f"model.{key}": {}})):
        assert getattr(loaded.model, key) == {}
        assert loaded == load_recipe(str(parent), registry(), {f"model.{key}": {}})
        assert loaded.model.backbone == load(parent).model.backbone


def test_an_empty_table_of_backbones_is_refused(tmp_path: Path) -> None:
    write(tmp_path / "parent.yaml", PER_MODALITY)
    child = write(tmp_path / "child.yaml", "extends: parent.yaml\nmodel: {backbone: {}}\n")
    assert refused(child) == (
        f"recipe {child}: model.backbone: must name a backbone, as NAME or {{name: NAME, ...}}: {{}}"
    )


@pytest.mark.parametrize(
    ("section", "keys"), [("resize", "crop"), ("model.patches", "grid, share"), ("train", "epochs, ")]
)
def test_an_empty_section_is_refused(tmp_path: Path, section: str, keys: str) -> None:
    child = write(
        tmp_path / "x.yaml", f"extends: feathernet-modal-fusion-patches\n{to_yaml(nest(section, {}))}"
    )
    expected = f"{section}: {{}} sets nothing: leave it out, or set some of its keys: {keys}"
    assert refused(child).startswith(f"recipe {child}: {expected}")
    with pytest.raises(ConfigError) as caught:
        load_recipe("feathernet-modal-fusion-patches", registry(), {section: {}})
    assert str(caught.value).startswith(f"recipe feathernet-modal-fusion-patches: {expected}")


def test_a_default_that_is_not_used_may_be_gone(tmp_path: Path) -> None:
    without = Registry(tuple(record for record in registry().records if record.name != "losses"))
    path = write(tmp_path / "x.yaml", "loss: nothing\n")
    with pytest.raises(ConfigError, match=r"x\.yaml: loss\.name: loss 'nothing': no plugin provides it$"):
        load_recipe(str(path), without)


def test_a_misspelt_backbone_of_several_is_told_as_such(tmp_path: Path) -> None:
    path = write(tmp_path / "x.yaml", "model: {backbone: {rgb: feathernet_x, ir: feathernet_b}}\n")
    with pytest.raises(ConfigError, match=r"model\.backbone\.rgb\.name: backbone 'feathernet_x': no plugin"):
        load(path)


def test_overrides_are_checked_like_the_file() -> None:
    with pytest.raises(
        ConfigError, match=r"^recipe quickstart: train.lrr: unknown key \(did you mean 'lr'\?\)$"
    ):
        load("quickstart", train__lrr=1)
    with pytest.raises(ConfigError, match=r"^recipe quickstart: threshold: must be text: "):
        load("quickstart", threshold__x=1)


@pytest.mark.parametrize(
    ("assignment", "parsed"),
    [
        ("train.lr=0.02", {"train.lr": 0.02}),
        ("train.lr=1e-3", {"train.lr": "1e-3"}),  # YAML 1.1; a number once it is structured
        ("modalities=[rgb, ir]", {"modalities": ["rgb", "ir"]}),
        ("loss={name: focal, gamma: 2}", {"loss": {"name": "focal", "gamma": 2}}),
        ("data.root=/a=b", {"data.root": "/a=b"}),
        ("threshold=", {"threshold": None}),
    ],
)
def test_set(assignment: str, parsed: dict[str, Any]) -> None:
    assert parse_sets([assignment]) == parsed


@pytest.mark.parametrize(
    "assignment", ["train.lr", "=1", "train..lr=1", ".lr=1", "train.=1", "", "a={b", "a=[1"]
)
def test_set_that_is_no_assignment(assignment: str) -> None:
    with pytest.raises(ConfigError, match=r"^--set '.*': ") as caught:
        parse_sets([assignment])
    assert "\n" not in str(caught.value)
