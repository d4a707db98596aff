"""The table of errors as counts and rates, in the order of ISO/IEC 30107-3.

For each result the APCER of the worst PAI species comes first, then those of the other species, then that of
all attacks pooled, then BPCER.
"""

from __future__ import annotations

from collections.abc import Sequence

from attrs import frozen

from fas_core.evaluation.formatting import UNDEFINED, percent
from fas_core.evaluation.result import Result, divide
from fas_core.text_table import Styled, Table


@frozen
class ErrorRow:
    """One error rate.

    Args:
        rate: its name.
        samples: what it counts: a PAI species, all attacks, live samples.
        wrong: number of errors; None without a threshold.
        total: number of samples with a verdict.
        no_score: number of samples without a score.
        uncertain: number of samples with an uncertain score.
        interval: of the rate.
    """

    rate: str
    samples: str
    wrong: int | None
    total: int
    no_score: int
    uncertain: int
    interval: tuple[float | None, float | None] = (None, None)

    @property
    def value(self) -> float | None:
        """The rate as a fraction; None where it is not defined."""
        return None if self.wrong is None or not self.total else self.wrong / self.total

    @property
    def no_response(self) -> float:
        """APNRR, or BPNRR of live samples: the share without a score or with an uncertain one."""
        missing = self.no_score + self.uncertain
        return divide(missing, missing + self.total)

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
    uncertain = ("uncertain",) if any(row.uncertain for _, row in rows) else ()
    no_score = ("no score",) if any(row.no_score for _, row in rows) else ()
    no_response = ("no response\nin %",) if uncertain else ()
    cells = []
    for result, row in rows:
        interval = [Styled(percent(bound), "dim") for bound in row.interval] if bounds else []
        missing = [str(row.uncertain)] if uncertain else []
        missing += [str(row.no_score)] if no_score else []
        missing += [percent(row.no_response)] if no_response else []
        cells.append((result.name, row.rate, row.samples, row.count, percent(row.value), *interval, *missing))
    columns = ("", "error", "of", "count", "in %", *bounds, *uncertain, *no_score, *no_response)
    note = "no response: APNRR of attacks, BPNRR of live samples" if no_response else ""
    return Table("Errors, the worst species first", columns, cells, note, left=(0, 1, 2))


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
            item.count - item.uncertain,
            item.no_response,
            item.uncertain,
            by_species.get(name, (None, None)),
        )
        for name, item in result.species.items()
    ]
    species.sort(key=lambda row: (row.samples != worst, -(row.value or 0.0), row.samples))
    accepted, refused, uncertain_attacks, uncertain_live = (
        (None, None, 0, 0)
        if result.errors is None
        else (result.errors.accepted, result.errors.refused, *result.errors.uncertain)
    )
    pooled = ErrorRow(
        "APCER pooled",
        "all attacks",
        accepted,
        result.counts.get("attack", 0) - uncertain_attacks,
        sum(row.no_score for row in species),
        uncertain_attacks,
        figures.get("apcer", (None, None)),
    )
    bpcer = ErrorRow(
        "BPCER",
        "live",
        refused,
        result.counts.get("live", 0) - uncertain_live,
        result.live_no_response,
        uncertain_live,
        figures.get("bpcer", (None, None)),
    )
    return [row for row in (*species, pooled, bpcer) if row.total or row.no_score or row.uncertain]
