"""Metrics: figures of a score table. The published table, and ISO/IEC 30107-3's maximum over species."""

from __future__ import annotations

from collections.abc import Iterator

from fas_core import Metric, hookimpl
from fas_plugins.metrics.options import TprAtFprOptions

ISO = "ISO/IEC 30107-3:2023, Biometric presentation attack detection, part 3"
CHALLENGE = "A Dataset and Benchmark for Large-scale Multi-modal Face Anti-spoofing (arXiv 1812.00408)"


@hookimpl
def fas_metrics() -> Iterator[Metric]:
    yield Metric(
        name="acc",
        summary="Fraction of samples judged as what they are, at the threshold",
        target="fas_plugins.metrics.acc:acc",
    )
    yield Metric(
        name="eer",
        summary="Error rate where APCER and BPCER are equal, on the step function",
        target="fas_plugins.metrics.eer:eer",
        source="the rule of bob.measure: least |FAR - FRR| over midpoints of scores",
    )
    yield Metric(
        name="tpr_at_fpr",
        summary="Largest TPR while FPR is at most 1e-2 and 1e-3, not interpolated",
        target="fas_plugins.metrics.tpr_at_fpr:tpr_at_fpr",
        options=TprAtFprOptions,
        source=CHALLENGE,
    )
    yield Metric(
        name="apcer",
        summary="Fraction of attacks accepted: species pooled, and the worst species",
        target="fas_plugins.metrics.apcer:apcer",
        source=ISO,
    )
    yield Metric(
        name="bpcer",
        summary="Fraction of live samples refused",
        target="fas_plugins.metrics.bpcer:bpcer",
        source=ISO,
    )
    yield Metric(
        name="acer",
        summary="Mean of APCER and BPCER: species pooled, and with the worst species",
        target="fas_plugins.metrics.acer:acer",
        source="OULU-NPU: a mobile face presentation attack database with real-world variations (FG 2017)",
    )
    yield Metric(
        name="auc",
        summary="Chance that a live sample scores above an attack, ties counting half",
        target="fas_plugins.metrics.auc:auc",
        source="An introduction to ROC analysis (Fawcett, Pattern Recognition Letters 27, 2006)",
    )
