"""Read run folders and score files, and evaluate their scores. No torch."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from fas_core.config.components import MetricChoice
from fas_core.config.recipe import Recipe
from fas_core.errors import ConfigError, DataError
from fas_core.evaluation.metrics import BoundMetric
from fas_core.evaluation.population import Population
from fas_core.evaluation.result import evaluate
from fas_core.evaluation.targets import judge
from fas_core.inference.score_samples import threshold_notes
from fas_core.registry import Registry
from fas_core.runs.card import describe_threshold
from fas_core.runs.groups import open_runs
from fas_core.runs.run import Run
from fas_core.runs.run_sets import RunSet
from fas_core.scores.files import Reading, read_scores, refuse_shared
from fas_core.scores.thresholds import Threshold, choose_threshold, fit_threshold
from fas_core.text_files import read_json, read_text
from fas_plugins.commands.report.groups import evaluate_by
from fas_plugins.commands.report.score_source import ScoreSource, SourceOptions
from fas_plugins.commands.report.source_data import open_source_data
from fas_plugins.commands.report.systems import EvaluatedSystem, TrainingRecord


def expand_run_sets(paths: Sequence[Path], registry: Registry) -> list[Path]:
    """Return the paths, with its runs for every set of runs.

    Raises:
        FasError: a set is not trained to the end.
    """
    expanded: list[Path] = []
    for path in paths:
        opened = open_runs(path, registry) if path.is_dir() else None
        runs = opened.runs().values() if isinstance(opened, RunSet) else []
        expanded += [run.path for run in runs] or [path]
    return expanded


def open_sources(paths: Sequence[Path], options: SourceOptions, registry: Registry) -> list[ScoreSource]:
    """Read every run and score file.

    Args:
        paths: at least one, without duplicates.
        options: how they are read.
        registry: provides the components that recipes name.

    Raises:
        FasError: a path is neither a run nor a score file, cannot be read, or has no scores of the split.
    """
    files = [path for path in paths if not path.is_dir()]
    if options.dev and len(options.dev) != len(files):
        raise ConfigError(
            f"{len(options.dev)} --dev for {len(files)} score files: give one for each, in their order "
            f"(a run has its own)"
        )
    dev_of = dict(zip(files, options.dev, strict=True)) if options.dev else {}
    return [
        _open_run(path, options.split, registry)
        if path.is_dir()
        else _open_score_file(path, dev_of.get(path), options.reading)
        for path in paths
    ]


def select_metrics(sources: Sequence[ScoreSource]) -> tuple[MetricChoice, ...]:
    """Return the metrics of the first run's recipe; the published metrics if there are only score files."""
    recipes = [source.run.recipe for source in sources if source.run is not None]
    return (recipes or [Recipe()])[0].metrics


def evaluate_source(
    source: ScoreSource,
    name: str,
    metrics: Sequence[BoundMetric],
    options: SourceOptions,
    registry: Registry,
) -> EvaluatedSystem:
    """Evaluate the scores of a source, and look for its photos and training record.

    Raises:
        FasError: the threshold cannot be fitted, or no sample has a label.
    """
    threshold = _choose_threshold(source, options.policy, options.reject)
    notes: Sequence[str] = ()
    if source.score_file is not None:
        notes = source.score_file.notes
    elif source.run is not None:
        notes = _list_notes(source, source.run, threshold)
    result = evaluate(
        source.scores, metrics, threshold, name=name, notes=notes, replicates=options.replicates
    )
    population = Population.of(source.scores)
    data = open_source_data(source, options.data, registry)
    return EvaluatedSystem(
        name=name,
        path=source.path,
        digest=hashlib.sha256(source.file.read_bytes()).hexdigest(),
        scores=source.scores,
        result=result,
        training=None if source.run is None else _read_training_record(source.run, source.results),
        photos=data.find_photos(source),
        population=population,
        model="" if source.run is None else source.run.recipe.describe(),
        simulated=data.simulated,
        judgements=judge(result, population, options.targets),
        groups=evaluate_by(source, data, options, metrics, result),
        data=data.check(options.check_files),
    )


def _open_run(path: Path, split: str, registry: Registry) -> ScoreSource:
    run = Run.open(path, registry)
    file = run.scores(split)
    if not file.is_file():
        splits = ", ".join(sorted(scored.stem for scored in file.parent.glob("*.csv")))
        raise DataError(
            f"{path}: no scores of split {split!r} (there are: {splits}): choose another --split"
            if splits
            else f"{path}: no scores yet: finish it by `fas train --resume {path}`"
        )
    scores = run.stored_scores(split)
    assert scores is not None  # the file exists
    return ScoreSource(
        path,
        file,
        scores,
        run.fitting_scores(),
        run=run,
        split=split,
        results=run.results(),
    )


def _open_score_file(path: Path, dev_path: Path | None, reading: Reading | None) -> ScoreSource:
    score_file, dev = read_scores(path, reading), None
    if dev_path is not None:
        dev_file = read_scores(dev_path, reading)
        refuse_shared(score_file, dev_file)
        dev = dev_file.table
    return ScoreSource(path, path, score_file.table, dev, score_file=score_file)


def _choose_threshold(source: ScoreSource, policy: str | None, reject: str | None) -> Threshold | None:
    """Return the threshold as `fas eval` does; None for a score file without a policy and dev scores."""
    if source.score_file is not None:
        return source.score_file.threshold(policy, source.scores, source.dev, reject)
    assert source.run is not None
    run = source.run
    calibration, own = run.calibration(), None
    if calibration is not None:
        own = calibration.threshold
    else:
        try:
            own = fit_threshold(run.recipe.threshold, source.dev, run.fitted_on, reject=run.recipe.reject)
        except DataError:  # it has no scores to fit its own on, and another policy may need none
            if policy is None:
                raise
    return choose_threshold(own, policy, source.dev, run.fitted_on, evaluated=source.scores, reject=reject)


def _list_notes(source: ScoreSource, run: Run, threshold: Threshold | None) -> list[str]:
    """Return the notes under the run's tables; that on training's threshold only where that is used."""
    advice = describe_threshold(run)
    notes = source.results.get("splits", {}).get(source.split, {}).get("notes", ())
    kept = threshold_notes(threshold, advice)
    return [note for note in notes if note != advice or note in kept]


def _read_training_record(run: Run, results: Mapping[str, Any]) -> TrainingRecord:
    environment = run.path / "environment.json"
    return TrainingRecord(
        recipe=read_text(run.path / "recipe.yaml"),
        environment=_read_json(environment) if environment.is_file() else {},
        data=results.get("data", {}),
        history=run.metrics(),
        train_hours=results.get("train_hours"),
    )


def _read_json(file: Path) -> dict[str, Any]:
    content = read_json(file)
    if not isinstance(content, dict):
        raise DataError(f"{file}: not what `fas train` writes")
    return content
