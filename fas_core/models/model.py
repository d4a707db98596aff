"""The model: bytes -> preprocessing -> a branch per modality -> fusion -> logits; assembly and no more."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from fas_core.config.recipe import BackboneChoice, Normalize, Recipe
from fas_core.contracts import BackboneModule, BranchSize, Images, Outputs, Scorer
from fas_core.descriptors import Backbone, Fusion, Stage
from fas_core.errors import ConfigError, format_list

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from fas_core.registry import Registry


class Preprocess(nn.Module):
    """uint8 (B, H, W, 3) -> float (B, 3, H, W), normalised per channel.

    It is the model's first layer, so that every export carries it. Transposing comes first, while a
    pixel is one byte: the exported graph is measurably faster so.
    """

    def __init__(self, normalize: Normalize) -> None:
        super().__init__()
        mean, std = torch.tensor(normalize.mean), torch.tensor(normalize.std)
        # Not in the state dict: they come from the recipe, which every run keeps.
        self.register_buffer("scale", (1 / (255 * std)).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("shift", (-mean / std).view(1, 3, 1, 1), persistent=False)

    def forward(self, pixels: Tensor) -> Tensor:
        scale, shift = cast(Tensor, self.scale), cast(Tensor, self.shift)
        return pixels.permute(0, 3, 1, 2).float() * scale + shift


class Grid(nn.Module):
    """Patches of faces, the network's inputs: (B, F, F, 3) -> (B x P, size, size, 3), P being grid x grid.

    Those of a face follow each other, row by row; `mean` joins what is said of them.

    Args:
        grid: patches a side.
        size: side of a patch.
        face_size: F.
    """

    def __init__(self, grid: int, size: int, face_size: int) -> None:
        super().__init__()
        room = face_size - size
        starts = [round(room * place / (grid - 1)) for place in range(grid)] if grid > 1 else [room // 2]
        self.corners = [(top, left) for top in starts for left in starts]
        self.size, self.face_size = size, face_size

    def forward(self, pixels: Tensor) -> Tensor:
        side = self.size
        patches = [pixels[:, top : top + side, left : left + side] for top, left in self.corners]
        return torch.stack(patches, dim=1).flatten(0, 1)

    def repeated(self, presence: Tensor) -> Tensor:
        """(B, modalities) -> (B x P, modalities)."""
        return presence[:, None].expand(-1, len(self.corners), -1).flatten(0, 1)

    def mean(self, logits: Tensor) -> Tensor:
        """(B x P, K) -> (B, K)."""
        return torch.unflatten(logits, 0, (-1, len(self.corners))).mean(dim=1)

    def placed(self, maps: Tensor) -> Tensor:
        """Maps of patches, (B x P, h, w), as one of each face, (B, F, F); means where they overlap."""
        side = self.size
        tiles = F.interpolate(maps[:, None], (side, side), mode="bilinear")[:, 0]
        tiles = torch.unflatten(tiles, 0, (-1, len(self.corners)))  # (B, P, size, size)
        total = maps.new_zeros(len(tiles), self.face_size, self.face_size)
        count = maps.new_zeros(self.face_size, self.face_size)
        for place, (top, left) in enumerate(self.corners):
            total[:, top : top + side, left : left + side] += tiles[:, place]
            count[top : top + side, left : left + side] += 1
        return total / count.clamp(min=1)


class Model(nn.Module):
    """Takes `{modality: uint8 (B, H, W, 3)}` and gives `Outputs`.

    Where a modality is missing the fusion is given zeros of it, whatever its pixels are. With a grid it
    judges a face by the mean of its patches' logits; in training its inputs are single patches.

    Args:
        preprocess: one `Preprocess` per modality.
        backbones: one per modality, or, under a fusion of inputs, the one named `shared`.
        fusion: gets of each modality what `takes` names.
        takes: the stage that the fusion joins.
        input_size: H and W in pixels, of the faces that it judges.
        partial: whether it was trained to do without some modalities.
        grid: how faces are cut into patches; None where they are not.
    """

    def __init__(
        self,
        preprocess: dict[str, nn.Module],
        backbones: dict[str, nn.Module],
        fusion: nn.Module,
        takes: Stage,
        input_size: int,
        partial: bool = False,
        grid: Grid | None = None,
    ) -> None:
        super().__init__()
        self.preprocess = nn.ModuleDict(preprocess)
        self.backbones = nn.ModuleDict(backbones)
        self.fusion = fusion
        self.takes = takes
        self.input_size = input_size
        self.partial = partial
        self.grid = grid

    @property
    def modalities(self) -> tuple[str, ...]:
        """What the model takes, in order."""
        return tuple(self.preprocess)

    def forward(self, images: dict[str, Tensor], presence: Tensor | None = None) -> Outputs:
        """Score a batch.

        Args:
            images: of every modality, whatever stands for a missing one.
            presence: (B, modalities) bool, in the model's order, False where one is missing; None: none is.
        """
        grid = None if self.training else self.grid
        if grid is not None:
            images = {name: grid(images[name]) for name in self.preprocess}
            presence = None if presence is None else grid.repeated(presence)
        inputs = {name: layer(images[name]) for name, layer in self.preprocess.items()}
        if self.takes == "inputs":
            stages = {"shared": self._stages("shared", self._fused(inputs, presence))}
            logits = stages["shared"]["logits"]
        else:
            stages = {name: self._stages(name, value) for name, value in inputs.items()}
            logits = self._fused({name: reached[self.takes] for name, reached in stages.items()}, presence)
        logits = logits.float()  # mixed precision ends here: softmax and losses are in float32
        if grid is not None:
            logits = grid.mean(logits)
        # One column is the mean of a predicted map: a score already.
        score = logits[:, 0] if logits.shape[1] == 1 else logits.softmax(dim=1)[:, 1]
        features = {name: reached["maps"] for name, reached in stages.items()}
        if len(stages) > 1 or grid is not None:
            return Outputs(score=score, logits=logits, features=features)
        ((name, only),) = stages.items()
        embedding = only.get("embeddings")
        size = getattr(self.backbones[name], "map_size", None)
        predicted = None if embedding is None or size is None else torch.unflatten(embedding, 1, size)
        return Outputs(score=score, logits=logits, map=predicted, embedding=embedding, features=features)

    def _fused(self, branches: dict[str, Tensor], presence: Tensor | None) -> Tensor:
        """What the fusion makes of the branches, of which some may be missing."""
        if presence is None:
            return cast(Tensor, self.fusion(branches))
        present = dict(zip(self.modalities, presence.unbind(dim=1), strict=True))  # (B,) each
        if self.takes == "logits":  # zeros would be a vote
            return cast(Tensor, self.fusion(branches, present))
        masked = {
            name: value * present[name].to(value.dtype).view(-1, *[1] * (value.ndim - 1))
            for name, value in branches.items()
        }
        return cast(Tensor, self.fusion(masked))

    def _stages(self, name: str, x: Tensor) -> dict[str, Tensor]:
        """Every stage of one branch as far as the fusion needs it."""
        backbone = cast(BackboneModule, self.backbones[name])
        reached = {"maps": backbone.forward_features(x)}
        if self.takes != "maps":
            reached["embeddings"] = backbone.forward_embedding(reached["maps"])
        if self.takes in ("inputs", "logits"):
            reached["logits"] = backbone.forward_head(reached["embeddings"])
        return reached


def build_model(recipe: Recipe, registry: Registry, num_classes: int = 2) -> Model:
    """The model of a recipe, with fresh weights (seed torch before).

    Raises:
        ConfigError: a modality without a backbone or, where some have one, without normalisation;
            an input size that a backbone cannot have; or a single modality that is to be left out.
    """
    partial = recipe.train.modality_dropout > 0
    if partial and len(recipe.modalities) == 1:
        raise ConfigError(
            f"train.modality_dropout: {recipe.modalities[0]!r} is the only modality: nothing would be left"
        )
    descriptor = registry.find(Fusion, recipe.model.fusion.name)
    modalities, size, face_size = recipe.modalities, recipe.model.input_size, recipe.model.face_size
    patches = recipe.model.patches
    grid = None if patches is None else Grid(patches.grid, size, face_size)
    chosen = _chosen(recipe.model.backbone, modalities)
    normalize = _normalize(recipe.model.normalize, modalities)
    preprocess: dict[str, nn.Module] = {name: Preprocess(values) for name, values in normalize.items()}
    if descriptor.takes == "inputs":
        sizes = tuple(BranchSize(name, (3, size, size)) for name in modalities)
        fusion = descriptor.load()(recipe.model.fusion.options, branches=sizes, num_classes=num_classes)
        if len(set(chosen.values())) > 1:
            raise ConfigError(
                f"model.backbone: fusion {descriptor.name!r} has one backbone for all modalities"
            )
        backbone = _backbone(
            chosen[modalities[0]], registry, fusion.out_channels, size, "logits", num_classes
        )
        return Model(preprocess, {"shared": backbone}, fusion, descriptor.takes, face_size, partial, grid)
    backbones = {
        name: _backbone(choice, registry, 3, size, descriptor.takes, num_classes)
        for name, choice in chosen.items()
    }
    sizes = tuple(
        _size(name, cast(BackboneModule, branch), size, descriptor.takes)
        for name, branch in backbones.items()
    )
    fusion = descriptor.load()(recipe.model.fusion.options, branches=sizes, num_classes=num_classes)
    return Model(preprocess, backbones, fusion, descriptor.takes, face_size, partial, grid)


def _normalize(given: dict[str, Normalize], modalities: tuple[str, ...]) -> dict[str, Normalize]:
    """For each modality; those that the model does not take are ignored, so that recipes can be narrowed."""
    if given and (missing := [name for name in modalities if name not in given]):
        raise ConfigError(
            f"model.normalize: given for {format_list(given)} but not for {format_list(missing)}: "
            "`fas data stats` measures it"
        )
    return {name: given.get(name, Normalize()) for name in modalities}


def _chosen(
    backbone: BackboneChoice | dict[str, BackboneChoice], modalities: tuple[str, ...]
) -> dict[str, BackboneChoice]:
    if not isinstance(backbone, dict):
        return dict.fromkeys(modalities, backbone)
    if differing := set(backbone) ^ set(modalities):
        raise ConfigError(
            f"model.backbone: must name one for each of {', '.join(modalities)}: "
            f"{format_list(sorted(differing))}"
        )
    return {name: backbone[name] for name in modalities}


def _backbone(
    choice: BackboneChoice, registry: Registry, in_channels: int, size: int, until: Stage, num_classes: int
) -> nn.Module:
    target = registry.find(Backbone, choice.name).load()
    return cast(
        nn.Module,
        target(
            choice.options, in_channels=in_channels, input_size=size, until=until, num_classes=num_classes
        ),
    )


def _size(modality: str, backbone: BackboneModule, input_size: int, until: Stage) -> BranchSize:
    side = -(-input_size // backbone.reduction)
    return BranchSize(
        modality,
        (backbone.num_features, side, side),
        backbone.embedding_dim if until in ("embeddings", "logits") else None,
        backbone.num_logits if until == "logits" else None,
    )


def scorer(model: Model) -> Scorer:
    """The model as a function of byte arrays, in eval mode, on the device where it is."""
    model.eval()
    device = next(model.parameters()).device

    def score(images: Images, presence: NDArray[np.bool_] | None = None) -> NDArray[np.float64]:
        with torch.inference_mode():
            tensors = {name: torch.from_numpy(pixels).to(device) for name, pixels in images.items()}
            given = None if presence is None else torch.from_numpy(presence).to(device)
            return cast("NDArray[np.float64]", model(tensors, given).score.double().cpu().numpy())

    return score
