"""Inputs for the checks: scores, images, batches, a tiny model and its verification; always the same.

Torch is imported only by the functions that need it, so that metrics and data sets are checked without it.
"""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING

import numpy as np

from fas_core.contracts import Images, Scorer, Verification, Verify
from fas_core.errors import ModelError
from fas_core.records.outputs import Batch, Outputs
from fas_core.scores.table import ScoreTable

if TYPE_CHECKING:
    from torch import Tensor

    from fas_core.models.model import Model

BATCH, SIDE, SEED = 4, 32, 14


def score_table(live: int = 40, attacks: int = 60) -> ScoreTable:
    """Return overlapping scores of live samples and of attacks of two PAI species."""
    rng = np.random.default_rng(SEED)
    scores = np.concatenate([rng.normal(0.7, 0.2, live), rng.normal(0.4, 0.2, attacks)])
    species = ["live"] * live + ["print", "replay"] * (attacks // 2) + ["print"] * (attacks % 2)
    ids, labels = list(map(str, range(live + attacks))), [1] * live + [0] * attacks
    return ScoreTable.of({"id": ids, "score": scores, "label": labels, "species": species})


def tiny_model(modalities: tuple[str, ...] = ("rgb",)) -> Model:
    """Return a model of one small convolution per modality for 32 x 32 pixels, in eval mode."""
    from fas_core.testing.tiny import build_tiny_model

    return build_tiny_model(modalities, SIDE)


def random_images(modalities: tuple[str, ...]) -> Images:
    """Return noise for the tiny model, `{modality: uint8 (4, 32, 32, 3)}`."""
    rng = np.random.default_rng(SEED)
    return {name: rng.integers(0, 256, (BATCH, SIDE, SIDE, 3), np.uint8) for name in modalities}


def verify_on(model: Model, images: Images, results: list[Verification] | None = None) -> Verify:
    """Return a `verify` for an exporter of this model: it compares scores of these images, without a run.

    Every verification is appended to `results`.
    """
    from fas_core.models.model import scorer as model_scorer

    expected = model_scorer(deepcopy(model))({name: np.array(pixels) for name, pixels in images.items()})

    def verify(scorer: Scorer, *, tolerance: float | None, acer_loss: float) -> Verification:
        del acer_loss  # the images have no labels
        difference = np.abs(scorer(images) - expected)
        result = Verification(len(difference), "dev", float(difference.max()), float(difference.mean()))
        if tolerance is not None and not result.max_difference <= tolerance:
            raise ModelError(f"scores differ by {result.max_difference:.2g}")
        if results is not None:
            results.append(result)
        return result

    return verify


def outputs_of(logits: Tensor) -> Outputs:
    """Return outputs of every kind, all computed from the logits (B, K)."""
    maps = logits[:, 1, None, None].expand(-1, 4, 4)
    return Outputs(score=logits.softmax(dim=1)[:, 1], logits=logits, map=maps, embedding=logits.repeat(1, 2))


def batch_of(label: Tensor) -> Batch:
    """Return a batch of three modalities with these labels (4,)."""
    import torch

    pixels = torch.arange(BATCH * SIDE * SIDE * 3).reshape(BATCH, SIDE, SIDE, 3) * 37 % 251
    images = dict.fromkeys(("rgb", "depth", "ir"), pixels.to(torch.uint8))
    return Batch(images=images, label=label, index=torch.arange(BATCH))
