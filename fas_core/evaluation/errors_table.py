"""The table of errors as counts and rates, in the order of ISO/IEC 30107-3.

For each result the APCER of the worst PAI species comes first, then those of the other species, then that of
all attacks pooled, then BPCER.
"""

from __future__ import annotations

from collections.abc import Sequence

from attrs import frozen

from fas_core.evaluation.formatting import UNDEFINED, percent
from fas_core.evaluation.result import Result
from fas_core.text_table import Styled, Table


@frozen
class ErrorRow:
    """One error rate.

    Args:
        rate: its name.
        samples: what it counts: a PAI species, all attacks, live samples.
        wrong: number of errors; None without a threshold.
        total: number of samples with a score.
        no_response: number of samples without one.
        interval: of the rate.
    """

    rate: str
    samples: str
    wrong: int | None
    total: int
    no_response: int
    interval: tuple[float | None, float | None] = (None, None)

    @property
    def value(self) -> float | None:
        """The rate as a fraction; None where it is not defined."""
        return None if self.wrong is None or not self.total else self.wrong / self.total

    @property
    def count(self) -> str:
        """E.g. `12 of 540`."""
        return f"{UNDEFINED if self.wrong is None else self.wrong} of {self.total}"


def errors_table(results: Sequence[Result]) -> Table | None:
    """Return counts, rates and intervals of the errors, a row each; None without samples."""
    rows = [(result, row) for result in results for row in error_rows(result)]
    if not rows:
        return None
    bounds = ("from", "to") if any(result.intervals for result in results) else ()
    no_score = ("no score",) if any(row.no_response for _, row in rows) else ()
    cells = []
    for result, row in rows:
        interval = [Styled(percent(bound), "dim") for bound in row.interval] if bounds else []
        missing = [str(row.no_response)] if no_score else []
        cells.append((result.name, row.rate, row.samples, row.count, percent(row.value), *interval, *missing))
    columns = ("", "error", "of", "count", "in %", *bounds, *no_score)
    return Table("Errors, the worst species first", columns, cells, left=(0, 1, 2))


def error_rows(result: Result) -> list[ErrorRow]:
    """Return the error rates of one result, without those that have no samples."""
    intervals = result.intervals
    by_species = {} if intervals is None else intervals.species
    figures = {} if intervals is None else intervals.figures
    worst = result.worst_species
    species = [
        ErrorRow(
            "APCER worst" if name == worst else "APCER",
            name,
            item.accepted,
            item.count,
            item.no_response,
            by_species.get(name, (None, None)),
        )
        for name, item in result.species.items()
    ]
    species.sort(key=lambda row: (row.samples != worst, -(row.value or 0.0), row.samples))
    attacks, live = result.counts.get("attack", 0), result.counts.get("live", 0)
    accepted, refused = (
        (None, None) if result.errors is None else (result.errors.accepted, result.errors.refused)
    )
    missing = sum(row.no_response for row in species)
    live_missing = result.counts.get("no_response", 0) - missing
    pooled = ErrorRow(
        "APCER pooled", "all attacks", accepted, attacks, missing, figures.get("apcer", (None, None))
    )
    rejected = ErrorRow("BPCER", "live", refused, live, live_missing, figures.get("bpcer", (None, None)))
    return [row for row in (*species, pooled, rejected) if row.total or row.no_response]
