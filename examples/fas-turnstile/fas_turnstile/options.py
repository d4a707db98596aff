"""Options that recipes can set: `data: {name: turnstile, root: ..., protocol: gate@2}`."""

from __future__ import annotations

from attrs import field, frozen
from attrs import validators as v

INDEX = "turnstile.json"
GATES = (1, 2, 3)
PROTOCOLS = ("all", *(f"gate@{gate}" for gate in GATES))


@frozen
class TurnstileOptions:
    """Options of the data set.

    Args:
        protocol: `all`, or `gate@N`: trained on the other gates' photos, and tested on those of gate N.
    """

    protocol: str = field(default="all", validator=v.in_(PROTOCOLS))

    @property
    def left_out(self) -> int | None:
        """The gate that training does without, if there is one."""
        return None if self.protocol == "all" else int(self.protocol.removeprefix("gate@"))
