"""Render a report as one HTML file: styles, plots and photos are embedded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from attrs import frozen
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from fas_core import __version__
from fas_core.evaluation.comparison import Comparison, comparison_table
from fas_core.names import escape_lines
from fas_core.runtime.explain import Explainer
from fas_core.text_table import Table
from fas_plugins.commands.report.html.misclassified import MisclassifiedGroup, find_misclassified
from fas_plugins.commands.report.html.svg import Plot
from fas_plugins.commands.report.html.theme import COLOURS
from fas_plugins.commands.report.systems import EvaluatedSystem


@frozen
class PlotSection:
    """A section of plots.

    Args:
        id: of its HTML element.
        title: its heading.
        plots: plot names up to the first `-`.
        empty: the text if there are no such plots.
    """

    id: str
    title: str
    plots: tuple[str, ...]
    empty: str = ""


PLOT_SECTIONS = (
    PlotSection("curves", "Curves", ("roc", "det"), "No scores of both classes, so there are no curves."),
    PlotSection("scores", "Scores", ("histogram", "rates")),
    PlotSection(
        "by-species", "Attack species", ("species",), "No attacks, or no threshold to evaluate them at."
    ),
    PlotSection(
        "training", "Training", ("training",), "Score files only: how the systems were trained is not known."
    ),
)


@frozen(eq=False)
class ReportPage:
    """The content of a page.

    Args:
        title: of the page.
        systems: at least one.
        summary: tables of the evaluation.
        comparisons: every further system compared with the first.
        plots: see `fas_plugins.commands.report.html.draw_plots`.
        split: split of the runs; None if there are only score files.
        worst: number of misclassified samples shown per kind.
        created: time of creation.
        explainers: `{name of a system: explainer of its model, or one sentence that says why there is none}`.
    """

    title: str
    systems: Sequence[EvaluatedSystem]
    summary: Sequence[Table]
    comparisons: Sequence[Comparison]
    plots: Sequence[Plot]
    split: str | None
    worst: int
    created: datetime
    explainers: Mapping[str, Explainer | str] = {}


@frozen(eq=False)
class SystemMistakes:
    """What the page shows of one system's misclassified samples.

    Args:
        system: the system.
        groups: accepted attacks and refused live samples; empty without a threshold.
        has_maps: whether maps of what the model looked at are shown.
        no_maps: one sentence that says why there are no maps; empty if maps are not expected.
    """

    system: EvaluatedSystem
    groups: Sequence[MisclassifiedGroup]
    has_maps: bool
    no_maps: str


def render(page: ReportPage) -> str:
    """Return the HTML. All texts are escaped: users choose names, species and paths."""
    environment = Environment(
        loader=PackageLoader("fas_plugins.commands.report.html"),
        autoescape=True,
        finalize=_escape_value,
        undefined=StrictUndefined,
        trim_blocks=True,
    )
    return environment.get_template("report.html.j2").render(
        page=page,
        version=__version__,
        colours=COLOURS,
        comparisons=[comparison_table(comparison) for comparison in page.comparisons],
        plot_sections=[
            (section, [plot for plot in page.plots if plot.name.split("-")[0] in section.plots])
            for section in PLOT_SECTIONS
        ],
        mistakes=[_find_mistakes(page, system) for system in page.systems],
    )


def _escape_value(value: object) -> object:
    """Escape control characters in a value of the template, before it is escaped as HTML."""
    return value if isinstance(value, Markup) else escape_lines(str(value))


def _find_mistakes(page: ReportPage, system: EvaluatedSystem) -> SystemMistakes:
    explainer = page.explainers.get(system.name, "")
    if isinstance(explainer, str):
        return SystemMistakes(system, find_misclassified(system, page.worst), False, explainer)
    groups = find_misclassified(system, page.worst, explainer)
    return SystemMistakes(system, groups, any(group.samples for group in groups), "")
