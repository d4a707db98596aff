"""`fas data crop` and `fas data frames`, killed at any write, go on in the folder that they left."""

from __future__ import annotations

import signal
from pathlib import Path

import cv2
import numpy as np
import pytest
from attrs import frozen
from faults.injection import Change, Kill, Moment, list_kills, run

from fas_core.digests import hash_file

MOMENTS: tuple[Moment, ...] = ("before", "half-way")
PHOTOS = 6


@frozen
class Job:
    """A command that writes many files, and what it writes when nothing disturbs it.

    Args:
        command: its words.
        source: folder that it reads.
        changes: of files.
        digests: `{path: digest}` of the files at its end.
    """

    command: tuple[str, ...]
    source: Path
    changes: list[Change]
    digests: dict[str, str]


def run_job(
    command: tuple[str, ...], source: Path, destination: Path, kill: Kill | None = None
) -> list[Change]:
    code, changes = run([*command, source, destination, "-j", 1], destination, kill)
    assert kill is not None or code == 0, destination.with_name("output.txt").read_text()
    return changes


def hash_files(folder: Path) -> dict[str, str]:
    return {str(path.relative_to(folder)): hash_file(path) for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(scope="module", params=["crop", "frames"])
def job(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Job:
    folder = tmp_path_factory.mktemp(request.param)
    source, destination, rng = folder / "source", folder / "destination", np.random.default_rng(1)
    source.mkdir()
    if request.param == "crop":
        for number in range(PHOTOS):
            cv2.imwrite(str(source / f"{number}.png"), rng.integers(0, 256, (48, 48, 3), np.uint8))
        lines = ["id,path,label,box", *(f"{n},{n}.png,live,8 8 24 24" for n in range(PHOTOS))]
        (source / "manifest.csv").write_text("\n".join(lines) + "\n")
        source = source / "manifest.csv"
    else:
        for name in "ab":
            fourcc = cv2.VideoWriter_fourcc(*"MJPG")
            writer = cv2.VideoWriter(str(source / f"{name}.avi"), fourcc, 10, (64, 48))
            for _ in range(3):
                writer.write(rng.integers(0, 256, (48, 64, 3), np.uint8))
            writer.release()
    changes = run_job(("data", request.param), source, destination)
    return Job(("data", request.param), source, changes, hash_files(destination))


def check_kill(job: Job, destination: Path, kill: Kill) -> None:
    code, _ = run([*job.command, job.source, destination, "-j", 1], destination, kill)
    assert code in (-signal.SIGKILL, -signal.SIGXFSZ), f"{kill}: exit code {code}"
    run_job(job.command, job.source, destination)
    assert hash_files(destination) == job.digests, kill
    hidden = list(destination.rglob(".*"))
    assert hidden == [], kill


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("share", [0, 0.3, 0.6, 0.9])
def test_a_kill(job: Job, tmp_path: Path, share: float, moment: Moment) -> None:
    check_kill(job, tmp_path / "destination", Kill(round(1 + share * (len(job.changes) - 1)), moment))


@pytest.mark.long
def test_a_kill_at_every_change(job: Job, tmp_path: Path) -> None:
    for kill in list_kills(job.changes, MOMENTS):
        folder = tmp_path / f"{kill.number}-{kill.moment}"
        folder.mkdir()
        check_kill(job, folder / "destination", kill)
