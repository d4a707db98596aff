"""The card that goes into a run's exported files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from attrs import evolve

from fas_core.card import Card
from fas_core.console import console
from fas_core.runs.card import build_card, read_threshold_advice
from fas_core.runs.run import Run, Weights
from fas_core.scores.rejection import fit_reject, is_fitted

IMAGE_ROOT = "image_root"
"""Option of a data set that says where its images lie, as `data.root` says where the data set does."""


def export_card(
    run: Run, weights: Weights, *, keep_data_root: bool = False, reject: str | None = None
) -> Card:
    """Return the run's card, without a threshold that was fitted on the scores of other weights.

    `reject` is the policy of the uncertain scores instead of the recipe's. The card's recipe names no folder
    of this machine: pretrained weights are named by their files alone, `train.cache` is left out, and
    `data.root` and the option `IMAGE_ROOT` stay only where `keep_data_root`.
    """
    card = build_card(run)
    if reject is not None:
        card = _replace_reject(run, card, reject)
    card = evolve(card, recipe=_without_folders(card.recipe, keep_data_root))
    if weights != "best":
        card = evolve(card, novelty=None)  # fitted for the best weights
    others = weights != run.recipe.train.select == "best"  # where the last are selected, they are the best
    if card.threshold is None:
        reason = f"{run.path} has no dev scores to fit one on"
    elif others and (card.threshold.source != "given" or is_fitted(card.threshold.reject)):
        reason = f"the run's was fitted on its best weights, not its {weights}"
    else:
        advice = read_threshold_advice(run)
        is_refused = advice is not None and advice.recommended is False
        if is_refused and card.threshold_note and card.calibration is None:
            console.warn(f"{run.path}: {card.threshold_note}; it goes with the file nevertheless")
        return card
    console.warn(f"no threshold goes with it: {reason}")
    return evolve(card, threshold=None, reference=None, calibration=None, threshold_note="")


def _replace_reject(run: Run, card: Card, policy: str) -> Card:
    """Return the card with the band of uncertain scores of a policy; without a threshold as it is.

    Raises:
        FasError: the run has no scores to fit the policy on, or its scores are not around the threshold.
    """
    threshold = card.threshold
    if threshold is None:
        return card
    band = fit_reject(policy, threshold.value, run.fitting_scores(), run.fitted_on)
    return evolve(card, threshold=threshold.with_reject(band))


def _without_folders(recipe: Mapping[str, Any], keep_data_root: bool) -> dict[str, Any]:
    data, model = recipe["data"], recipe["model"]
    if not keep_data_root:
        data = {name: None if name in ("root", IMAGE_ROOT) else value for name, value in data.items()}
    weights = model["pretrained"]
    if isinstance(weights, dict):
        weights = {modality: Path(path).name for modality, path in weights.items()}
    elif weights is not None:
        weights = Path(weights).name
    train = {**recipe["train"], "cache": None}
    if (distillation := train.get("distillation")) is not None:
        train["distillation"] = {**distillation, "run": Path(distillation["run"]).name}
    return {**recipe, "data": data, "model": {**model, "pretrained": weights}, "train": train}
