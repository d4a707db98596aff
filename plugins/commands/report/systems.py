"""The systems of a report: scores, their evaluation, and how the model was trained."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from attrs import frozen

from fas_core.data.dataset_check import DatasetCheck
from fas_core.evaluation.group_differences import GroupDifference
from fas_core.evaluation.population import Population
from fas_core.evaluation.result import Result
from fas_core.evaluation.targets import Judgement
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
class SystemGroups:
    """Error rates by the values of a column.

    Args:
        by: name of the column.
        results: the evaluation of each group, named by its value.
        differences: each group's rates compared with those of all others; empty without a threshold.
        unknown: number of samples whose value is not known.
        clusters: what the test takes as independent: `subject`, `video` or `sample`.
    """

    by: str
    results: Sequence[Result]
    differences: Sequence[GroupDifference]
    unknown: int
    clusters: str

    def to_json(self) -> dict[str, Any]:
        """Plain data for strict JSON."""
        return {
            "by": self.by,
            "clusters": self.clusters,
            "unknown": self.unknown,
            "results": [result.to_json() for result in self.results],
            "differences": [difference.to_json() for difference in self.differences],
        }


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
        population: on whom the figures stand.
        model: the network, its inputs and data in a few words; empty for a score file.
        simulated: whether the data are known to be simulated faces.
        judgements: whether each target is met.
        groups: error rates by a column; None where none was asked for.
        data: what a check of the data found, or one sentence that says why they were not checked.
    """

    name: str
    path: Path
    digest: str
    scores: ScoreTable
    result: Result
    training: TrainingRecord | None
    photos: SampleTable | str
    population: Population
    model: str = ""
    simulated: bool = False
    judgements: tuple[Judgement, ...] = ()
    groups: SystemGroups | None = None
    data: DatasetCheck | str = "not checked"

    @property
    def threshold(self) -> float | None:
        return None if self.result.threshold is None else self.result.threshold.value
