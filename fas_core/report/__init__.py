"""Judging scores and showing what came of it. Needs neither torch nor scikit-learn."""

from fas_core.report.bootstrap import REPLICATES, Intervals, differences, intervals
from fas_core.report.histogram import text_histogram
from fas_core.report.metrics import BoundMetric, bind, compute
from fas_core.report.result import Result, SpeciesResult, judge
from fas_core.report.tables import tables

__all__ = [
    "REPLICATES",
    "BoundMetric",
    "Intervals",
    "Result",
    "SpeciesResult",
    "bind",
    "compute",
    "differences",
    "intervals",
    "judge",
    "tables",
    "text_histogram",
]
