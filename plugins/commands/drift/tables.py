"""What has changed between two periods, as tables and in one sentence."""

from __future__ import annotations

from fas_core.console import Styled, Table
from fas_core.evaluation.tables import percent, plain
from fas_plugins.commands.drift.drift import Change, Drift, Shift

NAMES = {
    "rejected": "rejection rate",
    "no_score": "share without a score",
    "apcer": "APCER",
    "bpcer": "BPCER",
}
"""What the rates are called in a sentence."""

ROWS = {"rejected": "rejected", "no_score": "no score", "apcer": "APCER", "bpcer": "BPCER"}


def drift_tables(found: Drift) -> list[Table]:
    """The scores of both, how they have shifted, and the rates; how all this was found stands below."""
    tables = [_periods_table(found), _shift_table(found.shift)]
    if found.changes:
        tables.append(_rates_table(found))
    *others, last = tables
    note = "\n".join(_notes(found))
    return [*others, Table(last.title, last.columns, last.rows, note)]


def verdict(found: Drift) -> str:
    """What to make of it, in one sentence."""
    level = f"at a significance level of {found.significance:g}"
    if not found.decidable:
        groups = f"{found.old.groups} and {found.new.groups} {found.by}s"
        return f"cannot tell: {groups} are too few for anything to be clear {level}"
    parts = [_moved(found.shift)] if found.shift.clear else []
    parts += [_changed(NAMES[kind], change) for kind, change in found.changes.items() if change.clear]
    if parts:
        return f"drift {level}: {'; '.join(parts)}"
    if "rejected" not in found.changes:
        return f"no shift seen {level}"
    low, high = (f"{percent(end)}" for end in found.changes["rejected"].interval)
    return f"no shift seen {level}; the rejection rate may have changed by {low} to {high} points"


def _moved(shift: Shift) -> str:
    low, high = shift.interval
    if low <= 0.5 <= high:
        return f"scores are spread differently, {percent(shift.distance)} % of them at most"
    where = "higher" if low > 0.5 else "lower"
    ends = f"{percent(low)} to {percent(high)}"
    return f"scores are {where}, a new one exceeds an old one with a chance of {ends} %"


def _changed(name: str, change: Change) -> str:
    low, high = change.interval
    fell = change.difference < 0
    ends = (-high, -low) if fell else (low, high)
    by = " to ".join(percent(end) for end in ends)
    rates = f"from {percent(change.old.rate)} % to {percent(change.new.rate)} %"
    return f"the {name} {'fell' if fell else 'rose'} {rates}, by {by} points"


def _periods_table(found: Drift) -> Table:
    grouped = found.by != "sample"
    shares = [f"{100 * share:g} %" for share in found.old.quantiles]
    rows = []
    for head, period in (("old", found.old), ("new", found.new)):
        counts = [str(period.samples), *([str(period.groups)] if grouped else [])]
        rows.append((head, *counts, *map(plain, period.quantiles.values())))
    return Table(
        title=f"Scores: {found.old.name} (old), {found.new.name} (new)",
        columns=("", "samples", *([f"{found.by}s"] if grouped else []), *shares),
        rows=rows,
        note="50 %: half of the scores are at most that",
    )


def _shift_table(shift: Shift) -> Table:
    ends = [_dim(percent(end)) for end in shift.interval]
    return Table(
        title="Shift of the scores, in %",
        columns=("", "", "from", "to", "p", ""),
        rows=[
            ("chance that a new score exceeds an old one", percent(shift.exceeds), *ends, "", ""),
            (
                "most that the distributions differ",
                percent(shift.distance),
                "",
                "",
                _p(shift.p),
                _mark(shift.clear),
            ),
        ],
    )


def _rates_table(found: Drift) -> Table:
    rows: list[tuple[str, ...]] = []
    for kind, change in found.changes.items():
        values = (percent(change.old.rate), percent(change.new.rate), _signed(change.difference))
        rows.append((ROWS[kind], *values, _p(change.p), _mark(change.clear)))
        for at, end in enumerate(("from", "to")):
            ends = (percent(change.old.interval[at]), percent(change.new.interval[at]))
            rows.append(tuple(map(_dim, (f"  {end}", *ends, _signed(change.interval[at]), "", ""))))
    cut = found.threshold.text() if found.threshold else "no threshold"
    return Table(f"Rates in %, {cut}", ("", "old", "new", "change", "p", ""), rows)


def _notes(found: Drift) -> list[str]:
    """How intervals and marks came about."""
    if found.by == "sample":
        taken = "samples are taken as independent"
    else:
        groups = f"{found.old.groups} and {found.new.groups} {found.by}s"
        taken = f"intervals are of {found.replicates} bootstrap replicates over {groups}"
    tests = 1 + len(found.changes)
    together = alarm = ""
    if tests > 1:
        together = f", of all {tests} together {100 * (1 - found.significance):g} %"
        alarm = f", which is {found.significance:g} over {tests} tests"
    return [
        f"from, to: {100 * (1 - found.each):.4g} % intervals{together}",
        taken,
        f"p: share of {found.replicates} random divisions of the {found.by}s that differ as much",
        f"clear: p is at most {found.each:.3g}{alarm}",
    ]


def _signed(value: float) -> str:
    return f"+{percent(value)}" if value > 0 else percent(value)


def _p(value: float) -> str:
    return f"{value:.3f}"


def _mark(clear: bool) -> str:
    return "clear" if clear else ""


def _dim(cell: str) -> Styled:
    return Styled(cell, "dim")
