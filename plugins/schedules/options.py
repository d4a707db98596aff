"""Options of the schedules."""

from __future__ import annotations

from math import inf
from typing import Literal

from attrs import field, frozen
from attrs import validators as v

from fas_core.config.components import ScheduleChoice


@frozen
class CosineOptions:
    """Half a cosine.

    Args:
        every: `epoch` keeps the rate within an epoch; `update` changes it with every update.
    """

    every: Literal["epoch", "update"] = field(default="epoch", validator=v.in_(("epoch", "update")))


@frozen
class OneCycleOptions:
    """One cycle; `train.lr` is its highest rate.

    Args:
        rise: share of the updates in which the rate rises, in (0, 1).
        start: the first rate as a share of the highest, in (0, 1].
        end: the last rate likewise, in [0, 1].
    """

    rise: float = field(default=0.3, validator=[v.gt(0), v.lt(1)])
    start: float = field(default=0.04, validator=[v.gt(0), v.le(1)])
    end: float = field(default=4e-6, validator=[v.ge(0), v.le(1)])


@frozen
class WarmupOptions:
    """A rise before another schedule.

    Args:
        schedule: what the rate rises to, by name or with its options. Its epochs count from the beginning:
            the rise lowers its first ones, and delays nothing.
        epochs: how long the rate rises, e.g. 0.5 for half an epoch, > 0.
        updates: how long it rises in updates, in place of `epochs`; None: `epochs` counts.
        start: share of the rate that the rise begins above, in [0, 1).
    """

    schedule: ScheduleChoice = field(factory=lambda: ScheduleChoice("constant"))
    epochs: float = field(default=1.0, validator=[v.gt(0), v.lt(inf)])
    updates: int | None = field(default=None, validator=v.optional(v.ge(1)))
    start: float = field(default=0.0, validator=[v.ge(0), v.lt(1)])
