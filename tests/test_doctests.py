"""Every example in a docstring of the installed packages runs and gives what it shows."""

from __future__ import annotations

import doctest
import importlib
import pkgutil
from collections.abc import Iterator

import pytest

import fas_core
import fas_plugins
from fas_core import hookspecs
from fas_core.descriptors import KINDS


def modules() -> Iterator[str]:
    """Every module by its installed name; collecting files would import `plugins/` a second time."""
    for package in (fas_core, fas_plugins):
        yield package.__name__
        for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if not found.name.endswith(".__main__"):  # importing it runs the command line
                yield found.name


@pytest.mark.parametrize("name", list(modules()))
def test_examples(name: str) -> None:
    results = doctest.testmod(importlib.import_module(name), optionflags=doctest.ELLIPSIS)
    assert results.failed == 0


@pytest.mark.parametrize("hook", [kind.hook for kind in KINDS.values()])
def test_every_hook_has_an_example(hook: str) -> None:
    (found,) = doctest.DocTestFinder(recurse=False).find(getattr(hookspecs, hook))
    assert any("@hookimpl" in example.source for example in found.examples)
    assert any(example.want for example in found.examples)
