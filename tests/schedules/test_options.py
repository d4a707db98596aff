"""Options of the schedules."""

from __future__ import annotations

import math
from typing import Any

import pytest

from fas_plugins.schedules.options import CosineOptions, OneCycleOptions, WarmupOptions


@pytest.mark.parametrize(
    ("options", "wrong"),
    [
        (CosineOptions, {"every": "batch"}),
        (OneCycleOptions, {"rise": 0.0}),
        (OneCycleOptions, {"rise": 1.0}),
        (OneCycleOptions, {"start": 0.0}),
        (OneCycleOptions, {"end": 1.5}),
        (WarmupOptions, {"epochs": 0.0}),
        (WarmupOptions, {"epochs": math.inf}),
        (WarmupOptions, {"updates": 0}),
        (WarmupOptions, {"start": 1.0}),
    ],
)
def test_options_out_of_range_are_refused(options: type, wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=f"'{next(iter(wrong))}' must be"):
        options(**wrong)
