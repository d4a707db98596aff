"""A report as one HTML file that needs nothing else: styles, plots and photos are inside."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from jinja2 import Environment, PackageLoader, StrictUndefined

from fas_core import __version__
from fas_core.report.comparison import Comparison, comparison_table
from fas_core.report.html.svg import Plot
from fas_core.report.html.theme import COLOURS
from fas_core.report.html.worst import mistakes
from fas_core.report.systems import System
from fas_core.report.tables import tables

PARTS = {
    "curves": ("Curves", ("roc", "det"), "No scores of both classes, so there are no curves."),
    "scores": ("Scores", ("histogram", "rates"), ""),
    "by-species": ("Attack species", ("species",), "No attacks, or no threshold to judge them at."),
    "training": ("Training", ("training",), "Scores alone: how the systems were trained is not known."),
}
"""Id -> heading, the first parts of the names of its plots, and what is said where there are none."""


def render(
    systems: Sequence[System],
    comparisons: Sequence[Comparison],
    plots: Sequence[Plot],
    *,
    split: str | None,
    worst: int,
    made: datetime,
) -> str:
    """The page.

    Whatever is written into it is escaped: names, species and paths are a user's.

    Args:
        systems: at least one.
        comparisons: of the others with the first.
        plots: as `fas_core.report.html.plots` gives them.
        split: of the runs among them.
        worst: how many mistakes of each kind are shown.
        made: when.
    """
    environment = Environment(
        loader=PackageLoader("fas_core.report.html"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
    )
    drawn = [
        (part, name, [plot for plot in plots if plot.name.split("-")[0] in kinds])
        for part, (name, kinds, _) in PARTS.items()
    ]
    shown = [
        ("summary", "Summary"),
        *((part, name) for part, name, _ in drawn),
        ("mistakes", "Worst mistakes"),
    ]
    if comparisons:
        shown.insert(1, ("comparison", "Comparison"))
    return environment.get_template("report.html.j2").render(
        title=" and ".join(system.name for system in systems)
        if len(systems) < 3
        else f"{len(systems)} systems",
        version=__version__,
        made=made,
        split=split,
        colours=COLOURS,
        parts=[*shown, ("making", "How it was made")],
        systems=systems,
        tables=tables([system.result for system in systems]),
        comparisons=[comparison_table(found) for found in comparisons],
        drawn_parts=drawn,
        nothing={part: said for part, (_, _, said) in PARTS.items()},
        mistakes=[(system, mistakes(system, worst)) for system in systems],
    )
