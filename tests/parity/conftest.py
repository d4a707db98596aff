"""`fill`: the module beside this file that makes the published weights, inputs and outputs."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest


@pytest.fixture(scope="session")
def fill() -> ModuleType:
    spec = importlib.util.spec_from_file_location("fill", Path(__file__).with_name("fill.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
