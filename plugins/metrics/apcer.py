"""Attack presentation classification error rate, ISO/IEC 30107-3.

    APCER_s(t) = |{x in A_s : score(x) >= t}| / |A_s|     for attacks A_s of PAI species s

The standard takes the maximum over species: `apcer_max`. Tables in the literature pool all attacks: `apcer`.
"""

from __future__ import annotations

from math import nan

from fas_core import NoOptions
from fas_core.scores.table import ScoreTable


def apcer(options: NoOptions, scores: ScoreTable, threshold: float | None) -> dict[str, float]:
    """Return `apcer_max` and, species pooled, `apcer`; NaN without attacks or a threshold."""
    if threshold is None:
        return {"apcer_max": nan, "apcer": nan}
    rates = scores.rates
    return {"apcer_max": float(rates.apcer_max(threshold)), "apcer": float(rates.apcer(threshold))}
