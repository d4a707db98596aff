"""What differs between two runs: recipe, data, environment and figures."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from attrs import frozen

from fas_core.config.load import to_plain
from fas_core.errors import DataError, FasError
from fas_core.registry import Registry
from fas_core.runs import files
from fas_core.runs.conditions import flatten_recipe
from fas_core.runs.groups import open_runs
from fas_core.runs.run import Run
from fas_core.text_files import read_json

Values = Mapping[str, Any]


@frozen
class Difference:
    """The values that two runs have of a key, `{"a": 0.01, "b": 0.02}`; a run without the key has none."""

    key: str
    values: Values


@frozen
class Comparison:
    """What differs between run A and run B.

    Args:
        recipe: keys of the recipe by their dotted paths.
        data: splits, by the fingerprint of their samples; None where a run has none, as it is not finished.
        environment: versions of packages and plugins, and the machine.
        figures: metrics of each split, as fractions; None where a run is not finished.
    """

    recipe: list[Difference]
    data: list[Difference] | None
    environment: list[Difference]
    figures: dict[str, list[Difference]] | None

    def to_json(self) -> dict[str, Any]:
        """Return plain data: `{"recipe": {"train.lr": {"a": 0.01, "b": 0.02}}, ...}`."""
        figures = self.figures
        return {
            "recipe": _to_json(self.recipe),
            "data": None if self.data is None else _to_json(self.data),
            "environment": _to_json(self.environment),
            "figures": figures and {split: _to_json(rows) for split, rows in figures.items()},
        }


def _to_json(differences: list[Difference]) -> dict[str, Any]:
    return {difference.key: difference.values for difference in differences}


def open_run(path: Path, registry: Registry) -> Run:
    """Open a run; raise FasError if a path is none, or a group of runs."""
    if not path.is_dir():
        raise DataError(f"{path}: no such run folder")
    opened = open_runs(path, registry)
    if not isinstance(opened, Run):
        raise FasError(f"{path}: holds several runs: give one of them, see `fas runs list {path}`")
    return opened


def compare_runs(a: Run, b: Run) -> Comparison:
    """Compare two runs by what their folders hold.

    Raises:
        FasError: a file of one of them is damaged.
    """
    recipes = [flatten_recipe(to_plain(run.recipe, run.registry)) for run in (a, b)]
    environments = [_environment(run) for run in (a, b)]
    results = [run.results() for run in (a, b)]
    finished = all(results)
    data = [result.get("data", {}) for result in results]
    splits = [result.get("splits", {}) for result in results]
    names = [split for split in splits[0] if split in splits[1]]
    figures = {
        split: find_differences(*(figures[split].get("metrics", {}) for figures in splits)) for split in names
    }
    return Comparison(
        recipe=find_differences(*recipes),
        data=find_differences(*data) if finished else None,
        environment=find_differences(*environments),
        figures=figures if finished else None,
    )


def find_differences(a: Values, b: Values) -> list[Difference]:
    """Return the keys whose values differ, or that one of two mappings has alone, in their order."""
    return [
        Difference(key, {side: values[key] for side, values in (("a", a), ("b", b)) if key in values})
        for key in dict.fromkeys([*a, *b])
        if key not in a or key not in b or a[key] != b[key]
    ]


def _environment(run: Run) -> dict[str, Any]:
    """Return what the run's environment.json says, `{"torch": "2.13.0", ...}`; empty where it has none."""
    file = run.path / files.ENVIRONMENT
    if not file.is_file():
        return {}
    record = read_json(file)
    if not _is_environment(record):
        raise DataError(f"{file}: not what `fas train` writes: remove it to compare the rest")
    packages, plugins = record.pop("packages", {}), record.pop("plugins", {})
    versions = {name: plugin.get("version") for name, plugin in plugins.items()}
    return {**record, **packages, **versions}


def _is_environment(record: object) -> bool:
    """Return whether a record has packages and plugins as mappings, if at all."""
    if not isinstance(record, dict):
        return False
    packages, plugins = record.get("packages", {}), record.get("plugins", {})
    mappings = (packages, plugins, *(plugins.values() if isinstance(plugins, dict) else ()))
    return all(isinstance(item, dict) for item in mappings)
