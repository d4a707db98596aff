"""What a lab has around training with fas: a command, a tracker, a list of models. Imports nothing heavy."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from fas_core import Catalogue, Command, Tracker, hookimpl
from fas_lab.options import LeaderboardOptions

if TYPE_CHECKING:
    from fas_core.records.run_events import RunFailed


@hookimpl
def fas_commands() -> Iterator[Command]:
    yield Command(
        name="runs note",
        summary="Add a note to a run",
        target="fas_lab.note:note",
        panel="Inspect",
    )


@hookimpl
def fas_trackers() -> Iterator[Tracker]:
    yield Tracker(
        name="leaderboard",
        summary="A table of all finished runs, beside their folders",
        target="fas_lab.leaderboard:Leaderboard",
        options=LeaderboardOptions,
    )


@hookimpl
def fas_public_models() -> Iterator[Catalogue]:
    yield Catalogue(name="lab", summary="Models of the lab's doors", target="fas_lab:models.yaml")


@hookimpl
def fas_run_failed(event: RunFailed) -> None:
    """Leave the reason in the folder of a run that failed, whatever the recipe."""
    if not event.interrupted:
        (event.path / "failed.txt").write_text(f"{event.error}\n")
