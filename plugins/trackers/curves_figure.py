"""The figure of a run's training curves: the loss, and the errors on dev, by epoch."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from fas_core.atomic import replacing
from fas_core.names import escape_controls
from fas_core.records.run_events import Record, flatten_figures
from fas_plugins.commands.report.html.axes import format_percent_axis
from fas_plugins.commands.report.html.theme import LIGHT, STYLE, WIDTH, line_style

PNG_DPI = 150
DEV_ERRORS = {"dev/eer": "EER", "dev/acer_max": "ACER, worst species"}


def draw_curves(records: Sequence[Record], title: str, file: Path) -> None:
    """Draw the loss, and below it the errors on dev where it was evaluated.

    Args:
        records: of the epochs, in order.
        title: the run's name.
        file: the PNG to write.

    Raises:
        FasError: the file cannot be written.
    """
    figures = {int(record["epoch"]): flatten_figures(record) for record in records}
    best = max((int(record["epoch"]) for record in records if record.get("best")), default=None)
    with rc_context(STYLE), warnings.catch_warnings():
        warnings.filterwarnings("ignore", r"Glyph .* missing from font", UserWarning)  # of the run's name
        errors = {
            name: label for name, label in DEV_ERRORS.items() if any(name in row for row in figures.values())
        }
        figure = Figure(figsize=(WIDTH, WIDTH * (1.15 if errors else 0.6)))
        panels: Any = figure.subplots(1 + bool(errors), 1, sharex=True, squeeze=False)[:, 0]
        figure.suptitle(escape_controls(title))
        _plot(panels[0], figures, {"loss": "training loss"}, best)
        panels[0].set_ylabel("training loss")
        if errors:
            _plot(panels[1], figures, errors, best)
            panels[1].set_ylabel("error on dev")
            format_percent_axis(panels[1].yaxis)
            panels[1].legend()
        panels[-1].set_xlabel("epoch" if best is None else f"epoch (marked: {best}, whose weights are kept)")
        panels[-1].xaxis.set_major_locator(MaxNLocator(integer=True))
        with replacing(file) as temporary:
            figure.savefig(temporary, format="png", dpi=PNG_DPI, metadata={"Software": None})


def _plot(axes: Axes, figures: dict[int, dict[str, float]], names: dict[str, str], best: int | None) -> None:
    """Plot some figures by epoch, with a marker at the best epoch, or at the last one without a best."""
    for index, (name, label) in enumerate(names.items()):
        points = {epoch: row[name] for epoch, row in figures.items() if name in row}
        epochs = list(points)
        if epochs:
            marked = epochs.index(best) if best in points else len(epochs) - 1
            style = line_style(index) | {"markevery": [marked], "markeredgecolor": LIGHT["ink"]}
            axes.plot(epochs, list(points.values()), label=label, **style)
    axes.set_ylim(bottom=0)
