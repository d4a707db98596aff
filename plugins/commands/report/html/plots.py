"""The plots of a report that show scores, each a function of the evaluated systems."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import isfinite, isnan, nan
from typing import Any

import numpy as np
from matplotlib import rc_context

from fas_core.evaluation.text_histogram import score_range
from fas_core.scores.ranked import Floats
from fas_plugins.commands.report.html.axes import (
    LegendHandle,
    create_figure,
    draw_curve,
    draw_legend,
    draw_marker,
    draw_vertical_line,
    format_deviate_axis,
    format_log_axis,
    format_percent_axis,
    format_rate,
    lowest_rate,
    shorten_name,
)
from fas_plugins.commands.report.html.curves import error_curve, histogram, normal_deviate
from fas_plugins.commands.report.html.hovers import Hovers, mark_bins, mark_curve
from fas_plugins.commands.report.html.svg import Plot
from fas_plugins.commands.report.html.theme import LIGHT, STYLE, WIDTH, bar_style
from fas_plugins.commands.report.html.training import plot_training
from fas_plugins.commands.report.systems import EvaluatedSystem

MAX_RATE = 0.999
"""The highest rate on a normal-deviate axis."""

IndexedSystems = Sequence[tuple[int, EvaluatedSystem]]
"""Systems with scores of both classes, each with its position in the report, which selects its style."""


def draw_plots(systems: Sequence[EvaluatedSystem]) -> list[Plot]:
    """Draw every plot that the scores and training records allow."""
    with rc_context(STYLE):
        indexed = [
            (index, system) for index, system in enumerate(systems) if system.scores.rates.has_both_classes
        ]
        plots = [plot_roc(indexed), plot_det(indexed)] if indexed else []
        for number, system in enumerate(systems, start=1):
            suffix = f"-{number}" if len(systems) > 1 else ""
            plots.append(plot_histogram(system, f"histogram{suffix}"))
            if system.scores.rates.has_both_classes:
                plots.append(plot_error_rates(system, f"rates{suffix}"))
        if any(isfinite(item.apcer) for system in systems for item in system.result.species.values()):
            plots.append(plot_species(systems))
        return [*plots, *plot_training(systems)]


def plot_roc(systems: IndexedSystems) -> Plot:
    """Plot accepted live samples against accepted attacks; the latter logarithmic, as low rates matter."""
    figure, axes = create_figure(names=len(systems))
    handles: dict[str, LegendHandle] = {}
    hovers: Hovers = {}
    low = min(lowest_rate(system.scores.rates.attack.total) for _, system in systems)
    for index, system in systems:
        rates, threshold = system.scores.rates, system.threshold
        curve = error_curve(rates)
        x, y = np.clip(curve.apcer, low, 1), 1 - curve.bpcer
        handles[_legend_name(system)] = draw_curve(axes, x, y, index)
        hovers |= mark_curve(axes, x, y, curve, f"points{index}", system.name)
        if threshold is not None:
            apcer, bpcer = float(rates.apcer(threshold)), float(rates.bpcer(threshold))
            draw_marker(axes, max(apcer, low), 1 - bpcer, index)
    axes.set(xscale="log", xlim=(low, 1), ylim=(0, 1.01))
    axes.set(xlabel="attacks accepted (APCER pooled, FPR)", ylabel="live accepted (TPR)")
    format_log_axis(axes.xaxis)
    format_percent_axis(axes.yaxis)
    draw_legend(figure, handles)
    areas = "; ".join(
        f"{system.name}: area under the curve {system.scores.rates.auc():.4f}" for _, system in systems
    )
    return Plot("roc", "ROC", f"Live samples accepted against attacks accepted. {areas}.", figure, hovers)


def plot_det(systems: IndexedSystems) -> Plot:
    """Plot BPCER against APCER on normal-deviate axes."""
    figure, axes = create_figure(WIDTH * 0.85, names=len(systems))
    handles: dict[str, LegendHandle] = {}
    hovers: Hovers = {}
    all_rates = [system.scores.rates for _, system in systems]
    low_rate = min(lowest_rate(ranked.total) for rates in all_rates for ranked in (rates.attack, rates.live))
    high_rate = 0.6 if all(rates.equal_error_threshold()[1] < 0.35 for rates in all_rates) else MAX_RATE
    for index, system in systems:
        rates, threshold = system.scores.rates, system.threshold
        curve = error_curve(rates)
        x, y = (normal_deviate(np.clip(rate, low_rate, MAX_RATE)) for rate in (curve.apcer, curve.bpcer))
        handles[_legend_name(system)] = draw_curve(axes, x, y, index)
        x, y = (np.minimum(values, normal_deviate(np.array([high_rate]))) for values in (x, y))
        hovers |= mark_curve(axes, x, y, curve, f"points{index}", system.name)
        if threshold is not None:
            point = np.clip([rates.apcer(threshold), rates.bpcer(threshold)], low_rate, MAX_RATE)
            x, y = normal_deviate(point)
            draw_marker(axes, x, y, index)
    low, high = normal_deviate(np.array([low_rate, high_rate]))
    axes.plot([low, high], [low, high], color=LIGHT["quiet"], linewidth=0.8, linestyle=":")
    for axis in (axes.xaxis, axes.yaxis):
        format_deviate_axis(axis, low_rate, high_rate)
    axes.set(xlim=(low, high), ylim=(low, high), aspect="equal")
    axes.set(xlabel="attacks accepted (APCER pooled)", ylabel="live refused (BPCER)")
    draw_legend(figure, handles)
    eers = "; ".join(
        f"{system.name}: equal error rate {format_rate(system.scores.rates.equal_error_threshold()[1])}"
        for _, system in systems
    )
    return Plot("det", "DET", f"BPCER against APCER pooled on normal-deviate axes. {eers}.", figure, hovers)


def plot_histogram(system: EvaluatedSystem, name: str) -> Plot:
    """Plot the score distributions of live samples and attacks, and the threshold."""
    figure, axes = create_figure(names=3, columns=3)
    bins = histogram(system.scores)
    handles: dict[str, LegendHandle] = {}
    for label, fractions, hatch in (("attack", bins.attack, "///"), ("live", bins.live, "")):
        if fractions.any():
            area = axes.stairs(fractions, bins.edges, fill=True, color=LIGHT[label], alpha=0.22)
            style: dict[str, Any] = {"facecolor": "none", "edgecolor": LIGHT[label], "linewidth": 1.2}
            outline = axes.stairs(fractions, bins.edges, fill=True, hatch=hatch, **style)
            handles[label] = (area, outline)
    axes.set(xlabel="score (higher is more live)", ylabel="samples of the class")
    axes.set(xlim=(float(bins.edges[0]), float(bins.edges[-1])))
    hovers = mark_bins(axes, bins)
    format_percent_axis(axes.yaxis)
    handles |= draw_vertical_line(axes, _threshold_name(system), system.threshold)
    draw_legend(figure, handles, columns=3)
    medians = "; ".join(
        f"{label}: {len(scores)}, median {np.median(scores):.4g}"
        for label, scores in (("live", system.scores.live), ("attack", system.scores.attack))
        if len(scores)
    )
    return Plot(name, f"Scores of {system.name}", f"Distribution of the scores. {medians}.", figure, hovers)


def plot_error_rates(system: EvaluatedSystem, name: str) -> Plot:
    """Plot the APCER of the worst species and of all attacks, and BPCER against the threshold."""
    rates = system.scores.rates
    curve, (low, high) = error_curve(rates), score_range(rates)
    lines = [("APCER pooled", curve.apcer, "attack", ":"), ("BPCER", curve.bpcer, "live", "--")]
    if len(rates.species) > 1:
        lines.insert(0, ("APCER worst", curve.apcer_max, "attack", "-"))
    figure, axes = create_figure(names=4, columns=2)
    handles: dict[str, LegendHandle] = {}
    for label, values, role, dashes in lines:
        # A rate at a score holds for every threshold down to the next lower score.
        x = np.clip(curve.thresholds, low, high)
        (handles[label],) = axes.step(x, values, where="pre", color=LIGHT[role], linestyle=dashes)
    axes.set(xlabel="threshold", ylabel="error rate", xlim=(low, high), ylim=(0, 1.01))
    format_percent_axis(axes.yaxis)
    handles |= draw_vertical_line(axes, _threshold_name(system), system.threshold)
    hovers = mark_curve(axes, np.clip(curve.thresholds, low, high), curve.bpcer, curve, "points")
    draw_legend(figure, handles, columns=2)
    threshold, eer = rates.equal_error_threshold()
    rate = format_rate(eer)
    text = f"APCER and BPCER against the threshold; pooled, both are {rate} at {threshold:.4g}."
    return Plot(name, f"Error rates of {system.name}", text, figure, hovers)


def plot_species(systems: Sequence[EvaluatedSystem]) -> Plot:
    """Plot the APCER of each species at the threshold, the worst first: a bar and interval per system."""
    names = _rank_species(systems)
    figure, axes = create_figure(0.75 + 0.2 * len(names) * (len(systems) + 0.7), names=len(systems))
    height = 0.8 / len(systems)
    handles: dict[str, LegendHandle] = {}
    hovers: Hovers = {}
    for index, system in enumerate(systems):
        rates, intervals = _species_rates(system, names)
        y = np.arange(len(names)) + (index - (len(systems) - 1) / 2) * height
        bars = axes.barh(y, rates, height=height, **bar_style(index))
        handles[_legend_name(system)] = bars[0]
        hovers |= _mark_bars(bars, system, names, index)
        axes.hlines(y, *intervals, color=LIGHT["ink"], linewidth=1.2)
        label_style: dict[str, Any] = {"textcoords": "offset points", "va": "center", "size": "small"}
        for bar_y, rate, end in zip(y, rates, np.fmax(rates, intervals[1]), strict=True):
            if isfinite(rate):
                axes.annotate(f"{100 * rate:.1f} %", (end, bar_y), (4, 0), **label_style)
    axes.set_yticks(range(len(names)), [shorten_name(name) for name in names])
    axes.invert_yaxis()
    axes.grid(visible=False, axis="y")
    axes.set(xlabel="attacks accepted (APCER)", xlim=(0, max(0.01, axes.dataLim.xmax) * 1.2))
    format_percent_axis(axes.xaxis)
    draw_legend(figure, handles)
    texts = [
        f"{system.name}: "
        + ", ".join(
            f"{name} {format_rate(item.apcer)} ({item.accepted} of {item.count})"
            for name in names
            if (item := system.result.species.get(name)) is not None
        )
        for system in systems
    ]
    return Plot("species", "Attacks accepted, by species", f"{'; '.join(texts)}.", figure, hovers)


def _mark_bars(bars: Iterable[Any], system: EvaluatedSystem, names: Sequence[str], index: int) -> Hovers:
    """Name the bars of a system's species, and return their texts."""
    hovers: Hovers = {}
    intervals = {} if system.result.intervals is None else system.result.intervals.species
    for number, (bar, name) in enumerate(zip(bars, names, strict=True)):
        item = system.result.species.get(name)
        if item is not None and isfinite(item.apcer):
            bar.set_gid(f"bar{index}-{number}")
            low, high = intervals.get(name, (nan, nan))
            interval = "" if isnan(low) else f"; interval {format_rate(low)} to {format_rate(high)}"
            text = f"{item.accepted} of {item.count} accepted, {format_rate(item.apcer)}{interval}"
            hovers[bar.get_gid()] = [f"{system.name}, {name}: {text}"]
    return hovers


def _legend_name(system: EvaluatedSystem) -> str:
    """Mark an oracle in the legend too: plots are also files of their own."""
    return f"oracle: {system.name}" if _is_oracle(system) else system.name


def _threshold_name(system: EvaluatedSystem) -> str:
    return "oracle threshold" if _is_oracle(system) else "threshold"


def _is_oracle(system: EvaluatedSystem) -> bool:
    threshold = system.result.threshold
    return threshold is not None and threshold.oracle


def _rank_species(systems: Sequence[EvaluatedSystem]) -> list[str]:
    """Return the species of all systems, that with the highest APCER first."""
    worst = {system.result.worst_species for system in systems}
    highest: dict[str, float] = {}
    for system in systems:
        for name, item in system.result.species.items():
            highest[name] = float(np.fmax(highest.get(name, np.nan), item.apcer))
    return sorted(highest, key=lambda name: (-np.nan_to_num(highest[name]), name not in worst, name))


def _species_rates(system: EvaluatedSystem, names: Sequence[str]) -> tuple[Floats, Floats]:
    """Return (S,) APCER per species and (2, S) its interval, NaN where the system has none."""
    results, intervals = system.result.species, system.result.intervals
    ends = {} if intervals is None else intervals.species
    rates = [results[name].apcer if name in results else np.nan for name in names]
    return np.array(rates), np.array([ends.get(name, (np.nan, np.nan)) for name in names]).T
