"""What all backbones share: running their stages in order, and the input sizes that they can take."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor, nn

from fas_core import ConfigError
from fas_core.descriptors import Stage


class Staged(nn.Module):
    """A backbone in stages: (B, in_channels, H, W) -> map (B, C, h, w) -> embedding (B, E) -> logits (B, K).

    Subclasses give the three stages and, of the modules of the stages after `until`, build none.

    Attributes:
        num_features: C.
        embedding_dim: E.
        num_logits: K.
        reduction: H / h.
        renames: `{our module: its name in published checkpoints}` where the two differ.
    """

    renames: Mapping[str, str] = {}

    num_features: int
    embedding_dim: int
    num_logits: int
    reduction: int

    def __init__(self, until: Stage) -> None:
        super().__init__()
        self.until = until

    def forward_features(self, x: Tensor) -> Tensor:
        """(B, in_channels, H, W) -> (B, C, h, w)."""
        raise NotImplementedError

    def forward_embedding(self, x: Tensor) -> Tensor:
        """(B, C, h, w) -> (B, E)."""
        raise NotImplementedError

    def forward_head(self, x: Tensor) -> Tensor:
        """(B, E) -> (B, K)."""
        raise NotImplementedError

    def forward(self, x: Tensor) -> Tensor:
        """(B, in_channels, H, W) -> what the stage `until` gives."""
        x = self.forward_features(x)
        if self.until == "maps":
            return x
        x = self.forward_embedding(x)
        return x if self.until == "embeddings" else self.forward_head(x)

    def published_name(self, name: str) -> str:
        """What published checkpoints call an entry of our state dict.

        With `renames` of `{"streaming": "final_DW.0"}`, `streaming.weight` is `final_DW.0.weight` there.
        """
        for ours, theirs in self.renames.items():
            if name.startswith(f"{ours}."):
                return theirs + name.removeprefix(ours)
        return name


def check_input_size(name: str, size: int, multiple: int, smallest: int = 1) -> None:
    """Refuse an input side that the strides do not divide, naming the nearest that they do.

    Args:
        name: the backbone, for the message.
        size: side of the square input, pixels.
        multiple: what the side must be a multiple of.
        smallest: what it must be at least.

    Raises:
        ConfigError: `size` is neither.

    >>> check_input_size("feathernet_a", 224, multiple=32)
    >>> check_input_size("feathernet_a", 100, multiple=32)
    Traceback (most recent call last):
    fas_core.errors.ConfigError: feathernet_a: input size 100 is not a multiple of 32: use 96 or 128
    """
    floor = -(-smallest // multiple) * multiple
    if size >= floor and size % multiple == 0:
        return
    if size < floor:
        raise ConfigError(
            f"{name}: input size {size} is too small: use {floor} or a larger multiple of {multiple}"
        )
    below = size // multiple * multiple
    raise ConfigError(
        f"{name}: input size {size} is not a multiple of {multiple}: use {below} or {below + multiple}"
    )
