"""The look of a report: colours by role, for light and dark pages, and the styles of its plots."""

from __future__ import annotations

from typing import Any

COLOURS = {
    "paper": ("#ffffff", "#14171c"),
    "raised": ("#f4f5f7", "#1e2229"),
    "ink": ("#1b1d21", "#e9eaec"),
    "quiet": ("#585e67", "#a9afb8"),
    "grid": ("#d5d9de", "#3b414b"),
    "live": ("#0a5fa3", "#6db9ff"),
    "attack": ("#b24503", "#ff9f5b"),
    "line-1": ("#0b5c99", "#72bcfe"),
    "line-2": ("#b54708", "#fda063"),
    "line-3": ("#0a7553", "#4fd1a3"),
    "line-4": ("#8b3a91", "#e597ea"),
    "line-5": ("#7d5a00", "#e3c04f"),
    "line-6": ("#b0215a", "#ff8fb4"),
}
"""Role -> (light, dark). Light colours are unique: `svg` finds the role of a colour by them."""

LIGHT = {role: light for role, (light, _) in COLOURS.items()}
LINES = tuple(role for role in COLOURS if role.startswith("line-"))
DASHES = ("-", "--", "-.", ":")
MARKERS = ("o", "s", "^", "D", "v", "P")
HATCHES = ("", "////", "....", "\\\\\\\\", "xxxx", "----")
"""Lines, markers and bars differ in these as well as in colour."""

WIDTH = 4.8
"""Width of a plot in inches, at which its text is as large as the page's text on a phone."""

STYLE: Any = {
    "font.size": 9.5,
    "axes.titlesize": 9.5,
    "text.parse_math": False,  # a species may be called $x$
    "text.color": LIGHT["ink"],
    "axes.labelcolor": LIGHT["ink"],
    "axes.edgecolor": LIGHT["quiet"],
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "grid.color": LIGHT["grid"],
    "grid.linewidth": 0.6,
    "xtick.color": LIGHT["quiet"],
    "ytick.color": LIGHT["quiet"],
    "xtick.labelcolor": LIGHT["ink"],
    "ytick.labelcolor": LIGHT["ink"],
    "lines.linewidth": 1.6,
    "lines.markersize": 5.5,
    "hatch.linewidth": 0.7,
    "legend.frameon": False,
    "figure.constrained_layout.use": True,
    "svg.fonttype": "none",
    "svg.hashsalt": "fas",
}
"""Matplotlib settings for drawing and writing; `Any` because the type of matplotlib lists every key."""


def line_style(index: int) -> dict[str, Any]:
    """Return colour, dashes and marker of the line of the system at this position."""
    return {
        "color": LIGHT[LINES[index % len(LINES)]],
        "linestyle": DASHES[index % len(DASHES)],
        "marker": MARKERS[index % len(MARKERS)],
    }


def bar_style(index: int) -> dict[str, Any]:
    """Return colour and hatch of the bars of the system at this position."""
    return {
        "facecolor": LIGHT[LINES[index % len(LINES)]],
        "hatch": HATCHES[index % len(HATCHES)],
        "edgecolor": LIGHT["paper"],
    }
