"""The scores of both classes (or of two files) as bars of text, with the threshold as a line between them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from attrs import frozen

from fas_core.console import Styled, Table
from fas_core.evaluation.curves import score_range
from fas_core.scores.ranked import Counts, Floats
from fas_core.scores.rates import ErrorRates
from fas_core.scores.table import ScoreTable
from fas_core.scores.thresholds import Threshold

BINS = 20
"""About how many rows there are."""

EIGHTHS = " ▏▎▍▌▋▊▉"
GAPS = 4 * 2


@frozen(eq=False)
class Bins:
    """Both classes counted in the same bins. No bin holds scores of both sides of the threshold.

    Args:
        edges: (B,) the lower edge of each bin, ascending; the first is the least score there is.
        live: (B,) how many live samples are in each.
        attack: (B,) likewise.
    """

    edges: Floats
    live: Counts
    attack: Counts


@frozen
class Kinds:
    """What the two columns are.

    Args:
        heads: what stands above them.
        styles: of their bars, in a terminal.
        each: what one of them is.
    """

    heads: tuple[str, str]
    styles: tuple[str, str]
    each: str


CLASSES = Kinds(("live", "attack"), ("green", "red"), "class")
PERIODS = Kinds(("old", "new"), ("cyan", "magenta"), "file")


def text_histogram(
    scores: ScoreTable,
    threshold: Threshold | None,
    *,
    name: str = "scores",
    width: int = 80,
    blocks: bool = False,
) -> Table | None:
    """A row a bin, highest scores first: its lower edge, and of each class how many samples and a bar.

    A bar is as long as the square root of the share of its class, so that the few on the wrong side of
    the line are seen beside the many on the right one.

    Args:
        scores: NaN and samples without a label are left out.
        threshold: where the line is drawn; without one there is none.
        name: what the scores are called, e.g. the split.
        width: the most columns it takes, at least 50.
        blocks: bars of Unicode's block characters, or of `#`.

    Returns:
        None where nothing that is labelled has a score.
    """
    return pair_histogram(scores.rates, CLASSES, threshold, name=name, width=width, blocks=blocks)


def pair_histogram(
    rates: ErrorRates,
    kinds: Kinds,
    threshold: Threshold | None,
    *,
    name: str,
    width: int = 80,
    blocks: bool = False,
) -> Table | None:
    """The same of any two kinds of scores: the first are what `rates` calls live, the others its attacks."""
    bins = binned(rates, None if threshold is None else threshold.value)
    if bins is None:
        return None
    labels = _labels(bins.edges)
    counts = dict(zip(kinds.heads, (bins.live, bins.attack), strict=True))
    texts = {label: [str(count) for count in found] for label, found in counts.items()}
    used = [max(map(len, cells)) for cells in (["score >=", *labels], *([key, *texts[key]] for key in texts))]
    room = max((width - sum(used) - GAPS) // 2, 4)
    bars = _bars(counts, kinds.styles, room, blocks)
    columns = [labels, *(cells for key in counts for cells in (texts[key], bars[key]))]
    rows: list[Sequence[str]] = list(zip(*columns, strict=True))
    if threshold is not None:
        rows.insert(int(np.searchsorted(bins.edges, threshold.value)), _line(used, room, blocks))
    return Table(
        title=f"{name}: scores by {kinds.each}, {threshold.text() if threshold else 'no threshold'}",
        columns=("score >=", kinds.heads[0], "", kinds.heads[1], ""),
        rows=rows[::-1],
        note=f"bars: square root of the share of the {kinds.each}",
        left=(2, 4),
    )


def binned(rates: ErrorRates, threshold: float | None) -> Bins | None:
    """Both classes in about `BINS` bins of about one width; None without scores.

    Where most of the range is taken by a few that lie far away, the outermost bins are wider.
    """
    parts = [part for part in (rates.live, rates.attack) if part.total]
    if not parts:
        return None
    ends = [part.scores[[0, -1]] for part in parts]
    lowest, highest = np.min(ends), np.max(ends)
    low, high = score_range(rates)
    if not any(np.isfinite(part.scores).any() for part in parts):
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
    live, attack = (np.diff(np.append(part.below(edges), part.total)) for part in (rates.live, rates.attack))
    return Bins(edges, live, attack)


def _labels(edges: Floats) -> list[str]:
    """The edges in as few digits as tell them apart."""
    large = np.abs(edges[np.isfinite(edges)]).max(initial=0) >= 1e6
    formats = [
        *(() if large else (f".{digits}f" for digits in range(3, 7))),
        *(f".{n}g" for n in range(3, 18)),
    ]
    for form in formats:
        labels = [format(edge, form) for edge in edges]
        if len(set(labels)) == len(edges):
            break
    return labels


def _bars(counts: dict[str, Counts], styles: Sequence[str], room: int, blocks: bool) -> dict[str, list[str]]:
    shares = {key: found / max(found.sum(), 1) for key, found in counts.items()}
    most = max(found.max() for found in shares.values())
    return {
        key: [Styled(_bar(length, blocks), style) for length in room * np.sqrt(found / most)]
        for (key, found), style in zip(shares.items(), styles, strict=True)
    }


def _bar(length: float, blocks: bool) -> str:
    """What is not nothing is seen."""
    if length == 0:
        return ""
    if not blocks:
        return "#" * max(round(length), 1)
    whole, eighths = divmod(max(round(8 * length), 1), 8)
    return "█" * whole + EIGHTHS[eighths].strip()


def _line(used: Sequence[int], room: int, blocks: bool) -> list[Styled]:
    rule = "─" if blocks else "-"
    texts = ("", "", "threshold ", "", "accepted above ")
    widths = (used[0], used[1], room, used[2], room)
    return [
        Styled(text.ljust(width, rule)[:width], "bold") for text, width in zip(texts, widths, strict=True)
    ]
