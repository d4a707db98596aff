"""Evaluate one model on its own data set, where that is at hand, and on others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain, count
from pathlib import Path
from typing import Any

from attrs import frozen

from fas_core.config.components import DatasetChoice
from fas_core.contracts import DatasetReader
from fas_core.data.open import open_choice
from fas_core.errors import DataError
from fas_core.evaluation import Result
from fas_core.inference.evaluate_split import Evaluation
from fas_core.inference.loaded_model import LoadedModel
from fas_core.inference.model_data import choose_data
from fas_core.inference.score_samples import score_split
from fas_core.registry import Registry

OWN = "own"


@frozen(eq=False)
class _DataSet:
    """A data set that a model is evaluated on, its row's unique name, and its name as `--data` takes it."""

    name: str
    spec: str
    reader: DatasetReader
    seen: bool
    """Whether it is the model's own or overlaps it on disk, so that training may have seen it."""


@frozen(eq=False)
class CrossDatasetResult:
    """One model's figures on several data sets.

    Args:
        results: of the labelled ones, in the order of `documents`.
        documents: plain data of every data set, for `--json`.
        notes: lines that belong under the table.
    """

    results: list[Result]
    documents: list[dict[str, Any]]
    notes: list[str]


def evaluate_across(
    model: LoadedModel, specs: Sequence[str], protocols: Mapping[str, str], evaluation: Evaluation
) -> CrossDatasetResult:
    """Score and evaluate one model on its own data and on others, at one threshold.

    Raises:
        FasError: a data set cannot be opened (before any is scored) or evaluated.
    """
    metrics = evaluation.metrics(model)
    split, registry = evaluation.split, evaluation.registry
    data, absent = _open_data_sets(model, specs, split.split, registry, protocols)
    results: list[Result] = []
    documents: list[dict[str, Any]] = []
    unlabelled: list[str] = []
    for item in data:
        scored = score_split(model, item.reader, split, description=item.name)
        evaluation.write_scores(scored, item.name)
        samples = len(scored.scores)
        document = {"name": item.name, "data": item.spec, "seen": item.seen, "samples": samples}
        if (grouped := evaluation.evaluate(scored, metrics, item.name, prefix=f"{item.name}: ")) is None:
            unlabelled.append(f"{item.name}: {samples} samples, not all labelled: no row")
        else:
            results.append(grouped.result)
            document |= grouped.result.to_json()
        documents.append(document)
    return CrossDatasetResult(results, documents, [*_origin_notes(model, data, results, absent), *unlabelled])


def _origin_notes(
    model: LoadedModel, data: Sequence[_DataSet], results: Sequence[Result], absent: str
) -> list[str]:
    """Say what the model was trained on, where the threshold is from, and what the model never saw."""
    if model.data is None:
        return [model.note] if model.note else []
    own = _format_spec(model.data)
    seen = [item.name for item in data if item.seen and item.name != OWN]
    unseen = [item.name for item in data if not item.seen]
    notes = [f"own: {own}, on whose train split the model was trained"]
    if absent:
        notes = [f"trained on {own}, which is not here and has no row: {absent}"]
    if any(result.threshold is not None and result.threshold.source == "dev" for result in results):
        notes.append(f"the threshold is fitted on the dev split of {own}")
    if seen:
        notes.append(f"in one place with its own data, so perhaps seen in training: {', '.join(seen)}")
    if unseen:
        limit = "" if _knows_root(model) else ", as far as file names and labels tell"
        notes.append(f"never seen in training{limit}: {', '.join(unseen)}")
    return notes


def _open_data_sets(
    model: LoadedModel, specs: Sequence[str], split: str, registry: Registry, protocols: Mapping[str, str]
) -> tuple[list[_DataSet], str]:
    """Open the data sets that a user names, the model's own first; return them, and why that is absent."""
    own = model.data
    choices = choose_data(model, specs, registry, protocols)
    identities = [_identity(choice) for choice in choices]
    for spec, identity in zip(reversed(specs), reversed(identities), strict=True):
        if identities.count(identity) > 1:
            raise DataError(f"--data {spec}: the same data set is given twice")
    data: list[_DataSet] = []
    for spec, choice in zip(specs, choices, strict=True):
        reader = open_choice(choice, registry)
        _check_samples(reader, model, split)
        is_own = own is not None and (
            _identity(choice) == _identity(own) or _has_own_samples(reader, choice, model)
        )
        if is_own and OWN not in (item.name for item in data):
            data.insert(0, _DataSet(OWN, _format_spec(choice), reader, seen=True))
        else:
            name = _unique_name(_row_name(spec, choice), [OWN, *(item.name for item in data)])
            seen = own is not None and _overlap(choice.root, own.root)
            data.append(_DataSet(name, _format_spec(choice), reader, seen=seen))
    if own is None or data[0].name == OWN:
        return data, ""
    try:
        reader = open_choice(own, registry, make=False)
        _check_samples(reader, model, split)
    except DataError as error:
        return data, error.message
    return [_DataSet(OWN, _format_spec(own), reader, seen=True), *data], ""


def _format_spec(choice: DatasetChoice) -> str:
    """Return a data set as `--data` takes it."""
    return choice.name if choice.root is None else f"{choice.name}:{choice.root}"


def _check_samples(reader: DatasetReader, model: LoadedModel, split: str) -> None:
    """Refuse a split that could not be scored."""
    samples = reader.samples(split)
    if not len(samples):
        raise DataError(f"{samples.root}: no samples in {split}")
    if not model.input.partial:
        samples.need(model.input.photos)


def _identity(choice: DatasetChoice) -> tuple[object, ...]:
    return choice.name, choice.options, choice.root and choice.root.resolve()


def _overlap(first: Path | None, second: Path | None) -> bool:
    """Return whether either folder lies in the other."""
    if first is None or second is None:
        return False
    first, second = first.resolve(), second.resolve()
    return first.is_relative_to(second) or second.is_relative_to(first)


def _knows_root(model: LoadedModel) -> bool:
    """Return whether the model says where its data lies; an exported one does not, unless so requested."""
    return (model.data is not None and model.data.root is not None) or not model.fingerprints


def _has_own_samples(reader: DatasetReader, choice: DatasetChoice, model: LoadedModel) -> bool:
    """Return whether a data set has the samples of the model's own one, where its root is not known."""
    if model.data is None or _knows_root(model) or choice.name != model.data.name:
        return False
    return model.fingerprints == {split: reader.samples(split).fingerprint() for split in reader.splits()}


def _row_name(spec: str, choice: DatasetChoice) -> str:
    """Return the data set's name where the user gave it, else that of the folder or file."""
    if spec.partition(":")[0] == choice.name or choice.root is None:
        return choice.name
    return choice.root.resolve().stem if choice.root.is_file() else choice.root.resolve().name


def _unique_name(name: str, used: Sequence[str]) -> str:
    """Return `name`, or the first of `name-2`, `name-3`, ... that is not used."""
    numbered = (f"{name}-{number}" for number in count(2))
    return next(unique for unique in chain([name], numbered) if unique not in used)
