"""How a report looks, on the page and in its plots: colours by role, for light and dark."""

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
"""Role -> (light, dark). Every light colour is one role's only: by it a plot's roles are told apart."""

LIGHT = {role: light for role, (light, _) in COLOURS.items()}
LINES = tuple(role for role in COLOURS if role.startswith("line-"))
DASHES = ("-", "--", "-.", ":")
MARKERS = ("o", "s", "^", "D", "v", "P")
HATCHES = ("", "////", "....", "\\\\\\\\", "xxxx", "----")
"""Lines, points and bars differ in these as well as in colour."""

WIDTH = 4.8
"""Of a plot, in inches: its text is then as large as the page's on a phone."""

STYLE: Any = {
    "font.size": 9.5,
    "axes.titlesize": 9.5,
    "text.parse_math": False,  # a species called $x$ is called so
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
"""Matplotlib's settings while a plot is drawn or written; its own type for them names every key there is."""


def line_style(index: int) -> dict[str, Any]:
    """Colour, dashes and marker of the index-th system's line."""
    return {
        "color": LIGHT[LINES[index % len(LINES)]],
        "linestyle": DASHES[index % len(DASHES)],
        "marker": MARKERS[index % len(MARKERS)],
    }


def bar_style(index: int) -> dict[str, Any]:
    """Colour and hatch of the index-th system's bars."""
    return {
        "facecolor": LIGHT[LINES[index % len(LINES)]],
        "hatch": HATCHES[index % len(HATCHES)],
        "edgecolor": LIGHT["paper"],
    }
