"""How data sets and augmentations are called, and the function that describes a challenge's file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from fas_core.protocols.contract_type import ContractType
from fas_core.records.crop_region import CropRegion
from fas_core.records.submission import Submission

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from fas_core.records.samples import SampleTable


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
