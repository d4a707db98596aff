"""Judging scores and showing what came of it. Needs neither torch nor scikit-learn."""

from fas_core.evaluation.bootstrap import REPLICATES, Intervals, differences, intervals
from fas_core.evaluation.metrics import BoundMetric, bind_metrics, compute
from fas_core.evaluation.result import Result, SpeciesResult, evaluate
from fas_core.evaluation.tables import tables
from fas_core.evaluation.text_histogram import text_histogram

__all__ = [
    "REPLICATES",
    "BoundMetric",
    "Intervals",
    "Result",
    "SpeciesResult",
    "bind_metrics",
    "compute",
    "differences",
    "evaluate",
    "intervals",
    "tables",
    "text_histogram",
]
