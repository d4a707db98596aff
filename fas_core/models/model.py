"""The model: bytes -> preprocessing -> a branch per modality -> fusion -> logits and score."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from fas_core.config.recipe import Normalize
from fas_core.contracts import (
    BackboneModule,
    EmbeddingFusion,
    FusionModule,
    Images,
    MapBackbone,
    PresenceFusion,
    Scorer,
)
from fas_core.errors import ConfigError
from fas_core.records.outputs import Outputs
from fas_core.records.stage import Stage

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SHARED = "shared"
"""Name of the one backbone under a fusion of inputs."""


class Preprocess(nn.Module):
    """uint8 RGB (B, H, W, 3) -> float (B, 3, H, W), normalised, in the network's order of channels.

    It is the model's first layer, so that every export carries it. Transposing and reordering come first,
    while a pixel is one byte: the exported graph is measurably faster so.
    """

    def __init__(self, normalize: Normalize) -> None:
        super().__init__()
        mean, std = torch.tensor(normalize.mean), torch.tensor(normalize.std)
        self.is_bgr = normalize.channels == "bgr"
        if self.is_bgr:
            mean, std = mean.flip(0), std.flip(0)
        # Not in the state dict: they come from the recipe, which every run keeps.
        self.register_buffer("scale", (1 / (255 * std)).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("shift", (-mean / std).view(1, 3, 1, 1), persistent=False)

    def forward(self, pixels: Tensor) -> Tensor:
        scale, shift = cast(Tensor, self.scale), cast(Tensor, self.shift)
        planes = pixels.permute(0, 3, 1, 2)
        if self.is_bgr:
            planes = planes.flip(1)
        return planes.float() * scale + shift


class PatchGrid(nn.Module):
    """Cut faces into patches: (B, F, F, 3) -> (B x P, size, size, 3), with P = grid x grid.

    The patches of a face follow each other, row by row.

    Args:
        grid: patches a side, spread evenly from edge to edge; 1 is the central patch.
        size: side of a patch in pixels.
        face_size: F.
    """

    def __init__(self, grid: int, size: int, face_size: int) -> None:
        super().__init__()
        margin = face_size - size
        starts = [round(margin * index / (grid - 1)) for index in range(grid)] if grid > 1 else [margin // 2]
        self.corners = [(top, left) for top in starts for left in starts]
        self.size, self.face_size = size, face_size

    def forward(self, pixels: Tensor) -> Tensor:
        side = self.size
        patches = [pixels[:, top : top + side, left : left + side] for top, left in self.corners]
        return torch.stack(patches, dim=1).flatten(0, 1)

    def repeat(self, presence: Tensor) -> Tensor:
        """(B, modalities) -> (B x P, modalities)."""
        return presence[:, None].expand(-1, len(self.corners), -1).flatten(0, 1)

    def mean(self, logits: Tensor) -> Tensor:
        """(B x P, K) -> (B, K)."""
        return torch.unflatten(logits, 0, (-1, len(self.corners))).mean(dim=1)

    def assemble(self, maps: Tensor) -> Tensor:
        """Maps of patches, (B x P, h, w), as one map of each face, (B, F, F); means where patches overlap."""
        side = self.size
        tiles = F.interpolate(maps[:, None], (side, side), mode="bilinear")[:, 0]
        tiles = torch.unflatten(tiles, 0, (-1, len(self.corners)))  # (B, P, size, size)
        total = maps.new_zeros(len(tiles), self.face_size, self.face_size)
        count = maps.new_zeros(self.face_size, self.face_size)
        for index, (top, left) in enumerate(self.corners):
            total[:, top : top + side, left : left + side] += tiles[:, index]
            count[top : top + side, left : left + side] += 1
        return total / count.clamp(min=1)


class Model(nn.Module):
    """Takes `{modality: uint8 (B, H, W, 3)}` and gives `Outputs`.

    Where a modality is missing the fusion is given zeros instead, whatever the pixels are. With `patches`
    a face's logits are the mean of its patches' logits; in training the inputs are single patches.

    Args:
        backbones: one per modality, or, under a fusion of inputs, the one named `shared`.
        takes: the stage of each backbone that the fusion joins.
        face_size: H and W in pixels of the faces that the model scores.
        partial: whether it was trained to do without some modalities.

    Raises:
        ConfigError: `partial`, and the fusion takes logits without being told which modalities are present.
    """

    def __init__(
        self,
        preprocess: dict[str, nn.Module],
        backbones: dict[str, nn.Module],
        fusion: nn.Module,
        takes: Stage,
        face_size: int,
        partial: bool = False,
        patches: PatchGrid | None = None,
    ) -> None:
        super().__init__()
        self.preprocess = nn.ModuleDict(preprocess)
        self.backbones = nn.ModuleDict(backbones)
        self.fusion = fusion
        self.takes = takes
        if partial and takes == "logits" and not isinstance(fusion, PresenceFusion):
            raise ConfigError(
                f"fusion {type(fusion).__name__} takes logits and is not told which modalities are present "
                "(no `takes_presence`): set train.modality_dropout to 0, or choose another fusion"
            )
        self.face_size = face_size
        self.partial = partial
        self.patches = patches
        self.novelty: nn.Module | None = None
        """Embedding (B, E) -> novelty (B,), as `fas_core.models.novelty`; fitted after training."""

    @property
    def modalities(self) -> tuple[str, ...]:
        """Names of the images that the model takes, in order."""
        return tuple(self.preprocess)

    @property
    def output_names(self) -> tuple[str, ...]:
        """Names of the `Outputs` that it has in training; the others are None."""
        backbones = list(self.backbones.values())
        classifier = cast(FusionModule, backbones[0] if self.takes == "inputs" else self.fusion)
        has_stage = len(backbones) == 1 and self.takes != "maps"  # the one branch's embedding is built
        exists = {
            "score": True,
            "logits": classifier.num_logits > 1,
            "map": has_stage and isinstance(backbones[0], MapBackbone),
            "embedding": has_stage or isinstance(self.fusion, EmbeddingFusion),
            "features": True,
        }
        return tuple(name for name, present in exists.items() if present)

    def forward(self, images: dict[str, Tensor], presence: Tensor | None = None) -> Outputs:
        """Score a batch with any pixels for missing modalities.

        `presence` is (B, modalities) bool, in the model's order, False where one is missing; None: none is.
        """
        return Outputs(**self.compute(images, presence))

    def compute(self, images: dict[str, Tensor], presence: Tensor | None = None) -> dict[str, Any]:
        """Return the fields of `forward`'s outputs by name: what `torch.compile` can compile as a whole."""
        patches = None if self.training else self.patches
        if patches is not None:
            images = {name: patches(images[name]) for name in self.preprocess}
            presence = None if presence is None else patches.repeat(presence)
        inputs = {name: layer(images[name]) for name, layer in self.preprocess.items()}
        if self.takes == "inputs":
            joined, _ = self._fuse(inputs, presence)
            branches, embedding = {SHARED: self._run_backbone(SHARED, joined)}, None
            logits = branches[SHARED]["logits"]
        else:
            branches = {name: self._run_backbone(name, x) for name, x in inputs.items()}
            stages = {name: stages[self.takes] for name, stages in branches.items()}
            logits, embedding = self._fuse(stages, presence)
        logits = logits.float()  # mixed precision ends here: softmax and losses are in float32
        if patches is not None:
            logits = patches.mean(logits)
        # One column is the mean of a predicted map: a score already, and no logits.
        is_map = logits.shape[1] == 1
        outputs: dict[str, Any] = {
            "score": logits[:, 0] if is_map else logits.softmax(dim=1)[:, 1],
            "logits": None if is_map else logits,
            "features": {name: stages["maps"] for name, stages in branches.items()},
        }
        name, stages = next(iter(branches.items()))
        last = stages.get("embeddings") if len(branches) == 1 else None
        embedding = last if embedding is None else embedding
        if self.novelty is not None and embedding is not None:
            mean = embedding if patches is None else patches.mean(embedding)
            outputs["novelty"] = self.novelty(mean.float())
        if patches is None:
            outputs |= {"map": self._predicted_map(name, last), "embedding": embedding}
        return outputs

    def _run_backbone(self, name: str, x: Tensor) -> dict[str, Tensor]:
        """The stages of one branch by name, as far as the fusion needs them."""
        backbone = cast(BackboneModule, self.backbones[name])
        stages = {"maps": backbone.forward_features(x)}
        if self.takes != "maps":
            stages["embeddings"] = backbone.forward_embedding(stages["maps"])
        if self.takes in ("inputs", "logits"):
            stages["logits"] = backbone.forward_head(stages["embeddings"])
        return stages

    def _fuse(self, branches: dict[str, Tensor], presence: Tensor | None) -> tuple[Tensor, Tensor | None]:
        """Join the branches, of which some may be missing; return the result and the fusion's embedding."""
        present = None
        if presence is not None:
            present = dict(zip(self.modalities, presence.unbind(dim=1), strict=True))  # (B,) each
            branches = {
                name: value * present[name].to(value.dtype).view(-1, *[1] * (value.ndim - 1))
                for name, value in branches.items()
            }
        inputs = (branches, present) if isinstance(self.fusion, PresenceFusion) else (branches,)
        if not isinstance(self.fusion, EmbeddingFusion):
            return cast(Tensor, self.fusion(*inputs)), None
        embedding = self.fusion.forward_embedding(*inputs)
        return self.fusion.forward_head(embedding), embedding

    def _predicted_map(self, name: str, embedding: Tensor | None) -> Tensor | None:
        """The map (B, h, w) that a backbone predicts, which is its embedding; None of classifiers."""
        backbone = self.backbones[name]
        if embedding is None or not isinstance(backbone, MapBackbone):
            return None
        return torch.unflatten(embedding, 1, backbone.map_size)


def scorer(model: Model) -> Scorer:
    """The model as a function of byte arrays, in eval mode, on the device where it is."""
    model.eval()

    def score(images: Images, presence: NDArray[np.bool_] | None = None) -> NDArray[np.float64]:
        outputs = compute_outputs(model, images, presence)
        return cast("NDArray[np.float64]", outputs.score.double().cpu().numpy())

    return score


@torch.inference_mode()
def compute_outputs(model: Model, images: Images, presence: NDArray[np.bool_] | None) -> Outputs:
    """Return the model's outputs for byte arrays, on the device where it is, for no gradients."""
    device = next(model.parameters()).device
    tensors = {name: torch.from_numpy(pixels).to(device) for name, pixels in images.items()}
    mask = None if presence is None else torch.from_numpy(presence).to(device)
    return cast(Outputs, model(tensors, mask))


@contextmanager
def torch_threads(count: int) -> Iterator[None]:
    """Set the number of CPU threads of torch, and restore it afterwards."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)
