"""Notes for the reader of verdicts: the model was trained on simulated faces, or the scores are unseen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from fas_core.card import Card

UNSEEN_SHARE = 0.05
"""Share of the scores of a command that may lie outside of what the model's card has seen."""

SIMULATOR = "synthetic"
"""Name of the data set of simulated faces, in a card's recipe."""
SIMULATED = "the model was trained on simulated faces: its verdicts say that the pipeline works, no more"


def describe_training(card: Card) -> str | None:
    """Return `SIMULATED` if the card's recipe says so, else None."""
    data = card.recipe.get("data")
    return SIMULATED if isinstance(data, Mapping) and data.get("name") == SIMULATOR else None


def describe_unseen(card: Card, scores: Sequence[float]) -> str | None:
    """Return a note if more than `UNSEEN_SHARE` of the scores lie where the model's own data had hardly any.

    None for a model without a reference, or with a threshold that was calibrated where it is used.
    """
    if card.reference is None or card.calibration is not None:
        return None
    unseen = int(card.reference.is_unseen(np.array(scores, np.float64)).sum())
    if unseen <= UNSEEN_SHARE * len(scores):
        return None
    return (
        f"{unseen} of {len(scores)} scores lie where the scores that the threshold was fitted on do not: "
        "another camera or light? The threshold may not hold here: see fas calibrate"
    )
