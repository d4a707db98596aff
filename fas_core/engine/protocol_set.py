"""A set of sub-protocols: a run of the same recipe for each, below one folder, continued where it was.

```
protocol_set.yaml    the protocol, its sub-protocols, the recipe
4@1/  4@2/  4@3/     a run folder each
results.json         the figures of each, mean and standard deviation
```
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from attrs import frozen

from fas_core import recipes
from fas_core.atomic import replacing
from fas_core.config import Recipe
from fas_core.engine.run import Run
from fas_core.errors import ConfigError, FasError
from fas_core.plugins import Registry
from fas_core.structure import structure

FILE = "protocol_set.yaml"
RESULTS = "results.json"


@frozen
class ProtocolSet:
    """A folder of runs, one for each sub-protocol.

    Args:
        path: the folder.
        protocol: what the set is called, e.g. `cefa-4`.
        members: its sub-protocols, in order.
        recipe: of every run, but for `data.protocol`.
    """

    path: Path
    protocol: str
    members: tuple[str, ...]
    recipe: Recipe
    registry: Registry

    @classmethod
    def open(cls, path: Path, registry: Registry) -> ProtocolSet:
        """A set that is there.

        Raises:
            ConfigError: its file is not what `create` wrote.
        """
        tree = recipes.read_mapping(path / FILE)
        members = tree.get("members")
        if set(tree) != {"protocol", "members", "recipe"} or not isinstance(members, list) or not members:
            raise ConfigError(f"{path / FILE}: must have protocol, members and recipe, and nothing else")
        recipe = structure(tree["recipe"], Recipe, registry, str(path / FILE))
        return cls(path, str(tree["protocol"]), tuple(map(str, members)), recipe, registry)

    def create(self) -> None:
        """Write the set's file.

        Raises:
            FasError: something is there already, or the place cannot be written.
        """
        if is_set(self.path) or (self.path / "recipe.yaml").exists():
            raise FasError(f"{self.path}: holds runs: choose another --name, or --resume {self.path}")
        self.write()

    def write(self) -> None:
        """Write the set's file, over another."""
        recipe = recipes.plain(self.recipe, self.registry)
        tree = {"protocol": self.protocol, "members": list(self.members), "recipe": recipe}
        with replacing(self.path / FILE) as temporary:
            temporary.write_text(recipes.to_yaml(tree), encoding="utf-8")

    def run(self, member: str) -> Run:
        """The run of one sub-protocol, which need not be there yet."""
        return Run(self.path / member, self.recipe, self.registry).changed({"data.protocol": member})

    def runs(self) -> dict[str, Run]:
        """Every run, as it is on disk.

        Raises:
            FasError: one is missing, or was interrupted; it names how to go on.
        """
        found = {member: self.run(member) for member in self.members}
        if unfinished := [member for member, run in found.items() if not is_finished(run)]:
            raise FasError(
                f"{self.path}: {' and '.join(unfinished)} not trained to the end: "
                f"continue with `fas train --resume {self.path}`"
            )
        return {member: Run.open(run.path, self.registry) for member, run in found.items()}


def is_set(path: Path) -> bool:
    """Whether a folder holds a set of runs."""
    return (path / FILE).is_file()


def is_finished(run: Run) -> bool:
    """Whether a run was trained to the last epoch of this recipe, and judged."""
    records = run.metrics()
    trained = bool(records) and records[-1]["epoch"] >= run.recipe.train.epochs
    return trained and (run.path / RESULTS).is_file()


@contextmanager
def naming(member: str) -> Iterator[None]:
    """Say of which sub-protocol a mistake is."""
    try:
        yield
    except FasError as error:
        raise type(error)(f"{member}: {error.message}", error.problems) from error
