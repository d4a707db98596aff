"""What groups of runs have in common: runs of nearly one recipe below one folder."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from fas_core.atomic import replacing
from fas_core.config.load import FORMAT, to_yaml
from fas_core.errors import FasError
from fas_core.runs.run import Run


def write_tree(file: Path, tree: Mapping[str, Any]) -> None:
    """Write the file that makes a folder a group of runs.

    Raises:
        FasError: the file cannot be written.
    """
    with replacing(file) as temporary:
        temporary.write_text(to_yaml({"format": FORMAT, **tree}), encoding="utf-8")


def open_finished(path: Path, runs: Mapping[str, Run]) -> dict[str, Run]:
    """Open the runs of a group as they are on disk.

    Raises:
        FasError: a run is missing or was interrupted; the message says how to continue.
    """
    if unfinished := [member for member, run in runs.items() if not run.is_finished()]:
        raise FasError(
            f"{path}: {' and '.join(unfinished)} not trained to the end: "
            f"continue with `fas train --resume {path}`"
        )
    return {member: Run.open(run.path, run.registry) for member, run in runs.items()}


@contextmanager
def naming(member: str) -> Iterator[None]:
    """Put the name of a run of the group before the message of a FasError."""
    try:
        yield
    except FasError as error:
        raise type(error)(f"{member}: {error.message}", error.problems) from error


def is_main_process() -> bool:
    """Return whether this process writes: under `torchrun` there are several, and one of them does."""
    return os.environ.get("RANK", "0") == "0"
