"""Components chosen by name: qualified, absent, and with options that fail."""

from __future__ import annotations

from typing import Any

import pytest
from fixtures.strangers import Here, hooks

from fas_core import ConfigError, Loss, Metric, PluginError
from fas_core.component import Component
from fas_core.config.components import AbsentOptions
from fas_core.config.load import load_recipe, to_plain
from fas_core.config.recipe import Recipe
from fas_core.config.structure import structure
from fas_core.console import console
from fas_core.registry import registry

ABSENT = {"name": "gap", "scale": 2}
OPTIONS = "from attrs import field, frozen\n@frozen\nclass Options:\n    width: int = 1\n"
METRIC = "Metric(name='gap', summary='', target='acme_fas:gap', options=Options)"


def run_recipe(tree: dict[str, Any]) -> Recipe:
    """Structure a recipe as a run's is."""
    return structure(tree, Recipe, registry(), "run", absent=(Component,))


@pytest.mark.parametrize(
    "tree",
    [
        {"loss": ABSENT},
        {"metrics": ["acc", ABSENT]},
        {"model": {"backbone": {"rgb": ABSENT, "depth": "cdcn", "ir": "cdcn"}}},
        {"model": {"fusion": ABSENT}},
        {"data": ABSENT | {"root": "/data", "train_on_dev": True}},
    ],
)
def test_a_run_keeps_what_it_says_of_absent_components(tree: dict[str, Any]) -> None:
    recipe = run_recipe(tree)
    absent = [choice for choice in recipe.choices() if choice.absence]
    assert [choice.name for choice in absent] == ["gap"]
    assert "no plugin provides it" in absent[0].absence
    plain = to_plain(recipe, registry())
    again = run_recipe(plain)
    assert to_plain(again, registry()) == plain
    assert "scale" in str(plain)


def test_elsewhere_an_absent_component_is_an_error() -> None:
    with pytest.raises(ConfigError, match=r"loss.name: loss 'gap': no plugin provides it"):
        structure({"loss": ABSENT}, Recipe, registry(), "recipe", absent=(Metric,))


def test_a_recipe_with_an_absent_metric_loads_with_a_warning(capsys: pytest.CaptureFixture[str]) -> None:
    console.reset()
    recipe = load_recipe("quickstart", registry(), {"metrics": ["acc", ABSENT]})
    assert isinstance(recipe.metrics[1].options, AbsentOptions)
    warning = capsys.readouterr().err
    assert warning.startswith("warning: metric 'gap': no plugin provides it")
    assert warning.count("\n") == 1


def test_a_qualified_name_stays_as_it_is_written() -> None:
    recipe = load_recipe("quickstart", registry(), {"loss": {"name": "fas-core:focal", "gamma": 2}})
    assert recipe.loss.name == "fas-core:focal"
    assert to_plain(recipe, registry())["loss"] == {"name": "fas-core:focal", "gamma": 2.0, "alpha": None}
    assert registry().find(Loss, recipe.loss.name).name == "focal"


def test_backbones_by_modality_may_have_qualified_names() -> None:
    backbones = dict.fromkeys(("rgb", "depth", "ir"), "fas-core:feathernet_a")
    recipe = load_recipe("quickstart", registry(), {"model.backbone": backbones})
    assert isinstance(recipe.model.backbone, dict)
    assert recipe.model.backbone["ir"].name == "fas-core:feathernet_a"


def test_a_metric_of_a_run_whose_plugin_changed_its_options_is_absent(here: Here) -> None:
    here.install("acme-fas", OPTIONS + hooks(metrics=METRIC))
    (metric,) = run_recipe({"metrics": [ABSENT]}).metrics
    assert metric.absence == (
        "metric 'gap' of acme-fas 1.5: its options do not fit any more: scale: unknown key (known: width)"
    )
    with pytest.raises(ConfigError, match=r"metrics\[0\].scale: unknown key"):
        load_recipe("quickstart", registry(), {"metrics": [ABSENT]})


def test_options_that_raise_are_named(here: Here) -> None:
    options = OPTIONS.replace("= 1", "= field(default=1, validator=lambda *_: 1 / 0)")
    here.install("acme-fas", options + hooks(metrics=METRIC))
    with pytest.raises(PluginError, match=r"^metric 'gap' of acme-fas 1.5 failed: ZeroDivisionError.*py:4\)"):
        load_recipe("quickstart", registry(), {"metrics": [{"name": "gap", "width": 2}]})
