"""Opening the data set that a user names: NAME, NAME:ROOT, a folder or a manifest file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from attrs import evolve

from fas_core.config.recipe import DatasetChoice
from fas_core.config.structure import structure
from fas_core.contracts import DatasetReader
from fas_core.data.folds import FoldAssignment
from fas_core.data.train_on_dev import DevMergedDataset
from fas_core.descriptors import Dataset
from fas_core.errors import DataError, suggest_closest
from fas_core.registry import Registry


def open_dataset(spec: str, options: Mapping[str, Any] | None, registry: Registry) -> DatasetReader:
    """Open the data set that `spec` names, and make its data where the data set does so.

    Args:
        spec: `NAME`, `NAME:ROOT`, a manifest file, or a folder whose layout is recognised.
        options: the data set's options, as in a recipe.

    Raises:
        DataError: no data set, or more than one, fits `spec`; or the data cannot be read.
        ConfigError: the data set does not take these options.
    """
    return open_choice(resolve_dataset(spec, options, registry), registry)


def resolve_dataset(spec: str, options: Mapping[str, Any] | None, registry: Registry) -> DatasetChoice:
    """Return the recipe entry of what `open_dataset` would open; raises as it does."""
    component, root = identify_dataset(spec, registry)
    structured = structure(dict(options or {}), component.options, registry, component.name)
    return DatasetChoice(component.name, structured, root)


def replace_dataset(
    spec: str, choice: DatasetChoice, registry: Registry, protocols: Mapping[str, str] | None = None
) -> DatasetChoice:
    """Return the recipe entry of `spec`, to use in place of a recipe's `choice`.

    Where `spec` names the recipe's own data set, its options and, unless `spec` has a root, its root stay.

    Args:
        spec: as `open_dataset` takes it.
        choice: the recipe's.
        protocols: `{data set: protocol}` to use instead of the recipe's or the default protocol.

    Raises:
        DataError: as `resolve_dataset`.
        ConfigError: the data set has no such protocol.
    """
    component, root = identify_dataset(spec, registry)
    same, protocol = component.name == choice.name, (protocols or {}).get(component.name)
    if same and protocol is None:
        return evolve(choice, root=root or choice.root)
    other = resolve_dataset(spec, None if protocol is None else {"protocol": protocol}, registry)
    return evolve(other, root=other.root or choice.root) if same else other


def open_choice(choice: DatasetChoice, registry: Registry, *, make: bool = True) -> DatasetReader:
    """Open a recipe's data set and, where `make` and the data set does so, make its data.

    Raises:
        DataError: the root is missing, or the data cannot be read.
    """
    component = registry.find(Dataset, choice.name)
    if not component.makes:
        if choice.root is None:
            raise DataError(f"data set {choice.name!r}: say where it lies, as {choice.name}:ROOT")
        if not choice.root.exists():
            raise DataError(f"{choice.root}: no such file or folder, given as the root of {choice.name!r}")
    reader: DatasetReader = component.load()(choice.options, root=choice.root)
    if make:
        reader.prepare()
    if choice.train_on_dev:
        reader = DevMergedDataset(reader)
    if (held_out := choice.held_out) is None:
        return reader
    return FoldAssignment(reader, held_out.by, held_out.folds, held_out.seed).hold_out(held_out.fold)


def identify_dataset(spec: str, registry: Registry) -> tuple[Dataset, Path | None]:
    """Return the data set that `spec` names or whose layout its root has, and the root if it has one.

    Raises:
        DataError: no data set fits, or more than one.
    """
    names = _names(registry)
    name, colon, root = spec.partition(":")
    if name in names:
        return registry.find(Dataset, name), Path(root).expanduser() if colon else None
    path = Path(spec).expanduser()
    if not path.exists():
        raise DataError(f"{spec}: neither a data set{suggest_closest(name, names)} nor a file or folder")
    matches = match_layouts(path, registry)
    if len(matches) > 1:
        forms = " or ".join(f"{component.name}:{spec}" for component in matches)
        raise DataError(f"{spec}: looks like more than one data set: write {forms}")
    if not matches:
        raise DataError(
            f"{spec}: looks like no known data set: write NAME:{spec}, where NAME is one of "
            f"{', '.join(sorted(names))}"
        )
    return matches[0], path


def is_unknown_folder(spec: str, registry: Registry) -> bool:
    """Whether `spec` is a folder without any known layout, such as one of loose photos."""
    path = Path(spec).expanduser()
    return path.is_dir() and spec not in _names(registry) and not match_layouts(path, registry)


def match_layouts(root: Path, registry: Registry) -> list[Dataset]:
    """Return the data sets whose layout a root has, by name."""
    names = {component.name for component in registry.all(Dataset) if _has_layout(root, component)}
    return [registry.find(Dataset, name) for name in sorted(names)]


def _names(registry: Registry) -> set[str]:
    return {component.name for component in registry.all(Dataset)}


def _has_layout(root: Path, component: Dataset) -> bool:
    if root.is_file():
        return root.suffix.lower() in component.suffixes
    return any(next(root.glob(marker), None) is not None for marker in component.markers)
