"""`fas ensemble`: several systems' scores made into one, by a rule fitted on dev, and judged beside them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import rich_click as click
from attrs import asdict

from fas_core.cli.options.output import output_options
from fas_core.cli.options.score_files import reading_options
from fas_core.console import console
from fas_core.errors import DataError, FasError, format_list, suggest_closest

if TYPE_CHECKING:
    from fas_core.scores.files import Reading
    from fas_core.scores.table import ScoreTable
    from fas_plugins.commands.ensemble import Ensemble, Joined

FILE = click.Path(path_type=Path)


class Spreading(click.RichCommand):
    """`--dev A B C` as `--dev A --dev B --dev C`: all that follows, up to the next option."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        spread: list[str] = []
        ours = False
        for arg in args:
            value = not arg.startswith("-")
            if ours and value and spread[-1] != "--dev":
                spread.append("--dev")
            spread.append(arg)
            ours = arg == "--dev" or (ours and value)
        return super().parse_args(ctx, spread)


@click.command(cls=Spreading)
@click.argument("members", type=FILE, nargs=-1, required=True, metavar="RUN|SCORES|MODEL.onnx ...")
@click.option(
    "--dev",
    type=FILE,
    multiple=True,
    metavar="SCORES ...",
    help="Their dev scores, in the same order; runs have their own.",
)
@click.option("--labels", type=FILE, metavar="LIST", help="Labels of the scores in files, if not in them.")
@click.option("--dev-labels", type=FILE, metavar="LIST", help="Likewise for --dev.")
@click.option(
    "--rule",
    default="mean",
    show_default=True,
    metavar="RULE",
    help="mean, or fitted on dev: weighted, stacking, published; or OUT.json, as -o has left it.",
)
@click.option("--split", default="test", show_default=True, help="Of runs and models: train, dev or test.")
@click.option(
    "--threshold",
    metavar="POLICY",
    help="eer (the default), min-acer, apcer:X, apcer_max:X, bpcer:X of dev scores, fixed:VALUE, "
    "oracle:POLICY.",
)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="OUT.csv",
    help="Write the ensemble's scores, and what was fitted beside them: OUT.json.",
)
@click.option(
    "--replicates",
    type=click.IntRange(0),
    default=1000,
    show_default=True,
    help="Bootstrap replicates for the 95 % intervals; 0 for no intervals.",
)
@click.option(
    "-j", "--workers", type=click.IntRange(1), default=2, show_default=True, help="Threads that read images."
)
@reading_options
@output_options
def command(
    members: tuple[Path, ...],
    dev: tuple[Path, ...],
    labels: Path | None,
    dev_labels: Path | None,
    rule: str,
    split: str,
    threshold: str | None,
    output: Path | None,
    replicates: int,
    workers: int,
    reading: Reading,
) -> None:
    """Make one system of several: a few whose scores differ much.

    What is fitted (rule and thresholds) is fitted on dev. Labelled scores are judged, every member beside the
    ensemble; unlabelled ones give scores only. A sample that any member has no score for has none.
    """
    from fas_core.inference.scores_of import names_of, scores_of
    from fas_core.scores.thresholds import parse_policy
    from fas_plugins.commands.ensemble import joined
    from fas_plugins.commands.ensemble.agreement import agreement_table, agreements
    from fas_plugins.commands.ensemble.judge import told_of

    if threshold is not None:
        parse_policy(threshold)  # a mistake here should not wait for scoring
    if output is not None and output.suffix == ".json":
        raise FasError(f"{output}: what is fitted goes there: give -o OUT.csv or OUT.parquet")
    names = names_of(members)
    kept = _rule(rule, len(members))
    developed = _dev(members, names, dev, dev_labels, reading)
    scores = joined(
        {
            name: scores_of(path, split, workers=workers, labels=labels, reading=reading)
            for name, path in zip(names, members, strict=True)
        }
    )
    notes = told_of(scores, developed)
    ensemble = _fitted(kept, scores, developed, threshold)
    if ensemble.rule.name == "mean" and (others := scores.no_probabilities()):
        console.warn(
            f"scores of {format_list(others)} are no probabilities: a mean weighs members by their ranges"
        )
    cuts: Sequence[float | None] = [cut.value for cut in ensemble.thresholds] or [None for _ in names]
    alike = agreements(names, scores.scores, cuts)
    whole = scores.by(ensemble.rule)
    document: dict[str, Any] = {"samples": len(whole), **ensemble.to_json()}
    document["agreement"] = [asdict(pair) for pair in alike]
    console.info(_said(ensemble, names))
    if output is not None:
        whole.write(output)
        ensemble.write(_beside(output))
        document |= {"scores": str(output), "ensemble": str(_beside(output))}
        console.info(f"{len(whole)} scores in {output}, what was fitted in {_beside(output)}")
    console.table(agreement_table(alike))
    if whole.is_labelled():
        document |= _judged(scores, developed, ensemble, notes, replicates)
    else:
        ending = "" if output else "; give -o OUT.csv"
        console.info(f"{len(whole)} samples, not all labelled: no table of rates{ending}")
    if console.json:
        console.document(document)


def _rule(rule: str, members: int) -> Ensemble | str:
    """What an earlier call has fitted, or the name of what is to be.

    Raises:
        FasError: it is neither, or fitted to another number of members.
    """
    from fas_core.errors import require
    from fas_plugins.commands.ensemble import RULES, Ensemble

    if members < 2:
        raise FasError("an ensemble has two members or more: give further runs or score files")
    if rule == "stacking":
        require("report", "sklearn")
    if rule in RULES:
        return rule
    if not rule.endswith(".json"):
        raise FasError(f"--rule {rule}: no such rule{suggest_closest(rule, RULES)}, nor a .json file")
    ensemble = Ensemble.read(Path(rule))
    if len(ensemble.rule.members) != members:
        raise FasError(
            f"{rule}: fitted to {len(ensemble.rule.members)} members "
            f"({format_list(ensemble.rule.members)}), and {members} are given"
        )
    return ensemble


def _dev(
    members: Sequence[Path],
    names: Sequence[str],
    dev: Sequence[Path],
    labels: Path | None,
    reading: Reading,
) -> Joined | None:
    """The members' dev scores; None where nothing says what they are.

    Raises:
        DataError: some members have dev scores and others have none, or they do not go together.
    """
    from fas_core.inference.scores_of import read_file, stored_scores
    from fas_plugins.commands.ensemble import joined

    if dev and len(dev) != len(members):
        raise FasError(
            f"--dev: {len(dev)} files for {len(members)} members: give one for each, in their order"
        )
    given: list[ScoreTable | None] = [read_file(path, labels, reading) for path in dev]
    found = given or [stored_scores(path, "dev") for path in members]
    there = {name: table for name, table in zip(names, found, strict=True) if table is not None}
    if there and len(there) < len(names):
        lacking = [name for name in names if name not in there]
        raise DataError(
            f"{format_list(there)} come with dev scores and {format_list(lacking)} without: "
            f"give --dev, a file for each (fas eval RUN --split dev --scores OUT.csv makes one)"
        )
    return joined({f"{name} (dev)": table for name, table in there.items()}) if there else None


def _fitted(kept: Ensemble | str, scores: Joined, dev: Joined | None, policy: str | None) -> Ensemble:
    """As it was kept, unless another policy is given; else fitted now.

    Raises:
        DataError: there are no dev scores that rule or policy can be fitted on.
    """
    from fas_plugins.commands.ensemble import Ensemble, RuleName, fit
    from fas_plugins.commands.ensemble.judge import with_thresholds

    if isinstance(kept, Ensemble) and policy is None:
        return kept
    rule = kept.rule if isinstance(kept, Ensemble) else fit(cast("RuleName", kept), scores.names, dev)
    found = with_thresholds(rule, scores, dev, policy or "eer")
    if found.threshold is None:
        console.warn("no threshold, as there are no dev scores: give --dev, or --threshold fixed:VALUE")
    return found


def _judged(
    scores: Joined, dev: Joined | None, ensemble: Ensemble, notes: Sequence[str], replicates: int
) -> dict[str, Any]:
    """Print the tables; the same for `--json`."""
    from fas_core.config.recipe import Recipe
    from fas_core.evaluation import bind_metrics
    from fas_core.evaluation.comparison import compare, comparison_table
    from fas_core.evaluation.tables import further_rates_table, published_table, species_table
    from fas_core.registry import registry
    from fas_plugins.commands.ensemble.judge import best_on, judge_all

    metrics = bind_metrics(Recipe().metrics, registry())
    systems = judge_all(scores, ensemble, metrics, notes, replicates)
    results = [system.result for system in systems]
    of_all = published_table(results), further_rates_table(results), species_table(results[-1:])
    for table in filter(None, of_all):
        console.table(table)
    document: dict[str, Any] = {"results": [result.to_json() for result in results]}
    if dev is not None:
        best = systems[best_on(dev)]
        (found,) = compare([best, systems[-1]], metrics, replicates)
        document["comparison"] = found.to_json()
        console.info(f"{best.name} is the best member by its EER on dev")
        console.table(comparison_table(found))
    return document


def _said(ensemble: Ensemble, names: Sequence[str]) -> str:
    """E.g. `weighted: 0.25 of a, 0.75 of b`."""
    rule = ensemble.rule
    if rule.name == "published":
        return f"published: the largest score where the mean is above {rule.t:.6g}, else the smallest"
    parts = [f"{weight:.4g} of {name}" for weight, name in zip(rule.weights, names, strict=False)]
    bias = f", bias {rule.bias:.4g}" if rule.name == "stacking" else ""
    return f"{rule.name}: {', '.join(parts) or f'of {len(names)} members'}{bias}"


def _beside(output: Path) -> Path:
    return output.with_suffix(".json")
