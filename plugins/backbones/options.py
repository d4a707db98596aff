"""Options of the backbones."""

from __future__ import annotations

from typing import Any, Literal

from attrs import Attribute, field, frozen, validators

from fas_core.config.components import BackboneChoice


@frozen
class FeatherNetOptions:
    """FeatherNetA and FeatherNetB.

    Args:
        head: `streaming`, as published: the streaming module's outputs are the logits, of which
            only classes 0 and 1 ever occur; or `linear`: a linear layer to two classes after it.
        width: multiplier of all channel counts, 0.1 to 4, to multiples of 8; 1 is the published network.
    """

    head: Literal["streaming", "linear"] = field(
        default="streaming", validator=validators.in_(("streaming", "linear"))
    )
    width: float = field(default=1.0, validator=[validators.ge(0.1), validators.le(4.0)])


@frozen
class MobileLiteNetOptions:
    """The MobileLiteNets.

    Args:
        dropout: dropout probability before the classifier, in [0, 1).
    """

    dropout: float = field(default=0.2, validator=[validators.ge(0.0), validators.lt(1.0)])


@frozen
class MobileNetV2Options:
    """MobileNetV2.

    Args:
        width: multiplier of all channel counts, 0.1 to 4, rounded down; the last layer keeps at least 1280.
        dropout: dropout probability before the classifier, in [0, 1).
    """

    width: float = field(default=1.0, validator=[validators.ge(0.1), validators.le(4.0)])
    dropout: float = field(default=0.2, validator=[validators.ge(0.0), validators.lt(1.0)])


@frozen
class EfficientNetOptions:
    """EfficientNet-Lite0.

    Args:
        dropout: dropout probability before the classifier, in [0, 1).
        stochastic_depth: probability in [0, 1) that a training sample skips the last block; those before are
            skipped less often, the first never.
    """

    dropout: float = field(default=0.2, validator=[validators.ge(0.0), validators.lt(1.0)])
    stochastic_depth: float = field(default=0.2, validator=[validators.ge(0.0), validators.lt(1.0)])


@frozen
class CDCNOptions:
    """CDCN and CDCN++.

    Args:
        theta: weight of the central difference in each convolution, in [0, 1].
    """

    theta: float = field(default=0.7, validator=[validators.ge(0.0), validators.le(1.0)])


Statistic = Literal["mean", "deviation", "maximum", "relative_mean", "log_deviation", "histogram"]


def _check_distinct(_: object, attribute: Attribute[Any], values: tuple[Any, ...]) -> None:
    """Check that there is at least one item, and each once."""
    if not values or len(set(values)) < len(values):
        raise ValueError(f"'{attribute.name}' must have one item or more, each once: {list(values)}")


@frozen
class TextureOptions:
    """Statistics of early maps of another backbone: `texture`.

    Args:
        network: the backbone, by name or with its options: `{name: mobilenetv2, width: 0.5}`. What comes
            after the last of `blocks` is not built.
        blocks: whose maps to pool, by number: 0 is the stem, 1 the first block.
        statistics: of each channel over the positions of a map: `mean`, `deviation` and `maximum`;
            `relative_mean`, the mean / root mean square of the block's deviations; `log_deviation`, the
            logarithm of the deviation minus its mean over the block; `histogram`, shares of the values
            between -2 and 2 deviations from the mean. The last three do not change with a map's contrast.
        bins: number of bins of a histogram.
    """

    network: BackboneChoice = field(
        factory=lambda: BackboneChoice("efficientnet_lite0", EfficientNetOptions())
    )
    blocks: tuple[int, ...] = field(
        default=(1, 3, 5), validator=[_check_distinct, validators.deep_iterable(validators.ge(0))]
    )
    statistics: tuple[Statistic, ...] = field(
        default=("relative_mean", "log_deviation"), validator=_check_distinct
    )
    bins: int = field(default=8, validator=[validators.ge(2), validators.le(64)])
