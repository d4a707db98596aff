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

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from fas_core.protocols.contract_type import ContractType
from fas_core.protocols.data import ChangeFaces, DatasetReader, DrawCrop, MixBatch, SubmissionFunction
from fas_core.protocols.learning import (
    LossFunction,
    OptimizerFunction,
    PairwiseLoss,
    ReadingLoss,
    ScheduleFunction,
    SelectiveLoss,
)
from fas_core.protocols.networks import (
    BackboneModule,
    BlockBackbone,
    EmbeddingFusion,
    FusionModule,
    MapBackbone,
    PresenceFusion,
    PretrainedBackbone,
    PublishedBackbone,
)
from fas_core.records.crop_region import CropRegion
from fas_core.records.detected_face import DetectedFace
from fas_core.records.hyperparameters import Hyperparameters
from fas_core.records.outputs import Batch, BranchSize, Exported, Outputs, Verification
from fas_core.records.run_events import CheckpointWritten, EpochFinished, RunFailed, RunFinished, RunStarted
from fas_core.records.submission import Submission, SubmissionPart

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from torch import nn

    from fas_core.card import Card
    from fas_core.scores.table import ScoreTable

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
