"""What a lab has around training with fas: commands, detectors, recipes, trackers. Imports nothing heavy."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from fas_core import Catalogue, Command, Detector, RecipeFile, Tracker, hookimpl
from fas_lab.options import LeaderboardOptions

if TYPE_CHECKING:
    from fas_core.contracts import RunFailed


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
def fas_detectors() -> Iterator[Detector]:
    yield Detector(
        name="booth",
        summary="The middle of the photo, as in the lab's booth",
        target="fas_lab.booth:open_booth",
        landmarks=False,
    )


@hookimpl
def fas_recipes() -> Iterator[RecipeFile]:
    yield RecipeFile(
        name="lab-door",
        summary="The lab's doors: one colour camera, a small network",
        target="fas_lab:lab-door.yaml",
    )


@hookimpl
def fas_run_failed(event: RunFailed) -> None:
    """Leave the reason in the folder of a run that failed, whatever the recipe."""
    if not event.interrupted:
        (event.path / "failed.txt").write_text(f"{event.error}\n")
