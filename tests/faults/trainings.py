"""A training that nothing disturbed, which ones that were killed and continued are compared with."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path
from typing import Any

from attrs import frozen
from faults.injection import Change, run

from fas_core.atomic import write_text
from fas_core.cli import main
from fas_core.digests import hash_file
from fas_core.registry import registry
from fas_core.runs.history import read_history
from fas_core.runs.run import Run

BYTES = ("best.safetensors", "last.safetensors", "scores/dev.csv", "scores/test.csv")
TIMES = {"seconds", "images_per_second", "train_hours", "digest"}
"""Keys of records that no two trainings have in common; the digest is of a record with them."""

AGENT = "torchelastic_"
"""How names of folders begin that `torchrun` makes, and leaves when it is killed."""


@frozen
class Ended:
    """What a finished run leaves.

    Args:
        digests: `{file: digest}` of weights and scores.
        metrics: the lines of `metrics.jsonl`, without times.
        results: of `results.json`, without times.
        names: of all files.
    """

    digests: dict[str, str]
    metrics: list[dict[str, Any]]
    results: dict[str, Any]
    names: set[str]

    @classmethod
    def read(cls, path: Path) -> Ended:
        lines = (path / "metrics.jsonl").read_text().splitlines()
        ended = Run.open(path, registry())
        assert len(lines) == len(ended.metrics())
        assert len(read_history(ended)) == 1
        return cls(
            {name: hash_file(path / name) for name in BYTES},
            [_without_times(record) for record in ended.metrics()],
            _without_times(ended.results()),
            {str(file.relative_to(path)) for file in path.rglob("*")},
        )


def _without_times(record: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in record.items() if key not in TIMES}


@frozen
class Training:
    """A training of two epochs in one process or in two, each with two that read images.

    Args:
        seconds: that it takes when nothing disturbs it.
        changes: of files.
        ended: what it leaves then.
    """

    recipe: Path
    processes: int
    seconds: float
    changes: list[Change]
    ended: Ended

    @classmethod
    def measure(cls, recipe: Path, processes: int, folder: Path) -> Training:
        run(["--version"], folder / "runs")  # once the fork server has imported everything
        start = time.monotonic()
        code, changes = run(train(recipe, folder / "runs"), folder / "runs", processes=processes)
        seconds = time.monotonic() - start
        assert code == 0, (folder / "output.txt").read_text()
        return cls(recipe, processes, seconds, changes, Ended.read(folder / "runs" / "two"))


def train(recipe: Path, runs: Path) -> list[object]:
    """Return the arguments that start the training, or go on with it."""
    path = runs / "two"
    if (path / "recipe.yaml").is_file():
        return ["train", "--resume", path]
    return ["train", recipe, "--runs", runs]


def check_end(training: Training, path: Path, temporaries: Path, trial: object) -> None:
    """Compare a run that was killed and continued with the one that was not; nothing else is left of it."""
    assert Ended.read(path) == training.ended, trial
    write_text(temporaries / "next", "")  # which removes what killed processes left
    left = [file.name for file in temporaries.iterdir() if not file.name.startswith(AGENT)]
    assert left == ["next"], trial
    shutil.rmtree(path.parent)


def resume_late(path: Path) -> None:
    """Continue a run; the second process opens it when the first one has had time to change it."""
    deadline = time.monotonic() + 1.5
    while os.environ["RANK"] == "1" and (path / "recipe.yaml").is_file() and time.monotonic() < deadline:
        time.sleep(0.01)
    main(["train", "--resume", str(path)])
