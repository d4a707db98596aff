"""How networks are called: backbones and fusions, and what is optional for them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol, runtime_checkable

from fas_core.protocols.contract_type import ContractType

if TYPE_CHECKING:
    from torch import Tensor, nn


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
