"""Contract checks for plugin authors: a component that passes them works with everything else."""

from fas_core.testing.checks import (
    check_backbone,
    check_dataset,
    check_exporter,
    check_fusion,
    check_loss,
    check_metric,
    score_table,
    tiny_model,
    verify_on,
)

__all__ = [
    "check_backbone",
    "check_dataset",
    "check_exporter",
    "check_fusion",
    "check_loss",
    "check_metric",
    "score_table",
    "tiny_model",
    "verify_on",
]
