"""One model on its own data set, where that is at hand, and on others; all are opened before scoring."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain, count
from pathlib import Path

from attrs import frozen

from fas_core.config.recipe import DatasetChoice
from fas_core.contracts import DatasetReader
from fas_core.data.open import open_choice
from fas_core.errors import DataError
from fas_core.inference.loaded_model import LoadedModel
from fas_core.inference.score_samples import choose_data
from fas_core.registry import Registry

OWN = "own"


@frozen(eq=False)
class EvaluationData:
    """A data set that a model is evaluated on.

    Args:
        name: its row in tables, unique: `own`, or the name of the data set, or of its folder or file.
        spec: the data set as `--data` takes it.
        seen: whether it is the model's own or overlaps it on disk, so that training may have seen it.
    """

    name: str
    spec: str
    reader: DatasetReader
    seen: bool


def open_evaluation_data(
    model: LoadedModel, specs: Sequence[str], split: str, registry: Registry, protocols: Mapping[str, str]
) -> tuple[list[EvaluationData], str]:
    """Open the data sets that a user names, and the model's own before them where it is at hand.

    Returns:
        The data sets, and why the model's own is not among them (empty where it is).

    Raises:
        DataError: one of those named cannot be opened, has no such split, or lacks what the model takes.
        ConfigError: see `fas_core.inference.score_samples.choose_data`.
    """
    own = model.data
    choices = choose_data(model, specs, registry, protocols)
    identities = [_identity(choice) for choice in choices]
    for spec, identity in zip(reversed(specs), reversed(identities), strict=True):
        if identities.count(identity) > 1:
            raise DataError(f"--data {spec}: the same data set is given twice")
    data: list[EvaluationData] = []
    for spec, choice in zip(specs, choices, strict=True):
        reader = open_choice(choice, registry)
        _check_samples(reader, model, split)
        if _identity(choice) == _identity(own):
            data.insert(0, EvaluationData(OWN, format_spec(choice), reader, seen=True))
        else:
            name = _unique_name(_row_name(spec, choice), [OWN, *(item.name for item in data)])
            seen = _overlap(choice.root, own.root)
            data.append(EvaluationData(name, format_spec(choice), reader, seen=seen))
    if data[0].name == OWN:
        return data, ""
    try:
        reader = open_choice(own, registry, make=False)
        _check_samples(reader, model, split)
    except DataError as error:
        return data, error.message
    return [EvaluationData(OWN, format_spec(own), reader, seen=True), *data], ""


def format_spec(choice: DatasetChoice) -> str:
    """Return a data set as `--data` takes it."""
    return choice.name if choice.root is None else f"{choice.name}:{choice.root}"


def _check_samples(reader: DatasetReader, model: LoadedModel, split: str) -> None:
    """Refuse a split that could not be scored."""
    samples = reader.samples(split)
    if not len(samples):
        raise DataError(f"{samples.root}: no samples in {split}")
    if not model.input.partial:
        samples.need(model.input.modalities)


def _identity(choice: DatasetChoice) -> tuple[object, ...]:
    return choice.name, choice.options, choice.root and choice.root.resolve()


def _overlap(first: Path | None, second: Path | None) -> bool:
    """Return whether either folder lies in the other."""
    if first is None or second is None:
        return False
    first, second = first.resolve(), second.resolve()
    return first.is_relative_to(second) or second.is_relative_to(first)


def _row_name(spec: str, choice: DatasetChoice) -> str:
    """Return the data set's name where the user gave it, else that of the folder or file."""
    if spec.partition(":")[0] == choice.name or choice.root is None:
        return choice.name
    return choice.root.resolve().stem if choice.root.is_file() else choice.root.resolve().name


def _unique_name(name: str, used: Sequence[str]) -> str:
    """Return `name`, or the first of `name-2`, `name-3`, ... that is not used."""
    numbered = (f"{name}-{number}" for number in count(2))
    return next(unique for unique in chain([name], numbered) if unique not in used)
