"""Options of the backbones."""

from __future__ import annotations

from typing import Literal

from attrs import field, frozen, validators


@frozen
class FeatherNetOptions:
    """FeatherNetA and FeatherNetB.

    Args:
        head: `streaming`, as published: the streaming module's outputs are the logits, of which
            only classes 0 and 1 ever occur; or `linear`: a linear layer to two classes after it.
    """

    head: Literal["streaming", "linear"] = field(
        default="streaming", validator=validators.in_(("streaming", "linear"))
    )


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
class CDCNOptions:
    """CDCN and CDCN++.

    Args:
        theta: weight of the central difference in each convolution, in [0, 1].
    """

    theta: float = field(default=0.7, validator=[validators.ge(0.0), validators.le(1.0)])
