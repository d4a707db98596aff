"""Sets of runs below one folder, which differ in one thing and are evaluated together.

```
protocol_set.yaml     the protocol, its sub-protocols, the recipe
4@1/  4@2/  4@3/      a run folder each
results.json          the figures of each, mean and standard deviation
```

```
seeds.yaml            the random seeds, the recipe
seed-14/  seed-15/    a run folder each
results.json          as above
```
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from attrs import frozen

from fas_core.atomic import write_text
from fas_core.config.load import FORMAT, read_mapping, to_plain, to_yaml
from fas_core.config.recipe import Recipe
from fas_core.errors import ConfigError, FasError, format_list
from fas_core.registry import Registry
from fas_core.runs import files
from fas_core.runs.environment import read_required
from fas_core.runs.run import Run, claim_folder, structure_recipe


@frozen
class RunSet(ABC):
    """A folder of runs that differ in one thing, each evaluated, and then the mean of their figures.

    Args:
        recipe: of every run, but for what `changes` says.
    """

    file_name: ClassVar[str]
    kind: ClassVar[str]
    """The key of the runs' figures in results.json and in documents of `--json`."""
    noun: ClassVar[str]
    """What a run is of."""

    path: Path
    recipe: Recipe
    registry: Registry

    @property
    @abstractmethod
    def facts(self) -> dict[str, Any]:
        """What the set is of, as it is in results.json and in documents of `--json`."""

    @property
    @abstractmethod
    def changes(self) -> dict[str, dict[str, Any]]:
        """What each run changes in the recipe, `{name of its folder: {"data.protocol": "4@1"}}`, in order."""

    @property
    @abstractmethod
    def title(self) -> str:
        """What the set is of, for people."""

    @abstractmethod
    def to_tree(self) -> dict[str, Any]:
        """Return what the set's file says, but for the recipe."""

    @property
    def members(self) -> tuple[str, ...]:
        """The names of the runs' folders, in order."""
        return tuple(self.changes)

    def create(self) -> None:
        """Write the set's file into a new folder; raises as `claim_folder`, or if it cannot be written."""
        claim_folder(self.path)
        self.write()

    def write(self) -> None:
        """Write the set's file, over an older one."""
        tree = {**self.to_tree(), "recipe": to_plain(self.recipe, self.registry)}
        write_text(self.path / self.file_name, to_yaml({"format": FORMAT, **tree}))

    def run(self, member: str) -> Run:
        """Return the run of a member, which need not be trained yet."""
        return Run(self.path / member, self.recipe, self.registry).changed(self.changes[member])

    def runs(self) -> dict[str, Run]:
        """Open every run, in order; raise FasError if one is missing or not finished."""
        return open_finished(self.path, {member: self.run(member) for member in self.members})


@frozen
class ProtocolRuns(RunSet):
    """A folder of runs, one for each sub-protocol.

    Args:
        protocol: name of the protocol, e.g. `cefa-4`.
        sub_protocols: its sub-protocols, in order.
    """

    file_name: ClassVar[str] = files.PROTOCOLS
    kind: ClassVar[str] = "protocols"
    noun: ClassVar[str] = "sub-protocol"

    protocol: str
    sub_protocols: tuple[str, ...]

    @classmethod
    def open(cls, path: Path, registry: Registry) -> ProtocolRuns:
        """Open an existing folder; raise ConfigError if its file is not what `create` wrote."""
        file = path / cls.file_name
        tree = read_mapping(file)
        members = tree.get("members")
        if set(tree) != {"protocol", "members", "recipe"} or not isinstance(members, list) or not members:
            raise ConfigError(f"{file}: must have protocol, members and recipe, and nothing else")
        names = tuple(map(str, members))
        if others := [name for name in names if name in ("", ".", "..") or Path(name).name != name]:
            raise ConfigError(f"{file}: members must be names of folders in {path}: {format_list(others)}")
        registry = registry.requiring(read_required(path))
        recipe = structure_recipe(tree["recipe"], registry, str(file))
        return cls(path, recipe, registry, str(tree["protocol"]), names)

    @property
    def facts(self) -> dict[str, Any]:
        return {"protocol": self.protocol}

    @property
    def title(self) -> str:
        return self.protocol

    @property
    def changes(self) -> dict[str, dict[str, Any]]:
        return {name: {"data.protocol": name} for name in self.sub_protocols}

    def to_tree(self) -> dict[str, Any]:
        return {"protocol": self.protocol, "members": list(self.sub_protocols)}


@frozen
class SeedRuns(RunSet):
    """A folder of runs, one for each random seed.

    Args:
        seeds: of the weights, the order of samples and the augmentation, see `train.seed`.
    """

    file_name: ClassVar[str] = files.SEEDS
    kind: ClassVar[str] = "runs"
    noun: ClassVar[str] = "seed"

    seeds: tuple[int, ...]

    @classmethod
    def open(cls, path: Path, registry: Registry) -> SeedRuns:
        """Open an existing folder; raise ConfigError if its file is not what `create` wrote."""
        file = path / cls.file_name
        tree = read_mapping(file)
        if set(tree) != {"seeds", "recipe"} or not _are_seeds(tree["seeds"]):
            raise ConfigError(
                f"{file}: must have recipe and seeds, different whole numbers, and nothing else"
            )
        registry = registry.requiring(read_required(path))
        return cls(
            path, structure_recipe(tree["recipe"], registry, str(file)), registry, tuple(tree["seeds"])
        )

    @property
    def facts(self) -> dict[str, Any]:
        return {"seeds": list(self.seeds)}

    @property
    def title(self) -> str:
        return "seeds"

    @property
    def changes(self) -> dict[str, dict[str, Any]]:
        return {f"seed-{seed}": {"train.seed": seed} for seed in self.seeds}

    def to_tree(self) -> dict[str, Any]:
        return self.facts


def _are_seeds(value: object) -> bool:
    """Return whether a value is a list of different whole numbers, at least one."""
    if not isinstance(value, list) or not value:
        return False
    return all(type(seed) is int and seed >= 0 for seed in value) and len(set(value)) == len(value)


def open_finished(path: Path, runs: Mapping[str, Run]) -> dict[str, Run]:
    """Open the runs of a group; raise FasError, which says how to continue, if one is not finished."""
    if unfinished := [member for member, run in runs.items() if not run.is_finished()]:
        problem = f"{path}: {' and '.join(unfinished)} not trained to the end"
        raise FasError(f"{problem}: continue with `fas train --resume {path}`")
    return {member: Run.open(run.path, run.registry) for member, run in runs.items()}
