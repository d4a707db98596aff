"""The search: trial after trial, each a run that is judged by its EER on dev. Test is never looked at."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np
import optuna
from attrs import frozen
from optuna.pruners import BasePruner, MedianPruner, NopPruner
from optuna.samplers import TPESampler
from optuna.trial import FrozenTrial, TrialState

from fas_core.atomic import write_text
from fas_core.config.components import Choice
from fas_core.config.load import FORMAT, to_plain, to_yaml
from fas_core.config.recipe import Recipe
from fas_core.console import console
from fas_core.contracts import DatasetReader
from fas_core.data.open import open_choice
from fas_core.errors import ConfigError, DataError, FasError
from fas_core.registry import Registry
from fas_core.runs import files
from fas_core.runs.owner import owning
from fas_core.runs.run import Run
from fas_core.training import job
from fas_core.training.splits import training_splits
from fas_plugins.commands.tune.space import Space, change_recipe, check_space
from fas_plugins.commands.tune.study import (
    BEST,
    count_judged,
    explaining_errors,
    open_study,
    repeat_trial,
    wait_for_others,
)
from fas_plugins.commands.tune.trials import format_value

FIRST_TRIALS = 5
"""Trials that are trained to the end before any is pruned, as in Optuna."""


@frozen
class Search:
    """A search for the recipe with the lowest EER on dev.

    Args:
        folder: of the study, see `fas_plugins.commands.tune.study`.
        recipe: what the trials change.
        space: what they change of it.
        prune: whether trials end early whose EER after an epoch is above the median of the others.
        anyway: whether the study goes on where its runs were trained with other data, another recipe or other
            versions.
    """

    folder: Path
    recipe: Recipe
    space: Space
    registry: Registry
    prune: bool = True
    anyway: bool = False

    def run(self, trials: int) -> optuna.Study:
        """Run trials until the study has so many results, of all commands together, and return it.

        The sampler is TPE (Bergstra et al., Algorithms for Hyper-Parameter Optimization, NeurIPS 2011). What
        it suggests for a trial depends on `train.seed`, the trial's number and the results so far.

        Raises:
            FasError: recipe, space, data or folder cannot be used; or, unless `anyway`, a run of the study
                was trained with what has changed since.
            KeyboardInterrupt: Ctrl-C; the same search goes on with the trial that was stopped.
        """
        self._check()
        study = open_study(self.folder, self.recipe, self.space, self.registry)
        if not self.anyway:
            self._check_unchanged(study)
        study.pruner = self._pruner()
        with explaining_errors(self.folder):
            while count_judged(study) < trials:
                wait_for_others(study, trials)
                if count_judged(study) < trials:
                    judge = partial(self._judge, trials=trials)
                    study.optimize(judge, n_trials=1, catch=(FasError,), callbacks=[self._tell])
        return study

    def _check(self) -> None:
        """Raise FasError if recipe, space or data cannot be used, before the first trial."""
        if self.recipe.folds is not None:
            raise ConfigError(
                "folds: tuning judges by dev: leave them out, and train the best recipe with folds"
            )
        check_space(self.space, self.recipe, self.registry)
        reader = open_choice(self.recipe.data, self.registry)
        if training_splits(reader, self.recipe)[1] is None:
            raise DataError(f"data set {self.recipe.data.name!r}: tuning needs a dev split with labels")

    def _check_unchanged(self, study: optuna.Study) -> None:
        """Raise FasError if the runs so far could not be compared with those to come."""
        readers: list[tuple[Choice, DatasetReader]] = []
        for name in dict.fromkeys(trial.user_attrs.get("run") for trial in study.trials):
            if name is None or not (self.folder / name / files.HISTORY).is_file():
                continue
            run = Run.open(self.folder / name, self.registry)
            reader = next((reader for data, reader in readers if data == run.recipe.data), None)
            if reader is None:
                reader = open_choice(run.recipe.data, self.registry)
                readers.append((run.recipe.data, reader))
            job.check_unchanged(run, reader)

    def _pruner(self) -> BasePruner:
        if not self.prune:
            return NopPruner()
        return MedianPruner(n_startup_trials=FIRST_TRIALS, n_warmup_steps=self.recipe.train.epochs // 4)

    def _tell(self, study: optuna.Study, trial: FrozenTrial) -> None:
        """Print the result of a trial, and write the best recipe so far."""
        if trial.state == TrialState.FAIL:
            console.warn(f"trial {trial.number}: failed: {trial.user_attrs['reason']}")
        elif trial.value is not None:
            pruned = "pruned, " if trial.state == TrialState.PRUNED else ""
            console.info(f"trial {trial.number}: {pruned}dev EER {100 * trial.value:.2f} %")
        if (best := find_best(study)) is not None:
            run = Run.open(self.folder / best.user_attrs["run"], self.registry)
            eer = f"{100 * best.values[0]:.2f} %"
            heading = f"# The best of {count_judged(study)} trials, {run.path.name}: dev EER {eer}"
            tree = {"format": FORMAT, **to_plain(run.recipe, self.registry)}
            write_text(self.folder / BEST, f"{heading}\n{to_yaml(tree)}")

    def _judge(self, trial: optuna.Trial, trials: int) -> float:
        """Train the run of a trial, and return its EER on dev."""
        seed = np.random.SeedSequence([self.recipe.train.seed, trial.number]).generate_state(1)[0]
        trial.study.sampler = TPESampler(seed=int(seed))
        changes = {key: dimension.suggest(trial, key) for key, dimension in self.space.items()}
        name = trial.user_attrs.get("run", f"trial-{trial.number}")
        trial.set_user_attr("run", name)
        values = ", ".join(f"{key} {format_value(value)}" for key, value in changes.items())
        console.info(f"trial {trial.number}, {count_judged(trial.study) + 1} of {trials}: {values}")
        try:
            recipe = change_recipe(self.recipe, changes, self.registry, name)
            run = Run(self.folder / name, recipe, self.registry)
            here = {"train.device": recipe.train.device, "train.workers": recipe.train.workers}
            with owning(run.path):
                report = partial(_report, trial, run, set())
                job.start_or_resume(run, here, anyway=self.anyway, after_epoch=report)
                return judge_run(run)
        except FasError as error:
            trial.set_user_attr("reason", error.message)
            raise
        except KeyboardInterrupt:
            repeat_trial(trial.study, trial)
            raise


def find_best(study: optuna.Study) -> FrozenTrial | None:
    """Return the trial of the lowest EER of those that were trained to the end, the first of equal ones."""
    finished = study.get_trials(states=(TrialState.COMPLETE,))
    return min(finished, key=lambda trial: trial.values, default=None)


def judge_run(run: Run) -> float:
    """Return the EER on dev, a fraction, of the weights that a run keeps: of the best or the last epoch."""
    eers = list(_dev_eers(run).values())
    if not eers:
        raise DataError(f"{run.path}: has no EER on dev to judge it by")
    return eers[-1] if run.recipe.train.select == "last" else min(eers)


def _dev_eers(run: Run) -> dict[int, float]:
    """Return the EER on dev of the epochs that dev was evaluated after."""
    return {record["epoch"]: record["dev"]["eer"] for record in run.metrics() if record.get("dev")}


def _report(trial: optuna.Trial, run: Run, known: set[int]) -> None:
    """Tell Optuna the EERs so far; raise TrialPruned where the trial is to end before its last epoch."""
    eers = _dev_eers(run)
    for epoch in eers.keys() - known:
        trial.report(eers[epoch], epoch)
        known.add(epoch)
    if max(eers, default=0) < run.recipe.train.last_epoch and trial.should_prune():
        raise optuna.TrialPruned
