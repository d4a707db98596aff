"""`docs/extend/tutorial.md`: its files are written and its commands run, one after the other."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from attrs import frozen
from fixtures.code_blocks import ROOT, read_blocks

PAGE = "docs/extend/tutorial.md"
LINES = r"((?:(?!```).*\n)+)"
OUTPUT = re.compile(rf"^```sh\n{LINES}```\n\n```\n{LINES}```$", re.MULTILINE)
"""Commands, and the output that the page shows of them."""
OFFLINE = {"PIP_NO_INDEX": "1", "PIP_NO_DEPS": "1", "PIP_NO_BUILD_ISOLATION": "0", "PIP_QUIET": "1"}
"""What has pip install from folders alone; `0` means that there is no isolation."""


@frozen
class Desk:
    """Where a reader works: a folder, and an environment with fas-core."""

    folder: Path
    environment: Any

    def write(self, name: str, text: str) -> None:
        path = self.folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def run(self, commands: str) -> subprocess.CompletedProcess[str]:
        """Run commands, which end at the first that fails; what they print is in `stdout`."""
        path = f"{self.environment.path / 'bin'}{os.pathsep}{os.environ['PATH']}"
        return subprocess.run(
            ["bash", "-euo", "pipefail", "-c", commands],
            cwd=self.folder,
            env={**os.environ, **OFFLINE, "PATH": path, "OMP_NUM_THREADS": "1", "COLUMNS": "120"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )


@pytest.fixture
def desk(new_environment: Callable[[Path], Any], distribution: Any, tmp_path: Path) -> Desk:
    environment = new_environment(tmp_path / "environment")
    environment.install(distribution.wheel)
    for program in ("pip", "pytest"):
        path = environment.path / "bin" / program
        path.write_text(f'#!/bin/sh\nexec {environment.python} -m {program} "$@"\n')
        path.chmod(0o755)
    folder = tmp_path / "acme-fas"
    folder.mkdir()
    return Desk(folder, environment)


def normalize(text: str) -> str:
    """Return a text without what the width of a terminal changes."""
    return " ".join(text.split())


@pytest.mark.long
def test_the_tutorial_works_from_first_to_last_command(desk: Desk) -> None:
    shown = dict(OUTPUT.findall((ROOT / PAGE).read_text(encoding="utf-8")))
    for block in read_blocks(PAGE):
        if block.file_name:
            desk.write(block.file_name, block.text)
            continue
        done, expected = desk.run(block.text), shown.get(block.text, "")
        sys.stdout.write(f"$ {block.text}{done.stdout}\n")  # the transcript: pytest -s
        assert (done.returncode == 0) is ("error:" not in expected), done.stdout
        for line in expected.splitlines():
            assert normalize(line) in normalize(done.stdout)


def test_every_block_is_a_file_or_commands() -> None:
    blocks = read_blocks(PAGE)
    assert [block.key for block in blocks if block.language != "sh" and not block.file_name] == []
    assert {block.file_name for block in blocks} >= {"pyproject.toml", "acme_fas.py", "README.md"}
