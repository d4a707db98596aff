"""The base class of every backbone: the three stages, what is built of them, and the input size check."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import ClassVar, Generic, TypeVar

from torch import Tensor, nn

from fas_core import ConfigError, Stage

OptionsT = TypeVar("OptionsT")


class StagedBackbone(nn.Module, Generic[OptionsT]):
    """A backbone in stages: (B, in_channels, H, W) -> map (B, C, h, w) -> embedding (B, E) -> logits (B, K).

    Subclasses implement a `build_` and a `forward_` method for each stage.

    Args:
        options: the backbone's options.
        in_channels: channels of the input.
        input_size: side of the square input in pixels; by default the published one.
        until: the last stage to build; `forward` returns its output.
        num_classes: K of a classifier.

    Attributes:
        num_features: C.
        embedding_dim: E.
        num_logits: K.
        reduction: H / h; the input size must be a multiple of it.
        published_size: default side of the input, in pixels.
        smallest_map: least side of the map, in positions.
        published_modules: `{module: its name in published checkpoints}` where the two differ.

    Raises:
        ConfigError: `input_size` is not a multiple of `reduction`, or too small.
    """

    num_features: int
    embedding_dim: int
    num_logits: int
    reduction: int

    published_size: ClassVar[int] = 224
    smallest_map: ClassVar[int] = 1
    published_modules: ClassVar[Mapping[str, str]] = {}

    def __init__(
        self,
        options: OptionsT,
        in_channels: int = 3,
        input_size: int | None = None,
        until: Stage = "logits",
        num_classes: int = 2,
    ) -> None:
        super().__init__()
        size = self.published_size if input_size is None else input_size
        check_input_size(type(self).__name__, size, self.reduction, self.smallest_map * self.reduction)
        self.until = until
        self.num_logits = num_classes
        self.build_features(options, in_channels, size // self.reduction)
        if until != "maps":
            self.build_embedding(options)
        if until == "logits":
            self.build_head(options, num_classes)
        self.initialize_weights()

    def build_features(self, options: OptionsT, in_channels: int, map_side: int) -> None:
        """Build the modules of `forward_features`; set C, E and, unless it is `num_classes`, K."""
        raise NotImplementedError

    def build_embedding(self, options: OptionsT) -> None:
        """Build the modules of `forward_embedding`, if it has any."""

    def build_head(self, options: OptionsT, num_classes: int) -> None:
        """Build the modules of `forward_head`, if it has any."""

    def initialize_weights(self) -> None:
        """Initialize the weights as the published light networks do.

        Convolutions: normal, variance 2 / (kernel area x output channels), whatever their groups;
        linear layers: normal, standard deviation 0.01; biases: zero; batch norms: the identity.
        """
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                fan_out = math.prod(module.kernel_size) * module.out_channels
                nn.init.normal_(module.weight, std=math.sqrt(2 / fan_out))
            elif isinstance(module, nn.Linear):
                nn.init.normal_(module.weight, std=0.01)
            if isinstance(module, nn.Conv2d | nn.Linear) and module.bias is not None:
                nn.init.zeros_(module.bias)

    def forward_features(self, x: Tensor) -> Tensor:
        """(B, in_channels, H, W) -> (B, C, h, w)."""
        raise NotImplementedError

    def forward_embedding(self, x: Tensor) -> Tensor:
        """(B, C, h, w) -> (B, E); by default the mean over positions, so that E is C."""
        return x.mean(dim=(2, 3))

    def forward_head(self, x: Tensor) -> Tensor:
        """(B, E) -> (B, K)."""
        raise NotImplementedError

    def forward(self, x: Tensor) -> Tensor:
        """(B, in_channels, H, W) -> the output of the stage `until`."""
        x = self.forward_features(x)
        if self.until == "maps":
            return x
        x = self.forward_embedding(x)
        return x if self.until == "embeddings" else self.forward_head(x)

    def published_name(self, name: str) -> str:
        """Return the name that published checkpoints use for an entry of the state dict.

        With `published_modules` of `{"streaming": "final_DW.0"}`, `streaming.weight` is `final_DW.0.weight`.
        """
        for module, published in self.published_modules.items():
            if name.startswith(f"{module}."):
                return published + name.removeprefix(module)
        return name


def check_input_size(name: str, size: int, multiple: int, smallest: int = 1) -> None:
    """Refuse an input size that the strides do not divide, and name the nearest sizes that they do.

    Args:
        name: the backbone, for the message.
        size: side of the square input in pixels.
        multiple: the side must be a multiple of this.
        smallest: the side must be at least this.

    Raises:
        ConfigError: `size` breaks one of the two rules.

    >>> check_input_size("feathernet_a", 224, multiple=32)
    >>> check_input_size("feathernet_a", 100, multiple=32)
    Traceback (most recent call last):
    fas_core.errors.ConfigError: feathernet_a: input size 100 is not a multiple of 32: use 96 or 128
    """
    floor = -(-smallest // multiple) * multiple
    if size < floor:
        raise ConfigError(
            f"{name}: input size {size} is too small: use {floor} or a larger multiple of {multiple}"
        )
    if size % multiple:
        below = size // multiple * multiple
        raise ConfigError(
            f"{name}: input size {size} is not a multiple of {multiple}: use {below} or {below + multiple}"
        )
