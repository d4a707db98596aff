"""What users are told of a component's options, and the recipe that shows them."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any, Literal

import pytest
import yaml
from attrs import NOTHING, Factory, field, fields, frozen
from attrs import validators as v

from fas_core import Loss
from fas_core.component import Component
from fas_core.config.components import BackboneChoice
from fas_core.config.examples import write_example
from fas_core.config.option_docs import OptionDoc, describe_options
from fas_core.config.recipe import Recipe
from fas_core.config.structure import structure
from fas_core.descriptors import Exporter
from fas_core.package_files import PackageFile
from fas_core.registry import registry
from fas_core.remembered_kinds import Command, Detector, Runtime

PLUGINS = registry()
"""Held, because other tests have plugins found anew, and components are told apart by identity."""
COMPONENTS = [item for record in PLUGINS.records for item in record.components]
WITH_OPTIONS = [item for item in COMPONENTS if not isinstance(item, Command | PackageFile)]
IN_RECIPES = [item for item in WITH_OPTIONS if not isinstance(item, Exporter | Detector | Runtime)]
COMPLETE = [
    item for item in IN_RECIPES if all(option.default is not NOTHING for option in fields(item.options))
]
"""Those whose options all have a default."""


def check_even(_: object, attribute: Any, value: int) -> None:
    """Check that it is even.

    Raises ValueError for others.
    """
    if value % 2:
        raise ValueError(f"'{attribute.name}' must be even: {value}")


@frozen
class Base:
    """Options that others share.

    Args:
        scale: a factor, which
            continues on a line of its own: so.
    """

    scale: float = field(default=1.0, validator=[v.gt(0), v.le(10)])


@frozen
class Options(Base):
    """Options.

    Args:
        mode: how.
        path: where to.

    Notes: mode: is not read from here.
    """

    mode: Literal["a", "b"] = "a"
    path: Path | None = None
    count: int = field(default=2, validator=check_even)
    words: tuple[str, ...] = field(
        factory=lambda: ("x",), validator=[v.min_len(1), v.deep_iterable(v.matches_re("x+"))]
    )
    size: tuple[int, int] = (3, 4)
    factors: dict[str, float] = field(factory=dict)
    limit: float | None = field(default=None, validator=v.optional(v.and_(v.gt(0), v.lt(9))))
    one: str = field(default="p", validator=v.in_(("p", "q")))
    flag: bool = False
    twice: int = field(default=Factory(lambda self: self.count * 2, takes_self=True))
    network: BackboneChoice = field(factory=lambda: BackboneChoice("cdcn"))
    given: Any = field(kw_only=True)


DOCS = [
    ("scale", "float", "1.0", "> 0; <= 10", "a factor, which continues on a line of its own: so."),
    ("mode", "a or b", "a", "", "how."),
    ("path", "path or null", "null", "", "where to."),
    ("count", "int", "2", "it is even", ""),
    ("words", "list of text", "[x]", "at least 1 long; each matches x+", ""),
    ("size", "list of 2 int", "[3, 4]", "", ""),
    ("factors", "mapping of text to float", "{}", "", ""),
    ("limit", "float or null", "null", "> 0; < 9", ""),
    ("one", "text", "p", "one of p, q", ""),
    ("flag", "true or false", "false", "", ""),
    ("twice", "int", "computed", "", ""),
    ("network", "backbone", "{name: cdcn}", "", ""),
    ("given", "any value", "required", "", ""),
]


def test_every_option_has_its_type_default_rule_and_meaning() -> None:
    loss = Loss(name="mine", summary="", target="a:b", options=Options)
    assert describe_options(loss, PLUGINS) == [OptionDoc(*doc) for doc in DOCS]


@pytest.mark.parametrize("component", WITH_OPTIONS, ids=str)
def test_every_installed_option_says_what_it_means(component: Component) -> None:
    docs = describe_options(component, PLUGINS)
    assert [doc.name for doc in docs] == [item.name for item in fields(component.options)]
    for doc, item in zip(docs, fields(component.options), strict=True):
        assert doc.meaning, f"{component}: {doc.name}"
        told = doc.rule or not inspect.isfunction(item.validator)
        assert told, f"{component}: {doc.name} has a rule that nobody is told"


@pytest.mark.parametrize("component", COMPLETE, ids=str)
def test_the_example_is_a_recipe_that_chooses_the_component(component: Component) -> None:
    tree = yaml.safe_load(write_example(component, PLUGINS))
    recipe = structure(tree, Recipe, PLUGINS, "example")
    chosen = [item for item in recipe.choices() if item.component is type(component)]
    assert component.name in {item.name for item in chosen}


def test_what_no_recipe_chooses_has_no_example() -> None:
    (exporter, *_) = PLUGINS.all(Exporter)
    assert write_example(exporter, PLUGINS) == ""
