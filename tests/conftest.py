"""What tests of several folders share: the repository, what is built from it, the command line."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from attrs import frozen
from click.testing import CliRunner, Result

ROOT = Path(__file__).parent.parent
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


@pytest.fixture
def fas() -> Callable[..., Result]:
    """`fas("eval", run, "--json")`: the command's result; `.stdout` and `.stderr` apart."""

    def run(*arguments: object) -> Result:
        from fas_core.cli import main

        return CliRunner().invoke(main, [str(argument) for argument in arguments])

    return run
