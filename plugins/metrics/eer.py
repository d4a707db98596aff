"""Equal error rate, on the step function, by the rule of bob.measure.

    EER = (APCER(t) + BPCER(t)) / 2 at the t that minimises |APCER(t) - BPCER(t)|

over midpoints of neighbouring distinct scores. Interpolating the ROC instead, as FeatherNets' published code
does, changes the third decimal on small sets.
"""

from __future__ import annotations

from fas_core import NoOptions
from fas_core.scores.table import ScoreTable


def eer(options: NoOptions, scores: ScoreTable, threshold: float | None) -> dict[str, float]:
    """Return `eer`, whatever the threshold; NaN without both classes."""
    return {"eer": scores.rates.equal_error_threshold()[1]}
