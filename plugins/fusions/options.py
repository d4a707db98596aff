"""Options of the fusions."""

from __future__ import annotations

from typing import Literal

from attrs import field, frozen, validators


@frozen
class ClassifierOptions:
    """Fusions that end in a classifier: `concat_linear`, `pipenet`, `cdcn`, `se_fusion`.

    Args:
        classifier: `linear`, or `cosine`, which the loss `am_softmax` needs: a class's logit is `scale` times
            the cosine between the joined features and the class's weights.
        scale: factor of the cosines, in (0, 1000].
    """

    classifier: Literal["linear", "cosine"] = field(
        default="linear", validator=validators.in_(("linear", "cosine"))
    )
    scale: float = field(default=30.0, validator=[validators.gt(0.0), validators.le(1000.0)])


@frozen
class CDCNFusionOptions(ClassifierOptions):
    """`cdcn`.

    Args:
        theta: weight of the central difference in both convolutions, in [0, 1].
    """

    theta: float = field(default=0.7, validator=[validators.ge(0.0), validators.le(1.0)])


@frozen
class SEFusionOptions(ClassifierOptions):
    """`se_fusion`.

    Args:
        reduction: channels of a branch / width of the excitation's hidden layer, >= 1.
    """

    reduction: int = field(default=8, validator=validators.ge(1))
