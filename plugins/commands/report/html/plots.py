"""The plots of a report that are about scores, each a function of the systems that it shows."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite
from typing import Any

import numpy as np
from matplotlib import rc_context

from fas_core.evaluation.text_histogram import score_range
from fas_core.scores.ranked import Floats
from fas_plugins.commands.report.html import axes as draw
from fas_plugins.commands.report.html.curves import error_curve, histogram, normal_deviate
from fas_plugins.commands.report.html.svg import Plot
from fas_plugins.commands.report.html.theme import LIGHT, STYLE, WIDTH, bar_style
from fas_plugins.commands.report.html.training import training
from fas_plugins.commands.report.systems import System

MOST = 0.999
"""The highest rate on a normal-deviate axis."""


def plots(systems: Sequence[System]) -> list[Plot]:
    """All there is to draw; a plot for which the scores do not suffice is left out."""
    with rc_context(STYLE):
        every = enumerate(systems)
        both = [(index, system) for index, system in every if system.scores.rates.has_both_classes]
        found = [roc(both), det(both)] if both else []
        for number, system in enumerate(systems, start=1):
            suffix = f"-{number}" if len(systems) > 1 else ""
            found.append(distribution(system, f"histogram{suffix}"))
            if system.scores.rates.has_both_classes:
                found.append(rates_by_threshold(system, f"rates{suffix}"))
        if any(isfinite(item.apcer) for system in systems for item in system.result.species.values()):
            found.append(species(systems))
        return [*found, *training(systems)]


def roc(systems: Sequence[tuple[int, System]]) -> Plot:
    """Live samples accepted against attacks accepted; the latter on a logarithmic axis, as low rates matter.

    Args:
        systems: those with scores of both classes, each with its place among all.
    """
    figure, axes = draw.new_figure(names=len(systems))
    lines: dict[str, draw.Handle] = {}
    least = min(draw.least_rate(system.scores.rates.attack.total) for _, system in systems)
    for index, system in systems:
        rates, cut = system.scores.rates, system.threshold
        curve = error_curve(rates)
        lines[_legend_name(system)] = draw.step(axes, np.clip(curve.apcer, least, 1), 1 - curve.bpcer, index)
        if cut is not None:
            draw.point(axes, max(float(rates.apcer(cut)), least), 1 - float(rates.bpcer(cut)), index)
    axes.set(xscale="log", xlim=(least, 1), ylim=(0, 1.01))
    axes.set(xlabel="attacks accepted (APCER, FPR)", ylabel="live accepted (TPR)")
    draw.logarithmic(axes.xaxis)
    draw.per_cent(axes.yaxis)
    draw.legend(figure, lines)
    said = "; ".join(
        f"{system.name}: area under the curve {system.scores.rates.auc():.4f}" for _, system in systems
    )
    return Plot("roc", "ROC", f"Live samples accepted against attacks accepted. {said}.", figure)


def det(systems: Sequence[tuple[int, System]]) -> Plot:
    """BPCER against APCER, both as normal deviates; systems as for `roc`."""
    figure, axes = draw.new_figure(WIDTH * 0.85, names=len(systems))
    lines: dict[str, draw.Handle] = {}
    every = [system.scores.rates for _, system in systems]
    least = min(draw.least_rate(part.total) for rates in every for part in (rates.attack, rates.live))
    most = 0.6 if all(rates.equal_error_threshold()[1] < 0.35 for rates in every) else MOST
    for index, system in systems:
        rates, cut = system.scores.rates, system.threshold
        curve = error_curve(rates)
        drawn = [normal_deviate(np.clip(part, least, MOST)) for part in (curve.apcer, curve.bpcer)]
        lines[_legend_name(system)] = draw.step(axes, drawn[0], drawn[1], index)
        if cut is not None:
            at = normal_deviate(np.clip([rates.apcer(cut), rates.bpcer(cut)], least, MOST))
            draw.point(axes, at[0], at[1], index)
    low, high = normal_deviate(np.array([least, most]))
    axes.plot([low, high], [low, high], color=LIGHT["quiet"], linewidth=0.8, linestyle=":")
    for axis in (axes.xaxis, axes.yaxis):
        draw.deviate_axis(axis, least, most)
    axes.set(xlim=(low, high), ylim=(low, high), aspect="equal")
    axes.set(xlabel="attacks accepted (APCER)", ylabel="live refused (BPCER)")
    draw.legend(figure, lines)
    said = "; ".join(
        f"{system.name}: equal error rate {draw.rate_text(system.scores.rates.equal_error_threshold()[1])}"
        for _, system in systems
    )
    return Plot("det", "DET", f"BPCER against APCER on normal-deviate axes. {said}.", figure)


def distribution(system: System, name: str) -> Plot:
    """How the scores of live samples and attacks lie to each other and to the threshold."""
    figure, axes = draw.new_figure(names=3, columns=3)
    found = histogram(system.scores)
    handles: dict[str, draw.Handle] = {}
    for label, part, hatch in (("attack", found.attack, "///"), ("live", found.live, "")):
        if part.any():
            area = axes.stairs(part, found.edges, fill=True, color=LIGHT[label], alpha=0.22)
            style: dict[str, Any] = {"facecolor": "none", "edgecolor": LIGHT[label], "linewidth": 1.2}
            handles[label] = (area, axes.stairs(part, found.edges, fill=True, hatch=hatch, **style))
    low, high = float(found.edges[0]), float(found.edges[-1])
    axes.set(xlabel="score (higher is more live)", ylabel="samples of the class", xlim=(low, high))
    draw.per_cent(axes.yaxis)
    draw.legend(figure, handles | draw.vertical(axes, _cut_name(system), system.threshold), columns=3)
    said = [
        f"{label}: {len(part)}, median {np.median(part):.4g}"
        for label, part in (("live", system.scores.live), ("attack", system.scores.attack))
        if len(part)
    ]
    return Plot(name, f"Scores of {system.name}", f"Distribution of the scores. {'; '.join(said)}.", figure)


def rates_by_threshold(system: System, name: str) -> Plot:
    """APCER, that of the worst species, and BPCER against the threshold."""
    rates = system.scores.rates
    curve, (low, high) = error_curve(rates), score_range(rates)
    shown = [("APCER", curve.apcer, "attack", "-"), ("BPCER", curve.bpcer, "live", "--")]
    if len(rates.species) > 1:
        shown.append(("APCER, worst species", curve.apcer_max, "attack", ":"))
    figure, axes = draw.new_figure(names=4, columns=2)
    handles: dict[str, draw.Handle] = {}
    for label, values, role, dashes in shown:
        # A rate at a score holds for every threshold down to the next lower score.
        x = np.clip(curve.thresholds, low, high)
        (handles[label],) = axes.step(x, values, where="pre", color=LIGHT[role], linestyle=dashes)
    axes.set(xlabel="threshold", ylabel="error rate", xlim=(low, high), ylim=(0, 1.01))
    draw.per_cent(axes.yaxis)
    draw.legend(figure, handles | draw.vertical(axes, _cut_name(system), system.threshold), columns=2)
    cut, eer = rates.equal_error_threshold()
    said = f"APCER and BPCER against the threshold; equal, {draw.rate_text(eer)}, at {cut:.4g}."
    return Plot(name, f"Error rates of {system.name}", said, figure)


def species(systems: Sequence[System]) -> Plot:
    """APCER of each species at the threshold, a bar for each system, with intervals."""
    names = sorted({name for system in systems for name in system.result.species})
    figure, axes = draw.new_figure(0.75 + 0.2 * len(names) * (len(systems) + 0.7), names=len(systems))
    thick = 0.8 / len(systems)
    bars: dict[str, draw.Handle] = {}
    for index, system in enumerate(systems):
        rates, ends = _species_rates(system, names)
        places = np.arange(len(names)) + (index - (len(systems) - 1) / 2) * thick
        bars[_legend_name(system)] = axes.barh(places, rates, height=thick, **bar_style(index))[0]
        axes.hlines(places, *ends, color=LIGHT["ink"], linewidth=1.2)
        for place, rate, end in zip(places, rates, np.fmax(rates, ends[1]), strict=True):
            if isfinite(rate):
                text = f"{100 * rate:.1f} %"
                axes.annotate(
                    text, (end, place), (4, 0), textcoords="offset points", va="center", size="small"
                )
    axes.set_yticks(range(len(names)), [draw.shortened(name) for name in names])
    axes.invert_yaxis()
    axes.grid(visible=False, axis="y")
    axes.set(xlabel="attacks accepted (APCER)", xlim=(0, max(0.01, axes.dataLim.xmax) * 1.2))
    draw.per_cent(axes.xaxis)
    draw.legend(figure, bars)
    said = [
        f"{system.name}: "
        + ", ".join(f"{name} {draw.rate_text(item.apcer)}" for name, item in system.result.species.items())
        for system in systems
    ]
    return Plot("species", "Attacks accepted, by species", f"{'; '.join(said)}.", figure)


def _legend_name(system: System) -> str:
    """A system's name; plots are files of their own too, and an oracle's are to say so."""
    return f"oracle: {system.name}" if _oracle(system) else system.name


def _cut_name(system: System) -> str:
    return "oracle threshold" if _oracle(system) else "threshold"


def _oracle(system: System) -> bool:
    cut = system.result.threshold
    return cut is not None and cut.oracle


def _species_rates(system: System, names: Sequence[str]) -> tuple[Floats, Floats]:
    """(S,) the APCER of each species and (2, S) the ends of its interval, NaN where there is none."""
    found, intervals = system.result.species, system.result.intervals
    drawn = {} if intervals is None else intervals.species
    rates = [found[name].apcer if name in found else np.nan for name in names]
    ends = [drawn.get(name, (np.nan, np.nan)) for name in names]
    return np.array(rates), np.array(ends).T
