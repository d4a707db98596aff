"""Options of the losses."""

from __future__ import annotations

import math
from typing import Any

import pytest

from fas_plugins.losses.options import (
    AMSoftmaxOptions,
    ContrastDepthOptions,
    CrossEntropyOptions,
    FocalOptions,
)


@pytest.mark.parametrize(
    ("options", "wrong"),
    [
        (FocalOptions, {"gamma": -1.0}),
        (FocalOptions, {"gamma": math.inf}),
        (FocalOptions, {"gamma": math.nan}),
        (FocalOptions, {"alpha": (1.0,)}),
        (FocalOptions, {"alpha": (1.0, -1.0)}),
        (FocalOptions, {"alpha": (0.0, 0.0)}),
        (FocalOptions, {"alpha": (math.nan, 1.0)}),
        (CrossEntropyOptions, {"smoothing": -0.1}),
        (CrossEntropyOptions, {"smoothing": 1.0}),
        (CrossEntropyOptions, {"weight": (1.0, 1.0, 1.0)}),
        (ContrastDepthOptions, {"target": "face"}),
        (ContrastDepthOptions, {"mse": -1.0}),
        (AMSoftmaxOptions, {"margin": -0.1}),
    ],
)
def test_options_out_of_range_are_refused(options: type, wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=f"'{next(iter(wrong))}' must be"):
        options(**wrong)
