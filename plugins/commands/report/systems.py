"""The systems of a report: scores, their evaluation, and how the model was trained."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from attrs import frozen

from fas_core.evaluation.result import Result
from fas_core.records.samples import SampleTable
from fas_core.scores.table import ScoreTable


@frozen(eq=False)
class TrainingRecord:
    """How a run was trained, as recorded in its folder.

    Args:
        recipe: the resolved recipe, YAML.
        environment: package versions and the machine.
        data: `{split: fingerprint of its samples}`; empty if the run is not finished.
        history: the lines of metrics.jsonl, one per epoch.
        train_hours: None if the run is not finished.
    """

    recipe: str
    environment: Mapping[str, Any]
    data: Mapping[str, str]
    history: Sequence[Mapping[str, Any]]
    train_hours: float | None


@frozen(eq=False)
class EvaluatedSystem:
    """One run or score file with its evaluation.

    Args:
        name: unique in the report.
        path: the run folder or score file.
        digest: SHA-256 of the score file.
        scores: the evaluated scores.
        result: metrics, counts and intervals of the scores.
        training: None for a score file.
        photos: the samples with their image paths, or one sentence that says why they are missing.
    """

    name: str
    path: Path
    digest: str
    scores: ScoreTable
    result: Result
    training: TrainingRecord | None
    photos: SampleTable | str

    @property
    def threshold(self) -> float | None:
        return None if self.result.threshold is None else self.result.threshold.value
