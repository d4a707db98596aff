"""What tests of several folders share: the repository, what is built from it, the command line."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import venv
from collections.abc import Callable
from pathlib import Path

import pytest
from attrs import frozen
from click.testing import CliRunner, Result

ROOT = Path(__file__).parent.parent
Done = subprocess.CompletedProcess[str]
BUILD = """
import sys
from setuptools import build_meta
print(getattr(build_meta, sys.argv[1])(sys.argv[2]))
"""


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
    ignored = shutil.ignore_patterns(".*", "__pycache__", "build", "dist", "*.egg-info", "runs", "site")
    shutil.copytree(repository, source, ignore=ignored)
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
