"""Helpers of the plots: figures, axes in per cent, curves, legends. No pyplot, so no global state."""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil, floor, log10
from typing import Any, TypeAlias

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator

from fas_core.names import escape_controls
from fas_core.scores.ranked import Floats
from fas_plugins.commands.report.html.curves import normal_deviate
from fas_plugins.commands.report.html.theme import LIGHT, WIDTH, line_style

DET_TICKS = (1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 0.05, 0.2, 0.4, 0.6)
WIDE_DET_TICKS = (1e-6, 1e-4, 1e-2, 0.1, 0.5, 0.9, 0.99)
"""Ticks of an axis up to nearly 1, whose labels would overlap if there were more."""
LEGEND_LINE = 0.19
"""Height of one line of a legend, in inches."""

MAX_NAME = 32
"""Longer names lose their middle."""

LegendHandle: TypeAlias = Any
"""The symbol of a name in a legend: an artist, or a tuple of artists, the last one on top."""


def create_figure(height: float = WIDTH * 0.7, *, names: int = 1, columns: int = 1) -> tuple[Figure, Axes]:
    """Create a figure with one plot and space for a legend below.

    Args:
        height: of the plot, in inches.
        names: number of names in the legend; a single name needs no legend.
        columns: columns of the legend.
    """
    lines = 0 if names == 1 else ceil(names / columns)
    figure = Figure(figsize=(WIDTH, height + LEGEND_LINE * lines))
    axes: Axes = figure.subplots()
    return figure, axes


def shorten_name(name: str) -> str:
    """Replace the middle of a long name by an ellipsis, and control characters, which SVG has not."""
    half = MAX_NAME // 2
    name = escape_controls(name)
    return name if len(name) <= MAX_NAME else f"{name[: half - 1]}…{name[-half:]}"


def draw_legend(figure: Figure, handles: Mapping[str, LegendHandle], columns: int = 1) -> None:
    """Draw a legend below the plot, where it hides no curve; no legend for a single name."""
    if len(handles) > 1:
        labels = [str(index) for index in range(len(handles))]
        legend = figure.legend(list(handles.values()), labels, loc="outside lower center", ncols=columns)
        for text, name in zip(legend.get_texts(), handles, strict=True):
            text.set_text(shorten_name(name))  # set afterwards: matplotlib omits labels that begin with _


def draw_curve(axes: Axes, apcer: Floats, y: Floats, index: int) -> Line2D:
    """Draw a system's curve in steps: there are no operating points between two scores.

    Args:
        axes: of the plot.
        apcer: (T,) x values, falling.
        y: (T,) y values.
        index: position of the system in the report.

    Returns:
        The legend handle of the curve with its threshold marker.
    """
    style = line_style(index)
    line = {"color": style["color"], "linestyle": style["linestyle"]}
    axes.plot(apcer[::-1], y[::-1], drawstyle="steps-post", **line)
    return Line2D([], [], **style, markeredgecolor=LIGHT["ink"])


def draw_marker(axes: Axes, x: float, y: float, index: int) -> None:
    """Mark the operating point of a system's threshold on its curve."""
    style = line_style(index)
    marker = {"color": style["color"], "marker": style["marker"]}
    axes.plot(x, y, **marker, markeredgecolor=LIGHT["ink"], zorder=3)


def draw_vertical_line(axes: Axes, label: str, x: float | None) -> dict[str, LegendHandle]:
    """Draw a line across the plot and return its legend entry; neither if x is None or outside the plot."""
    low, high = axes.get_xlim()
    if x is None or not low <= x <= high:
        return {}
    return {f"{label} {x:.4g}": axes.axvline(x, color=LIGHT["ink"], linewidth=1.1, linestyle="-.")}


def format_percent_axis(axis: Any) -> None:
    """Show the fractions of a linear axis in per cent."""
    axis.set_major_locator(MaxNLocator(6))
    axis.set_major_formatter(FuncFormatter(lambda rate, _: f"{100 * rate:.6g} %"))


def format_log_axis(axis: Any) -> None:
    """Show the fractions of a logarithmic axis in per cent, with ticks at powers of ten only."""
    axis.set_major_formatter(FuncFormatter(lambda rate, _: format_rate(rate)))
    axis.set_minor_locator(NullLocator())


def format_deviate_axis(axis: Any, low: float, high: float) -> None:
    """Set the ticks of a normal-deviate axis between two rates."""
    ticks = [tick for tick in (DET_TICKS if high <= 0.6 else WIDE_DET_TICKS) if low <= tick <= high]
    axis.set_major_locator(FixedLocator(normal_deviate(np.array(ticks)).tolist()))
    axis.set_ticklabels([format_rate(tick) for tick in ticks])


def format_rate(rate: float) -> str:
    """Format a fraction, e.g. `0.1 %`, with two significant digits, near 1 with three."""
    return f"{100 * rate:.2g} %" if rate < 0.99 else f"{100 * rate:.3g} %"


def lowest_rate(count: int) -> float:
    """Return the power of ten at or below 1 / count, the lowest rate of `count` samples; at least 1e-6."""
    return max(10.0 ** floor(log10(1 / count)), 1e-6)
