"""Render a report as one HTML file: styles, plots and photos are embedded."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping, Sequence
from datetime import datetime
from hashlib import sha256

from attrs import frozen
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from fas_core import __version__
from fas_core.data.dataset_check import DatasetCheck
from fas_core.evaluation.comparison import Comparison, comparison_table
from fas_core.names import escape_lines
from fas_core.runtime.explain import Explainer
from fas_core.text_table import Table
from fas_plugins.commands.report.groups import groups_table
from fas_plugins.commands.report.html.misclassified import MisclassifiedGroup, find_misclassified
from fas_plugins.commands.report.html.svg import Plot
from fas_plugins.commands.report.html.theme import COLOURS
from fas_plugins.commands.report.in_words import put_in_words
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


@frozen(eq=False)
class CheckedData:
    """What a check found of the data behind some systems: the check, or why there is none."""

    names: Sequence[str]
    check: DatasetCheck | str
    table: Table | None


def render(page: ReportPage) -> str:
    """Return the HTML. All texts are escaped: users choose names, species and paths."""
    environment = Environment(
        loader=PackageLoader("fas_plugins.commands.report.html"),
        autoescape=True,
        finalize=_escape_value,
        undefined=StrictUndefined,
        trim_blocks=True,
    )
    environment.filters |= {"csp_hash": _hash_source, "breakable": _break_after_slashes}
    style = environment.get_template("style.css.j2").render(colours=COLOURS)
    script = environment.get_template("sort.js").render()
    return environment.get_template("report.html.j2").render(
        page=page,
        version=__version__,
        style=Markup(style),
        script=Markup(script),
        simulated=[system.name for system in page.systems if system.simulated],
        words=[put_in_words(system) for system in page.systems],
        groups=[groups_table(system.groups, system.name) for system in page.systems if system.groups],
        data=_merge_checks(page.systems),
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


def _hash_source(text: str) -> str:
    """Return the source expression of Content-Security-Policy that allows this script or style alone."""
    return f"sha256-{b64encode(sha256(text.encode()).digest()).decode()}"


def _break_after_slashes(path: str) -> Markup:
    """Let a path be broken after its slashes, and not inside of a name."""
    parts = escape_lines(path).split("/")
    return Markup("/<wbr>").join(escape(part) for part in parts)


def _merge_checks(systems: Sequence[EvaluatedSystem]) -> list[CheckedData]:
    """Return each different check once, with the names of its systems."""
    merged: list[tuple[DatasetCheck | str, list[str]]] = []
    for system in systems:
        names = next((names for check, names in merged if check == system.data), None)
        if names is None:
            merged.append((system.data, [system.name]))
        else:
            names.append(system.name)
    return [
        CheckedData(names, check, None if isinstance(check, str) else check.table("Samples"))
        for check, names in merged
    ]


def _find_mistakes(page: ReportPage, system: EvaluatedSystem) -> SystemMistakes:
    explainer = page.explainers.get(system.name, "")
    if isinstance(explainer, str):
        return SystemMistakes(system, find_misclassified(system, page.worst), False, explainer)
    groups = find_misclassified(system, page.worst, explainer)
    return SystemMistakes(system, groups, any(group.samples for group in groups), "")
