"""Judging scores and showing what came of it. Needs neither torch nor scikit-learn."""

from fas_core.report.result import BoundMetric, Result, SpeciesResult, bind, judge
from fas_core.report.tables import tables

__all__ = ["BoundMetric", "Result", "SpeciesResult", "bind", "judge", "tables"]
