"""What a shell can complete an argument to: recipes, runs, models, data sets, components, keys of a recipe.

Nothing here imports torch, reads a data set or opens a model: a completion has a fraction of a second.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from click import Context, Parameter
from click.shell_completion import CompletionItem

from fas_core.component import Component
from fas_core.registry import registry

Items = list[CompletionItem[str]]
Complete = Callable[[Context, Parameter, str], Items]

FILES = CompletionItem("", type="file")
"""Asks the shell for files, where nothing else fits. It comes first: bash forgets what came before it."""

DEPTH = 3
"""Levels of folders in which runs are looked for: `runs`, the runs, and those of a group."""


def complete_component(kind: str) -> Complete:
    """Return the completion of the names of a kind of component, such as `backbone`."""

    def complete(_: Context, __: Parameter, incomplete: str) -> Items:
        from fas_core.descriptors import KINDS  # slow to import, and needed for a shell's question alone

        return _select(_summaries(KINDS[kind]), incomplete)

    return complete


def complete_any(_: Context, __: Parameter, incomplete: str) -> Items:
    """Complete the name of a component of any kind."""
    from fas_core.descriptors import KINDS

    summaries = {name: text for kind in KINDS.values() for name, text in _summaries(kind).items()}
    return _select(summaries, incomplete)


def complete_recipe(_: Context, __: Parameter, incomplete: str) -> Items:
    """Complete the name of a recipe, or the path of a file."""
    from fas_core.config.load import named_recipes

    recipes = named_recipes(registry())
    return [FILES, *_select({name: recipe.summary for name, recipe in recipes.items()}, incomplete)]


def complete_run(_: Context, __: Parameter, incomplete: str) -> Items:
    """Complete the path of a run, or of a group of runs."""
    return [FILES, *_select(dict.fromkeys(_find_runs(), ""), incomplete)]


def complete_model(_: Context, __: Parameter, incomplete: str) -> Items:
    """Complete a run, an exported model here or in a run's folder, or a fetched public model."""
    models = [*_find_models(), *_find_runs()]
    return [FILES, *_select(dict.fromkeys(models, "") | _fetched_models(), incomplete)]


def complete_dataset(_: Context, __: Parameter, incomplete: str) -> Items:
    """Complete the name of a data set, after `NAME:` its folder, or the path of a file or folder."""
    from fas_core.descriptors import Dataset

    name, colon, root = incomplete.partition(":")
    if not colon:
        return [FILES, *_select(_summaries(Dataset), incomplete)]
    return _select({f"{name}:{folder}": "" for folder in _find_folders(root)}, incomplete)


def complete_public_model(_: Context, __: Parameter, incomplete: str) -> Items:
    """Complete the name of a public model."""
    from fas_core.runtime.public_model import read_catalogues

    models = read_catalogues(registry())
    return _select({name: model.summary for name, model in models.items()}, incomplete)


def complete_set(_: Context, __: Parameter, incomplete: str) -> Items:
    """Complete the `KEY=` of a recipe's value, and after it the name of a component."""
    from fas_core.config.recipe import Recipe

    keys = dict(_walk(Recipe(), ""))
    key, equals, start = incomplete.partition("=")
    if not equals:
        return _select({f"{name}=": "" for name in keys}, incomplete)
    kind = keys.get(key)
    return [] if kind is None else _select(_summaries(kind), start, before=f"{key}=")


def _walk(section: Any, prefix: str) -> Iterator[tuple[str, type[Component] | None]]:
    """Yield the keys of a section of the recipe, each with the kind of component that it names, or None."""
    from attrs import fields

    from fas_core.config.components import Choice
    from fas_core.config.plain import SECTION

    for item in fields(type(section)):
        value, key = getattr(section, item.name), f"{prefix}{item.name}"
        if SECTION in item.metadata and value is not None:
            yield from _walk(value, f"{key}.")
        else:
            yield key, value.component if isinstance(value, Choice) else None


def _summaries(kind: type[Component]) -> dict[str, str]:
    plugins = registry()
    return {plugins.name_of(item): item.summary for item in plugins.all(kind)}


def _select(summaries: Mapping[str, str], incomplete: str, *, before: str = "") -> Items:
    """Return the names that begin with what was typed, with what they are."""
    return [
        CompletionItem(before + name, help=summary or None)
        for name, summary in sorted(summaries.items())
        if name.startswith(incomplete)
    ]


def _find_runs() -> Iterator[str]:
    """Yield the runs and groups of runs in the folder `runs`."""
    from fas_core.runs.files import holds_runs

    for depth in range(1, DEPTH):
        for path in Path("runs").glob("/".join("*" * depth)):
            if path.is_dir() and holds_runs(path):
                yield str(path)


def _find_models() -> Iterator[str]:
    """Yield the files in this folder, in `runs` and in its runs that a runtime opens."""
    from fas_core.data.model_formats import find_runtime

    for pattern in ("*.*", "runs/*.*", "runs/*/*.*"):
        for path in Path().glob(pattern):
            if path.is_file() and find_runtime(path) is not None:
                yield str(path)


def _fetched_models() -> dict[str, str]:
    from fas_core.data.fetched_models import PREFIX, fetched_models_folder, is_public_model

    return {f"{PREFIX}{path.name}": "" for path in fetched_models_folder().glob("*") if is_public_model(path)}


def _find_folders(start: str) -> Iterable[str]:
    """Yield the files and folders whose paths begin with what was typed."""
    folder, slash, _ = start.rpartition("/")
    return (f"{folder}{slash}{path.name}" for path in Path(f"{folder}{slash}").expanduser().glob("*"))
