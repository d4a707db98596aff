"""How the figures of a score table are printed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from attrs import evolve

from fas_core.console import console

if TYPE_CHECKING:
    from fas_core.evaluation.groups import GroupedResult
    from fas_core.evaluation.result import Result


def show_result(grouped: GroupedResult) -> None:
    """Print the tables and the histogram of the scores."""
    from fas_core.evaluation import tables, text_histogram
    from fas_core.evaluation.groups import groups_table

    for table in tables([grouped.result]):
        console.table(table)
    if grouped.by is not None:
        console.table(groups_table(grouped))
    histogram = text_histogram(
        grouped.scores.rates,
        grouped.result.threshold,
        name=grouped.result.name,
        width=console.width,
        blocks=console.blocks,
    )
    if histogram is not None:
        console.table(histogram)


def show_across(results: Sequence[Result], notes: Sequence[str]) -> None:
    """Print one row for each data set, and what must be known of them."""
    from fas_core.evaluation.tables import ACROSS, tables, with_samples

    if not results:
        for note in notes:
            console.info(note)
        return
    first, *others = tables(results, lead=ACROSS)
    console.table(evolve(with_samples(first, results), note="\n".join(filter(None, [*notes, first.note]))))
    for table in others:
        console.table(table)
