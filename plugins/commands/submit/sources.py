"""What a submission is made of: the challenge's data set, its lists, and the systems' scores."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from fas_core.config.components import DatasetChoice
from fas_core.contracts import Submission
from fas_core.data.open import replace_dataset
from fas_core.descriptors import Dataset
from fas_core.errors import DataError, FasError, suggest_closest
from fas_core.inference.scores_of import scores_of
from fas_core.registry import Registry
from fas_core.runs.files import is_model
from fas_core.runs.groups import open_runs
from fas_core.runs.run_sets import ProtocolRuns
from fas_core.scores.table import ScoreTable
from fas_plugins.commands.submit.compose import concatenate_scores, list_systems


def find_challenge(name: str, registry: Registry) -> Dataset:
    """Return the data set with a challenge of this name; `-` and `_` are the same.

    Raises:
        FasError: there is no such challenge.
    """
    challenges = {
        name.replace("_", "-"): name
        for component in registry.all(Dataset)
        if component.submission
        for name in (component.name, component.qualified_name)
    }
    key = name.replace("_", "-")
    if key not in challenges:
        raise FasError(f"--format {name}: there is no such format{suggest_closest(key, challenges)}")
    return registry.find(Dataset, challenges[key])


def choose_lists(dataset: Dataset, target: Path, data: str | None, registry: Registry) -> DatasetChoice:
    """Return the data set with its options and the root of its lists: of `--data`, else of the run.

    Args:
        dataset: of the challenge.
        target: the first system; a run knows its own data.
        data: ROOT or NAME:ROOT; None for the run's.
        registry: of the plugins.

    Raises:
        FasError: the root is not known, or there is no such folder.
    """
    own = _read_data_choice(target, registry) if target.is_dir() else None
    if own is not None and own.name == dataset.name:
        choice = own
    else:
        choice = DatasetChoice(dataset.name, dataset.options())
    if data is not None:
        spec = data if data.startswith(f"{dataset.name}:") else f"{dataset.name}:{data}"
        choice = replace_dataset(spec, choice, registry)
    if choice.root is None and not (target.exists() or is_model(target)):
        raise FasError(f"{target}: no such run, model or file of scores")
    if choice.root is None:
        raise FasError(f"{target}: say where the lists of {dataset.name!r} are: --data ROOT")
    if not choice.root.is_dir():
        raise DataError(f"{choice.root}: no such folder, given as the root of {dataset.name!r}")
    return choice


def read_systems(
    targets: Sequence[Path], submission: Submission, data: str | None, workers: int, registry: Registry
) -> dict[str, tuple[str, ScoreTable]]:
    """Return the scores of each system of the submission, as `compose_submission` takes them.

    Args:
        targets: one system for all lines; one for each system of the submission, in order; or a folder with
            a run for each sub-protocol.
        submission: the lines.
        data: data to score now, NAME:ROOT; None for a run's own.
        workers: threads that read images, where a split is scored now.
        registry: of the plugins.

    Raises:
        FasError: the number of targets is wrong, or a target has no scores.
    """
    names = list_systems(submission)
    opened = open_runs(targets[0], registry) if len(targets) == 1 and targets[0].is_dir() else None
    if isinstance(opened, ProtocolRuns):
        runs = opened.runs()
        if set(runs) != set(names):
            raise FasError(
                f"{targets[0]}: runs of {', '.join(runs)}, and the file is about {', '.join(names)}"
            )
        targets = [runs[name].path for name in names]
    if len(targets) not in (1, len(names)):
        expected = f"one, or one for each of {', '.join(names)} in this order" if len(names) > 1 else "one"
        raise FasError(f"{len(targets)} systems are given: give {expected}")
    tables = [(str(target), _read_scores(target, submission.splits, data, workers)) for target in targets]
    return dict(zip(names, tables * len(names) if len(tables) == 1 else tables, strict=True))


def _read_data_choice(path: Path, registry: Registry) -> DatasetChoice:
    return open_runs(path, registry).recipe.data


def _read_scores(target: Path, splits: Sequence[str], data: str | None, workers: int) -> ScoreTable:
    if not target.is_dir() and not is_model(target):
        return scores_of(target, "")
    return concatenate_scores(
        {f"{target} {split}": scores_of(target, split, workers=workers, data=data) for split in splits}
    )
