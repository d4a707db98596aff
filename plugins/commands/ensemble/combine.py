"""From score files to the ensemble's scores: read, fit, combine, and measure how alike the members are."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from attrs import asdict, evolve, frozen

from fas_core.console import console
from fas_core.errors import DataError, FasError, format_list, require, suggest_closest
from fas_core.scores.table import ScoreTable
from fas_core.scores.thresholds import parse_policy
from fas_plugins.commands.ensemble.agreement import Agreement, measure_agreement
from fas_plugins.commands.ensemble.evaluate import check_overlap, fit_thresholds
from fas_plugins.commands.ensemble.fit import fit_rule
from fas_plugins.commands.ensemble.joined_scores import JoinedScores
from fas_plugins.commands.ensemble.members import ScoreSources
from fas_plugins.commands.ensemble.rule import RULES, Ensemble, RuleName


@frozen(eq=False)
class CombinedScores:
    """The ensemble and its scores.

    Args:
        ensemble: the fitted rule and thresholds.
        members: the members' scores.
        dev: the members' dev scores; None where there are none.
        scores: the ensemble's scores.
        agreements: how alike each pair of members is.
        notes: notes on the ensemble's result.
    """

    ensemble: Ensemble
    members: JoinedScores
    dev: JoinedScores | None
    scores: ScoreTable
    agreements: list[Agreement]
    notes: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """Return plain data, without the scores."""
        agreement = [asdict(pair) for pair in self.agreements]
        return {"samples": len(self.scores), **self.ensemble.to_json(), "agreement": agreement}


def combine_scores(sources: ScoreSources, rule: str, policy: str | None) -> CombinedScores:
    """Read the members' scores and combine them by a rule that is fitted on dev.

    Args:
        sources: the members' scores.
        rule: one of `RULES`, or the path of a stored ensemble (`.json`).
        policy: threshold policy; None for the stored thresholds, else `eer`.

    Raises:
        FasError: an argument is wrong, or scores cannot be read, joined or fitted on.
    """
    if policy is not None:
        parse_policy(policy)  # refuse a mistake before minutes of scoring
    names = sources.names()
    selected = _select_rule(rule, len(names))
    weights = sources.read_digests()
    if isinstance(selected, Ensemble):
        _check_weights(rule, selected, sources.members, weights)
    dev = sources.read_dev()
    members = sources.read()
    notes = check_overlap(members, dev)
    ensemble = evolve(_fit(selected, members, dev, policy), weights=weights)
    if ensemble.rule.name == "mean" and (ranges := members.ranges_beyond_unit()):
        console.warn(
            f"scores of {format_list(ranges)} are not probabilities: a mean weights members by their ranges"
        )
    thresholds = [
        None if threshold is None else threshold.value for threshold in ensemble.member_thresholds()
    ]
    agreements = measure_agreement(names, members.scores, thresholds)
    return CombinedScores(ensemble, members, dev, members.combine(ensemble.rule), agreements, notes)


def _select_rule(rule: str, members: int) -> Ensemble | RuleName:
    """Return the stored ensemble, or the name of the rule to fit.

    Raises:
        FasError: there is one member, no such rule, or the ensemble was fitted for another number of members.
    """
    if members < 2:
        raise FasError("an ensemble has two members or more: give further runs or score files")
    if rule == "stacking":
        require("report", "sklearn")
    if rule in RULES:
        return rule
    if not rule.endswith(".json"):
        raise FasError(f"--rule {rule}: no such rule{suggest_closest(rule, RULES)}, nor a .json file")
    ensemble = Ensemble.read(Path(rule))
    fitted = ensemble.rule.members
    if len(fitted) != members:
        raise FasError(
            f"{rule}: fitted to {len(fitted)} members ({format_list(fitted)}), and {members} are given"
        )
    return ensemble


def _check_weights(
    rule: str, ensemble: Ensemble, members: Sequence[Path], weights: Sequence[str | None]
) -> None:
    """Raise DataError if a member is of the same kind as in the fit, and has other weights."""
    for path, current, fitted in zip(members, weights, ensemble.weights or weights, strict=True):
        kinds = {digest and digest.partition(":")[0] for digest in (current, fitted)}
        if len(kinds) == 1 and current != fitted:
            problem = f"{rule}: was fitted to the scores of other weights than {path} now has"
            raise DataError(f"{problem}: fit it again by `fas ensemble ... -o OUT.csv`")


def _fit(
    selected: Ensemble | RuleName, members: JoinedScores, dev: JoinedScores | None, policy: str | None
) -> Ensemble:
    """Return a stored ensemble unchanged unless a policy is given; else fit rule and thresholds on dev.

    Raises:
        DataError: there are no dev scores to fit the rule or the policy on.
    """
    if isinstance(selected, Ensemble):
        if policy is None:
            return selected
        rule = selected.rule
    else:
        rule = fit_rule(selected, members.names, dev)
    ensemble = fit_thresholds(rule, members, dev, policy or "eer")
    if ensemble.threshold is None:
        console.warn("no threshold, as there are no dev scores: give --dev, or --threshold fixed:VALUE")
    return ensemble
