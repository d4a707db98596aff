"""A training run that ends at any of its writes, by kill, signal or power loss, continues to equal bytes."""

from __future__ import annotations

import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from attrs import frozen
from faults.injection import Change, Kill, Moment, list_kills, run
from fixtures.runs import RECIPE

from fas_core import FasError
from fas_core.digests import hash_file, read_weights_digest
from fas_core.registry import registry
from fas_core.runs.run import Run

MOMENTS: tuple[Moment, ...] = ("before", "half-way", "power loss")
SHARES = 4
"""Of a long test, for the processes of pytest-xdist."""

FILES = ("best.safetensors", "last.safetensors", "scores/dev.csv", "scores/test.csv")


@frozen
class Reference:
    """A run that nothing disturbed.

    Args:
        recipe: file to train by.
        changes: of files.
        digests: of the files at its end.
        moments: `{digest of best weights: digest of their scores of dev}`, at the end of each epoch.
    """

    recipe: Path
    changes: list[Change]
    digests: dict[str, str]
    moments: dict[str | None, str]

    @classmethod
    def train(cls, recipe: Path, folder: Path) -> Reference:
        moments: dict[str | None, str] = {}
        changes: list[Change] = []
        for epochs in (1, 2):
            runs = folder / f"epochs{epochs}"
            code, changes = run(["train", recipe, "--runs", runs, "--epochs", epochs], runs)
            assert code == 0, (folder / "output.txt").read_text()
            path = runs / "two"
            moments[read_weights_digest(path / "best.safetensors")] = hash_file(path / "scores" / "dev.csv")
        return cls(recipe, changes, {name: hash_file(path / name) for name in FILES}, moments)


@pytest.fixture(scope="module")
def reference(faces: Path, tmp_path_factory: pytest.TempPathFactory) -> Reference:
    folder = tmp_path_factory.mktemp("reference")
    recipe = folder / "two.yaml"
    model = RECIPE["model"] | {"input_size": 32}
    train = RECIPE["train"] | {"checkpoint_minutes": 1e-9}  # after every step
    data = {"name": "folder", "root": str(faces)}
    recipe.write_text(yaml.safe_dump({**RECIPE, "model": model, "train": train, "data": data}))
    return Reference.train(recipe, folder)


@pytest.fixture
def runs(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "runs"
    shutil.rmtree(tmp_path / "runs", ignore_errors=True)


def check_kill(reference: Reference, runs: Path, kill: Kill, workers: int = 0) -> None:
    """Kill a training, look at what it left, continue it, and compare the end with the reference."""
    path = runs / "two"
    arguments = ["train", reference.recipe, "--runs", runs, "--name", "two", "--epochs", 2]
    output = runs.with_name("output.txt")
    code, _ = run([*arguments, "-j", workers], runs, kill)
    if kill.by == signal.SIGKILL:
        assert code in (-signal.SIGKILL, -signal.SIGXFSZ), f"{kill}: exit code {code}"
    else:
        check_end(kill, code, output.read_text(), has_state=(path / "state.pt").is_file())
    had_state = (path / "state.pt").is_file()
    if had_state:  # before it is saved, the same command starts anew
        check_moment(reference, path)
        arguments = ["train", "--resume", path]
    code, _ = run(arguments, runs)
    assert code == 0, f"{kill}: {output.read_text()}"
    assert had_state == ("continued at" in output.read_text()), kill
    if kill.number > len(reference.changes) / 4:  # this is past the first step, which must not be lost
        assert had_state, kill
    assert {name: hash_file(path / name) for name in FILES} == reference.digests, kill
    assert [record["epoch"] for record in Run.open(path, registry()).metrics()] == [1, 2], kill
    hidden = list(path.rglob(".*"))
    assert hidden == [], kill


def check_end(kill: Kill, code: int, output: str, has_state: bool) -> None:
    """A signal is answered at once, and the end names the signal and the command that continues."""
    assert code == 128 + kill.by, output
    assert "again to stop now" in output
    assert ("saved: continue with `fas train --resume" in output) == has_state
    assert output.rstrip().endswith(f"error: interrupted by {kill.by.name}"), output
    assert "Traceback" not in output


def check_moment(reference: Reference, path: Path) -> None:
    """Whatever threshold the killed run gives is that of its weights."""
    try:
        Run.open(path, registry()).threshold()
    except FasError:
        return
    weights = read_weights_digest(path / "best.safetensors")
    assert reference.moments[weights] == hash_file(path / "scores" / "dev.csv")


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("share", [0.3, 0.55, 0.8])
def test_a_kill(reference: Reference, runs: Path, share: float, moment: Moment) -> None:
    check_kill(reference, runs, Kill(round(1 + share * (len(reference.changes) - 1)), moment))


@pytest.mark.parametrize(
    ("share", "by"),
    [
        *((share, signal.SIGTERM) for share in (0.05, 0.25, 0.5, 0.75, 0.95)),
        (0.15, signal.SIGINT),
        (0.35, signal.SIGHUP),
        (0.65, signal.SIGUSR1),
    ],
)
def test_a_signal_to_the_process_group(
    reference: Reference, runs: Path, share: float, by: signal.Signals
) -> None:
    """As Slurm and `timeout` send it: to the processes that read images, too."""
    number = round(1 + share * (len(reference.changes) - 1))
    check_kill(reference, runs, Kill(number, by=by), workers=2)


@pytest.mark.long
@pytest.mark.parametrize("share", range(SHARES))
def test_a_signal_at_every_change_but_the_last(reference: Reference, runs: Path, share: int) -> None:
    for number in range(1 + share, len(reference.changes), SHARES):
        check_kill(reference, runs, Kill(number, by=signal.SIGTERM), workers=2)
        shutil.rmtree(runs, ignore_errors=True)


@pytest.mark.long
@pytest.mark.parametrize("share", range(SHARES))
def test_a_kill_at_every_change(reference: Reference, runs: Path, share: int) -> None:
    """Of every second one, another process reads the images."""
    for index, kill in enumerate(list_kills(reference.changes, MOMENTS)[share::SHARES]):
        check_kill(reference, runs, kill, workers=index % 2)
        shutil.rmtree(runs, ignore_errors=True)
