"""Average classification error rate: (APCER + BPCER) / 2.

`acer_max` takes the APCER of the worst PAI species, as ISO/IEC 30107-3 and the OULU-NPU protocols do; `acer`
pools the species, as most tables in the literature do.
"""

from __future__ import annotations

from math import nan

from fas_core import NoOptions
from fas_core.scores.table import ScoreTable


def acer(options: NoOptions, scores: ScoreTable, threshold: float | None) -> dict[str, float]:
    """Return `acer_max` and, species pooled, `acer`; NaN without both classes or a threshold."""
    if threshold is None:
        return {"acer_max": nan, "acer": nan}
    rates = scores.rates
    pooled, worst, bpcer = rates.apcer(threshold), rates.apcer_max(threshold), rates.bpcer(threshold)
    return {"acer_max": float(worst + bpcer) / 2, "acer": float(pooled + bpcer) / 2}
