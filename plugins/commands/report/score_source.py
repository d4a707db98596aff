"""What a report is made of: score files and run folders that are read, and how they are evaluated."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from attrs import frozen

from fas_core.evaluation.targets import Target
from fas_core.runs.run import Run
from fas_core.scores.files import Reading, ScoreFile
from fas_core.scores.table import ScoreTable


@frozen
class SourceOptions:
    """How runs and score files are read and evaluated.

    Args:
        split: split of the runs whose scores are evaluated.
        dev: score files that the thresholds of the score files are fitted on: one per file in their order,
            or none.
        reading: how score files are parsed; by default their layout is detected.
        policy: threshold policy; by default a run's own, and `eer` for a score file with dev scores.
        reject: policy of the uncertain scores around it; by default a run's own, and none for a score file.
        metrics: further metrics, each `NAME` or `NAME:RATE,...`.
        replicates: bootstrap replicates; 0 for no intervals.
        data: where the photos are, see `fas_core.data.open`; by default where a run's recipe says.
        targets: limits that figures must meet.
        group_by: column by whose values error rates are compared.
        check_files: whether to read every image file of the data, to find copies and damage.
    """

    split: str = "test"
    dev: Sequence[Path] = ()
    reading: Reading | None = None
    policy: str | None = None
    reject: str | None = None
    metrics: tuple[str, ...] = ()
    replicates: int = 1000
    data: str | None = None
    targets: tuple[Target, ...] = ()
    group_by: str | None = None
    check_files: bool = False


@frozen(eq=False)
class ScoreSource:
    """The scores of a run folder or of a score file, not evaluated yet.

    Args:
        path: the run folder or score file, as the user named it.
        file: the score file.
        scores: its content.
        dev: the scores that a threshold is fitted on, if there are any.
        run: the run; None for a score file.
        split: split of the run; None for a score file.
        results: content of the run's results.json; empty if the run is not finished.
        score_file: how the score file was parsed; None for a run.
    """

    path: Path
    file: Path
    scores: ScoreTable
    dev: ScoreTable | None
    run: Run | None = None
    split: str | None = None
    results: Mapping[str, Any] = {}
    score_file: ScoreFile | None = None
