"""What is reported: systems, each with its scores, what they are worth, and what is known of its making."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from attrs import frozen

from fas_core.evaluation.result import Result
from fas_core.records.samples import SampleTable
from fas_core.scores.table import ScoreTable


@frozen(eq=False)
class Making:
    """How a run came to be, as its folder says.

    Args:
        recipe: the resolved recipe, YAML.
        environment: versions and machine.
        data: `{split: fingerprint}`; empty where the run is not finished.
        history: the lines of metrics.jsonl.
        train_hours: None where the run is not finished.
    """

    recipe: str
    environment: Mapping[str, Any]
    data: Mapping[str, str]
    history: Sequence[Mapping[str, Any]]
    train_hours: float | None


@frozen(eq=False)
class System:
    """One run or score file.

    Args:
        name: what the report calls it, no two alike.
        path: the run folder or score file, as given.
        digest: SHA-256 of the score file.
        scores: what is judged.
        result: what it is worth.
        making: None for a score file.
        faces: the photos that were scored, or in one sentence why there are none.
    """

    name: str
    path: Path
    digest: str
    scores: ScoreTable
    result: Result
    making: Making | None
    faces: SampleTable | str

    @property
    def threshold(self) -> float | None:
        return None if self.result.threshold is None else self.result.threshold.value
