"""A set of sub-protocols: a run of the same recipe for each, below one folder, continued where it was.

```
protocol_set.yaml    the protocol, its sub-protocols, the recipe
4@1/  4@2/  4@3/     a run folder each
results.json         the figures of each, mean and standard deviation
```
"""

from __future__ import annotations

from pathlib import Path

from attrs import frozen

from fas_core.config.load import read_mapping, to_plain
from fas_core.config.recipe import Recipe
from fas_core.config.structure import structure
from fas_core.errors import ConfigError
from fas_core.registry import Registry
from fas_core.runs.group import finished, write_tree
from fas_core.runs.run import PROTOCOLS_FILE, Run, refuse_taken


@frozen
class ProtocolRuns:
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
    def open(cls, path: Path, registry: Registry) -> ProtocolRuns:
        """A set that is there.

        Raises:
            ConfigError: its file is not what `create` wrote.
        """
        file = path / PROTOCOLS_FILE
        tree = read_mapping(file)
        members = tree.get("members")
        if set(tree) != {"protocol", "members", "recipe"} or not isinstance(members, list) or not members:
            raise ConfigError(f"{file}: must have protocol, members and recipe, and nothing else")
        recipe = structure(tree["recipe"], Recipe, registry, str(file))
        return cls(path, str(tree["protocol"]), tuple(map(str, members)), recipe, registry)

    def create(self) -> None:
        """Write the set's file.

        Raises:
            FasError: something is there already, or the place cannot be written.
        """
        refuse_taken(self.path)
        self.write()

    def write(self) -> None:
        """Write the set's file, over another."""
        recipe = to_plain(self.recipe, self.registry)
        tree = {"protocol": self.protocol, "members": list(self.members), "recipe": recipe}
        write_tree(self.path / PROTOCOLS_FILE, tree)

    def run(self, member: str) -> Run:
        """The run of one sub-protocol, which need not be there yet."""
        return Run(self.path / member, self.recipe, self.registry).changed({"data.protocol": member})

    def runs(self) -> dict[str, Run]:
        """Every run, as it is on disk.

        Raises:
            FasError: one is missing, or was interrupted; it names how to go on.
        """
        return finished(self.path, {member: self.run(member) for member in self.members})


def is_protocol_runs(path: Path) -> bool:
    """Whether a folder holds a set of sub-protocols."""
    return (path / PROTOCOLS_FILE).is_file()
