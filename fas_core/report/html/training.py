"""The training curves of a report, from the runs' metrics.jsonl."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import isfinite
from typing import Any

from matplotlib.ticker import MaxNLocator

from fas_core.report.html import axes as draw
from fas_core.report.html.svg import Plot
from fas_core.report.html.theme import line_style
from fas_core.report.systems import System

Line = Mapping[str, Any]
"""Of metrics.jsonl: an epoch."""


def training(systems: Sequence[System]) -> list[Plot]:
    """Training loss and dev EER by epoch, as far as runs have them."""
    found = [
        _by_epoch(systems, "training-loss", "Training loss", lambda line: line.get("loss")),
        _by_epoch(
            systems, "training-eer", "Equal error rate on dev", lambda line: line.get("dev", {}).get("eer")
        ),
    ]
    return [plot for plot in found if plot is not None]


def _by_epoch(systems: Sequence[System], name: str, title: str, value: Callable[[Line], Any]) -> Plot | None:
    """A line for each run, with a point where its best weights are from; None where no run has values."""
    lines = {index: _values(system, value) for index, system in enumerate(systems)}
    runs = {index: found for index, found in lines.items() if found}
    if not runs:
        return None
    figure, axes = draw.new_figure(names=len(runs))
    handles: dict[str, draw.Handle] = {}
    said = []
    for index, found in runs.items():
        style = line_style(index)
        marker = style.pop("marker")
        epochs, values = [item[0] for item in found], [item[1] for item in found]
        (handles[systems[index].name],) = axes.plot(epochs, values, **style)
        epoch, number, _ = max((item for item in found if item[2]), default=found[-1])
        axes.plot(epoch, number, color=style["color"], marker=marker)
        said.append(f"{systems[index].name}: {number:.4g} in epoch {epoch}, whose weights were kept")
    axes.set(xlabel="epoch", ylabel=title, ylim=(0, None))
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    if name.endswith("eer"):
        draw.per_cent(axes.yaxis)
    draw.legend(figure, handles)
    return Plot(name, title, f"By epoch. {'; '.join(said)}.", figure)


def _values(system: System, value: Callable[[Line], Any]) -> list[tuple[int, float, bool]]:
    """(epoch, value, whether the weights were the best so far) of every epoch that has one."""
    history = system.making.history if system.making else []
    found = [(line, value(line)) for line in history]
    return [
        (int(line["epoch"]), float(number), bool(line.get("best")))
        for line, number in found
        if isinstance(number, int | float) and isfinite(number)
    ]
