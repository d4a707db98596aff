"""What all contracts have: a help that shows their own members alone."""

from __future__ import annotations

from abc import ABCMeta
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    ProtocolType = ABCMeta  # as type checkers see it
else:
    ProtocolType = type(Protocol)


class ContractType(ProtocolType):
    """The type of the contracts, whose `dir`, and so whose `help`, is without what every protocol has."""

    def __dir__(cls) -> list[str]:  # noqa: N805 (of a type, as type checkers do not know)
        return [name for name in vars(cls) if not name.startswith("_") or name == "__call__"]
