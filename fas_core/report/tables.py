"""Results as console tables: the published columns first, then species, then whatever else was computed.

Rates are printed in %, to two decimals (four of the fraction, which `to_json` keeps whole).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import isnan

from fas_core.console import Table
from fas_core.report.result import Result

PUBLISHED = {
    "acc": "Acc",
    "eer": "EER",
    "tpr@fpr=1e-2": "TPR@FPR\n=1e-2",
    "tpr@fpr=1e-3": "TPR@FPR\n=1e-3",
    "apcer": "APCER",
    "bpcer": "BPCER",
    "acer": "ACER",
    "auc": "AUC",
}
"""Figure -> header, in the order of the published table. Two lines where one would not fit 80 columns."""

WORST = {"apcer_max": "worst species: APCER max", "acer_max": "worst species: ACER max"}
"""Figure -> row below the species."""

DASH = "–"


def tables(results: Sequence[Result], *, train_hours: float | None = None) -> list[Table]:
    """Everything there is to print about results, one row or column each.

    Args:
        results: at least one, e.g. of dev and test.
        train_hours: how long training took, where it is known.
    """
    found = (
        published_table(results, train_hours=train_hours),
        species_table(results),
        further_table(results),
    )
    return [table for table in found if table is not None]


def published_table(results: Sequence[Result], *, train_hours: float | None = None) -> Table:
    """The published columns, one row a result (and two for its intervals), and the notes below."""
    keys = [key for key in PUBLISHED if any(key in result.metrics for result in results)]
    hours = [] if train_hours is None else [f"{train_hours:.2f}"]
    rows: list[tuple[str, ...]] = []
    for result in results:
        rows.append((result.name, *(_percent(result.metrics.get(key)) for key in keys), *hours))
        rows += [(label, *map(_percent, ends), *("" for _ in hours)) for label, ends in _ends(result, keys)]
    return Table(
        title=f"Rates in %, {_thresholds(results)}",
        columns=("", *(PUBLISHED[key] for key in keys), *(["Train\nhours"] if hours else [])),
        rows=rows,
        note="\n".join(f"{result.name}: {note}" for result in results for note in _notes(result)),
    )


def species_table(results: Sequence[Result]) -> Table | None:
    """APCER and number of attacks of each species, one pair of columns a result; None without attacks."""
    names = sorted({name for result in results for name in result.species})
    if not names:
        return None
    rows = [(name, *(cell for result in results for cell in _species_cells(result, name))) for name in names]
    for key, label in WORST.items():
        if any(key in result.metrics for result in results):
            rows.append(
                (label, *(cell for result in results for cell in (_percent(result.metrics.get(key)), "")))
            )
    return Table(
        title="Attacks accepted, by species",
        columns=("", *(column for result in results for column in (f"{result.name}\nAPCER", "\nattacks"))),
        rows=rows,
    )


def further_table(results: Sequence[Result]) -> Table | None:
    """Figures that have no place in the other tables, as plain numbers; None when there are none."""
    shown = {*PUBLISHED, *WORST}
    keys = list(dict.fromkeys(key for result in results for key in result.metrics if key not in shown))
    if not keys:
        return None
    return Table(
        title="Further figures, rates as fractions",
        columns=("", *(result.name for result in results)),
        rows=[(key, *(_plain(result.metrics.get(key)) for result in results)) for key in keys],
    )


def _thresholds(results: Iterable[Result]) -> str:
    """E.g. `accepted when score >= 0.512 (eer on dev)`; for each result where they differ."""
    said = {}
    for result in results:
        if (found := result.threshold) is None:
            said[result.name] = "no threshold"
        else:
            origin = found.policy if found.source == "given" else f"{found.policy} on {found.source}"
            said[result.name] = f"accepted when score >= {found.value:.6g} ({origin})"
    if len(set(said.values())) == 1:
        return next(iter(said.values()))
    return "; ".join(f"{name}: {text}" for name, text in said.items())


def _ends(result: Result, keys: Sequence[str]) -> list[tuple[str, list[float | None]]]:
    """The lower and the upper ends of a result's intervals, as rows; none where there are none."""
    if result.intervals is None:
        return []
    found = [result.intervals.figures.get(key, (None, None)) for key in keys]
    return [("  from", [low for low, _ in found]), ("  to", [high for _, high in found])]


def _notes(result: Result) -> list[str]:
    notes = list(result.notes)
    if (found := result.intervals) is not None:
        why = ", as not every subject or video is known" if found.by == "sample" else ""
        notes.append(f"from, to: {found.level:.0%} intervals, bootstrap over {found.groups} {found.by}s{why}")
    return notes


def _percent(value: float | None) -> str:
    return DASH if value is None or isnan(value) else f"{100 * value:.2f}"


def _species_cells(result: Result, name: str) -> tuple[str, str]:
    if (found := result.species.get(name)) is None:
        return DASH, "0"
    return _percent(found.apcer), str(found.count)


def _plain(value: float | None) -> str:
    return DASH if value is None or isnan(value) else f"{value:.4g}"
