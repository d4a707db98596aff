"""Cross-validation: a run for each fold of train, then the final run on all of train.

```
folds.yaml            the recipe, whether there is to be a final run, a digest of samples and folds
fold-1/  fold-2/ ...  a run each, with its fold for dev
out_of_fold.csv       the score of each sample by the run of its fold: train, and dev where of the same groups
final/                the run on all of train, whose threshold is fitted on out_of_fold.csv
results.json          the figures of each fold, mean and standard deviation, all folds pooled, the final run's
```
"""

from __future__ import annotations

from pathlib import Path

from attrs import asdict, frozen

from fas_core.config.load import read_mapping, to_plain
from fas_core.config.recipe import HeldOut, Recipe
from fas_core.config.structure import structure
from fas_core.config.validators import FOLDS
from fas_core.errors import ConfigError, FasError
from fas_core.registry import Registry
from fas_core.runs import files
from fas_core.runs.group import open_finished, write_tree
from fas_core.runs.run import Run

FINAL = "final"


@frozen
class FoldRuns:
    """A folder of runs, one for each fold, and of the final one.

    Args:
        path: the folder.
        recipe: of the final run; that of a fold differs in `data.held_out`, and has no `folds`.
        final: whether there is to be a final run.
        digest: of samples and folds, see `fas_core.data.folds.FoldAssignment.digest`.
    """

    path: Path
    recipe: Recipe
    registry: Registry
    final: bool
    digest: str

    @classmethod
    def open(cls, path: Path, registry: Registry) -> FoldRuns:
        """Open an existing folder.

        Raises:
            ConfigError: its file is not what `write` wrote.
        """
        file = path / files.FOLDS
        tree = read_mapping(file)
        if set(tree) != {"final", "digest", "recipe"} or not isinstance(tree["final"], bool):
            raise ConfigError(f"{file}: must have final, digest and recipe, and nothing else")
        recipe = structure(tree["recipe"], Recipe, registry, str(file))
        if recipe.folds is None:
            raise ConfigError(f"{file}: its recipe has no folds")
        return cls(path, recipe, registry, tree["final"], str(tree["digest"]))

    def write(self) -> None:
        """Write the group's file, over an older one."""
        recipe = to_plain(self.recipe, self.registry)
        tree = {"final": self.final, "digest": self.digest, "recipe": recipe}
        write_tree(self.path / files.FOLDS, tree)

    @property
    def spec(self) -> str:
        """The recipe's folds, e.g. `subject:5`."""
        assert self.recipe.folds is not None
        return self.recipe.folds

    def fold_runs(self) -> dict[str, Run]:
        """Return the run of each fold by name, in order; they need not be trained yet."""
        match = FOLDS.fullmatch(self.spec)
        assert match is not None  # the recipe's validator has seen it
        by, count = match[1], int(match[2])
        final = self.final_run()
        runs = {}
        for fold in range(1, count + 1):
            held_out = asdict(HeldOut(by, count, fold, self.recipe.train.seed))
            recipe = final.changed({"folds": None, "data.held_out": held_out}).recipe
            runs[f"fold-{fold}"] = Run(self.path / f"fold-{fold}", recipe, self.registry)
        return runs

    def final_run(self) -> Run:
        """Return the run on all folds, which need not be trained yet."""
        return Run(self.path / FINAL, self.recipe, self.registry)

    def open_final(self) -> Run:
        """Open the final run.

        Raises:
            FasError: there is to be none, or it is not trained to the end; the message says how to get it.
        """
        if not self.final:
            raise FasError(
                f"{self.path}: folds without a final model: train it by `fas train --resume {self.path} "
                f"--final`, or name one of them, e.g. {self.path / 'fold-1'}"
            )
        return open_finished(self.path, {FINAL: self.final_run()})[FINAL]
