"""`fas eval`: score a run or an exported model on a split, and evaluate the scores."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from attrs import evolve
from click import get_current_context

from fas_core.cli import panels
from fas_core.cli.candidates import complete_dataset
from fas_core.cli.command import FasCommand, option
from fas_core.cli.eval_tables import show_across, show_one, show_run_set
from fas_core.cli.options import (
    MODEL,
    PATH,
    aggregate_option,
    detector_option,
    device_option,
    evaluation_options,
    evaluation_workers_option,
    external_model_option,
    output_options,
    reject_option,
    threshold_option,
)
from fas_core.cli.part_options import engine_options, score_by
from fas_core.console import console
from fas_core.errors import require

if TYPE_CHECKING:
    from fas_core.cli.part_options import ChosenEngine
    from fas_core.evaluation.groups import EvaluationOptions
    from fas_core.inference.evaluate_split import Evaluation
    from fas_core.inference.loaded_model import LoadedModel
    from fas_core.runs.run_sets import RunSet


@click.command(
    cls=FasCommand,
    examples="""
        # a run on the test split of its own data
        fas eval runs/quickstart
        # a row for each kind of attack, and every score in a file
        fas eval runs/quickstart --group-by species --scores scores.csv
        # an exported model on a folder of faces
        fas eval model.onnx --data faces --threshold fixed:0.5
    """,
)
@click.argument("target", type=MODEL, metavar="RUN|MODEL.onnx|public:NAME")
@option(
    "--split",
    default="test",
    show_default=True,
    panel=panels.DATA,
    help="Split to score: train, dev or test.",
)
@option(
    "--data",
    multiple=True,
    metavar="NAME|MANIFEST|FOLDER",
    panel=panels.DATA,
    shell_complete=complete_dataset,
    help="Data to score instead of the run's own; given several times, a row for each below the run's own.",
)
@option(
    "--protocol",
    "protocols",
    multiple=True,
    metavar="DATASET-PROTOCOL",
    panel=panels.DATA,
    help="Protocol of a data set in --data, e.g. oulu_npu-1; may be repeated.",
)
@threshold_option
@reject_option
@option(
    "--calibrate-on",
    type=PATH,
    metavar="MANIFEST",
    panel=panels.VERDICTS,
    help="Set the threshold on the live samples of these people, as `fas calibrate` does; they are not "
    "evaluated.",
)
@option(
    "--scores",
    type=PATH,
    metavar="OUT.csv",
    panel=panels.OUTPUT,
    help="File to write every score to; a folder for several runs or several --data.",
)
@aggregate_option
@option(
    "--modalities", metavar="NAME[,NAME...]", panel=panels.DATA, help="Give the model these modalities alone."
)
@option(
    "--subsets", is_flag=True, panel=panels.DATA, help="Evaluate every subset of the modalities, a row each."
)
@external_model_option
@detector_option
@device_option
@evaluation_workers_option
@evaluation_options
@engine_options
@output_options
def command(
    target: Path,
    split: str,
    data: tuple[str, ...],
    protocols: tuple[str, ...],
    threshold: str | None,
    calibrate_on: Path | None,
    reject: str | None,
    scores: Path | None,
    aggregate: str | None,
    modalities: str | None,
    subsets: bool,
    external: Path | None,
    detector: str | None,
    device: str | None,
    workers: int,
    evaluation: EvaluationOptions,
    engine: ChosenEngine | None,
) -> None:
    """Score every sample of a split and print the table. Unlabelled data gives scores and no table.

    Of sub-protocols (`fas train --protocol`) and of seeds (`fas train --seeds`) each run is evaluated, then
    mean and standard deviation.
    Of folds (`fas train --folds`) the final model is evaluated.
    With several --data one table has them all, and the run's own first: one threshold, fitted on its dev.
    A model trained with train.modality_dropout scores what samples have, and on demand less than that.
    A public model, or one that --foreign describes, crops photos to the face as it was trained: around the
    sample's box, or a detected face. A photo without a face has no score.
    With --engine an exported model scores one data set of any size, whose photos may be URLs; docs/ray.md
    says more.
    """
    from fas_core.cli.next_steps import show_evaluation_steps
    from fas_core.inference.evaluate_split import plan_evaluation
    from fas_core.registry import registry

    run_set = _open_run_set(target)
    _refuse_together(get_current_context().params, is_set=run_set is not None)
    plan = plan_evaluation(
        registry(),
        evaluation,
        split=split,
        aggregate=aggregate,
        modalities=tuple(modalities.split(",")) if modalities else None,
        workers=workers,
        threshold=threshold,
        reject=reject,
        output=scores,
    )
    if engine is not None:
        plan = evolve(plan, split=score_by(engine, target, plan.split, external, detector))
    if run_set is not None:
        show_run_set(run_set, data[0] if data else None, plan)
    else:
        _evaluate_model(target, data, protocols, plan, calibrate_on, subsets, external, detector, device)
    if external is None:
        show_evaluation_steps(target)


def _open_run_set(target: Path) -> RunSet | None:
    """Return the sub-protocols or seeds that lie in a folder; None of any other model."""
    from fas_core.registry import registry
    from fas_core.runs.files import is_run_folder
    from fas_core.runs.groups import open_runs
    from fas_core.runs.run_sets import RunSet

    if not is_run_folder(target):
        return None
    require("train", "torch", "safetensors")
    opened = open_runs(target, registry())
    return opened if isinstance(opened, RunSet) else None


def _refuse_together(flags: Mapping[str, Any], *, is_set: bool) -> None:
    """Options that exclude each other are a usage error; `flags` are the command's parameters by name."""
    several, subsets, grouped = len(flags["data"]) > 1, flags["subsets"], flags["group_by"] is not None
    narrowed, decides = flags["modalities"] or flags["scores"], flags["threshold"] or flags["aggregate"]
    calibrated, in_parts = flags["calibrate_on"] is not None, flags["name"] is not None  # --engine
    of_set, one_of_them = "a set of runs is evaluated without", "give one of its runs"
    rules = {
        f"{of_set} --subsets and --group-by: {one_of_them}": is_set and (subsets or grouped),
        f"a set of runs takes one --data and no --protocol: {one_of_them}": is_set
        and (several or flags["protocols"]),
        f"{of_set} --foreign and --detector: {one_of_them}": is_set
        and (flags["external"] or flags["detector"]),
        "several --data give a row each: without --subsets and --group-by": several and (subsets or grouped),
        "--subsets gives a row for each subset: without --modalities, --scores and --group-by": subsets
        and (narrowed or grouped),
        "--calibrate-on is for one model, without --threshold and --aggregate": calibrated
        and (decides or is_set),
        "--device is for one exported model, without --engine": flags["device"] is not None
        and (is_set or in_parts),
        "--engine scores one data set: without --subsets, with one --data": in_parts and (several or subsets),
    }
    for message, is_broken in rules.items():
        if is_broken:
            raise click.UsageError(message)


def _calibrate_on(model: LoadedModel, manifest: Path, plan: Evaluation) -> tuple[LoadedModel, Evaluation]:
    """Return the model with a calibrated threshold, and the plan without the people of the calibration."""
    from fas_core.inference.calibrate_on import calibrate_on

    calibrated = calibrate_on(model, manifest, plan.registry, workers=plan.split.workers)
    for note in calibrated.notes:
        console.info(note)
    return calibrated.model, evolve(plan, split=evolve(plan.split, excluded=calibrated.people))


def _evaluate_model(
    target: Path,
    data: tuple[str, ...],
    protocols: tuple[str, ...],
    plan: Evaluation,
    manifest: Path | None,
    subsets: bool,
    external: Path | None,
    detector: str | None,
    device: str | None,
) -> None:
    """Evaluate one model, with `manifest` at a threshold that its people calibrate."""
    from fas_core.data.protocols import protocols_of
    from fas_core.inference.loaded_model import load_model

    chosen = protocols_of(protocols, plan.registry)
    model = load_model(target, plan.registry, external=external, detector=detector, device=device)
    if device is not None:
        console.info(f"{target} runs on {model.device}")
    if manifest is not None:
        model, plan = _calibrate_on(model, manifest, plan)
    if len(data) > 1:
        show_across(model, data, chosen, plan)
    else:
        show_one(model, data[0] if data else None, chosen, plan, subsets=subsets)
