"""Live scores by person and session, and the summary of a model's scores that its card holds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from fas_core.scores.calibration import LEVELS, ScoreReference, are_probabilities, to_scale
from fas_core.scores.ranked import Floats
from fas_core.scores.table import LIVE, ScoreTable


def group_live_scores(scores: ScoreTable, columns: Sequence[str] = ("subject",)) -> list[Floats]:
    """Return the live scores of each subject (or of each combination of columns), without NaN.

    The list is empty where a live sample has no subject; a missing session counts as one session.
    """
    values, labels = scores.scores, scores.labels
    rows = np.flatnonzero((labels == LIVE) & ~np.isnan(values))
    names = [scores.table.column(column).to_pylist() for column in columns]
    keys = [tuple(column[row] for column in names) for row in rows]
    if any(key[0] is None for key in keys):
        return []
    groups: dict[tuple[str | None, ...], list[float]] = {}
    for key, row in zip(keys, rows, strict=True):
        groups.setdefault(key, []).append(float(values[row]))
    return [np.array(groups[key]) for key in sorted(groups, key=str)]


def summarize_scores(fitting: ScoreTable, train: ScoreTable | None = None) -> ScoreReference | None:
    """Summarise the scores that a threshold is fitted on, and those of live samples of train.

    Returns None where the former lack live samples or attacks, or have infinite scores.
    """
    if not fitting.rates.has_both_classes or np.isinf(fitting.scores).any():
        return None
    logit = are_probabilities(fitting.scores)
    tables = [fitting] if train is None else [fitting, train]
    dev = _medians([fitting], ("subject",), logit)
    medians = _medians(tables, ("subject", "session"), logit)
    return ScoreReference(
        live=_quantiles(fitting.live),
        attack=_quantiles(fitting.attack),
        samples=min(fitting.rates.live.total, fitting.rates.attack.total),
        logit=logit,
        people=len(dev),
        center=_round(dev.mean()) if len(dev) else 0.0,
        deviation=_round(medians.std(ddof=1)) if len(medians) > 1 else 0.0,
        medians=len(medians),
        sessions=_count_sessions(fitting if train is None else train),
    )


def _medians(tables: Sequence[ScoreTable], columns: Sequence[str], logit: bool) -> Floats:
    """Return the live median of each group of each table, in the scale of `to_scale`."""
    groups = [group for table in tables for group in group_live_scores(table, columns)]
    return np.array([np.median(to_scale(group, logit)) for group in groups])


def _count_sessions(scores: ScoreTable) -> int:
    return len(scores.table.column("session").unique().drop_null())


def _quantiles(scores: Floats) -> tuple[float, ...]:
    return tuple(map(_round, np.quantile(scores, LEVELS)))


def _round(value: Any) -> float:
    """Round to seven significant digits, as many as float32 has."""
    return float(f"{float(value):.7g}")
