"""The comparison of two periods as tables and as one sentence."""

from __future__ import annotations

from attrs import evolve

from fas_core.evaluation.formatting import percent, plain
from fas_core.evaluation.notes import wrap_note
from fas_core.text_table import Styled, Table
from fas_plugins.commands.drift.result import Change, Drift, Shift

NAMES = {
    "rejected": "rejection rate",
    "uncertain": "share of uncertain scores",
    "no_score": "share without a score",
    "apcer": "APCER",
    "bpcer": "BPCER",
}
"""What the rates are called in a sentence."""

ROW_NAMES = {
    "rejected": "rejected",
    "uncertain": "uncertain",
    "no_score": "no score",
    "apcer": "APCER",
    "bpcer": "BPCER",
}


def drift_tables(drift: Drift) -> list[Table]:
    """The scores of both periods, their shift, and the rates; the last table's note explains the figures."""
    tables = [_periods_table(drift), _shift_table(drift.shift)]
    if drift.changes:
        tables.append(_rates_table(drift))
    return [*tables[:-1], evolve(tables[-1], note="\n".join(_explain_figures(drift)))]


def describe_drift(drift: Drift) -> str:
    """Return the result in one sentence."""
    level = f"at a significance level of {drift.significance:g}"
    if not drift.decidable:
        groups = f"{drift.old.groups} and {drift.new.groups} {drift.by}s"
        return f"cannot tell: {groups} are too few for anything to be clear {level}"
    if drift.detected:
        changes = [_describe_shift(drift.shift)] if drift.shift.clear else []
        changes += [_describe_change(NAMES[rate], item) for rate, item in drift.changes.items() if item.clear]
        return f"drift {level}: {'; '.join(changes)}"
    if "rejected" not in drift.changes:
        return f"no shift seen {level}"
    low, high = map(percent, drift.changes["rejected"].interval)
    return f"no shift seen {level}; the rejection rate may have changed by {low} to {high} points"


def _describe_shift(shift: Shift) -> str:
    low, high = shift.interval
    if low <= 0.5 <= high and 0 < shift.exceeds < 1:
        return f"scores are spread differently, {percent(shift.distance)} % of them at most"
    direction = "higher" if shift.exceeds > 0.5 else "lower"
    ends = f"{percent(low)} to {percent(high)}"
    return f"scores are {direction}, a new one exceeds an old one with a chance of {ends} %"


def _describe_change(name: str, change: Change) -> str:
    low, high = change.interval
    fell = change.difference < 0
    ends = (-high, -low) if fell else (low, high)
    points = "" if low <= 0 <= high else f", by {' to '.join(map(percent, ends))} points"
    rates = f"from {percent(change.old.rate)} % to {percent(change.new.rate)} %"
    return f"the {name} {'fell' if fell else 'rose'} {rates}{points}"


def _periods_table(drift: Drift) -> Table:
    grouped = drift.by != "sample"
    shares = [f"{100 * share:g} %" for share in drift.old.quantiles]
    rows = []
    for head, period in (("old", drift.old), ("new", drift.new)):
        counts = [str(period.samples), *([str(period.groups)] if grouped else [])]
        rows.append((head, *counts, *map(plain, period.quantiles.values())))
    return Table(
        title=f"Scores: {drift.old.name} (old), {drift.new.name} (new)",
        columns=("", "samples", *([f"{drift.by}s"] if grouped else []), *shares),
        rows=rows,
        note="50 %: half of the scores are at most that",
    )


def _shift_table(shift: Shift) -> Table:
    ends = [_dim(percent(end)) for end in shift.interval]
    test = (_format_p(shift.p), _mark(shift.clear))
    return Table(
        title="Shift of the scores, in %",
        columns=("", "", "from", "to", "p", ""),
        rows=[
            ("chance that a new score exceeds an old one", percent(shift.exceeds), *ends, "", ""),
            ("most that the distributions differ", percent(shift.distance), "", "", *test),
        ],
    )


def _rates_table(drift: Drift) -> Table:
    rows: list[tuple[str, ...]] = []
    for rate, change in drift.changes.items():
        values = (percent(change.old.rate), percent(change.new.rate), _signed(change.difference))
        rows.append((ROW_NAMES[rate], *values, _format_p(change.p), _mark(change.clear)))
        counts = [f"{share.count} of {share.total}" for share in (change.old, change.new)]
        rows.append(("  count", *counts, "", "", ""))
        for index, end in enumerate(("from", "to")):
            ends = (percent(change.old.interval[index]), percent(change.new.interval[index]))
            rows.append(tuple(map(_dim, (f"  {end}", *ends, _signed(change.interval[index]), "", ""))))
    threshold = drift.threshold.text() if drift.threshold else "no threshold"
    return Table(f"Rates in %, {threshold}", ("", "old", "new", "change", "p", ""), rows)


def _explain_figures(drift: Drift) -> list[str]:
    """How intervals and p-values were computed, and what `clear` means."""
    if drift.by == "sample":
        independence = "samples are taken as independent"
    else:
        groups = f"{drift.old.groups} and {drift.new.groups} {drift.by}s"
        independence = f"intervals are of {drift.replicates} bootstrap replicates over {groups}"
    tests = 1 + len(drift.changes)
    joint_level = divided = ""
    if tests > 1:
        joint_level = f", of all {tests} together {100 * (1 - drift.significance):g} %"
        divided = f", which is {drift.significance:g} over {tests} tests"
    return [
        f"from, to: {100 * (1 - drift.test_level):.4g} % intervals{joint_level}",
        independence,
        *_explain_exact(drift),
        f"p: share of {drift.replicates} random divisions of the {drift.by}s that differ as much",
        f"clear: p is at most {drift.test_level:.3g}{divided}",
    ]


def _explain_exact(drift: Drift) -> list[str]:
    """Name the figures whose interval is exact; nothing where there are none."""
    names = ["chance that a new score exceeds an old one"] if drift.shift.exact else []
    for rate, change in drift.changes.items():
        periods = [name for name, share in (("old", change.old), ("new", change.new)) if share.exact]
        names += [f"{ROW_NAMES[rate]} ({' and '.join(periods)})"] if periods else []
    if not names:
        return []
    text = f"exact (Clopper-Pearson over {drift.by}s), because no replicate differs: {', '.join(names)}"
    return [
        *wrap_note(text),
        "these are wide: a change may be clear although its interval contains 0",
    ]


def _signed(value: float) -> str:
    return f"+{percent(value)}" if value > 0 else percent(value)


def _format_p(value: float) -> str:
    return f"{value:.3f}"


def _mark(clear: bool) -> str:
    return "clear" if clear else ""


def _dim(cell: str) -> Styled:
    return Styled(cell, "dim")
