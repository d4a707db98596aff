"""Options of the simulated data set, as recipes set them."""

from __future__ import annotations

from typing import Literal

from attrs import field, frozen, validators


@frozen
class SyntheticOptions:
    """Options of `synthetic`. Every option but `protocol` changes the images.

    Args:
        protocol: `grandtest` (all species and groups in every split), `unseen_species` (the attack species
            of test are in neither train nor dev) or `unseen_group` (the same for one group of subjects).
        subjects: number of people in all three splits together, a third in each group.
        shots: attack captures per subject and species; there are three times as many live captures.
        size: height and width of the colour images in pixels; depth and IR images have 3/4 of it.
        seed: random seed; another seed gives other people and other captures.
    """

    protocol: Literal["grandtest", "unseen_species", "unseen_group"] = field(
        default="grandtest", validator=validators.in_(("grandtest", "unseen_species", "unseen_group"))
    )
    subjects: int = field(default=42, validator=[validators.ge(9), validators.le(9999)])
    shots: int = field(default=9, validator=[validators.ge(1), validators.le(999)])
    size: int = field(default=128, validator=[validators.ge(48), validators.le(512)])
    seed: int = field(default=0, validator=validators.ge(0))
