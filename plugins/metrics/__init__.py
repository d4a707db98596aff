"""The metrics: figures of a score table. The published table's come first, then the optional ones."""

from __future__ import annotations

from collections.abc import Iterator

from fas_core import Metric, hookimpl
from fas_plugins.metrics.options import ApcerAtBpcerOptions, BpcerApOptions, TprAtFprOptions

ISO = "ISO/IEC 30107-3:2023, Biometric presentation attack detection, part 3"
CHALLENGE = "A Dataset and Benchmark for Large-scale Multi-modal Face Anti-spoofing (arXiv 1812.00408)"


@hookimpl
def fas_metrics() -> Iterator[Metric]:
    yield Metric(
        name="acc",
        summary="Fraction of samples classified correctly at the threshold",
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
        summary="Fraction of attacks accepted: of the worst PAI species, and species pooled",
        target="fas_plugins.metrics.apcer:apcer",
        source=ISO,
    )
    yield Metric(
        name="bpcer",
        summary="Fraction of live samples rejected",
        target="fas_plugins.metrics.bpcer:bpcer",
        source=ISO,
    )
    yield Metric(
        name="acer",
        summary="Mean of APCER and BPCER: with the worst species, and species pooled",
        target="fas_plugins.metrics.acer:acer",
        source="OULU-NPU: a mobile face presentation attack database with real-world variations (FG 2017)",
    )
    yield Metric(
        name="auc",
        summary="Probability that a live sample scores above an attack, ties counting half",
        target="fas_plugins.metrics.auc:auc",
        source="An introduction to ROC analysis (Fawcett, Pattern Recognition Letters 27, 2006)",
    )
    yield Metric(
        name="bpcer_ap",
        summary="BPCER where no species' APCER exceeds 10, 5 and 1 %: BPCER10, BPCER20, BPCER100",
        target="fas_plugins.metrics.bpcer_ap:bpcer_ap",
        options=BpcerApOptions,
        source=ISO,
    )
    yield Metric(
        name="apcer_at_bpcer",
        summary="APCER, of the worst species and pooled, where BPCER is at most 10 and 1 %",
        target="fas_plugins.metrics.apcer_at_bpcer:apcer_at_bpcer",
        options=ApcerAtBpcerOptions,
        source=ISO,
    )
    yield Metric(
        name="hter",
        summary="Mean of FAR and FRR, species pooled",
        target="fas_plugins.metrics.hter:hter",
        source="On the effectiveness of local binary patterns in face anti-spoofing (BIOSIG 2012)",
    )
    yield Metric(
        name="d_prime",
        summary="Distance of the classes' mean scores in units of their standard deviation",
        target="fas_plugins.metrics.d_prime:d_prime",
        source="Signal Detection Theory and Psychophysics (Green and Swets, 1966)",
    )
