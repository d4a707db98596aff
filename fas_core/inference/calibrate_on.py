"""Calibrate a loaded model on live samples of a manifest, whose people are then not evaluated."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from attrs import evolve, frozen

from fas_core.data.open import open_manifest
from fas_core.data.text_lists import MODALITIES
from fas_core.errors import DataError
from fas_core.evaluation.calibration import CalibrationPlan, calibrate, describe_promise
from fas_core.inference.loaded_model import LoadedModel
from fas_core.inference.score_samples import score_samples
from fas_core.records.samples import ATTACK, LIVE, concat
from fas_core.registry import Registry
from fas_core.scores.calibration import Calibration
from fas_core.scores.table import ScoreTable


@frozen(eq=False)
class CalibratedModel:
    """A model with a threshold of some people's photos.

    Args:
        model: the model, whose own threshold is the calibrated one.
        people: the subjects that are not to be evaluated.
        notes: how the threshold was set, and what it promises.
    """

    model: LoadedModel
    calibration: Calibration
    people: frozenset[str]
    notes: tuple[str, ...]


def calibrate_on(
    model: LoadedModel,
    manifest: Path,
    registry: Registry,
    *,
    plan: CalibrationPlan | None = None,
    workers: int = 2,
) -> CalibratedModel:
    """Set the threshold on the live samples of a manifest (those without a label count as live).

    Raises:
        DataError: the manifest has no live samples, or names no subject of one.
    """
    plan = plan or CalibrationPlan()
    reader = open_manifest(manifest, (*MODALITIES, *model.input.modalities), registry)
    samples = concat([reader.samples(split) for split in reader.splits()])
    samples = samples.take(samples.labels != ATTACK)
    if not len(samples):
        raise DataError(f"{manifest}: has no live samples to calibrate on")
    if None in (subjects := samples.column("subject")):
        raise DataError(
            f"{manifest}: each live sample needs a subject, so that the people of the calibration are not "
            "evaluated"
        )
    scores = score_samples(
        model.scorer,
        samples,
        model_input=model.input,
        faces=model.faces,
        workers=workers,
        description="calibration",
    ).scores
    columns = {"id": samples.column("id"), "score": scores, "subject": subjects}
    live = ScoreTable.of(columns | {"label": [LIVE] * len(scores)})
    calibration = calibrate(
        live, model.shipped_threshold, model.reference, plan, date=date.today().isoformat()
    )
    notes = (
        f"calibrated on {calibration.photos} live photos of {calibration.people} people of {manifest} by the "
        f"rule {calibration.rule}, who are not evaluated",
        *describe_promise(calibration, model.reference, plan),
    )
    threshold = calibration.threshold
    return CalibratedModel(evolve(model, own_threshold=threshold), calibration, frozenset(subjects), notes)
