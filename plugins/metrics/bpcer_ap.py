"""BPCER_AP of ISO/IEC 30107-3: the error rate on live samples at a given security.

    BPCER_AP = min over t of BPCER(t), where APCER_s(t) <= 1 / AP for every PAI species s

over the thresholds that scores reach, never interpolated. BPCER20 is the rate at APCER 5 %.
"""

from __future__ import annotations

from fas_core.scores.table import ScoreTable
from fas_plugins.metrics.formatting import format_rate
from fas_plugins.metrics.options import BpcerApOptions


def bpcer_ap(options: BpcerApOptions, scores: ScoreTable, threshold: float | None) -> dict[str, float]:
    """Return `bpcer10` and so on, whatever the threshold; NaN without both classes."""
    return {_format_name(apcer): scores.rates.bpcer_at_apcer(apcer) for apcer in options.apcers}


def _format_name(apcer: float) -> str:
    """Name a figure: 0.05 -> `bpcer20`, as in the standard; 0.03 -> `bpcer@apcer_max=3e-2`."""
    ap = round(1 / apcer)
    return f"bpcer{ap}" if abs(ap * apcer - 1) < 1e-9 else f"bpcer@apcer_max={format_rate(apcer)}"
