"""The data that a model is evaluated on: its own, or others that a user names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from fas_core.config.components import DatasetChoice
from fas_core.contracts import DatasetReader
from fas_core.data.open import open_choice, replace_dataset
from fas_core.descriptors import Dataset
from fas_core.errors import ConfigError, DataError, format_list
from fas_core.inference.loaded_model import LoadedModel
from fas_core.registry import Registry


def open_data(
    model: LoadedModel, data: str | None, registry: Registry, protocols: Mapping[str, str] | None = None
) -> DatasetReader:
    """Open the data set that a model was trained on, or other data as a user names them.

    Raises:
        DataError: there are no such data, or they cannot be read.
        ConfigError: see `choose_data`.
    """
    choices = choose_data(model, [] if data is None else [data], registry, protocols or {})
    choice = choices[0] if choices else model.data
    if choice is None:
        raise DataError(f"{model.path}: has no data of its own: give --data NAME, MANIFEST or FOLDER")
    if choice.root is None and not choices and not registry.find(Dataset, choice.name).makes:
        name = choice.name
        raise DataError(
            f"{model.path}: does not say where its data {name!r} lies: give --data {name}:ROOT, or export it "
            "with --keep-data-root"
        )
    return open_choice(choice, registry)


def choose_data(
    model: LoadedModel, specs: Sequence[str], registry: Registry, protocols: Mapping[str, str]
) -> list[DatasetChoice]:
    """Return the data sets that a user names, under these protocols.

    Raises:
        DataError: there are no such data.
        ConfigError: a data set has no such protocol, or the protocol's data set is not among them.
    """
    choices = [replace_dataset(spec, model.data, registry, protocols) for spec in specs]
    if unused := sorted(set(protocols) - {choice.name for choice in choices}):
        raise ConfigError(f"--protocol of {format_list(unused)}: no --data is of that data set")
    return choices
