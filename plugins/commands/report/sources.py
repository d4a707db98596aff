"""From what a user names, run folders and score files, to systems that can be reported. Never torch."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from attrs import frozen

from fas_core.config.recipe import DatasetChoice, MetricChoice, Recipe
from fas_core.data.open import open_choice, replace_dataset, resolve_dataset
from fas_core.errors import ConfigError, DataError, FasError
from fas_core.evaluation.metrics import BoundMetric
from fas_core.evaluation.result import evaluate
from fas_core.records.samples import SampleTable, concat
from fas_core.registry import Registry
from fas_core.runs.protocols import ProtocolRuns, is_protocol_runs
from fas_core.runs.run import Run
from fas_core.scores.files import Reading, ScoreFile, read_scores, refuse_shared
from fas_core.scores.table import ScoreTable
from fas_core.scores.thresholds import Threshold, fit_threshold
from fas_plugins.commands.report.systems import Making, System


@frozen(eq=False)
class Source:
    """A run folder or a score file, read but not judged.

    Args:
        path: as given.
        file: the score file.
        scores: what is in it.
        dev: the scores that thresholds are fitted on; None where there are none.
        split: of the run; None for a score file.
        run: likewise.
        results: the run's results.json; empty where it is not finished.
        score_file: the score file, where it is one, as it was understood.
    """

    path: Path
    file: Path
    scores: ScoreTable
    dev: ScoreTable | None
    split: str | None = None
    run: Run | None = None
    results: Mapping[str, Any] = {}
    score_file: ScoreFile | None = None


def expanded(paths: Sequence[Path], registry: Registry) -> list[Path]:
    """The same, with every set of sub-protocols as its runs.

    Raises:
        FasError: a set is not trained to the end.
    """
    found: list[Path] = []
    for path in paths:
        sets = ProtocolRuns.open(path, registry).runs().values() if is_protocol_runs(path) else []
        found += [run.path for run in sets] or [path]
    return found


def open_sources(
    paths: Sequence[Path],
    registry: Registry,
    *,
    split: str,
    dev: Sequence[Path] = (),
    reading: Reading | None = None,
) -> list[Source]:
    """Read every run and score file.

    Args:
        paths: at least one, none twice.
        registry: of what the runs' recipes name.
        split: of the runs, whose scores are read.
        dev: score files to fit the thresholds of the score files on, one for each in their order; or none.
        reading: how score files are to be read; by default that is found out.

    Raises:
        FasError: one is neither, cannot be read, or has no scores of that split.
    """
    files = [path for path in paths if not path.is_dir()]
    if dev and len(dev) != len(files):
        raise ConfigError(
            f"{len(dev)} --dev for {len(files)} score files: give one for each, in their order "
            f"(a run has its own)"
        )
    fitted = dict(zip(files, dev, strict=True)) if dev else {}
    return [
        _of_run(path, split, registry) if path.is_dir() else _of_file(path, fitted.get(path), reading)
        for path in paths
    ]


def metrics_of(sources: Sequence[Source]) -> tuple[MetricChoice, ...]:
    """Those of the first run's recipe, else the published ones."""
    recipes = [source.run.recipe for source in sources if source.run is not None]
    return (recipes or [Recipe()])[0].metrics


@frozen
class Terms:
    """On what terms sources are judged.

    Args:
        metrics: what is computed.
        policy: of the threshold; None for a run's own and, where a score file has dev scores, `eer`.
        replicates: of the bootstrap; 0 for no intervals.
        data: where the photos are, as `fas_core.data.open.resolve_dataset` takes it; None for a run's own.
    """

    metrics: Sequence[BoundMetric]
    policy: str | None = None
    replicates: int = 1000
    data: str | None = None


def judged(source: Source, name: str, terms: Terms, registry: Registry) -> System:
    """A source as a system of the report.

    Raises:
        FasError: the policy cannot be fitted, or nothing is labelled.
    """
    cut = _threshold(source, terms.policy)
    notes = source.results.get("splits", {}).get(source.split, {}).get("notes", ())
    if source.score_file is not None:
        notes = source.score_file.notes
    return System(
        name=name,
        path=source.path,
        digest=hashlib.sha256(source.file.read_bytes()).hexdigest(),
        scores=source.scores,
        result=evaluate(
            source.scores, terms.metrics, cut, name=name, notes=notes, replicates=terms.replicates
        ),
        making=None if source.run is None else _making(source.run, source.results),
        faces=_faces(source, terms.data, registry),
    )


def _of_run(path: Path, split: str, registry: Registry) -> Source:
    run = Run.open(path, registry)
    file, results = run.scores(split), path / "results.json"
    if not file.is_file():
        there = ", ".join(sorted(found.stem for found in file.parent.glob("*.csv")))
        raise DataError(
            f"{path}: no scores of split {split!r} (there are: {there}): choose another --split"
            if there
            else f"{path}: no scores yet: finish it by `fas train --resume {path}`"
        )
    return Source(
        path,
        file,
        ScoreTable.read(file),
        run.fitting_scores(),
        split=split,
        run=run,
        results=_json(results) if results.is_file() else {},
    )


def _of_file(path: Path, dev: Path | None, reading: Reading | None) -> Source:
    found, fitted = read_scores(path, reading), None
    if dev is not None:
        fitted_on = read_scores(dev, reading)
        refuse_shared(found, fitted_on)
        fitted = fitted_on.table
    return Source(path, path, found.table, fitted, score_file=found)


def _threshold(source: Source, policy: str | None) -> Threshold | None:
    """None where there is nothing to fit the default on."""
    if source.score_file is not None:
        return source.score_file.threshold(policy, source.scores, source.dev)
    if policy is None and source.run is not None:
        policy = source.run.recipe.threshold
    fitted_on = "dev" if source.run is None else source.run.fitted_on
    return None if policy is None else fit_threshold(policy, source.dev, fitted_on, judged=source.scores)


def _making(run: Run, results: Mapping[str, Any]) -> Making:
    environment = run.path / "environment.json"
    return Making(
        recipe=(run.path / "recipe.yaml").read_text(encoding="utf-8"),
        environment=_json(environment) if environment.is_file() else {},
        data=results.get("data", {}),
        history=run.metrics(),
        train_hours=results.get("train_hours"),
    )


def _json(file: Path) -> dict[str, Any]:
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise DataError(f"{file}: not JSON: {error}") from error
    if not isinstance(found, dict):
        raise DataError(f"{file}: not what `fas train` writes")
    return found


def _faces(source: Source, data: str | None, registry: Registry) -> SampleTable | str:
    """The samples with their photos, or in a sentence why there are none."""
    own = None if source.run is None else source.run.recipe.data
    try:
        chosen = own if data is None else _chosen(data, own, registry)
        if chosen is None:
            return "scores say nothing of where the photos are (give --data)"
        reader = open_choice(chosen, registry, make=False)
        samples = concat(
            [reader.samples(split) for split in reader.splits() if source.split in (None, split)]
        )
    except FasError as error:
        return error.message
    recorded = source.results.get("data", {}).get(source.split)
    if recorded is not None and recorded != samples.fingerprint():
        return (
            f"{samples.root} now holds other samples (fingerprint {samples.fingerprint()}) than were judged"
        )
    return samples


def _chosen(data: str, own: DatasetChoice | None, registry: Registry) -> DatasetChoice:
    return resolve_dataset(data, None, registry) if own is None else replace_dataset(data, own, registry)
