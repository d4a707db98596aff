"""The runs of a cross-validation: one for each fold of train, then the final one on all of it.

```
folds.yaml            the recipe, whether there is to be a final model, a digest of who is in which fold
fold-1/  fold-2/ ...  a run each, with its fold for dev
out_of_fold.csv       what its fold's model gave each sample of train, and of dev where of the same groups
final/                the run on all of train, whose threshold is fitted on out_of_fold.csv
results.json          the figures of each fold, mean and standard deviation, all folds pooled, the final run's
```
"""

from __future__ import annotations

from pathlib import Path

from attrs import asdict, frozen

from fas_core.config.load import read_mapping, to_plain
from fas_core.config.recipe import FOLDS, HeldOut, Recipe
from fas_core.config.structure import structure
from fas_core.errors import ConfigError, FasError
from fas_core.registry import Registry
from fas_core.runs.group import finished, write_tree
from fas_core.runs.run import FOLDS_FILE, Run

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
        """A set that is there.

        Raises:
            ConfigError: its file is not what `write` wrote.
        """
        file = path / FOLDS_FILE
        tree = read_mapping(file)
        if set(tree) != {"final", "digest", "recipe"} or not isinstance(tree["final"], bool):
            raise ConfigError(f"{file}: must have final, digest and recipe, and nothing else")
        recipe = structure(tree["recipe"], Recipe, registry, str(file))
        if recipe.folds is None:
            raise ConfigError(f"{file}: its recipe has no folds")
        return cls(path, recipe, registry, tree["final"], str(tree["digest"]))

    def write(self) -> None:
        """Write the set's file, over another."""
        recipe = to_plain(self.recipe, self.registry)
        write_tree(self.path / FOLDS_FILE, {"final": self.final, "digest": self.digest, "recipe": recipe})

    @property
    def spec(self) -> str:
        """`subject:5`."""
        assert self.recipe.folds is not None
        return self.recipe.folds

    def fold_runs(self) -> dict[str, Run]:
        """The run of each fold, by name, in order; they need not be there yet."""
        found = FOLDS.fullmatch(self.spec)
        assert found is not None  # the recipe's validator has seen it
        by, count = found[1], int(found[2])
        whole = Run(self.path / FINAL, self.recipe, self.registry)
        runs = {}
        for fold in range(1, count + 1):
            held_out = asdict(HeldOut(by, count, fold, self.recipe.train.seed))
            recipe = whole.changed({"folds": None, "data.held_out": held_out}).recipe
            runs[f"fold-{fold}"] = Run(self.path / f"fold-{fold}", recipe, self.registry)
        return runs

    def final_run(self) -> Run:
        """The run on all folds, which need not be there yet."""
        return Run(self.path / FINAL, self.recipe, self.registry)


def is_fold_runs(path: Path) -> bool:
    """Whether a folder holds the runs of a cross-validation."""
    return (path / FOLDS_FILE).is_file()


def final_of(path: Path, registry: Registry) -> Run:
    """The final run of a set, trained.

    Raises:
        FasError: there is to be none, or it is not trained to the end; it says how to get it.
    """
    folds = FoldRuns.open(path, registry)
    if not folds.final:
        raise FasError(
            f"{path}: folds without a final model: train it by `fas train --resume {path} --final`, "
            f"or name one of them, e.g. {path / 'fold-1'}"
        )
    return finished(path, {FINAL: folds.final_run()})[FINAL]
