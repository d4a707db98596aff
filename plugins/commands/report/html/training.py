"""The training curves of a report, from the metrics.jsonl of its runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from attrs import frozen
from matplotlib.ticker import MaxNLocator

from fas_plugins.commands.report.html.axes import (
    LegendHandle,
    create_figure,
    draw_legend,
    format_percent_axis,
    format_rate,
)
from fas_plugins.commands.report.html.svg import Plot
from fas_plugins.commands.report.html.theme import LIGHT, line_style
from fas_plugins.commands.report.systems import EvaluatedSystem

MAX_VALUE = 1e300
"""Larger values, as NaN and infinity, are left out of the plots."""


@frozen
class EpochCurve:
    """One value per epoch of a run.

    Args:
        epochs: epochs that have a finite value.
        values: one per epoch.
        saved: index of the epoch whose weights were saved.
    """

    epochs: Sequence[int]
    values: Sequence[float]
    saved: int


def plot_training(systems: Sequence[EvaluatedSystem]) -> list[Plot]:
    """Plot training loss and dev EER by epoch; a plot without values is left out."""
    losses = [_read_curve(system, lambda line: line.get("loss")) for system in systems]
    rates = [_read_curve(system, lambda line: (line.get("dev") or {}).get("eer")) for system in systems]
    plots = []
    if any(losses):
        plots.append(_plot_by_epoch(systems, losses, "training-loss", "Training loss"))
    if any(rates):
        plots.append(_plot_by_epoch(systems, rates, "training-eer", "Equal error rate on dev", is_rate=True))
    return plots


def _plot_by_epoch(
    systems: Sequence[EvaluatedSystem],
    curves: Sequence[EpochCurve | None],
    name: str,
    title: str,
    *,
    is_rate: bool = False,
) -> Plot:
    """Plot one line per run, with a marker at the epoch whose weights were saved."""
    figure, axes = create_figure(names=len(systems))
    handles: dict[str, LegendHandle] = {}
    texts = []
    for index, (system, curve) in enumerate(zip(systems, curves, strict=True)):
        if curve is not None:
            style = line_style(index) | {"markevery": [curve.saved], "markeredgecolor": LIGHT["ink"]}
            (handles[system.name],) = axes.plot(curve.epochs, curve.values, **style)
            value = curve.values[curve.saved]
            text = format_rate(value) if is_rate else f"{value:.4g}"
            texts.append(
                f"{system.name}: {text} in epoch {curve.epochs[curve.saved]}, whose weights were kept"
            )
    axes.set(xlabel="epoch", ylabel=title, ylim=(0, None))
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    if is_rate:
        format_percent_axis(axes.yaxis)
    draw_legend(figure, handles)
    return Plot(name, title, f"By epoch. {'; '.join(texts)}.", figure)


def _read_curve(system: EvaluatedSystem, read_value: Callable[[Mapping[str, Any]], Any]) -> EpochCurve | None:
    """Collect the epochs that have a value; None if there are none."""
    lines = system.training.history if system.training else []
    points = [(line, value) for line in lines if _is_number(value := read_value(line))]
    if not points:
        return None
    best = [index for index, (line, _) in enumerate(points) if line.get("best")]
    saved = best[-1] if best else len(points) - 1  # without a dev split the last weights are saved
    return EpochCurve(
        [int(line["epoch"]) for line, _ in points], [float(value) for _, value in points], saved
    )


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and -MAX_VALUE < value < MAX_VALUE
