"""Fit thresholds of the members and the ensemble, and evaluate all of them on the same samples."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import frozen

from fas_core.errors import DataError, format_list
from fas_core.evaluation.comparison import Comparison, compare
from fas_core.evaluation.metrics import BoundMetric
from fas_core.evaluation.result import Result, evaluate
from fas_core.scores.table import ScoreTable
from fas_core.scores.thresholds import fit_threshold, parse_policy
from fas_plugins.commands.ensemble.joined_scores import JoinedScores
from fas_plugins.commands.ensemble.rule import Ensemble, FittedRule

NAME = "ensemble"
OPTIMISTIC = "rule and threshold were fitted on these very samples"


@frozen(eq=False)
class EvaluatedSystem:
    """A member or the ensemble with its scores and result."""

    name: str
    scores: ScoreTable
    result: Result

    @property
    def threshold(self) -> float | None:
        return None if self.result.threshold is None else self.result.threshold.value


def fit_thresholds(rule: FittedRule, scores: JoinedScores, dev: JoinedScores | None, policy: str) -> Ensemble:
    """Return the rule with a threshold for the ensemble and one for each member.

    Without dev scores there are no thresholds, unless the policy needs none (`fixed:`, `oracle:`).

    Args:
        rule: the fitted rule.
        scores: the samples to evaluate; only an `oracle:` policy uses them.
        dev: dev scores of the same members.
        policy: see `fas_core.scores.thresholds.parse_policy`.

    Raises:
        DataError: no threshold can be fitted on the dev scores by this policy.
    """
    parsed = parse_policy(policy)
    if dev is None and parsed.fitted and not parsed.oracle:
        return Ensemble(rule)
    tables = scores.all_tables(rule)
    dev_tables = [None] * len(tables) if dev is None else dev.all_tables(rule)
    *members, combined = (
        fit_threshold(policy, dev_table, evaluated=table)
        for dev_table, table in zip(dev_tables, tables, strict=True)
    )
    return Ensemble(rule, combined, tuple(members))


def evaluate_systems(
    scores: JoinedScores,
    ensemble: Ensemble,
    metrics: Sequence[BoundMetric],
    notes: Sequence[str] = (),
    replicates: int = 0,
) -> list[EvaluatedSystem]:
    """Evaluate every member and, last, the ensemble.

    Args:
        scores: labelled samples.
        ensemble: the rule and the thresholds.
        metrics: what to compute.
        notes: notes on the ensemble's result.
        replicates: bootstrap replicates of the intervals; 0 for no intervals.

    Raises:
        DataError: no sample is labelled.
    """
    names = (*scores.names, NAME)
    tables = scores.all_tables(ensemble.rule)
    thresholds = (*ensemble.member_thresholds(), ensemble.threshold)
    systems = []
    for name, table, threshold in zip(names, tables, thresholds, strict=True):
        own_notes = notes if name == NAME else ()
        result = evaluate(table, metrics, threshold, name=name, notes=own_notes, replicates=replicates)
        systems.append(EvaluatedSystem(name, table, result))
    return systems


def compare_with_best_member(
    systems: Sequence[EvaluatedSystem], dev: JoinedScores, metrics: Sequence[BoundMetric], replicates: int
) -> Comparison:
    """Compare the ensemble, the last of the systems, with the member that is best on dev."""
    (comparison,) = compare([systems[find_best_member(dev)], systems[-1]], metrics, replicates)
    return comparison


def find_best_member(dev: JoinedScores) -> int:
    """Return the index of the member with the lowest EER on dev, the first of equal ones; NaN is worst."""
    eers = [dev.member(index).rates.equal_error_threshold()[1] for index in range(len(dev.names))]
    return min(range(len(eers)), key=lambda index: (eers[index] != eers[index], eers[index]))


def check_overlap(scores: JoinedScores, dev: JoinedScores | None) -> tuple[str, ...]:
    """Return a note where the evaluated samples are the dev samples, on which everything is fitted.

    Raises:
        DataError: only some of the samples are dev samples.
    """
    if dev is None:
        return ()
    dev_ids = set(dev.samples.table.column("id").to_pylist())
    shared = [name for name in scores.samples.table.column("id").to_pylist() if name in dev_ids]
    if shared and not len(shared) == len(scores.samples) == len(dev_ids):
        raise DataError(
            f"{len(shared)} samples are among those of dev, where rule and thresholds are fitted, and among "
            f"the {len(scores.samples)} to evaluate: {format_list(shared)}"
        )
    return (OPTIMISTIC,) if shared else ()
