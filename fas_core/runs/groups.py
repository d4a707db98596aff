"""The runs of folds below one folder; and how any run, group of runs or model is opened.

```
folds.yaml            the recipe, whether there is to be a final run, a digest of samples and folds
fold-1/  fold-2/ ...  a run each, with its fold for dev
out_of_fold.csv       the score of each sample by the run of its fold: train, and dev where of the same groups
final/                the run on all of train, whose threshold is fitted on out_of_fold.csv
results.json          the figures of each fold, mean and standard deviation, all folds pooled, the final run's
```
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from attrs import asdict, frozen

from fas_core.atomic import write_text
from fas_core.config.components import HeldOut
from fas_core.config.load import FORMAT, read_mapping, to_plain, to_yaml
from fas_core.config.recipe import Recipe
from fas_core.errors import ConfigError, FasError, ModelError
from fas_core.registry import Registry
from fas_core.runs import files
from fas_core.runs.environment import read_required
from fas_core.runs.run import Run, structure_recipe
from fas_core.runs.run_sets import ProtocolRuns, RunSet, SeedRuns, open_finished
from fas_core.runtime.devices import check_run_device
from fas_core.runtime.model_file import ModelFile

FINAL = "final"


@frozen
class FoldRuns:
    """A folder of runs, one for each fold, and of the final one.

    Args:
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
        """Open an existing folder; raise ConfigError if its file is not what `write` wrote."""
        file = path / files.FOLDS
        tree = read_mapping(file)
        if set(tree) != {"final", "digest", "recipe"} or not isinstance(tree["final"], bool):
            raise ConfigError(f"{file}: must have final, digest and recipe, and nothing else")
        registry = registry.requiring(read_required(path))
        recipe = structure_recipe(tree["recipe"], registry, str(file))
        if recipe.folds is None:
            raise ConfigError(f"{file}: its recipe has no folds")
        if ":" not in recipe.folds:
            raise ConfigError(f"{file}: its recipe has no number of folds, as in session:3: {recipe.folds!r}")
        return cls(path, recipe, registry, tree["final"], str(tree["digest"]))

    def write(self) -> None:
        """Write the group's file, over an older one."""
        recipe = to_plain(self.recipe, self.registry)
        tree = {"final": self.final, "digest": self.digest, "recipe": recipe}
        write_text(self.path / files.FOLDS, to_yaml({"format": FORMAT, **tree}))

    @property
    def spec(self) -> str:
        """The recipe's folds, e.g. `subject:5`."""
        assert self.recipe.folds is not None
        return self.recipe.folds

    def fold_runs(self) -> dict[str, Run]:
        """Return the run of each fold by name, in order; they need not be trained yet."""
        by, count = self.spec.split(":")  # the recipe's validator has checked it
        final = self.final_run()
        runs = {}
        for fold in range(1, int(count) + 1):
            held_out = asdict(HeldOut(by, int(count), fold, self.recipe.train.seed))
            recipe = final.changed({"folds": None, "data.held_out": held_out}).recipe
            runs[f"fold-{fold}"] = Run(self.path / f"fold-{fold}", recipe, self.registry)
        return runs

    def final_run(self) -> Run:
        """Return the run on all folds, which need not be trained yet."""
        return Run(self.path / FINAL, self.recipe, self.registry)

    def open_final(self) -> Run:
        """Open the final run; raise FasError, which says how to get it, if it is missing or not finished."""
        if not self.final:
            raise FasError(
                f"{self.path}: folds without a final model: train it by `fas train --resume {self.path} "
                f"--final`, or name one of them, e.g. {self.path / 'fold-1'}"
            )
        return open_finished(self.path, {FINAL: self.final_run()})[FINAL]


def open_runs(path: Path, registry: Registry) -> Run | RunSet | FoldRuns:
    """Open a folder that `fas train` wrote; raise FasError if it is none."""
    if (path / files.FOLDS).is_file():
        return FoldRuns.open(path, registry)
    if (path / files.PROTOCOLS).is_file():
        return ProtocolRuns.open(path, registry)
    if (path / files.SEEDS).is_file():
        return SeedRuns.open(path, registry)
    return Run.open(path, registry)


def open_path(
    path: Path, registry: Registry, threads: int | None = None, device: str | None = None
) -> Run | RunSet | FoldRuns | ModelFile:
    """Open what `fas train` or `fas export` wrote; raise FasError if it is missing or cannot be read.

    `threads`: CPU threads of one call of a model file; None for one per core. `device`: where that runs, or
    several in the order to try; None for the CPU.
    """
    if files.is_run_folder(path):
        check_run_device(path, device)
        return open_runs(path, registry)
    if files.is_model(path):
        return ModelFile(path, threads, device=device)
    problem = "neither a run folder nor a model file" if path.exists() else "no such run folder or model"
    raise ModelError(f"{path}: {problem}: give what `fas train` or `fas export` wrote")


@contextmanager
def naming(member: str) -> Iterator[None]:
    """Put the name of a run of the group before the message of a FasError."""
    try:
        yield
    except FasError as error:
        raise type(error)(f"{member}: {error.message}", error.problems) from error


def is_main_process() -> bool:
    """Return whether this process writes: under `torchrun` there are several, and one of them does."""
    return os.environ.get("RANK", "0") == "0"
