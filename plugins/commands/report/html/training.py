"""The training curves of a report, from the runs' metrics.jsonl."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import isfinite
from typing import Any

from attrs import frozen
from matplotlib.ticker import MaxNLocator

from fas_plugins.commands.report.html import axes as draw
from fas_plugins.commands.report.html.svg import Plot
from fas_plugins.commands.report.html.theme import LIGHT, line_style
from fas_plugins.commands.report.systems import System


@frozen
class History:
    """One figure of a run: epochs, its values, and the place of the epoch whose weights were kept."""

    epochs: Sequence[int]
    values: Sequence[float]
    kept: int


def training(systems: Sequence[System]) -> list[Plot]:
    """Training loss and dev EER by epoch, as far as runs have them."""
    losses = [_history(system, lambda line: line.get("loss")) for system in systems]
    rates = [_history(system, lambda line: (line.get("dev") or {}).get("eer")) for system in systems]
    found = []
    if any(losses):
        found.append(_by_epoch(systems, losses, "training-loss", "Training loss"))
    if any(rates):
        found.append(_by_epoch(systems, rates, "training-eer", "Equal error rate on dev", rates=True))
    return found


def _by_epoch(
    systems: Sequence[System],
    histories: Sequence[History | None],
    name: str,
    title: str,
    *,
    rates: bool = False,
) -> Plot:
    """A line for each run, with a point where its weights are from."""
    figure, axes = draw.new_figure(names=len(systems))
    handles: dict[str, draw.Handle] = {}
    said = []
    for index, (system, history) in enumerate(zip(systems, histories, strict=True)):
        if history is not None:
            style, kept = line_style(index), history.kept
            (handles[system.name],) = axes.plot(
                history.epochs, history.values, **style, markevery=[kept], markeredgecolor=LIGHT["ink"]
            )
            value = history.values[kept]
            text = draw.rate_text(value) if rates else f"{value:.4g}"
            said.append(f"{system.name}: {text} in epoch {history.epochs[kept]}, whose weights were kept")
    axes.set(xlabel="epoch", ylabel=title, ylim=(0, None))
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    if rates:
        draw.per_cent(axes.yaxis)
    draw.legend(figure, handles)
    return Plot(name, title, f"By epoch. {'; '.join(said)}.", figure)


def _history(system: System, value: Callable[[Mapping[str, Any]], Any]) -> History | None:
    """Of the epochs that have a value; None where none has."""
    lines = system.making.history if system.making else []
    found = [(line, value(line)) for line in lines]
    known = [(line, float(number)) for line, number in found if _is_number(number)]
    if not known:
        return None
    best = [place for place, (line, _) in enumerate(known) if line.get("best")]
    kept = best[-1] if best else len(known) - 1  # without a dev split the last weights are kept
    return History([int(line["epoch"]) for line, _ in known], [number for _, number in known], kept)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and isfinite(value)
