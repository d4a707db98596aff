"""Options of the metrics."""

from __future__ import annotations

from typing import Any

from attrs import Attribute, field, frozen


def _check_rates(_: object, attribute: Attribute[Any], value: tuple[float, ...]) -> None:
    """Check that there is at least one rate, each once and between 0 and 1."""
    if not value or len(set(value)) < len(value) or not all(0 < rate < 1 for rate in value):
        raise ValueError(
            f"'{attribute.name}' must be distinct rates between 0 and 1, at least one: {list(value)}"
        )


@frozen
class TprAtFprOptions:
    """TPR at given FPRs.

    Args:
        fprs: largest fraction of accepted attacks, each in (0, 1).
    """

    fprs: tuple[float, ...] = field(default=(1e-2, 1e-3), validator=_check_rates)


@frozen
class BpcerApOptions:
    """BPCER at given APCERs.

    Args:
        apcers: largest APCER of any PAI species, each in (0, 1).
    """

    apcers: tuple[float, ...] = field(default=(0.1, 0.05, 0.01), validator=_check_rates)


@frozen
class ApcerAtBpcerOptions:
    """APCER at given BPCERs.

    Args:
        bpcers: largest fraction of rejected live samples, each in (0, 1).
    """

    bpcers: tuple[float, ...] = field(default=(0.1, 0.01), validator=_check_rates)
