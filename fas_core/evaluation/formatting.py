"""Names and numbers of metrics as tables print them.

ISO/IEC 30107-3 states the APCER of the worst PAI species, here `apcer_max`; `apcer` pools the species. Tables
call the two `APCER worst` and `APCER pooled`.
"""

from __future__ import annotations

import re
from math import isnan

RATES = frozenset({"acc", "eer", "tpr", "apcer", "bpcer", "acer", "hter", "auc"})
"""Metrics in %: those with one of these names up to a `_`, a `@` or a digit. Others are plain numbers."""

UNDEFINED = "-"

POOLED = ("apcer", "acer")
"""Metrics that pool the species and have a counterpart of the worst species, `NAME_max`."""


def is_rate(key: str) -> bool:
    """Return whether a metric is a fraction, which is printed in %."""
    return re.split(r"[_@\d]", key, maxsplit=1)[0] in RATES


def format_header(key: str) -> str:
    """Format a metric's name in lines: `tpr@fpr=1e-2` -> TPR@FPR, =1e-2; `acer_max` -> ACER, worst."""
    rate, equals, target = key.partition("=")
    name, at, condition = rate.partition("@")
    text = "Acc" if name == "acc" else name.upper().replace("_MAX", "\nworst")
    text += "\npooled" if name in POOLED else ""
    if at:
        condition = condition.upper().replace("_MAX", "\nworst")
        text += ("\n@" if "\n" in text else "@") + condition
    return text + (f"\n={target}" if equals else "")


def figure_name(key: str) -> str:
    """Format a metric's name in one line: TPR@FPR=1e-2, ACER worst."""
    return format_header(key).replace("\n=", "=").replace("\n", " ")


def percent(value: float | None) -> str:
    """Format a fraction in %: 0.12345 -> 12.35."""
    return UNDEFINED if value is None or isnan(value) else f"{100 * value:.2f}"


def format_share(rate: float) -> str:
    """Format a fraction with three significant digits: 0.12345 -> 12.3 %."""
    return f"{100 * rate:.3g} %"


def plain(value: float | None) -> str:
    """Format a number with four significant digits."""
    return UNDEFINED if value is None or isnan(value) else f"{value:.4g}"
