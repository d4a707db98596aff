"""Evaluation of score tables, and its output as tables. Needs neither torch nor scikit-learn."""

from fas_core.evaluation.bootstrap import REPLICATES
from fas_core.evaluation.intervals import bootstrap_intervals
from fas_core.evaluation.metrics import BoundMetric, bind_metrics, compute_metrics
from fas_core.evaluation.result import Result, evaluate
from fas_core.evaluation.tables import format_tables
from fas_core.evaluation.text_histogram import text_histogram

__all__ = [
    "REPLICATES",
    "BoundMetric",
    "Result",
    "bind_metrics",
    "bootstrap_intervals",
    "compute_metrics",
    "evaluate",
    "format_tables",
    "text_histogram",
]
