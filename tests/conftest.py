"""What tests of several folders share: the repository, what is built from it, the command line; a drawn face
that OpenCV's cascade finds."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import venv
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from attrs import frozen
from click.testing import CliRunner, Result
from faults.counts import attach_counts, sum_counts
from numpy.typing import NDArray

from fas_core.command_cache import NO_CACHE
from fas_core.console import console
from fas_core.evaluation import bootstrap
from fas_plugins.trackers import curves

pytest_plugins = [
    "fixtures.examples",
    "fixtures.mean_model",
    "fixtures.openvino",
    "fixtures.recipes",
    "fixtures.runs",
    "fixtures.samples",
    "fixtures.strangers",
    "fixtures.public_models",
]

ROOT = Path(__file__).parent.parent
ALL_REPLICATES = bootstrap.REPLICATES
Image = NDArray[np.uint8]
Done = subprocess.CompletedProcess[str]
BUILD = """
import sys
from setuptools import build_meta
print(getattr(build_meta, sys.argv[1])(sys.argv[2]))
"""


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_teardown(item: pytest.Item) -> None:
    attach_counts(item)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what the tests have tried, `tox -e long` far more than `tox -e tests`."""
    reports = [report for reports in terminalreporter.stats.values() for report in reports]
    if counts := sum_counts(report for report in reports if isinstance(report, pytest.TestReport)):
        terminalreporter.section("trials")
        terminalreporter.line(counts)


@frozen
class Built:
    """The source tree it was built from (a copy), the sdist, and the wheel."""

    source: Path
    sdist: Path
    wheel: Path


@frozen
class Environment:
    """A virtual environment that tests install into."""

    path: Path

    @property
    def python(self) -> Path:
        return self.path / "bin" / "python"

    def install(self, *projects: object) -> None:
        """With pip, from nothing but the given wheels and folders."""
        offline = ["--no-index", "--no-deps", "--no-build-isolation", "--quiet"]
        self.run(sys.executable, "-m", "pip", "--python", self.python, "install", *offline, *projects)

    def run(self, *command: object, expected: int = 0, **environment: str) -> Done:
        done = subprocess.run(
            [str(part) for part in command],
            cwd=self.path,
            env={**os.environ, "OMP_NUM_THREADS": "1", **environment},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == expected, done.stdout + done.stderr
        return done

    def fas(self, *arguments: object, expected: int = 0, **environment: str) -> Done:
        return self.run(self.path / "bin" / "fas", *arguments, expected=expected, **environment)


@pytest.fixture(scope="session")
def repository() -> Path:
    """The root of the checkout (or unpacked sdist) that the tests are from. Not to be written to."""
    return ROOT


@pytest.fixture(scope="session")
def build() -> Callable[[Path, str], Path]:
    """`build(source, "wheel" or "sdist")`: the file that setuptools makes of a project, in its `dist/`."""

    def built(source: Path, kind: str) -> Path:
        command = [sys.executable, "-c", BUILD, f"build_{kind}", "dist"]
        done = subprocess.run(command, cwd=source, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return source / "dist" / done.stdout.splitlines()[-1]

    return built


@pytest.fixture(scope="session")
def distribution(
    repository: Path, build: Callable[[Path, str], Path], tmp_path_factory: pytest.TempPathFactory
) -> Built:
    """This project as wheel and sdist, built once from a copy."""
    source = tmp_path_factory.mktemp("build") / "fas-core"
    anywhere = shutil.ignore_patterns(".*", "__pycache__", "build", "dist", "*.egg-info", "site")
    runs = {str(repository): {"runs"}}  # what somebody trained here, not the package of that name
    shutil.copytree(
        repository, source, ignore=lambda folder, names: anywhere(folder, names) | runs.get(folder, set())
    )
    return Built(source, build(source, "sdist"), build(source, "wheel"))


@pytest.fixture(scope="session")
def new_environment() -> Callable[[Path], Environment]:
    """`new_environment(path)`: a virtual environment of its own, without fas."""

    def made(path: Path) -> Environment:
        venv.create(path, symlinks=True)
        # What fas needs is borrowed from where the tests run: installing torch anew would take a minute.
        borrowed = path / "dependencies"
        borrowed.mkdir()
        for found in Path(sysconfig.get_path("purelib")).iterdir():
            if not found.name.startswith(("fas_", "__editable__", "__pycache__")):
                (borrowed / found.name).symlink_to(found)
        site = Path(sysconfig.get_path("purelib", vars={"base": str(path)}))
        (site / "dependencies.pth").write_text(str(borrowed))
        return Environment(path)

    return made


@pytest.fixture
def fas() -> Callable[..., Result]:
    """`fas("eval", run, "--json")`: the command's result; `.stdout` and `.stderr` apart."""

    def run(*arguments: object) -> Result:
        from fas_core.cli import main

        return CliRunner().invoke(main, [str(argument) for argument in arguments])

    return run


def draw_face(image: Image, x: int, y: int, size: int) -> None:
    """A cartoon of a face around a centre, half its height being `size`."""

    def spot(dx: float, dy: float, w: float, h: float, colour: tuple[int, int, int]) -> None:
        centre = (x + int(dx * size), y + int(dy * size))
        cv2.ellipse(image, centre, (int(w * size), int(h * size)), 0, 0, 360, colour, -1)

    spot(0, 0, 0.75, 1, (200, 170, 150))
    for side in (-0.32, 0.32):
        spot(side, -0.2, 0.17, 0.09, (50, 40, 40))
        spot(side, -0.38, 0.22, 0.05, (90, 70, 60))
    spot(0, 0.15, 0.12, 0.06, (150, 120, 110))
    spot(0, 0.45, 0.3, 0.08, (120, 60, 60))


def photo_with(*faces: tuple[int, int, int], shape: tuple[int, int] = (240, 320)) -> Image:
    """A grey photo with faces drawn at (x, y, size)."""
    image = np.full((*shape, 3), 120, np.uint8)
    for face in faces:
        draw_face(image, *face)
    return np.asarray(cv2.GaussianBlur(image, (7, 7), 2), np.uint8)


@pytest.fixture(name="photo_with", scope="session")
def photo_with_fixture() -> Callable[..., Image]:
    return photo_with


@pytest.fixture(autouse=True)
def _leave_process_as_it_was() -> Iterator[None]:
    """Undo what a command leaves in the process: how much is printed."""
    yield
    console.json = console.quiet = console.verbose = False


@pytest.fixture(scope="session", autouse=True)
def _few_replicates() -> Iterator[None]:
    """Intervals are of few bootstrap replicates, but in tests that give their number or use `all_replicates`:
    a thousand took most of the time of training for an epoch."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bootstrap, "REPLICATES", 20)
        yield


@pytest.fixture(scope="session", autouse=True)
def _no_waiting_for_disks() -> Iterator[None]:
    """This process syncs nothing, which takes milliseconds each time. What is synced, and when,
    `test_atomic.py` records in place of `os.fsync`, and `faults/` tries in processes of its own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda descriptor: None)
        if hasattr(os, "sync"):
            patch.setattr(os, "sync", lambda: None)
        yield


@pytest.fixture(scope="session", autouse=True)
def _no_curves() -> Iterator[None]:
    """Trainings draw no curves, which takes as long as an epoch: those of `trackers/test_curves.py` do."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(curves, "draw", lambda run: None)
        yield


@pytest.fixture
def all_replicates(monkeypatch: pytest.MonkeyPatch) -> None:
    """Intervals as users have them."""
    monkeypatch.setattr(bootstrap, "REPLICATES", ALL_REPLICATES)


@pytest.fixture(scope="session", autouse=True)
def _no_remembered_commands() -> Iterator[None]:
    """No test leaves a file in the cache of whoever runs it: `test_command_cache.py` has one of its own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(NO_CACHE, "1")
        yield


@pytest.fixture(scope="session", autouse=True)
def _no_fetched_models(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Results must not depend on the models that a developer has fetched."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FAS_MODELS_DIR", str(tmp_path_factory.mktemp("models")))
        yield
