"""`fas calibrate`: set a model's threshold on live photos of the place where it is used."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click import get_current_context

from fas_core.cli import panels
from fas_core.cli.command import FasCommand, option
from fas_core.cli.options import (
    MODEL,
    FloatRange,
    align_option,
    detector_option,
    external_model_option,
    margin_option,
    output_options,
)
from fas_core.console import console
from fas_core.errors import require

if TYPE_CHECKING:
    from fas_core.evaluation.calibration import CalibrationPlan
    from fas_core.inference.predict_inputs import PredictOptions
    from fas_core.scores.calibration import Calibration
    from fas_plugins.commands.calibrate.cards import CardHolder

PATH = click.Path(path_type=Path)
RULES = ("conformal", "blend", "quantile")
RATE = FloatRange(0, 1, min_open=True, max_open=True)


@click.command(
    cls=FasCommand,
    examples="""
        # by photos of people at the door: a folder for each person
        fas calibrate door.onnx site
        # at most 2 % of live people refused; into a copy
        fas calibrate door.onnx site --bpcer 0.02 -o calibrated.onnx
        # back to the threshold before
        fas calibrate door.onnx --undo
    """,
)
@click.argument("model", type=MODEL, metavar="RUN|MODEL.onnx|public:NAME")
@click.argument("site", type=PATH, required=False, metavar="[SITE_PHOTOS]")
@option(
    "--bpcer",
    type=RATE,
    default=0.05,
    show_default=True,
    panel="Rule",
    help="Largest share of live photos to refuse.",
)
@option(
    "--confidence",
    type=RATE,
    default=0.95,
    show_default=True,
    panel="Rule",
    help="Probability with which the rule conformal keeps that share.",
)
@option(
    "--rule",
    type=click.Choice(RULES),
    panel="Rule",
    help="How the threshold is set: by default conformal where there are enough people for a promise, else "
    "blend (of the shipped threshold and the site's), else quantile.",
)
@option(
    "--attacks",
    type=PATH,
    metavar="FOLDER|MANIFEST",
    panel=panels.DATA,
    help="Attacks at the site, to show how many pass.",
)
@option(
    "-o",
    "--output",
    type=PATH,
    metavar="FILE",
    panel=panels.OUTPUT,
    help="Calibrated copy to write; by default MODEL changes.",
)
@option(
    "--show", is_flag=True, panel=panels.OUTPUT, help="Print how MODEL was calibrated, and write nothing."
)
@option("--undo", is_flag=True, panel=panels.OUTPUT, help="Restore the threshold before any calibration.")
@option(
    "--detect/--no-detect",
    default=None,
    panel=panels.FACES,
    help="Crop every photo to its face, or take all as they are; by default as `fas predict` does.",
)
@detector_option
@margin_option
@align_option
@external_model_option
@option(
    "--threads", type=click.IntRange(1), panel=panels.MACHINE, help="CPU threads; by default one per core."
)
@output_options
def command(
    model: Path,
    site: Path | None,
    bpcer: float,
    confidence: float,
    rule: str | None,
    attacks: Path | None,
    output: Path | None,
    show: bool,
    undo: bool,
    external: Path | None,
    **reading: Any,
) -> None:
    """Set MODEL's threshold on live photos of the place where it is used.

    SITE_PHOTOS is a folder with a folder of photos for each person, or a manifest with the column `subject`.
    Photos are cropped and scored as by `fas predict`. A folder named attack is not calibrated on.

    The threshold, how it was set, and the shipped threshold are written into MODEL's card: into the file, or
    beside a run, a public model, a model that --foreign describes, or a format whose files do not change.
    MODEL's scores stay.
    """
    _check_usage(site, show=show, undo=undo, others=bool(attacks or rule))
    if model.is_dir() and (model / "recipe.yaml").is_file():
        require("train", "torch", "safetensors")
        from fas_core.runs.owner import owning

        if not show:
            get_current_context().with_resource(owning(model))
    from fas_core.evaluation.calibration import CalibrationPlan
    from fas_core.inference.predict_inputs import PredictOptions
    from fas_plugins.commands.calibrate.cards import open_card

    holder = open_card(model, external)
    if site is None:
        _show_or_undo(holder, output, undo=undo)
        return
    plan = CalibrationPlan(bpcer, confidence, rule)
    _calibrate(holder, site, attacks, plan, PredictOptions(external=external, **reading), output)


def _check_usage(site: Path | None, *, show: bool, undo: bool, others: bool) -> None:
    """Options that exclude each other are a usage error."""
    if site is None and not (show or undo):
        raise click.UsageError("missing argument SITE_PHOTOS; --show says how a model was calibrated")
    if show and undo:
        raise click.UsageError("--show and --undo: give one of them")
    if (show or undo) and (site is not None or others):
        raise click.UsageError("--show and --undo take MODEL alone")


def _calibrate(
    holder: CardHolder,
    site: Path,
    attacks: Path | None,
    plan: CalibrationPlan,
    options: PredictOptions,
    output: Path | None,
) -> None:
    """Score the photos, set the threshold, write the card and print what has changed."""
    from fas_core.evaluation.calibration import calibrate, describe_promise
    from fas_core.scores.table import ATTACK
    from fas_plugins.commands.calibrate.changes import changes_table, compare_thresholds
    from fas_plugins.commands.calibrate.photos import score_photos

    photos = score_photos(holder.path, site, options)
    attack_photos = None if attacks is None else score_photos(holder.path, attacks, options, label=ATTACK)
    for source, item in ((site, photos), (attacks, attack_photos)):
        if item is not None and (text := item.describe_unscored()):
            console.warn(f"{source}: {text}")
    if attack_photos is None and photos.attacks:
        attack_photos = photos  # a folder of attacks within the site's
    card = holder.card
    calibration = calibrate(
        photos.scores,
        card.shipped_threshold,
        card.reference,
        plan,
        date=date.today().isoformat(),
        attacks=0 if attack_photos is None else attack_photos.attacks,
    )
    changes = compare_thresholds(
        card, calibration, photos.scores, None if attack_photos is None else attack_photos.scores
    )
    path = holder.write(card.calibrate(calibration), output)
    promises = describe_promise(calibration, card.reference, plan)
    console.table(changes_table(changes))
    for line in (*_describe(calibration), *promises):
        console.result(line)
    console.info(f"written: {path}; fas calibrate --undo {path} restores the shipped threshold")
    if console.json:
        document = {"model": str(path), "calibration": calibration.to_json()}
        rates = [change.to_json() for change in changes]
        console.document({**document, "changes": rates, "notes": promises, "unscored": photos.reasons})


def _show_or_undo(holder: CardHolder, output: Path | None, *, undo: bool) -> None:
    """Print how a model was calibrated; with `undo` restore its shipped threshold."""
    from fas_core.errors import ModelError

    path, card = holder.path, holder.card
    calibration = card.calibration
    if undo:
        if calibration is None:
            raise ModelError(f"{path}: is not calibrated, so there is nothing to undo")
        card = card.calibrate(None)
        path = holder.write(card, output)
        calibration = None
    threshold = card.threshold
    accepted = "has no threshold" if threshold is None else threshold.text()
    lines = [f"{path}: {'restored: ' if undo else ''}{accepted}"]
    lines += ["not calibrated"] if calibration is None else _describe(calibration)
    for line in lines:
        console.result(line)
    if console.json:
        document = {"model": str(path), "threshold": threshold and threshold.to_json()}
        console.document(document | {"calibration": calibration and calibration.to_json()})


def _describe(calibration: Calibration) -> list[str]:
    """Return how a threshold was set, in sentences."""
    people = f"{calibration.people} people" if calibration.people else "people that are not known"
    low, high = (100 * limit for limit in calibration.interval)
    interval = f"{low:.2f} to {high:.2f} % (95 %)"
    lines = [
        f"calibrated on {calibration.date} by the rule {calibration.rule}, for BPCER at most "
        f"{100 * calibration.bpcer:g} %: {calibration.photos} live photos of {people}, "
        f"{calibration.attacks} attacks looked at",
        f"{calibration.threshold.text()}; refuses {100 * calibration.rejected:.2f} % of these photos; "
        f"BPCER of such people is {interval}",
    ]
    shipped = calibration.shipped
    return [*lines, f"shipped: {'no threshold' if shipped is None else shipped.text()}"]
