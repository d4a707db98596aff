"""How each kind of component is called, as typing protocols. Nothing needs to inherit from them.

`target` of a descriptor is called with the component's options (an instance of its options class)
and what its kind adds:

| kind     | call                                                                                       |
|----------|--------------------------------------------------------------------------------------------|
| backbone | `target(options, in_channels=3, input_size=224, until="logits", num_classes=2)`            |
| fusion   | `target(options, branches=(BranchSize, ...), num_classes=2)`                               |
| dataset  | `target(options, root=Path)`; None for one that makes its data and was given none          |
| loss     | `target(options, model=Model)`                                                             |
| metric   | `target(options, scores=ScoreTable, threshold=0.5)`                                        |
| exporter | `target(options, model=Model, samples=images, destination=Path, card=Card, verify=Verify)` |
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from attrs import field, frozen

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor, nn

    from fas_core.card import Card
    from fas_core.records.outputs import Batch, Outputs
    from fas_core.records.samples import SampleTable
    from fas_core.scores.table import ScoreTable


@frozen
class BranchSize:
    """What one modality's branch gives to a fusion; a stage that is not built is None.

    Args:
        modality: `rgb`, `depth`, `ir`, ...
        map: (C, h, w) of `forward_features`.
        embedding: E of `forward_embedding`.
        logits: K of `forward_head`.
    """

    modality: str
    map: tuple[int, int, int]
    embedding: int | None = None
    logits: int | None = None


class BackboneModule(Protocol):
    """An `nn.Module` in three stages, built as far as `until` says.

    `forward_features(x)`: (B, in_channels, H, W) float -> (B, C, h, w);
    `forward_embedding(map)`: -> (B, E); `forward_head(embedding)`: -> (B, K).
    `num_features` is C, `embedding_dim` E, `num_logits` K, `reduction` H / h. One whose embedding is a
    predicted map, row by row, says its (h, w) as `map_size` and has K = 1, the map's mean. One whose
    published checkpoints use other names gives them by `published_name(our_name)`.
    """

    num_features: int
    embedding_dim: int
    num_logits: int
    reduction: int

    def forward_features(self, x: Tensor) -> Tensor: ...

    def forward_embedding(self, x: Tensor) -> Tensor: ...

    def forward_head(self, x: Tensor) -> Tensor: ...


class FusionModule(Protocol):
    """An `nn.Module`: `{modality: what the descriptor's takes names}` -> (B, K) logits.

    Where a modality is missing it is given zeros. Only one that takes logits is told, for zeros would be a
    vote there: `presence` is `{modality: (B,) bool}`, and stays away while nothing is missing.
    """

    num_logits: int

    def __call__(self, branches: dict[str, Tensor], presence: dict[str, Tensor] | None = None) -> Tensor: ...


class DatasetReader(Protocol):
    """A data set below `root`. Reading touches no pixels and downloads nothing.

    `prepare` makes the data where the data set does so, else it returns at once.
    `overlaps` names the pairs of splits that share subjects by the protocol's own design,
    e.g. `(("train", "dev"),)`; a leak check reports them as notes, not errors. `notes` says in one line
    each what a user should know of what was read, e.g. how many listed photos are absent.
    """

    @property
    def overlaps(self) -> tuple[tuple[str, str], ...]: ...

    @property
    def notes(self) -> tuple[str, ...]: ...

    def prepare(self) -> None: ...

    def splits(self) -> tuple[str, ...]: ...

    def samples(self, split: str) -> SampleTable: ...


@frozen
class SubmissionPart:
    """So many lines of a file for a challenge, in this order.

    Args:
        name: the list that they are from, for messages.
        ids: what score tables call the samples (or videos) of the lines, none twice.
        lines: what stands before each score, and a blank between the two.
        system: whose scores these lines take, where a challenge wants a system for each sub-protocol: the
            sub-protocol, e.g. `4@1`.
    """

    name: str
    ids: tuple[str, ...]
    lines: tuple[str, ...]
    system: str = ""


@frozen
class Submission:
    """A file for a challenge, but for the scores.

    Args:
        parts: its lines.
        splits: the splits that they are of.
        videos: whether a line is about a video, and its frames are to be made one score.
        decimals: of a score; None for as many as tell it from every other.
    """

    parts: tuple[SubmissionPart, ...]
    splits: tuple[str, ...]
    videos: bool = False
    decimals: int | None = None


class SubmissionFunction(Protocol):
    """How the file of a data set's challenge reads that is about `split`, by the lists below `root`."""

    def __call__(self, options: Any, root: Path, split: str) -> Submission: ...


class LossModule(Protocol):
    """An `nn.Module` giving the mean loss of a batch, a scalar; may own parameters.

    One that makes its target from images names their modalities in a tuple `reads`: training reads them
    beside the model's own.
    """

    def __call__(self, outputs: Outputs, batch: Batch) -> Tensor: ...


class MetricFunction(Protocol):
    """Figures by name, as fractions; NaN where a figure is not defined for these scores."""

    def __call__(self, options: Any, scores: ScoreTable, threshold: float | None) -> Mapping[str, float]: ...


Images = Mapping[str, "NDArray[np.uint8]"]
"""`{modality: uint8 (B, H, W, 3)}`, RGB order, at the model's size."""


class Scorer(Protocol):
    """Anything that scores a batch of images: (B,), higher is more live.

    `presence` is (B, modalities) bool, in the model's order, False where a sample lacks a modality (its
    pixels are zeros then); it is given only to what was trained to do without.
    """

    def __call__(
        self, images: Images, presence: NDArray[np.bool_] | None = None, /
    ) -> NDArray[np.float64]: ...


@frozen
class Verification:
    """How far an exported model is from the model, on real samples.

    Args:
        samples: how many it was compared on.
        split: of the run's data, that they are from.
        max_difference: largest |exported score - model score|.
        mean_difference: the mean of the same.
        threshold: what decisions and error rates are at; None where the model has none.
        changed: how many samples are decided otherwise at it.
        acer_before: of the model, on labelled samples of dev, species pooled.
        acer_after: of what was exported.
        latency: median milliseconds from one sample of bytes to its score, on one thread of this machine.
        unverified: what could not be, and why, a line each.
    """

    samples: int
    split: str
    max_difference: float
    mean_difference: float
    threshold: float | None = None
    changed: int | None = None
    acer_before: float | None = None
    acer_after: float | None = None
    latency: float | None = None
    unverified: tuple[str, ...] = ()


class Verify(Protocol):
    """Compares what an exporter wrote with the model, on samples of the run.

    Args:
        scorer: of what was written, on one thread.
        tolerance: the largest |score difference| that passes; None for any.
        acer_loss: by how much ACER on dev may be worse, as a fraction.

    Raises:
        ModelError: it does not pass.
    """

    def __call__(self, scorer: Scorer, *, tolerance: float | None, acer_loss: float) -> Verification: ...


@frozen
class Exported:
    """What an exporter wrote.

    Args:
        path: the file.
        verification: what `verify` said of it.
        beside: further files, which belong to it.
        facts: what else is worth telling, e.g. `{"opset": 18}`.
    """

    path: Path
    verification: Verification
    beside: tuple[Path, ...] = ()
    facts: Mapping[str, str | int] = field(factory=dict)

    @property
    def size(self) -> int:
        """Bytes of all its files."""
        return sum(path.stat().st_size for path in (self.path, *self.beside))


class ExporterFunction(Protocol):
    """Writes `destination`, has it verified and only then leaves it in place.

    Args:
        model: a `fas_core.Model`, in eval mode on the CPU.
        samples: real ones of the run's dev split, labels mixed: to trace, compare and calibrate with.
        card: what has to travel with the model.
        verify: to be called with what scores the file, while it still has a temporary name.
    """

    def __call__(
        self,
        options: Any,
        model: nn.Module,
        samples: Images,
        destination: Path,
        card: Card,
        verify: Verify,
    ) -> Exported: ...
