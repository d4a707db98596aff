"""From joined scores to judged systems: every threshold is fitted on the system's own dev scores."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import frozen

from fas_core.errors import DataError, format_list
from fas_core.evaluation.metrics import BoundMetric
from fas_core.evaluation.result import Result, evaluate
from fas_core.scores.table import ScoreTable
from fas_core.scores.thresholds import Threshold, fit_threshold, parse_policy
from fas_plugins.commands.ensemble.joined import Joined
from fas_plugins.commands.ensemble.rule import Ensemble, Rule

NAME = "ensemble"
OPTIMISTIC = "rule and threshold were fitted on these very samples"


@frozen(eq=False)
class Judged:
    """A member or the ensemble, and what it is worth."""

    name: str
    scores: ScoreTable
    result: Result

    @property
    def threshold(self) -> float | None:
        return None if self.result.threshold is None else self.result.threshold.value


def with_thresholds(rule: Rule, scores: Joined, dev: Joined | None, policy: str) -> Ensemble:
    """The rule with the ensemble's threshold and its members'; with none where the policy is fitted on dev
    scores and there are none.

    Args:
        rule: fitted.
        scores: what is judged, which only an `oracle:` policy looks at.
        dev: of the same members.
        policy: see `fas_core.scores.thresholds.parse_policy`.

    Raises:
        DataError: the dev scores cannot give such a threshold.
    """
    parsed = parse_policy(policy)
    if dev is None and parsed.fitted and not parsed.oracle:
        return Ensemble(rule)
    judged = scores.tables(rule)
    fitted = [None] * len(judged) if dev is None else dev.tables(rule)
    *members, own = (
        fit_threshold(policy, table, judged=other) for table, other in zip(fitted, judged, strict=True)
    )
    return Ensemble(rule, own, tuple(members))


def judge_all(
    scores: Joined,
    ensemble: Ensemble,
    metrics: Sequence[BoundMetric],
    notes: Sequence[str] = (),
    replicates: int = 0,
) -> list[Judged]:
    """Every member, and last the ensemble, which has the notes; by default without intervals.

    Raises:
        DataError: nothing is labelled.
    """
    cuts: list[Threshold | None] = list(ensemble.thresholds) or [None] * len(scores.names)
    found = []
    for name, table, cut in zip(
        (*scores.names, NAME), scores.tables(ensemble.rule), (*cuts, ensemble.threshold), strict=True
    ):
        said = notes if name == NAME else ()
        result = evaluate(table, metrics, cut, name=name, notes=said, replicates=replicates)
        found.append(Judged(name, table, result))
    return found


def best_on(dev: Joined) -> int:
    """The member of the least EER on dev; NaN is the worst, of equals the first is the best."""
    errors = [table.rates.equal_error_threshold()[1] for table in map(dev.member, range(len(dev.names)))]
    return min(range(len(errors)), key=lambda at: (errors[at] != errors[at], errors[at]))


def told_of(scores: Joined, dev: Joined | None) -> tuple[str, ...]:
    """What has to be said of figures of scores that are dev's own.

    Raises:
        DataError: some of the samples are dev's, and others are not.
    """
    if dev is None:
        return ()
    of_dev = set(dev.like.table.column("id").to_pylist())
    shared = [name for name in scores.like.table.column("id").to_pylist() if name in of_dev]
    if shared and not len(shared) == len(scores.like) == len(of_dev):
        raise DataError(
            f"{len(shared)} samples are among those of dev, where rule and thresholds are fitted, and among "
            f"the {len(scores.like)} that are judged: {format_list(shared)}"
        )
    return (OPTIMISTIC,) if shared else ()
