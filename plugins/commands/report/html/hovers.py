"""Texts that appear where the pointer rests on a plot: on points of its curves, and on its bins and bars."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from fas_core.evaluation.formatting import format_share
from fas_core.scores.ranked import Floats
from fas_plugins.commands.report.html.curves import Curve, Histogram
from fas_plugins.commands.report.html.theme import LIGHT

POINTS = 60
"""How many operating points of a curve have a text."""

SIZE = 9.0
"""Diameter of an invisible mark in points: as near as the pointer must come."""

Hovers = dict[str, Sequence[str]]
"""`{gid of an artist: a text for each of its marks}`."""


def mark_curve(axes: Axes, x: Floats, y: Floats, curve: Curve, gid: str, name: str = "") -> Hovers:
    """Lay invisible points on a curve, each with its threshold and error rates.

    Args:
        axes: of the plot.
        x: (T,) coordinates of the curve's operating points, inside the plot.
        y: (T,) likewise.
        curve: the operating points.
        gid: of the new artist, unique in the plot.
        name: of the system, where a plot has several.
    """
    chosen = np.unique(np.linspace(0, len(curve.thresholds) - 1, POINTS).round().astype(np.intp))
    axes.plot(x[chosen], y[chosen], "o", color=LIGHT["ink"], markersize=SIZE, alpha=0, gid=gid)
    start = f"{name}: " if name else ""
    return {
        gid: [
            f"{start}threshold {curve.thresholds[at]:.4g}: attacks accepted {format_share(curve.apcer[at])}, "
            f"of the worst species {format_share(curve.apcer_max[at])}; "
            f"live refused {format_share(curve.bpcer[at])}"
            for at in chosen.tolist()
        ]
    }


def mark_bins(axes: Axes, bins: Histogram) -> Hovers:
    """Lay an invisible bar over each bin of a histogram, with the share of both classes in it."""
    height = axes.get_ylim()[1]
    hovers: Hovers = {}
    for index, (low, high) in enumerate(zip(bins.edges[:-1].tolist(), bins.edges[1:].tolist(), strict=True)):
        gid = f"bin{index}"
        axes.add_patch(Rectangle((low, 0), high - low, height, color=LIGHT["ink"], alpha=0, gid=gid))
        shares = f"live {format_share(bins.live[index])}, attacks {format_share(bins.attack[index])}"
        hovers[gid] = [f"score {low:.4g} to {high:.4g}: {shares}"]
    return hovers
