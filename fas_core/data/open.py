"""From what a user calls a data set to its reader: NAME, NAME:ROOT, a folder or a manifest file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from attrs import evolve

from fas_core.config.recipe import DatasetChoice
from fas_core.config.structure import structure
from fas_core.contracts import DatasetReader
from fas_core.data.folds import Folds
from fas_core.data.train_on_dev import TrainOnDev
from fas_core.descriptors import Dataset
from fas_core.errors import DataError, suggest_closest
from fas_core.registry import Registry


def open_dataset(spec: str, options: Mapping[str, Any] | None, registry: Registry) -> DatasetReader:
    """The reader of what `spec` names, with its data made where the data set makes it.

    Args:
        spec: `NAME`, `NAME:ROOT`, a manifest file, or a folder whose layout is recognised.
        options: of the data set, by name, as a recipe has them.

    Raises:
        DataError: nothing, or more than one data set, fits `spec`; or reading refuses the data.
        ConfigError: the data set does not take these options.
    """
    return open_choice(choose(spec, options, registry), registry)


def choose(spec: str, options: Mapping[str, Any] | None, registry: Registry) -> DatasetChoice:
    """What `open_dataset` would open, as a recipe says it; raises as it does."""
    component, root = recognise(spec, registry)
    made = structure(dict(options or {}), component.options, registry, component.name)
    return DatasetChoice(component.name, made, root)


def choose_instead(
    spec: str, own: DatasetChoice, registry: Registry, protocols: Mapping[str, str] | None = None
) -> DatasetChoice:
    """What `spec` names in place of a recipe's own, which keeps its options wherever it now lies.

    Args:
        spec: as `open_dataset` takes it.
        own: the recipe's.
        registry: of the data sets.
        protocols: `{data set: protocol}`, of those of which another than the default (or own) one is meant.

    Raises:
        DataError: as `choose`.
        ConfigError: the data set has no such protocol.
    """
    component, root = recognise(spec, registry)
    is_own, told = component.name == own.name, (protocols or {}).get(component.name)
    if is_own and told is None:
        return evolve(own, root=root or own.root)
    chosen = choose(spec, None if told is None else {"protocol": told}, registry)
    return evolve(chosen, root=chosen.root or own.root) if is_own else chosen


def open_choice(choice: DatasetChoice, registry: Registry, *, make: bool = True) -> DatasetReader:
    """The reader of a recipe's data set, with its data made where the data set makes it.

    Args:
        choice: the recipe's.
        registry: of the data sets.
        make: whether data that the data set makes are made when they are not there yet.

    Raises:
        DataError: there is no such root, or reading refuses the data.
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
        reader = TrainOnDev(reader)
    if (held_out := choice.held_out) is None:
        return reader
    return Folds(reader, held_out.by, held_out.folds, held_out.seed).holding_out(held_out.fold)


def recognise(spec: str, registry: Registry) -> tuple[Dataset, Path | None]:
    """The data set that `spec` names or whose layout its root has, and the root if one was given.

    Raises:
        DataError: it is none, or more than one.
    """
    known = _names(registry)
    name, colon, root = spec.partition(":")
    if name in known:
        return registry.find(Dataset, name), Path(root).expanduser() if colon else None
    path = Path(spec).expanduser()
    if not path.exists():
        raise DataError(f"{spec}: neither a data set{suggest_closest(name, known)} nor a file or folder")
    fitting = layouts(path, registry)
    if len(fitting) > 1:
        forms = " or ".join(f"{item.name}:{spec}" for item in fitting)
        raise DataError(f"{spec}: looks like more than one data set: write {forms}")
    if not fitting:
        raise DataError(
            f"{spec}: looks like no known data set: write NAME:{spec}, where NAME is one of "
            f"{', '.join(sorted(known))}"
        )
    return fitting[0], path


def is_unknown_folder(spec: str, registry: Registry) -> bool:
    """Whether `spec` is a folder without any known layout, such as one of loose photos."""
    path = Path(spec).expanduser()
    return path.is_dir() and spec not in _names(registry) and not layouts(path, registry)


def layouts(root: Path, registry: Registry) -> list[Dataset]:
    """The data sets whose layout a root has, by name."""
    names = {component.name for component in registry.all(Dataset) if _fits(component, root)}
    return [registry.find(Dataset, name) for name in sorted(names)]


def _names(registry: Registry) -> set[str]:
    return {component.name for component in registry.all(Dataset)}


def _fits(component: Dataset, root: Path) -> bool:
    if root.is_file():
        return root.suffix.lower() in component.suffixes
    return any(next(root.glob(marker), None) is not None for marker in component.markers)
