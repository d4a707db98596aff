"""Options of the optimizers."""

from __future__ import annotations

from typing import Any

import pytest

from fas_plugins.optimizers.options import AdamWOptions, ByNameOptions


@pytest.mark.parametrize(
    ("options", "wrong"),
    [
        (AdamWOptions, {"betas": (0.9, 1.0)}),
        (AdamWOptions, {"betas": (-0.1, 0.9)}),
        (AdamWOptions, {"eps": 0.0}),
        (ByNameOptions, {"arguments": {"lr": 0.1}}),
        (ByNameOptions, {"arguments": {"params": []}}),
    ],
)
def test_options_out_of_range_are_refused(options: type, wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=f"'{next(iter(wrong))}' must "):
        options(**wrong)
