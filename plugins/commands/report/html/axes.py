"""What the plots share: figures, axes in per cent, steps, legends. No pyplot, hence no global state."""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil, floor, log10
from typing import Any, TypeAlias

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator

from fas_core.scores.ranked import Floats
from fas_plugins.commands.report.html.curves import normal_deviate
from fas_plugins.commands.report.html.theme import LIGHT, WIDTH, line_style

DET_TICKS = (1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 0.05, 0.2, 0.4, 0.6, 0.8, 0.95, 0.99)
Handle: TypeAlias = Any
"""What stands for a name in a legend: an artist, or a tuple of them, the last on top."""

SHORT = 32
"""Longer names are cut in their middle."""


def new_figure(height: float = WIDTH * 0.7, *, names: int = 1, columns: int = 1) -> tuple[Figure, Axes]:
    """A figure of one plot, with room for a legend of so many names below."""
    lines = 0 if names == 1 else ceil(names / columns)
    figure = Figure(figsize=(WIDTH, height + 0.19 * lines))
    axes: Axes = figure.subplots()
    return figure, axes


def shortened(name: str) -> str:
    """The name, without its middle where it is long."""
    half = SHORT // 2
    return name if len(name) <= SHORT else f"{name[: half - 1]}…{name[-half:]}"


def legend(figure: Figure, handles: Mapping[str, Handle], columns: int = 1) -> None:
    """Below the plot, so that it covers nothing; none for a single name."""
    if len(handles) > 1:
        places = [str(place) for place in range(len(handles))]
        drawn = figure.legend(list(handles.values()), places, loc="outside lower center", ncols=columns)
        for text, name in zip(drawn.get_texts(), handles, strict=True):
            text.set_text(shortened(name))  # only now: a label that begins with _ would be left out


def step(axes: Axes, x: Floats, y: Floats, index: int) -> Line2D:
    """The index-th system's curve, along which x, the APCER, falls: nothing is interpolated.

    Returns:
        What stands for it, with its `point`, in a legend.
    """
    style = line_style(index)
    axes.plot(x[::-1], y[::-1], drawstyle="steps-post", color=style["color"], linestyle=style["linestyle"])
    return Line2D([], [], **style, markeredgecolor=LIGHT["ink"])


def vertical(axes: Axes, label: str, x: float | None) -> dict[str, Handle]:
    """A line across the plot, with what a legend says of it; nothing where it lies outside."""
    low, high = axes.get_xlim()
    if x is None or not low <= x <= high:
        return {}
    return {f"{label} {x:.4g}": axes.axvline(x, color=LIGHT["ink"], linewidth=1.1, linestyle="-.")}


def point(axes: Axes, x: float, y: float, index: int) -> None:
    """The index-th system's threshold on its curve."""
    style = line_style(index)
    axes.plot(x, y, color=style["color"], marker=style["marker"], markeredgecolor=LIGHT["ink"], zorder=3)


def per_cent(axis: Any) -> None:
    """Fractions as per cent."""
    axis.set_major_locator(MaxNLocator(6))
    axis.set_major_formatter(FuncFormatter(lambda rate, _: f"{100 * rate:.6g} %"))


def logarithmic(axis: Any) -> None:
    """The same on a logarithmic axis, whose decades alone have ticks."""
    axis.set_major_formatter(FuncFormatter(lambda rate, _: rate_text(rate)))
    axis.set_minor_locator(NullLocator())


def deviate_axis(axis: Any, low: float, high: float) -> None:
    """Ticks of a normal-deviate axis between two rates."""
    ticks = [tick for tick in DET_TICKS if low <= tick <= high]
    axis.set_major_locator(FixedLocator(normal_deviate(np.array(ticks)).tolist()))
    axis.set_ticklabels([rate_text(tick) for tick in ticks])


def rate_text(rate: float) -> str:
    """`0.1 %`; at most two decimals that count."""
    return f"{100 * rate:.2g} %" if rate < 0.99 else f"{100 * rate:.3g} %"


def least_rate(count: int, least: float = 1e-6) -> float:
    """The decade below the least rate but 0 that so many samples can have."""
    return max(10.0 ** floor(log10(1 / count)), least)
