"""Components as recipes name them: found among the installed ones, with options, on data."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from attrs import evolve

from fas_core.component import Component
from fas_core.config.structure import structure
from fas_core.contracts import DatasetReader
from fas_core.data.open import open_choice, resolve_dataset
from fas_core.descriptors import Dataset
from fas_core.registry import registry

C = TypeVar("C", bound=Component)
T = TypeVar("T")


def find_component(kind: type[C], name: str) -> C:
    """Return the descriptor of an installed component, e.g. `find_component(Fusion, "cdcn")`.

    Its `load()` is the target, and `call(options, ...)` calls it.

    Raises:
        PluginError: no plugin provides it, or several do; `distribution:name` picks one.
    """
    return registry().find(kind, name)


def read_options(options: type[T], values: Mapping[str, Any] | None = None) -> T:
    """Return an instance of an options class with the values of a recipe, e.g. `{"network": "cdcn"}`.

    Raises:
        ConfigError: a key is unknown, a value is wrong, or an option without default is not given.
    """
    return structure(dict(values or {}), options, registry(), options.__name__)


def open_dataset(data: str | Path | Dataset, root: Path | None = None, /, **options: Any) -> DatasetReader:
    """Open a data set with the options of a recipe, and make its data where it does so.

    Args:
        data: a data set as `--data` takes it (NAME, NAME:ROOT, a folder of a known layout, a manifest), or a
            descriptor, installed or not.
        root: the folder or file of one that is given by name or descriptor.

    Raises:
        DataError: no data set fits, or its data cannot be read.
        ConfigError: the data set does not take these options.
    """
    if isinstance(data, Dataset):
        reader: DatasetReader = data.call(read_options(data.options, options), root=root)
        with data.naming_failures():
            reader.prepare()
        return reader
    choice = resolve_dataset(str(data), options, registry())
    return open_choice(choice if root is None else evolve(choice, root=root), registry())
