"""A training job from end to end: data, run folder, training, the tables at the end."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from attrs import frozen

from fas_core.config.advice import describe_crop_mismatch
from fas_core.config.recipe import Recipe
from fas_core.console import console
from fas_core.contracts import DatasetReader
from fas_core.data.open import open_choice
from fas_core.data.threshold_advice import advise
from fas_core.evaluation import Result, bootstrap, format_tables
from fas_core.inference.evaluate_split import evaluate_stored, score_run
from fas_core.interruption import interruptible
from fas_core.models.pretrained import load_pretrained
from fas_core.registry import Registry
from fas_core.runs import files
from fas_core.runs.groups import is_main_process
from fas_core.runs.history import add_entry, find_changes, start_history
from fas_core.runs.owner import owned
from fas_core.runs.results import write_results
from fas_core.runs.run import Run
from fas_core.runtime.calibration_file import RUN_CALIBRATION
from fas_core.text_table import Table
from fas_core.training.convex import ConvexTraining
from fas_core.training.distribution import join_peers
from fas_core.training.follow import follow
from fas_core.training.locate_faces import locate_faces
from fas_core.training.process import accelerator_for
from fas_core.training.splits import format_counts, training_splits
from fas_core.training.trainer import Training

AfterEpoch = Callable[[], None]


@frozen(eq=False)
class Outcome:
    """A finished run and its figures by the best weights: `{split: Result}`.

    `photos` are the images of one sample, as an example of what the model takes.
    """

    run: Run
    results: dict[str, Result]
    train_hours: float
    photos: tuple[Path, ...] = ()

    def tables(self) -> list[Table]:
        """Return the tables of the figures."""
        return format_tables(list(self.results.values()), train_hours=self.train_hours)


@owned
def start(
    path: Path,
    recipe: Recipe,
    registry: Registry,
    *,
    reader: DatasetReader | None = None,
    after_epoch: AfterEpoch | None = None,
) -> Outcome:
    """Train a recipe into a new run folder, and evaluate it.

    `reader` is the recipe's data set where it is open already, as for several runs of it. `after_epoch` is
    called once the figures and the state of an epoch are saved; what it raises ends the training.

    Raises:
        FasError: data, recipe or folder cannot be used, or another process trains in it; nothing is written
            then.
        Interrupted: by a signal; the run can be continued.
    """
    accelerator = accelerator_for(recipe.train)
    if accelerator.is_main_process and (advice := describe_crop_mismatch(recipe)):
        console.warn(advice)
    peers = join_peers(accelerator, recipe.train.peer_timeout)
    path = peers.from_main(path)  # others may take another folder for the first free one
    with peers.main_first():
        reader = reader or open_choice(recipe.data, registry)
    train, dev = training_splits(reader, recipe)
    train = locate_faces(train, recipe, peers)
    run = Run(path, recipe, registry)
    training = _solver(recipe).prepare(run, train, dev, accelerator)
    pretrained = load_pretrained(training.model, recipe, registry)
    if accelerator.is_main_process:
        run.create()
        start_history(run, reader, training.progress.describe())
        for branch in pretrained:
            console.info(f"pretrained {branch.describe()}")
        console.info(f"run {path}: {recipe.describe()}")
        dev_counts = f"dev {format_counts(dev)}" if dev else "no dev split"
        console.info(f"train {format_counts(train)}; {dev_counts}")
        for note in reader.notes:
            console.info(f"note: {note}")
    return _finish(training, reader, after_epoch)


@owned
def resume(
    path: Path,
    registry: Registry,
    changes: Mapping[str, Any],
    *,
    reader: DatasetReader | None = None,
    anyway: bool = False,
    after_epoch: AfterEpoch | None = None,
) -> Outcome:
    """Continue a run exactly where it stopped, to its last epoch (`changes` may move that).

    A run that was stopped before it saved a training state starts from the beginning.

    `changes` are of the recipe, e.g. `{"train.epochs": 20}`; `reader` and `after_epoch` as of `start`. Where
    data, recipe or versions are others than so far, the run goes on only `anyway`, and its history records
    them.

    Raises:
        FasError: the folder is no run, another process trains it, what it was trained with has changed, or
            its training state does not fit.
        Interrupted: by a signal; the run can be continued again.
    """
    run = Run.open(path, registry).changed(changes)
    if not (path / files.STATE).is_file():
        console.info(f"run {path}: has no training state yet: starts from the beginning")
        join_peers(
            accelerator_for(run.recipe.train), run.recipe.train.peer_timeout
        ).wait()  # all have opened it
        if is_main_process():
            (path / files.RECIPE).unlink()
        return start(path, run.recipe, registry, reader=reader, after_epoch=after_epoch)
    accelerator = accelerator_for(run.recipe.train)
    reader = reader or open_choice(run.recipe.data, registry)
    train, dev = training_splits(reader, run.recipe)
    train = locate_faces(train, run.recipe, join_peers(accelerator, run.recipe.train.peer_timeout))
    training = _solver(run.recipe).prepare(run, train, dev, accelerator)
    changed = find_changes(run, reader, anyway=anyway) if accelerator.is_main_process else None
    training.restore()
    if accelerator.is_main_process:
        of_weights = (path / files.RESULTS, path / RUN_CALIBRATION, files.score_file(path, files.TRAIN_LIVE))
        for file in of_weights:  # those so far
            file.unlink(missing_ok=True)
        if changed is not None:
            add_entry(run, changed, training.progress.describe())
            for line in changed.changes:
                console.info(f"note: {line}")
        run.write_recipe()
        console.info(f"run {path}: continued at {training.progress.describe()}")
    return _finish(training, reader, after_epoch)


def start_or_resume(
    run: Run,
    changes: Mapping[str, Any],
    *,
    reader: DatasetReader | None = None,
    anyway: bool = False,
    after_epoch: AfterEpoch | None = None,
) -> None:
    """Train a run of a group from the start, from where it stopped, or not at all if it is finished."""
    if run.is_finished():
        console.info(f"run {run.path}: trained before")
    elif (run.path / files.RECIPE).is_file():
        resume(run.path, run.registry, changes, reader=reader, anyway=anyway, after_epoch=after_epoch)
    else:
        start(run.path, run.recipe, run.registry, reader=reader, after_epoch=after_epoch)


def check_unchanged(run: Run, reader: DatasetReader) -> None:
    """Check that a run of a group, if it has begun, was trained with what it would be trained with now.

    Raises:
        FasError: it was not, so that the figures of the group's runs could not be compared.
    """
    if is_main_process() and (run.path / files.HISTORY).is_file():
        find_changes(run, reader, anyway=False)


def _solver(recipe: Recipe) -> type[Training] | type[ConvexTraining]:
    return ConvexTraining if recipe.train.solver == "convex" else Training


def _finish(
    training: Training | ConvexTraining, reader: DatasetReader, after_epoch: AfterEpoch | None
) -> Outcome:
    """Train to the end and evaluate, followed by the console and by plugins; both can be interrupted."""
    with interruptible(), follow(training):
        training.fit(after_epoch)
        outcome = _evaluate(training, reader)
    training.following.finish(outcome.results, outcome.train_hours)
    return outcome


def _evaluate(training: Training | ConvexTraining, reader: DatasetReader) -> Outcome:
    """Score the splits by the best weights, each process its share; evaluate them in the main process."""
    run, results, hours = training.run, {}, training.progress.total_seconds / 3600
    score_run(run, reader, join_peers(training.accelerator, run.recipe.train.peer_timeout))
    if training.accelerator.is_main_process:
        results = evaluate_stored(run, reader, replicates=bootstrap.REPLICATES)
        advice = advise(reader, run.recipe.folds, run.recipe.train.seed, run.fitting_scores())
        record = {
            "train_hours": hours,
            "threshold": None if advice is None else advice.to_json(),
            "data": {split: reader.samples(split).fingerprint() for split in reader.splits()},
            "splits": {split: result.to_json() for split, result in results.items()},
        }
        run.require_folder()
        write_results(run.path, record)
    return Outcome(run, results, hours, _select_photos(reader, run.recipe.input.photos))


def _select_photos(reader: DatasetReader, modalities: Sequence[str]) -> tuple[Path, ...]:
    """Return the images of the first sample of the last split; none where a URL is among them."""
    samples = reader.samples(reader.splits()[-1])
    present = [name for name in modalities if len(samples) and samples.has(0, name)]
    paths = [samples.path(0, name) for name in present]
    return tuple(path for path in paths if isinstance(path, Path)) if not samples.is_remote else ()
