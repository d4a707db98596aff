"""BPCER_AP of ISO/IEC 30107-3: how many live samples a given security costs.

    BPCER_AP = min over t of BPCER(t), where APCER_s(t) <= 1 / AP for every species s

at thresholds that scores really reach, never interpolated. BPCER20 is the one at 5 %.
"""

from __future__ import annotations

from fas_core.scores.table import ScoreTable
from fas_plugins.metrics.names import short
from fas_plugins.metrics.options import BpcerApOptions


def bpcer_ap(options: BpcerApOptions, scores: ScoreTable, threshold: float | None) -> dict[str, float]:
    """`bpcer10` and so on, whatever the threshold; NaN without both classes."""
    return {_name(apcer): scores.rates.bpcer_at_apcer(apcer) for apcer in options.apcers}


def _name(apcer: float) -> str:
    """0.05 -> `bpcer20`, as the standard says; 0.03 -> `bpcer@apcer_max=3e-2`."""
    ap = round(1 / apcer)
    return f"bpcer{ap}" if abs(ap * apcer - 1) < 1e-9 else f"bpcer@apcer_max={short(apcer)}"
