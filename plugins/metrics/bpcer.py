"""Bona fide presentation classification error rate, ISO/IEC 30107-3.

    BPCER(t) = |{x in L : score(x) < t}| / |L|     for live samples L

It is also called FRR; 1 - BPCER is the TPR.
"""

from __future__ import annotations

from math import nan

from fas_core import NoOptions
from fas_core.scores.table import ScoreTable


def bpcer(options: NoOptions, scores: ScoreTable, threshold: float | None) -> dict[str, float]:
    """Return `bpcer`; NaN without live samples or a threshold."""
    return {"bpcer": nan if threshold is None else float(scores.rates.bpcer(threshold))}
