"""What is exported of a run: its model, and the card of what the files say."""

from __future__ import annotations

from attrs import evolve

from fas_core.card import Card
from fas_core.console import console
from fas_core.errors import ConfigError
from fas_core.exporting.export_card import export_card
from fas_core.exporting.novelty import fit_novelty
from fas_core.models.checkpoint import check_finite
from fas_core.models.model import Model
from fas_core.runs.card import build_card
from fas_core.runs.owner import owning
from fas_core.runs.run import Run, Weights
from fas_core.runtime.model_notes import describe_training


def prepare_model(
    run: Run, weights: Weights, *, novelty: bool | None, keep_data_root: bool, reject: str | None
) -> tuple[Model, Card]:
    """Return the model to export, in eval mode on the CPU, and its card; warn where it can be of no use.

    Args:
        novelty: whether files tell how unlike the training data a face is, which is fitted where it was not;
            None: as the run was exported before.
        keep_data_root: whether the card says where the data lies.
        reject: policy of the scores without a verdict; None for the run's own.

    Raises:
        ConfigError: the novelty is asked for, and `weights` are not the best.
        ModelError: weights are missing, do not fit, or are not finite.
    """
    if novelty:
        _require_novelty(run, weights)
    model = run.model(weights)
    check_finite(model.state_dict(), f"{run.path}: {weights} weights")
    if (note := describe_training(build_card(run))) is not None:
        console.warn(note)
    card = export_card(run, weights, keep_data_root=keep_data_root, reject=reject)
    if novelty is False:
        model.novelty, card = None, evolve(card, novelty=None)
    return model, card


def _require_novelty(run: Run, weights: Weights) -> None:
    """Fit the novelty of the run's best weights, unless the run has it."""
    if weights != "best":
        raise ConfigError("--novelty is fitted for the best weights: leave --weights out")
    if run.novelty() is None:
        with owning(run.path):
            console.info(fit_novelty(run).text())
