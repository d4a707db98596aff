"""One model on its own data set, where it is there, and on others: all are looked at before any is scored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from attrs import frozen

from fas_core.config.recipe import DatasetChoice
from fas_core.contracts import DatasetReader
from fas_core.data.open import open_choice
from fas_core.errors import DataError
from fas_core.inference.loaded_model import LoadedModel
from fas_core.inference.score_split import other_data
from fas_core.registry import Registry

OWN = "own"


@frozen(eq=False)
class EvaluationData:
    """A data set that a model is judged on.

    Args:
        name: what tables call it, no two alike: `own`, or the data set's name, or its folder's or file's.
        spec: as a user names it.
        reader: of it.
        seen: whether it is the model's own, or lies in the same place, so that training may have seen it.
    """

    name: str
    spec: str
    reader: DatasetReader
    seen: bool


def open_evaluation_data(
    candidate: LoadedModel, specs: Sequence[str], split: str, registry: Registry, protocols: Mapping[str, str]
) -> tuple[list[EvaluationData], str]:
    """The model's own data where they are there, and those that a user names; and why its own are not.

    Args:
        candidate: the model.
        specs: the data sets.
        split: of each, what will be scored.
        registry: of the data sets.
        protocols: `{data set: protocol}`.

    Raises:
        DataError: one of those named cannot be opened, has no such split, or lacks what the model takes.
        ConfigError: see `fas_core.inference.score_split.other_data`.
    """
    own = candidate.data
    choices = other_data(candidate, specs, registry, protocols)
    places = [_placed(choice) for choice in choices]
    if again := [spec for spec, place in zip(specs, places, strict=True) if places.count(place) > 1]:
        raise DataError(f"--data {again[-1]}: the same data set is given twice")
    targets: list[EvaluationData] = []
    for spec, choice in zip(specs, choices, strict=True):
        reader = open_choice(choice, registry)
        _look(reader, candidate, split)
        if _placed(choice) == _placed(own):
            targets.insert(0, EvaluationData(OWN, said(choice), reader, seen=True))
        else:
            name = _free(_called(spec, choice), [OWN, *(target.name for target in targets)])
            targets.append(EvaluationData(name, said(choice), reader, seen=_meet(choice.root, own.root)))
    if targets[0].name == OWN:
        return targets, ""
    try:
        reader = open_choice(own, registry, make=False)
        _look(reader, candidate, split)
    except DataError as error:
        return targets, error.message
    return [EvaluationData(OWN, said(own), reader, seen=True), *targets], ""


def said(choice: DatasetChoice) -> str:
    """A data set as `--data` takes it."""
    return choice.name if choice.root is None else f"{choice.name}:{choice.root}"


def _look(reader: DatasetReader, candidate: LoadedModel, split: str) -> None:
    """Refuse what could not be scored."""
    samples = reader.samples(split)
    if not len(samples):
        raise DataError(f"{samples.root}: no samples in {split}")
    if not candidate.input.partial:
        samples.need(candidate.input.modalities)


def _placed(choice: DatasetChoice) -> tuple[object, ...]:
    return choice.name, choice.options, choice.root and choice.root.resolve()


def _meet(one: Path | None, other: Path | None) -> bool:
    """Whether either lies in the other."""
    if one is None or other is None:
        return False
    one, other = one.resolve(), other.resolve()
    return one.is_relative_to(other) or other.is_relative_to(one)


def _called(spec: str, choice: DatasetChoice) -> str:
    """The data set's name where the user gave it, else that of the folder or file."""
    if spec.partition(":")[0] == choice.name or choice.root is None:
        return choice.name
    return choice.root.resolve().stem if choice.root.is_file() else choice.root.resolve().name


def _free(name: str, taken: Sequence[str]) -> str:
    """`name`, or the first of `name-2`, `name-3`, ... that is free."""
    number, free = 1, name
    while free in taken:
        number += 1
        free = f"{name}-{number}"
    return free
