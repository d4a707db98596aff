"""`fas submit`: the file that a challenge takes, from a run or a file of scores."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import rich_click as click

from fas_core.cli.options.output import output_options
from fas_core.console import console
from fas_core.descriptors import Dataset
from fas_core.errors import DataError, FasError, suggest_closest

if TYPE_CHECKING:
    from fas_core.config.recipe import DatasetChoice
    from fas_core.contracts import Submission
    from fas_core.descriptors import Dataset
    from fas_core.scores.table import ScoreTable

Systems = dict[str, tuple[str, "ScoreTable"]]


@click.command()
@click.argument(
    "targets", type=click.Path(path_type=Path), nargs=-1, required=True, metavar="RUN|SCORES|MODEL.onnx ..."
)
@click.option("--format", "form", required=True, help="casia-surf, cefa, or of a plugin's data set.")
@click.option(
    "--split",
    type=click.Choice(["dev", "test"]),
    default="test",
    show_default=True,
    help="What the file is about: of the published ones dev is phase 1 and test phase 2.",
)
@click.option(
    "--data", metavar="ROOT", help="Where the data set's lists lie, if not where the run's data do."
)
@click.option(
    "--aggregate", default="video", show_default=True, metavar="video:VOTE", help="How frames make a video."
)
@click.option(
    "-o", "--output", type=click.Path(path_type=Path, dir_okay=False), required=True, metavar="FILE"
)
@click.option(
    "-j", "--workers", type=click.IntRange(1), default=2, show_default=True, help="Threads that read images."
)
@output_options
def command(
    targets: tuple[Path, ...],
    form: str,
    split: str,
    data: str | None,
    aggregate: str,
    output: Path,
    workers: int,
) -> None:
    """Write the file that a challenge takes: every line of its lists, in their order, with the score.

    Of a challenge with sub-protocols: one system for all of them, one for each in their order, or the folder
    that `fas train --protocol` made. Nothing is written when a line has no score, or a score no line.
    """
    from fas_core.atomic import replacing
    from fas_core.scores.videos import parse_aggregate
    from fas_plugins.commands.submit.compose import compose

    vote = parse_aggregate(aggregate)
    dataset = _dataset(form)
    choice = _choice(dataset, targets[0], data)
    assert choice.root is not None
    wanted: Submission = dataset.load_submission()(choice.options, root=choice.root, split=split)
    systems = _systems(targets, wanted, None if data is None else f"{choice.name}:{choice.root}", workers)
    text = compose(wanted, systems, vote)
    with replacing(output) as temporary:
        temporary.write_bytes(text.encode())
    lines = text.count("\n")
    console.info(f"{lines} lines in {output}, of {', '.join(part.name for part in wanted.parts)}")
    for name, table in dict(systems.values()).items():
        low, high = table.scores.min(), table.scores.max()
        if low < 0 or high > 1:
            console.warn(
                f"{name}: scores from {low:.4g} to {high:.4g}, and the challenge speaks of probabilities"
            )
    if console.json:
        console.document({"format": dataset.name, "split": split, "file": str(output), "lines": lines})


def _dataset(form: str) -> Dataset:
    """The data set whose challenge it is.

    Raises:
        FasError: none has such a format.
    """
    from fas_core.descriptors import Dataset
    from fas_core.registry import registry

    known = {
        component.name.replace("_", "-"): component
        for component in registry().all(Dataset)
        if isinstance(component, Dataset) and component.submission
    }
    name = form.replace("_", "-")
    if name not in known:
        raise FasError(f"--format {form}: there is no such format{suggest_closest(name, known)}")
    return registry().find(Dataset, known[name].name)


def _choice(dataset: Dataset, target: Path, data: str | None) -> DatasetChoice:
    """The data set with its root and options: as told, else as the run has it.

    Raises:
        FasError: neither says where the lists lie.
    """
    from fas_core.config.recipe import DatasetChoice
    from fas_core.data.open import replace_dataset
    from fas_core.registry import registry

    own = _own(target) if target.is_dir() else None
    fits = own is not None and own.name == dataset.name
    choice = own if own is not None and fits else DatasetChoice(dataset.name, dataset.options())
    if data is not None:
        named = data if data.startswith(f"{dataset.name}:") else f"{dataset.name}:{data}"
        choice = replace_dataset(named, choice, registry())
    if choice.root is None:
        raise FasError(f"{target}: say where the lists of {dataset.name!r} lie: --data ROOT")
    if not choice.root.is_dir():
        raise DataError(f"{choice.root}: no such folder, given as the root of {dataset.name!r}")
    return choice


def _own(run: Path) -> DatasetChoice:
    from fas_core.registry import registry
    from fas_core.runs.protocols import ProtocolRuns, is_protocol_runs
    from fas_core.runs.run import Run

    opened = ProtocolRuns.open(run, registry()) if is_protocol_runs(run) else Run.open(run, registry())
    return opened.recipe.data


def _systems(targets: Sequence[Path], wanted: Submission, data: str | None, workers: int) -> Systems:
    """The scores that each system's lines take.

    Raises:
        FasError: there are neither one target nor as many as systems, or a target has no scores.
    """
    from fas_core.registry import registry
    from fas_core.runs.protocols import ProtocolRuns, is_protocol_runs
    from fas_plugins.commands.submit.compose import systems

    names = systems(wanted)
    if len(targets) == 1 and is_protocol_runs(targets[0]):
        runs = ProtocolRuns.open(targets[0], registry()).runs()
        if set(runs) != set(names):
            raise FasError(
                f"{targets[0]}: runs of {', '.join(runs)}, and the file is about {', '.join(names)}"
            )
        targets = [runs[name].path for name in names]
    if len(targets) not in (1, len(names)):
        one = f"one, or one for each of {', '.join(names)} in this order" if len(names) > 1 else "one"
        raise FasError(f"{len(targets)} systems are given: give {one}")
    tables = [(str(target), _scores(target, wanted.splits, data, workers)) for target in targets]
    return dict(zip(names, tables * len(names) if len(tables) == 1 else tables, strict=True))


def _scores(target: Path, splits: Sequence[str], data: str | None, workers: int) -> ScoreTable:
    from fas_core.inference.scores_of import scores_of
    from fas_plugins.commands.submit.compose import gathered

    if not target.is_dir() and target.suffix != ".onnx":
        return scores_of(target, "")
    return gathered(
        {f"{target} {split}": scores_of(target, split, workers=workers, data=data) for split in splits}
    )
