"""What sets of runs have in common: runs of nearly one recipe below one folder, continued where they were."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from fas_core.atomic import replacing
from fas_core.config.load import to_yaml
from fas_core.errors import FasError
from fas_core.runs.run import Run

RESULTS = "results.json"


def write_tree(file: Path, tree: Mapping[str, Any]) -> None:
    """Write the file that makes a folder a set.

    Raises:
        FasError: it cannot be written.
    """
    with replacing(file) as temporary:
        temporary.write_text(to_yaml(dict(tree)), encoding="utf-8")


def finished(path: Path, runs: Mapping[str, Run]) -> dict[str, Run]:
    """The runs of a set as they are on disk.

    Raises:
        FasError: one is missing, or was interrupted; it names how to go on.
    """
    if unfinished := [member for member, run in runs.items() if not is_finished(run)]:
        raise FasError(
            f"{path}: {' and '.join(unfinished)} not trained to the end: "
            f"continue with `fas train --resume {path}`"
        )
    return {member: Run.open(run.path, run.registry) for member, run in runs.items()}


def is_finished(run: Run) -> bool:
    """Whether a run was trained to the last epoch of this recipe, and judged."""
    records = run.metrics()
    trained = bool(records) and records[-1]["epoch"] >= run.recipe.train.epochs
    return trained and (run.path / RESULTS).is_file()


@contextmanager
def naming(member: str) -> Iterator[None]:
    """Say of which run of a set a mistake is."""
    try:
        yield
    except FasError as error:
        raise type(error)(f"{member}: {error.message}", error.problems) from error


def is_main_process() -> bool:
    """Under `torchrun` there are several, and one of them writes."""
    return os.environ.get("RANK", "0") == "0"
