"""A report as one HTML file that needs nothing else: styles, plots and photos are inside."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from attrs import frozen
from jinja2 import Environment, PackageLoader, StrictUndefined

from fas_core import __version__
from fas_core.console import Table
from fas_core.evaluation.comparison import Comparison, comparison_table
from fas_core.runtime.explain import Explainer
from fas_plugins.commands.report.html.svg import Plot
from fas_plugins.commands.report.html.theme import COLOURS
from fas_plugins.commands.report.html.worst import Mistakes, mistakes
from fas_plugins.commands.report.systems import System

PARTS = {
    "curves": ("Curves", ("roc", "det"), "No scores of both classes, so there are no curves."),
    "scores": ("Scores", ("histogram", "rates"), ""),
    "by-species": ("Attack species", ("species",), "No attacks, or no threshold to judge them at."),
    "training": ("Training", ("training",), "Scores alone: how the systems were trained is not known."),
}
"""Id -> heading, the first parts of the names of its plots, and what is said where there are none."""


@frozen(eq=False)
class Report:
    """All that a page is made of.

    Args:
        title: of the page.
        systems: at least one.
        summary: tables of what they are worth.
        comparisons: of the others with the first.
        plots: as `fas_plugins.commands.report.html.plots` gives them.
        split: of the runs among them; None where there are none.
        worst: how many mistakes of each kind are shown.
        made: when.
        explainers: by the systems' names, what looks into their models; or in one sentence why nothing can.
    """

    title: str
    systems: Sequence[System]
    summary: Sequence[Table]
    comparisons: Sequence[Comparison]
    plots: Sequence[Plot]
    split: str | None
    worst: int
    made: datetime
    explainers: Mapping[str, Explainer | str] = {}


def render(report: Report) -> str:
    """The page. Whatever is written into it is escaped: names, species and paths are a user's."""
    environment = Environment(
        loader=PackageLoader("fas_plugins.commands.report.html"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
    )
    drawn = [
        (part, name, [plot for plot in report.plots if plot.name.split("-")[0] in kinds])
        for part, (name, kinds, _) in PARTS.items()
    ]
    return environment.get_template("report.html.j2").render(
        report=report,
        version=__version__,
        colours=COLOURS,
        comparisons=[comparison_table(found) for found in report.comparisons],
        drawn_parts=drawn,
        nothing={part: said for part, (_, _, said) in PARTS.items()},
        mistakes=[_mistakes(report, system) for system in report.systems],
    )


def _mistakes(report: Report, system: System) -> tuple[System, Sequence[Mistakes], bool, str]:
    """What is shown of a system's mistakes, whether with what it looked at, and why not."""
    explainer = report.explainers.get(system.name, "")
    if isinstance(explainer, str):
        return system, mistakes(system, report.worst), False, explainer
    kinds = mistakes(system, report.worst, explainer)
    return system, kinds, any(kind.shown for kind in kinds), ""
