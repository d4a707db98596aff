"""The page of every component that comes with fas, and its options."""

from __future__ import annotations

from fas_core.component import Component
from fas_core.config.option_docs import describe_options
from fas_core.descriptors import KINDS
from fas_core.package_files import PackageFile, RecipeFile
from fas_core.registry import registry
from fas_core.remembered_kinds import Command
from generate.markdown import escape, write_option

INTRODUCTION = """# Components

What `fas` comes with, by kind, made from the plugins themselves. A recipe chooses a component by its
name, with options beside it: `loss: {name: focal, gamma: 2}`. `fas plugins list` lists those of other
plugins too, and `fas plugins show NAME` has a recipe with each. A [page for each kind](../plugins.md)
says how to write one.
"""


def write_components_page() -> str:
    """Return the page; components of other distributions than fas-core are left out."""
    texts = [INTRODUCTION]
    for kind, descriptor in KINDS.items():
        if descriptor is Command:
            continue
        own = [item for item in registry().all(descriptor) if item.provider and item.provider.is_core]
        if not own:
            continue
        texts.append(f"## Kind: {kind}\n")
        texts += [_write_recipe(item) if isinstance(item, RecipeFile) else _write(item) for item in own]
    return "\n".join(texts)


def _write_recipe(item: Component) -> str:
    return f"`{item.name}`\n:   {escape(item.summary)}\n"


def _write(item: Component) -> str:
    source = f" Source: {escape(item.source)}." if item.source else ""
    lines = [f"### `{item.name}`\n\n{escape(item.summary.rstrip('.'))}.{source}\n"]
    if not isinstance(item, PackageFile):
        lines += [write_option(option.name, option) for option in describe_options(item, registry())]
    return "\n".join(lines)
