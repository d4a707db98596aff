"""Text histogram: scores of two classes (or files) as bars, with the threshold as a line between them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from attrs import frozen

from fas_core.scores.ranked import Counts, Floats, Ranked
from fas_core.scores.rates import ErrorRates
from fas_core.scores.thresholds import Threshold
from fas_core.text_table import Styled, Table

BINS = 20
"""Roughly how many rows there are."""

FARTHEST = 1e100
"""Scores beyond it, also infinite ones, are drawn at the edge: no axis reaches that far."""

EIGHTHS = " ▏▎▍▌▋▊▉"
GAPS = 4 * 2
"""Characters between the five columns."""


@frozen
class Series:
    """The names of two groups of scores, the styles of their bars, and what one of them is."""

    names: tuple[str, str]
    styles: tuple[str, str]
    unit: str


CLASSES = Series(("live", "attack"), ("green", "red"), "class")
PERIODS = Series(("old", "new"), ("cyan", "magenta"), "file")


@frozen(eq=False)
class Bins:
    """Counts of both groups, (B,), in bins with ascending lower edges (B,); the threshold is an edge."""

    edges: Floats
    live: Counts
    attack: Counts


def text_histogram(
    rates: ErrorRates,
    threshold: Threshold | None,
    *,
    series: Series = CLASSES,
    name: str = "scores",
    width: int = 80,
    blocks: bool = False,
) -> Table | None:
    """Return one row per bin, highest scores first: its lower edge, and for each group a count and a bar.

    A bar's length is the square root of the bin's share of its group, so that the few samples on the
    wrong side of the line are visible beside the many on the right one.

    Args:
        rates: the scores: the first group as `live`, the second as `attack`; without any there is no table.
        width: the most columns of the table, at least 50.
        blocks: whether bars consist of Unicode's block characters, or of `#`.
    """
    bins = bin_scores(rates, None if threshold is None else threshold.value)
    if bins is None:
        return None
    labels = _format_edges(bins.edges)
    first, second = ([*map(str, counts)] for counts in (bins.live, bins.attack))
    columns = (["score >=", *labels], [series.names[0], *first], [series.names[1], *second])
    widths = [max(map(len, cells)) for cells in columns]
    bar_width = max((width - sum(widths) - GAPS) // 2, 4)
    shares = [counts / max(counts.sum(), 1) for counts in (bins.live, bins.attack)]
    lengths = [bar_width * np.sqrt(share / np.max(shares)) for share in shares]
    bars = [
        [Styled(_render_bar(length, blocks), style) for length in column]
        for column, style in zip(lengths, series.styles, strict=True)
    ]
    rows: list[Sequence[str]] = list(zip(labels, first, bars[0], second, bars[1], strict=True))
    if threshold is not None:
        line = _threshold_line(widths, bar_width, blocks)
        rows.insert(int(np.searchsorted(bins.edges, threshold.value)), line)
    title = f"{name}: scores by {series.unit}, {threshold.text() if threshold else 'no threshold'}"
    header = ("score >=", series.names[0], "", series.names[1], "")
    note = f"bars: square root of the share of the {series.unit}"
    return Table(title=title, columns=header, rows=rows[::-1], note=note, left=(2, 4))


def bin_scores(rates: ErrorRates, threshold: float | None) -> Bins | None:
    """Count both classes in about `BINS` bins of about equal width; None without scores.

    Where a few far scores take most of the range, the outermost bins are wider.
    """
    classes = [ranked for ranked in (rates.live, rates.attack) if ranked.total]
    if not classes:
        return None
    ends = [ranked.scores[[0, -1]] for ranked in classes]
    lowest, highest = np.min(ends), np.max(ends)
    low, high = score_range(rates)
    if not any(np.isfinite(ranked.scores).any() for ranked in classes):
        edges = np.array([highest])  # nothing lies between infinities
    elif threshold is None or not low < threshold < high:
        edges = np.linspace(low, high, BINS, endpoint=False)
    else:
        below = min(max(round(BINS * (threshold - low) / (high - low)), 1), BINS - 1)
        halves = ((low, threshold, below), (threshold, high, BINS - below))
        edges = np.concatenate([np.linspace(*half, endpoint=False) for half in halves])
    if threshold is not None and lowest < threshold <= highest:
        edges = np.append(edges, threshold)
    edges = np.unique(np.append(edges[(edges > lowest) & (edges <= highest)], lowest)) + 0.0
    live, attack = (
        np.diff(np.append(ranked.count_below(edges), ranked.total)) for ranked in (rates.live, rates.attack)
    )
    return Bins(edges, live, attack)


def score_range(rates: ErrorRates) -> tuple[float, float]:
    """The range of scores to draw: the middle 98 % of both classes, and up to its own width on either side.

    A little wider than a point where all scores are equal; 0 and 1 without any.
    """
    classes = [scores for ranked in (rates.live, rates.attack) if len(scores := _drawable(ranked))]
    if not classes:
        return 0.0, 1.0
    low = min(scores[round(0.01 * (len(scores) - 1))] for scores in classes)
    high = max(scores[round(0.99 * (len(scores) - 1))] for scores in classes)
    lowest, highest = min(scores[0] for scores in classes), max(scores[-1] for scores in classes)
    if low < high:
        lowest, highest = max(lowest, low - (high - low)), min(highest, high + (high - low))
    margin = max(abs(lowest), 1.0) / 2 if lowest == highest else 0.0
    return float(lowest - margin), float(highest + margin)


def _drawable(ranked: Ranked) -> Floats:
    first, last = np.searchsorted(ranked.scores, [-FARTHEST, FARTHEST])
    return ranked.scores[first:last]


def _format_edges(edges: Floats) -> list[str]:
    """Format the edges with the fewest digits that distinguish them."""
    large = np.abs(edges[np.isfinite(edges)]).max(initial=0) >= 1e6
    fixed = [] if large else [f".{digits}f" for digits in range(3, 7)]
    for spec in (*fixed, *(f".{digits}g" for digits in range(3, 18))):
        labels = [format(edge, spec) for edge in edges]
        if len(set(labels)) == len(edges):
            break
    return labels


def _render_bar(length: float, blocks: bool) -> str:
    """Render a bar; any length above 0 is visible."""
    if length == 0:
        return ""
    if not blocks:
        return "#" * max(round(length), 1)
    full, eighths = divmod(max(round(8 * length), 1), 8)
    return "█" * full + EIGHTHS[eighths].strip()


def _threshold_line(widths: Sequence[int], bar_width: int, blocks: bool) -> list[Styled]:
    rule = "─" if blocks else "-"
    texts = ("", "", "threshold ", "", "accepted above ")
    cells = zip(texts, (widths[0], widths[1], bar_width, widths[2], bar_width), strict=True)
    return [Styled(text.ljust(width, rule)[:width], "bold") for text, width in cells]
