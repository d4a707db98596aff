"""Opening the data set that a user names: NAME, NAME:ROOT, a folder or a manifest file."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from attrs import evolve, fields, frozen

from fas_core.config.components import DatasetChoice
from fas_core.config.structure import structure
from fas_core.contracts import DatasetReader
from fas_core.data.folds import FoldAssignment
from fas_core.data.listing import is_noise
from fas_core.descriptors import Dataset
from fas_core.errors import DataError, PluginError, format_list, suggest_closest
from fas_core.records.samples import ATTACK, LIVE, SampleTable, concat
from fas_core.registry import Registry
from fas_core.scores.label_words import KNOWN_CLASSES, KNOWN_SPLITS, parse_class, parse_split
from fas_core.user_paths import expand_user

FOLDER_WORDS: dict[str, Callable[[str], bool]] = {
    "{class}": lambda name: parse_class(name) is not None,
    "{split}": lambda name: parse_split(name) is not None,
}
"""Placeholders in the markers of data sets, and whether a folder's name fits."""


def open_dataset(spec: str, options: Mapping[str, Any] | None, registry: Registry) -> DatasetReader:
    """Open the data set that `spec` names, with options as in a recipe; make its data where it does so.

    Raises:
        DataError: no data set, or more than one, fits `spec`; or the data cannot be read.
        ConfigError: the data set does not take these options.
    """
    return open_choice(resolve_dataset(spec, options, registry), registry)


def open_manifest(path: Path, modalities: Sequence[str], registry: Registry) -> DatasetReader:
    """Open a manifest whose image columns have the names of these modalities; raises as `open_dataset`."""
    component, _ = identify_dataset(str(path), registry)
    options = {"modalities": list(dict.fromkeys(modalities))} if _takes_modalities(component) else None
    return open_dataset(str(path), options, registry)


def resolve_dataset(spec: str, options: Mapping[str, Any] | None, registry: Registry) -> DatasetChoice:
    """Return the recipe entry of what `open_dataset` would open; raises as it does."""
    component, root = identify_dataset(spec, registry)
    structured = structure(dict(options or {}), component.options, registry, component.name)
    return DatasetChoice(registry.name_of(component), structured, root)


def replace_dataset(
    spec: str,
    choice: DatasetChoice | None,
    registry: Registry,
    protocols: Mapping[str, str] | None = None,
) -> DatasetChoice:
    """Return the recipe entry of `spec`, to use in place of a recipe's `choice`, if there is one.

    Where `spec` names the recipe's own data set, its options and, unless `spec` has a root, its root stay.
    Another folder or manifest has the recipe's names of modalities, if these are an option of its data set.
    `protocols` are `{data set: protocol}` to use instead of the recipe's or the default protocol.

    Raises:
        DataError: as `resolve_dataset`.
        ConfigError: the data set has no such protocol.
    """
    component, root = identify_dataset(spec, registry)
    if choice is None:
        protocol = (protocols or {}).get(registry.name_of(component))
        return resolve_dataset(spec, None if protocol is None else {"protocol": protocol}, registry)
    same = choice.name in (component.name, component.qualified_name)
    protocol = (protocols or {}).get(registry.name_of(component))
    if same and protocol is None:
        return evolve(choice, root=root or choice.root)
    options: dict[str, Any] = {} if protocol is None else {"protocol": protocol}
    if not same and _takes_modalities(component) and (names := getattr(choice.options, "modalities", None)):
        options["modalities"] = list(names)
    other = resolve_dataset(spec, options, registry)
    return evolve(other, root=other.root or choice.root) if same else other


def open_choice(choice: DatasetChoice, registry: Registry, *, make: bool = True) -> DatasetReader:
    """Open a recipe's data set and, where `make` and the data set does so, make its data.

    Raises:
        DataError: the root is missing, or the data cannot be read.
    """
    if choice.absence:
        raise PluginError(choice.absence)
    component = registry.find(Dataset, choice.name)
    if not component.makes:
        if choice.root is None:
            raise DataError(f"data set {choice.name!r}: say where it lies, as {choice.name}:ROOT")
        if not choice.root.exists():
            raise DataError(f"{choice.root}: no such file or folder, given as the root of {choice.name!r}")
    reader: DatasetReader = component.call(choice.options, root=choice.root)
    if make:
        with component.naming_failures():
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
    names = registry.names(Dataset)
    name, root = registry.split_name(Dataset, spec)
    if name in names:
        return registry.find(Dataset, name), None if root is None else expand_user(root)
    path = expand_user(spec)
    if not path.exists():
        suggestion = suggest_closest(name, _names(registry))
        raise DataError(f"{spec}: neither a data set{suggestion} nor a file or folder")
    matches = match_layouts(path, registry)
    if len(matches) > 1:
        forms = " or ".join(f"{registry.name_of(component)}:{spec}" for component in matches)
        raise DataError(f"{spec}: looks like more than one data set: write {forms}")
    if not matches:
        form = f"NAME:{spec}, where NAME is one of {', '.join(sorted(_names(registry)))}"
        raise DataError(f"{spec}: {_describe_unknown(path)}; or write {form}")
    return matches[0], path


def _takes_modalities(component: Dataset) -> bool:
    return any(field.name == "modalities" for field in fields(component.options))


def is_unknown_folder(spec: str, registry: Registry) -> bool:
    """Whether `spec` is a folder without any known layout, such as one of loose photos."""
    path = expand_user(spec)
    return path.is_dir() and spec not in registry.names(Dataset) and not match_layouts(path, registry)


def match_layouts(root: Path, registry: Registry) -> list[Dataset]:
    """Return the data sets whose layout a root has, by name; of two layouts, one in the other, the inner."""
    layouts = [(component, _find_layout(root, component)) for component in registry.all(Dataset)]
    outer = {parent for _, paths in layouts for path in paths for parent in path.parents}
    matches: dict[str, list[Dataset]] = {}
    for component, paths in layouts:
        if paths and outer.isdisjoint(paths):
            matches.setdefault(component.name, []).append(component)
    return [items[0] if len(items) == 1 else registry.find(Dataset, name) for name, items in matches.items()]


def _names(registry: Registry) -> set[str]:
    return {component.name for component in registry.all(Dataset)}


def _find_layout(root: Path, component: Dataset) -> list[Path]:
    """Return the paths by which a root has a data set's layout; none if it has another one."""
    if root.is_file():
        return [root] if root.suffix.lower() in component.suffixes else []
    return [path for marker in component.markers for path in find_marked(root, marker)]


def find_marked(root: Path, marker: str) -> list[Path]:
    """Return the paths below a root that fit a data set's marker (`Dataset.markers`)."""
    paths = [root]
    for part in marker.split("/"):
        if part in FOLDER_WORDS:
            is_word = FOLDER_WORDS[part]
            paths = [path for folder in paths for path in _list_folders(folder) if is_word(path.name)]
        else:
            paths = [path for folder in paths for path in folder.glob(part)]
    return paths


def _list_folders(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.is_dir()) if folder.is_dir() else []


def _describe_unknown(path: Path) -> str:
    """Describe a file or folder that no data set reads, and what would be read."""
    if path.is_file():
        return "no data set is read from such a file: give a folder, or a manifest (.csv, .tsv, .parquet)"
    entries = (entry for entry in path.iterdir() if not is_noise(entry.name))
    names = sorted(f"{entry.name}/" if entry.is_dir() else entry.name for entry in entries)
    contents = format_list(names) if names else "nothing"
    return (
        f"looks like no known data set: it holds {contents}: name the folders of your own photos by class "
        f"({KNOWN_CLASSES}), in folders of splits ({KNOWN_SPLITS}) if there are some"
    )


@frozen(eq=False, slots=False)
class DevMergedDataset:
    """A data set without dev, whose labelled samples are in train: cross-validation needs no dev split."""

    reader: DatasetReader

    @property
    def overlaps(self) -> tuple[tuple[str, str], ...]:
        """The data set's overlaps, with train in place of dev."""
        pairs = (tuple("train" if name == "dev" else name for name in pair) for pair in self.reader.overlaps)
        return tuple(dict.fromkeys((first, second) for first, second in pairs if first != second))

    @property
    def notes(self) -> tuple[str, ...]:
        return (*self.reader.notes, "dev is trained on: it is a part of train")

    def prepare(self) -> None:
        self.reader.prepare()

    def splits(self) -> tuple[str, ...]:
        return tuple(name for name in self.reader.splits() if name != "dev")

    def samples(self, split: str) -> SampleTable:
        """Return the samples of a split; dev, or no dev to train on, raises a DataError."""
        if split == "dev":
            raise DataError("no split 'dev': the model was trained on it (data.train_on_dev)")
        return self._train if split == "train" else self.reader.samples(split)

    @cached_property
    def _train(self) -> SampleTable:
        train = self.reader.samples("train")
        if "dev" not in self.reader.splits():
            raise DataError(f"{train.root}: there is no dev split to train on: leave data.train_on_dev away")
        dev = self.reader.samples("dev")
        return concat([train, dev.take(np.isin(dev.labels, (LIVE, ATTACK)))])
