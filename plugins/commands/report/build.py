"""Build a report: read and evaluate the sources, compare the systems, draw the plots, render the page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from typing import Any

from attrs import frozen

from fas_core.atomic import replacing
from fas_core.console import console
from fas_core.errors import ConfigError, format_list
from fas_core.evaluation import format_tables
from fas_core.evaluation.comparison import Comparison, compare
from fas_core.evaluation.groups import EvaluationOptions
from fas_core.evaluation.metrics import BoundMetric
from fas_core.evaluation.spread import spread, spread_tables
from fas_core.evaluation.tables import ISO_FIRST
from fas_core.evaluation.targets import combine_verdicts
from fas_core.inference.scores_of import names_of
from fas_core.registry import Registry
from fas_core.runs import files
from fas_core.scores.rejection import parse_reject
from fas_core.scores.thresholds import parse_policy
from fas_plugins.commands.report.explainers import open_explainers
from fas_plugins.commands.report.html import Plot, ReportPage, draw_plots, render
from fas_plugins.commands.report.score_source import ScoreSource, SourceOptions
from fas_plugins.commands.report.sources import (
    evaluate_source,
    expand_run_sets,
    open_sources,
    select_metrics,
)
from fas_plugins.commands.report.systems import EvaluatedSystem


@frozen(eq=False)
class Report:
    """A rendered report and what it was rendered from.

    Args:
        html: the page.
        systems: the evaluated systems.
        comparisons: every further system compared with the first.
        plots: every plot of the page.
    """

    html: str
    systems: Sequence[EvaluatedSystem]
    comparisons: Sequence[Comparison]
    plots: Sequence[Plot]

    def write(self, path: Path) -> None:
        """Write the page.

        Raises:
            FasError: it cannot be written.
        """
        with replacing(path) as temporary:
            temporary.write_text(self.html, encoding="utf-8")

    def to_json(self) -> dict[str, Any]:
        return {
            "systems": [_describe_system(system) for system in self.systems],
            "comparisons": [comparison.to_json() for comparison in self.comparisons],
        }


def _describe_system(system: EvaluatedSystem) -> dict[str, Any]:
    """Return the JSON of a system: its result, and what else the page says of it."""
    document = system.result.to_json() | {"simulated": system.simulated}
    if system.judgements:
        verdict = combine_verdicts(system.judgements)
        targets = [judgement.to_json() for judgement in system.judgements]
        document |= {"verdict": verdict, "targets": targets}
    if system.groups is not None:
        document["groups"] = system.groups.to_json()
    check = system.data
    return document | {"data": check if isinstance(check, str) else check.to_json()}


def build_report(
    targets: Sequence[Path],
    options: SourceOptions,
    registry: Registry,
    *,
    names: Mapping[Path, str] | None = None,
    title: str | None = None,
    worst: int = 12,
    explain: bool = True,
) -> Report:
    """Build the report of runs, sets of protocol runs and score files.

    Args:
        targets: at least one path.
        options: how the targets are read and evaluated.
        registry: provides metrics, data sets and the components of the runs.
        names: `{path: name}` of systems that are not called by their paths.
        title: of the page; by default the name of the only target, or the number of systems.
        worst: number of misclassified samples shown per kind.
        explain: whether to show what the models look at in these samples, if torch and weights are available.

    Raises:
        FasError: a target cannot be read or evaluated.
    """
    if options.policy is not None:
        parse_policy(options.policy)
    if options.reject is not None:
        parse_reject(options.reject)
    paths = expand_run_sets(targets, registry)
    names_of_systems = _name_systems(paths, names or {})
    names_of_targets = _name_systems(targets, names or {})
    sources = open_sources(paths, options, registry)
    metrics = EvaluationOptions(metrics=options.metrics).bind(select_metrics(sources), registry)
    systems = _evaluate_sources(dict(zip(names_of_systems, sources, strict=True)), metrics, options, registry)
    results = [system.result for system in systems]
    # Of a set of sub-protocols or seeds the mean is of interest, not the difference.
    is_set = len(targets) == 1 and any((targets[0] / name).is_file() for name in files.RUN_SETS)
    comparisons = [] if is_set else compare(systems, metrics, options.replicates)
    plots = draw_plots(systems)
    with ExitStack() as stack:
        explainers = stack.enter_context(open_explainers(sources, systems)) if explain and worst else {}
        page = ReportPage(
            title=title or (names_of_targets[0] if len(targets) == 1 else f"{len(systems)} systems"),
            systems=systems,
            summary=spread_tables(spread(results), lead=ISO_FIRST)
            if is_set
            else format_tables(results, lead=ISO_FIRST),
            comparisons=comparisons,
            plots=plots,
            split=options.split if any(system.training for system in systems) else None,
            worst=worst,
            created=datetime.now().astimezone(),
            explainers=explainers,
        )
        return Report(render(page), systems, comparisons, plots)


def _name_systems(paths: Sequence[Path], names: Mapping[Path, str]) -> list[str]:
    """Return the names of systems: those that were given, else the last components of their paths.

    Raises:
        FasError: a path is given twice, or two systems have one name.
    """
    named = [names.get(path, name) for path, name in zip(paths, names_of(paths), strict=True)]
    if repeated := sorted({name for name in named if named.count(name) > 1}):
        raise ConfigError(f"{format_list(repeated)}: two systems of one name: give each its own, NAME=PATH")
    return named


def _evaluate_sources(
    sources: Mapping[str, ScoreSource],
    metrics: Sequence[BoundMetric],
    options: SourceOptions,
    registry: Registry,
) -> list[EvaluatedSystem]:
    """Evaluate sources by name; print how score files were parsed, and warn of missing thresholds."""
    systems = []
    with console.progress("evaluating", len(sources), "systems") as bar:
        for name, source in sources.items():
            if source.score_file is not None:
                console.info(source.score_file.description)
            systems.append(evaluate_source(source, name, metrics, options, registry))
            bar.advance()
            if systems[-1].threshold is None:
                console.warn(f"{source.path}: no threshold: give --dev SCORES, or --threshold fixed:VALUE")
    return systems
