"""What a loader gives to a model, and what a model gives back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from attrs import field, frozen

if TYPE_CHECKING:
    from torch import Tensor


@frozen(eq=False)
class Outputs:
    """What a model says of a batch of B samples; what it does not have is None.

    Args:
        score: (B,) higher is more live; P(live) for classifiers.
        logits: (B, K); classes 0 (attack) and 1 (live), the rest never occur.
        map: (B, h, w), of networks that predict one.
        embedding: (B, E), what stands before the classifier.
        features: `{modality: (B, C, h, w)}`, what each backbone's `forward_features` gave; under a fusion of
            inputs of the one backbone, `shared`.
    """

    score: Tensor
    logits: Tensor | None = None
    map: Tensor | None = None
    embedding: Tensor | None = None
    features: Mapping[str, Tensor] = field(factory=dict)


@frozen(eq=False)
class Batch:
    """A batch of B samples as the loader gives it.

    Args:
        images: `{modality: uint8 (B, H, W, 3)}`, the model's first, then what else the loss reads.
        label: (B,) int64, 1 = live, 0 = attack.
        index: (B,) int64, rows of the SampleTable.
        presence: (B, modalities) bool, False where training leaves a modality out; None: nowhere.
    """

    images: dict[str, Tensor]
    label: Tensor
    index: Tensor
    presence: Tensor | None = None
