"""Fixtures for the tests of plugins: pytest has them wherever fas-core is installed.

Nothing but pytest is imported until a test asks for one of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from fas_core.registry import Registry
    from fas_core.runs.run import Run

SIMULATOR = {"subjects": 9, "shots": 1, "size": 48}
"""Options of the smallest data set of simulated faces with three splits."""


@pytest.fixture
def fas_registry() -> Iterator[Registry]:
    """The installed plugins, found anew for this test: under its `FAS_DISABLE_PLUGINS`, say, or its path."""
    from fas_core.command_cache import forget_commands
    from fas_core.registry import forget_plugins, registry

    for forget in (forget_plugins, forget_commands):
        forget()
    yield registry()
    for forget in (forget_plugins, forget_commands):
        forget()


@pytest.fixture(scope="session")
def fas_simulator(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """A small data set of simulated faces, as the entry `data` of a recipe; its folder is `["root"]`.

    It has color, depth and infrared images of nine people in train, dev and test. Do not change it.
    """
    from fas_core.data.open import open_dataset
    from fas_core.registry import registry

    root = tmp_path_factory.mktemp("fas") / "simulator"
    open_dataset(f"synthetic:{root}", SIMULATOR, registry())
    return {"name": "synthetic", "root": str(root), **SIMULATOR}


@pytest.fixture(scope="session")
def fas_run(fas_simulator: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A tiny run that was trained for an epoch on color images of `fas_simulator`. Do not change it."""
    from fas_core.api.train import train
    from fas_core.console import console

    quiet, console.quiet = console.quiet, True
    try:
        return train(
            "quickstart",
            runs=Path(tmp_path_factory.mktemp("fas-runs")),
            data=fas_simulator,
            modalities=["rgb"],
            model={"backbone": "feathernet_a", "fusion": "single", "input_size": 32},
            train={"epochs": 1, "batch_size": 8, "workers": 0, "device": "cpu"},
        )
    finally:
        console.quiet = quiet
