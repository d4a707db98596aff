"""How each kind of component is called, as typing protocols. Nothing needs to inherit from them.

`target` of a descriptor is called with the component's options (an instance of its options class)
and what its kind adds:

| kind         | call                                                                                       |
|--------------|--------------------------------------------------------------------------------------------|
| backbone     | `target(options, in_channels=3, input_size=224, until="logits", num_classes=2)`            |
| fusion       | `target(options, branches=(BranchSize, ...), num_classes=2)`                               |
| dataset      | `target(options, root=Path)`; None for one that makes its data and was given none          |
| augmentation | `target(options)`                                                                          |
| loss         | `target(options, model=Model)`                                                             |
| optimizer    | `target(options, parameters=groups, train=Hyperparameters)`                                |
| schedule     | `target(options, updates_per_epoch=47, train=Hyperparameters)`                             |
| metric       | `target(options, scores=ScoreTable, threshold=0.5)`                                        |
| exporter     | `target(options, model=Model, samples=images, destination=Path, card=Card, verify=Verify)` |
| runtime      | `target(options, path=Path, threads=None)`; a number for so many CPU threads               |
| detector     | `target(options, model=Path)`; None for one that needs no model                            |
| tracker      | `target(options)`                                                                          |

The records that components take and give are importable from here. `help` of a protocol, such as
`help(fas_core.contracts.BackboneModule)`, has what a component of the kind needs, and what is optional.
"""

from __future__ import annotations

from abc import ABCMeta
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol, runtime_checkable

from attrs import frozen

from fas_core.records.crop_region import CropRegion
from fas_core.records.detected_face import DetectedFace
from fas_core.records.hyperparameters import Hyperparameters
from fas_core.records.outputs import Batch, BranchSize, Exported, Outputs, Verification
from fas_core.records.run_events import CheckpointWritten, EpochFinished, RunFailed, RunFinished, RunStarted

if TYPE_CHECKING:
    ProtocolType = ABCMeta  # as type checkers see it
    import numpy as np
    import torch
    from numpy.typing import NDArray
    from torch import Tensor, nn

    from fas_core.card import Card
    from fas_core.records.samples import SampleTable
    from fas_core.scores.table import ScoreTable
else:
    ProtocolType = type(Protocol)

__all__ = ["BackboneModule", "DatasetReader", "ExporterFunction", "FusionModule", "LossFunction"]
__all__ += ["Images", "MetricFunction", "RunTracker", "Scorer", "SubmissionFunction", "Verify"]
__all__ += ["BlockBackbone", "EmbeddingFusion", "MapBackbone", "PresenceFusion", "PretrainedBackbone"]
__all__ += ["OptimizerFunction", "PairwiseLoss", "PublishedBackbone", "ReadingLoss"]
__all__ += ["ScheduleFunction", "SelectiveLoss"]
__all__ += [
    "CardWriter",
    "ChangeFaces",
    "DetectorFunction",
    "DeviceList",
    "DrawCrop",
    "Engine",
    "FaceSearch",
    "MixBatch",
]
__all__ += ["CheckpointWritten", "EpochFinished", "RunFailed", "RunFinished", "RunStarted", "RuntimeFunction"]
__all__ += ["Batch", "BranchSize", "CropRegion", "DetectedFace", "Exported", "Hyperparameters", "Outputs"]
__all__ += ["Submission", "SubmissionPart", "Verification"]

Images = Mapping[str, "NDArray[np.uint8]"]
"""`{modality: uint8 (B, H, W, 3)}`, RGB, at the model's size."""


class ContractType(ProtocolType):
    """The type of the contracts, whose `dir`, and so whose `help`, is without what every protocol has."""

    def __dir__(cls) -> list[str]:  # noqa: N805 (of a type, as type checkers do not know)
        return [name for name in vars(cls) if not name.startswith("_") or name == "__call__"]


class BackboneModule(Protocol, metaclass=ContractType):
    """An `nn.Module` in three stages; those after `until` are not built.

    `forward_features(x)`: (B, in_channels, H, W) float -> map (B, C, h, w); `forward_embedding(map)` ->
    (B, E); `forward_head(embedding)` -> (B, K). `num_features` is C, `embedding_dim` E, `num_logits` K and
    `reduction` H / h. K is at least `num_classes`. Optional: `MapBackbone`, `PublishedBackbone`,
    `PretrainedBackbone`, `BlockBackbone`.
    """

    num_features: int
    embedding_dim: int
    num_logits: int
    reduction: int

    def forward_features(self, x: Tensor) -> Tensor:
        """Return the map, (B, C, h, w), of images (B, in_channels, H, W)."""

    def forward_embedding(self, x: Tensor) -> Tensor:
        """Return the embeddings, (B, E), of a map."""

    def forward_head(self, x: Tensor) -> Tensor:
        """Return the logits, (B, K), of embeddings."""


@runtime_checkable
class MapBackbone(Protocol, metaclass=ContractType):
    """Optional for a backbone: it predicts a map of (h, w), which is its embedding row by row.

    K is 1, whatever `num_classes`: the mean of the map, which is the score. Its models have no logits.
    """

    map_size: tuple[int, int]


@runtime_checkable
class PublishedBackbone(Protocol, metaclass=ContractType):
    """Optional for a backbone: published checkpoints have other names for entries of its state dict.

    An entry that no published checkpoint has, such as a constant measured in training, gets an empty name.
    """

    def published_name(self, name: str) -> str:
        """Return the published name of an entry of the state dict."""


@runtime_checkable
class PretrainedBackbone(Protocol, metaclass=ContractType):
    """Optional for a backbone: it finds published weights by a name, such as `imagenet`.

    `find_weights` returns the path of a checkpoint, or raises ConfigError.
    """

    def find_weights(self, name: str) -> Path:
        """Return the path of a checkpoint; raise ConfigError where there is none of the name."""


@runtime_checkable
class BlockBackbone(Protocol, metaclass=ContractType):
    """Optional for a backbone: the modules that `forward_features` begins with, one after the other.

    Each maps (B, C, h, w) to (B, C', h', w'); the first, the stem, takes the input. They are the modules of
    the backbone themselves, so that a network of the first few can be made of them.
    """

    def list_blocks(self) -> list[nn.Module]:
        """Return the modules that `forward_features` begins with."""


class FusionModule(Protocol, metaclass=ContractType):
    """An `nn.Module` that joins `{modality: the stage that the descriptor's takes names}` into (B, K) logits.

    A fusion of inputs gives (B, `out_channels`, H, W), the input of the one backbone. For a missing modality
    it gets zeros. Optional: `EmbeddingFusion`, `PresenceFusion`.
    """

    num_logits: int

    def __call__(self, branches: dict[str, Tensor]) -> Tensor:
        """Return the logits, (B, K); of a fusion of inputs the input of the backbone."""


@runtime_checkable
class EmbeddingFusion(Protocol, metaclass=ContractType):
    """Optional for a fusion: its logits are computed from an embedding, (B, E), the model's `embedding`.

    `forward` is `forward_head(forward_embedding(branches))`; models call the two stages.
    """

    embedding_dim: int

    def forward_embedding(self, branches: dict[str, Tensor]) -> Tensor:
        """Return the embedding, (B, E), of the branches."""

    def forward_head(self, embedding: Tensor) -> Tensor:
        """Return the logits, (B, K), of an embedding."""


@runtime_checkable
class PresenceFusion(Protocol, metaclass=ContractType):
    """Optional for a fusion: it is told which modalities are present.

    `forward`, or `forward_embedding` of an `EmbeddingFusion`, then has a second argument, `presence`:
    `{modality: (B,) bool}`, or None if nothing is missing. A fusion of logits, where zeros would be a vote,
    must declare it to score faces with missing modalities.
    """

    takes_presence: Literal[True]


class DatasetReader(Protocol, metaclass=ContractType):
    """A data set below `root`. Reading opens no images and downloads nothing."""

    @property
    def overlaps(self) -> tuple[tuple[str, str], ...]:
        """Pairs of splits that share subjects by design, no error in a leak check: `(("train", "dev"),)`."""

    @property
    def notes(self) -> tuple[str, ...]:
        """What users should know about the data, one line each, e.g. how many listed photos are missing."""

    def prepare(self) -> None:
        """Make the data, if the data set makes its own; else do nothing."""

    def splits(self) -> tuple[str, ...]:
        """Return the names of the protocol's splits."""

    def samples(self, split: str) -> SampleTable:
        """Return the samples of a split."""


@frozen
class SubmissionPart:
    """Successive lines of a submission file.

    Args:
        name: the list of the challenge that the lines come from, for messages.
        ids: the lines' samples (or videos), by their id in score tables; none occurs twice.
        lines: the text of each line before the score, which follows after a blank.
        system: whose scores the lines get. Where a challenge wants a system for each sub-protocol, it is the
            sub-protocol, e.g. `4@1`.
    """

    name: str
    ids: tuple[str, ...]
    lines: tuple[str, ...]
    system: str = ""


@frozen
class Submission:
    """A submission file without its scores.

    Args:
        splits: those that its lines cover.
        videos: whether a line is a video, whose frames' scores are joined to one.
        decimals: decimals of a score; None for as many as tell it from every other.
    """

    parts: tuple[SubmissionPart, ...]
    splits: tuple[str, ...]
    videos: bool = False
    decimals: int | None = None


class SubmissionFunction(Protocol, metaclass=ContractType):
    """Returns the submission file for a data set's challenge, from the challenge's lists below `root`."""

    def __call__(self, options: Any, root: Path, split: str) -> Submission:
        """Return the lines of a split's submission."""


class DrawCrop(Protocol, metaclass=ContractType):
    """Draws the part of a face that a training image shows, for all modalities of a sample.

    `height` and `width` are those of the first modality's face in pixels; `rng` is the sample's own. The part
    is resized to the network's square input. A large JPEG may be decoded at a reduced scale once it is known.
    """

    def __call__(self, height: int, width: int, rng: np.random.Generator) -> CropRegion: ...


class ChangeFaces(Protocol, metaclass=ContractType):
    """Changes the faces of one training sample, `{modality: uint8 (S, S, 3)}`, RGB; S is the input's side.

    It draws from `rng` alone, which is the sample's own, seeded by the run's seed, the epoch and the row: a
    flip draws once for all modalities, noise for each. It returns the same modalities, as uint8 (S, S, 3),
    and does not write to the images it is given, which may be those of a cache.
    """

    def __call__(
        self, faces: Mapping[str, NDArray[np.uint8]], rng: np.random.Generator
    ) -> Mapping[str, NDArray[np.uint8]]: ...


class MixBatch(Protocol, metaclass=ContractType):
    """Makes each training image of several ones of its batch.

    Donors are drawn before images are read: processes that train together read a part of the batch each, and
    the donors of that part.
    """

    def draw_donors(self, labels: NDArray[np.int8], rng: np.random.Generator) -> NDArray[np.intp] | None:
        """Return (K, B) rows of the batch, K donors of each sample, of its label; None where it is not mixed.

        `labels` are those of the whole batch, (B,), 1 live and 0 attack.
        """

    def mix(self, images: NDArray[np.uint8], donors: NDArray[np.intp]) -> NDArray[np.uint8]:
        """Return the images (N, S, S, 3) of one modality; `donors` are (K, N) rows of `images`."""
        ...


class LossFunction(Protocol, metaclass=ContractType):
    """Returns the mean loss of a batch, a scalar.

    It is a function or any other callable; parameters of an `nn.Module` are trained with the model's.
    Optional: `SelectiveLoss`, `ReadingLoss`, `PairwiseLoss`.
    """

    def __call__(self, outputs: Outputs, batch: Batch) -> Tensor:
        """Return the mean loss, (), of a batch."""


@runtime_checkable
class SelectiveLoss(Protocol, metaclass=ContractType):
    """Optional for a loss: names of the `Outputs` that it needs; without this attribute, the `logits`.

    A model that does not have them is refused before training begins.
    """

    needs: tuple[str, ...]


@runtime_checkable
class ReadingLoss(Protocol, metaclass=ContractType):
    """Optional for a loss: it computes its target from the images of these modalities.

    The model need not take them. Data without them are refused before training begins.
    """

    reads: tuple[str, ...]


@runtime_checkable
class PairwiseLoss(Protocol, metaclass=ContractType):
    """Optional for a loss: it compares the samples of a batch with each other, as contrastive losses do.

    It is a mean over what it compares. Where a batch is divided over processes, or into steps by
    `train.accumulate`, the samples of each part are compared.
    """

    pairwise: Literal[True]


class OptimizerFunction(Protocol, metaclass=ContractType):
    """Builds a `torch.optim.Optimizer`: the class itself will do, if its constructor takes these arguments.

    It is updated by `step(None)`, after the gradients were computed; some parameters may have none. Before
    each update its groups' `lr` is set, to the schedule's rate x the group's `lr_factor`. Its `state_dict`
    holds tensors, numbers, text and containers of them, the same entries after every update, and continues a
    training in an optimizer that was built anew.

    Args:
        parameters: groups as PyTorch has them: `{"params": [...], "lr": 0.01, "lr_factor": 1.0}`; the
            optimizer keeps all three.
    """

    def __call__(
        self, options: Any, parameters: list[dict[str, Any]], train: Hyperparameters
    ) -> torch.optim.Optimizer:
        """Return the optimizer of the groups."""


class ScheduleFunction(Protocol, metaclass=ContractType):
    """What a schedule's target returns: the factor of the learning rate for an update, >= 0.

    `update` counts from 0 to `train.epochs` x `updates_per_epoch` - 1; `update // updates_per_epoch` is its
    epoch. The factor depends on nothing else, so that a run that is resumed goes on with the same.
    """

    def __call__(self, update: int, /) -> float:
        """Return the factor."""


class MetricFunction(Protocol, metaclass=ContractType):
    """Returns values by name, as fractions; NaN where a value is not defined for these scores."""

    def __call__(self, options: Any, scores: ScoreTable, threshold: float | None) -> Mapping[str, float]:
        """Return the metric's values; `threshold` is None where there is none."""


class Scorer(Protocol, metaclass=ContractType):
    """Scores a batch of images: returns (B,), higher is more live.

    `presence` is (B, modalities) bool in the model's order, False where a sample lacks a modality (its pixels
    are zeros). Only a model that was trained for missing modalities gets it.
    """

    def __call__(self, images: Images, presence: NDArray[np.bool_] | None = None, /) -> NDArray[np.float64]:
        """Return the scores, (B,), of a batch."""


class Verify(Protocol, metaclass=ContractType):
    """Compares an exported model with the model on samples of the run; raises ModelError if it fails.

    Args:
        scorer: scores with the exported model, on one thread.
        tolerance: largest |score difference| that passes; None for any.
        acer_loss: largest increase of ACER on dev that passes, a fraction.
    """

    def __call__(self, scorer: Scorer, *, tolerance: float | None, acer_loss: float) -> Verification:
        """Compare, and return the differences."""


class TrainingImages(Protocol):
    """The training images of a run, augmented as its training shows them."""

    def count(self, epochs: float) -> int:
        """Return the number of batches of so many epochs."""
        ...

    def read(self, epochs: float) -> Iterator[Batch]:
        """Yield the batches of so many epochs, the same ones each time."""
        ...


class ExporterFunction(Protocol, metaclass=ContractType):
    """Writes a model to a temporary name, verifies it, and then moves it to `destination`.

    Args:
        model: a `fas_core.models.model.Model`, in eval mode on the CPU.
        samples: images of the run's dev split, labels mixed, to trace, compare and calibrate with.
        destination: the file, or the folder, to write.
        verify: to be called with a scorer of what was written.

    An exporter whose options have `recover` is called with `training`, `TrainingImages`, where that is not 0.
    """

    def __call__(
        self, options: Any, model: nn.Module, samples: Images, destination: Path, card: Card, verify: Verify
    ) -> Exported:
        """Write and verify the file; return what was written."""


class Engine(Protocol, metaclass=ContractType):
    """An open model file. Threads may share it.

    A file that `fas export` wrote has the modalities' names as `inputs`, each uint8 (B, H, W, 3), and last
    `presence`, bool (B, modalities), of a model that does without some; among its `outputs` is `score`, (B,).
    """

    @property
    def metadata(self) -> str | None:
        """The text that the exporter got by `card.to_json()`; None where the file has none."""

    @property
    def inputs(self) -> tuple[str, ...]:
        """Names of the inputs, in order."""

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names of the outputs, in order."""

    def run(self, names: Sequence[str], inputs: Mapping[str, NDArray[Any]]) -> list[NDArray[Any]]:
        """Compute the named outputs of inputs of B >= 1 rows, whatever number the file is made for."""
        ...


class RuntimeFunction(Protocol, metaclass=ContractType):
    """Opens a model file.

    It reads a bounded amount of it and runs nothing that is in it, unless its descriptor says `runs_code`.

    Args:
        path: a file of at most 2 GiB, with one of the descriptor's suffixes.
        threads: number of CPU threads of one call; None for one per core.

    A runtime whose descriptor has `devices` is called with `device`, one of their names, too.

    Raises:
        ModelError: the file is damaged or of another kind.
        FasError: a library is not installed.
        DeviceError: the device does not start, or cannot run this file.
    """

    def __call__(self, options: Any, path: Path, threads: int | None) -> Engine: ...


class DeviceList(Protocol, metaclass=ContractType):
    """Names the devices on which a runtime can run here, `cpu` among them, in lower case.

    Raises:
        FasError: a library is not installed.
    """

    def __call__(self) -> Sequence[str]: ...


class CardWriter(Protocol, metaclass=ContractType):
    """Replaces the card in a file that an exporter wrote, and leaves all else as it is.

    Args:
        path: the file, a copy under a temporary name with the others of the model beside it.
        card: the new text of its metadata.

    Raises:
        ModelError: the file has no card that can be replaced.
    """

    def __call__(self, path: Path, card: str) -> None: ...


class FaceSearch(Protocol, metaclass=ContractType):
    """Returns the faces of an image, uint8 (H, W, 3) RGB, in its pixels. Threads may share it.

    fas calls it with copies of a photo whose shorter sides are 240 to 960 pixels, until one has a face.
    """

    def __call__(self, image: NDArray[np.uint8], /) -> list[DetectedFace]: ...


class DetectorFunction(Protocol, metaclass=ContractType):
    """Opens a face detector.

    Args:
        model: the file that the user names, or that was fetched; None for one that needs none.

    Raises:
        DataError: the file is not a model of this detector.
    """

    def __call__(self, options: Any, model: Path | None) -> FaceSearch: ...


class RunTracker(Protocol, metaclass=ContractType):
    """An object some of whose methods are event hooks: `fas_core.hookspecs.EVENTS`, marked by `@hookimpl`.

    It is made when a run starts, and is called for that run alone, in the main process, from its
    `fas_run_started` to `fas_run_finished` or `fas_run_failed`. Whatever it raises costs a warning.
    """
