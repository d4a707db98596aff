"""Sub-protocols of one protocol: a run of the same recipe for each, below one folder.

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
from fas_core.runs import files
from fas_core.runs.group import open_finished, write_tree
from fas_core.runs.run import Run, refuse_existing_runs


@frozen
class ProtocolRuns:
    """A folder of runs, one for each sub-protocol.

    Args:
        path: the folder.
        protocol: name of the protocol, e.g. `cefa-4`.
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
        """Open an existing folder.

        Raises:
            ConfigError: its file is not what `create` wrote.
        """
        file = path / files.PROTOCOLS
        tree = read_mapping(file)
        members = tree.get("members")
        if set(tree) != {"protocol", "members", "recipe"} or not isinstance(members, list) or not members:
            raise ConfigError(f"{file}: must have protocol, members and recipe, and nothing else")
        recipe = structure(tree["recipe"], Recipe, registry, str(file))
        return cls(path, str(tree["protocol"]), tuple(map(str, members)), recipe, registry)

    def create(self) -> None:
        """Write the group's file into a new folder.

        Raises:
            FasError: the folder holds runs already, or cannot be written.
        """
        refuse_existing_runs(self.path)
        self.write()

    def write(self) -> None:
        """Write the group's file, over an older one."""
        recipe = to_plain(self.recipe, self.registry)
        tree = {"protocol": self.protocol, "members": list(self.members), "recipe": recipe}
        write_tree(self.path / files.PROTOCOLS, tree)

    def run(self, member: str) -> Run:
        """Return the run of a sub-protocol, which need not be trained yet."""
        run = Run(self.path / member, self.recipe, self.registry)
        return run.changed({"data.protocol": member})

    def runs(self) -> dict[str, Run]:
        """Open the run of each sub-protocol, in order.

        Raises:
            FasError: a run is missing or was interrupted.
        """
        return open_finished(self.path, {member: self.run(member) for member in self.members})
