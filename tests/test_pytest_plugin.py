"""The fixtures that authors of plugins get by installing fas-core."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import pytest

from fas_core import Run, evaluate
from fas_core.pytest_plugin import SIMULATOR
from fas_core.registry import DISABLE, Registry, registry


def test_pytest_finds_the_fixtures_by_the_entry_point() -> None:
    (entry,) = [item for item in entry_points(group="pytest11") if item.name == "fas"]
    assert entry.value == "fas_core.pytest_plugin"


def test_a_run_without_the_fixtures_imports_nothing_heavy(tmp_path: Path) -> None:
    heavy = {"torch", "numpy", "pyarrow", "cv2", "click", "fas_core.registry", "fas_core.testing"}
    code = f"import sys\ndef test(): assert not sys.modules.keys() & {heavy!r}\n"
    (tmp_path / "test_other.py").write_text(code)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "fas_core.pytest_plugin", "test_other.py"]
    alone = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    done = subprocess.run(command, cwd=tmp_path, env=alone, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_registry_is_found_anew(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    before = registry()
    plugins: Registry = request.getfixturevalue("fas_registry")
    assert plugins is not before
    assert plugins is registry()
    assert plugins == before
    monkeypatch.setenv(DISABLE, "losses")
    assert {item.name for item in registry().records if item.status == "disabled"} == {"losses"}


def test_the_data_set_is_small_and_whole(fas_simulator: dict[str, Any]) -> None:
    assert fas_simulator["name"] == "synthetic"
    assert {key: fas_simulator[key] for key in SIMULATOR} == SIMULATOR
    assert len(list(Path(fas_simulator["root"]).rglob("*.jpg"))) > 100


def test_the_run_is_trained_on_it(fas_run: Run, fas_simulator: dict[str, Any]) -> None:
    assert fas_run.is_finished()
    assert fas_run.recipe.data.root == Path(fas_simulator["root"])
    assert set(fas_run.results()["splits"]) == {"dev", "test"}
    result = evaluate(fas_run, split="dev", replicates=0)
    assert result.metrics["eer"] == fas_run.results()["splits"]["dev"]["metrics"]["eer"]
