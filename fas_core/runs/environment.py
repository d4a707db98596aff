"""The record of what a run was made with: versions, the machine, and the plugins that its recipe needs."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from fas_core import __version__
from fas_core.config.recipe import Recipe
from fas_core.errors import FasError
from fas_core.registry import Registry, Required
from fas_core.runs import files
from fas_core.text_files import read_json

PACKAGES = ("torch", "numpy", "opencv-python-headless", "onnxruntime", "accelerate", "pyarrow")


def read_environment() -> dict[str, Any]:
    """Return versions and machine, for the record."""
    packages = {"fas-core": __version__}
    for name in PACKAGES:
        try:
            packages[name] = version(name)
        except PackageNotFoundError:
            continue
    return {"packages": packages, "python": platform.python_version(), "platform": platform.platform()}


def required_plugins(recipe: Recipe, registry: Registry) -> Required:
    """Return the plugins whose components a recipe uses, those of fas-core apart: see `Required`."""
    plugins: dict[str, dict[str, Any]] = {}
    for choice in recipe.choices():
        provider = registry.provider_of(choice.component, choice.name)
        if provider is not None and not provider.is_core:
            plugin = plugins.setdefault(
                provider.distribution, {"version": provider.version, "components": []}
            )
            name = f"{choice.component.kind} {choice.name.rpartition(':')[2]}"
            if name not in plugin["components"]:
                plugin["components"].append(name)
    return plugins


def read_required(path: Path) -> Required:
    """Read the plugins that a run, or the first run of a group, was made with; empty if not known."""
    for file in (path / files.ENVIRONMENT, *sorted(path.glob(f"*/{files.ENVIRONMENT}"))):
        try:
            record = read_json(file)
        except FasError:
            continue
        plugins = record.get("plugins", {}) if isinstance(record, dict) else {}
        return plugins if isinstance(plugins, dict) else {}
    return {}
