"""What recipes can set of each backbone."""

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
