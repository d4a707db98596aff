"""What models take and give: batches, sizes of branches, outputs, and exported files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from attrs import field, frozen

if TYPE_CHECKING:
    from torch import Tensor


@frozen(eq=False)
class Batch:
    """A batch of B samples as the loader gives it.

    Args:
        images: `{modality: uint8 (B, H, W, 3)}`: those of the model, then others that the loss reads.
        label: (B,) int64, 1 = live, 0 = attack.
        index: (B,) int64, rows of the SampleTable.
        presence: (B, modalities) bool, False where training leaves a modality out; None where it never does.
        total: samples of the batch over all processes that train together, of which these B are a share.
    """

    images: dict[str, Tensor]
    label: Tensor
    index: Tensor
    presence: Tensor | None = None
    total: int = field()

    @total.default
    def _total(self) -> int:
        return len(self.label)


@frozen
class BranchSize:
    """Sizes of what a modality's branch gives to the fusion; None for a stage that is not built.

    They are (C, h, w) of `forward_features`, E of `forward_embedding` and K of `forward_head`.
    """

    modality: str
    map: tuple[int, int, int]
    embedding: int | None = None
    logits: int | None = None


@frozen(eq=False)
class Outputs:
    """A model's outputs for a batch of B samples; None for those that the model does not have.

    Args:
        score: (B,) higher is more live; P(live) for classifiers.
        logits: (B, K >= 2) of the classes 0 (attack), 1 (live) and K - 2 others that no sample has; None for
            networks that predict a map, whose score is its mean.
        map: (B, h, w) of networks that predict one.
        embedding: (B, E), the input of the classifier: the fusion's or, of one branch, the backbone's.
        features: `{modality: (B, C, h, w)}`, the output of each backbone's `forward_features`; under a fusion
            of inputs, `shared` is the one backbone.
        novelty: (B,) distance to the training data, see `fas_core.models.novelty`; None where not fitted.
    """

    score: Tensor
    logits: Tensor | None = None
    map: Tensor | None = None
    embedding: Tensor | None = None
    features: Mapping[str, Tensor] = field(factory=dict)
    novelty: Tensor | None = None


@frozen
class Verification:
    """Difference between an exported model and the model, on real samples.

    Args:
        samples: number of samples of `split` that both scored.
        max_difference: largest |exported score - model score|; `mean_difference` likewise.
        changed: number of samples that the exported model decides otherwise at the model's `threshold`.
        ties: number of further ones that it decides otherwise because the model's score is at the threshold.
        acer_before: ACER of the model at this threshold, on labelled samples of dev, species pooled;
            `acer_after` that of the exported model.
        latency: median milliseconds from the bytes of one sample to its score, on one thread of this machine.
        unverified: what could not be verified and why, one line each.
    """

    samples: int
    split: str
    max_difference: float
    mean_difference: float
    threshold: float | None = None
    changed: int | None = None
    ties: int | None = None
    acer_before: float | None = None
    acer_after: float | None = None
    latency: float | None = None
    unverified: tuple[str, ...] = ()


@frozen
class Exported:
    """The file or folder that an exporter wrote, further files `beside` it, and the result of `verify`.

    `facts` are what else users should know, e.g. `{"opset": 18}`.
    """

    path: Path
    verification: Verification
    beside: tuple[Path, ...] = ()
    facts: Mapping[str, str | int] = field(factory=dict)

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(path.stat().st_size for path in (self.path, *self.beside))
