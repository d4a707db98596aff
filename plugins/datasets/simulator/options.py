"""What recipes can set of the simulator."""

from __future__ import annotations

from typing import Literal

from attrs import field, frozen, validators


@frozen
class SyntheticOptions:
    """A simulated data set; every choice but `protocol` asks for other images.

    Args:
        protocol: `grandtest` (all species and groups in every split), `unseen_species` (the test
            species are in neither train nor dev) or `unseen_group` (the same for a group of subjects).
        subjects: people in all three splits together, a third in each group.
        shots: attacks per subject and species; there are three live shots for each.
        size: height and width of the colour images, pixels; depth and IR images have 3/4 of it.
        seed: other seeds, other people and other shots.
    """

    protocol: Literal["grandtest", "unseen_species", "unseen_group"] = field(
        default="grandtest", validator=validators.in_(("grandtest", "unseen_species", "unseen_group"))
    )
    subjects: int = field(default=42, validator=[validators.ge(9), validators.le(9999)])
    shots: int = field(default=9, validator=[validators.ge(1), validators.le(999)])
    size: int = field(default=128, validator=[validators.ge(48), validators.le(512)])
    seed: int = field(default=0, validator=validators.ge(0))
