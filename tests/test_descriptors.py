"""Descriptors refuse what cannot work: names, targets, stages and options classes."""

from __future__ import annotations

import attrs
import pytest

from fas_core import Backbone, Command, Dataset, Detector, Exporter, Fusion, Loss, PluginError, Runtime
from fas_core.component import Component
from fas_core.config.components import DatasetChoice
from fas_core.descriptors import KINDS


@pytest.mark.parametrize("name", ["a", "focal", "cross_entropy", "r-50", "net2_b-3"])
def test_names(name: str) -> None:
    assert Loss(name=name, summary="", target="a.b:C").name == name


@pytest.mark.parametrize("name", ["", "Focal", "2net", "a b", "a.b", "a__b", "_a", "a-", "é"])
def test_names_that_are_none(name: str) -> None:
    with pytest.raises(
        PluginError, match=r"loss name .*: use lower-case letters and digits joined by '_' or '-'"
    ):
        Loss(name=name, summary="", target="a.b:C")


@pytest.mark.parametrize("target", ["", "a.b", "a.b.C", ":C", "a:", "a b:C", "a:b.c", "a/b:C"])
def test_targets_that_are_none(target: str) -> None:
    with pytest.raises(PluginError, match=r"backbone 'x': target .* must read 'package\.module:attribute'"):
        Backbone(name="x", summary="", target=target)


def test_a_fusion_takes_a_stage() -> None:
    with pytest.raises(PluginError, match="fusion 'x': takes 'scores', not one of"):
        Fusion(name="x", summary="", target="a:b", takes="scores")  # type: ignore[arg-type]


@pytest.mark.parametrize("suffixes", ["npz", (".NPZ",), ("npz",), ".npz", [".npz"], (3,)])
def test_suffixes_that_are_none(suffixes: object) -> None:
    for kind in (Runtime, Detector):
        with pytest.raises(PluginError, match=f"{kind.kind} 'x': suffixes must be"):
            kind(name="x", summary="", target="a:b", suffixes=suffixes)  # type: ignore[arg-type]


def test_a_runtime_has_a_suffix() -> None:
    with pytest.raises(PluginError, match="runtime 'x': suffixes must be"):
        Runtime(name="x", summary="", target="a:b", suffixes=())


def test_descriptors_cannot_be_changed() -> None:
    for made in (
        Dataset(name="x", summary="", target="a:b"),
        Exporter(name="x", summary="", target="a:b", suffix=".x"),
    ):
        with pytest.raises(AttributeError):
            made.name = "y"  # type: ignore[misc]


@pytest.mark.parametrize("options", [dict, 3, "focal", attrs.make_class("Options", [])()])
def test_options_that_are_not_an_attrs_class(options: object) -> None:
    with pytest.raises(PluginError, match=r"loss 'x': options .* must be an attrs class"):
        Loss(name="x", summary="", target="a:b", options=options)  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_no_kind_has_an_option_called_name(kind: type[Component]) -> None:
    required = {Fusion: {"takes": "logits"}, Exporter: {"suffix": ".x"}, Runtime: {"suffixes": (".x",)}}
    with pytest.raises(PluginError, match=f"{kind.kind} 'x': option 'name' has a meaning of its own"):
        kind(
            name="x",
            summary="",
            target="a:b",
            options=attrs.make_class("Options", ["scale", "name"]),
            **required.get(kind, {}),
        )


@pytest.mark.parametrize("option", ["name", "root", "held_out", "train_on_dev"])
def test_a_data_set_has_no_option_that_all_data_sets_have(option: str) -> None:
    with pytest.raises(PluginError, match=f"dataset 'x': option '{option}' has a meaning of its own"):
        Dataset(name="x", summary="", target="a:b", options=attrs.make_class("Options", [option]))


@pytest.mark.parametrize("option", ["root", "held_out", "train_on_dev", "names"])
def test_other_kinds_may_have_them(option: str) -> None:
    options = attrs.make_class("Options", [option])
    assert Loss(name="x", summary="", target="a:b", options=options).options is options


def test_the_reserved_names_are_those_of_recipes() -> None:
    assert set(Dataset.reserved) == {"name", *DatasetChoice.common_options()}


@pytest.mark.parametrize("name", ["Upload", "a b c", "config  upload", "config Upload", ""])
def test_a_command_cannot_have_such_a_name(name: str) -> None:
    with pytest.raises(PluginError, match="use lower-case letters"):
        Command(name=name, summary="", target="a:b")
